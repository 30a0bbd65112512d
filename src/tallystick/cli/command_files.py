"""A command is read as a person wrote it, in any spacing, and refused at the desk with the field that is wrong.

What is read here isn't signed: canonical JSON is made of it, and the closed list of commands decides what may be in it.
"""

import json
from typing import Any, Final

from tallystick.errors import CanonicalJsonError
from tallystick.field_faults import shown
from tallystick.vouchers.entry import ENTRY_SIZE_MAX
from tallystick.vouchers.fields import LINES_MAX
from tallystick.vouchers.quantities import INTEGER_MAX, format_instant

_DIGITS_MAX: Final = 100
_PLACE_MAX: Final = 100
_ANSWER_SIZE_LEAST: Final = 4  # bytes that an entry has beside a line: what it costs, and whom
_ANSWER_SIZE: Final = 24
_SIGNED_SIZE: Final = 200  # bytes of a header and of one signature


def read_fields(data: bytes, at: int) -> dict[str, Any]:
    """Return a command's fields from JSON in any spacing, `signed_at` filled in."""
    if not data.strip():
        raise CanonicalJsonError("the file is empty: it should hold one JSON object, or a note")
    try:
        value = json.loads(data, object_pairs_hook=_without_repetition, parse_int=_integer)
    except RecursionError:
        raise CanonicalJsonError("JSON nested too deeply") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CanonicalJsonError(f"not JSON, and not a note: {error}") from None
    if not isinstance(value, dict):
        raise CanonicalJsonError("a command is one JSON object")
    _check_values(value)
    fields = {"signed_at": format_instant(at)} | value
    check_length(fields)
    return fields


def _check_values(value: dict[str, Any]) -> None:
    """Refuse what no command can hold, with the field's name: canonical JSON would refuse it without."""
    todo: list[tuple[str, Any]] = list(value.items())
    while todo:
        place, item = todo.pop()
        if isinstance(item, dict):
            todo.extend((f"{place}.{name}", inner) for name, inner in item.items())
        elif isinstance(item, list):
            todo.extend((f"{place}.{number}", inner) for number, inner in enumerate(item))
        elif item is None or isinstance(item, float):
            given = "null" if item is None else f"a number with a fraction ({item})"
            raise _wrong(place, f"must be text, an integer, true or false, a list or an object, not {given}")
        elif isinstance(item, int) and abs(item) > INTEGER_MAX:
            raise _wrong(place, f"must lie within {INTEGER_MAX:,} and its negative, not {shown(item)}")


def _wrong(place: str, trouble: str) -> CanonicalJsonError:
    return CanonicalJsonError(f"{ascii(place)[1:-1][:_PLACE_MAX]}: {trouble}")


def _integer(digits: str) -> int:
    """Refuse what no integer of a command can be, before Python refuses to read it."""
    if len(digits) > _DIGITS_MAX:
        raise CanonicalJsonError(f"an integer of {len(digits):,} digits is far beyond 9,007,199,254,740,991")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a field given twice: the signer would see one value and the log another."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise CanonicalJsonError("a field is given twice")
    return value


def check_length(fields: dict[str, Any]) -> None:
    """Say of a statement that can't be an entry how many of its lines can.

    Raises:
        CanonicalJsonError: it is too long.
    """
    lines = _lines_of(fields)
    if lines < 2:
        return
    size = len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if size + lines * _ANSWER_SIZE_LEAST + _SIGNED_SIZE <= ENTRY_SIZE_MAX:
        return
    fitting = min(ENTRY_SIZE_MAX * lines // (size + lines * _ANSWER_SIZE), LINES_MAX)
    raise CanonicalJsonError(
        f"a statement of {lines:,} lines is longer than the {ENTRY_SIZE_MAX:,} bytes of an entry: split it into "
        f"statements of about {max(1, fitting // 10 * 10 or fitting):,} lines, each with a ref of its own"
    )


def _lines_of(fields: dict[str, Any]) -> int:
    """Return how many lines a statement has in all its groups; 0 of anything else."""
    groups = fields.get("groups")
    lines = [group.get("lines") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    return sum(len(some) for some in lines if isinstance(some, list))
