"""A program: threads with event loops of their own open clients at once, and the process forks."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback

import anyio

from asession import Session
from servers.answers import AwsAnswers
from servers.recorder import Recorder

CALLS = {"s3": "list_buckets", "dynamodb": "list_tables", "sqs": "list_queues"}


async def use(url: str, made: list) -> None:
    """Open a client of each service, and use it in the ways that look at shared parts."""
    for service, method in CALLS.items():
        session = Session("AKIAX", "s", region_name="us-east-1", endpoint_url=url)
        async with session.client(service) as client:
            try:
                await getattr(client, method)()
            except client.exceptions.ClientError:
                pass  # the recorder knows not all of them
            str(getattr(client, method).__doc__)
            shared = client.meta.service_model, type(client), client.exceptions
            made.append((service, *map(id, shared)))


def run(number: int, url: str, start: threading.Barrier, made: list, errors: list) -> None:
    """One thread, on asyncio or trio."""
    start.wait()
    try:
        anyio.run(use, url, made, backend="trio" if number % 2 else "asyncio")
    except BaseException:
        errors.append(traceback.format_exc())


def fork(url: str) -> int:
    """How a fork ends that opens clients while the threads of its parent do."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a lock that nobody releases
        try:
            anyio.run(use, url, [])
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(count: int) -> None:
    """Print what the threads found."""
    sys.setswitchinterval(1e-5)
    made: list = []
    errors: list = []
    start = threading.Barrier(count + 1)
    with Recorder(AwsAnswers()) as aws:
        threads = [
            threading.Thread(target=run, args=(number, aws.url, start, made, errors))
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        start.wait()
        ended = fork(aws.url) if hasattr(os, "fork") else None
        for thread in threads:
            thread.join()
    print(json.dumps({"made": made, "errors": errors, "fork": ended}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
