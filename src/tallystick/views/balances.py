"""Balances by voucher, reservation and holder, each the sum of its postings.

Of every voucher, what it was made of is somewhere:

    face = available + reserved + burned + transferred + returned

and of every reservation `amount = remaining + taken + released`; taken is what lines that stand took of it. A voucher's
burned amount stays burned whatever becomes of it; to whom that is owed, its contract says (contract_payments.py).
What was used of an imported voucher before the log began is a part of what is burned, carried over: no line took it.
All of these lie within an envelope: 64 bits hold them.

What is available of a voucher whose validity is over can't be reserved any more. Nothing is recorded when that happens:
whether it is over is worked out when it is asked for, by the log's time of the last entry followed.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.changes import Change, Commands, Move
from tallystick.views.contract_payments import ContractBalance, contract_balances, payee_sums
from tallystick.views.entry_index import entries_concerning
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import BatchSums, Fixed, FixedOrNone, Key, Sum, Table, condition
from tallystick.vouchers.book import Account
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.contracts import ContractAmend
from tallystick.vouchers.state import State

# What a posting between two accounts does to a voucher: which of its sums goes down (or is made), and which goes up.
_AVAILABLE, _RESERVED, _BURNED = "available_fen", "reserved_fen", "burned_fen"
_VOUCHER_MOVES: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("unissued", "available"): ("face_fen", _AVAILABLE),
    ("unissued", "paid"): ("face_fen", _BURNED),
    ("available", "available"): (_AVAILABLE, "transferred_fen"),
    ("available", "unissued"): (_AVAILABLE, "returned_fen"),
    ("available", "reserved"): (_AVAILABLE, _RESERVED),
    ("reserved", "available"): (_RESERVED, _AVAILABLE),
    ("reserved", "unissued"): (_RESERVED, "returned_fen"),
    ("reserved", "burned"): (_RESERVED, _BURNED),
    ("burned", "reserved"): (_BURNED, _RESERVED),
    ("burned", "available"): (_BURNED, _AVAILABLE),
    ("burned", "unissued"): (_BURNED, "returned_fen"),
    ("withheld", "reserved"): (_BURNED, _RESERVED),
    ("withheld", "available"): (_BURNED, _AVAILABLE),
    ("withheld", "unissued"): (_BURNED, "returned_fen"),
}
_RESERVATION_ACCOUNTS: Final[dict[Account, str]] = {
    "reserved": "remaining_fen",
    "burned": "taken_fen",
    "withheld": "taken_fen",
}

# As `format_instant` writes the log's time: texts of that form are in the order of their times.
NOW: Final = (
    "(SELECT strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06dZ', at % 1000000) FROM followed)"
)
# By that time, as `Voucher.is_spent_time` and the rules of reserving have it.
_STATUS: Final = (
    f"CASE WHEN status IN ('active', 'suspended') AND valid_until <= {NOW} THEN 'over' "
    f"WHEN status = 'active' AND valid_from > {NOW} THEN 'not_yet_valid' ELSE status END"
)


@dataclass(frozen=True, slots=True)
class VoucherBalance:
    """A voucher; `transferred_fen` became other vouchers, `returned_fen` went back when it ended.

    Attributes:
        contract: the one that it is spent under; None: any.
        status: `active`, `suspended`, `revoked` or `expired`; or, of one that hasn't ended yet, `over` once its
            validity is (it can only expire), and of an active one `not_yet_valid` before it begins.
        carried_over_fen: how much of what is burned was used before the log began.
    """

    voucher: Key
    programme: Fixed
    holder: Fixed
    parent: FixedOrNone
    contract: FixedOrNone
    status: str
    valid_from: str
    valid_until: str
    face_fen: Sum
    available_fen: Sum
    reserved_fen: Sum
    burned_fen: Sum
    carried_over_fen: Sum
    transferred_fen: Sum
    returned_fen: Sum


@dataclass(frozen=True, slots=True)
class ReservationBalance:
    """A reservation under a contract; lines took `taken_fen`, `released_fen` went back to its voucher or programme.

    Attributes:
        until: its end; not after the contract's last day, even if that was amended.
    """

    reservation: Key
    contract: Fixed
    voucher: Fixed
    programme: Fixed
    holder: Fixed
    provider: Fixed
    until: str
    closed: bool
    amount_fen: Sum
    remaining_fen: Sum
    taken_fen: Sum
    released_fen: Sum


@dataclass(frozen=True, slots=True)
class HolderBalance:
    """A holder over its vouchers; and what is owed to itself, where programmes pay holders.

    Attributes:
        granted_fen: issued and transferred to it, less what it transferred away and what was revoked of it.
        over_fen: how much of what is available is of vouchers that are over.
        carried_over_fen: how much of what is burned was used before the log began.
        settled_fen: all that settlements paid to it, set off or not; of it `paid_fen` stands, and `receivable_fen` is
            asked back.
        forfeited_fen: what was owed to it and went back to programmes: disallowed, or not claimed in time.
    """

    holder: str
    name: str
    suspended: bool
    vouchers: int = 0
    granted_fen: int = 0
    available_fen: int = 0
    over_fen: int = 0
    reserved_fen: int = 0
    burned_fen: int = 0
    carried_over_fen: int = 0
    expired_fen: int = 0
    unclaimed_fen: int = 0
    withheld_fen: int = 0
    claimed_fen: int = 0
    settled_fen: int = 0
    forfeited_fen: int = 0
    paid_fen: int = 0
    receivable_fen: int = 0


@dataclass(frozen=True, slots=True)
class HolderAccount:
    """A holder's balance, vouchers, contracts and reservations."""

    balance: HolderBalance
    vouchers: tuple[VoucherBalance, ...]
    contracts: tuple[ContractBalance, ...]
    reservations: tuple[ReservationBalance, ...]


@dataclass(frozen=True, slots=True)
class ReservationAccount:
    """A reservation, and the indices of the entries that concern it."""

    balance: ReservationBalance
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PartyRow:
    """A party as it was admitted, and whether it is suspended."""

    party: Key
    role: str
    name: str
    admitter: str
    suspended: bool


PARTIES: Final = Table("parties", PartyRow)
NOT_ENDED: Final = "status IN ('active', 'suspended')"
"""Of a voucher, as it is stored."""
IS_OPEN: Final = "closed = 0"
"""Of a reservation."""
VOUCHERS: Final = Table(
    "vouchers",
    VoucherBalance,
    lookups=("holder", "programme", "parent", "contract"),
    partial={"valid_until": NOT_ENDED},
    read_as={"status": _STATUS},
)
RESERVATIONS: Final = Table(
    "reservations",
    ReservationBalance,
    lookups=("contract", "voucher", "programme", "holder", "provider"),
    partial={"until": IS_OPEN},
)


class Balances:
    """What a batch of entries changes in the balances."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._vouchers = BatchSums(VOUCHERS)
        self._reservations = BatchSums(RESERVATIONS)
        self._parties: set[str] = set()

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for move in change.moves:
            self._add_to_voucher(move)
            self._add_to_reservation(move)
        command = change.event.command
        if isinstance(command, ContractAmend):  # its last day ends its reservations
            for name in change.state.contracts[command.contract].reservations:
                self._reservations.of(name)
        # What is said of them anew, also where nothing moves: a release of nothing closes a reservation all the same.
        self._parties.update(change.things.get("party", ()))
        for name in change.things.get("voucher", ()):
            self._vouchers.of(name)
        for name in change.things.get("reservation", ()):
            self._reservations.of(name)

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        parties = [(name, state.parties[name]) for name in self._parties]
        PARTIES.add(c, [PartyRow(name, one.role, one.name or "", one.admitter, one.suspended) for name, one in parties])
        self._vouchers.write(c, lambda voucher: _said_of_voucher(voucher, state))
        self._reservations.write(c, lambda reservation: _said_of_reservation(reservation, state))

    def _add_to_voucher(self, move: Move) -> None:
        _, source, _, target, target_id, amount_fen = move.posting
        if move.voucher is None:
            return
        voucher = self._vouchers.of(move.voucher)
        down, up = _VOUCHER_MOVES[source, target]
        voucher[down] += amount_fen if source == "unissued" else -amount_fen
        voucher[up] += amount_fen
        if (source, target) == ("unissued", "paid"):
            voucher["carried_over_fen"] += amount_fen
        if source == target:
            self._vouchers.add(target_id, face_fen=amount_fen, available_fen=amount_fen)

    def _add_to_reservation(self, move: Move) -> None:
        _, source, _, target, _, amount_fen = move.posting
        if move.reservation is None:
            return
        reservation = self._reservations.of(move.reservation)
        if source == "available":
            reservation["amount_fen"] += amount_fen
        else:
            reservation[_RESERVATION_ACCOUNTS[source]] -= amount_fen
        reservation[_RESERVATION_ACCOUNTS.get(target, "released_fen")] += amount_fen


def _said_of_voucher(name: str, state: State) -> dict[str, Any]:
    voucher = state.vouchers[name]
    return {
        "programme": voucher.programme,
        "holder": voucher.holder,
        "parent": voucher.parent,
        "contract": voucher.contract,
        "status": voucher.status,
        "valid_from": format_instant(voucher.valid_from),
        "valid_until": format_instant(voucher.valid_until),
    }


def _said_of_reservation(name: str, state: State) -> dict[str, Any]:
    held = state.reservations[name]
    return {
        "contract": held.contract,
        "voucher": held.voucher,
        "programme": held.programme,
        "holder": held.holder,
        "provider": held.provider,
        "until": format_instant(state.ends_of(held)),
        "closed": held.closed,
    }


# -- questions --------------------------------------------------------------------------------------------------------


def holder_balances(
    c: SQLiteCursor, *, holder: str | None = None, programme: str | None = None
) -> tuple[HolderBalance, ...]:
    """Return holders in order of their ids.

    Args:
        c: reads the views.
        holder: the only one; all that were admitted, if not given.
        programme: whose vouchers and payments alone count; then those alone that ever had any.
    """
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    # Summed here, not in SQL: over many programmes a sum may outgrow 64 bits, and SQLite would refuse it.
    for voucher in VOUCHERS.rows(c, holder=holder, programme=programme):
        row = sums[voucher.holder]
        row["vouchers"] += 1
        row["granted_fen"] += voucher.face_fen - voucher.transferred_fen
        row["granted_fen"] -= voucher.returned_fen if voucher.status == "revoked" else 0
        row["expired_fen"] += voucher.returned_fen if voucher.status in ("expired", "over") else 0
        row[_AVAILABLE] += voucher.available_fen
        row["over_fen"] += voucher.available_fen if voucher.status == "over" else 0
        row[_RESERVED] += voucher.reserved_fen
        row[_BURNED] += voucher.burned_fen
        row["carried_over_fen"] += voucher.carried_over_fen
    for (payee, _), owed in payee_sums(c, payee=holder, programme=programme).items():
        for name, amount_fen in owed.items():
            sums[payee][name] += amount_fen
    return tuple(
        HolderBalance(one.party, one.name, one.suspended, **sums[one.party])
        for one in PARTIES.rows(c, party=holder, role="holder")
        if programme is None or one.party in sums
    )


def log_time(c: SQLiteCursor) -> str:
    """Return the log's time of the last entry followed, as `format_instant` writes it."""
    c.execute(f"SELECT {NOW}")
    now: str = c.fetchone()[0]
    return now


def log_instant(c: SQLiteCursor) -> int:
    """Return the log's time of the last entry followed (microseconds)."""
    c.execute("SELECT at FROM followed")
    at: int = c.fetchone()[0]
    return at


def over_sums(c: SQLiteCursor, *, programme: str | None = None) -> dict[str, int]:
    """Return by programme how much of what is available is of vouchers that are over."""
    where, values = condition(programme=programme)
    # By the index of those that haven't ended: few are over, and that isn't booked yet.
    c.execute(
        f"SELECT programme, sum(available_fen) FROM vouchers INDEXED BY vouchers_by_valid_until "  # noqa: S608 - our own
        f"{where or 'WHERE TRUE'} AND {NOT_ENDED} AND valid_until <= {NOW} GROUP BY programme",
        values,
    )
    return dict(c.fetchall())


def holder_account(c: SQLiteCursor, holder: str) -> HolderAccount:
    """Return all about a holder.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = holder_balances(c, holder=holder)
    if not balances:
        raise NotFoundError(f"there is no holder {holder}")
    return HolderAccount(
        balances[0],
        VOUCHERS.rows(c, holder=holder),
        contract_balances(c, holder=holder),
        RESERVATIONS.rows(c, holder=holder),
    )


def reservation_account(c: SQLiteCursor, reservation: str) -> ReservationAccount:
    """Return a reservation, and which entries concern it.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = RESERVATIONS.rows(c, reservation=reservation)
    if not balances:
        raise NotFoundError(f"there is no reservation {reservation}")
    return ReservationAccount(balances[0], tuple(entries_concerning(c, f"reservation {reservation}")))
