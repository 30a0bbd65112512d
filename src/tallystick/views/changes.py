"""What one entry comes to for the views: its postings, each with the voucher that it is about, and a statement's sums.

A posting names a voucher, a reservation or a part of a claim; whose voucher's money that is, the state tells.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallystick.views.line_usage import Used, days_of_lines, used_by_statement
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.authority import MandatedCommand
from tallystick.vouchers.book import AnyAccount, Posting
from tallystick.vouchers.burns import BurnedLine, Statement
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.rule import Event, Rule, touched
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State

Commands = tuple[type[Rule], ...] | None
"""Those of whose entries something is taken; None: of any."""
_USED: Final = frozenset[AnyAccount]({"burned", "claimed", "withheld", "paid", "receivable"})


class Move(NamedTuple):
    """A posting; the voucher whose money moves (of a transfer, the one that it leaves) and the reservation, if any.

    Of what becomes of what was burned, neither: it stays what the voucher was used for, also if it goes back to the
    programme, disallowed, too late, or paid without right. What a line gives back, its reservation had paid, wherever
    it goes.
    """

    posting: Posting
    voucher: str | None
    reservation: str | None


@dataclass(slots=True)
class RefusalSums:
    """The lines of one statement that are refused for one reason."""

    lines: int = 0
    gpu_milliseconds: int = 0


@dataclass(slots=True)
class StatementSums:
    """A statement: its accepted lines, what paid them, and what was refused; a service is one line, and no GPU-time.

    Attributes:
        gpu_milliseconds, fee_fen: of the accepted lines.
        absorbed_fen: of the contract's other support.
        lines_paid: by programme, of how many lines it paid something.
        lines_by_voucher: the same by voucher.
        refusals: by reason.
        used: by day, item and who paid.
    """

    contract: str
    lines_accepted: int = 0
    lines_refused: int = 0
    gpu_milliseconds: int = 0
    fee_fen: int = 0
    absorbed_fen: int = 0
    lines_paid: dict[str, int] = field(default_factory=dict)
    lines_by_voucher: dict[str, int] = field(default_factory=dict)
    refusals: dict[Reason, RefusalSums] = field(default_factory=dict)
    used: list[Used] = field(default_factory=list)


class ReversedLine(NamedTuple):
    """A line that was taken back, and the statement that it is of."""

    statement: Statement
    line: BurnedLine


@dataclass(slots=True)
class Change:
    """An event, the state just after it, and what it moved.

    Attributes:
        names: the accounts that it touches, and the things that it concerns, in order.
        things: what `names` are of, by the first word of each.
        statement: of a statement, its sums.
        reversed: of a reversal, its line.
        leaves: of a seal, all accounts and their leaves, in the order of its tree.
    """

    event: Event
    state: State
    moves: list[Move]
    names: list[str]
    things: dict[str, list[str]]
    statement: StatementSums | None = None
    reversed: ReversedLine | None = None
    leaves: tuple[tuple[str, bytes], ...] = ()

    def available_fen(self, voucher: str) -> int:
        """Return what is available of a voucher just after: the one amount that views take from the state."""
        return self.state.book["available", voucher]

    def moved_fen(self) -> dict[str, int]:
        """Return what moved of each voucher."""
        moved_fen: dict[str, int] = {}
        for posting, voucher, _ in self.moves:
            if voucher is not None:
                moved_fen[voucher] = moved_fen.get(voucher, 0) + posting.amount_fen
        return moved_fen


def sealed_leaves(event: Event, state: State) -> tuple[tuple[str, bytes], ...]:
    """Return what a seal seals, given the state just before it; of any other event nothing."""
    return tuple(account_leaves(state)) if isinstance(event.command, BookSeal) else ()


def change_of(
    event: Event, postings: Iterable[Posting], state: State, leaves: tuple[tuple[str, bytes], ...] = ()
) -> Change:
    """Return what an event comes to.

    Args:
        event: the newest.
        postings: what `evolve` returned for it.
        state: just after it.
        leaves: what `sealed_leaves` returned before it.
    """
    command, outcome = event.command, event.outcome
    if isinstance(outcome, Reversed):
        moves = list(_given_back(postings, outcome, state))
    elif isinstance(command, VoucherImport):
        moves = [Move(posting, command.voucher, None) for posting in postings]
    else:
        moves = [_move(posting, state) for posting in postings]
    names = sorted({*touched(state, event), *command.concerns(state, event)})
    change = Change(event, state, moves, names, _by_kind(names), leaves=leaves)
    if isinstance(command, TimeBurn | ServiceBurn) and isinstance(outcome, Burned):
        days = days_of_lines(command, event, state.utc_offset_us)
        change.statement = sums_of(command, outcome, state, days)
    elif isinstance(command, BurnReverse):
        statement = state.statements[command.party][command.statement]
        line = statement.line(command.line)
        assert line is not None
        change.reversed = ReversedLine(statement, line)
    return change


def _by_kind(names: list[str]) -> dict[str, list[str]]:
    """Return names' things by their first words: `["voucher city/v1"]` is `{"voucher": ["city/v1"]}`."""
    things: dict[str, list[str]] = {}
    for name in names:
        kind, _, thing = name.partition(" ")
        things.setdefault(kind, []).append(thing)
    return things


def _move(posting: Posting, state: State) -> Move:
    _, source, source_id, target, target_id, _ = posting
    if source in _USED:
        return Move(posting, None, None)
    reservation = source_id if source == "reserved" else target_id if target == "reserved" else None
    return Move(posting, state.voucher_of(source, source_id) or state.voucher_of(target, target_id), reservation)


def _given_back(postings: Iterable[Posting], outcome: Reversed, state: State) -> Iterator[Move]:
    """Yield what a reversal moves: of each reservation that had paid, what is unclaimed and what is withheld."""
    rest = iter(postings)
    for reservation, amount_fen, _ in outcome.returned:
        left_fen = amount_fen
        while left_fen:
            posting = next(rest)
            left_fen -= posting.amount_fen
            yield Move(posting, state.reservations[reservation].voucher, reservation)


def mandate_of(command: Rule) -> str | None:
    """Return the mandate by which an operator gave a command, if one did."""
    return command.mandate if isinstance(command, MandatedCommand) else None


def sums_of(
    command: TimeBurn | ServiceBurn,
    outcome: Burned,
    state: State,
    days: Sequence[int],
    counted: Collection[int] | None = None,
) -> StatementSums:
    """Sum a statement once, so that each view takes a few numbers instead of a thousand lines.

    Args:
        command: a statement.
        outcome: what it came to.
        state: just after it.
        days: on which each line is booked (days since 1970).
        counted: the numbers of the lines that count; None: all.
    """
    fees_fen = [fee_fen for number, fee_fen in enumerate(outcome.fee_fen) if counted is None or number in counted]
    sums = StatementSums(command.contract, fee_fen=sum(fees_fen))
    sums.absorbed_fen = sum([fen for number, fen in outcome.absorbed if counted is None or number in counted])
    if isinstance(command, ServiceBurn):
        sums.lines_accepted = 1
    else:
        _add_lines(sums, command, outcome, counted)
    by_programme: dict[str, set[int]] = {}
    by_voucher: dict[str, set[int]] = {}
    for reservation_id, amounts_fen in outcome.paid:
        reservation = state.reservations[reservation_id]
        paid = {number for number, amount_fen in enumerate(amounts_fen) if amount_fen}
        lines = paid if counted is None else paid.intersection(counted)
        if lines:
            by_programme.setdefault(reservation.programme, set()).update(lines)
            by_voucher.setdefault(reservation.voucher, set()).update(lines)
    sums.lines_paid = {programme: len(lines) for programme, lines in by_programme.items()}
    sums.used = used_by_statement(command, outcome, state, days, counted)
    sums.lines_by_voucher = {voucher: len(lines) for voucher, lines in by_voucher.items()}
    return sums


def _add_lines(sums: StatementSums, command: TimeBurn, outcome: Burned, counted: Collection[int] | None) -> None:
    """Count the lines of a statement, accepted and refused."""
    refused = dict(outcome.refused)
    for number, (_, line) in enumerate(command.lines()):
        if counted is not None and number not in counted:
            continue
        gpu_milliseconds = line.gpu_milli * line.seconds
        if number not in refused:
            sums.lines_accepted += 1
            sums.gpu_milliseconds += gpu_milliseconds
            continue
        sums.lines_refused += 1
        refusal = sums.refusals.setdefault(refused[number], RefusalSums())
        refusal.lines += 1
        refusal.gpu_milliseconds += gpu_milliseconds
