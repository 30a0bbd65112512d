"""Which entries concern an account or a thing, and every account's leaf at each seal: what a dossier is gathered by.

A name is an account of docs/rules.md, "Sealed books" (`voucher <id>`, `holder <id>`, `provider <id>`,
`programme <id>`), with exactly the entries that touch it; or one of these:

    party <id>                    admitted, suspended, reinstated; its keys
    accelerator <id>              registered
    tariffs <provider>            its prices
    rules <programme>             opened, closed
    accreditation <programme> <provider>
    terms <voucher>               how it was made (issued, transferred), suspended, resumed, revoked, lapsed
    reservation <id>              its whole life: reserved, burned, reversed, released
    claim <id>                    claimed, paid, rejected
    claims <programme> <party>    the party's claims, and what was rejected of them
    seals                         all of them

Entries are looked up by number, so that a log of a million of them costs a few bytes for each name of each.
"""

from collections.abc import Iterator
from typing import Final

from tallystick.views.changes import Change, reversed_line
from tallystick.views.library import SQLiteCursor
from tallystick.vouchers import commands as c
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.events import Burned, Event
from tallystick.vouchers.state import State
from tallystick.vouchers.touching import touched_by

SEALS: Final = "seals"

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS indexed_names (name_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS concerning (name_id INTEGER, entry_index INTEGER, PRIMARY KEY (name_id, entry_index)) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS statement_entries (provider TEXT, ref TEXT, entry_index INTEGER, "
    "PRIMARY KEY (provider, ref, entry_index)) WITHOUT ROWID",
    # In SQLite's own order of text, which is that of the names' bytes: the order of a seal's leaves.
    "CREATE TABLE IF NOT EXISTS seal_leaves (seal_index INTEGER, account TEXT, leaf BLOB NOT NULL, "
    "PRIMARY KEY (seal_index, account)) WITHOUT ROWID",
)


def names_of(event: Event, state: State) -> set[str]:
    """Return the names that an entry concerns, given the state after it."""
    return touched_by(state, event) | set(_things(event, state))


def _things(event: Event, state: State) -> Iterator[str]:
    match event.command:
        case c.NetworkFound() as command:
            yield f"party {command.party}"
        case c.PartyAdmit() as command:
            yield f"party {command.admitted}"
        case c.PartySuspend() | c.PartyReinstate() | c.KeyAdd() | c.KeyRevoke() as command:
            yield f"party {command.subject}"
        case c.AcceleratorRegister() as command:
            yield f"accelerator {command.accelerator}"
        case c.TariffPublish() as command:
            yield f"tariffs {command.party}"
        case c.ProgrammeOpen() | c.ProgrammeClose() as command:
            yield f"rules {command.programme}"
        case c.ProviderAccredit() | c.ProviderDelist() as command:
            yield f"accreditation {command.programme} {command.provider}"
        case c.VoucherIssue() | c.VoucherSuspend() | c.VoucherResume() as command:
            yield f"terms {command.voucher}"
        case c.VoucherRevoke() | c.VoucherLapse() as command:
            yield f"terms {command.voucher}"
        case c.VoucherTransfer() as command:
            yield f"terms {command.into}"
        case c.VoucherReserve() | c.ReservationRelease() as command:
            yield f"reservation {command.reservation}"
        case c.TimeBurn() as command:
            assert isinstance(event.outcome, Burned)
            refused = {number for number, _ in event.outcome.refused}
            for number, line in enumerate(command.lines):
                if number not in refused:
                    yield f"reservation {line.reservation}"
        case c.BurnReverse() as command:
            yield f"reservation {reversed_line(command, state)[1].id}"
        case c.RedemptionClaim() | c.RedemptionPay() | c.RedemptionReject() as command:
            yield f"claim {command.claim}"
            if not isinstance(command, c.RedemptionPay):
                claim = state.claims[command.claim]
                yield f"claims {claim.programme} {claim.claimant}"
        case c.BookSeal():
            yield SEALS


class EntryIndex:
    """What a batch of entries adds to the index."""

    def __init__(self) -> None:
        self._concerning: list[tuple[str, int]] = []
        self._statements: list[tuple[str, str, int]] = []
        self._leaves: list[tuple[int, str, bytes]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        self._concerning += [(name, event.index) for name in sorted(names_of(event, change.state))]
        command = event.command
        if isinstance(command, c.TimeBurn):
            self._statements.append((command.party, command.ref, event.index))
        elif isinstance(command, c.BookSeal):
            # Now, before another entry changes the state; the seal itself touches no account.
            self._leaves += [(event.index, account, leaf) for account, leaf in account_leaves(change.state)]

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        # In the order of the log, whatever the batches are: so the same names get the same numbers.
        names = list(dict.fromkeys(name for name, _ in self._concerning))
        c.executemany("INSERT OR IGNORE INTO indexed_names (name) VALUES (?)", [(name,) for name in names])
        ids = {}
        for name in names:
            c.execute("SELECT name_id FROM indexed_names WHERE name = ?", (name,))
            ids[name] = c.fetchone()[0]
        rows = sorted((ids[name], index) for name, index in self._concerning)
        c.executemany("INSERT INTO concerning VALUES (?, ?)", rows)
        c.executemany("INSERT INTO statement_entries VALUES (?, ?, ?)", self._statements)
        c.executemany("INSERT INTO seal_leaves VALUES (?, ?, ?)", self._leaves)


# -- questions --------------------------------------------------------------------------------------------------------


def entries_concerning(c: SQLiteCursor, name: str) -> list[int]:
    """Return the indices, ascending, of the entries that concern a name."""
    c.execute(
        "SELECT entry_index FROM concerning WHERE name_id = (SELECT name_id FROM indexed_names WHERE name = ?) "
        "ORDER BY entry_index",
        (name,),
    )
    return [index for (index,) in c.fetchall()]


def statement_entry(c: SQLiteCursor, provider: str, ref: str, before: int) -> int | None:
    """Return the index of a provider's newest statement of this reference before an entry, if there is one."""
    c.execute(
        "SELECT max(entry_index) FROM statement_entries WHERE provider = ? AND ref = ? AND entry_index < ?",
        (provider, ref, before),
    )
    index: int | None = c.fetchone()[0]
    return index


def seal_leaves(c: SQLiteCursor, seal_index: int) -> list[tuple[str, bytes]]:
    """Return every account and its leaf, in the order of a seal's tree; nothing if that entry is no seal."""
    c.execute("SELECT account, leaf FROM seal_leaves WHERE seal_index = ? ORDER BY account", (seal_index,))
    return [(account, bytes(leaf)) for account, leaf in c.fetchall()]
