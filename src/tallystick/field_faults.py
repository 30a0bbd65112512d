"""What is wrong with a field is said in words: what it must be, by its bounds, and what was given, short and escaped.

Pydantic finds the faults; its own wording names Python's types and its versions' habits, and never reaches a person.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SHOWN_MAX: Final = 40  # characters, or digits
_LIST_SHOWN_MAX: Final = 300  # characters
_TYPES: Final = {
    "string": "text",
    "int": "an integer",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "model": "an object",
    "dataclass": "an object",
    "path": "a path",
}


def first_fault(
    error: ValidationError,
    patterns: Mapping[str, str] | None = None,
    value: Any = None,  # noqa: ANN401 - a JSON value
) -> str:
    """Return the first fault in one line: the field's place, a colon, and what it must be.

    Args:
        error: as pydantic raised it.
        patterns: regular expressions of the model's texts, and what they are in words.
        value: the JSON value that the fault is in, where it has unions: their tags are in pydantic's places.
    """
    fault = error.errors(include_url=False)[0]
    place = ".".join(_part(part) for part in _place(fault, value))
    if not place and fault["type"] == "union_tag_not_found":
        return "kind: is missing"
    words = fault_in_words(fault, patterns)
    return f"{place}: {words}" if place else words


def _place(fault: ErrorDetails, value: Any) -> list[int | str]:  # noqa: ANN401 - a JSON value
    """Return the fields and numbers that lead to a fault, without the tags of unions on the way."""
    if value is None:
        return [*fault["loc"]]
    place = list[int | str]()
    parts = fault["loc"][:-1] if fault["type"] == "missing" else fault["loc"]
    for part in parts:
        if part in value if isinstance(value, dict) else isinstance(part, int):
            value = value[part]
            place.append(part)
    return [*place, *fault["loc"][len(parts) :]]


def fault_in_words(fault: ErrorDetails, patterns: Mapping[str, str] | None = None) -> str:
    """Return what is wrong, without where: `must be at least 1, not 0`."""
    kind = fault["type"]
    if kind == "missing":
        return "is missing"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return "is no field here"
    if kind == "union_tag_not_found":
        return f"must be an object with a {fault['ctx']['discriminator'].strip(chr(39))}"
    if kind == "union_tag_invalid":
        return f"must have a {fault['ctx']['discriminator'].strip(chr(39))} of {fault['ctx']['expected_tags']}"
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    return f"must {_demand(fault, patterns or {})}, not {_given(fault)}"


def shown(value: object) -> str:
    """Return a value as a stranger gave it, short, and without anything that isn't printed."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):  # one of more than 4,300 digits can't even be made text
        return str(value) if abs(value) < 10**_SHOWN_MAX else f"an integer of more than {_SHOWN_MAX} digits"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return ascii(value) if len(value) <= _SHOWN_MAX else f"{value[:_SHOWN_MAX]!a}... ({len(value):,} characters)"
    if isinstance(value, list | tuple):
        return f"a list of {len(value):,}"
    return "an object"


def _demand(fault: ErrorDetails, patterns: Mapping[str, str]) -> str:
    """Return what a value must be or have."""
    kind, limits = fault["type"], fault.get("ctx", {})
    match kind:
        case "greater_than_equal":
            return f"be at least {limits['ge']:,}"
        case "greater_than":
            return f"be more than {limits['gt']:,}"
        case "less_than_equal":
            return f"be at most {limits['le']:,}"
        case "less_than":
            return f"be less than {limits['lt']:,}"
        case "too_short":
            return f"have at least {_count(limits['min_length'], 'member')}"
        case "too_long":
            return f"have at most {_count(limits['max_length'], 'member')}"
        case "string_too_short":
            return f"have at least {_count(limits['min_length'], 'character')}"
        case "string_too_long":
            return f"have at most {_count(limits['max_length'], 'character')}"
        case "string_pattern_mismatch":
            return f"be {patterns.get(limits['pattern'], 'in another form')}"
        case "literal_error" | "enum":
            expected = limits["expected"]
            return f"be {expected}" if len(expected) <= _LIST_SHOWN_MAX else "be one of a closed list"
    return f"be {_TYPES.get(kind.partition('_')[0], 'something else')}"


def _given(fault: ErrorDetails) -> str:
    value = fault["input"]
    if fault["type"] in ("too_short", "too_long") and isinstance(value, list | tuple):
        return f"{len(value):,}"
    return shown(value)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _part(part: int | str) -> str:
    name = str(part)
    return name if name.isascii() and (name.isidentifier() or name.isdecimal()) else ascii(name[:_SHOWN_MAX])
