"""A log of any size in memory, and an independent reader of exported folders, written from the specification alone.

`GrowingLog` has short entries that are no commands: exports and proofs don't ask what an entry says.
`check_folder` opens files by path and recomputes everything, with hashlib and nothing of ours.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from support.actors import key_of
from support.stored_tree import StoredTree
from tallystick.ledger.sidecar import MemorySidecar
from tallystick.ledger.store import CheckpointRow, Sidecar
from tallystick.publishing.reader import Reader
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import leaf_hash

ORIGIN = "log.example/static"
KEY = key_of(ORIGIN)


class GrowingLog:
    """A store of made-up entries, as `LogStore` is read; `reads` counts tiles, `bundles` entries asked for."""

    def __init__(self, size: int, *, changed: int | None = None) -> None:
        self.data: list[bytes] = []
        self.tree = StoredTree()
        self.changed = changed
        self.grow(size)

    def grow(self, size: int) -> "GrowingLog":
        """Go on to a size, and sign it."""
        more = [b"entry %d%s" % (index, b"!" * (index == self.changed)) for index in range(len(self.data), size)]
        self.data += more
        self.tree.extend([leaf_hash(entry) for entry in more])
        self.note = sign_checkpoint(Checkpoint(ORIGIN, size, self.tree.edge.root()), KEY)
        return self

    def reader(self) -> Reader:
        """Return a reader of the log as it is now."""
        return Reader(self, "the log")

    @property
    def sidecar(self) -> Sidecar:
        return MemorySidecar()

    def acquire(self) -> None:
        raise NotImplementedError

    def wait_replicated(self) -> None:
        """Nobody writes."""

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        raise NotImplementedError

    def insert_events(self, stored_events: Sequence[Any], **kwargs: Any) -> Sequence[int] | None:
        raise NotImplementedError

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        yield from self.data[start:stop]

    def entry_count(self) -> int:
        return len(self.data)

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        tile = self.tree.read_tile(level, start // 256, stop - start // 256 * 256)
        return [tile[at : at + 32] for at in range(start % 256 * 32, len(tile), 32)]

    def newest_checkpoint(self) -> CheckpointRow | None:
        return CheckpointRow(0, len(self.data), self.note)

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        return {}

    def close(self) -> None:
        pass


def check_folder(folder: Path) -> int:
    """Assert that every file which the checkpoint implies is there and right, and return the checkpoint's size."""
    origin, size_text, root, *_ = (folder / "checkpoint").read_text("utf-8").split("\n")
    size = int(size_text)
    assert origin
    leaves = [leaf for n in range(-(-size // 256)) for leaf in _bundle(folder, n, min(256, size - n * 256))]
    assert _root(leaves) == base64.b64decode(root)
    level, hashes = 0, leaves
    while hashes:
        for start in range(0, len(hashes), 256):
            row = hashes[start : start + 256]
            assert _file(folder, f"tile/{level}", start // 256, len(row)) == b"".join(row)
        whole = range(0, len(hashes) // 256 * 256, 256)
        level, hashes = level + 1, [_root(hashes[start : start + 256]) for start in whole]
    return size


def _bundle(folder: Path, n: int, width: int) -> list[bytes]:
    data = _file(folder, "tile/entries", n, width)
    leaves = []
    while data:
        end = 2 + int.from_bytes(data[:2], "big")
        assert end <= len(data)
        leaves.append(hashlib.sha256(b"\0" + data[2:end]).digest())
        data = data[end:]
    assert len(leaves) == width
    return leaves


def _file(folder: Path, kind: str, n: int, width: int) -> bytes:
    digits = str(n).zfill((len(str(n)) + 2) // 3 * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    name = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return (folder / kind / (name if width == 256 else f"{name}.p/{width}")).read_bytes()


def _root(hashes: list[bytes]) -> bytes:
    """Row by row; the last of an odd row goes up as it is, which gives RFC 6962's tree."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        last = hashes[-1:] if len(hashes) % 2 else []
        hashes = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs] + last
    return hashes[0] if hashes else hashlib.sha256().digest()
