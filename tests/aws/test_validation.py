"""Parameters are accepted and refused as by botocore, in its words."""

from __future__ import annotations

import datetime
import decimal
import io

import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from botocore.model import DenormalizedStructureBuilder, ServiceModel
from botocore.validate import ParamValidator

from asession import Session
from asession._aws.validation import Validator

pytestmark = pytest.mark.anyio

MODEL = ServiceModel(
    {
        "metadata": {"protocol": "json", "apiVersion": "1", "endpointPrefix": "x"},
        "operations": {},
        "shapes": {
            "Input": {
                "type": "structure",
                "required": ["Name"],
                "members": {
                    "Name": {"shape": "Name"},
                    "Any": {"shape": "String"},
                    "Count": {"shape": "Count"},
                    "Ratio": {"shape": "Ratio"},
                    "Flag": {"shape": "Flag"},
                    "Blob": {"shape": "Blob"},
                    "Time": {"shape": "Time"},
                    "Names": {"shape": "Names"},
                    "Inputs": {"shape": "Inputs"},
                    "Union": {"shape": "Union"},
                    "Document": {"shape": "Document"},
                    "Label": {"shape": "String", "hostLabel": True},
                    "Json": {"shape": "String", "jsonvalue": True, "location": "header"},
                },
            },
            "Name": {"type": "string", "min": 2},
            "String": {"type": "string"},
            "Count": {"type": "integer", "min": 0},
            "Ratio": {"type": "double", "min": 0},
            "Flag": {"type": "boolean"},
            "Blob": {"type": "blob"},
            "Time": {"type": "timestamp"},
            "Names": {"type": "list", "min": 1, "member": {"shape": "Name"}},
            "Inputs": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Input"}},
            "Union": {"type": "structure", "union": True, "members": {"A": {"shape": "String"}}},
            "Document": {"type": "structure", "document": True, "members": {}},
        },
    }
)
INPUT = MODEL.shape_for("Input")


class Text(str):
    """A text that is not quite one."""


VALUES = [
    None, "", "a", "ab", "\u00e4\u00f6", Text("ab"), 0, 1, -1, 1.5, -1.5, float("nan"), True, b"",
    b"ab", bytearray(b"a"), io.BytesIO(), [], ["ab"], ["a"], ("ab",), [None], [["ab"]], {},
    {"A": "a"}, {"A": "a", "B": "b"}, {"A": 1}, {"ab": {"Name": "ab"}}, {"a": {"Name": "ab"}},
    {"ab": {}},
    {"ab": {"Name": "ab", "Inputs": {"ab": {"Name": "a"}}}}, decimal.Decimal("1.5"), object(),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "2026-01-01", 1j,
]  # fmt: skip


@pytest.mark.parametrize("member", [*INPUT.members, "Unknown"])
def test_every_value_is_judged_as_by_botocore(member):
    ours = Validator()
    refused = 0
    for value in VALUES:
        for params in ({"Name": "ab", member: value}, {member: value}, value):
            report = ParamValidator().validate(params, INPUT)
            found = ours.validate(params, INPUT)
            assert found.has_errors() == report.has_errors(), params
            assert found.generate_report() == report.generate_report()
            refused += report.has_errors()
    assert refused


def test_what_is_right_is_not_given_to_botocore(monkeypatch):
    asked = []
    monkeypatch.setattr(ParamValidator, "_validate", lambda *args, **kwargs: asked.append(args))
    params = {
        "Name": "ab",
        "Count": 1,
        "Names": ["ab"],
        "Union": {"A": "a"},
        "Blob": b"",
        "Inputs": {"ab": {"Name": "ab", "Inputs": {"cd": {"Name": "ef"}}}},
    }
    assert not Validator().validate(params, INPUT).has_errors()
    assert not asked


def test_a_shape_is_not_kept_alive():
    validator = Validator()
    for _ in range(3):
        shape = DenormalizedStructureBuilder().with_members({"A": {"type": "string"}}).build_model()
        assert not validator.validate({"A": "a"}, shape).has_errors()
    del shape
    assert len(validator._plans) == 0


async def test_a_client_refuses_in_the_words_of_botocore():
    async with Session("AKIAX", "s", region_name="us-east-1").client("dynamodb") as dynamodb:
        with pytest.raises(ParamValidationError) as caught:
            await dynamodb.get_item(
                TableName="t", ConsistentRead="x", Key={"id": {"X": "1"}}, More=2
            )
    said = str(caught.value)
    assert "Invalid type for parameter ConsistentRead, value: x" in said
    assert 'Unknown parameter in Key.id: "X"' in said
    assert 'Unknown parameter in input: "More"' in said


async def test_validation_may_be_turned_off():
    off = Config(parameter_validation=False)
    async with Session("AKIAX", "s", region_name="us-east-1").client("sqs", config=off) as sqs:
        assert not hasattr(sqs._serializer, "_param_validator")
