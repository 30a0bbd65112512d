"""Where each programme's envelope is, from its postings alone.

    envelope = unissued + available + reserved + burned + withheld + claimed + paid + receivable

`issued`, and what came back (`expired`, `revoked`, `forfeited`, `received`), are all that ever was: what came back may
have been issued again. An import counts as issued. What was used of it before the log began is a part of `paid`,
carried over.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from tallystick.views.balances import log_time, over_sums
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import BatchSums, ExactSum, Key, Table, values_of
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme as `ProgrammeBalance` has it, but for what time alone makes of it."""

    programme: Key
    treasury: str
    name: str
    payee: str
    closes_at: str
    envelope_fen: ExactSum
    unissued_fen: ExactSum
    available_fen: ExactSum
    reserved_fen: ExactSum
    burned_fen: ExactSum
    withheld_fen: ExactSum
    claimed_fen: ExactSum
    paid_fen: ExactSum
    carried_over_fen: ExactSum
    receivable_fen: ExactSum
    issued_fen: ExactSum
    expired_fen: ExactSum
    revoked_fen: ExactSum
    forfeited_fen: ExactSum
    received_fen: ExactSum


@dataclass(frozen=True, slots=True)
class ProgrammeBalance:
    """A programme's envelope and where it is.

    Attributes:
        payee: `provider`, `holder`, or `contract`: the side that the contract names.
        closed: by the log's time of the last entry followed: its end may come without one.
        over_fen: how much of what is available is of vouchers that are over: it can't be reserved any more.
        withheld_fen: claimed and not paid; it can be claimed again.
        carried_over_fen: how much of what is paid was used before the log began: to whom it went, no entry says.
        receivable_fen: paid without right, and asked back.
        forfeited_fen: burned, and gone back: disallowed, or not claimed in time.
        received_fen: paid, asked back, and come back.
    """

    programme: str
    treasury: str
    name: str
    payee: str
    closes_at: str
    closed: bool
    envelope_fen: int
    unissued_fen: int
    available_fen: int
    over_fen: int
    reserved_fen: int
    burned_fen: int
    withheld_fen: int
    claimed_fen: int
    paid_fen: int
    carried_over_fen: int
    receivable_fen: int
    issued_fen: int
    expired_fen: int
    revoked_fen: int
    forfeited_fen: int
    received_fen: int


PROGRAMMES: Final = Table("programmes", ProgrammeRow)


class ProgrammeBooks:
    """What a batch of entries changes for programmes."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._programmes = BatchSums(PROGRAMMES)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for posting, voucher, _ in change.moves:
            sums = self._programmes.of(posting.programme)
            amount_fen = posting.amount_fen
            if "envelope" in (posting.source, posting.target):  # opened, or amended to more or less
                more_fen = amount_fen if posting.source == "envelope" else -amount_fen
                sums["envelope_fen"] += more_fen
                sums["unissued_fen"] += more_fen
                continue
            sums[f"{posting.source}_fen"] -= amount_fen
            sums[f"{posting.target}_fen"] += amount_fen
            if posting.source == "unissued":
                sums["issued_fen"] += amount_fen
                sums["carried_over_fen"] += amount_fen if posting.target == "paid" else 0
            elif posting.target == "unissued":
                sums[f"{came_back(posting.source, voucher, change.state)}_fen"] += amount_fen
        for name in change.things.get("rules", ()):
            self._programmes.of(name)

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        self._programmes.write(c, lambda programme: _said_of(programme, state))


def came_back(source: str, voucher: str | None, state: State) -> str:
    """Return as what an amount went back to a programme: of a voucher that ended, as that says."""
    if voucher is not None:
        return state.vouchers[voucher].status
    return "received" if source == "receivable" else "forfeited"


def _said_of(name: str, state: State) -> dict[str, Any]:
    programme = state.programmes[name]
    payee = programme.rules.payee
    return {
        "treasury": programme.treasury,
        "name": programme.name,
        "payee": payee,
        "closes_at": format_instant(programme.closes_at),
    }


# -- questions --------------------------------------------------------------------------------------------------------


def programme_balances(c: SQLiteCursor, *, programme: str | None = None) -> tuple[ProgrammeBalance, ...]:
    """Return programmes in order of their ids: all, or one."""
    over, now = over_sums(c, programme=programme), log_time(c)
    return tuple(
        ProgrammeBalance(**values_of(row), closed=row.closes_at <= now, over_fen=over.get(row.programme, 0))
        for row in PROGRAMMES.rows(c, programme=programme)
    )
