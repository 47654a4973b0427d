"""A process that has opened nothing yet and tells which files opening sessions touches.

`python opening.py BACKEND` prints what `Seen` counted in each phase as one line of JSON; the tests'
directory is on its path, and its HOME has a profile ``dev``.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import anyio

from asession import Session
from watch import FileWatch

TASKS = 100
_SCANS = ("os.listdir", "os.scandir")


async def open_one(service: str) -> None:
    """Open a session and a client of a service, and close both."""
    async with Session(profile_name="dev", region_name="us-east-1") as session:
        async with session.client(service):
            pass


async def open_many(service: str) -> None:
    """The same in many tasks at once."""
    async with anyio.create_task_group() as tasks:
        for _ in range(TASKS):
            tasks.start_soon(open_one, service)


def seen(watch: FileWatch, service: str) -> dict[str, Any]:
    """What a watch saw: on the loop's thread, of directories, and of a service's model."""
    model = f"/{service}/"
    opened = [event for event in watch.events if event.call == "open"]
    return {
        "anything": len(watch.events),
        "on_loop": [str(event) for event in watch.on_thread(threading.get_ident())],
        # Importing looks into directories too, until its modules are there.
        "scans": [
            str(event)
            for event in watch.events
            if event.call in _SCANS and not event.comes_from("<frozen importlib")
        ],
        "models": [
            event.path
            for event in opened
            if model in event.path.replace("\\", "/") and "service-2.json" in event.path
        ],
    }


async def main() -> dict[str, Any]:
    """Every phase, by its name; the services of the cold ones have not been used before."""
    phases = {
        "cold": (open_one, "s3"),
        "warm": (open_one, "s3"),
        "cold crowd": (open_many, "ec2"),
        "warm crowd": (open_many, "ec2"),
    }
    found = {}
    for name, (work, service) in phases.items():
        with FileWatch() as watch:
            await work(service)
        found[name] = seen(watch, service)
    return found


if __name__ == "__main__":
    print(json.dumps(anyio.run(main, backend=sys.argv[1])))
