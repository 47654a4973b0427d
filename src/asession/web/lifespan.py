"""A session entered for the life of an ASGI application, from its startup to its shutdown."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from asession._logging import log
from asession.session import Session
from asession.web.asgi import ASGIApp, Message, Receive, Scope, Send

_logger = logging.getLogger("asession.web")

# After one of these a server may end the event loop at any moment.
_LAST_WORDS = frozenset(
    {"lifespan.startup.failed", "lifespan.shutdown.complete", "lifespan.shutdown.failed"}
)


async def run_lifespan(
    app: ASGIApp, session: Session, scope: Scope, receive: Receive, send: Send
) -> None:
    """Enter the session around an application's lifespan.

    A session that cannot be entered fails the startup with its reason. The session is left before
    the server hears of the end, so that its connections are closed while the loop still runs. For
    an application that does not speak the lifespan protocol this speaks it.

    Args:
        app: The application, which sees the session as the current one in its own lifespan.
        session: The session to enter.
        scope: The scope of type ``"lifespan"``.
        receive: The server's messages.
        send: To the server.

    Raises:
        Exception: What entering or leaving the session, or the application, raised.
    """
    async with AsyncExitStack() as entered:
        try:
            await entered.enter_async_context(session)
        except Exception as error:
            # Merely raising would mean "no lifespan here", and servers go on without.
            await receive()
            await send(_failed("startup", "entering the AWS session failed", error))
            raise

        conversation = _Conversation(entered, receive, send)
        try:
            await app(scope, conversation.receive, conversation.send)
        except Exception as error:
            if conversation.begun:
                raise
            log(
                _logger,
                logging.INFO,
                "lifespan.unsupported",
                "the application does not speak ASGI's lifespan protocol: %(error)s",
                error=repr(error),
            )
        if not conversation.begun:
            await conversation.hold_alone()


class _Conversation:
    """The application's side of one lifespan; lives as long as the lifespan, needs no closing."""

    __slots__ = ("_entered", "_receive", "_send", "begun")

    def __init__(self, entered: AsyncExitStack, receive: Receive, send: Send) -> None:
        self._entered = entered
        self._receive = receive
        self._send = send
        self.begun = False

    async def receive(self) -> Message:
        """Hear the server."""
        self.begun = True
        return await self._receive()

    async def send(self, message: Message) -> None:
        """Tell the server, having left the session if these are the last words."""
        self.begun = True
        if message["type"] in _LAST_WORDS:
            try:
                # Here, not once the application has returned: some never do.
                await self._entered.aclose()
            except Exception as error:
                if message["type"] == "lifespan.shutdown.complete":
                    message = _failed("shutdown", "leaving the AWS session failed", error)
                await self._send(message)
                raise
        await self._send(message)

    async def hold_alone(self) -> None:
        """Hold the conversation in place of an application that does not."""
        await self.receive()
        await self.send({"type": "lifespan.startup.complete"})
        await self.receive()
        await self.send({"type": "lifespan.shutdown.complete"})


def _failed(phase: str, what: str, error: Exception) -> Message:
    message = f"{what}: {type(error).__name__}: {error}"
    return {"type": f"lifespan.{phase}.failed", "message": message}
