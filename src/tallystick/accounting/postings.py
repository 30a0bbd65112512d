"""A log replayed for its books: what each entry posts, whose money that is, and which lines it burns or takes back.

The log is believed, as views believe it; whether it was decided rightly, an audit says. Amounts are of the postings
that `evolve` makes, the same that the writer made. Entries that move nothing and burn nothing are passed over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallystick.accounting.accounts import JournalAccount, money_account
from tallystick.accounting.unasked import state_for_books
from tallystick.accounting.used_lines import LinePayment, UsedLine, lines_of
from tallystick.errors import MalformedError, NotALedgerError
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader
from tallystick.transparency.merkle import leaf_hash
from tallystick.vouchers.book import Account, Posting, dated_lot_of, lot_in
from tallystick.vouchers.editions import check_first_edition
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.rules.burning import BurnReverse
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State

_ENTRIES_BETWEEN_REPORTS: Final = 256
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
    state = state_for_books(origin)
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


def _booked(
    event: Event, postings: tuple[Posting, ...], state: State, sealed_day: int | None, data: bytes
) -> BookedEntry:
    used = lines_of(event, state, sealed_day)
    contract = None if used is None else state.contracts[used.statement.contract]
    today = state.day_of(event.at)
    return BookedEntry(
        event.index,
        event.at,
        today,
        leaf_hash(data),
        event,
        tuple([_posting(posting, event, state, today) for posting in postings]),
        () if used is None else used.lines,
        None if used is None else used.statement.contract,
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


__all__ = ["BookedEntry", "BookedPosting", "LinePayment", "UsedLine", "booked_entries", "replayed"]
