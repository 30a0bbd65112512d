"""A ledger folder into which decided entries are written as the writer writes them, to see how it is opened."""

from pathlib import Path

from simulation.taking_logs import DecidedLog
from support.actors import ORIGIN, key_of
from tallystick.ledger import opening
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.snapshots import write_snapshot
from tallystick.ledger.store import CheckpointRow, Group, ReferenceRow
from tallystick.sources import parse_writable
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.vouchers.entry import Entry

LOG_KEY = key_of(ORIGIN)
ENTRIES_A_COMMIT = 1_000


class KeptLog:
    """What `Ledger` keeps of entries, without deciding them once more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_bytes = 0
        self._edge = RightEdge.from_hashes(0, ())
        self._commits = 0

    def keep(self, log: DecidedLog) -> None:
        """Take over the entries that a log has decided, and save its state beside them."""
        entries, log.entries = log.entries, []
        record = opening._record(opening._store_at(parse_writable(self.folder, is_new=True)))
        try:
            record.store.acquire()
            for first in range(0, len(entries), ENTRIES_A_COMMIT):
                self._commit(record, log, entries[first : first + ENTRIES_A_COMMIT])
            write_snapshot(record.store.sidecar, log.state, self._edge.root(), LOG_KEY)
        finally:
            record.close()

    def _commit(self, record: LedgerRecord, log: DecidedLog, entries: list[Entry]) -> None:
        hashes = self._edge.extend([leaf_hash(entry.data) for entry in entries])
        note = LogSigner(LOG_KEY).sign(Checkpoint(ORIGIN, self._edge.size, self._edge.root()), log.state)
        commands = [(entry.event.index, entry.event.command) for entry in entries]
        references = [ReferenceRow(index, command.party, command.ref) for index, command in commands]
        group = Group(hashes, references, CheckpointRow(self._commits, self._edge.size, note))
        record.keep(ORIGIN, entries, group)
        self._commits += 1
        self.log_bytes += sum(len(entry.data) for entry in entries)

    def open(self) -> int:
        """Open it as its writer does, and return how many entries the writer sees."""
        with opening.open_ledger(self.folder, LOG_KEY) as ledger:
            return ledger.state.size
