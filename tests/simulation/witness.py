"""A witness, whose cosigned checkpoint lies beside the log; and saved states that are not of this log's history."""

from typing import TYPE_CHECKING

from eventsourcing.persistence import PersistenceError

from simulation.chance import Crash
from simulation.connection import Connection, quiet
from simulation.judge import require
from simulation.notes import LOG_KEY
from tallystick.errors import LedgerBusyError
from tallystick.ledger.sidecar import COSIGNED, SNAPSHOT
from tallystick.ledger.snapshots import write_snapshot
from tallystick.ledger.store import tile_reader
from tallystick.ledger.tail import load_tail
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.transparency.checkpoint import open_checkpoint
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.proofs import consistency_proof, verify_consistency
from tallystick.vouchers.state import State

if TYPE_CHECKING:
    from simulation.world import World

NAME = "witness"
KEY = SigningKey.from_seed("witness.example/w1", bytes(range(32)), COSIGNATURE_ED25519)


class Witness:
    """It cosigns only what its own memory leads to."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._size = 0
        self._root = b""

    def tick(self) -> None:
        """Cosign the newest checkpoint, if the tree has grown."""
        connection = Connection(self._world.disk, NAME, self._world, only_reads=True)
        try:
            row = connection.newest_checkpoint()
            assert row is not None, "a founded log has a checkpoint"
            checkpoint = open_checkpoint(row.note, LOG_KEY.verifier)
            connection.wait_replicated()
            require(checkpoint.size >= self._size, "a witness is shown a smaller tree than before")
            if checkpoint.size == self._size:
                require(checkpoint.root == self._root, "a witness is shown another tree of the same size")
                return
            if self._size:
                proof = consistency_proof(self._size, checkpoint.size, tile_reader(connection))
                verify_consistency(self._size, checkpoint.size, proof, self._root, checkpoint.root)
            self._size, self._root = checkpoint.size, checkpoint.root
            with connection.sidecar.exclusive_lock():
                connection.sidecar.write(COSIGNED, row.note + cosign(row.note, KEY, self._world.now // 1_000_000))
        except (PersistenceError, LedgerBusyError, OSError, Crash) as error:
            self._world.tell(f"{NAME}: {type(error).__name__}: {error}")


def place_strange_snapshot(world: "World") -> None:
    """Something else lies where the saved state should, or nothing: no answer may depend on it."""
    sidecar = world.disk.image.sidecar
    tail = load_tail(quiet(world.disk), [LOG_KEY.verifier])
    kind = world.temper.chance.choice(["gone", "garbled", "of another history", "of now"])
    if kind == "gone":
        sidecar.pop(SNAPSHOT, None)
    elif kind == "garbled":
        data = sidecar.get(SNAPSHOT, b"{}\n{}")
        place = world.temper.chance.randrange(len(data))
        sidecar[SNAPSHOT] = data[:place] + b"?" + data[place + 1 :]
    elif kind == "of another history":
        # A drill went on from a backup, and its saved state was left here: another tree, another state.
        other = State.from_bytes(tail.state.to_bytes())
        other.book.note("unissued", next(iter(other.programmes)), 1)
        write_snapshot(quiet(world.disk).sidecar, other, bytes(32), LOG_KEY)
    else:
        write_snapshot(quiet(world.disk).sidecar, tail.state, tail.edge.root(), LOG_KEY)
    world.tell(f"the saved state is {kind}")
