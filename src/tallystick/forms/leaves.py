"""What one field of a form holds: how a person writes it, how a command does, and within which bounds.

Told by the type that the rule's model gives the field, and by the unit that its name carries (`face_fen`, `share_bp`).
A value is JSON's: what the command's text has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import annotated_types
from pydantic import AfterValidator, ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from tallystick.errors import UsageError
from tallystick.field_faults import fault_in_words
from tallystick.forms import amounts, times
from tallystick.signing.algorithms import HASH_FUNCTIONS
from tallystick.vouchers.fields import IN_WORDS, KeyLabel, Origin, Vkey, must_be_true
from tallystick.vouchers.quantities import (
    DAY_US,
    INSTANT_MAX,
    INTEGER_MAX,
    SECOND_US,
    Day,
    DocumentId,
    Hash,
    Instant,
    ItemId,
    JobName,
    OwnedId,
    PartyId,
    SecondText,
    SubjectId,
    Word,
    format_day,
    format_instant,
    format_second,
    parse_day,
    parse_instant,
)

JsonScalar = str | int | bool

ENDS: Final = frozenset({"until", "valid_until", "closes_at", "to"})
"""Times before which something must lie: a day alone means its end."""
WITH_NONCE: Final = frozenset({"evidence_hash", "profile_hash"})
"""Hashes of a document and a random nonce kept beside it; of others the document alone is hashed."""
LONG_TEXT: Final = 1_000
"""A text that may have more characters has several lines, and comes from a file."""
_SUFFIXES: Final = ("_fen", "_bp", "_seconds", "_hash")
_METAVARS: Final = {
    get_args(alias)[1].pattern: metavar
    for alias, metavar in (
        (PartyId, "PARTY"), (OwnedId, "ID"), (SubjectId, "ID"), (ItemId, "ITEM"), (DocumentId, "REF"), (JobName, "JOB"),
        (Word, "WORD"), (Vkey, "VKEY"), (KeyLabel, "KEY"), (Origin, "ORIGIN"),
    )
}  # fmt: skip
_MEASURES: Final = ("YUAN", "PERCENT", "GPUS", "DURATION", "OFFSET", "NUMBER")
_NAMES: Final = {"gpu_milli": "gpus", "seconds": "duration", "profile_hash": "profile_hash"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the words of a form depend on.

    Attributes:
        zone: the network's offset from UTC in seconds.
        hash_of: returns the hash of a file, and if that is asked for of a nonce after it; raises OSError.
        text_of: returns a file's text; raises OSError.
    """

    zone: int
    hash_of: Callable[[str, bool], str] | None = None
    text_of: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Leaf:
    """One value of a form.

    Attributes:
        metavar: what `--help` shows for it.
        in_words: what it must be.
        read: returns the JSON value of what a person wrote; raises ValueError, or OSError of a file.
        write: returns what a person writes for a JSON value.
        type_: the model's, with its bounds.
        choices: the values, of a closed list.
        is_flag: true, or left out.
    """

    metavar: str
    in_words: str
    read: Callable[[str, Surroundings], JsonScalar]
    write: Callable[[Any, Surroundings], str]
    type_: Any
    choices: tuple[str, ...] = ()
    is_flag: bool = False

    def checked(self, text: str, surroundings: Surroundings) -> JsonScalar:
        """Return the JSON value of what a person wrote, within its bounds; ValueError of another."""
        try:
            value = self.read(text, surroundings)
        except UsageError as error:
            raise ValueError(str(error)) from None
        try:
            self._adapter.validate_python(value)
        except ValidationError as error:
            raise ValueError(self.fault(error)) from None
        return value

    def fault(self, error: ValidationError) -> str:
        """Return what is wrong in words, bounds and value as a person writes them."""
        fault = error.errors(include_url=False)[0]
        limits = fault.get("ctx", {})
        if isinstance(fault["input"], int):
            given = self.write(fault["input"], Surroundings(0))
            for limit, words in (("ge", "at least"), ("le", "at most"), ("lt", "less than")):
                if limit in limits:
                    return f"must be {words} {self.write(limits[limit], Surroundings(0))}, not {given}"
        return fault_in_words(fault, IN_WORDS)

    @property
    def is_measured(self) -> bool:
        """Whether its bounds say more than what it is called: of ids, texts and closed lists they don't."""
        return not self.choices and self.metavar in ("TIME", "FILE|HASH", *_MEASURES)

    @cached_property
    def bounds(self) -> str:
        """What it must be, and from where to where, as a person writes it."""
        low, high = self.limits
        here = Surroundings(0)
        if low is None and high is None:
            return self.in_words
        if high is None:
            return f"{self.in_words}, from {self.write(low, here)}"
        return f"{self.in_words}, {self.write(low, here)} to {self.write(high, here)}"

    @cached_property
    def limits(self) -> tuple[int | None, int | None]:
        """The least and the most of a number."""
        return _limits(self.type_)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.type_, config=ConfigDict(strict=True))


def leaf_of(name: str, type_: Any) -> Leaf | None:  # noqa: ANN401 - a type, or what typing makes of one
    """Return the leaf that a field of this name and type is; None if it holds an object or a list.

    Args:
        name: the field's in the command's text, with its unit.
        type_: as the model has it, without None.
    """
    core, notes = core_and_notes(type_)
    if get_origin(core) is Literal:
        choices = tuple([str(value) for value in get_args(core)])
        return Leaf("|".join(choices), f"one of {', '.join(choices)}", _choice(choices), _same, type_, choices)
    if core is bool:
        return _flag(type_) if _has_validator(notes, must_be_true) else _yes_or_no(type_)
    if core is int:
        return _of_number(name, type_, notes)
    if core is str:
        return _of_text(name, type_, notes)
    return None


def plain_name(name: str) -> str:
    """Return what a field is called in a form: without its unit, which its value carries, and with hyphens."""
    name = _NAMES.get(name) or next((name.removesuffix(unit) for unit in _SUFFIXES if name.endswith(unit)), name)
    return name.replace("_", "-")


def core_and_notes(type_: Any) -> tuple[Any, tuple[Any, ...]]:  # noqa: ANN401 - a type, or what typing makes of one
    """Return a type without its annotations, and these."""
    if get_origin(type_) is Annotated:
        core, *notes = get_args(type_)
        return core, tuple(notes)
    return type_, ()


def _of_number(name: str, type_: Any, notes: tuple[Any, ...]) -> Leaf:  # noqa: ANN401
    if _is(Instant, notes):
        is_end = name in ENDS
        what = "a time or a day, of a day its end" if is_end else "a time or a day"
        return Leaf("TIME", what, _instant(is_end=is_end), _write_instant(parse_instant), type_)
    if _is(Day, notes):
        return Leaf("DAY", "a day like 2026-01-05", _read_day, _same, type_)
    if name.endswith("_fen"):
        return Leaf("YUAN", "an amount in yuan", _plain(amounts.read_yuan), _written(amounts.yuan), type_)
    if name.endswith("_bp"):
        return Leaf("PERCENT", "per cent", _plain(amounts.read_per_cent), _written(amounts.per_cent), type_)
    if name == "gpu_milli":
        return Leaf("GPUS", "a number of GPUs", _plain(amounts.read_gpus), _written(amounts.gpus), type_)
    if name == "utc_offset_seconds":
        return Leaf("OFFSET", "an offset from UTC", _plain(amounts.read_offset), _written(amounts.offset), type_)
    if name.endswith("seconds"):
        return Leaf("DURATION", "a duration", _plain(amounts.read_duration), _written(amounts.duration), type_)
    return Leaf("NUMBER", "a whole number", _plain(amounts.read_integer), _written(str), type_)


def _of_text(name: str, type_: Any, notes: tuple[Any, ...]) -> Leaf:  # noqa: ANN401
    if _is(SecondText, notes):
        read = _instant(is_end=name in ENDS, in_seconds=True)
        return Leaf("TIME", "a time in whole seconds", read, _write_instant(_second), type_)
    if _is(Hash, notes) and not name.endswith("_hash"):
        return Leaf("HASH", "a hash", _plain(str), _same, type_)
    if _is(Hash, notes):
        with_nonce = name in WITH_NONCE
        what = "a file, or its hash" + ("; it is hashed with a nonce kept beside it" if with_nonce else "")
        return Leaf("FILE|HASH", what, _hash(with_nonce=with_nonce), _same, type_)
    constraints = [one for one in notes if isinstance(one, StringConstraints)]
    if any((one.max_length or 0) > LONG_TEXT for one in constraints):
        return Leaf("FILE", "a file with the text", _from_file, _same, type_)
    pattern = next((str(one.pattern) for one in constraints if one.pattern), "")
    metavar = "VKEY" if name.endswith("vkey") else _METAVARS.get(pattern, "TEXT")
    return Leaf(metavar, IN_WORDS.get(pattern, "a text"), _plain(str), _same, type_)


def _flag(type_: Any) -> Leaf:  # noqa: ANN401
    def read(text: str, _: Surroundings) -> bool:
        if text != "yes":
            raise ValueError("must be yes, or left out")
        return True

    return Leaf("yes", "yes, or left out", read, lambda _value, _: "yes", type_, is_flag=True)


def _yes_or_no(type_: Any) -> Leaf:  # noqa: ANN401
    def read(text: str, _: Surroundings) -> bool:
        if text not in ("yes", "no"):
            raise ValueError("must be yes or no")
        return text == "yes"

    return Leaf("yes|no", "yes or no", read, lambda value, _: "yes" if value else "no", type_, ("yes", "no"))


def _choice(choices: tuple[str, ...]) -> Callable[[str, Surroundings], str]:
    def read(text: str, _: Surroundings) -> str:
        if text not in choices:
            raise ValueError(f"must be {', '.join(choices[:-1])}{' or ' if choices[:-1] else ''}{choices[-1]}")
        return text

    return read


def _instant(*, is_end: bool, in_seconds: bool = False) -> Callable[[str, Surroundings], str]:
    def read(text: str, surroundings: Surroundings) -> str:
        moment = times.Moment.read(text)
        instant = moment.exact_instant(surroundings.zone) + (DAY_US if is_end and moment.is_day else 0)
        if instant > INSTANT_MAX:
            raise ValueError("must lie in the years 1970 to 9999")
        if not in_seconds:
            return format_instant(instant)
        if instant % SECOND_US:
            raise ValueError("must be a whole second")
        return format_second(instant)

    return read


def _write_instant(parse: Callable[[object], int]) -> Callable[[str, Surroundings], str]:
    return lambda value, surroundings: times.local(parse(value), surroundings.zone)


def _second(text: object) -> int:
    return parse_instant(str(text).replace("Z", ".000000Z"))


def _read_day(text: str, _: Surroundings) -> str:
    return format_day(parse_day(text))


def _hash(*, with_nonce: bool) -> Callable[[str, Surroundings], str]:
    def read(text: str, surroundings: Surroundings) -> str:
        if text.partition(":")[0] in HASH_FUNCTIONS or surroundings.hash_of is None:
            return text
        return surroundings.hash_of(text, with_nonce)

    return read


def _from_file(text: str, surroundings: Surroundings) -> str:
    return text if "\n" in text or surroundings.text_of is None else surroundings.text_of(text)


def _plain(read: Callable[[str], JsonScalar]) -> Callable[[str, Surroundings], JsonScalar]:
    return lambda text, _: read(text)


def _written(write: Callable[[Any], str]) -> Callable[[Any, Surroundings], str]:
    return lambda value, _: write(value)


def _same(value: Any, _: Surroundings) -> str:  # noqa: ANN401 - a JSON value
    return str(value)


def _is(alias: Any, notes: tuple[Any, ...]) -> bool:  # noqa: ANN401 - a type
    """Return whether a type is that of an alias, with or without more annotations."""
    return any(note is one for note in notes for one in get_args(alias)[1:])


def _has_validator(notes: tuple[Any, ...], function: Callable[..., Any]) -> bool:
    return any(isinstance(note, AfterValidator) and note.func is function for note in notes)


def _limits(type_: Any) -> tuple[int | None, int | None]:  # noqa: ANN401 - a type
    low: int | None = None
    high: int | None = None
    for note in core_and_notes(type_)[1]:
        for one in note.metadata if isinstance(note, FieldInfo) else (note,):
            match one:
                case annotated_types.Ge(ge=int() as least):
                    low = least
                case annotated_types.Le(le=int() as most):
                    high = most
                case annotated_types.Lt(lt=int() as above):
                    high = above - 1
    return low, None if high == INTEGER_MAX else high
