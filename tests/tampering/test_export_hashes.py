"""The hashes of an export are held against its signed checkpoint, and the first file that is wrong is named."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from support.command_line import done, failed, run
from support.small_ledger import LOG_KEY, POLICY
from support.static_log import KEY, GrowingLog
from tallystick.errors import (
    ExportDiffersError,
    NoteMalformedError,
    QuorumMissingError,
    SignatureMissingError,
    TallystickError,
)
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.static.files import FolderFiles
from tallystick.static.hashes import verify_hashes
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.policy import Policy, PolicyLine, QuorumLine, WitnessLine
from tallystick.transparency.tiles import bundle_from_bytes, bundle_path, bundle_to_bytes, tile_path, tiles_of

TRUST = Policy.for_log(KEY.verifier)
LAST = "001.p/33"  # 289 entries: one full tile and 33


class MemoryFiles:
    """An export in memory."""

    name = "memory"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    @classmethod
    def of(cls, log: GrowingLog) -> Self:
        files = {"checkpoint": log.note}
        for level, n, width in tiles_of(len(log.data)):
            files[tile_path(level, n, width)] = log.tree.read_tile(level, n, width)
            if level == 0:
                files[bundle_path(n, width)] = bundle_to_bytes(log.data[n * 256 : n * 256 + width])
        return cls(files)

    def read(self, path: str, size_max: int) -> bytes | None:
        data = self.files.get(path)
        return None if data is None else data[: size_max + 1]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_536, 65_793])
def test_a_sound_export_is_proven_at_every_size(size: int) -> None:
    """Each file is read once, and progress ends with the last entry."""
    files = MemoryFiles.of(GrowingLog(size))
    told: list[tuple[int, int]] = []
    found = verify_hashes(files, TRUST, lambda done, total: told.append((done, total)))
    assert found.checkpoint.size == size
    assert found.tiles + found.bundles + 1 == len(files.files)
    assert found.size_bytes == sum(map(len, files.files.values())) - len(files.files["checkpoint"])
    assert (told[-1] if told else (0, 0)) == (size, size)


LARGE = MemoryFiles.of(GrowingLog(65_793))


@pytest.mark.parametrize("change", ["a bit", "gone", "longer", "shorter", "empty"])
def test_whatever_is_changed_its_file_is_named(change: str) -> None:
    """Of a tree of three levels: a changed tile isn't taken for a changed entry, nor the other way round."""
    chance = random.Random(change)
    of_each_kind = ["tile/entries/", "tile/0/", "tile/1/", "tile/2/"]
    for kind in of_each_kind:
        path = chance.choice([path for path in LARGE.files if path.startswith(kind)])
        spoiled = MemoryFiles(dict(LARGE.files))
        data = bytearray(spoiled.files.pop(path))
        if change == "a bit":
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        changed = {"a bit": data, "longer": data + b"\0", "shorter": data[:-1], "empty": b""}.get(change)
        if changed is not None:
            spoiled.files[path] = bytes(changed)
        with pytest.raises(ExportDiffersError) as refused:
            verify_hashes(spoiled, TRUST)
        named = str(refused.value).split(": ")[0]
        assert path in named.split(" and "), refused.value


def test_the_first_of_several_is_named() -> None:
    """In the order of the log."""
    spoiled = MemoryFiles.of(GrowingLog(1_000))
    for n in (1, 2):
        spoiled.files[bundle_path(n, 256)] = bundle_to_bytes([b"another"] * 256)
    with pytest.raises(ExportDiffersError, match=r"tile/entries/001: entry 256 is not the one"):
        verify_hashes(spoiled, TRUST)


def _edit(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes(change((folder / path).read_bytes()))


def _as_folder(path: str) -> Callable[[Path], object]:
    def attack(folder: Path) -> None:
        (folder / path).unlink()
        (folder / path).mkdir()

    return attack


def _swap(data: bytes) -> bytes:
    entries = bundle_from_bytes(data, 256)
    return bundle_to_bytes([*entries[:50], entries[51], entries[50], *entries[52:]])


def _signed(size: int, root: bytes) -> Callable[[bytes], bytes]:
    return lambda _: sign_checkpoint(Checkpoint(LOG_KEY.name, size, root), LOG_KEY)


ATTACKS: list[tuple[str, type[TallystickError], str, Callable[[Path], object]]] = [
    ("no checkpoint", ExportDiffersError, "checkpoint: it is missing", lambda folder: (folder / "checkpoint").unlink()),
    ("a folder for a checkpoint", ExportDiffersError, "checkpoint: not a file", _as_folder("checkpoint")),
    ("an unreadable checkpoint", NoteMalformedError, "", _edit("checkpoint", lambda _: b"")),
    ("unsigned", SignatureMissingError, "", _edit("checkpoint", lambda data: data.replace(b"tally", b"telly"))),
    (
        "another root",
        ExportDiffersError,
        "tile/1/000.p/1 and tile/0/001.p/33: ",
        _edit("checkpoint", _signed(289, b"\x07" * 32)),
    ),
    ("more than there is", ExportDiffersError, "tile/0/001.p/34: it is", _edit("checkpoint", _signed(290, b"7" * 32))),
    ("very much more", ExportDiffersError, "it is missing", _edit("checkpoint", _signed(2**62, b"7" * 32))),
    ("nothing", ExportDiffersError, "an empty tree: ", _edit("checkpoint", _signed(0, b"\x07" * 32))),
    ("two entries swapped", ExportDiffersError, "entries/000: entry 50 is not", _edit("tile/entries/000", _swap)),
    ("a folder for a bundle", ExportDiffersError, "tile/entries/000: not a file", _as_folder("tile/entries/000")),
]


@pytest.mark.parametrize(("error", "said", "attack"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_a_changed_export_is_refused(
    tiles: Path, error: type[TallystickError], said: str, attack: Callable[[Path], object]
) -> None:
    """By the error, which names the file."""
    verify_hashes(FolderFiles(tiles), POLICY)
    attack(tiles)
    with pytest.raises(error) as refused:
        verify_hashes(FolderFiles(tiles), POLICY)
    assert said in str(refused.value)


def test_a_full_tile_stands_in_for_a_partial_one(tiles: Path) -> None:
    """As after the log has grown on and the partial files were deleted."""
    partial = tiles / "tile/0" / LAST
    (tiles / "tile/0/001").write_bytes(partial.read_bytes() + bytes(223 * 32))
    partial.unlink()
    bundle = tiles / "tile/entries" / LAST
    (tiles / "tile/entries/001").write_bytes(bundle.read_bytes() + bundle_to_bytes([b"later"] * 223))
    bundle.unlink()
    assert verify_hashes(FolderFiles(tiles), POLICY).checkpoint.size == 289


def test_the_policy_decides_whose_checkpoint_counts(tiles: Path) -> None:
    """Another log's key, or a quorum of witnesses that didn't cosign."""
    with pytest.raises(SignatureMissingError):
        verify_hashes(FolderFiles(tiles), TRUST)
    witness = SigningKey.from_seed("witness.example/1", b"\x01" * 32, COSIGNATURE_ED25519).verifier
    lines: tuple[PolicyLine, ...] = (*POLICY.logs, WitnessLine("w", witness), QuorumLine("w"))
    with pytest.raises(QuorumMissingError):
        verify_hashes(FolderFiles(tiles), Policy(lines))


def test_the_command_says_what_it_looked_at_and_what_not(pristine: Path, tiles: Path, tmp_path: Path) -> None:
    """In one line, or as JSON; status 1 where a file is wrong, 2 where there is no export."""
    policy = tmp_path / "trust.policy"
    policy.write_bytes(POLICY.to_text())
    arguments: tuple[Any, ...] = ("verify", tiles, "--hashes", "--trust", policy)
    said = done(*arguments)
    assert said.startswith("proven: all 289 entries of ")
    assert "in 2 bundles under 3 tiles, are those of its signed checkpoint" in said
    assert "rules and signatures of parties weren't looked at" in said
    assert said.count("\n") == 1
    told = run(*arguments, "--json").json
    assert (told["bundles"], told["tiles"], told["not_verified"]) == (2, 3, ["rules", "party_signatures"])
    assert "leave INDEX out" in failed("verify", tiles, "5", "--hashes", "--trust", policy)
    assert "is a ledger" in failed("verify", pristine / "ledger", "--hashes", "--trust", policy)
    (tiles / "tile/0/000").unlink()
    assert failed(*arguments, status=1) == "tile/0/000: it is missing"
