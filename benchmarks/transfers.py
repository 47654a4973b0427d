"""Measures transfers: peers in processes of their own take turns against a fast fake of S3."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from benchmarks.environments import python
from benchmarks.peers import PEERS
from benchmarks.processes import Process
from benchmarks.studies import FIGURES, Scene

Values = dict[str, dict[str, list[float]]]


def rounds(scene: Scene, discarded: int, versions: dict[str, dict[str, str]]) -> Values:
    """The figures of each peer, round by round.

    Args:
        scene: One of the kind ``"transfer"``.
        discarded: Rounds before them that do not count.
        versions: Gets the versions of packages.
    """
    values: Values = {}
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        home = Path(directory)
        server = Process([python(), "-m", "benchmarks.transfers_server"], home)
        stack.callback(server.stop)
        url = f"http://127.0.0.1:{server.hear()['http']}"
        workers = {}
        for peer in scene.peers:
            elsewhere = PEERS[peer].elsewhere
            worker = Process(
                [python(for_aioboto3=elsewhere), "-m", "benchmarks.transferring"], home
            )
            stack.callback(worker.stop)
            first = {"peer": peer, "url": url, "work": scene.service, "folder": directory}
            found = worker.ask(first)["versions"]
            versions["aioboto3's environment" if elsewhere else "here"] = found
            workers[peer] = worker
        names = list(scene.peers)
        for number in range(discarded + scene.rounds):
            # Whoever goes first changes, so that nobody always runs after the same neighbour.
            shift = number % len(names)
            for peer in names[shift:] + names[:shift]:
                answer = workers[peer].ask({"go": 1})
                for figure, value in answer.items() if number >= discarded else ():
                    kept = round(value * FIGURES[figure].scale, 3)
                    values.setdefault(figure, {}).setdefault(peer, []).append(kept)
    return values
