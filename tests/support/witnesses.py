"""Logs that can rewrite their history, witnesses on loopback, and what comes of asking them in raw HTTP."""

import contextlib
import hashlib
import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from support.actors import key_of
from support.stored_tree import StoredTree
from tallystick import keyfiles
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import Place, in_thread
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import verify_cosignature
from tallystick.transparency.merkle import EMPTY_ROOT, leaf_hash
from tallystick.transparency.proofs import consistency_proof
from tallystick.witness.cosigner import KEY, Witness, create_witness, open_witness
from tallystick.witness.request import AddCheckpoint
from tallystick.witness.server import BOUNDS, witness_server

ORIGIN = "log.example/witnessed"
LOG_KEY = key_of(ORIGIN)
WITNESS_NAME = "witness.example/w1"
CLOCK_S = 1_700_000_000


class History:
    """A log whose entries from `forked_at` on are other ones than those of its namesakes."""

    def __init__(self, size: int, *, forked_at: int | None = None, mark: str = "x", origin: str = ORIGIN) -> None:
        self.key: SigningKey = key_of(origin)
        self.origin = origin
        self.tree = StoredTree()
        self.roots = [EMPTY_ROOT]
        for index in range(size):
            other = forked_at is not None and index >= forked_at
            self.tree.extend([leaf_hash(f"entry {index}{mark if other else ''}".encode())])
            self.roots.append(self.tree.edge.root())

    def note(self, size: int) -> bytes:
        """Return the signed checkpoint of a size."""
        return sign_checkpoint(Checkpoint(self.origin, size, self.roots[size]), self.key)

    def proof(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the consistency proof; none from or to nothing."""
        return tuple(consistency_proof(old_size, size, self.tree.read_tile)) if 0 < old_size < size else ()

    def request(self, old_size: int, size: int) -> bytes:
        """Return the body that asks a witness which cosigned `old_size` last."""
        return AddCheckpoint(old_size, self.proof(old_size, size), self.note(size)).to_bytes()


class Replied(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    content_type: str | None
    body: bytes


def make_witness(folder: Path, *origins: str) -> SigningKey:
    """Make a witness that knows some logs, and return its key."""
    keys = [key_of(origin).verifier for origin in origins or (ORIGIN,)]
    create_witness(folder, WITNESS_NAME, keys, None, unencrypted=True)
    return keyfiles.load(folder / KEY, None)


def reopened(folder: Path, at_posix_s: int = CLOCK_S) -> Witness:
    """Open the witness of a folder, as a process would that has just started."""
    return open_witness(folder, keyfiles.load(folder / KEY, None), lambda: at_posix_s)


@contextlib.contextmanager
def serving(witness: Witness, log: list[str] | None = None, *, bounds: Bounds = BOUNDS) -> Iterator[str]:
    """Serve a witness on loopback until the block ends, and give its URL."""
    lines: list[str] = [] if log is None else log
    with in_thread(witness_server(witness, Place(), lines.append, bounds=bounds)) as server:
        yield server.url


def ask(url: str, method: str, path: str, body: bytes | None = None) -> Replied:
    """Ask once, on a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return Replied(response.status, response.getheader("Content-Type"), response.read())
    finally:
        connection.close()


def post(url: str, body: bytes) -> Replied:
    """Ask for a cosignature."""
    return ask(url, "POST", "/add-checkpoint", body)


def checkpoint_path(origin: str = ORIGIN) -> str:
    """Return where a witness shows what it cosigned for a log."""
    return f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"


def verified(line: bytes, note: bytes, witness: SigningKey) -> int:
    """Return the time of a good cosignature line."""
    return verify_cosignature(Note.from_bytes(note).text, Signature.from_line(line), witness.verifier)
