"""An export fails or is killed at any moment: whoever reads the folder finds all that its checkpoint implies."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from support.schedules import schedule
from support.static_log import KEY, ORIGIN, GrowingLog, check_folder
from tallystick.durable_files import ASIDE, exclusive_lock
from tallystick.errors import LedgerBusyError, NotALedgerError, ProofInvalidError, UsageError
from tallystick.publishing.export import export_tiles
from tallystick.signing.note import Note, Signature
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint

PAGE = b"<!doctype html>\n<!-- Tallystick: verifies nothing, for a test. -->\n"
CALLS = ("open", "fsync", "mkdir", "replace", "rename", "rmdir")
EDGES = [(0, 1), (1, 255), (255, 256), (256, 257), (250, 600), (512, 513), (300, 66_000)]

KILLED = """
import sys, time
from pathlib import Path
from support.static_log import GrowingLog
from tallystick.publishing.export import export_tiles
log = GrowingLog(int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
export_tiles(log.reader(), Path(sys.argv[1]))
print("done", flush=True)
"""


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def every_call(before: Callable[[str, tuple[Any, ...]], None]) -> Iterator[None]:
    """Call a function before each call of the system that an export makes."""

    def watched(name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def calling(*arguments: Any, **more: Any) -> Any:
            before(name, arguments)
            return call(*arguments, **more)

        return calling

    watching: dict[str, Any] = {name: watched(name) for name in CALLS}
    with mock.patch.multiple(os, **watching):
        yield


@pytest.mark.parametrize(("old", "new"), EDGES[:-1])
def test_any_call_fails_and_the_same_export_again_finishes(old: int, new: int, tmp_path: Path) -> None:
    log = GrowingLog(old or 1)
    start = tmp_path / "start"
    if old:
        export_tiles(log.reader(), start)
    log.grow(new)
    for failing in range(10_000):
        folder = tmp_path / str(failing)
        if old:
            subprocess.run(["/bin/cp", "-r", start, folder], check=True)
        calls: list[str] = []

        def fail(name: str, arguments: tuple[Any, ...], calls: list[str] = calls, failing: int = failing) -> None:
            calls.append(name)
            if len(calls) == failing + 1:
                raise OSError(28, "No space left on device")

        with every_call(fail), suppress(OSError):  # of mkdir, where the folder is there, it is none
            export_tiles(log.reader(), folder, page=PAGE)
        assert (check_folder(folder) if (folder / "checkpoint").exists() else 0) in (old, new)
        export_tiles(log.reader(), folder, page=PAGE)
        assert check_folder(folder) == new
        if len(calls) <= failing:
            break
    assert failing > 10
    assert files_of(folder) == files_of(tmp_path / "0")


@pytest.mark.parametrize(("old", "new"), EDGES)
def test_a_reader_at_any_moment_finds_what_the_checkpoint_implies(old: int, new: int, tmp_path: Path) -> None:
    log = GrowingLog(old or 1)
    if old:
        export_tiles(log.reader(), tmp_path)
    seen: list[int] = []

    def look(name: str, arguments: tuple[Any, ...]) -> None:
        # Between two renames nothing that a reader can see changes; in a long export one look in a hundred is enough.
        if name in ("replace", "rename") and (len(seen) % (1 + new // 600) == 0 or "checkpoint" in str(arguments[1])):
            seen.append(check_folder(tmp_path) if (tmp_path / "checkpoint").exists() else 0)
        elif name in ("replace", "rename"):
            seen.append(old)

    log.grow(new)
    before = files_of(tmp_path)
    with every_call(look):
        export_tiles(log.reader(), tmp_path)
    assert set(seen) == {old}
    assert check_folder(tmp_path) == new
    after = files_of(tmp_path)
    assert {path: after[path] for path in before if path != "checkpoint"} == {
        path: data for path, data in before.items() if path != "checkpoint"
    }


def test_the_checkpoint_is_renamed_when_everything_else_is_durable(tmp_path: Path) -> None:
    """Each file is synced before it gets its name, and each folder above it before the checkpoint gets its own."""
    synced: set[str] = set()
    named: set[Path] = set()

    def note(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "fsync":
            synced.add(str(Path(f"/proc/self/fd/{arguments[0]}").readlink()))
        if name in ("replace", "rename"):
            aside, path = (str(argument) for argument in arguments[:2])
            assert aside in synced
            if path == str(tmp_path / "checkpoint"):
                assert {str(folder) for file in named for folder in file.parents if folder >= tmp_path} <= synced
            synced.discard(aside)
            named.add(Path(path))

    with every_call(note):
        export_tiles(GrowingLog(1_000).reader(), tmp_path)
    assert len(named) == 4 * 2 + 1 + 1
    assert str(tmp_path) in synced


def test_a_folder_made_by_a_killed_export_is_synced_by_the_next(tmp_path: Path) -> None:
    """It is there already, but nobody made its name durable."""
    (tmp_path / "tile" / "entries").mkdir(parents=True)
    (tmp_path / "tile" / "0").mkdir()
    synced: set[str] = set()

    def note(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "fsync":
            synced.add(str(Path(f"/proc/self/fd/{arguments[0]}").readlink()))

    with every_call(note):
        export_tiles(GrowingLog(256).reader(), tmp_path)
    assert {str(tmp_path / name) for name in ("tile", "tile/0", "tile/entries")} <= synced


@pytest.mark.long
@pytest.mark.parametrize("seed", schedule([1], [1, 2, 3, 4]))
def test_kills_at_random_moments(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "public"
    sizes = [chance.randint(1, 90_000) for _ in range(schedule(3, 8))]
    published = 0
    for size in sorted(sizes):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            process.stdout.readline()
            process.stdin.write(b"\n")
            process.stdin.flush()
            try:
                process.wait(timeout=chance.uniform(0.0, 0.5))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        now = check_folder(folder) if (folder / "checkpoint").exists() else 0
        assert now in (published, size)
        published = now
    export_tiles(GrowingLog(90_000).reader(), folder)
    assert check_folder(folder) == 90_000
    assert not (folder / ASIDE).exists()


def test_an_export_reads_and_writes_only_what_is_new(tmp_path: Path) -> None:
    log = GrowingLog(66_000)
    assert export_tiles(log.reader(), tmp_path) == 66_000
    log.grow(66_010)
    log.tree.reads.clear()
    written = []
    with every_call(
        lambda name, arguments: written.append(str(arguments[1])) if name in ("replace", "rename") else None
    ):
        assert export_tiles(log.reader(), tmp_path) == 10
    assert [path.removeprefix(f"{tmp_path}/") for path in written] == [
        "tile/entries/257.p/218",
        "tile/0/257.p/218",
        "checkpoint",
    ]
    assert sum(log.tree.reads.values()) <= 12
    assert export_tiles(log.reader(), tmp_path) == 0


def test_partial_tiles_of_published_checkpoints_stay(tmp_path: Path) -> None:
    log = GrowingLog(1)
    notes = {}
    for size in (1, 255, 256, 300, 511, 512, 700):
        export_tiles(log.grow(size).reader(), tmp_path)
        notes[size] = (tmp_path / "checkpoint").read_bytes()
    for size, note in notes.items():
        (tmp_path / "checkpoint").write_bytes(note)
        assert check_folder(tmp_path) == size


def test_the_page_of_another_version_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """It is no part of the log: an export without one leaves it, and one with the same finds nothing to do."""
    log = GrowingLog(300)
    assert export_tiles(log.reader(), tmp_path, page=PAGE) == 300
    before = files_of(tmp_path)
    assert export_tiles(log.reader(), tmp_path, page=PAGE) == export_tiles(log.reader(), tmp_path) == 0
    assert files_of(tmp_path) == before
    newer = PAGE.replace(b"nothing", b"a little")
    assert export_tiles(log.reader(), tmp_path, page=newer) == 0
    assert files_of(tmp_path) == before | {"verify.html": newer}
    assert check_folder(tmp_path) == 300


@pytest.mark.parametrize("size", [0, 300])
def test_a_strangers_page_is_not_replaced(size: int, tmp_path: Path) -> None:
    """Before the first export or after it: it is named, and nothing is written."""
    log = GrowingLog(300)
    if size:
        export_tiles(log.reader(), tmp_path)
    (tmp_path / "verify.html").write_text("<p>mine</p>")
    before = files_of(tmp_path)
    with pytest.raises(UsageError, match=r"verify\.html is not the verifier's page: move it"):
        export_tiles(log.grow(301).reader(), tmp_path, page=PAGE)
    assert files_of(tmp_path) == before
    (tmp_path / "verify.html").unlink()
    (tmp_path / "verify.html").mkdir()
    with pytest.raises(UsageError, match="is not the verifier's page"):
        export_tiles(log.reader(), tmp_path, page=PAGE)


def test_a_rewritten_history_is_not_published(tmp_path: Path) -> None:
    export_tiles(GrowingLog(300).reader(), tmp_path)
    before = files_of(tmp_path)
    for size in (300, 400):
        with pytest.raises(ProofInvalidError, match=r"^history_rewritten: the first 300 entries"):
            export_tiles(GrowingLog(size, changed=17).reader(), tmp_path)
    with pytest.raises(ProofInvalidError, match="300 entries and this log has 299: it is an older copy"):
        export_tiles(GrowingLog(299).reader(), tmp_path)
    assert files_of(tmp_path) == before


def test_a_store_that_contradicts_its_checkpoint_is_not_published(tmp_path: Path) -> None:
    log = GrowingLog(300)
    export_tiles(log.reader(), tmp_path)
    log.grow(600)
    reader = log.reader()
    log.data[400] = b"changed"
    with pytest.raises(NotALedgerError, match="don't belong together"):
        export_tiles(reader, tmp_path)
    assert check_folder(tmp_path) == 300
    log.data[299] = b"changed"
    with pytest.raises(NotALedgerError, match="entries from 256 on are missing or changed"):
        export_tiles(reader, tmp_path)
    log.data[299], log.data[400] = b"entry 299", b"entry 400"
    export_tiles(reader, tmp_path)
    assert check_folder(tmp_path) == 600


@pytest.mark.parametrize("content", [b"", b"another.example/log\n", b"\xff", b"x" * 100_000])
def test_a_checkpoint_that_is_none_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(content)
    with pytest.raises(UsageError, match="choose another folder"):
        export_tiles(GrowingLog(3).reader(), tmp_path)
    assert files_of(tmp_path) == {"checkpoint": content}


def test_a_folder_in_other_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(UsageError, match="is not empty and not an export"):
        export_tiles(GrowingLog(3).reader(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_two_exports_at_a_time_are_one(tmp_path: Path) -> None:
    log = GrowingLog(3)
    with exclusive_lock(tmp_path), pytest.raises(LedgerBusyError, match="by another process"):
        export_tiles(log.reader(), tmp_path)
    export_tiles(log.reader(), tmp_path)
    assert check_folder(tmp_path) == 3


def test_cosignatures_beside_the_log_s_own_stay(tmp_path: Path) -> None:
    """Another export of the same tree doesn't drop a witness's line that was added to the folder, and adds its own."""
    log = GrowingLog(300)
    export_tiles(log.reader(), tmp_path)
    opened = Note.from_bytes(log.note)
    one, two = (Signature(f"witness.example/{name}", bytes(4), bytes(72)) for name in "ab")
    cosigned = Note(opened.text, (*opened.signatures, one)).to_bytes()
    (tmp_path / "checkpoint").write_bytes(cosigned)
    assert export_tiles(log.reader(), tmp_path) == 0
    assert (tmp_path / "checkpoint").read_bytes() == cosigned
    log.note = Note(opened.text, (*opened.signatures, two)).to_bytes()
    export_tiles(log.reader(), tmp_path)
    assert Note.from_bytes((tmp_path / "checkpoint").read_bytes()).signatures == (*opened.signatures, one, two)
    assert check_folder(tmp_path) == 300


def test_another_log_is_named(tmp_path: Path) -> None:
    export_tiles(GrowingLog(3).reader(), tmp_path)
    log = GrowingLog(3)
    other = Checkpoint("other.example/log", 3, log.tree.edge.root())
    log.note = Note(
        other.to_text(), Note.from_bytes(sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), KEY)).signatures
    ).to_bytes()
    with pytest.raises(UsageError, match=f"holds another log, {ORIGIN}"):
        export_tiles(log.reader(), tmp_path)
