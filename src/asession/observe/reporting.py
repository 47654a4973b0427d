"""Tells events to the observers of a session and to the log; whatever they do, nothing breaks."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from asession._logging import log
from asession.observe.events import CANCELLED

if TYPE_CHECKING:
    from asession.observe.events import Event, Observer

_logger = logging.getLogger("asession.observe")


class Reporter:
    """Where the parts of one session report what happens; used on any thread.

    Lives as long as the session; nothing needs closing.

    Args:
        observers: Whom to tell, in order.

    Attributes:
        observed: Whether anybody is told: what happens with each request is reported only then.
    """

    __slots__ = ("_failed", "_observers", "observed")

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._failed: set[int] = set()
        self.observed: bool = bool(observers)

    def report(self, event: Event) -> None:
        """Log an event and tell it to each observer."""
        if event.message:
            logger = logging.getLogger(event.logger)
            if logger.isEnabledFor(logging.DEBUG):
                log(logger, logging.DEBUG, event.name, event.message, **event.fields())
        for index, observer in enumerate(self._observers):
            try:
                observer(event)
            except Exception as error:
                if index not in self._failed:
                    self._failed.add(index)
                    log(
                        _logger,
                        logging.WARNING,
                        "observer.failed",
                        "the observer %(observer)s failed when told %(told)s, which is logged "
                        "once: %(error)s",
                        observer=getattr(observer, "__qualname__", type(observer).__qualname__),
                        told=event.name,
                        # Alone: what is being handled meanwhile may quote secrets.
                        error="".join(traceback.format_exception(error, chain=False)).rstrip(),
                    )


def name_of(error: BaseException) -> str:
    """What events call an error: the name of its class, or ``"cancelled"`` on all event loops."""
    try:
        if isinstance(error, anyio.get_cancelled_exc_class()):
            return CANCELLED
    except RuntimeError:
        pass  # no event loop runs: what was dropped is being torn down
    return type(error).__name__


SILENT = Reporter()
"""Of what belongs to no session: it logs, and tells nobody."""
