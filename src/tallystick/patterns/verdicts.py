"""Attesters that pass all that they look at, within minutes.

Kept: what can be attested and came within the last minutes; and for each attester how many verdicts it gave.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.vouchers.rules.attestations import AttestationGive
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State

MINUTE_US: Final = 60_000_000


@dataclass(slots=True)
class _Verdicts:
    """What an attester said of applications, contracts and claims."""

    given: int = 0
    failed: int = 0
    at_once: int = 0
    entries: Entries = field(default_factory=Entries)


class VerdictsWatch:
    """Every attester's verdicts, by how long they took."""

    def __init__(self, parameters: Parameters) -> None:
        """Nobody said anything yet."""
        self._parameters = parameters
        self._newest: dict[str, int] = {}
        self._order: deque[tuple[int, str]] = deque()
        self._verdicts: dict[str, _Verdicts] = defaultdict(_Verdicts)

    def subject(self, name: str, at: int) -> None:
        """Take in something that can be attested, or that has changed, for example `claim <id>`."""
        self._forget(at)
        self._newest[name] = at
        self._order.append((at, name))

    def verdict(self, event: Event, state: State) -> None:
        """Take in a verdict of an attester; the sides of a contract know it anyway."""
        command = event.command
        assert isinstance(command, AttestationGive)
        is_timed = command.subject_type in ("application", "contract", "claim")
        if not is_timed or state.parties[command.party].role != "attester":
            return
        self._forget(event.at)
        verdicts = self._verdicts[command.party]
        verdicts.given += 1
        if command.verdict != "pass":
            verdicts.failed += 1
        elif command.subject in self._newest:
            verdicts.at_once += 1
            verdicts.entries.add(event.index)

    def _forget(self, at: int) -> None:
        oldest = at - self._parameters.attester_minutes * MINUTE_US
        while self._order and self._order[0][0] < oldest:
            then, name = self._order.popleft()
            if self._newest.get(name) == then:
                del self._newest[name]

    def seen(self) -> Iterator[Seen]:
        """Yield each attester that never fails anything and mostly answers at once."""
        for attester, verdicts in self._verdicts.items():
            if verdicts.failed or verdicts.given < self._parameters.attester_verdicts:
                continue
            if verdicts.at_once * 100 < verdicts.given * self._parameters.attester_percent:
                continue
            is_alarm = verdicts.given >= 3 * self._parameters.attester_verdicts
            yield Seen(
                Pattern.PASSED_AT_ONCE,
                Severity.ALARM if is_alarm else Severity.WARNING,
                Certainty.LIKELY,
                "the log has the times of entries, and what was looked at before they were made it hasn't",
                (attester,),
                (),
                verdicts.entries.shown,
                {"entries": verdicts.entries.count, "verdicts": verdicts.given, "at_once": verdicts.at_once},
                f"{attester} passed all {verdicts.given:,} that it gave a verdict on, {verdicts.at_once:,} of them "
                f"within {self._parameters.attester_minutes:,} minutes of the entry that they are on",
            )
