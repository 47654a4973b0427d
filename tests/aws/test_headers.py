"""Our headers behave as botocore's, whatever is done with them."""

from __future__ import annotations

from email.header import Header

import pytest
from botocore.awsrequest import HeadersDict
from botocore.compat import HTTPHeaders
from hypothesis import given
from hypothesis import strategies as st

from asession._aws.headers import Headers, RequestHeaders

NAMES = st.sampled_from(["Host", "host", "X-Amz-Date", "x-amz-date", "ETag", "etag", "A"])
VALUES = st.sampled_from(["", "1", "b", "ä"]) | st.binary(max_size=2)
STEPS = st.lists(st.tuples(st.sampled_from(["set", "delete", "default"]), NAMES, VALUES))


def outcome(function):
    try:
        return function()
    except KeyError as error:
        return type(error)


def seen(headers):
    names = ["host", "HOST", "x-amz-date", "ETag", "a", "absent"]
    return (
        list(headers),
        list(headers.items()),
        list(headers.values()),
        len(headers),
        bool(headers),
        [name in headers for name in names],
        [headers.get(name, "none") for name in names],
        [outcome(lambda name=name: headers[name]) for name in names],
        dict(headers),
    )


@given(STEPS)
def test_headers_are_those_of_botocore(steps):
    theirs, ours = HeadersDict(), Headers()
    for step, name, value in steps:
        found = []
        for headers in (theirs, ours):
            if step == "set":
                headers[name] = value
                found.append(None)
            elif step == "delete":
                found.append(outcome(lambda headers=headers, name=name: headers.__delitem__(name)))
            else:
                found.append(headers.setdefault(name, value))
        assert found[0] == found[1]
        assert seen(theirs) == seen(ours)
    assert theirs == ours
    assert seen(theirs.copy()) == seen(ours.copy())
    copied = ours.copy()
    copied["new"] = "1"
    assert "new" not in ours
    assert repr(ours) == repr(theirs)


def test_headers_are_made_as_botocores():
    for given_ in ((), ({"A": "1", "a": "2"},), ([("b", "1"), ("B", "2")],)):
        assert seen(HeadersDict(*given_, c="3")) == seen(Headers(*given_, c="3"))
    assert isinstance(Headers(), HeadersDict)


def test_headers_of_a_response_are_joined():
    headers = Headers.of_response([("a", "1"), ("b", "2"), ("a", "3")])
    assert list(headers.items()) == [("a", "1, 3"), ("b", "2")]


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_request_headers_are_those_of_botocore(pairs):
    theirs, ours = HTTPHeaders(), RequestHeaders()
    for name, value in pairs:
        theirs[name] = value
        ours[name] = value
    assert ours.items() == theirs.items()
    assert ours.keys() == theirs.keys()
    assert ours.get_all("host") == theirs.get_all("host")
    assert ours["etag"] == theirs["etag"]
    assert ("etag" in ours) == ("etag" in theirs)
    del ours["etag"]
    assert "ETag" not in ours


def test_a_value_with_surrogates_is_a_header_object_as_with_botocore():
    headers = RequestHeaders()
    headers["A"] = "\udcff"
    ((_, value),) = headers.items()
    assert isinstance(value, Header)


@pytest.mark.parametrize("encoded", [True, False])
def test_request_headers_may_be_replaced(encoded):
    headers = RequestHeaders()
    headers.encoded = encoded
    headers["A"] = "1"
    headers.replace_header("A", "2")
    headers.add_header("B", "3")
    assert headers.items() == [("A", "2"), ("B", "3")]
