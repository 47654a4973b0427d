"""The handlers that every session of ours begins with, registered once per process."""

from __future__ import annotations

from functools import cache, lru_cache

from botocore.handlers import (
    BUILTIN_HANDLERS,
    REGISTER_FIRST,
    REGISTER_LAST,
    add_recursion_detection_header,
)
from botocore.hooks import HierarchicalEmitter

from asession._aws import uploads
from asession._aws.clients import mix_in
from asession._aws.emitter import EventEmitter
from asession._aws.rejection import sign_again
from asession._runtime.forks import ProcessLock

_lock = ProcessLock()


def builtin_events() -> EventEmitter:
    """botocore's handlers and ours; sessions take copies, and nobody registers here."""
    # Other packages add handlers to botocore's list when they are imported.
    with _lock:
        return _make(tuple(map(id, BUILTIN_HANDLERS)))


@lru_cache(maxsize=1)
def _make(_handlers: tuple[int, ...]) -> EventEmitter:
    emitter = EventEmitter()
    registers = {REGISTER_FIRST: emitter.register_first, REGISTER_LAST: emitter.register_last}
    for event_name, handler, *how in BUILTIN_HANDLERS:
        if handler is add_recursion_detection_header:
            continue  # it reads os.environ; a session registers its own
        register = registers[how[0]] if how else emitter.register
        register(event_name, handler)
    uploads.register(emitter)
    emitter.register("needs-retry", sign_again, unique_id="asession-sign-again")
    emitter.register("creating-client-class", mix_in, unique_id="asession-lease")
    return emitter


@cache
def docs_events() -> HierarchicalEmitter:
    """botocore's handlers of docstrings, on a sync emitter: docstrings are written in `help`."""
    emitter = HierarchicalEmitter()
    for event_name, handler, *_ in BUILTIN_HANDLERS:
        if event_name.startswith("docs."):
            emitter.register(event_name, handler)
    return emitter
