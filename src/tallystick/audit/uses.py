"""What each of several logs used, kept while it is replayed, in a database of the auditor's own.

What may be used once in one log may be used once in all of them together (used_twice.py compares). An observer of each
audit writes it down as it goes by, so no log is read a second time; the database is a temporary file without a name,
and memory follows none of it. A line of a statement takes some 60 bytes of it, packed as the state packs it: it is
unpacked only if its provider is in another log too.

    groups      the accepted lines of a statement that are of one item, by the provider's code
    taken_back  lines that were reversed
    documents   of contracts and invoices
    payments    references, by treasury
    imports     vouchers from before the log
    granted     what counts against a cap, and the caps
    parties     with their role and code, and by what they are known: the code, and each key
    recorded    other logs' checkpoints
    jobs, lines what is unpacked of groups while they are compared
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tallystick.errors import SourceUnreadableError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.checkpoints import CheckpointRecord
from tallystick.vouchers.rules.contracts import ContractSign
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.network import PartyAdmit
from tallystick.vouchers.rules.recovery import RecoveryReceive
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer
from tallystick.vouchers.state import State

TABLES: Final = {
    "groups": ("provider", "item", "log", "entry", "jobs", "packed"),
    "taken_back": ("log", "entry", "line"),
    "documents": ("document", "log", "entry"),
    "payments": ("log", "party", "reference", "entry"),
    "imports": ("log", "party", "voucher", "entry"),
    "grants": ("log", "granted", "entry"),
    "granted": ("log", "treasury", "cap", "holder", "fen", "entry"),
    "caps": ("log", "treasury", "cap", "fen"),
    "parties": ("log", "party", "role", "code"),
    "identities": ("identity", "log", "party", "entry"),
    "jobs": ("provider", "item", "job", "log"),
    "lines": ("provider", "item", "job", "starts", "ends", "log", "entry", "line"),
    "recorded": ("log", "origin", "vkey", "size", "root", "entry", "at"),
}
"""The columns of each; `log` is the log's place among those that are audited together."""

_ROWS_AT_ONCE: Final = 64
"""So many wait before they are written: a statement's lines are up to 180 kB."""
_CACHE_KIB: Final = 65_536


class Uses:
    """The database, of all logs."""

    def __init__(self, file: Path | None = None) -> None:
        """Nothing was used yet; a file is for another process to take the rows from."""
        # An empty name: SQLite keeps it in memory until that is too small, then in a temporary file without a name.
        self._database = sqlite3.connect("" if file is None else file, isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {setting}")
        for table, columns in TABLES.items():
            self._database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")

    def add(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Write down rows of a table.

        Raises:
            SourceUnreadableError: there is no room for them.
        """
        places = ", ".join("?" * len(TABLES[table]))
        with _answering():
            self._database.execute("BEGIN")
            self._database.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - names of our own
            self._database.execute("COMMIT")

    def take_from(self, file: Path) -> None:
        """Take over the rows that another process has written down, and delete its file.

        Raises:
            SourceUnreadableError: there is no room for them.
        """
        with _answering():
            self._database.execute("ATTACH ? AS other", (str(file),))
            for table in TABLES:
                self._database.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")  # noqa: S608
            self._database.execute("DETACH other")
        file.unlink()

    def ask(self, statement: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement; what it sorts lies in temporary files too.

        Raises:
            SourceUnreadableError: there is no room for it.
        """
        with _answering():
            yield from self._database.execute(statement, parameters)

    def close(self) -> None:
        """Close it, and with it the file."""
        with suppress(sqlite3.Error):
            self._database.close()


@contextmanager
def _answering() -> Iterator[None]:
    """Make of what SQLite raises an error that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise SourceUnreadableError(
            f"no room to compare the logs ({error}): make room for 200 bytes a line of their statements where "
            "temporary files go (TMPDIR says where), and audit again"
        ) from None


class LogUses:
    """What one log used: an observer of its audit.

    Attributes:
        vkeys: of the keys that signed its checkpoints, as its entries say; none, if they say nothing of it.
        member_of: the origin of the log that it says that it is a member of.
    """

    def __init__(self, uses: Uses, log: int) -> None:
        """Nothing of this log was seen yet; `log` is its place among them."""
        self.vkeys: frozenset[str] = frozenset()
        self.member_of: str | None = None
        self._uses = uses
        self._log = log
        self._state: State | None = None
        self._admitted: dict[str, int] = {}
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in TABLES}
        self._takes: dict[type, Callable[[Any, Event, State], None]] = {
            TimeBurn: self._burn,
            BurnReverse: self._take_back,
            ServiceBurn: self._document,
            ContractSign: self._document,
            RedemptionSettle: self._pay,
            RecoveryReceive: self._pay,
            VoucherImport: self._import,
            VoucherIssue: self._grant,
            VoucherTransfer: self._grant,
            PartyAdmit: self._admit,
            CheckpointRecord: self._record,
        }

    def take(self, event: Event, state: State) -> None:
        """Write down what an event used, given the state after it."""
        self._state = state
        take = self._takes.get(type(event.command))
        if take is not None:
            take(event.command, event, state)

    def to_json(self) -> dict[str, Any]:
        """Write down what only the last state says; the report says nothing of it."""
        if self._state is not None:
            self._finish(self._state)
        for table in TABLES:
            self._flush(table)
        self._state = None
        return {}

    def _note(self, table: str, *rows: tuple[object, ...]) -> None:
        waiting = self._rows[table]
        waiting.extend(rows)
        if len(waiting) >= _ROWS_AT_ONCE:
            self._flush(table)

    def _flush(self, table: str) -> None:
        self._uses.add(table, self._rows[table])
        self._rows[table].clear()

    def _burn(self, command: TimeBurn, event: Event, state: State) -> None:
        """Note the accepted lines, as the state has packed them."""
        provider = state.parties[command.party].uscc
        groups = state.statements[command.party][command.ref].groups
        self._note("groups", *[(provider, one.item, self._log, one.index, one.jobs, one.packed) for one in groups])

    def _take_back(self, command: BurnReverse, event: Event, state: State) -> None:
        statement = state.statements[command.party][command.statement]
        self._note("taken_back", (self._log, statement.index, command.line))

    def _document(self, command: ContractSign | ServiceBurn, event: Event, state: State) -> None:
        if command.document_hash is not None:
            self._note("documents", (command.document_hash, self._log, event.index))

    def _pay(self, command: RedemptionSettle | RecoveryReceive, event: Event, state: State) -> None:
        """Note a payment's reference under the treasury that paid, also by mandate."""
        if command.payment is None:
            return
        if isinstance(command, RedemptionSettle):
            programme = state.claims[command.claim].programme
        else:
            programme = state.demands[command.demand].programme
        treasury = state.programmes[programme].treasury
        self._note("payments", (self._log, treasury, command.payment.reference, event.index))

    def _import(self, command: VoucherImport, event: Event, state: State) -> None:
        """Note a voucher from before the log by what says which it is: evidence, face and dates."""
        voucher = f"{command.evidence_hash} {command.face_fen} {command.valid_from} {command.valid_until}"
        self._note("imports", (self._log, command.holder, voucher, event.index))
        self._note("grants", (self._log, state.vouchers[command.voucher].granted_id, event.index))

    def _grant(self, command: VoucherIssue | VoucherTransfer, event: Event, state: State) -> None:
        voucher = command.voucher if isinstance(command, VoucherIssue) else command.into
        self._note("grants", (self._log, state.vouchers[voucher].granted_id, event.index))

    def _admit(self, command: PartyAdmit, event: Event, state: State) -> None:
        self._admitted[command.admitted] = event.index

    def _record(self, command: CheckpointRecord, event: Event, state: State) -> None:
        told = Checkpoint.from_text(Note.from_bytes(command.checkpoint.encode()).text)  # opened when it was decided
        vkey = command.log_vkey
        row = (self._log, VerifierKey.from_text(vkey).name, vkey, told.size, told.root, event.index, event.at)
        self._note("recorded", row)

    def _finish(self, state: State) -> None:
        """Note who took part, and what was granted in all."""
        log = self._log
        self.vkeys = frozenset([vkey for one in state.log_keys for vkey in (one.old_vkey, one.new_vkey)])
        self.member_of = None if state.network is None else state.network.member_of
        for name, party in state.parties.items():
            if not party.withdrawn:
                self._note("parties", (log, name, party.role, party.uscc))
                if party.uscc is not None:
                    self._note("identities", (party.uscc, log, name, self._admitted.get(name, 0)))
        for public_key, label in state.public_keys.items():
            key = state.keys[label]
            if not state.parties[key.party].withdrawn:
                self._note("identities", (public_key, log, key.party, key.added_index))
        for programme in state.programmes.values():
            for version in programme.versions:
                cap = version.rules.cap
                self._note("caps", (log, programme.treasury, f"{programme.fiscal_year} {cap.group}", cap.holder_fen))
        self._flush("grants")
        question = "SELECT granted, max(entry) FROM grants WHERE log = ? GROUP BY granted"
        for granted, entry in self._uses.ask(question, (log,)):
            treasury, year, group, holder = granted.split(" ")
            amount_fen = state.book["granted", granted]
            self._rows["granted"].append((log, treasury, f"{year} {group}", holder, amount_fen, entry))
