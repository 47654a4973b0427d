"""The record of a package and the directories themselves say the same."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
import pytest

from asession._aws.index import Index, joined

DATA = Path(botocore.__file__).parent / "data"
BOTO3 = DATA.parent.parent / "boto3" / "data"


@pytest.fixture
def unrecorded(tmp_path):
    """The same data without the record."""
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "data").symlink_to(DATA)
    return Index(str(tmp_path / "botocore" / "data"))


def names(types):
    return {name: {v: Path(p).name for v, p in files.items()} for name, files in types.items()}


def test_the_record_says_what_is_there(unrecorded):
    recorded = Index(str(DATA))
    for service in ("s3", "ec2", "cloudfront", "sqs"):
        assert names(recorded.types(service)) == names(unrecorded.types(service))
        assert all(Path(p).exists() for f in recorded.types(service).values() for p in f.values())
    everything = {name: names(types) for name, types in recorded.services().items()}
    assert everything == {name: names(types) for name, types in unrecorded.services().items()}
    assert recorded.types("s3") == recorded.services()["s3"]


def test_no_directory_is_looked_at_for_what_is_recorded(file_watch):
    with file_watch:
        for directory in (DATA, BOTO3):
            assert Index(str(directory)).types("s3")
    scans = ("os.listdir", "os.scandir", "listdir", "scandir")
    assert [event.path for event in file_watch.events if event.call in scans] == []


def test_a_service_that_is_not_in_the_record_is_looked_for(tmp_path):
    data = tmp_path / "botocore" / "data"
    (data / "toy" / "2020-01-01").mkdir(parents=True)
    (data / "toy" / "2020-01-01" / "service-2.json").write_text(json.dumps({}))
    (data / "toy" / "notes.txt").write_text("not a version")
    record = tmp_path / f"botocore-{botocore.__version__}.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("botocore/data/game/2021-01-01/service-2.json.gz,sha256=x,1\n")
    index = Index(str(data))
    assert names(index.types("toy")) == {"service-2": {"2020-01-01": "service-2.json"}}
    assert names(index.types("game")) == {"service-2": {"2021-01-01": "service-2.json.gz"}}
    assert index.types("none") == {}
    assert Index(str(tmp_path / "nowhere")).types("toy") == {}


def test_the_first_on_the_search_path_counts(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / name / "toy" / "2020-01-01"
        folder.mkdir(parents=True)
        (folder / "service-2.json").write_text("{}")
    (tmp_path / "two" / "toy" / "2021-01-01").mkdir()
    (tmp_path / "two" / "toy" / "2021-01-01" / "service-2.json").write_text("{}")
    found = joined([Index(str(tmp_path / "one")), Index(str(tmp_path / "two"))], "toy")
    assert {v: Path(p).relative_to(tmp_path).parts[0] for v, p in found["service-2"].items()} == {
        "2020-01-01": "one",
        "2021-01-01": "two",
    }
