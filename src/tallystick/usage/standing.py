"""What a log has of a provider's jobs: the lines that stand, those taken back, and what holds for new ones.

It is made of entries, in the log's order, and believes them: who signed a log, an audit verifies.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant
from tallystick.vouchers.rules.accreditations import ProviderAccredit
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.contracts import ContractAmend, ContractSign
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.reservations import ReservationExtend, VoucherReserve
from tallystick.vouchers.rules.rule import Event

KINDS: Final = (
    "network.founded/1",
    "contract.signed/1",
    "contract.amended/1",
    "voucher.reserved/1",
    "reservation.extended/1",
    "provider.accredited/1",
    "book.sealed/1",
    "time.burned/1",
    "burn.reversed/1",
)
"""The kinds of events that say something of it."""
_KINDS: Final = frozenset(KINDS)
OWN_KINDS: Final = frozenset({"time.burned/1", "burn.reversed/1"})
"""Those that count only where the provider itself gave them."""
_HEADER_SIZE: Final = 160
"""Bytes in which an entry's kind stands: a time, an index and the kind are before anything else."""

Spell = tuple[str, str]
"""A job and an item: what has each moment burned once."""


class LoggedLine(NamedTuple):
    """An accepted line of a statement.

    Attributes:
        entry: of the statement, its index.
        statement: its reference.
        number: of the line in it.
        from_voucher_fen: what programmes paid of its fee.
        is_late: booked on the day of its entry, not on that of its end.
    """

    entry: int
    statement: str
    number: int
    contract: str
    item: str
    job: str
    gpu_milli: int
    starts_at: int
    ends_at: int
    seconds: int
    fee_fen: int
    from_voucher_fen: int
    is_late: bool

    @property
    def spell(self) -> Spell:
        """Its job and item."""
        return self.job, self.item

    @property
    def place(self) -> tuple[str, int]:
        """By what a reversal or a correction names it."""
        return self.statement, self.number

    @property
    def gpu_milliseconds(self) -> int:
        """GPU-time in thousandths of a GPU-second."""
        return self.gpu_milli * self.seconds


@dataclass(slots=True)
class ContractDays:
    """Whose contract it is, and when it holds.

    Attributes:
        starts_at: the beginning of its first day (µs).
        ends_at: the end of its last.
        ends: where what may be spent under it begins or ends (µs), in no order.
    """

    holder: str
    provider: str
    starts_at: int
    ends_at: int
    ends: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Standing:
    """What a log of `size` entries has of some jobs of a provider.

    Attributes:
        provider: whose statements these are.
        lines: the lines that stand, by job and item, in the order of their beginnings.
        reversed: the lines that were taken back.
        corrected: places of lines that another line stands for already.
        attempts: by job and item, the entries whose lines of it were refused.
        contracts: those of the provider.
        sealed_until: what ends before it lies in sealed days (µs); 0 if nothing is sealed.
        utc_offset_us: of the network.
        at: the log's time of the last entry that was read (µs).
    """

    provider: str
    lines: dict[Spell, list[LoggedLine]] = field(default_factory=dict)
    reversed: dict[Spell, list[LoggedLine]] = field(default_factory=dict)
    corrected: set[tuple[str, int]] = field(default_factory=set)
    attempts: dict[Spell, list[int]] = field(default_factory=dict)
    contracts: dict[str, ContractDays] = field(default_factory=dict)
    sealed_until: int = 0
    utc_offset_us: int = 0
    at: int = 0

    def holder_of(self, contract: str) -> str:
        """Return whose contract it is; empty if the log doesn't have it."""
        found = self.contracts.get(contract)
        return "" if found is None else found.holder


def standing_of(
    entries: Iterable[bytes], provider: str, jobs: Collection[str] | None, *, since: int | None = None
) -> Standing:
    """Return what a log has of a provider's jobs.

    Args:
        entries: in the log's order; those that say nothing of it are passed over quickly.
        provider: whose.
        jobs: of which the lines are wanted; None for all.
        since: if given, lines of other jobs that ended at this time (µs) or later are kept too.

    Raises:
        EntryMalformedError: an entry can't be read.
    """
    reader = _Reader(provider, jobs, since)
    for data in entries:
        if may_say_something(data, provider):
            reader.take(Entry.from_bytes(data).event)
    return reader.standing()


def may_say_something(data: bytes, provider: str) -> bool:
    """Return whether an entry may be one of those that count, by its first bytes and the provider's name in it."""
    begin = data.find(b'"kind":"', 0, _HEADER_SIZE)
    kind = data[begin + 8 : data.find(b'"', begin + 8)].decode("ascii", "replace")
    return kind in _KINDS and (kind not in OWN_KINDS or b'"party":"%s"' % provider.encode() in data)


class _Reader:
    """Takes entries in, one after another."""

    def __init__(self, provider: str, jobs: Collection[str] | None, since: int | None) -> None:
        self._jobs = jobs
        self._since = since
        self._kept = dict[tuple[int, int], LoggedLine]()
        self._taken_back = set[tuple[int, int]]()
        self._statements = dict[str, int]()
        self._reserved = dict[str, str]()  # contract by reservation
        self._found = Standing(provider)

    def take(self, event: Event) -> None:
        found, command = self._found, event.command
        found.at = event.at
        match command:
            case TimeBurn() if command.party == found.provider:
                self._burned(event, command)
            case BurnReverse() if command.party == found.provider:
                index = self._statements.get(command.statement)
                if index is not None:
                    self._taken_back.add((index, command.line))
            case BookSeal():
                found.sealed_until = self._start_of(command.last_day + 1)
            case NetworkFound():
                found.utc_offset_us = command.utc_offset_seconds * SECOND_US
            case ContractSign() if command.provider == found.provider:
                begin, end = self._start_of(command.first_day), self._start_of(command.last_day + 1)
                found.contracts[command.contract] = ContractDays(command.holder, command.provider, begin, end)
            case _:
                self._ends(command)

    def _ends(self, command: object) -> None:
        """Take note of where what may be spent begins or ends."""
        contracts = self._found.contracts
        match command:
            case ContractAmend(last_day=int(day)) if command.contract in contracts:
                contracts[command.contract].ends_at = self._start_of(day + 1)
            case VoucherReserve() if command.contract in contracts:
                self._reserved[command.reservation] = command.contract
                contracts[command.contract].ends.add(command.until)
            case ReservationExtend(until=int(until)) if command.reservation in self._reserved:
                contracts[self._reserved[command.reservation]].ends.add(until)
            case ProviderAccredit() if command.provider == self._found.provider:
                for one in contracts.values():
                    one.ends.add(command.valid_from)

    def _burned(self, event: Event, command: TimeBurn) -> None:
        outcome = event.outcome
        assert isinstance(outcome, Burned)
        self._statements[command.ref] = event.index
        refused, paid_fen = dict(outcome.refused), outcome.paid_fen()
        fee_fen, wanted, since, found = outcome.fee_fen, self._jobs, self._since, self._found
        number = -1
        for group in command.groups:
            for job, gpu_milli, starts_at, ends_at, seconds, options in group.lines:
                number += 1
                if wanted is not None and job not in wanted and (since is None or ends_at < since):
                    continue
                if number in refused:
                    found.attempts.setdefault((job, group.item), []).append(event.index)
                    continue
                is_late = options is not None and (options.corrects is not None or options.prior_period is True)
                if options is not None and options.corrects is not None:
                    found.corrected.add((options.corrects.statement, options.corrects.line))
                self._kept[event.index, number] = LoggedLine(
                    event.index,
                    command.ref,
                    number,
                    command.contract,
                    group.item,
                    job,
                    gpu_milli,
                    starts_at,
                    ends_at,
                    seconds,
                    fee_fen[number],
                    paid_fen[number],
                    is_late,
                )

    def _start_of(self, day: int) -> int:
        return day * DAY_US - self._found.utc_offset_us

    def standing(self) -> Standing:
        """Return what stands now."""
        found = self._found
        for place, line in self._kept.items():
            into = found.reversed if place in self._taken_back else found.lines
            into.setdefault(line.spell, []).append(line)
        for lines in (*found.lines.values(), *found.reversed.values()):
            lines.sort(key=lambda line: (line.starts_at, line.entry, line.number))
        return found


def said_of(line: LoggedLine) -> dict[str, object]:
    """Return a line as `--json` says it."""
    return {
        "statement": line.statement,
        "line": line.number,
        "entry": line.entry,
        "contract": line.contract,
        "item": line.item,
        "job": line.job,
        "gpu_milli": line.gpu_milli,
        "starts_at": format_instant(line.starts_at),
        "ends_at": format_instant(line.ends_at),
        "seconds": line.seconds,
        "gpu_milliseconds": line.gpu_milliseconds,
        "fee_fen": line.fee_fen,
        "from_voucher_fen": line.from_voucher_fen,
    }
