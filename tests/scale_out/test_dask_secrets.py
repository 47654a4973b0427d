"""No secret of a session is seen in what Dask logs, names, serves and dumps."""

from __future__ import annotations

import logging
import urllib.request
from pathlib import Path

import anyio.to_thread
import pytest
from distributed import Client, LocalCluster

from asession import Credentials, Session
from asession.exceptions import ProfileNotFoundError
from scale_out import jobs
from scale_out.conftest import make_cluster

pytestmark = pytest.mark.anyio

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
SESSIONS = {
    "keys": Session("AKIDEXAMPLE", SECRET, f"token-{SECRET}"),
    "credentials": Session(credentials=Credentials("AKIDEXAMPLE", SECRET)),
    "profiles": Session(profiles={"default": {"aws_secret_access_key": SECRET}}),
    "environ": Session(environ={"AWS_SECRET_ACCESS_KEY": SECRET}),
    "role": Session("AKIDEXAMPLE", SECRET).assume_role("arn:aws:iam::123456789012:role/audit"),
}
PAGES = ("info/main/workers.html", "info/main/logs.html", "metrics")


async def test_no_secret_of_a_session_is_shown(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async with (
        make_cluster(1, silence_logs=logging.DEBUG, asynchronous=True) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        failed = {
            name: client.submit(jobs.fails_with, session) for name, session in SESSIONS.items()
        }
        shown = []
        for future in failed.values():
            with pytest.raises(ProfileNotFoundError, match=r"Session\(") as caught:
                await future
            shown += [future.key, repr(future), repr(caught.value)]
        kept = await client.scatter(list(SESSIONS.values()))
        shown += [f"{future.key} {future!r}" for future in kept]
        shown += [str(await client.get_scheduler_logs()), str(await client.get_worker_logs())]
        pages = [*PAGES, *(f"info/task/{future.key}.html" for future in failed.values())]
        for page in pages:
            shown.append(await anyio.to_thread.run_sync(page_of, cluster, page))
        await client.dump_cluster_state(str(tmp_path / "dump"), format="yaml")
        shown.append((tmp_path / "dump.yaml").read_text())
    shown += capfd.readouterr()
    assert "Compute Failed" in "".join(shown)
    for text in shown:
        assert SECRET not in text


def page_of(cluster: LocalCluster, page: str) -> str:
    url = cluster.dashboard_link.replace("status", page)
    with urllib.request.urlopen(url, timeout=20) as answer:
        text: str = answer.read().decode()
    assert text
    return text
