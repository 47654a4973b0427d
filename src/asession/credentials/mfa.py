"""Who is asked for a code when a role needs multi-factor authentication."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Awaitable, Callable

from asession._runtime.threads import in_thread
from asession.exceptions import MFARequiredError

MFAPrompt = Callable[[str], Awaitable[str]]
"""An async function that takes the serial of an MFA device and returns a code."""


def asker(prompt: MFAPrompt | None) -> MFAPrompt:
    """The given prompt, or the terminal."""
    return _ask_terminal if prompt is None else prompt


async def _ask_terminal(serial: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise MFARequiredError(serial=serial)
    return await in_thread(getpass.getpass, f"Enter MFA code for {serial}: ")
