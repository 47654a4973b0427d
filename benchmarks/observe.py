"""Measures a row about opening: its peers take turns, round by round, in processes of their own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import transfers
from benchmarks.environments import ROOT, python, variables
from benchmarks.measure import Effort, made
from benchmarks.openings import IMPORTS, write_profiles
from benchmarks.peers import PEERS
from benchmarks.processes import Process
from benchmarks.studies import FIGURES, Scene, Study

# What importing a module takes, and what else it brings along.
_IMPORTING = """\
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
import {module}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
import json
others = {{"aiobotocore", "aiohttp", "boto3", "botocore", "trio"}} & set(sys.modules)
print(json.dumps({{"cpu": cpu, "wall": wall, "loaded": sorted(others)}}))
"""
# How often a profile of an opening that is not the first of its process repeats it.
_PROFILED = 20

Answer = Mapping[str, Any]


@dataclass(slots=True)
class _Stage:
    """The processes of one scene: kept for the warm kinds, new for each round of the others."""

    scene: Scene
    home: Path
    stack: contextlib.ExitStack
    versions: dict[str, dict[str, str]]
    warm: dict[str, Process] = field(default_factory=dict)
    modules: dict[str, list[str]] = field(default_factory=dict)

    def start(self, peer: str, modules: Sequence[str] = (), imports: bool = False) -> Process:
        """A process for a peer; told to stop when the scene ends, if not before."""
        interpreter = python(for_aioboto3=PEERS[peer].elsewhere)
        process = Process([interpreter, "-m", "benchmarks.opener"], self.home)
        self.stack.callback(process.stop)
        first = {"peer": peer, "service": self.scene.service, "modules": list(modules)}
        found = process.ask({**first, "imports": imports})["versions"]
        self.versions["aioboto3's environment" if PEERS[peer].elsewhere else "here"] = found
        return process

    def fresh(self, peer: str) -> Process:
        """A process that has opened nothing; with its modules imported, for the kind ``first``."""
        if self.scene.kind == "first" and peer not in self.modules:
            process = self.start(peer)
            process.ask({"open": 1, "ticker": False})
            self.modules[peer] = process.ask({"modules": True})
            process.stop()
        imports = self.scene.kind == "imports"
        return self.start(peer, self.modules.get(peer, ()), imports)

    def kept(self, peer: str) -> Process:
        """The process of a peer that has opened many."""
        if peer not in self.warm:
            self.warm[peer] = self.start(peer)
            self.warm[peer].ask({"open": 2, "ticker": False})
        return self.warm[peer]

    def round(self, peer: str) -> dict[str, float]:
        """One round of a peer: its figures, for one opening where that makes sense."""
        scene = self.scene
        times = scene.times_of(peer)
        # A ticker takes CPU time while the loop is free: times and stalls are measured apart.
        if scene.kind == "warm":
            timed = self.kept(peer).ask({"open": times, "ticker": False})
            ticked = self.kept(peer).ask({"open": 1, "ticker": True})
            return _figures(timed, ticked, times)
        if scene.kind == "crowd":
            answer = self.kept(peer).ask({"crowd": times, "ticker": True})
            return _figures(answer, answer, 1)
        if scene.kind == "held":
            return self._held(peer, times)
        answers = []
        for ticker in (False, True):
            process = self.fresh(peer)
            answers.append(process.ask({"open": 1, "ticker": ticker}))
            process.stop()
        return _figures(*answers, 1)

    def _held(self, peer: str, times: int) -> dict[str, float]:
        found = {}
        for figure, traced in (("rss", False), ("traced", True)):
            # Tracing takes memory itself: the two are measured in different processes.
            process = self.start(peer)
            answer = process.ask({"hold": times, "traced": traced})
            process.stop()
            found[figure] = answer["held"] / times
            found[f"{figure}-left"] = answer["left"] / times
        return found


def observe(study: Study, effort: Effort, command: str) -> dict[str, Any]:
    """Everything that was found out about a row, ready for JSON."""
    versions: dict[str, dict[str, str]] = {}
    result: dict[str, Any] = {
        "row": study.number,
        "title": study.title,
        "made": made(command),
        "marks": [
            {name: getattr(mark, name) for name in mark.__dataclass_fields__}
            for mark in study.marks
        ],
        "scenes": [],
        "profiles": {},
    }
    for asked in study.scenes:
        scene = _within(asked, effort)
        if scene.kind == "transfer":
            found = transfers.rounds(scene, int(effort.discarded > 0), versions)
            result["scenes"].append(_scene(scene, found))
            continue
        with _stage(scene, versions) as stage:
            if scene.kind == "module":
                result["scenes"].append(_modules(stage, effort.discarded))
                continue
            result["scenes"].append(_rounds(stage, effort))
            if effort.profiled:
                chosen = [
                    peer for peer in study.profiled.get(scene.name, ()) if peer in scene.peers
                ]
                if chosen:
                    result["profiles"][scene.name] = {
                        peer: _profile(stage, peer) for peer in chosen
                    }
    result["made"]["versions"] = versions
    return result


def _within(scene: Scene, effort: Effort) -> Scene:
    # An opening is never a part of one: it is the rounds that become fewer.
    peers = tuple(name for name in scene.peers if name not in effort.without)
    return replace(scene, peers=peers, rounds=max(2, scene.rounds // effort.rounds_divisor))


@contextlib.contextmanager
def _stage(scene: Scene, versions: dict[str, dict[str, str]]) -> Iterator[_Stage]:
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        home = Path(directory)
        write_profiles(home)
        yield _Stage(scene, home, stack, versions)


def _rounds(stage: _Stage, effort: Effort) -> dict[str, Any]:
    scene = stage.scene
    names = list(scene.peers)
    values: dict[str, dict[str, list[float]]] = {}
    # A round that warms up: other processes have been warmed up, or must not be warm.
    discarded = int(scene.kind == "warm" and effort.discarded > 0)
    for number in range(discarded + scene.rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            answer = stage.round(name)
            if number >= discarded:
                for figure, value in answer.items():
                    kept = round(value * FIGURES[figure].scale, 3)
                    values.setdefault(figure, {}).setdefault(name, []).append(kept)
        _progress(scene, number + 1, discarded + scene.rounds)
    return _scene(scene, values)


def _scene(scene: Scene, values: Mapping[str, Any], loaded: Any = None) -> dict[str, Any]:
    found = {
        "name": scene.name,
        "kind": scene.kind,
        "service": scene.service,
        "times": {peer: scene.times_of(peer) for peer in scene.peers},
        "rounds": scene.rounds,
        "shown": list(scene.shown),
        "figures": values,
    }
    return found if loaded is None else {**found, "loaded": loaded}


def _modules(stage: _Stage, discarded: int) -> dict[str, Any]:
    scene = stage.scene
    values: dict[str, dict[str, list[float]]] = {"cpu": {}, "wall": {}}
    loaded = {}
    for number in range(discarded + scene.rounds):
        shift = number % len(scene.peers)
        for name in scene.peers[shift:] + scene.peers[:shift]:
            answer = _imported(name, stage.home)
            loaded[name] = answer["loaded"]
            for figure, kept in values.items():
                if number >= discarded:
                    kept.setdefault(name, []).append(round(answer[figure] * 1e3, 3))
        _progress(scene, number + 1, discarded + scene.rounds)
    for name in scene.peers:
        stage.start(name).stop()  # it says the versions
    return _scene(scene, values, loaded)


def _imported(peer: str, home: Path) -> Answer:
    import json

    interpreter = python(for_aioboto3=PEERS[peer].elsewhere)
    code = _IMPORTING.format(module=IMPORTS[peer])
    done = subprocess.run(
        [interpreter, "-c", code],
        cwd=ROOT,
        env=variables(home),
        check=True,
        capture_output=True,
        text=True,
    )
    answer: Answer = json.loads(done.stdout)
    return answer


def _profile(stage: _Stage, peer: str) -> Any:
    if stage.scene.kind in ("first", "imports"):
        process = stage.fresh(peer)
        return process.ask({"profile": 1})
    return stage.kept(peer).ask({"profile": _PROFILED})


def _figures(timed: Answer, ticked: Answer, times: int) -> dict[str, float]:
    return {
        "cpu": timed["cpu"] / times,
        "wall": timed["wall"] / times,
        "stall": ticked["stall"],
        "idle": ticked["idle"],
        "collector": max(timed["collector"], ticked["collector"]),
    }


def _progress(scene: Scene, done: int, rounds: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == rounds else ""
        print(f"\r{scene.name}: round {done} of {rounds}", end=end, file=sys.stderr, flush=True)
