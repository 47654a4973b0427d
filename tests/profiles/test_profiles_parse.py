"""What one file's text means, and what is said when it means nothing."""

from __future__ import annotations

import pickle
import traceback

import botocore.exceptions
import pytest

from asession._profiles.parse import parse_ini, profile_map
from asession.exceptions import ConfigParseError

SECRET = "wJalrXUtnFEMI-not-a-real-secret"


def failure(text: str | bytes) -> ConfigParseError:
    with pytest.raises(ConfigParseError) as caught:
        parse_ini(text if isinstance(text, bytes) else text.encode(), "/x/config")
    return caught.value


def test_sections_keys_and_values_are_stripped_and_keys_are_lower_case() -> None:
    parsed = parse_ini(b"[Dev]\n  Region  =  eu-west-1 # kept  \nOUTPUT: json\n", "p")
    assert parsed == {"Dev": {"region": "eu-west-1 # kept", "output": "json"}}


def test_an_indented_block_is_a_nested_section() -> None:
    text = b"[default]\ns3 =\n  Max_Concurrency = 3\n\n  addressing_style=path\nregion = x\n"
    nested = {"Max_Concurrency": "3", "addressing_style": "path"}
    assert parse_ini(text, "p") == {"default": {"s3": nested, "region": "x"}}


def test_a_value_continued_on_an_indented_line_is_one_text() -> None:
    assert parse_ini(b"[a]\nk = one\n  two\n", "p") == {"a": {"k": "one\ntwo"}}


def test_comment_lines_are_skipped_even_inside_a_nested_section() -> None:
    text = b"; c\n[a]\n# c\ns3 =\n  # c\n  x = 1\n"
    assert parse_ini(text, "p") == {"a": {"s3": {"x": "1"}}}


def test_keys_of_the_default_section_of_ini_files_are_in_every_section() -> None:
    text = b"[DEFAULT]\nregion = x\n[a]\n[b]\nregion = y\n"
    assert parse_ini(text, "p") == {"a": {"region": "x"}, "b": {"region": "y"}}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_line_end_is_read(end: bytes) -> None:
    text = end.join([b"[a]", b"s3 =", b"  x = 1", b"k = v", b""])
    assert parse_ini(text, "p") == {"a": {"s3": {"x": "1"}, "k": "v"}}


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_ini(b"\xef\xbb\xbf[a]\nk = v\n", "p") == {"a": {"k": "v"}}


def test_an_empty_file_has_no_sections() -> None:
    assert parse_ini(b"", "p") == {}
    assert profile_map({}) == {"profiles": {}, "sso_sessions": {}, "services": {}}


def test_headings_are_sorted_into_tables() -> None:
    text = b"""
[default]
region = 0
[profile dev]
region = 1
[profile "my dev"]
region = 2
[profile my other]
region = dropped: two names
[profile 'unclosed]
region = dropped: no end of the quote
[sso-session corp]
sso_region = 3
[services local]
s3 =
  endpoint_url = http://127.0.0.1:1
[preview]
x = 4
"""
    assert profile_map(parse_ini(text, "p")) == {
        "profiles": {
            "default": {"region": "0"},
            "dev": {"region": "1"},
            "my dev": {"region": "2"},
        },
        "sso_sessions": {"corp": {"sso_region": "3"}},
        "services": {"local": {"s3": {"endpoint_url": "http://127.0.0.1:1"}}},
        "preview": {"x": "4"},
    }


def test_the_profile_map_is_a_copy_down_to_the_nested_sections() -> None:
    sections = parse_ini(b"[default]\ns3 =\n  a = 1\n", "p")
    profile_map(sections)["profiles"]["default"]["s3"]["a"] = "changed"
    assert sections == {"default": {"s3": {"a": "1"}}}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (f"# fine\n\n[a]\nk = v\n{SECRET}\n", 5, "neither a [section]"),
        (f"[a]\r\n{SECRET}\r\nk = v\r\n", 2, "neither a [section]"),
        (f"[a]\r{SECRET}\r", 2, "neither a [section]"),
        (f"[a]\n= {SECRET}\n", 2, "neither a [section]"),
        (f"\nkey = {SECRET}\n[a]\n", 2, "before the first [section]"),
        (f"\ufeff\nkey = {SECRET}\n[a]\n", 2, "before the first [section]"),
        (f"[a]\nk = {SECRET}\n[b]\n\n[a]\n", 5, "[a] is there twice"),
        (f"[a]\nk = v\n# c\nK = {SECRET}\n", 4, "'k' is in the section [a] twice"),
        (f"[a]\ns3 =\n  x = 1\n\n  # c\n  {SECRET}\n  y = 1\n", 6, "indented line is not"),
        (f"[a]\ns3 =\n  x = 1\n[b]\ns3 =\n  x = 1\n  {SECRET}\n", 7, "indented line is not"),
        (f"[DEFAULT]\ns3 =\n  {SECRET}\n[a]\nk = v\n", 3, "indented line is not"),
        (f"[DEFAULT]\nx =\n  {SECRET}\n[a]\nx = 1\ny =\n  {SECRET}\n", 7, "indented line"),
        (f"[a]\ns3 =\n  x = 1\x0c  {SECRET}\n", 3, "indented line is not"),
    ],
)
def test_an_error_tells_file_and_line_but_not_what_the_file_holds(
    text: str, line: int, says: str
) -> None:
    error = failure(text)
    assert (error.path, error.line) == ("/x/config", line)
    assert says in str(error)
    assert f"/x/config, line {line}:" in str(error)
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(pickle.dumps(error))
    assert SECRET.lower() not in told.lower()
    # configparser's own errors quote the line: none may hang on to this one.
    assert (error.__context__, error.__cause__) == (None, None)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_invalid_utf8_is_reported_with_its_line(end: bytes) -> None:
    error = failure(end.join([b"[a]", b"k = \xc3\xa9", b"n = caf\xe9 " + SECRET.encode(), b""]))
    assert (error.line, error.error) == (3, "the line is not valid UTF-8")
    assert error.__context__ is None


def test_invalid_utf8_after_a_byte_order_mark_is_reported_with_its_line() -> None:
    assert failure(b"\xef\xbb\xbf[a]\n\xff\n").line == 2


def test_the_error_is_also_botocores() -> None:
    assert isinstance(failure("x"), botocore.exceptions.ConfigParseError)
