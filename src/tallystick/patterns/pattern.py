"""The closed list of patterns; how grave one that was seen is, how sure, and which entries show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallystick.coded_enum import CodedEnum
from tallystick.vouchers.quantities import json_sum

ENTRIES_SHOWN_MAX: Final = 20
"""Of the entries that show a pattern so many are named, the first ones, and all are counted."""


class Pattern(CodedEnum):
    """What can be seen in a log that follows the rules; `meaning` says it in a sentence."""

    CAPACITY_EXCEEDED = (
        "capacity_exceeded",
        "a provider burned more GPU-time of an item in an hour than its declared capacity gives",
    )
    JOB_AT_TWO_PROVIDERS = (
        "job_at_two_providers",
        "two providers burned the same quantity of the same item for the same interval, to the second",
    )
    JOB_UNDER_TWO_NAMES = (
        "job_under_two_names",
        "one provider burned the same quantity of the same item for the same interval under two names",
    )
    CEILING_PRICES_ONLY = (
        "ceiling_prices_only",
        "all contracts of a holder and a provider are at the tariff's price, which is the most that is charged",
    )
    JUST_UNDER_THRESHOLD = (
        "just_under_threshold",
        "amounts for one party stay just under what would ask for another signature, again and again",
    )
    PASSED_ON_IN_CIRCLE = ("passed_on_in_circle", "a voucher was passed on until it came back to an earlier holder")
    PASSED_ON_AT_ONCE = ("passed_on_at_once", "a voucher was passed on soon after its issue")
    BURNED_IN_LAST_DAYS = ("burned_in_last_days", "a voucher was burned in the last days of its validity alone")
    EVIDENCE_REPEATED = ("evidence_repeated", "a party gave the same evidence for different usage or claims")
    PASSED_AT_ONCE = ("passed_at_once", "an attester passes all that it looks at, within minutes")


class Severity(CodedEnum):
    """How grave a pattern is, if there is no innocent cause; `rank` ascends with it."""

    NOTE = ("note", "usual in honest logs; of use beside other things")
    WARNING = ("warning", "unusual; ask for the documents")
    ALARM = ("alarm", "hard to explain; ask before anything more is paid")

    @property
    def rank(self) -> int:
        """0 for a note, 1 for a warning, 2 for an alarm."""
        return _RANKS[self]


_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Certainty(CodedEnum):
    """How sure it is that what the pattern says took place. What it was done for, no entry says."""

    CERTAIN = ("certain", "the entries say just that")
    LIKELY = ("likely", "the entries allow of another reading, which is rare")
    POSSIBLE = ("possible", "honest work often looks the same")


@dataclass(frozen=True, slots=True)
class Seen:
    """A pattern that was seen.

    Attributes:
        pattern: of the closed list.
        severity: how grave it is, if there is no innocent cause.
        certainty: how sure it is.
        because: why it is just so sure, in words.
        parties: ids, in the order of the sentence.
        things: what else it is about, for example `contract <id>`.
        entries: indices of those that show it, ascending; the first ENTRIES_SHOWN_MAX.
        figures: integers by name, which ends in the unit; `entries` is how many entries show it.
        sentence: for a person.
    """

    pattern: Pattern
    severity: Severity
    certainty: Certainty
    because: str
    parties: tuple[str, ...]
    things: tuple[str, ...]
    entries: tuple[int, ...]
    figures: Mapping[str, int]
    sentence: str

    def __str__(self) -> str:
        """One line for a person."""
        shown = ", ".join(map(str, self.entries))
        more = self.figures["entries"] - len(self.entries)
        place = (
            f"entries {shown} and {more} more" if more else f"entr{'y' if len(self.entries) == 1 else 'ies'} {shown}"
        )
        return f"{self.severity} {self.pattern} at {place}: {self.sentence} ({self.certainty}: {self.because})"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; an integer beyond 2^53 - 1 as the text of its digits."""
        return {
            "pattern": self.pattern.value,
            "severity": self.severity.value,
            "certainty": self.certainty.value,
            "because": self.because,
            "parties": list(self.parties),
            "things": list(self.things),
            "entries": list(self.entries),
            "figures": {name: json_sum(value) for name, value in self.figures.items()},
            "sentence": self.sentence,
        }


class Entries:
    """The entries that show something: the first ones by index, and how many they are."""

    __slots__ = ("_last", "count", "first")

    def __init__(self, indices: Iterable[int] = ()) -> None:
        """Begin with some."""
        self.first: list[int] = []
        self.count = 0
        self._last = -1
        for index in indices:
            self.add(index)

    def add(self, index: int) -> None:
        """Add one, unless it is there; they come in ascending order, or nearly."""
        if index == self._last or index in self.first:
            return
        self._last = index
        self.count += 1
        if len(self.first) < ENTRIES_SHOWN_MAX:
            self.first.append(index)

    @property
    def shown(self) -> tuple[int, ...]:
        """Those that are named."""
        return tuple(sorted(self.first))


def in_order(seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """Return first what is gravest, then in the order of the list, then by entry."""
    return tuple(
        sorted(seen, key=lambda one: (-one.severity.rank, _PRECEDENCE[one.pattern], one.entries, one.sentence))
    )


_PRECEDENCE: Final = {pattern: place for place, pattern in enumerate(Pattern)}
