"""Amounts and times are bounded integers, each with one canonical encoding, and their arithmetic truncates.

Money is in fen, time in microseconds since 1970-01-01T00:00:00Z, GPU-time in GPU-milliseconds. In text an instant is
RFC 3339 in UTC with microseconds and `Z`, a day is ISO 8601; no other encoding is read.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Final, Protocol, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import core_schema

from tallystick.signing.algorithms import hash_from_text

INTEGER_MAX: Final = 2**53 - 1
SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
AHEAD_MAX_US: Final = 366 * DAY_US
"""How far ahead of the log's time a price may begin."""
ATTESTED_MAX_US: Final = 3_660 * DAY_US
"""How far ahead of its entry an attestation may end at most."""
BASIS_POINTS: Final = 10_000
GPU_MILLI_SECONDS_PER_GPU_HOUR: Final = 3_600_000

NO_SUCH_TIME: Final = "must be a day and a time that there are"

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = EPOCH.replace(tzinfo=None)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_INSTANT_PATTERN: Final = (
    r"^(?:19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
    r"T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
)
_SECOND_PATTERN: Final = (
    r"^(?:19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
    r"T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z$"
)
_digits_of: Final = re.compile(r"[1-9][0-9]{15,39}\Z").match  # no log has so many vouchers that they came to more
_instant_of: Final = re.compile(_INSTANT_PATTERN[:-1] + r"\Z")  # Python's $ would let a newline follow


def json_sum(total: int) -> int | str:
    """Return a sum as JSON carries it exactly: an integer within ±(2^53 - 1), the text of its decimal digits beyond.

    Every amount in a command is bounded; sums of them are not. A JSON reader may keep only 53 bits of a number.
    """
    return total if -INTEGER_MAX <= total <= INTEGER_MAX else str(total)


def parse_json_sum(value: object) -> int:
    """Return the sum, not negative, that `json_sum` gave.

    Raises:
        ValueError: any other encoding, such as text of what an integer can carry.
    """
    if type(value) is str and _digits_of(value):
        total = int(value)
        if total > INTEGER_MAX:
            return total
    elif type(value) is int and 0 <= value <= INTEGER_MAX:
        return value
    raise ValueError(f"must be an integer from 0 to {INTEGER_MAX}, or text of the decimal digits of a larger one")


def parse_instant(text: object) -> int:
    """Return the microseconds since the epoch of `2026-01-05T08:00:00.000000Z`.

    Raises:
        ValueError: any other encoding, or no such time.
    """
    if not isinstance(text, str) or not _instant_of.match(text):
        raise ValueError("must be a time like 2026-01-05T08:00:00.000000Z")
    return _microseconds(text)


def _microseconds(text: str) -> int:
    try:
        since = datetime.fromisoformat(text) - EPOCH
    except ValueError:  # whose words are Python's, and differ between its versions
        raise ValueError(NO_SUCH_TIME) from None
    return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds


INSTANT_MAX: Final = parse_instant("9999-12-31T23:59:59.999999Z")
"""The last one that has a text."""


def format_instant(instant: int) -> str:
    """Return the one text of an instant in microseconds."""
    return (_NAIVE_EPOCH + timedelta(microseconds=instant)).isoformat(timespec="microseconds") + "Z"


def format_second(instant: int) -> str:
    """Return the one text of an instant that is a whole second: `2026-01-05T08:00:00Z`."""
    return (_NAIVE_EPOCH + timedelta(microseconds=instant)).isoformat(timespec="seconds") + "Z"


def parse_seconds(texts: Iterable[str]) -> list[int]:
    """Return the microseconds since the epoch of texts of the form of `SecondText`, many at once.

    Raises:
        ValueError: there is no such day or time.
    """
    read = datetime.fromisoformat
    return [(since := read(text) - EPOCH).days * DAY_US + since.seconds * SECOND_US for text in texts]


def parse_day(text: object) -> int:
    """Return the days since 1970-01-01 of `2026-01-05`.

    Raises:
        ValueError: any other encoding, or no such day.
    """
    if not (isinstance(text, str) and len(text) == len("2026-01-05") and text[4] == text[7] == "-" and text.isascii()):
        raise ValueError("must be a day like 2026-01-05")
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise ValueError("must be a day that there is, like 2026-01-05") from None


def format_day(day: int) -> str:
    """Return the one text of a day in days since 1970-01-01."""
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def day_after(day: int) -> tuple[int, int, int]:
    """Return year, month and day of the month of the day after one in days since 1970-01-01."""
    after = date.fromordinal(day + 1 + _EPOCH_ORDINAL)
    return after.year, after.month, after.day


def day_of(instant: int, utc_offset_seconds: int) -> int:
    """Return the calendar day, in the network's time zone, on which an instant lies."""
    return (instant + utc_offset_seconds * SECOND_US) // DAY_US


def start_of_day(day: int, utc_offset_seconds: int) -> int:
    """Return the instant at which a calendar day of the network's time zone begins."""
    return day * DAY_US - utc_offset_seconds * SECOND_US


def fee_fen(gpu_milli_seconds: int, price_fen: int) -> int:
    """Return the fee for GPU-time at a price of a GPU-hour, truncated to the fen."""
    return gpu_milli_seconds * price_fen // GPU_MILLI_SECONDS_PER_GPU_HOUR


def share_fen(fee: int, share_bp: int) -> int:
    """Return the part of a fee, in basis points, truncated to the fen."""
    return fee * share_bp // BASIS_POINTS


def _instant_schema(_source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    # What `parse_instant` does, with the form checked by pydantic's own core: a statement has two of these a line.
    return core_schema.no_info_after_validator_function(
        _microseconds,
        core_schema.str_schema(pattern=_INSTANT_PATTERN, strict=True),
        serialization=core_schema.plain_serializer_function_ser_schema(format_instant),
    )


def edition_asked(info: ValidationInfo) -> int | None:
    """Return by which edition of the rules a command is read; None stands for the newest (rulebook.py)."""
    edition: int | None = info.context
    return edition


def must_be_hash(text: str, info: ValidationInfo) -> str:
    """Return a hash that names a function which the edition knows; ValueError of another text."""
    hash_from_text(text, edition_asked(info))
    return text


Instant = Annotated[int, GetPydanticSchema(_instant_schema)]
SecondText = Annotated[str, StringConstraints(pattern=_SECOND_PATTERN)]
"""An instant that is a whole second, as text: a job's times, which are read many at once (`parse_seconds`)."""
Day = Annotated[int, BeforeValidator(parse_day), PlainSerializer(format_day)]

Fen = Annotated[int, Field(ge=1, le=INTEGER_MAX)]
FenOrZero = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
GPU_MILLI_MAX: Final = 10_000_000
SECONDS_BURNED_MAX: Final = 31_622_400
GpuMilli = Annotated[int, Field(ge=1, le=GPU_MILLI_MAX)]
SecondsBurned = Annotated[int, Field(ge=1, le=SECONDS_BURNED_MAX)]
PriceFen = Annotated[int, Field(ge=1, le=10_000_000)]
"""Of an item's unit: a GPU-hour, or one of what is counted."""
ShareBp = Annotated[int, Field(ge=0, le=BASIS_POINTS)]

PARTY_PATTERN: Final = "[a-z0-9][a-z0-9-]{0,62}"
_PARTY: Final = f"^{PARTY_PATTERN}$"
_ITEM: Final = r"^[a-z0-9][a-z0-9._-]{0,62}$"
_OWNED: Final = f"^{PARTY_PATTERN}/[A-Za-z0-9][A-Za-z0-9._-]{{0,63}}$"
_LOT: Final = f"{_OWNED[:-1]} {_OWNED[1:]}"
_SUBJECT: Final = f"^{PARTY_PATTERN}(?:/[A-Za-z0-9][A-Za-z0-9._-]{{0,63}})?$"
_DOCUMENT: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,127}$"
_JOB: Final = r"^[a-z0-9][a-z0-9._:/@+=-]{0,127}$"
_WORD: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"
_TEXT: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"
PartyId = Annotated[str, StringConstraints(pattern=_PARTY)]
ItemId = Annotated[str, StringConstraints(pattern=_ITEM)]
OwnedId = Annotated[str, StringConstraints(pattern=_OWNED)]
LotId = Annotated[str, StringConstraints(pattern=_LOT)]
"""A voucher's and a contract's id, joined by a blank."""
SubjectId = Annotated[str, StringConstraints(pattern=_SUBJECT)]
"""A party's id or an owned one."""
DocumentId = Annotated[str, StringConstraints(pattern=_DOCUMENT)]
JobName = Annotated[str, StringConstraints(pattern=_JOB)]
Word = Annotated[str, StringConstraints(pattern=_WORD)]
"""A short free word: a class of holders, a cap's group, a topic."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TEXT)]
Hash = Annotated[str, AfterValidator(must_be_hash)]
"""Of a known function, which it names: `sha256:` and 64 hex digits."""

PATTERNS_IN_WORDS: Final = {
    _INSTANT_PATTERN: "a time like 2026-01-05T08:00:00.000000Z",
    _SECOND_PATTERN: "a time in whole seconds like 2026-01-05T08:00:00Z",
    _PARTY: "a name of 1 to 63 of a-z, 0-9 and -, the first no -",
    _ITEM: "a name of 1 to 63 of a-z, 0-9 and . _ -, the first a letter or digit",
    _OWNED: "an id like shanghai-treasury/v-1: a party's name, / and 1 to 64 of A-Z, a-z, 0-9, . _ and -",
    _LOT: "two ids like shanghai-treasury/v-1, of a voucher and a contract, and a blank between them",
    _SUBJECT: "a party's name, or an id like shanghai-treasury/v-1",
    _DOCUMENT: "1 to 128 of A-Z, a-z, 0-9 and . _ : / @ + = -, the first a letter or digit",
    _JOB: "1 to 128 of a-z, 0-9 and . _ : / @ + = -, the first a letter or digit",
    _WORD: "a word of 1 to 63 of a-z, 0-9, _ and -, the first a letter or digit",
    _TEXT: "text without control characters",
}


def ascending(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names that are sorted, each once; ValueError of others: a list has one encoding."""
    if any(one >= other for one, other in pairwise(names)):
        raise ValueError("must be in ascending order, each once")
    return names


class OfItem(Protocol):
    """What a list says of an item: a price, a limit."""

    @property
    def item(self) -> str:
        """The item's id."""


AnyOfItem = TypeVar("AnyOfItem", bound=OfItem)


def by_item(listed: tuple[AnyOfItem, ...]) -> tuple[AnyOfItem, ...]:
    """Return a list that is in ascending order of its items, each once; ValueError of another order."""
    ascending(tuple([one.item for one in listed]))
    return listed
