"""Vouchers passed on until they come back, and vouchers passed on soon after their issue.

Kept: issues of the last days; of a voucher that was passed on, its holders so far; of each programme, who passed
something on to whom.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from tallystick.forms.amounts import yuan
from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer
from tallystick.vouchers.state import State

HOLDERS_KEPT: Final = 16
"""Of one voucher, the newest ones."""
RECEIVERS_SHOWN: Final = 5
SEARCHED_MAX: Final = 1_000
"""Transfers that are looked at in the search for a circle."""


@dataclass(frozen=True, slots=True)
class _Hold:
    """A holder of a voucher, and the entry by which it became that; None, if that isn't of what was looked at."""

    holder: str
    index: int | None
    at: int


@dataclass(slots=True)
class _Issued:
    """A voucher that was issued within the last days."""

    index: int
    at: int
    holder: str
    face_fen: int
    programme: str
    passed_on_fen: int = 0
    receivers: dict[str, None] = field(default_factory=dict)
    entries: Entries = field(default_factory=Entries)


@dataclass(slots=True)
class _Circle:
    """Circles of the same parties: of one voucher, or of different ones."""

    is_one_voucher: bool
    holders: tuple[str, ...]
    programme: str
    vouchers: list[str]
    times: int = 0
    amount_fen: int = 0
    days: int = 0
    entries: Entries = field(default_factory=Entries)


class PassingOnWatch:
    """Every transfer."""

    def __init__(self, parameters: Parameters) -> None:
        """Nothing was passed on yet."""
        self._parameters = parameters
        self._issued: dict[str, _Issued] = {}
        self._order: deque[str] = deque()
        self._holds: dict[str, tuple[_Hold, ...]] = {}
        self._to: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self._circles: dict[tuple[bool, tuple[str, ...]], _Circle] = {}
        self._at_once: list[tuple[str, _Issued]] = []

    def issue(self, event: Event) -> None:
        """Take in an issue."""
        command = event.command
        assert isinstance(command, VoucherIssue)
        self._forget(event.at)
        self._issued[command.voucher] = _Issued(
            event.index, event.at, command.holder, command.face_fen, command.programme
        )
        self._order.append(command.voucher)

    def transfer(self, event: Event, state: State) -> None:
        """Take in a transfer."""
        command = event.command
        assert isinstance(command, VoucherTransfer)
        self._forget(event.at)
        issued = self._issued.get(command.voucher)
        if issued is not None:
            if not issued.entries.count:
                issued.entries.add(issued.index)
                self._at_once.append((command.voucher, issued))
            issued.passed_on_fen += command.amount_fen
            issued.receivers[command.to] = None
            issued.entries.add(event.index)
        programme = state.vouchers[command.into].programme
        first = _Hold(
            command.party, None if issued is None else issued.index, event.at if issued is None else issued.at
        )
        holds = self._holds.get(command.voucher, (first,))
        self._holds[command.into] = (*holds, _Hold(command.to, event.index, event.at))[-HOLDERS_KEPT:]
        if not self._close_voucher(command, event, holds, programme):
            self._close_parties(command, event, programme)
        self._to[programme][command.party][command.to] = event.index

    def _forget(self, at: int) -> None:
        """Drop issues that nothing is soon after any more."""
        oldest = at - self._parameters.passed_on_days * DAY_US
        while self._order and self._issued[self._order[0]].at < oldest:
            del self._issued[self._order.popleft()]

    def _close_voucher(self, command: VoucherTransfer, event: Event, holds: tuple[_Hold, ...], programme: str) -> bool:
        """Note that a voucher came back to an earlier holder, and return whether it did."""
        places = [place for place, one in enumerate(holds) if one.holder == command.to]
        if not places:
            return False
        way = holds[places[-1] + 1 :]
        holders = (command.to, *[one.holder for one in way])
        circle = self._circle(True, holders, programme)
        days = (event.at - way[0].at) // DAY_US if way else 0
        circle.days = min(circle.days, days) if circle.times else days
        self._count(circle, command, [*[one.index for one in way if one.index is not None], event.index])
        return True

    def _close_parties(self, command: VoucherTransfer, event: Event, programme: str) -> None:
        """Note that the parties passed vouchers on in a circle, though not the same one."""
        found = self._way(programme, command.to, command.party)
        if found is not None:
            holders, indices = found
            circle = self._circle(False, (command.party, *holders[:-1]), programme)
            self._count(circle, command, [*indices, event.index])

    def _count(self, circle: _Circle, command: VoucherTransfer, indices: list[int]) -> None:
        circle.times += 1
        circle.amount_fen += command.amount_fen
        if len(circle.vouchers) < RECEIVERS_SHOWN:
            circle.vouchers.append(command.into)
        for index in sorted(indices):
            circle.entries.add(index)

    def _circle(self, is_one_voucher: bool, holders: tuple[str, ...], programme: str) -> _Circle:
        key = (is_one_voucher, (programme, *sorted(holders)))
        if key not in self._circles:
            self._circles[key] = _Circle(is_one_voucher, holders, programme, [])
        return self._circles[key]

    def _way(self, programme: str, start: str, goal: str) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
        """Return the shortest way of transfers from a party to another: the parties, and the entries."""
        ways: deque[tuple[tuple[str, ...], tuple[int, ...]]] = deque([((start,), ())])
        known = {start}
        looked_at = 0
        while ways and looked_at < SEARCHED_MAX:
            parties, indices = ways.popleft()
            if len(parties) > self._parameters.circle_parties - 1:
                continue
            for party, index in islice(self._to[programme].get(parties[-1], {}).items(), SEARCHED_MAX - looked_at):
                looked_at += 1
                if party == goal:
                    return (*parties, party), (*indices, index)
                if party not in known:
                    known.add(party)
                    ways.append(((*parties, party), (*indices, index)))
        return None

    def seen(self) -> Iterator[Seen]:
        """Yield circles, and what was passed on at once."""
        yield from map(self._seen_circle, self._circles.values())
        for voucher, issued in self._at_once:
            yield self._seen_at_once(voucher, issued)

    def _seen_circle(self, circle: _Circle) -> Seen:
        severity = Severity.NOTE
        if circle.is_one_voucher:
            severity = Severity.ALARM if circle.days <= self._parameters.circle_days else Severity.WARNING
        way = " to ".join((*circle.holders, circle.holders[0]))
        what = "a voucher went" if circle.is_one_voucher else "different vouchers went"
        within = f" within {circle.days:,} days" if circle.is_one_voucher else ""
        return Seen(
            Pattern.PASSED_ON_IN_CIRCLE,
            severity,
            Certainty.CERTAIN if circle.is_one_voucher else Certainty.POSSIBLE,
            "each transfer names the voucher that it is of"
            if circle.is_one_voucher
            else "the vouchers are different ones",
            circle.holders,
            (f"programme {circle.programme}", *[f"voucher {name}" for name in circle.vouchers]),
            circle.entries.shown,
            {
                "entries": circle.entries.count,
                "times": circle.times,
                "amount_fen": circle.amount_fen,
                "days": circle.days,
            },
            f"{what} from {way}{within}, {yuan(circle.amount_fen)} yuan in {circle.times:,} "
            f"circle{'s' if circle.times > 1 else ''}",
        )

    def _seen_at_once(self, voucher: str, issued: _Issued) -> Seen:
        is_much = issued.passed_on_fen * 100 >= issued.face_fen * self._parameters.passed_on_percent
        receivers = tuple(islice(issued.receivers, RECEIVERS_SHOWN))
        others = " and others" if len(issued.receivers) > RECEIVERS_SHOWN else ""
        return Seen(
            Pattern.PASSED_ON_AT_ONCE,
            Severity.WARNING if is_much else Severity.NOTE,
            Certainty.CERTAIN,
            "issue and transfer name the voucher",
            (issued.holder, *receivers),
            (f"voucher {voucher}", f"programme {issued.programme}"),
            issued.entries.shown,
            {"entries": issued.entries.count, "passed_on_fen": issued.passed_on_fen, "face_fen": issued.face_fen},
            f"{issued.holder} passed on {yuan(issued.passed_on_fen)} of {yuan(issued.face_fen)} yuan of {voucher} to "
            f"{', '.join(receivers)}{others} within {self._parameters.passed_on_days:,} days of its issue",
        )
