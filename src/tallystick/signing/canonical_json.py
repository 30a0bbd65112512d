"""Every value has exactly one byte string, and no other bytes are read as that value.

The form is RFC 8785 (JCS), restricted so that every language reads the same value: strings, integers within
±(2^53 - 1), booleans, arrays, and objects whose field names are ASCII. No null, no fractions, no exponents. ASCII names
are why sorting by bytes is enough: RFC 8785 section 3.2.3 sorts by UTF-16 units, which differs only beyond ASCII.

`decode` limits the size, parses, checks the kinds of values, encodes again and compares. The comparison alone refuses
blanks, unsorted or repeated field names, needless escapes, `-0` and every other second encoding.

It knows no schema and no newline: the newline after a command belongs to the note's text.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final, TypeAlias, cast

import orjson

from tallystick.errors import CanonicalJsonError

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue]"

SIZE_MAX: Final = 65_535  # what an entry of a tile bundle can carry
DEPTH_MAX: Final = 16  # objects and arrays inside one another; far below any parser's own limit

_SCALARS: Final = frozenset({str, int, bool})
_KINDS: Final = _SCALARS | {list, dict}
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def encode(value: JsonValue) -> bytes:
    """Return the canonical bytes of a value, without a newline.

    Raises:
        CanonicalJsonError: the value has null, a fraction, an integer beyond ±(2^53 - 1), a field name beyond ASCII,
            text that isn't Unicode, any other type, or is nested deeper than `DEPTH_MAX`.
    """
    if not _is_of_kinds([value], DEPTH_MAX + 1):
        _check_kinds(value)
    data = _dump(value)
    if not data.isascii():
        _check_field_names(value)
    return data


def decode(data: bytes, *, size_max: int = SIZE_MAX) -> JsonValue:
    """Return the value of canonical bytes.

    Raises:
        CanonicalJsonError: longer than `size_max` bytes, not JSON, a value that `encode` refuses, or another encoding
            than its own canonical one.
    """
    if len(data) > size_max:
        raise CanonicalJsonError(f"JSON of {len(data)} bytes is larger than {size_max}")
    try:
        value = cast("JsonValue", orjson.loads(data))
    except orjson.JSONDecodeError as error:
        raise CanonicalJsonError(f"not JSON: {error.msg}") from None
    # Floats must go before the comparison: numbers beyond 64 bits are parsed as floats, and 1.5 is its own re-encoding.
    if not _is_of_kinds([value], DEPTH_MAX + 1):
        _check_kinds(value)
    canonical = _dump(value)
    if canonical != data:
        raise CanonicalJsonError(f"not canonical JSON from byte {_first_difference(canonical, data)} on (RFC 8785)")
    if not data.isascii():  # the canonical form escapes no letter, so ASCII bytes can't hide another name
        _check_field_names(value)
    return value


def _dump(value: JsonValue) -> bytes:
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        raise CanonicalJsonError(f"has no canonical JSON: {error}") from None


def _is_of_kinds(members: Iterable[Any], depth: int) -> bool:
    """Return whether all members are of the restricted kinds, and have at most so many levels; if not, see below."""
    if not depth:
        return False
    for one in members:
        kind = type(one)
        if kind is str or kind is int or kind is bool:
            continue
        if kind is dict:
            one = one.values()  # noqa: PLW2901 - what is in it
        elif kind is not list:
            return False
        if not _is_of_kinds(one, depth - 1):
            return False
    return True


def _check_kinds(value: JsonValue) -> None:
    """Refuse what isn't of the restricted kinds, one level after the other: of several faults the outermost is named.

    Raises:
        CanonicalJsonError: as `encode`, of what isn't of these kinds, or nested too deep.
    """
    level: list[JsonValue] = [value]
    for _ in range(DEPTH_MAX + 1):
        kinds = set(map(type, level))
        if not kinds <= _KINDS:
            odd = next(one for one in level if type(one) not in _KINDS)
            raise CanonicalJsonError(
                f"JSON values here are text, integers, booleans, lists and objects, not {_called(odd)}"
            )
        if kinds <= _SCALARS:
            return
        inner = level if kinds == {list} else [_members(one) for one in level if type(one) not in _SCALARS]
        level = list(chain.from_iterable(cast("list[list[JsonValue]]", inner)))
    raise CanonicalJsonError(f"JSON nested deeper than {DEPTH_MAX}")


def _check_field_names(value: JsonValue) -> None:
    """Refuse field names beyond ASCII, of a value whose kinds and depth are already checked."""
    todo: list[JsonValue] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            for name in item:
                if not name.isascii():
                    raise CanonicalJsonError(f"field name {name!a} is not ASCII")
        if isinstance(item, dict | list):
            todo.extend(_members(item))


def _members(item: JsonValue) -> Iterable[JsonValue]:
    return item.values() if type(item) is dict else cast("list[JsonValue]", item)


def _called(item: object) -> str:
    return "null" if item is None else "a number with a fraction" if type(item) is float else type(item).__name__


def _first_difference(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
