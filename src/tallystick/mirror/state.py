"""What a mirror knows of each log is on the disk before it is said, and never goes back.

    mirror     one row: the vkey that this is the state of
    pending    signed checkpoints that entries may be uploaded to, the newest few of each log
    received   the first entry that isn't here
    mirrored   the newest checkpoint that was cosigned: all its entries are here

Read and written as a witness's state is (tallystick.witness.durable_state).
"""

from collections.abc import Callable
from typing import ClassVar, Final

from tallystick.witness.deciding import CosignedTree, WitnessAnswer
from tallystick.witness.durable_state import DurableState

PENDING_KEPT: Final = 16


class MirrorState(DurableState):
    """The state of one mirror; for any number of threads."""

    OWNER: ClassVar[str] = "mirror"
    SCHEMA: ClassVar[str] = """
CREATE TABLE pending (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL, PRIMARY KEY (origin, size)
) STRICT;
CREATE TABLE received (origin TEXT NOT NULL PRIMARY KEY, next_entry INTEGER NOT NULL) STRICT;
CREATE TABLE mirrored (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, at_posix_s INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT;
CREATE TRIGGER mirrored_never_goes_back BEFORE UPDATE ON mirrored
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a mirror never goes back'); END;
CREATE TRIGGER mirrored_never_forgets BEFORE DELETE ON mirrored
BEGIN SELECT RAISE(ABORT, 'a mirror never forgets'); END;
CREATE TRIGGER received_never_goes_back BEFORE UPDATE ON received WHEN NEW.next_entry < OLD.next_entry
BEGIN SELECT RAISE(ABORT, 'a mirror never goes back'); END;
"""

    def newest_pending(self, origin: str) -> CosignedTree | None:
        """Return the largest tree that entries may be uploaded to.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self.in_turn(lambda: self._newest_pending(origin))

    def tree_of_size(self, origin: str, size: int) -> CosignedTree | None:
        """Return the pending tree of a size, or the mirrored one if it has it.

        Raises:
            LedgerError: the state can't be read now.
        """
        select = (
            "SELECT size, root, 0, note FROM pending WHERE (origin, size) = (?1, ?2) "
            "UNION ALL SELECT size, root, at_posix_s, note FROM mirrored WHERE (origin, size) = (?1, ?2)"
        )
        return self.in_turn(lambda: self.tree(select, origin, size))

    def mirrored(self, origin: str) -> CosignedTree | None:
        """Return the newest tree that was cosigned.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self.in_turn(lambda: self._mirrored(origin))

    def next_entry(self, origin: str) -> int:
        """Return the first entry that isn't here.

        Raises:
            LedgerError: the state can't be read now.
        """
        select = "SELECT next_entry FROM received WHERE origin = ?"
        row = self.in_turn(lambda: self._database.execute(select, (origin,)).fetchone())
        return int(row[0]) if row else 0

    def note_received(self, origin: str, next_entry: int) -> None:
        """Keep that all entries before one are here.

        Raises:
            LedgerError: the state can't be kept now.
        """
        upsert = (
            "INSERT INTO received VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET next_entry = excluded.next_entry"
        )
        self.in_turn(lambda: self._database.execute(upsert, (origin, next_entry)))

    def advance_pending(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | WitnessAnswer]
    ) -> CosignedTree | WitnessAnswer:
        """Let `decide` see the newest pending tree and give its successor, and return that once it is durable.

        Raises:
            LedgerError: the state can't be read or kept now.
        """

        def advance() -> CosignedTree | WitnessAnswer:
            decided = decide(self._newest_pending(origin))
            if isinstance(decided, CosignedTree):
                row = (origin, decided.size, decided.root, decided.note)
                self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?)", row)
                self._database.execute(
                    "DELETE FROM pending WHERE origin = ?1 AND size NOT IN "
                    "(SELECT size FROM pending WHERE origin = ?1 ORDER BY size DESC LIMIT ?2)",
                    (origin, PENDING_KEPT),
                )
            return decided

        return self.whole(advance)

    def advance_mirrored(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | None]
    ) -> CosignedTree | None:
        """Let `decide` see the newest mirrored tree and give its successor, and return that once it is durable.

        Raises:
            LedgerError: the state can't be read or kept now; nothing that `decide` made may be given away.
        """
        upsert = (
            "INSERT INTO mirrored VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
            "size = excluded.size, root = excluded.root, at_posix_s = excluded.at_posix_s, note = excluded.note"
        )

        def advance() -> CosignedTree | None:
            decided = decide(self._mirrored(origin))
            if decided is not None:
                row = (origin, decided.size, decided.root, decided.at_posix_s, decided.note)
                self._database.execute(upsert, row)
            return decided

        return self.whole(advance)

    def _newest_pending(self, origin: str) -> CosignedTree | None:
        select = "SELECT size, root, 0, note FROM pending WHERE origin = ? ORDER BY size DESC LIMIT 1"
        return self.tree(select, origin)

    def _mirrored(self, origin: str) -> CosignedTree | None:
        return self.tree("SELECT size, root, at_posix_s, note FROM mirrored WHERE origin = ?", origin)
