"""Mandates: what an operator may do for a treasury, what it did by them, and what is left of each.

    total = used + left

Used is what left the treasury by it: vouchers issued, claims paid. What was revoked later stays used.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.balances import log_time
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import BatchSums, IndexKey, Key, Sum, Table
from tallystick.vouchers.authority import MandatedCommand
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.reservations import ReservationRelease
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class MandateRow:
    """A mandate as `MandateBalance` has it, but for what follows from its sums and from time."""

    mandate: Key
    treasury: str
    operator: str
    kinds: str
    programme: str | None
    until: str
    ended: bool
    each_fen: int
    total_fen: int
    used_fen: Sum


@dataclass(frozen=True, slots=True)
class MandateActRow:
    """An entry that was commanded by a mandate; what it says, `MandateAct` says."""

    mandate: Key
    entry_index: IndexKey
    at: int
    kind: str
    ref: str
    about: str
    amount_fen: int


MANDATES: Final = Table("mandates", MandateRow, lookups=("treasury", "operator"))
MANDATE_ACTS: Final = Table("mandate_acts", MandateActRow)


@dataclass(frozen=True, slots=True)
class MandateBalance:
    """A mandate as it stands.

    Attributes:
        treasury, operator: for whom, and who.
        kinds: of commands, for example `voucher.issue/1`.
        programme: the one that they are about; None: all of the treasury's.
        status: `open`; `ended` by its treasury; `over` from `until` on, by the log's time of the last entry followed.
        each_fen: the most of one command.
        total_fen, used_fen, left_fen: of all together.
    """

    mandate: str
    treasury: str
    operator: str
    kinds: tuple[str, ...]
    programme: str | None
    status: str
    until: str
    each_fen: int
    total_fen: int
    used_fen: int
    left_fen: int


@dataclass(frozen=True, slots=True)
class MandateAct:
    """One entry that its operator commanded by a mandate.

    Attributes:
        index, at: of the entry.
        kind: of the event, for example `voucher.issued/1`.
        ref: the operator's reference.
        about: the voucher, reservation or claim, for example `voucher city/v1`.
        amount_fen: what left the treasury by it, which counts against the mandate.
    """

    index: int
    at: str
    kind: str
    ref: str
    about: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class MandateAccount:
    """A mandate, and all that was done by it, in the order of the log."""

    balance: MandateBalance
    acts: tuple[MandateAct, ...]


class Mandates:
    """What a batch of entries changes for mandates."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._mandates = BatchSums(MANDATES)
        self._acts: list[MandateActRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for name in change.things.get("mandate", ()):
            self._mandates.of(name)
        event, command = change.event, change.event.command
        if not isinstance(command, MandatedCommand) or command.mandate is None:
            return
        amount_fen = 0
        if isinstance(command, VoucherIssue):
            amount_fen = command.face_fen
        elif isinstance(command, RedemptionSettle):
            amount_fen = command.paid_fen
        self._mandates.add(command.mandate, used_fen=amount_fen)
        what = (event.index, event.at, event.kind, command.ref)
        self._acts.append(MandateActRow(command.mandate, *what, _about(command), amount_fen))

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        self._mandates.write(c, lambda mandate: _said_of(mandate, state))
        MANDATE_ACTS.insert(c, self._acts)


def _about(command: MandatedCommand) -> str:
    if isinstance(command, RedemptionSettle):
        return f"claim {command.claim}"
    if isinstance(command, ReservationRelease):
        return f"reservation {command.reservation}"
    return f"voucher {command.voucher}"


def _said_of(name: str, state: State) -> dict[str, object]:
    mandate = state.mandates[name]
    return {
        "treasury": mandate.treasury,
        "operator": mandate.operator,
        "kinds": " ".join(mandate.kinds),
        "programme": mandate.programme,
        "until": format_instant(mandate.until),
        "ended": mandate.ended,
        "each_fen": mandate.each_fen,
        "total_fen": mandate.total_fen,
    }


# -- questions --------------------------------------------------------------------------------------------------------


def mandate_balances(c: SQLiteCursor, *, mandate: str | None = None) -> tuple[MandateBalance, ...]:
    """Return mandates in order of their ids: all, or one."""
    now = log_time(c)
    return tuple(_balance(row, now) for row in MANDATES.rows(c, mandate=mandate))


def _balance(row: MandateRow, now: str) -> MandateBalance:
    return MandateBalance(
        mandate=row.mandate,
        treasury=row.treasury,
        operator=row.operator,
        kinds=tuple(row.kinds.split()),
        programme=row.programme,
        status="ended" if row.ended else "over" if row.until <= now else "open",
        until=row.until,
        each_fen=row.each_fen,
        total_fen=row.total_fen,
        used_fen=row.used_fen,
        left_fen=row.total_fen - row.used_fen,
    )


def mandate_account(c: SQLiteCursor, mandate: str) -> MandateAccount:
    """Return all about a mandate.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = mandate_balances(c, mandate=mandate)
    if not balances:
        raise NotFoundError(f"there is no mandate {mandate}")
    acts = [
        MandateAct(row.entry_index, format_instant(row.at), row.kind, row.ref, row.about, row.amount_fen)
        for row in MANDATE_ACTS.rows(c, mandate=mandate)
    ]
    return MandateAccount(balances[0], tuple(acts))
