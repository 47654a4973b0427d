"""The first sessions of a process, watched: which files does the event loop's thread touch?"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import anyio

from asession import Session
from watch import FileWatch


async def _one(environ: dict[str, str], arguments: dict[str, Any]) -> dict[str, Any]:
    with FileWatch() as watch:
        async with Session(**arguments, environ=environ) as session:
            frozen = await session.get_frozen_credentials()
    on_loop = watch.on_thread(threading.get_ident())
    return {
        "access_key": frozen.access_key,
        "on_loop": [(event.path, str(event)) for event in on_loop],
        "elsewhere": len(watch.events) - len(on_loop),
    }


async def _all(jobs: list[dict[str, Any]]) -> None:
    print(json.dumps([await _one(**job) for job in jobs]))


if __name__ == "__main__":
    anyio.run(_all, json.load(sys.stdin), backend=sys.argv[1])
