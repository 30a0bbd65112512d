"""Where each programme's envelope is, from its postings alone.

    envelope = unissued + available + reserved + burned + claimed + paid

`issued`, `lapsed` and `revoked` are all that ever was: what came back may have been issued again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tallystick.errors import UsageError
from tallystick.views.balances import HolderBalance, holder_balances, over_sums
from tallystick.views.changes import Change
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.provider_statement import ProviderBurns, provider_burns
from tallystick.views.store import ExactSums, exact_sums_table
from tallystick.vouchers.book import PROGRAMME_ACCOUNTS
from tallystick.vouchers.state import State

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
class ProgrammeBook:
    """A programme, its holders and providers with what concerns this programme, and its claims."""

    balance: ProgrammeBalance
    holders: tuple[HolderBalance, ...]
    providers: tuple[ProviderBurns, ...]
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

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        programmes = [(name, state.programmes[name]) for name in self._programmes]
        c.executemany(
            "INSERT OR REPLACE INTO programmes VALUES (?, ?, ?, ?, ?)",
            [(name, one.treasury, one.rules.name, one.rules.payee, one.closed) for name, one in programmes],
        )
        self._sums.write(c)


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


def programme_book(c: SQLiteCursor, programme: str) -> ProgrammeBook:
    """Return all about a programme.

    Raises:
        UsageError: there is none of that id.
    """
    balances = programme_balances(c, "WHERE programme = ?", programme)
    if not balances:
        raise UsageError(f"there is no programme {programme}")
    return ProgrammeBook(
        balances[0],
        tuple(holder_balances(c, programme)),
        tuple(burns for burns in provider_burns(c) if burns.programme == programme),
        tuple(claim_balances(c, "WHERE programme = ?", programme)),
    )
