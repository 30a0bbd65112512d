"""A journal, whatever it is written as: transactions with their legs, month by month, and what the accounts hold.

    opening        what lay in each account before the first day, if a first day was given
    transaction    one for each entry that books something: for each posting two legs, and two for GPU-time
    month end      what lies in each account that changed in the month; also after the last entry

The day of a transaction is that of its entry, so a journal is in the order of the log, and a balance at a month's end
is what was known then. A leg says on which day it is booked, where that is another one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from tallystick.accounting.accounts import gpu_time_accounts
from tallystick.accounting.amounts import gpu_hour_units
from tallystick.accounting.chart import Chart, ChartAccount
from tallystick.accounting.postings import BookedEntry, BookedPosting, UsedLine
from tallystick.vouchers.quantities import day_after

_ABOUTS_KEPT: Final = 4_096

Details = tuple[tuple[str, str], ...]
"""Names and values."""


class About:
    """What a leg is of: the voucher, the contract and so on; most legs of a log share one with others.

    Attributes:
        details: names and values.
        tags: the same as text, `name:value, name:value`.
    """

    __slots__ = ("details", "tags")

    def __init__(self, details: Details) -> None:
        self.details: Final = details
        self.tags: Final = ", ".join([f"{name}:{value}" for name, value in details])


class Leg(NamedTuple):
    """What a transaction adds to an account.

    Attributes:
        account: of the chart.
        amount: fen, or ten-millionths of a GPU-hour; less than nothing where it is taken away.
        day: on which it is booked.
        about: what it is of.
        programme: of money, whose it is; None of GPU-time.
        item: of GPU-time, what was used; None of money.
    """

    account: ChartAccount
    amount: int
    day: int
    about: About
    programme: str | None = None
    item: str | None = None


class Transaction(NamedTuple):
    """What an entry books; its legs add up to nothing, of money and of GPU-time."""

    entry: BookedEntry
    legs: tuple[Leg, ...]


class Opening(NamedTuple):
    """What lay in the accounts before a day; these add up to nothing too."""

    day: int
    balances: tuple[tuple[ChartAccount, int], ...]


class MonthEnd(NamedTuple):
    """What lies in the accounts that changed, at the end of the last day of a month, or of the last entry's day."""

    day: int
    balances: tuple[tuple[ChartAccount, int], ...]


Part = Opening | Transaction | MonthEnd


@dataclass(frozen=True, slots=True)
class Period:
    """Which entries a journal is of, by the day of the entry; None: from the first, to the last."""

    first_day: int | None = None
    last_day: int | None = None


@dataclass
class RunningBalances:
    """What lies in each account, entry by entry.

    Attributes:
        amounts: fen, or ten-millionths of a GPU-hour, by account; also of those in which nothing lies any more.
    """

    chart: Chart
    by_line: bool = False
    amounts: dict[ChartAccount, int] = field(default_factory=lambda: defaultdict(int))
    _gpu_time: dict[tuple[str, str, str], "_GpuTime"] = field(default_factory=dict)

    def add(self, entry: BookedEntry, *, only_by: int | None = None) -> tuple[Leg, ...]:
        """Take in an entry, and return the legs of its transaction.

        Args:
            entry: the next.
            only_by: the last day that counts (days since 1970) by what is booked; None: all count.
        """
        legs: list[Leg] = []
        for posting in entry.postings:
            if only_by is None or posting.day <= only_by:
                legs += self._legs_of(posting)
        if entry.lines:
            lines = entry.lines if only_by is None else [line for line in entry.lines if line.day <= only_by]
            legs += self._time_legs(entry, lines)
        amounts = self.amounts
        for leg in legs:
            amounts[leg[0]] += leg[1]
        return tuple(legs)

    def _legs_of(self, posting: BookedPosting) -> tuple[Leg, Leg]:
        source, target, amount_fen, day, _, programme, voucher, reservation, contract, claim, demand, into = posting
        about = about_of(voucher, reservation, contract, claim, demand)
        there = about if into is None else about_of(into, reservation, contract, claim, demand)
        account_of = self.chart.account_of
        return (
            Leg(account_of(source), -amount_fen, day, about, programme),
            Leg(account_of(target), amount_fen, day, there, programme),
        )

    def _time_legs(self, entry: BookedEntry, lines: Iterable[UsedLine]) -> list[Leg]:
        """Return the legs of GPU-time: of each line, or of each item and day."""
        provider, holder, contract = entry.provider, entry.holder, entry.contract
        legs: list[Leg] = []
        if provider is None or holder is None or contract is None:
            return legs
        sums: dict[tuple[str, int], int] = {}
        for line in lines:
            if not line.is_gpu_time:
                continue
            quantity = line.quantity
            if self.by_line:
                about = About(
                    (("contract", contract), ("line", str(line.number)), ("job", line.job), ("gpu_ms", str(quantity)))
                )
                legs += self._time_pair(provider, holder, line.item, quantity, line.day, about)
            else:
                sums[line.item, line.day] = sums.get((line.item, line.day), 0) + quantity
        for (item, day), quantity in sums.items():
            about = About((("contract", contract), ("gpu_ms", str(quantity))))
            legs += self._time_pair(provider, holder, item, quantity, day, about)
        return legs

    def _time_pair(
        self, provider: str, holder: str, item: str, gpu_milliseconds: int, day: int, about: About
    ) -> tuple[Leg, Leg]:
        whose = provider, holder, item
        known = self._gpu_time.get(whose)
        if known is None:
            used, given = map(self.chart.account_of, gpu_time_accounts(provider, holder, item))
            known = self._gpu_time[whose] = _GpuTime(used, given)
        known.milliseconds += gpu_milliseconds
        before, known.units = known.units, gpu_hour_units(known.milliseconds)
        units = known.units - before
        return (
            Leg(known.used, units, day, about, None, item),
            Leg(known.given, -units, day, about, None, item),
        )


@dataclass(slots=True)
class _GpuTime:
    """Where the GPU-time of an item is counted, and what it is so far: exactly, and rounded."""

    used: ChartAccount
    given: ChartAccount
    milliseconds: int = 0
    units: int = 0


_DETAILS: Final = ("voucher", "reservation", "contract", "claim", "demand")


@lru_cache(maxsize=_ABOUTS_KEPT)
def about_of(*values: str | None) -> About:
    """Return what a posting is of: voucher, reservation, contract, claim and demand, where there are such."""
    return About(tuple([(name, value) for name, value in zip(_DETAILS, values, strict=True) if value is not None]))


@dataclass
class Journal:
    """A journal to be made of a log's entries.

    Attributes:
        chart: names the accounts.
        period: whose entries are in it.
        by_line: GPU-time has legs of its own for each line, and says the job.
        transactions: how many there were so far.
    """

    chart: Chart
    period: Period = field(default_factory=Period)
    by_line: bool = False
    transactions: int = 0

    def parts(self, entries: Iterable[BookedEntry]) -> Iterator[Part]:
        """Yield the parts of the journal, in order.

        Args:
            entries: of the log, from the first on: what lies in the accounts before the period follows from them.

        Raises:
            UsageError: an account has no place in the chart, or that names what isn't in the log.
        """
        first_day, last_day = self.period.first_day, self.period.last_day
        running = RunningBalances(self.chart, by_line=self.by_line)
        before = first_day
        changed: dict[ChartAccount, None] = {}
        day, state = 0, None
        for entry in entries:
            state = entry.state
            if last_day is not None and entry.day > last_day:
                break
            if before is not None and entry.day >= before:
                yield from _opening(before, running)
                before = None
            if changed and month_of(entry.day) != month_of(day):
                yield _month_end(last_day_of_month(day), changed, running)
                changed = {}
            legs = running.add(entry)
            if before is None:
                self.transactions += 1
                yield Transaction(entry, legs)
                changed |= dict.fromkeys([leg.account for leg in legs])
                day = entry.day
        if before is not None:
            yield from _opening(before, running)
        if changed:
            yield _month_end(day, changed, running)
        if state is not None:
            self.chart.check_names(state)


def _month_end(day: int, changed: Iterable[ChartAccount], running: RunningBalances) -> MonthEnd:
    return MonthEnd(day, tuple([(account, running.amounts[account]) for account in changed]))


def _opening(day: int, running: RunningBalances) -> Iterator[Opening]:
    balances = [(account, amount) for account, amount in running.amounts.items() if amount]
    if balances:
        yield Opening(day, tuple(sorted(balances, key=lambda one: one[0].name)))


def month_of(day: int) -> tuple[int, int]:
    """Return year and month of a day (days since 1970)."""
    return day_after(day - 1)[:2]


def last_day_of_month(day: int) -> int:
    """Return the last day (days since 1970) of a day's month."""
    last = day
    while day_after(last)[2] != 1:
        last += 1
    return last
