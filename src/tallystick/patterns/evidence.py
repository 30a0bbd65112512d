"""Evidence that comes again: of other usage, or for another claim of the same party.

Kept: 64 bits of each hash with the entry that it came in, by party, for `evidence_days` and up to twice as long.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State

THINGS_SHOWN: Final = 3
Key = tuple[str, str, int]
"""Whether of usage or of claims, the party, and 64 bits of the hash."""


@dataclass(slots=True)
class _First:
    """Where evidence came first: its entry, its reference, what it was for, and how many lines stand for its own."""

    index: int
    ref: str
    thing: str
    replaced: int = 0


@dataclass(slots=True)
class _Again:
    """Evidence that came again."""

    evidence: str
    things: dict[str, None] = field(default_factory=dict)
    entries: Entries = field(default_factory=Entries)


class EvidenceWatch:
    """Every hash of evidence, by party."""

    def __init__(self, parameters: Parameters) -> None:
        """There is no evidence yet."""
        self._parameters = parameters
        self._known: dict[Key, _First] = {}
        self._before: dict[Key, _First] = {}
        self._begun_at: int | None = None
        self._again: dict[Key, _Again] = {}

    def usage(self, event: Event, evidence: str, contract: str, lines: int, state: State) -> None:
        """Take in evidence of some lines, or of a service."""
        key = self._key("usage", event, evidence)
        first = self._first(key, event, f"contract {contract}")
        if first is not None and not self._is_taken_back(event.command.party, first, lines, state):
            self._note(key, event, evidence, first, f"contract {contract}")

    def claim(self, event: Event, evidence: str, programme: str) -> None:
        """Take in evidence of a claim."""
        key = self._key("claims", event, evidence)
        first = self._first(key, event, f"programme {programme}")
        if first is not None:
            self._note(key, event, evidence, first, f"programme {programme}")

    def _key(self, what: str, event: Event, evidence: str) -> Key:
        return (what, event.command.party, int(evidence[-16:], 16))

    def _first(self, key: Key, event: Event, thing: str) -> _First | None:
        """Return where evidence came before, in another entry, and remember it if it didn't."""
        if self._begun_at is None or event.at - self._begun_at > self._parameters.evidence_days * DAY_US:
            self._before, self._known, self._begun_at = self._known, {}, event.at
        first = self._known.get(key) or self._before.get(key)
        if first is None:
            self._known[key] = _First(event.index, event.command.ref, thing)
            return None
        return None if first.index == event.index else first

    def _is_taken_back(self, provider: str, first: _First, lines: int, state: State) -> bool:
        """Return whether so many lines of the earlier statement were taken back, for which these stand."""
        statement = state.statements.get(provider, {}).get(first.ref)
        if statement is None or len(statement.reversed_lines) < first.replaced + lines:
            return False
        first.replaced += lines
        return True

    def _note(self, key: Key, event: Event, evidence: str, first: _First, thing: str) -> None:
        again = self._again.get(key)
        if again is None:
            again = self._again[key] = _Again(evidence, things={first.thing: None}, entries=Entries([first.index]))
        again.things[thing] = None
        again.entries.add(event.index)

    def seen(self) -> Iterator[Seen]:
        """Yield all evidence that came again."""
        for (what, party, _), again in self._again.items():
            shown = list(again.things)[:THINGS_SHOWN]
            severity = Severity.WARNING
            if what == "claims" and len(again.things) > 1:
                severity = Severity.NOTE
            elif again.entries.count > self._parameters.evidence_alarm:
                severity = Severity.ALARM
            yield Seen(
                Pattern.EVIDENCE_REPEATED,
                severity,
                Certainty.CERTAIN,
                "the hashes are equal, and a hash of another document, or with another nonce, is another",
                (party,),
                (*shown, f"evidence {again.evidence}"),
                again.entries.shown,
                {"entries": again.entries.count, "times_again": again.entries.count - 1},
                f"{party} gave the same evidence for {what} in {again.entries.count:,} entries, about "
                f"{', '.join(shown)}{' and others' if len(again.things) > THINGS_SHOWN else ''}",
            )
