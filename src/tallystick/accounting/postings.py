"""A log replayed for its books: what each entry posts, whose money that is, and which lines it burns or takes back.

The log is believed, as views believe it; whether it was decided rightly, an audit says. Amounts are of the postings
that `evolve` makes, the same that the writer made. Entries that move nothing and burn nothing are passed over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallystick.accounting.accounts import JournalAccount, money_account
from tallystick.errors import MalformedError, NotALedgerError
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader
from tallystick.transparency.merkle import leaf_hash
from tallystick.vouchers.book import Account, Posting, dated_lot_of, lot_in
from tallystick.vouchers.burns import BurnedLine, Group, JobTimes, Statement
from tallystick.vouchers.editions import check_first_edition
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.burn_lines import Corrected, is_booked_late
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.seals import Touches
from tallystick.vouchers.state import State

_ENTRIES_BETWEEN_REPORTS: Final = 256
_SERVICE: Final = "="
"""Begins what stands for a service's job, and no job."""
_OF_LOTS: Final = ("burned", "claimed", "withheld")


class BookedPosting(NamedTuple):
    """A posting, and what it is about; None where it is about none.

    Attributes:
        source, target: the accounts of a journal between which it moves.
        amount_fen: more than nothing.
        day: on which it is booked (days since 1970, of the network's calendar): of a line that of its end, or, of one
            that is reported late, that of its entry; of what takes an unclaimed line back, that line's; of all else
            that of the entry.
        posting: as the book has it.
        programme: whose money it is.
        voucher: whose money moves; of a transfer, the one that it leaves.
        reservation: where something is reserved, released, burned of it, or given back to it.
        contract, claim, demand: those that the amount is under, claimed in, or asked back by.
        into: of a transfer, the voucher that it makes.
    """

    source: JournalAccount
    target: JournalAccount
    amount_fen: int
    day: int
    posting: Posting
    programme: str
    voucher: str | None
    reservation: str | None
    contract: str | None
    claim: str | None
    demand: str | None
    into: str | None


class LinePayment(NamedTuple):
    """What a reservation paid of a line, or, less than nothing, got back."""

    reservation: str
    voucher: str
    programme: str
    amount_fen: int


class UsedLine(NamedTuple):
    """An accepted line of a statement, or one that is taken back: then its amounts are less than nothing.

    Attributes:
        statement: the index of its statement's entry, which is that of the entry itself unless it is taken back.
        statement_ref: the statement's document number.
        number: of the line in its statement, from 0.
        item: what was used.
        is_gpu_time: or else a service, which is counted, or invoiced: then its quantity is 0.
        job: what the provider calls it; empty of a service.
        starts_at, ends_at: its interval (microseconds).
        quantity: GPU-milliseconds, or units of what is counted.
        fee_fen: what it costs.
        absorbed_fen: of the contract's other support.
        payments: what programmes paid.
        day: on which it is booked.
        corrects: the line taken back that it stands for, if it is a correction.
        is_of_sealed_day: whether the day that it is about was sealed before: of a line that is taken back the day on
            which that is booked.
    """

    statement: int
    statement_ref: str
    number: int
    item: str
    is_gpu_time: bool
    job: str
    starts_at: int
    ends_at: int
    quantity: int
    fee_fen: int
    absorbed_fen: int
    payments: tuple[LinePayment, ...]
    day: int
    corrects: Corrected | None
    is_of_sealed_day: bool


@dataclass(slots=True)
class BookedEntry:
    """An entry of a log that posts something, or burns something that no programme pays.

    Attributes:
        index: of the entry.
        at: the log's time of it (microseconds).
        day: of that, in the network's time zone (days since 1970).
        leaf_hash: of the entry, in the log's tree: 32 bytes.
        event: what was recorded: its command with `party` and `ref`, its kind, its outcome.
        postings: in the book's order.
        lines: accepted, or taken back.
        contract, provider, holder: of these lines; None if there are none.
        state: after the entry. It goes on to change as soon as the next entry is asked for. It doesn't know which job's
            time is burned, nor which entries touched an account.
    """

    index: int
    at: int
    day: int
    leaf_hash: bytes
    event: Event
    postings: tuple[BookedPosting, ...]
    lines: tuple[UsedLine, ...]
    contract: str | None
    provider: str | None
    holder: str | None
    state: State


def booked_entries(reader: Reader, size: int | None = None, progress: Progress | None = None) -> Iterator[BookedEntry]:
    """Yield what the entries of a log book, in their order.

    Args:
        reader: the log.
        size: how many entries count; all, if not given.
        progress: told how far it is.

    Raises:
        NotALedgerError: an entry can't be read or replayed.
        EditionUnknownError: the log was made by rules that this version doesn't know.
    """
    stop = reader.size if size is None else min(size, reader.size)
    check_first_edition(reader.entries(0, min(stop, 1)))
    return replayed(reader.origin, reader.entries(0, stop), stop, progress)


def replayed(
    origin: str, entries: Iterable[bytes], size: int, progress: Progress | None = None
) -> Iterator[BookedEntry]:
    """Yield what entries book, from the first one of a log on; raises what `booked_entries` does."""
    state = State.empty(origin)
    state.job_times = _JobTimesUnasked()
    state.touches = _TouchesUnasked()
    try:
        for data in entries:
            event = Entry.believed(data).event
            sealed_day = state.sealed_day
            postings = evolve(state, event)
            booked = _booked(event, postings, state, sealed_day, data)
            if progress is not None and state.size % _ENTRIES_BETWEEN_REPORTS == 0:
                progress(state.size, size)
            if booked.postings or booked.lines:
                yield booked
    except (MalformedError, ValueError, LookupError) as error:
        raise NotALedgerError(f"entry {state.size} can't be replayed ({error}); `tallystick audit` says more") from None
    if state.size != size:
        raise NotALedgerError(f"entry {state.size} is missing; `tallystick audit` says more")


class _NoTouches(Touches):
    """Which entries touched an account; only seals ask, and what they seal is checked by audits."""

    def add(self, index: int) -> None:
        """Keep nothing."""


class _TouchesUnasked(dict[str, Touches]):
    """By account."""

    def get(self, key: str, default: object = None) -> Touches:
        """Return what is kept of an account."""
        return _NO_TOUCHES


_NO_TOUCHES: Final = _NoTouches()


class _TimesUnasked(JobTimes):
    """The burned moments of an item's jobs, of which only decisions ask: they aren't kept, which halves the memory."""

    __slots__ = ()

    def add(self, group: Group) -> None:
        """Take note that there is a statement."""
        self._groups += 1

    def reverse(self, group: Group, line: BurnedLine) -> None:
        """Keep nothing."""

    def forget(self, group: Group) -> None:
        """Take note that a statement isn't remembered any more."""
        self._groups -= 1


class _ItemsUnasked(dict[str, JobTimes]):
    """By item."""

    def setdefault(self, key: str, default: JobTimes | None = None) -> JobTimes:
        """Return what is kept of an item."""
        return super().setdefault(key, _TimesUnasked())


class _JobTimesUnasked(dict[str, dict[str, JobTimes]]):
    """By provider and item."""

    def setdefault(self, key: str, default: dict[str, JobTimes] | None = None) -> dict[str, JobTimes]:
        """Return what is kept of a provider."""
        return super().setdefault(key, _ItemsUnasked())


def _booked(
    event: Event, postings: tuple[Posting, ...], state: State, sealed_day: int | None, data: bytes
) -> BookedEntry:
    command = event.command
    statement = lines = None
    if isinstance(command, TimeBurn):
        assert isinstance(event.outcome, Burned)
        statement = state.statements[command.party][command.ref]
        lines = tuple(_burned_lines(command, event.outcome, event, state, sealed_day))
    elif isinstance(command, ServiceBurn):
        statement = state.statements[command.party][command.ref]
        lines = tuple(
            [_used(one, statement, command.ref, state, sealed_day, 1, command.corrects) for one in statement.lines()]
        )
    elif isinstance(command, BurnReverse):
        statement = state.statements[command.party][command.statement]
        lines = tuple(_taken_back(command, statement, state, sealed_day))
    contract = None if statement is None else state.contracts[statement.contract]
    today = state.day_of(event.at)
    return BookedEntry(
        event.index,
        event.at,
        today,
        leaf_hash(data),
        event,
        tuple([_posting(posting, event, state, today) for posting in postings]),
        lines or (),
        None if statement is None else statement.contract,
        None if contract is None else contract.provider,
        None if contract is None else contract.holder,
        state,
    )


def _posting(posting: Posting, event: Event, state: State, today: int) -> BookedPosting:
    programme, source, source_id, target, target_id, amount_fen = posting
    if target == "burned" and source == "reserved":  # most are
        held = state.reservations[source_id]
        return BookedPosting(
            money_account("reserved", programme, held.holder),
            money_account("burned", programme, held.provider),
            amount_fen,
            int(target_id.rpartition(" ")[2]),
            posting,
            programme,
            held.voucher,
            source_id,
            held.contract,
            None,
            None,
            None,
        )
    day, contract = today, None
    reservation = claim = None
    for account, account_id in ((source, source_id), (target, target_id)):
        if account in _OF_LOTS:
            contract = lot_in(account, account_id).contract
            if account == "claimed":
                claim = account_id.partition(" ")[0]
        elif account == "reserved":
            reservation = account_id
            contract = state.reservations[account_id].contract
    if source == "burned" and isinstance(event.command, BurnReverse):
        day = dated_lot_of(source_id).day
    imported = event.command.voucher if isinstance(event.command, VoucherImport) else None
    demand = source_id if source == "receivable" else target_id if target == "receivable" else None
    return BookedPosting(
        money_account(source, programme, _party(source, source_id, programme, state)),
        money_account(target, programme, _party(target, target_id, programme, state)),
        amount_fen,
        day,
        posting,
        programme,
        state.voucher_of(source, source_id) or state.voucher_of(target, target_id) or imported,
        reservation,
        contract,
        claim,
        demand,
        target_id if source == target else None,
    )


def _party(account: Account, account_id: str, programme: str, state: State) -> str | None:
    """Return whose money lies in an account of the book: a holder's, a provider's, a payee's; None: the programme's."""
    match account:
        case "available":
            return state.vouchers[account_id].holder
        case "reserved":
            return state.reservations[account_id].holder
        case "burned":
            return state.contracts[dated_lot_of(account_id).contract].provider
        case "claimed":
            return state.claims[account_id.partition(" ")[0]].claimant
        case "withheld":
            return state.claimant(programme, lot_in(account, account_id).contract)
        case "paid":
            return account_id.partition(" ")[2]
        case "receivable":
            return state.demands[account_id].payee
    return None


def _burned_lines(
    command: TimeBurn, outcome: Burned, event: Event, state: State, sealed_day: int | None
) -> Iterator[UsedLine]:
    """Yield the lines of a statement that were accepted."""
    refused = {number for number, _ in outcome.refused}
    absorbed = dict(outcome.absorbed)
    paid = [
        (name, held.voucher, held.programme, fen) for name, fen in outcome.paid for held in [state.reservations[name]]
    ]
    utc_offset_us, ref, index = state.utc_offset_us, command.ref, event.index
    today = (event.at + utc_offset_us) // DAY_US
    number = -1
    for item, line in command.lines():
        number += 1
        if number in refused:
            continue
        job, gpu_milli, starts_at, ends_at, seconds, options = line
        used_day = (ends_at + utc_offset_us) // DAY_US
        yield UsedLine(
            index,
            ref,
            number,
            item,
            True,
            job,
            starts_at,
            ends_at,
            gpu_milli * seconds,
            outcome.fee_fen[number],
            absorbed.get(number, 0),
            tuple(
                [
                    LinePayment(name, voucher, programme, fen[number])
                    for name, voucher, programme, fen in paid
                    if fen[number]
                ]
            ),
            today if options is not None and is_booked_late(line) else used_day,
            None if options is None else options.corrects,
            sealed_day is not None and used_day <= sealed_day,
        )


def _taken_back(command: BurnReverse, statement: Statement, state: State, sealed_day: int | None) -> Iterator[UsedLine]:
    line = statement.line(command.line)
    if line is not None:
        yield _used(line, statement, command.statement, state, sealed_day, -1, None)


def _used(
    line: BurnedLine,
    statement: Statement,
    ref: str,
    state: State,
    sealed_day: int | None,
    sign: int,
    corrects: Corrected | None,
) -> UsedLine:
    utc_offset_us = state.utc_offset_us
    used_day = (line.ends_at + utc_offset_us) // DAY_US
    day = (statement.at + utc_offset_us) // DAY_US if line.is_booked_late else used_day
    is_gpu_time = not line.job.startswith(_SERVICE)
    reservations = state.reservations
    return UsedLine(
        statement.index,
        ref,
        line.number,
        line.item,
        is_gpu_time,
        line.job if is_gpu_time else "",
        line.starts_at,
        line.ends_at,
        sign * line.gpu_milli_seconds,
        sign * line.fee_fen,
        sign * line.absorbed_fen,
        tuple(
            [
                LinePayment(name, (held := reservations[name]).voucher, held.programme, sign * fen)
                for name, fen in line.payments
            ]
        ),
        day,
        corrects,
        sealed_day is not None and (used_day if sign > 0 else day) <= sealed_day,
    )


__all__ = ["BookedEntry", "BookedPosting", "LinePayment", "UsedLine", "booked_entries", "replayed"]
