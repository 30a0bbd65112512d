"""The newest tree that a witness cosigned, by origin, is checked and replaced in one atomic step, on the disk.

    witness    one row: the vkey that this is the state of, so that no other key signs by it, nor this key by another
    cosigned   origin, size, root, time and cosigned note, one row for each log

`advance` reads, lets the caller decide and writes in one transaction (durable_state.py).

Triggers refuse a smaller size, another root of the same size, and the deletion of a row, whatever the code does.
"""

from collections.abc import Callable
from typing import ClassVar, Final

from tallystick.witness.deciding import CosignedTree, WitnessAnswer
from tallystick.witness.durable_state import DurableState

_UPSERT: Final = (
    "INSERT INTO cosigned VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
    "size = excluded.size, root = excluded.root, at_posix_s = excluded.at_posix_s, note = excluded.note"
)


class WitnessState(DurableState):
    """The state of one witness; for any number of threads."""

    OWNER: ClassVar[str] = "witness"
    SCHEMA: ClassVar[str] = """
CREATE TABLE cosigned (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, at_posix_s INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT;
CREATE TRIGGER cosigned_never_goes_back BEFORE UPDATE ON cosigned
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER cosigned_never_forgets BEFORE DELETE ON cosigned
BEGIN SELECT RAISE(ABORT, 'a witness never forgets'); END;
"""

    def latest(self, origin: str) -> CosignedTree | None:
        """Return the newest tree cosigned for a log.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self.in_turn(lambda: self._latest(origin))

    def advance(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | WitnessAnswer]
    ) -> CosignedTree | WitnessAnswer:
        """Let `decide` see the newest tree and give its successor, and return that once it is durable.

        Args:
            origin: the log.
            decide: gives a tree, which is then kept, or an answer, and then nothing is.

        Raises:
            LedgerError: the state can't be read or kept now; nothing that `decide` made may be given away.
        """

        def advance() -> CosignedTree | WitnessAnswer:
            decided = decide(self._latest(origin))
            if isinstance(decided, CosignedTree):
                row = (origin, decided.size, decided.root, decided.at_posix_s, decided.note)
                self._database.execute(_UPSERT, row)
            return decided

        return self.whole(advance)

    def _latest(self, origin: str) -> CosignedTree | None:
        return self.tree("SELECT size, root, at_posix_s, note FROM cosigned WHERE origin = ?", origin)
