"""One attack a row on an exported folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.actors import ORIGIN
from support.small_ledger import LOG_KEY, POLICY
from tallystick.audit import FindingCode, audit
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import EMPTY_ROOT
from tallystick.transparency.tiles import bundle_from_bytes, bundle_to_bytes

C = FindingCode
LAST = "001.p/33"  # 289 entries: one full tile and 33


def _delete(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).unlink()


def _write(path: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes(data)


def _change(path: str, place: int) -> Callable[[Path], object]:
    def attack(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[place] ^= 1
        (folder / path).write_bytes(data)

    return attack


def _lengthen(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes() + b"\x00")


def _cut(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:-1])


def _checkpoint(size: int, root: bytes) -> Callable[[Path], object]:
    return _write("checkpoint", sign_checkpoint(Checkpoint(ORIGIN, size, root), LOG_KEY))


ATTACKS: list[tuple[str, FindingCode, int | None, Callable[[Path], object]]] = [
    ("no checkpoint", C.CHECKPOINT_MISSING, None, _delete("checkpoint")),
    ("no readable checkpoint", C.CHECKPOINT_MALFORMED, None, _write("checkpoint", b"")),
    ("a checkpoint without end", C.CHECKPOINT_MALFORMED, None, _write("checkpoint", b"x\n" * 2**20)),
    ("another root, signed", C.ROOT_DIFFERS, None, _checkpoint(289, b"\x07" * 32)),
    ("nothing, signed", C.LOG_EMPTY, None, _checkpoint(0, EMPTY_ROOT)),
    ("more than there is, signed", C.TILE_MISSING, 256, _checkpoint(290, b"\x07" * 32)),
    ("very much more, signed", C.ENTRY_MISSING, 256, _checkpoint(2**62, b"\x07" * 32)),
    ("a tile is gone", C.TILE_MISSING, 0, _delete("tile/0/000")),
    ("the tile of the second level is gone", C.TILE_MISSING, None, _delete("tile/1/000.p/1")),
    ("a bundle is gone", C.TILE_MISSING, 256, _delete(f"tile/entries/{LAST}")),
    ("entries are gone with their bundle", C.ENTRY_MISSING, 0, _delete("tile/entries/000")),
    ("a tile is longer", C.TILE_MALFORMED, 0, _lengthen("tile/0/000")),
    ("a tile is shorter", C.TILE_MALFORMED, 256, _cut(f"tile/0/{LAST}")),
    ("a tile is empty", C.TILE_MALFORMED, None, _write("tile/1/000.p/1", b"")),
    ("a bundle is longer", C.TILE_MALFORMED, 256, _lengthen(f"tile/entries/{LAST}")),
    ("a bundle is shorter", C.TILE_MALFORMED, 0, _cut("tile/entries/000")),
    ("a leaf hash is changed", C.LEAF_DIFFERS, 5, _change("tile/0/000", 5 * 32 + 7)),
    ("a hash of the second level is changed", C.TILE_DIFFERS, None, _change("tile/1/000.p/1", 3)),
    ("the last signature is changed", C.SIGNATURE_INVALID, 288, _change(f"tile/entries/{LAST}", -12)),
]


@pytest.mark.parametrize(("code", "index", "attack"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_a_changed_folder_is_found(
    tiles: Path, code: FindingCode, index: int | None, attack: Callable[[Path], object]
) -> None:
    """By its code, and at the entry where there is one."""
    attack(tiles)
    report = audit(tiles, POLICY)
    assert (code.value, index) in [(row.code, row.index) for row in report.findings]


def test_the_folder_and_the_ledger_come_to_the_same(pristine: Path) -> None:
    """The same totals, and the same checkpoint."""
    exported, stored = audit(pristine / "tiles", POLICY), audit(pristine / "ledger", POLICY)
    assert exported == stored
    assert exported.is_clean


def test_a_full_tile_stands_in_for_a_partial_one(tiles: Path) -> None:
    """As after the log has grown on and the partial files were deleted."""
    partial = tiles / "tile/0" / LAST
    (tiles / "tile/0/001").write_bytes(partial.read_bytes() + bytes(223 * 32))
    partial.unlink()
    bundle = tiles / "tile/entries" / LAST
    entries = bundle_from_bytes(bundle.read_bytes(), 33)
    (tiles / "tile/entries/001").write_bytes(bundle_to_bytes(entries + [b"later"] * 223))
    bundle.unlink()
    assert audit(tiles, POLICY).is_clean


def test_an_entry_taken_out_of_its_bundle_shifts_nothing_unseen(tiles: Path) -> None:
    """Those behind it are in wrong places, and the bundle is too short."""
    bundle = tiles / "tile/entries/000"
    entries = bundle_from_bytes(bundle.read_bytes(), 256)
    bundle.write_bytes(bundle_to_bytes([*entries[:50], *entries[51:], entries[50]]))
    report = audit(tiles, POLICY)
    assert ("index_differs", 50) in [(row.code, row.index) for row in report.findings]
    assert report.findings[0].index == 50
