"""Each event is taken once, in order, with the state after it; then it is said what was seen.

Memory follows the burn window, and what is open, as the state's does; each module says what it keeps. Nothing depends
on a clock: time is the log's. The same events give the same answer.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tallystick.patterns.capacity import CapacityWatch
from tallystick.patterns.evidence import EvidenceWatch
from tallystick.patterns.last_days import LastDaysWatch
from tallystick.patterns.parameters import Parameters
from tallystick.patterns.passing_on import PassingOnWatch
from tallystick.patterns.pattern import Pattern, Seen, Severity, in_order
from tallystick.patterns.prices import PricesWatch
from tallystick.patterns.same_jobs import SameJobsWatch
from tallystick.patterns.statement import accepted_lines
from tallystick.patterns.thresholds import ThresholdsWatch
from tallystick.patterns.verdicts import VerdictsWatch
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.applications import ApplicationFile
from tallystick.vouchers.rules.attestations import AttestationGive
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.capacity import CapacityDeclare
from tallystick.vouchers.rules.claiming import RedemptionClaim
from tallystick.vouchers.rules.contracts import ContractAmend, ContractSign
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer
from tallystick.vouchers.state import State

SEEN_MAX: Final = 100
"""Of each pattern so many are said, the gravest, and the others are counted."""
_FORGETS_EACH_US: Final = 7 * DAY_US
_JUDGES_EACH: Final = 8
"""Hours are judged once in so many times that lines are forgotten, because all hours that are kept are gone through."""


class Watch:
    """What was seen in the events so far."""

    def __init__(self, parameters: Parameters | None = None) -> None:
        """Nothing was taken yet."""
        self.parameters = Parameters() if parameters is None else parameters
        self._first_index: int | None = None
        self._last_index = 0
        self._forgets_at: int | None = None
        self._forgot = 0
        self._capacity = CapacityWatch(self.parameters)
        self._same_jobs = SameJobsWatch(self.parameters)
        self._prices = PricesWatch(self.parameters)
        self._thresholds = ThresholdsWatch(self.parameters)
        self._passing_on = PassingOnWatch(self.parameters)
        self._last_days = LastDaysWatch(self.parameters)
        self._evidence = EvidenceWatch(self.parameters)
        self._verdicts = VerdictsWatch(self.parameters)
        self._takes: dict[type, Callable[[Event, State], None]] = {
            TimeBurn: self._burn,
            ServiceBurn: self._burn_service,
            BurnReverse: self._take_back,
            CapacityDeclare: self._declare,
            ContractSign: self._sign,
            ContractAmend: self._amend,
            VoucherIssue: self._issue,
            VoucherTransfer: self._passing_on.transfer,
            ApplicationFile: self._file,
            AttestationGive: self._verdicts.verdict,
            RedemptionClaim: self._claim,
            RedemptionSettle: self._thresholds.settle,
        }
        self._seen: tuple[tuple[Seen, ...], int] | None = None

    def take(self, event: Event, state: State) -> None:
        """Take in the next event, given the state after it."""
        if self._first_index is None:
            self._first_index = event.index
        self._last_index = event.index
        take = self._takes.get(type(event.command))
        if take is not None:
            take(event, state)
        if self._forgets_at is None or event.at >= self._forgets_at:
            self._forgets_at = event.at + _FORGETS_EACH_US
            self._same_jobs.forget(event.at - state.burn_window_us)
            self._last_days.forget(event.at - state.burn_window_us)
            self._forgot += 1
            if self._forgot % _JUDGES_EACH == 0:
                self._capacity.judge(event.at - 2 * state.burn_window_us)

    def seen(self) -> tuple[Seen, ...]:
        """Return what was seen in all events, gravest first; nothing can be taken after that."""
        return self._judged()[0]

    @property
    def first_entry(self) -> int:
        """The index of the first event that was taken."""
        return self._first_index or 0

    def left_out(self) -> int:
        """Return how many more there are than `seen` says, because of one pattern there are many."""
        return self._judged()[1]

    def worst(self) -> Severity | None:
        """Return how grave the gravest is; None, if nothing was seen."""
        return max((one.severity for one in self.seen()), key=lambda severity: severity.rank, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return what was seen, in which entries, and by which parameters, as JSON values."""
        return {
            "first_entry": self.first_entry,
            "entries": 0 if self._first_index is None else self._last_index - self._first_index + 1,
            "seen": [one.to_json() for one in self.seen()],
            "left_out": self.left_out(),
            "parameters": {name: getattr(self.parameters, name) for name in Parameters.meanings()},
        }

    def _judged(self) -> tuple[tuple[Seen, ...], int]:
        if self._seen is None:
            everything = in_order(self._all())
            counts = dict.fromkeys(Pattern, 0)
            kept = []
            for one in everything:
                counts[one.pattern] += 1
                if counts[one.pattern] <= SEEN_MAX:
                    kept.append(one)
            self._seen = tuple(kept), len(everything) - len(kept)
        return self._seen

    def _all(self) -> Iterator[Seen]:
        yield from self._capacity.seen()
        yield from self._same_jobs.seen()
        yield from self._prices.seen()
        yield from self._thresholds.seen()
        yield from self._passing_on.seen()
        yield from self._last_days.seen()
        yield from self._evidence.seen()
        yield from self._verdicts.seen()

    # -- usage --------------------------------------------------------------------------------------------------------

    def _burn(self, event: Event, state: State) -> None:
        command, outcome = event.command, event.outcome
        assert isinstance(command, TimeBurn)
        assert isinstance(outcome, Burned)
        made = (command.party, command.ref)
        first, last = _NEVER, 0
        for lines in accepted_lines(command, outcome):
            first, last = min(first, *lines.ends), max(last, *lines.ends)
            self._capacity.add(command.party, event.index, lines, state)
            self._same_jobs.add(made, lines, state)
            if lines.evidence is not None and not lines.are_corrections:
                self._evidence.usage(event, lines.evidence, command.contract, len(lines.numbers), state)
        if outcome.paid:
            self._last_days.burn(
                event, outcome, first, last, lambda: [line.ends_at for _, line in command.lines()], state
            )

    def _burn_service(self, event: Event, state: State) -> None:
        command, outcome = event.command, event.outcome
        assert isinstance(command, ServiceBurn)
        assert isinstance(outcome, Burned)
        began_at = state.start_of(command.first_day)  # what is counted or invoiced is often said at its end alone
        if command.evidence_hash is not None and command.corrects is None:
            self._evidence.usage(event, command.evidence_hash, command.contract, 1, state)
        self._last_days.burn(event, outcome, began_at, began_at, lambda: [began_at], state)

    def _take_back(self, event: Event, state: State) -> None:
        command, outcome = event.command, event.outcome
        assert isinstance(command, BurnReverse)
        assert isinstance(outcome, Reversed)
        line = state.statements[command.party][command.statement].line(command.line)
        assert line is not None
        self._capacity.take_back(command.party, event.index, line)
        self._same_jobs.take_back(command.party, command.statement, command.line)
        self._last_days.take_back(outcome, state)

    def _declare(self, event: Event, state: State) -> None:
        assert isinstance(event.command, CapacityDeclare)
        self._capacity.declare(event.command, state)

    # -- agreements, money and verdicts -------------------------------------------------------------------------------

    def _sign(self, event: Event, state: State) -> None:
        assert isinstance(event.command, ContractSign)
        self._prices.sign(event, state)
        self._verdicts.subject(f"contract {event.command.contract}", event.at)

    def _amend(self, event: Event, state: State) -> None:
        assert isinstance(event.command, ContractAmend)
        self._prices.amend(event, state)
        self._verdicts.subject(f"contract {event.command.contract}", event.at)

    def _issue(self, event: Event, state: State) -> None:
        self._passing_on.issue(event)
        self._thresholds.issue(event, state)

    def _file(self, event: Event, _: State) -> None:
        assert isinstance(event.command, ApplicationFile)
        self._verdicts.subject(f"application {event.command.application}", event.at)

    def _claim(self, event: Event, _: State) -> None:
        command = event.command
        assert isinstance(command, RedemptionClaim)
        self._verdicts.subject(f"claim {command.claim}", event.at)
        if command.evidence_hash is not None:
            self._evidence.claim(event, command.evidence_hash, command.programme)


_NEVER: Final = 2**63 - 1
