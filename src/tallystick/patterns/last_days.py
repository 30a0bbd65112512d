"""Vouchers of which nothing was burned until their last days.

Kept: for each voucher that was burned, until a burn window after its end, that it was burned early, or what was burned
late and the first entries.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tallystick.forms.amounts import yuan
from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.quantities import DAY_US, format_instant
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State


@dataclass(slots=True)
class _Burns:
    """What was burned of a voucher; once anything was burned early, no more than that is kept."""

    holder: str
    face_fen: int
    valid_until: int
    is_early: bool = False
    late_fen: int = 0
    late_lines: int = 0
    providers: list[str] = field(default_factory=list)
    entries: Entries = field(default_factory=Entries)


class LastDaysWatch:
    """Every voucher's burns, early or late."""

    def __init__(self, parameters: Parameters) -> None:
        """Nothing was burned yet."""
        self._parameters = parameters
        self._burns: dict[str, _Burns] = {}

    def burn(
        self, event: Event, outcome: Burned, first: int, last: int, ends: Callable[[], Sequence[int]], state: State
    ) -> None:
        """Take in a statement.

        Args:
            event: its own.
            outcome: the event's.
            first: when its first line ends (microseconds).
            last: when its last line ends.
            ends: returns when each of its lines ends, the refused ones too.
            state: after it.
        """
        for reservation, amounts_fen in outcome.paid:
            voucher_id = state.reservations[reservation].voucher
            burns = self._burns.get(voucher_id) or self._begin(voucher_id, state)
            if burns.is_early:
                continue
            start = burns.valid_until - self._parameters.last_days * DAY_US
            if first < start and (
                last < start or any(fen and end < start for fen, end in zip(amounts_fen, ends(), strict=True))
            ):
                burns.is_early = True
                burns.providers, burns.entries = [], Entries()
                continue
            burns.late_fen += sum(amounts_fen)
            burns.late_lines += sum(map(bool, amounts_fen))
            burns.entries.add(event.index)
            if event.command.party not in burns.providers:
                burns.providers.append(event.command.party)

    def _begin(self, voucher_id: str, state: State) -> _Burns:
        voucher = state.vouchers[voucher_id]
        burns = self._burns[voucher_id] = _Burns(voucher.holder, voucher.face_fen, voucher.valid_until)
        # What isn't valid for much longer than its last days has no others.
        burns.is_early = voucher.valid_until - voucher.valid_from < 2 * self._parameters.last_days * DAY_US
        return burns

    def take_back(self, outcome: Reversed, state: State) -> None:
        """Take what a line took out again."""
        for reservation, amount_fen, _ in outcome.returned:
            burns = self._burns.get(state.reservations[reservation].voucher)
            if burns is not None and not burns.is_early:
                burns.late_fen -= amount_fen
                burns.late_lines -= 1

    def forget(self, until: int) -> None:
        """Forget vouchers that ended before a time (microseconds), unless they were burned in their last days alone."""
        over = [name for name, burns in self._burns.items() if burns.valid_until < until and not self._counts(burns)]
        for name in over:
            del self._burns[name]

    def _counts(self, burns: _Burns) -> bool:
        if burns.is_early or burns.late_fen <= 0:
            return False
        return burns.late_lines >= self._parameters.last_days_lines or self._is_much(burns)

    def _is_much(self, burns: _Burns) -> bool:
        return burns.late_fen * 100 >= burns.face_fen * self._parameters.last_days_percent

    def seen(self) -> Iterator[Seen]:
        """Yield each voucher that was burned in its last days alone."""
        for name, burns in self._burns.items():
            if self._counts(burns):
                yield self._seen(name, burns)

    def _seen(self, voucher: str, burns: _Burns) -> Seen:
        return Seen(
            Pattern.BURNED_IN_LAST_DAYS,
            Severity.WARNING if self._is_much(burns) else Severity.NOTE,
            Certainty.CERTAIN,
            "no line that ended before took anything of it",
            (burns.holder, *burns.providers),
            (f"voucher {voucher}",),
            burns.entries.shown,
            {
                "entries": burns.entries.count,
                "lines": burns.late_lines,
                "burned_fen": burns.late_fen,
                "face_fen": burns.face_fen,
            },
            f"{yuan(burns.late_fen)} of {yuan(burns.face_fen)} yuan of {voucher} were burned in its last "
            f"{self._parameters.last_days:,} days before {format_instant(burns.valid_until)[:10]}, and nothing before",
        )
