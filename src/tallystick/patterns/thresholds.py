"""Amounts for one party that stay just under what would ask for another signature.

What fewer officers sign than are required stays below the treasury's threshold within its window: the rules see to
that. An amount is still free to come in parts, window after window; and of a mandate each command has its limit alone.
Kept: for each treasury or mandate, programme and party the amounts just under the limit, and the run that is going on.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tallystick.forms.amounts import yuan
from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue
from tallystick.vouchers.state import State


class _Limited(NamedTuple):
    """Under whose limit an amount is, of which programme, and for whom."""

    treasury: str
    mandate: str | None
    programme: str
    payee: str


@dataclass(slots=True)
class _Run:
    """Amounts that came within a few days: parts of one, perhaps."""

    at: int
    limit_fen: int
    sum_fen: int
    indices: list[int]


@dataclass(slots=True)
class _Amounts:
    """Runs just under the limit, and the newest run."""

    near: list[_Run] = field(default_factory=list)
    newest: _Run | None = None


class ThresholdsWatch:
    """What is issued and paid by fewer officers than are required, or by a mandate."""

    def __init__(self, parameters: Parameters) -> None:
        """Nothing was signed yet."""
        self._parameters = parameters
        self._amounts: dict[_Limited, _Amounts] = defaultdict(_Amounts)

    def issue(self, event: Event, state: State) -> None:
        """Take in an issue."""
        command = event.command
        assert isinstance(command, VoucherIssue)
        self._take(event, state, command.mandate, command.programme, command.holder, command.face_fen)

    def settle(self, event: Event, state: State) -> None:
        """Take in a settlement."""
        command = event.command
        assert isinstance(command, RedemptionSettle)
        claim = state.claims[command.claim]
        self._take(event, state, command.mandate, claim.programme, claim.claimant, command.paid_fen)

    def _take(
        self, event: Event, state: State, mandate: str | None, programme: str, payee: str, amount_fen: int
    ) -> None:
        treasury = state.programmes[programme].treasury
        if mandate is not None:
            limit_fen = state.mandates[mandate].each_fen
        else:
            officers = state.parties[treasury].officers
            if officers is None or event.signatures_of(treasury) >= officers.required:
                return
            limit_fen = officers.threshold_fen
        if not amount_fen or not limit_fen:
            return
        amounts = self._amounts[_Limited(treasury, mandate, programme, payee)]
        run = amounts.newest
        if run is not None and event.at - run.at <= self._parameters.threshold_split_days * DAY_US:
            run.sum_fen += amount_fen
            run.indices.append(event.index)
            return
        self._end(amounts)
        amounts.newest = _Run(event.at, limit_fen, amount_fen, [event.index])

    def _end(self, amounts: _Amounts) -> None:
        run, amounts.newest = amounts.newest, None
        if run is not None and run.sum_fen * 100 > run.limit_fen * self._parameters.threshold_percent:
            amounts.near.append(run)

    def seen(self) -> Iterator[Seen]:
        """Yield for whom it happened again and again, or in parts."""
        for limited, amounts in self._amounts.items():
            self._end(amounts)
            runs = self._most_within(amounts.near)
            if len(runs) >= self._parameters.threshold_times:
                is_alarm = len(runs) >= 2 * self._parameters.threshold_times
                yield self._seen(limited, runs, Severity.ALARM if is_alarm else Severity.WARNING)
                continue
            in_parts = [run for run in amounts.near if len(run.indices) > 1]
            if in_parts:
                is_over = any(run.sum_fen > run.limit_fen for run in in_parts)
                yield self._seen(limited, in_parts, Severity.WARNING if is_over else Severity.NOTE)

    def _most_within(self, runs: list[_Run]) -> list[_Run]:
        """Return the most runs that lie within the days that count; of equally many, the first."""
        best: list[_Run] = []
        first = 0
        for last, run in enumerate(runs):
            while run.at - runs[first].at > self._parameters.threshold_days * DAY_US:
                first += 1
            if last + 1 - first > len(best):
                best = runs[first : last + 1]
        return best

    def _seen(self, limited: _Limited, runs: list[_Run], severity: Severity) -> Seen:
        entries = Entries(index for run in runs for index in run.indices)
        sum_fen = sum(run.sum_fen for run in runs)
        limit_fen = max(run.limit_fen for run in runs)
        whose = (
            f"mandate {limited.mandate}" if limited.mandate else f"fewer officers of {limited.treasury} than required"
        )
        days = max(run.at for run in runs) // DAY_US - min(run.at for run in runs) // DAY_US + 1
        is_repeated = len(runs) >= self._parameters.threshold_times
        how = f"{len(runs):,} times just under" if len(runs) > 1 else "just under"
        if any(run.sum_fen > run.limit_fen for run in runs):
            how = "in parts of which each is below"
        return Seen(
            Pattern.JUST_UNDER_THRESHOLD,
            severity,
            Certainty.LIKELY if is_repeated else Certainty.POSSIBLE,
            "amounts by chance seldom come so near to a limit"
            if is_repeated
            else "two needs on near days look the same",
            (limited.treasury, limited.payee),
            (f"programme {limited.programme}", *([f"mandate {limited.mandate}"] if limited.mandate else [])),
            entries.shown,
            {
                "entries": entries.count,
                "times": len(runs),
                "sum_fen": sum_fen,
                "limit_fen": limit_fen,
                "days": days,
            },
            f"{limited.payee} got {yuan(sum_fen)} yuan of {limited.programme} in {entries.count:,} entries, {how} what "
            f"{whose} may give at once ({yuan(limit_fen)} yuan), within {days:,} day{'s' if days > 1 else ''}",
        )
