"""Exports of sizes around the edges of tiles, and proofs from their files alone, checked by other implementations."""

import errno
import math
import os
import socket
from collections import Counter
from contextlib import closing
from pathlib import Path

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle.hasher import MerkleHasher

from support.static_log import GrowingLog, check_folder
from support.web_server import serving
from tallystick.errors import AccessDeniedError, NotAFileError, NotALedgerError, ProofInvalidError, UsageError
from tallystick.ledger.store import ReadStore
from tallystick.publishing import Reader, read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.publishing.proving import prove_consistency, prove_inclusion
from tallystick.publishing.static_store import StaticStore
from tallystick.static.files import FolderFiles, StaticFiles
from tallystick.static.log import StaticLog
from tallystick.static.web import WebFiles

SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537)


class CountedFiles:
    """A folder's files, counted by path as they are read."""

    def __init__(self, folder: Path) -> None:
        self._files: StaticFiles = FolderFiles(folder)
        self.name = self._files.name
        self.reads: Counter[str] = Counter()

    def read(self, path: str, size_max: int) -> bytes | None:
        data = self._files.read(path, size_max)
        if data is not None:
            self.reads[path] += 1
        return data

    def close(self) -> None:
        self._files.close()


def reader_of(files: StaticFiles) -> Reader:
    """A reader of static files."""
    return Reader(StaticStore(StaticLog(files)), files.name)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A folder for each size, each exported at once."""
    folders = {}
    for size in SIZES:
        folders[size] = tmp_path_factory.mktemp(str(size))
        export_tiles(GrowingLog(size).reader(), folders[size])
    return folders


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was exported at each size in turn."""
    folder = tmp_path_factory.mktemp("grown")
    log = GrowingLog(1)
    for size in SIZES:
        export_tiles(log.grow(size).reader(), folder)
    return folder


@pytest.fixture(scope="module")
def oracle() -> pymerkle.BaseMerkleTree:
    """Another implementation, with the smaller entries."""
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for index in range(600):
        tree.append_entry(b"entry %d" % index)
    return tree


@pytest.mark.parametrize("size", SIZES)
def test_an_export_is_what_the_specification_says(size: int, exported: dict[int, Path]) -> None:
    """Checked by a reader that knows nothing of ours, and free of files that the checkpoint doesn't imply."""
    assert check_folder(exported[size]) == size
    widths = [size // 256**level % 256 for level in range(math.ceil(math.log(size, 256)) + 1)]
    full = sum(size // 256 ** (level + 1) for level in range(8))
    tiles = full + sum(width > 0 for width in widths)
    assert len([path for path in exported[size].rglob("*") if path.is_file()]) == 1 + tiles + -(-size // 256)


def test_many_small_exports_are_one_large_one(grown: Path, exported: dict[int, Path]) -> None:
    """With the partial tiles of the smaller ones beside it."""
    assert check_folder(grown) == SIZES[-1]
    for size, folder in exported.items():
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "checkpoint":
                assert (grown / path.relative_to(folder)).read_bytes() == path.read_bytes(), (size, path)


@given(st.data())
def test_proofs_between_any_sizes_hold(grown: Path, data: st.DataObject) -> None:
    """Also for trees that were never published, and from as many tiles as the tree has levels, twice at most."""
    files = CountedFiles(grown)
    reader = reader_of(files)
    new = data.draw(st.one_of(st.sampled_from(SIZES), st.integers(1, SIZES[-1])))
    old = data.draw(st.one_of(st.just(new), st.integers(1, new)))
    index = data.draw(st.integers(0, new - 1))
    files.reads.clear()
    inclusion = prove_inclusion(reader, index, new)
    assert files.reads.total() <= 2 * len(bin(SIZES[-1]))
    assert len(inclusion.proof) <= math.ceil(math.log2(new)) if new > 1 else inclusion.proof == ()
    consistency = prove_consistency(reader, old, new)
    assert inclusion.root == consistency.new_root
    assert (consistency.old_root == consistency.new_root) == (old == new)


@given(st.data())
def test_roots_and_proofs_are_another_implementation_s(
    grown: Path, oracle: pymerkle.BaseMerkleTree, data: st.DataObject
) -> None:
    """For trees that it can hold."""
    reader = reader_of(FolderFiles(grown))
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(1, new))
    index = data.draw(st.integers(0, new - 1))
    inclusion, consistency = prove_inclusion(reader, index, new), prove_consistency(reader, old, new)
    hasher = MerkleHasher("sha256")
    assert inclusion.leaf_hash == hasher.hash_buff(b"entry %d" % index) == oracle.get_leaf(index + 1)
    assert (inclusion.root, consistency.old_root) == (oracle.get_root(new), oracle.get_root(old))
    # Its proofs begin with what the verifier has already: the leaf's hash.
    assert [bytes.fromhex(value) for value in oracle.prove_inclusion(index + 1, new).serialize()["path"]] == [
        inclusion.leaf_hash,
        *inclusion.proof,
    ]


def test_a_large_log_takes_few_reads(exported: dict[int, Path]) -> None:
    """Three levels: a handful of files, whatever the index."""
    files = CountedFiles(exported[65_537])
    reader = reader_of(files)
    for index in (0, 255, 256, 40_000, 65_535, 65_536):
        files.reads.clear()
        receipt = reader.receipt(index)
        assert receipt.entry == b"entry %d" % index
        assert files.reads.total() <= 4
        files.reads.clear()
        prove_consistency(reader, max(index, 1))
        assert files.reads.total() <= 8


def test_a_damaged_export_gives_no_proof(tmp_path: Path) -> None:
    """Whatever is wrong with it."""
    export_tiles(GrowingLog(600).reader(), tmp_path)
    bundle, tile = tmp_path / "tile/entries/000", tmp_path / "tile/0/000"
    whole = bundle.read_bytes(), tile.read_bytes()
    bundle.write_bytes(whole[0].replace(b"entry 17", b"entry 71"))
    with pytest.raises(ProofInvalidError):
        read_ledger(tmp_path).receipt(17)
    with pytest.raises(ProofInvalidError):
        prove_inclusion(read_ledger(tmp_path), 17)
    for damaged in (whole[0][:-1], whole[0] + b"x", b"", whole[0] * 100):
        bundle.write_bytes(damaged)
        with pytest.raises(NotALedgerError, match=r"tile/entries/000: a bundle of"):
            read_ledger(tmp_path).receipt(17)
    bundle.write_bytes(whole[0])
    tile.write_bytes(whole[1][:32] + bytes(32) + whole[1][64:])
    with pytest.raises(ProofInvalidError):
        read_ledger(tmp_path).receipt(0)
    with pytest.raises(ProofInvalidError):
        prove_consistency(read_ledger(tmp_path), 3)
    for damaged in (whole[1][:-1], whole[1] + b"x", b""):
        tile.write_bytes(damaged)
        with pytest.raises(NotALedgerError, match="tile/0/000 has not exactly 8192 bytes"):
            read_ledger(tmp_path).receipt(0)
    tile.unlink()
    with pytest.raises(NotALedgerError, match="lacks tile 0 of level 0"):
        read_ledger(tmp_path).receipt(0)


def test_deleted_partial_tiles_are_cut_from_the_full_ones(tmp_path: Path) -> None:
    """As tlog-tiles lets a log do, for a reader whose checkpoint is older."""
    log = GrowingLog(300)
    export_tiles(log.reader(), tmp_path)
    older = read_ledger(tmp_path)
    export_tiles(log.grow(600).reader(), tmp_path)
    for path in [*tmp_path.rglob("001.p/44")]:
        path.unlink()
    assert older.receipt(299).entry == b"entry 299"
    assert [*older.entries(250, 400)] == [b"entry %d" % index for index in range(250, 300)]
    assert prove_consistency(older, 257).new_size == 300


@pytest.mark.parametrize("denies", [False, True])
def test_over_http_a_denial_is_as_good_as_an_absence(tmp_path: Path, denies: bool) -> None:
    """For partial tiles, whose full ones are there; what is missing altogether is a trouble with the server."""
    log = GrowingLog(300)
    export_tiles(log.reader(), tmp_path)
    old_note = (tmp_path / "checkpoint").read_bytes()
    export_tiles(log.grow(600).reader(), tmp_path)
    (tmp_path / "checkpoint").write_bytes(old_note)  # as a cache still has it
    for path in [*tmp_path.rglob("001.p/44")]:
        path.unlink()
    with serving(tmp_path) as server, closing(WebFiles(server.url)) as files:
        server.denies = denies
        older = reader_of(files)
        assert older.receipt(299).entry == b"entry 299"
        assert [*older.entries(250, 400)] == [b"entry %d" % index for index in range(250, 300)]
        (tmp_path / "tile/0/001").unlink()
        (tmp_path / "tile/0/000").unlink()
        for index in (0, 299):
            with pytest.raises(AccessDeniedError if denies else NotALedgerError):
                older.receipt(index)


def test_what_is_no_file_is_told_from_what_can_not_be_read(tmp_path: Path) -> None:
    """The one is the folder's fault, the other this machine's; a link that leads nowhere is as good as nothing."""
    files = FolderFiles(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "file").write_bytes(b"bytes")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
    for name in ("folder", "pipe", "circle", "device", "socket", "n" * 256):
        with pytest.raises(NotAFileError) as caught:
            files.read(name, 10)
        assert caught.value.filename == str(tmp_path / name)
    assert [files.read(name, 10) for name in ("file", "nowhere", "missing", "file/below")] == [b"bytes", *[None] * 3]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE])
@pytest.mark.parametrize("failing", ["open", "fstat"])
def test_what_this_machine_can_not_read_is_no_fault_of_the_folder(
    code: int, failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays the system's own error, and has the file's name."""
    (tmp_path / "file").write_bytes(b"bytes")

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match=r".") as caught:
        FolderFiles(tmp_path).read("file", 10)
    monkeypatch.undo()
    assert not isinstance(caught.value, NotAFileError)
    assert (caught.value.errno, caught.value.filename) == (code, str(tmp_path / "file"))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Of sizes, indexes and tiles beyond the checkpoint."""
    export_tiles(GrowingLog(300).reader(), tmp_path)
    reader = read_ledger(tmp_path)
    for index, size in ((300, None), (-1, None), (5, 5), (0, 0), (0, 301)):
        with pytest.raises(UsageError, match="there is no"):
            prove_inclusion(reader, index, size)
    for old, new in ((0, None), (301, None), (5, 4), (-1, 5), (1, 301)):
        with pytest.raises(UsageError, match=r"there is no tree|can't be proved"):
            prove_consistency(reader, old, new)
    with pytest.raises(ValueError, match="has 44 hashes, and not 45"):
        reader.read_tile(0, 1, 45)


def test_an_export_gives_five_reads_and_nothing_that_writes() -> None:
    """It has what a `ReadStore` says, and nothing that it would have to refuse or to make up."""
    reads = {"entries", "tree_hashes", "newest_checkpoint", "find_references", "close"}
    assert {name for name in vars(ReadStore) if not name.startswith("_")} == reads
    assert {name for name in dir(StaticStore) if not name.startswith("_")} == reads
