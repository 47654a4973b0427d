"""Models decoded member by member are the same as models decoded whole."""

from __future__ import annotations

import copy
import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import botocore
import pytest
from botocore.loaders import create_loader

from asession._aws.models import ModelFiles
from asession._aws.sections import Section, merge, parse, parse_endpoints

DATA = Path(botocore.__file__).parent / "data"
FILES = sorted(DATA.glob("*/*/service-2.json.gz"))
# Every model under ASESSION_SOAK, else every eleventh and the large ones.
SOME = FILES if os.environ.get("ASESSION_SOAK") else FILES[::11]
LARGE = [next(DATA.glob(f"{name}/*/service-2.json.gz")) for name in ("s3", "sagemaker")]


def plain(value):
    return copy.deepcopy(value)


@pytest.mark.parametrize("path", [*SOME, *LARGE], ids=lambda path: path.parent.parent.name)
def test_a_model_of_botocore_is_cut_and_says_the_same(path):
    data = gzip.decompress(path.read_bytes())
    model, whole = parse(data), json.loads(data)
    assert {name: plain(part) for name, part in model.items()} == whole
    for name in ("operations", "shapes"):
        section = model[name]
        assert isinstance(section, Section)
        assert list(section) == list(whole[name])
        assert len(section) == len(whole[name])
        assert dict(section) == whole[name]


@pytest.mark.parametrize(
    "text",
    [
        '{"operations": {"A": {"name": "A"}}, "shapes": {}}',
        '{\n  "operations":{\n    "A":{\n"name":"A",\n    "b":{"c":1}\n    }\n  }\n}',
        '{\n  "operations":{\n    "A":{"x":1},\n    "A":{"x":2}\n  }\n}',
        '{\n  "operations":{\n    "A":["{"],\n    "B":{}\n  }\n}',
        '{\n  "operations":{\n    "a\\u0041":{}\n  }\n}',
        '{\n  "shapes":{\n    "A":{\n      "x":{\n    "y":{\n    }\n      }\n    }\n  }\n}',
        '{\n  "metadata":{\n    "shapes":{\n    "A":{}\n    }\n  }\n}',
    ],
)
def test_a_model_in_another_form_says_the_same_too(text):
    model, whole = parse(text.encode()), json.loads(text)
    assert {name: plain(part) for name, part in model.items()} == whole


def test_the_partitions_are_cut_by_service_and_say_the_same():
    data = (DATA / "endpoints.json").read_bytes()
    endpoints, whole = parse_endpoints(data), json.loads(data)
    assert all(isinstance(part["services"], Section) for part in endpoints["partitions"])
    assert plain(endpoints) == whole
    compact = json.dumps(whole).encode()
    assert parse_endpoints(compact) == whole
    assert parse_endpoints(b'{"version": 3}') == {"version": 3}


def test_what_is_not_json_is_refused():
    with pytest.raises(ValueError, match="Expecting"):
        parse(b'{\n  "operations":{\n    "A":{"x":1}\n  }\n')


def section(**members):
    lines = ",\n".join(f'    "{name}":{json.dumps(value)}' for name, value in members.items())
    return parse(f'{{\n  "shapes":{{\n{lines}\n  }}\n}}'.encode())["shapes"]


def test_a_view_shares_no_value():
    shapes = section(A={"members": {"x": 1}})
    view = shapes.view()
    view["A"]["members"]["x"] = 2
    assert shapes["A"] == {"members": {"x": 1}}
    assert view["A"] is view["A"]


def test_members_that_contain_a_text_are_found():
    shapes = section(A={"exception": True}, B={"x": 1}, C={"y": "exception", "exception": True})
    assert shapes.containing(b'"exception": true') == ["A", "C"]
    assert shapes.containing(b"nowhere") == []
    merged = shapes.merged({"B": {"exception": True}, "D": {"exception": True}})
    assert sorted(merged.containing(b'"exception"')) == ["A", "B", "C", "D"]


def test_extras_are_merged_as_botocore_merges_them():
    shapes = section(A={"members": {"x": 1}, "type": "structure"}, B={"type": "string"})
    merged = merge(
        {"metadata": {"a": 1}, "shapes": shapes},
        {"metadata": {"b": 2}, "shapes": {"A": {"members": {"y": 2}}, "C": {}}, "more": [1]},
    )
    assert {name: plain(part) for name, part in merged.items()} == {
        "metadata": {"a": 1, "b": 2},
        "shapes": {
            "A": {"members": {"x": 1, "y": 2}, "type": "structure"},
            "B": {"type": "string"},
            "C": {},
        },
        "more": [1],
    }
    assert "y" not in shapes["A"]["members"]


@pytest.mark.parametrize("name", ["s3", "rds", "secretsmanager", "dynamodb"])
@pytest.mark.parametrize("type_name", ["service-2", "paginators-1"])
def test_a_loaded_model_is_botocores(name, type_name):
    ours = ModelFiles([str(DATA)]).load_service_model(name, type_name)
    theirs = create_loader().load_service_model(name, type_name)
    assert {key: plain(part) for key, part in ours.items()} == theirs


def test_versions_and_services_are_botocores():
    ours, theirs = ModelFiles([str(DATA)]), create_loader()
    for type_name in ("service-2", "waiters-2"):
        assert ours.list_available_services(type_name) == theirs.list_available_services(type_name)
    assert ours.list_api_versions("ec2", "service-2") == theirs.list_api_versions(
        "ec2", "service-2"
    )


def test_threads_that_decode_at_once_get_one_value():
    shapes = section(**{f"S{number}": {"x": number} for number in range(200)})

    def decode(_):
        return [shapes[name] for name in shapes]

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(decode, range(8)))
    assert all(
        value is shapes[name]
        for values in results
        for name, value in zip(shapes, values, strict=True)
    )
