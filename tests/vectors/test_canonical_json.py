"""RFC 8785's own samples give its bytes, and every second encoding is refused. Sources: PROVENANCE.md."""

import json
from typing import Any

import pytest

from tallystick.errors import CanonicalJsonError
from tallystick.signing.canonical_json import DEPTH_MAX, decode, encode

INTEGER_MAX = 2**53 - 1


def nested(depth: int) -> Any:
    value: Any = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


CANONICAL = {
    # RFC 8785 section 3.2.4 gives these bytes in hex.
    "RFC 8785 sample string": (
        '€$\u000f\nA\'B"\\\\"/',
        bytes.fromhex("22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f22"),
    ),
    "short escapes": ("\b\t\n\f\r", rb'"\b\t\n\f\r"'),
    "long escapes": ("\x00\x0b\x1f", rb'"\u0000\u000b\u001f"'),
    "no other escapes": ("/\x7f\u2028<'>", '"/\x7f\u2028<\'>"'.encode()),
    "largest": (INTEGER_MAX, b"9007199254740991"),
    "smallest": (-INTEGER_MAX, b"-9007199254740991"),
    "zero": (0, b"0"),
    "booleans apart from integers": ([True, 1, False, 0], b"[true,1,false,0]"),
    "names sorted by code": (
        {"b": 1, "a": 2, "A": 3, "aa": 4, "": 5, "_": 6, "1": 7, "10": 8, "2": 9},
        b'{"":5,"1":7,"10":8,"2":9,"A":3,"_":6,"a":2,"aa":4,"b":1}',
    ),
    "lists keep their order": ([3, 1, 2, [], {}], b"[3,1,2,[],{}]"),
    "texts beyond ASCII as they are": ({"name": "上海 🧮"}, '{"name":"上海 🧮"}'.encode()),
    "as deep as allowed": (nested(DEPTH_MAX), json.dumps(nested(DEPTH_MAX), separators=(",", ":")).encode()),
}


@pytest.mark.parametrize(("value", "data"), CANONICAL.values(), ids=CANONICAL.keys())
def test_both_directions(value: Any, data: bytes) -> None:
    assert encode(value) == data
    read = decode(data)
    assert read == value
    assert json.dumps(read) == json.dumps(value, sort_keys=True)  # tells True from 1


SPELLINGS = {
    "empty": b"",
    "blank before": b' {"a":1}',
    "blank after": b'{"a":1} ',
    "newline after": b'{"a":1}\n',
    "blank inside": b'{"a": 1}',
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "unsorted names": b'{"b":1,"a":2}',
    "a name twice": b'{"a":1,"a":1}',
    "a name twice, in another encoding": b'{"a":1,"\\u0061":1}',
    "needless escape": b'"\\u0041"',
    "escaped slash": b'"\\/"',
    "upper-case hex": b'"\\u000F"',
    "long escape of a newline": b'"\\u000a"',
    "raw control character": b'"\x01"',
    "escaped letter beyond ASCII": b'"\\u00e9"',
    "surrogate pair in escapes": b'"\\ud83e\\uddee"',
    "lone surrogate": b'"\\ud800"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "not UTF-8": b'"\xff"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "minus zero": b"-0",
    "plus": b"+1",
    "leading zero": b"01",
    "leading zeros after a minus": b"-01",
    "fraction": b"1.5",
    "fraction of zero": b"1.0",
    "exponent": b"1e3",
    "hex": b"0x10",
    "too large": b"9007199254740992",
    "too small": b"-9007199254740992",
    "beyond 64 bits": b"18446744073709551616",
    "below 64 bits": b"-9223372036854775809",
    "enormous": b"1" * 5_000,
    "null": b"null",
    "null inside": b'{"a":[null]}',
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "single quotes": b"{'a':1}",
    "trailing comma": b"[1,]",
    "comment": b"[1/*one*/]",
    "two values": b"1 2",
    "cut": b'{"a":',
    "name beyond ASCII": '{"é":1}'.encode(),
    "name beyond ASCII, deep": '[{"a":{"é":1}}]'.encode(),
    "one level too deep": b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
    "far too deep": b"[" * 30_000 + b"]" * 30_000,
    "far too deep and unclosed": b"[" * 60_000,
}


@pytest.mark.parametrize("data", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_another_encoding_is_refused(data: bytes) -> None:
    with pytest.raises(CanonicalJsonError) as caught:
        decode(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


VALUES = {
    "null": None,
    "null inside": {"a": [None]},
    "float": 1.5,
    "whole float": 2.0,
    "not a number": float("nan"),
    "too large": INTEGER_MAX + 1,
    "too small": [-INTEGER_MAX - 1],
    "enormous": 10**400,
    "bytes": b"a",
    "tuple": (1, 2),
    "set": {1},
    "number as a name": {1: 2},
    "name beyond ASCII": {"é": 1},
    "lone surrogate": "\ud800",
    "lone surrogate in a name": {"\udfff": 1},
    "object": object(),
    "one level too deep": nested(DEPTH_MAX + 1),
    "far too deep": nested(100_000),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_another_value_has_no_bytes(value: Any) -> None:
    with pytest.raises(CanonicalJsonError):
        encode(value)


def test_subclasses_are_other_types() -> None:
    """An enumeration's member must be spelled out: its text is its owner's to change."""
    from enum import IntEnum, StrEnum

    class Colour(StrEnum):
        RED = "red"

    class Level(IntEnum):
        ONE = 1

    for value in (Colour.RED, Level.ONE, [Colour.RED], {"a": Level.ONE}):
        with pytest.raises(CanonicalJsonError):
            encode(value)  # type: ignore[arg-type]


def test_the_size_limit_comes_first() -> None:
    data = encode("a" * 10)
    assert decode(data, size_max=len(data)) == "a" * 10
    with pytest.raises(CanonicalJsonError, match="larger than 11"):
        decode(data, size_max=11)
    with pytest.raises(CanonicalJsonError, match="larger than 65535"):
        decode(b"[" * 65_536)


def test_the_place_of_the_difference_is_named() -> None:
    with pytest.raises(CanonicalJsonError, match="from byte 5 on"):
        decode(b'{"a": 1}')


def test_the_smaller_of_two_names_wins_nothing() -> None:
    """A parser that keeps the first and one that keeps the last would read different amounts."""
    for data in (b'{"fen":1,"fen":9}', b'{"fen":9,"fen":1}'):
        with pytest.raises(CanonicalJsonError):
            decode(data)
