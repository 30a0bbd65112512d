"""Where each programme's envelope is, from its postings alone, and the claims on it.

    envelope = unissued + available + reserved + burned + claimed + paid

`issued`, `lapsed` and `revoked` are all that ever was: what came back may have been issued again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallystick.errors import UsageError
from tallystick.views.balances import HolderBalance, holder_balances, over_sums
from tallystick.views.changes import Change
from tallystick.views.library import SQLiteCursor
from tallystick.views.store import ExactSums, exact_sums_table
from tallystick.vouchers.book import PROGRAMME_ACCOUNTS
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.redemptions import RedemptionClaim, RedemptionPay, RedemptionReject
from tallystick.vouchers.state import State

if TYPE_CHECKING:
    from tallystick.views.provider_statement import ProviderBurns

_SUMS: Final = (
    "envelope_fen",
    *(f"{account}_fen" for account in PROGRAMME_ACCOUNTS),
    "issued_fen",
    "lapsed_fen",
    "revoked_fen",
)
_BOOKS: Final = ("programme_books", ("programme",), _SUMS)

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS programmes (programme TEXT PRIMARY KEY, treasury TEXT NOT NULL, name TEXT NOT NULL, "
    "payee TEXT NOT NULL, closed INTEGER NOT NULL) WITHOUT ROWID",
    exact_sums_table(*_BOOKS),
    "CREATE TABLE IF NOT EXISTS claims (claim TEXT PRIMARY KEY, programme TEXT NOT NULL, claimant TEXT NOT NULL, "
    "first_day INTEGER NOT NULL, last_day INTEGER NOT NULL, amount_fen INTEGER NOT NULL, status TEXT NOT NULL, "
    "claimed_index INTEGER NOT NULL, settled_index INTEGER, text TEXT NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class ProgrammeBalance:
    """A programme's envelope and where it is; `payee` is `provider` or `holder`.

    Attributes:
        over_fen: how much of what is available is of vouchers that are over: it can't be reserved any more.
    """

    programme: str
    treasury: str
    name: str
    payee: str
    closed: bool
    envelope_fen: int
    unissued_fen: int
    available_fen: int
    over_fen: int
    reserved_fen: int
    burned_fen: int
    claimed_fen: int
    paid_fen: int
    issued_fen: int
    lapsed_fen: int
    revoked_fen: int


@dataclass(frozen=True, slots=True)
class ClaimBalance:
    """A claim: for which days (both belong to it), of how much, and what became of it.

    Attributes:
        status: `open`, `paid` or `rejected`.
        claimed_index, settled_index: the entries; None while it is open.
        text: the payment's reference, or why it was rejected.
    """

    claim: str
    programme: str
    claimant: str
    first_day: str
    last_day: str
    amount_fen: int
    status: str
    claimed_index: int
    settled_index: int | None
    text: str


@dataclass(frozen=True, slots=True)
class ProgrammeBook:
    """A programme, its holders and providers with what concerns this programme, and its claims."""

    balance: ProgrammeBalance
    holders: tuple[HolderBalance, ...]
    providers: "tuple[ProviderBurns, ...]"
    claims: tuple[ClaimBalance, ...]


class ProgrammeBooks:
    """What a batch of entries changes for programmes."""

    def __init__(self) -> None:
        self._programmes: set[str] = set()
        self._sums = ExactSums(*_BOOKS)
        self._claims: list[tuple[int | str, ...]] = []
        self._settlements: list[tuple[int | str, ...]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for posting, voucher, _ in change.moves:
            amount_fen = posting.amount_fen
            amounts = {f"{posting.source}_fen": -amount_fen}
            target = f"{posting.target}_fen"
            amounts[target] = amounts.get(target, 0) + amount_fen
            if posting.source == "envelope":
                amounts["envelope_fen"] = amount_fen
            elif posting.source == "unissued":
                amounts["issued_fen"] = amount_fen
            elif posting.target == "unissued":
                assert voucher is not None
                amounts[f"{change.state.vouchers[voucher].status}_fen"] = amount_fen
            self._sums.add((posting.programme,), **amounts)
        self._programmes |= {name.removeprefix("rules ") for name in change.names if name.startswith("rules ")}
        index = change.event.index
        match change.event.command:
            case RedemptionClaim() as command:
                amount_fen = sum(move.posting.amount_fen for move in change.moves)
                days = (command.first_day, command.last_day)
                self._claims.append((command.claim, command.programme, command.party, *days, amount_fen, index))
            case RedemptionPay() as command:
                self._settlements.append(("paid", index, command.payment_reference, command.claim))
            case RedemptionReject() as command:
                self._settlements.append(("rejected", index, command.reason, command.claim))

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry. A claim may be settled in its own batch."""
        programmes = [(name, state.programmes[name]) for name in self._programmes]
        c.executemany(
            "INSERT OR REPLACE INTO programmes VALUES (?, ?, ?, ?, ?)",
            [(name, one.treasury, one.rules.name, one.rules.payee, one.closed) for name, one in programmes],
        )
        self._sums.write(c)
        c.executemany("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, 'open', ?, NULL, '')", self._claims)
        c.executemany("UPDATE claims SET status = ?, settled_index = ?, text = ? WHERE claim = ?", self._settlements)


# -- questions --------------------------------------------------------------------------------------------------------


def programme_balances(c: SQLiteCursor, where: str = "", *values: str) -> list[ProgrammeBalance]:
    """Return programmes in order of their ids: all, or those for which a condition holds (our own SQL)."""
    c.execute(
        f"SELECT programme, treasury, name, payee, closed, {', '.join(_SUMS)} "  # noqa: S608 - our own SQL
        f"FROM programmes JOIN programme_books USING (programme) {where} ORDER BY programme",
        values,
    )
    rows = c.fetchall()
    over = over_sums(c)
    return [
        ProgrammeBalance(name, treasury, title, payee, bool(closed), *_with_over(map(int, sums), over.get(name, 0)))
        for name, treasury, title, payee, closed, *sums in rows
    ]


def _with_over(sums: Iterable[int], over_fen: int) -> list[int]:
    """Return the sums in the order of `ProgrammeBalance`: what is over stands behind what is available."""
    ordered = list(sums)
    ordered.insert(_SUMS.index("available_fen") + 1, over_fen)
    return ordered


def claim_balances(c: SQLiteCursor, where: str = "", *values: str) -> list[ClaimBalance]:
    """Return claims in the order in which they were made, in the same way."""
    c.execute(
        "SELECT claim, programme, claimant, first_day, last_day, amount_fen, status, "  # noqa: S608 - our own SQL
        f"claimed_index, settled_index, text FROM claims {where} ORDER BY claimed_index",
        values,
    )
    return [
        ClaimBalance(claim, of, who, format_day(first), format_day(last), *rest)
        for claim, of, who, first, last, *rest in c.fetchall()
    ]


def programme_book(c: SQLiteCursor, programme: str, providers: "Sequence[ProviderBurns]") -> ProgrammeBook:
    """Return all about a programme.

    Args:
        c: reads the views.
        programme: its id.
        providers: what they burned of it.

    Raises:
        UsageError: there is none of that id.
    """
    balances = programme_balances(c, "WHERE programme = ?", programme)
    if not balances:
        raise UsageError(f"there is no programme {programme}")
    claims = tuple(claim_balances(c, "WHERE programme = ?", programme))
    return ProgrammeBook(balances[0], tuple(holder_balances(c, programme)), tuple(providers), claims)
