"""Balances by voucher, reservation, holder and payee, each the sum of its postings.

Of every voucher, what it was made of is somewhere:

    face = available + reserved + burned + transferred + returned

and of every reservation `amount = remaining + burned + released`. A voucher's burned amount stays burned when it is
claimed and paid; to whom that is owed stands under its payee. All of these lie within an envelope: 64 bits hold them.

What is available of a voucher whose validity is over can't be reserved any more. Nothing is recorded when that happens:
whether it is over is worked out when it is asked for, by the log's time of the last entry followed.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from tallystick.errors import UsageError
from tallystick.views.changes import Change, Move
from tallystick.views.library import SQLiteCursor
from tallystick.vouchers.book import Account, reservation_of
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.state import State

_VOUCHER_SUMS: Final = ("face_fen", "available_fen", "reserved_fen", "burned_fen", "transferred_fen", "returned_fen")
_RESERVATION_SUMS: Final = ("amount_fen", "remaining_fen", "burned_fen", "released_fen")
_PAYEE_SUMS: Final = ("unclaimed_fen", "claimed_fen", "paid_fen")


def _integers(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} INTEGER NOT NULL" for name in names)


def _upsert(table: str, keys: tuple[str, ...], sums: tuple[str, ...], said: tuple[str, ...] = ()) -> str:
    """Return the statement that adds sums to a row, or makes it; what is said of it anew replaces what was."""
    changes = [f"{name} = {name} + excluded.{name}" for name in sums] + [f"{name} = excluded.{name}" for name in said]
    columns = (*keys, *sums, *said)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(changes)}"
    )


TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS parties (party TEXT PRIMARY KEY, role TEXT NOT NULL, name TEXT NOT NULL, "
    "admitter TEXT NOT NULL, suspended INTEGER NOT NULL) WITHOUT ROWID",
    f"CREATE TABLE IF NOT EXISTS vouchers (voucher TEXT PRIMARY KEY, {_integers(_VOUCHER_SUMS)}, "
    "programme TEXT NOT NULL, holder TEXT NOT NULL, parent TEXT, status TEXT NOT NULL, valid_from INTEGER NOT NULL, "
    "valid_until INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS vouchers_by_holder ON vouchers (holder)",
    "CREATE INDEX IF NOT EXISTS vouchers_by_programme ON vouchers (programme)",
    "CREATE INDEX IF NOT EXISTS vouchers_by_parent ON vouchers (parent)",
    f"CREATE TABLE IF NOT EXISTS reservations (reservation TEXT PRIMARY KEY, {_integers(_RESERVATION_SUMS)}, "
    "voucher TEXT NOT NULL, programme TEXT NOT NULL, holder TEXT NOT NULL, provider TEXT NOT NULL, "
    "ends_at INTEGER NOT NULL, closed INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS reservations_by_voucher ON reservations (voucher)",
    "CREATE INDEX IF NOT EXISTS reservations_by_provider ON reservations (provider)",
    "CREATE INDEX IF NOT EXISTS reservations_by_holder ON reservations (holder)",
    f"CREATE TABLE IF NOT EXISTS payees (payee TEXT, programme TEXT, {_integers(_PAYEE_SUMS)}, "
    "PRIMARY KEY (payee, programme)) WITHOUT ROWID",
)
_VOUCHER_SAID: Final = ("programme", "holder", "parent", "status", "valid_from", "valid_until")
_RESERVATION_SAID: Final = ("voucher", "programme", "holder", "provider", "ends_at", "closed")
_ADD_VOUCHER: Final = _upsert("vouchers", ("voucher",), _VOUCHER_SUMS, _VOUCHER_SAID)
_ADD_RESERVATION: Final = _upsert("reservations", ("reservation",), _RESERVATION_SUMS, _RESERVATION_SAID)
_ADD_PAYEE: Final = _upsert("payees", ("payee", "programme"), _PAYEE_SUMS)

# What a posting between two accounts does to a voucher: which of its sums goes down (or is made), and which goes up.
_AVAILABLE, _RESERVED, _BURNED = "available_fen", "reserved_fen", "burned_fen"
_VOUCHER_MOVES: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("unissued", "available"): ("face_fen", _AVAILABLE),
    ("available", "available"): (_AVAILABLE, "transferred_fen"),
    ("available", "unissued"): (_AVAILABLE, "returned_fen"),
    ("available", "reserved"): (_AVAILABLE, _RESERVED),
    ("reserved", "available"): (_RESERVED, _AVAILABLE),
    ("reserved", "unissued"): (_RESERVED, "returned_fen"),
    ("reserved", "burned"): (_RESERVED, _BURNED),
    ("burned", "reserved"): (_BURNED, _RESERVED),
    ("burned", "available"): (_BURNED, _AVAILABLE),
    ("burned", "unissued"): (_BURNED, "returned_fen"),
}
_RESERVATION_ACCOUNTS: Final[dict[Account, str]] = {"reserved": "remaining_fen", "burned": _BURNED}
_PAYEE_ACCOUNTS: Final[dict[Account, str]] = {"burned": "unclaimed_fen", "claimed": "claimed_fen", "paid": "paid_fen"}


# By the log's time, as `Voucher.is_spent_time` and the rules of reserving have it.
_STATUS: Final = (
    "CASE WHEN status IN ('active', 'suspended') AND valid_until <= (SELECT at FROM followed) THEN 'over' "
    "WHEN status = 'active' AND valid_from > (SELECT at FROM followed) THEN 'not_yet_valid' ELSE status END"
)


@dataclass(frozen=True, slots=True)
class VoucherBalance:
    """A voucher; `transferred_fen` became other vouchers, `returned_fen` went back when it ended.

    Attributes:
        status: `active`, `suspended`, `revoked` or `lapsed`; or, of one that hasn't ended yet, `over` once its validity
            is (it can only lapse), and of an active one `not_yet_valid` before it begins.
    """

    voucher: str
    programme: str
    holder: str
    parent: str | None
    status: str
    valid_from: str
    valid_until: str
    face_fen: int
    available_fen: int
    reserved_fen: int
    burned_fen: int
    transferred_fen: int
    returned_fen: int


@dataclass(frozen=True, slots=True)
class ReservationBalance:
    """A reservation; `released_fen` went back to its voucher or programme."""

    reservation: str
    voucher: str
    programme: str
    holder: str
    provider: str
    until: str
    closed: bool
    amount_fen: int
    remaining_fen: int
    burned_fen: int
    released_fen: int


@dataclass(frozen=True, slots=True)
class HolderBalance:
    """A holder over its vouchers; and what is owed to itself, where programmes pay holders.

    Attributes:
        granted_fen: issued and transferred to it, less what it transferred away and what was revoked of it.
        over_fen: how much of what is available is of vouchers that are over.
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
    lapsed_fen: int = 0
    unclaimed_fen: int = 0
    claimed_fen: int = 0
    paid_fen: int = 0


@dataclass(frozen=True, slots=True)
class HolderAccount:
    """A holder's balance, vouchers and reservations."""

    balance: HolderBalance
    vouchers: tuple[VoucherBalance, ...]
    reservations: tuple[ReservationBalance, ...]


class Balances:
    """What a batch of entries changes in the balances."""

    def __init__(self) -> None:
        self._vouchers: dict[str, dict[str, int]] = {}
        self._reservations: dict[str, dict[str, int]] = {}
        self._payees: dict[tuple[str, str], dict[str, int]] = {}
        self._parties: set[str] = set()

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for move in change.moves:
            self._add_to_holdings(move)
            self._add_to_payees(move, change.state)
        # What is said of them anew, also where nothing moves: a release of nothing closes a reservation all the same.
        for name in change.names:
            kind, _, thing = name.partition(" ")
            match kind:
                case "party":
                    self._parties.add(thing)
                case "voucher":
                    self._voucher(thing)
                case "reservation":
                    self._reservation(thing)

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        parties = [(name, state.parties[name]) for name in self._parties]
        c.executemany(
            "INSERT OR REPLACE INTO parties VALUES (?, ?, ?, ?, ?)",
            [(name, party.role, party.name, party.admitter, party.suspended) for name, party in parties],
        )
        c.executemany(_ADD_VOUCHER, [_voucher_row(name, sums, state) for name, sums in self._vouchers.items()])
        c.executemany(
            _ADD_RESERVATION, [_reservation_row(name, sums, state) for name, sums in self._reservations.items()]
        )
        c.executemany(_ADD_PAYEE, [(*key, *sums.values()) for key, sums in self._payees.items()])

    def _add_to_holdings(self, move: Move) -> None:
        _, source, _, target, target_id, amount_fen = move.posting
        if move.voucher is None:
            return
        voucher = self._voucher(move.voucher)
        down, up = _VOUCHER_MOVES[source, target]
        voucher[down] += amount_fen if source == "unissued" else -amount_fen
        voucher[up] += amount_fen
        if source == target:
            child = self._voucher(target_id)
            child["face_fen"] += amount_fen
            child[_AVAILABLE] += amount_fen
        if move.reservation is not None:
            reservation = self._reservation(move.reservation.id)
            if source == "available":
                reservation["amount_fen"] += amount_fen
            else:
                reservation[_RESERVATION_ACCOUNTS[source]] -= amount_fen
            reservation[_RESERVATION_ACCOUNTS.get(target, "released_fen")] += amount_fen

    def _add_to_payees(self, move: Move, state: State) -> None:
        programme, source, source_id, target, target_id, amount_fen = move.posting
        for account, name, amount in ((source, source_id, -amount_fen), (target, target_id, amount_fen)):
            if account in _PAYEE_ACCOUNTS:
                reservation = reservation_of(account, name)
                assert reservation is not None
                payee = state.claimant(reservation)
                sums = self._payees.setdefault((payee, programme), dict.fromkeys(_PAYEE_SUMS, 0))
                sums[_PAYEE_ACCOUNTS[account]] += amount

    def _voucher(self, name: str) -> dict[str, int]:
        return self._vouchers.setdefault(name, dict.fromkeys(_VOUCHER_SUMS, 0))

    def _reservation(self, name: str) -> dict[str, int]:
        return self._reservations.setdefault(name, dict.fromkeys(_RESERVATION_SUMS, 0))


def _voucher_row(name: str, sums: dict[str, int], state: State) -> tuple[Any, ...]:
    voucher = state.vouchers[name]
    said = (voucher.programme, voucher.holder, voucher.parent, voucher.status, voucher.valid_from, voucher.valid_until)
    return (name, *sums.values(), *said)


def _reservation_row(name: str, sums: dict[str, int], state: State) -> tuple[Any, ...]:
    held = state.reservations[name]
    return (name, *sums.values(), held.voucher, held.programme, held.holder, held.provider, held.until, held.closed)


# -- questions --------------------------------------------------------------------------------------------------------


def voucher_balances(c: SQLiteCursor, where: str = "", *values: str) -> list[VoucherBalance]:
    """Return vouchers in order of their ids: all, or those for which a condition holds (our own SQL)."""
    c.execute(
        f"SELECT voucher, programme, holder, parent, {_STATUS}, valid_from, valid_until, "  # noqa: S608 - our own SQL
        f"{', '.join(_VOUCHER_SUMS)} FROM vouchers {where} ORDER BY voucher",
        values,
    )
    return [
        VoucherBalance(name, programme, holder, parent, status, format_instant(start), format_instant(end), *sums)
        for name, programme, holder, parent, status, start, end, *sums in c.fetchall()
    ]


def reservation_balances(c: SQLiteCursor, where: str = "", *values: str) -> list[ReservationBalance]:
    """Return reservations in order of their ids, in the same way."""
    c.execute(
        "SELECT reservation, voucher, programme, holder, provider, ends_at, closed, "  # noqa: S608 - our own SQL
        f"{', '.join(_RESERVATION_SUMS)} FROM reservations {where} ORDER BY reservation",
        values,
    )
    return [
        ReservationBalance(name, voucher, programme, holder, provider, format_instant(until), bool(closed), *sums)
        for name, voucher, programme, holder, provider, until, closed, *sums in c.fetchall()
    ]


def holder_balances(c: SQLiteCursor, programme: str | None = None) -> list[HolderBalance]:
    """Return holders in order of their ids: all that were admitted, or those that ever had a voucher of a programme."""
    within, values = ("WHERE programme = ?", (programme,)) if programme else ("", ())
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    # Summed here, not in SQL: over many programmes a sum may outgrow 64 bits, and SQLite would refuse it.
    for voucher in voucher_balances(c, within, *values):
        row = sums[voucher.holder]
        row["vouchers"] += 1
        row["granted_fen"] += voucher.face_fen - voucher.transferred_fen
        row["granted_fen"] -= voucher.returned_fen if voucher.status == "revoked" else 0
        row["lapsed_fen"] += voucher.returned_fen if voucher.status == "lapsed" else 0
        row[_AVAILABLE] += voucher.available_fen
        row["over_fen"] += voucher.available_fen if voucher.status == "over" else 0
        row[_RESERVED] += voucher.reserved_fen
        row[_BURNED] += voucher.burned_fen
    for (payee, of_programme), owed in payee_sums(c).items():
        if programme in (None, of_programme):
            for name, amount_fen in owed.items():
                sums[payee][name] += amount_fen
    c.execute("SELECT party, name, suspended FROM parties WHERE role = 'holder' ORDER BY party")
    return [
        HolderBalance(holder, name, bool(suspended), **sums[holder])
        for holder, name, suspended in c.fetchall()
        if programme is None or holder in sums
    ]


def over_sums(c: SQLiteCursor) -> dict[str, int]:
    """Return by programme how much of what is available is of vouchers that are over."""
    c.execute(
        "SELECT programme, sum(available_fen) FROM vouchers "  # noqa: S608 - our own SQL
        f"WHERE {_STATUS} = 'over' GROUP BY programme"
    )
    return dict(c.fetchall())


def payee_sums(c: SQLiteCursor) -> dict[tuple[str, str], dict[str, int]]:
    """Return by payee and programme what is owed to it, unclaimed and claimed, and what was paid."""
    c.execute(f"SELECT payee, programme, {', '.join(_PAYEE_SUMS)} FROM payees")  # noqa: S608 - our own names
    return {(payee, of): dict(zip(_PAYEE_SUMS, amounts, strict=True)) for payee, of, *amounts in c.fetchall()}


def holder_account(c: SQLiteCursor, holder: str) -> HolderAccount:
    """Return all about a holder.

    Raises:
        UsageError: there is none of that id.
    """
    for balance in holder_balances(c):
        if balance.holder == holder:
            return HolderAccount(
                balance,
                tuple(voucher_balances(c, "WHERE holder = ?", holder)),
                tuple(reservation_balances(c, "WHERE holder = ?", holder)),
            )
    raise UsageError(f"there is no holder {holder}")
