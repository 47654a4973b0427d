"""The response parser: what is allowed, what is refused, and nothing else ever happens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asession._http.errors import ConnectionClosed, HttpError, ProtocolError
from asession._http.limits import MAX_HEAD
from asession._http.wire import ResponseParser

SEEDS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-a: b\r\n\r\nhello",
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;ext=1\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n"
    ),
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes",
]


def parse(data: bytes, method: str = "GET", step: int = 1 << 20) -> tuple[ResponseParser, bytes]:
    parser = ResponseParser(method)
    body = b""
    for start in range(0, len(data), step):
        body += b"".join(parser.feed(data[start : start + step]))
    return parser, body


def feed_for_ever(parser: ResponseParser, piece: bytes) -> None:
    for _ in range(MAX_HEAD // len(piece) + 2):
        parser.feed(piece)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["change", "insert", "cut", "repeat"])):
            case "change" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "insert":
                data[at:at] = draw(st.binary(max_size=6) | st.sampled_from([b"\r\n", b"\0", b":"]))
            case "cut":
                del data[at : at + draw(st.integers(1, 9))]
            case _:
                data[at:at] = data[: draw(st.integers(0, len(data)))]
    return bytes(data)


@settings(max_examples=300, deadline=None)
@given(data=mutated(), method=st.sampled_from(["GET", "HEAD", "PUT"]), step=st.integers(1, 64))
def test_mutated_bytes_are_a_response_or_an_error_of_ours(
    data: bytes, method: str, step: int
) -> None:
    try:
        parser, body = parse(data, method, step)
        parser.end()
    except HttpError:
        return
    assert parser.complete
    assert 200 <= parser.status <= 999
    assert parser.length is None or not parser.keeps_alive or len(body) <= parser.length
    assert body == b"" or method != "HEAD"


@settings(max_examples=100, deadline=None)
@given(seed=st.sampled_from(SEEDS[:5]), step=st.integers(1, 40))
def test_pieces_of_any_size_make_the_same_response(seed: bytes, step: int) -> None:
    whole, body = parse(seed)
    parts, same = parse(seed, step=step)
    assert (parts.status, parts.headers, same) == (whole.status, whole.headers, body)
    assert (parts.complete, parts.keeps_alive) == (whole.complete, whole.keeps_alive)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 5x\r\n",
        b"bad name: x\r\n",
        b"x: a\x00b\r\n",
    ],
)
def test_ambiguous_heads_are_refused(head: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nhello")


def test_a_second_response_is_never_part_of_the_first() -> None:
    second = b"HTTP/1.1 500 Bad\r\nContent-Length: 3\r\nx-evil: 1\r\n\r\nbad"
    parser, body = parse(SEEDS[0] + second)
    assert (parser.status, body) == (200, b"hello")
    assert all(name != "x-evil" for name, _ in parser.headers)
    assert parser.complete
    assert not parser.keeps_alive


@pytest.mark.parametrize("status", [204, 304])
def test_no_body_is_awaited_after_a_status_that_has_none(status: int) -> None:
    parser, body = parse(b"HTTP/1.1 %d X\r\nContent-Length: 10\r\n\r\n" % status)
    assert parser.complete
    assert body == b""


def test_the_answer_to_head_has_no_body_whatever_it_says() -> None:
    parser, body = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "HEAD")
    assert (parser.complete, parser.keeps_alive, body) == (True, True, b"")


@pytest.mark.parametrize(
    "endless",
    [
        b"x-a: " + b"y" * 4000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_a_head_that_does_not_end_is_refused(endless: bytes) -> None:
    parser = ResponseParser("GET")
    if endless.startswith(b"x"):
        parser.feed(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(ProtocolError):
        feed_for_ever(parser, endless)


@pytest.mark.parametrize("piece", [b"e" * 4000, b""])
def test_trailers_and_chunk_extensions_that_do_not_end_are_refused(piece: bytes) -> None:
    parser = ResponseParser("GET")
    parser.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    parser.feed(b"5;" if piece else b"0\r\n")
    with pytest.raises(ProtocolError):
        feed_for_ever(parser, piece or b"x-trailer: " + b"t" * 4000 + b"\r\n")


@pytest.mark.parametrize("seed", [SEEDS[0][:-2], SEEDS[1][:-2], SEEDS[1][:60], SEEDS[0][:10], b""])
def test_an_early_end_is_an_error(seed: bytes) -> None:
    parser, _ = parse(seed)
    with pytest.raises(ConnectionClosed) as caught:
        parser.end()
    assert caught.value.answered == bool(seed)
