"""The benchmarks run, and no request of ours costs more than aiobotocore's."""

from __future__ import annotations

import cProfile
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package of the benchmarks, which is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import (
        findings,
        layers,
        loops,
        measure,
        observe,
        openings,
        page,
        peers,
        processes,
        results,
        rows,
        studies,
    )

    return SimpleNamespace(
        findings=findings,
        loops=loops,
        observe=observe,
        openings=openings,
        studies=studies,
        layers=layers,
        measure=measure,
        page=page,
        peers=peers,
        processes=processes,
        results=results,
        rows=rows,
    )


def tiny(
    bench: Any, operation: str, ours: tuple[str, ...], theirs: str, requests: int
) -> dict[str, Any]:
    """What a very small benchmark of some peers against another one finds."""
    workload = bench.rows.Workload(
        "it", operation, "http", (*ours, theirs), requests=requests, rounds=5
    )
    goals = tuple(bench.rows.Goal(name, theirs, must=1, aim=1) for name in ours)
    row = bench.rows.Row(number=99, title="for a test", workloads=(workload,), goals=goals)
    return bench.measure.measure(row, bench.measure.Effort(discarded=1), "for a test")


@pytest.mark.parametrize(
    ("operation", "requests"), [("get_object", 100), ("get_item", 100), ("list_objects", 4)]
)
def test_a_request_takes_no_more_cpu_than_one_of_aiobotocore(
    bench: Any, operation: str, requests: int
) -> None:
    # The targets are far above 1, and the best rounds are those that nothing disturbed.
    result = tiny(bench, operation, ("asession", "asession-trio"), "aiobotocore", requests)
    both = list(bench.results.ratios(result))
    assert len(both) == 2
    assert all(ratio.best >= 1.0 for ratio in both), bench.results.show(result)


def test_a_result_survives_its_file_and_is_shown(bench: Any, tmp_path: Path) -> None:
    result = tiny(bench, "get_object", ("raw-transport",), "raw-aiohttp", 20)
    path = bench.results.write(result, tmp_path)
    assert json.loads(path.read_text("utf-8")) == result
    shown = bench.results.show(result)
    assert "our transport alone (asyncio)" in shown
    assert str(ROOT) not in path.read_text("utf-8") + shown
    assert all(len(values) == 5 for values in result["workloads"][0]["cpu_us"].values())


def test_the_server_answers_over_tls(bench: Any, tmp_path: Path) -> None:
    peers = ("asession-trio", "raw-transport")
    with bench.processes.serving(tmp_path) as server:
        for operation in ("get_object", "put_object"):
            target = server.target(operation, "https", 2)
            with bench.processes.working(peers, target, tmp_path) as workers:
                for worker in workers.values():
                    # A worker checks every answer that it gets.
                    assert "versions" in worker.hear()
                    assert worker.ask({"requests": 4})["cpu"] > 0
        assert server.cpu() > 0


def test_a_worker_profiles_its_requests(bench: Any, tmp_path: Path) -> None:
    with bench.processes.serving(tmp_path) as server:
        target = server.target("get_object", "http", 2)
        with bench.processes.working(("asession",), target, tmp_path) as workers:
            workers["asession"].hear()
            layers = workers["asession"].ask({"profile": 20})["layers"]
    # A file that has no layer would count for its callers, and the client's call would be all.
    assert {"transport", "signing", "parsing", "events", "endpoint", "user agent"} <= set(layers)
    assert layers["the client's call"] < sum(layers.values()) / 2


def test_a_worker_that_fails_is_noticed(bench: Any, tmp_path: Path) -> None:
    # Nobody listens on the port of the target.
    target = bench.peers.Target("get_object", "http://127.0.0.1:9", None, 1)
    with bench.processes.working(("raw-aiohttp",), target, tmp_path) as workers:
        with pytest.raises(RuntimeError, match=r"benchmarks\.worker ended early"):
            workers["raw-aiohttp"].hear()


def test_every_row_is_about_known_peers_that_can_be_compared(bench: Any) -> None:
    rows = bench.rows.all_rows()
    assert {row.number for row in rows.values()} >= set(range(1, 14))
    for name, row in rows.items():
        assert name.startswith(row.name)
        if isinstance(row, bench.studies.Study):
            check_study(bench, row)
            continue
        for workload in row.workloads:
            assert set(workload.peers) <= set(bench.peers.PEERS)
            assert workload.operation in bench.peers.OPERATIONS
        for goal in row.goals:
            assert any({goal.ours, goal.theirs} <= set(work.peers) for work in row.workloads)


def check_study(bench: Any, study: Any) -> None:
    scenes = {scene.name: scene for scene in study.scenes}
    for scene in study.scenes:
        assert set(scene.peers) <= set(bench.openings.OPENINGS) == set(bench.openings.IMPORTS)
        assert set(scene.shown) <= set(bench.studies.FIGURES)
    for mark in study.marks:
        assert mark.figure in scenes[mark.scene].shown
        assert {mark.ours, mark.theirs or mark.ours} <= set(scenes[mark.scene].peers)
    for name, peers in study.profiled.items():
        assert set(peers) <= set(scenes[name].peers)


@pytest.mark.parametrize(
    ("kind", "service", "figures"),
    [
        ("warm", "s3", {"cpu", "wall", "stall", "idle", "collector"}),
        ("crowd", "s3", {"cpu", "wall", "stall", "idle", "collector"}),
        ("first", "sqs", {"cpu", "wall", "stall", "idle", "collector"}),
        ("imports", "sqs", {"cpu", "wall", "stall", "idle", "collector"}),
        ("held", "sqs", {"rss", "rss-left", "traced", "traced-left"}),
        ("module", "", {"cpu", "wall"}),
        ("transfer", "downs", {"cpu", "wall", "rate", "stall", "held", "rss"}),
    ],
)
def test_a_study_finds_every_figure_and_is_shown(
    bench: Any, tmp_path: Path, kind: str, service: str, figures: set[str]
) -> None:
    # Processes cost half a second each: one peer, where each round is a new one.
    peers = ("asession", "asession-trio") if kind in ("warm", "crowd") else ("asession",)
    shown = tuple(name for name in bench.studies.FIGURES if name in figures)
    scene = bench.studies.Scene("it", kind, service, peers, times=2, rounds=2, shown=shown)
    theirs = peers[1] if len(peers) > 1 else None
    mark = bench.studies.Mark("it", shown[0], "asession", 1, 2, theirs)
    profiled = {"it": ("asession",)} if kind in ("warm", "first") else {}
    study = bench.studies.Study(99, "for a test", (scene,), (mark,), profiled)
    result = bench.observe.observe(study, bench.measure.Effort(discarded=0), "for a test")
    path = bench.results.write(result, tmp_path)
    assert json.loads(path.read_text("utf-8")) == result
    found = result["scenes"][0]["figures"]
    assert set(found) == figures
    assert all(len(values) == 2 for by_peer in found.values() for values in by_peer.values())
    assert "asession" in bench.findings.show_study(result)
    page = (
        "<!-- begin row99 -->\n<!-- end row99 -->\n<!-- begin findings -->\n<!-- end findings -->"
    )
    rendered = bench.page.rendered(page, tmp_path)
    assert f"| {bench.findings.label_of('asession', kind)} |" in rendered
    assert str(ROOT) not in path.read_text("utf-8") + rendered
    if profiled:
        assert result["profiles"]["it"]["asession"]["calls"] > 0


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_the_ticker_notices_how_long_a_loop_was_held_up(bench: Any, loop: str) -> None:
    found: dict[str, float] = {}

    async def block() -> None:
        time.sleep(0.1)

    async def main(chosen: Any) -> None:
        await bench.loops.Ticker(chosen).during(block, found, "stall")

    bench.loops.run(loop, main)
    assert found["stall"] > 0.08


def test_the_readme_shows_the_figures_of_the_results(bench: Any) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert bench.page.with_figures(readme, bench.results.RESULTS) == readme


def test_the_page_shows_the_figures_of_the_results(bench: Any) -> None:
    page = bench.page.PAGE.read_text("utf-8")
    assert bench.page.rendered(page, bench.results.RESULTS) == page


def test_a_profile_loses_no_time(bench: Any) -> None:
    profile = cProfile.Profile()
    profile.enable()
    bench.layers.layer_of("x" * 1000)
    json.dumps(json.loads("[" + "1," * 10_000 + "1]"))
    profile.disable()
    found = bench.layers.by_layer(profile, requests=1)
    own = sum(entry.inlinetime for entry in profile.getstats()) * 1e6
    assert sum(found["layers"].values()) == pytest.approx(own, rel=0.01)


def test_c_functions_count_for_the_layer_that_calls_them(bench: Any) -> None:
    signing = ("botocore/auth.py", 1, "sign")
    encode = ("json/encoder.py", 1, "encode")
    builtin = ("~", 0, "<built-in>")
    once = (1, 1, 1.0, 1.0)
    stats = {
        signing: (*once, {}),
        encode: (*once, {signing: once}),
        builtin: (*once, {encode: once}),
    }
    assert bench.layers.shares_of(stats)[builtin] == {"signing": 1.0}


def test_the_page_shows_what_the_files_of_results_say(bench: Any) -> None:
    page = bench.page.PAGE.read_text("utf-8")
    assert bench.page.rendered(page, bench.results.RESULTS) == page
    for name in ("ratios", "stalls", "made", *(row.name for row in bench.rows.all_rows().values())):
        assert f"<!-- begin {name} -->" in page
