"""A disk that is full, read-only, gone or half written: one clear line, nothing answered is lost, and on it goes.

A SQLite ledger folder is hurt while its writer is at work or before it opens. Whatever the harm, the writer answers for
nothing that a reader of the folder wouldn't find, and once the cause is gone the same notes are admitted and the audit
is clean.
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventsourcing.persistence import PersistenceError

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import Desk, run, the_line
from support.other_process import AS_NOBODY, give_away, run_with_less
from tallystick.audit import audit
from tallystick.errors import StoreFailedError, WriterFencedError
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger
from tallystick.ledger.pending import NoteAnswer
from tallystick.ledger.sqlite import SQLiteLogRecorder
from tallystick.publishing import read_ledger
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import Receipt, verify_receipt

POLICY = Policy.for_log(LOG_KEY.verifier)
FOUNDED = 11


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with room beside it to move things to; the ledger itself is made by `founded`."""
    return tmp_path / "ledger"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    """A founded ledger, open."""
    with founded(folder) as ledger:
        yield ledger


def founded(folder: Path) -> Ledger:
    clock = Clock()
    genesis, *rest = founding_notes()
    ledger = create_ledger(folder, genesis, LOG_KEY, clock=clock)
    ledger.submit(rest)
    clock.at = NOW
    return ledger


def statements(name: str, count: int, lines: int = 1) -> list[bytes]:
    return [burn_note(f"{name}-{number}", lines) for number in range(count)]


def are_entries(answers: list[NoteAnswer], *, new: bool) -> bool:
    return all(isinstance(answer, Admitted) and answer.is_new == new for answer in answers)


def receipts_of(answers: list[NoteAnswer]) -> list[Receipt]:
    return [answer.receipt() for answer in answers if isinstance(answer, Admitted)]


def failed_submit(ledger: Ledger, notes: list[bytes]) -> str:
    """Submit what must fail as a store fails, and return the one line about it."""
    with pytest.raises(StoreFailedError) as caught:
        ledger.submit(notes)
    line = str(caught.value)
    assert line.isprintable()
    return line


def assert_sound(folder: Path, size: int, receipts: list[Receipt]) -> None:
    """The log has so many entries, an audit finds nothing, and every receipt given holds for an entry that is there."""
    report = audit(folder, POLICY, processes=1)
    assert (report.verdict, report.entries) == ("clean", size)
    with read_ledger(folder) as reader:
        for receipt in receipts:
            verify_receipt(receipt, reader.entry(receipt.index), POLICY)


# ------------------------------------------------------------------------------------------------------ a full disk


def test_a_full_database_keeps_nothing_of_a_group_and_goes_on_when_there_is_room(ledger: Ledger, folder: Path) -> None:
    """SQLite itself says that the disk is full, in the middle of a transaction of many pages."""
    first = ledger.submit(statements("before", 3))
    receipts, root = receipts_of(first), ledger.root
    store = ledger._store
    assert isinstance(store, SQLiteLogRecorder)

    def limit_pages(more: int) -> None:
        with store.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0] + more}")

    limit_pages(2)
    notes = statements("full", 40, lines=50)
    for _ in range(2):
        assert "full" in failed_submit(ledger, notes)
        assert (ledger.state.size, ledger.root) == (FOUNDED + 3, root)
    assert are_entries(ledger.submit([first_entry_note(first)]), new=False)
    limit_pages(10_000)
    answers = ledger.submit(notes)
    assert are_entries(answers, new=True)
    assert_sound(folder, FOUNDED + 3 + 40, receipts + receipts_of(answers))


def first_entry_note(answers: list[NoteAnswer]) -> bytes:
    """The note of the first entry, to be submitted again."""
    assert isinstance(answers[0], Admitted)
    return answers[0].entry.partition(b"\n")[2]


LIMITED_WRITER = """
import resource, sys
from pathlib import Path
from support.burning import LOG_KEY, NOW, Clock, burn_note
from tallystick.errors import StoreFailedError
from tallystick.ledger import open_ledger
folder, room = Path(sys.argv[1]), int(sys.argv[2])
with open_ledger(folder, LOG_KEY, clock=Clock(NOW)) as ledger:
    notes = [burn_note(f"s-{number}", 20) for number in range(60)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    kept = []
    for note in notes:
        try:
            kept += ledger.submit([note])
        except StoreFailedError as error:
            print("failed", error, flush=True)
            break
    print("answered", *[answer.index for answer in kept], flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again = ledger.submit(notes)
    print("again", *[answer.index for answer in again], flush=True)
    print("new", *[answer.index for answer in again if answer.is_new], flush=True)
"""


@pytest.mark.parametrize("room", [100_000, 200_000, 400_000])
def test_an_open_writer_that_ran_out_of_room_goes_on_when_there_is(folder: Path, room: int) -> None:
    """No file may grow beyond `room` bytes, then it may: the same process completes what it could not keep."""
    founded(folder).close()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED_WRITER, str(folder), str(room)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    said = {line.partition(" ")[0]: line.partition(" ")[2] for line in ran.stdout.splitlines()}
    assert [*said] == ["failed", "answered", "again", "new"], ran.stdout
    answered, again, new = ([int(word) for word in said[name].split()] for name in ("answered", "again", "new"))
    assert 0 < len(answered) < 60
    assert again == [*range(FOUNDED, FOUNDED + 60)]
    assert answered + new == again  # nothing answered was lost, nothing else was kept
    assert_sound(folder, FOUNDED + 60, [])


# ------------------------------------------------------------------------------------------------- a read-only file


@pytest.mark.parametrize("read_only", ["the database", "the folder", "all of it"])
def test_a_read_only_ledger_is_read_and_not_written(open_folder: Path, read_only: str) -> None:
    """One line and status 2 by what would write, and status 0 by what reads; allowed again, it goes on."""
    desk = Desk(open_folder)
    desk.found()
    note = desk.sign("item.register", "national", item="h100", unit="gpu_time", name="H100", origin="foreign")
    size = desk.size
    for spare in ("ledger.db-wal", "ledger.db-shm"):  # at rest: a reader had them made anew
        (desk.ledger / spare).unlink(missing_ok=True)
    rehearsal = desk.folder / "rehearsal"
    shutil.copytree(desk.ledger, rehearsal)
    give_away(desk.folder)
    hurt = {
        "the database": [desk.ledger / "ledger.db"],
        "the folder": [desk.ledger],
        "all of it": [*desk.ledger.iterdir(), desk.ledger],
    }[read_only]
    modes = {path: path.stat().st_mode for path in hurt}
    for path in hurt:
        path.chmod(0o500 if path.is_dir() else 0o400)
    ran = run_with_less(AS_NOBODY, rehearsal, "submit", desk.ledger, note, "--log-time", desk.at)
    assert (ran.status, ran.out) == (2, ""), ran
    assert the_line(ran.err).endswith(
        "attempt to write a readonly database; see "
        + (
            "to the store, and submit again"
            if read_only == "the database"
            else "that you may write the folder and what is in it"
        )
    )
    ran = run_with_less(AS_NOBODY, rehearsal, "check", desk.ledger, note, "--log-time", desk.at)
    assert (ran.status, ran.err) == (0, ""), ran
    for path, mode in modes.items():
        path.chmod(mode)
    assert desk.size == size
    assert run("submit", desk.ledger, note, "--log-time", desk.at).status == 0
    assert desk.size == size + 1
    assert run("audit", desk.ledger, "--trust", desk.policy).status == 0


# ----------------------------------------------------------------------------- a database that vanishes or is replaced


def _move(path: Path) -> Callable[[], None]:
    """Move a path aside, and return what moves it back, over whatever took its place."""
    aside = path.with_name(f"{path.name}.aside") if path.is_dir() else path.parent.parent / f"{path.name}.aside"
    path.rename(aside)

    def back() -> None:
        aside.replace(path)

    return back


def lose_the_database(folder: Path) -> Callable[[], None]:
    return _move(folder / "ledger.db")


def lose_the_wal(folder: Path) -> Callable[[], None]:
    return _move(folder / "ledger.db-wal")


def lose_the_folder(folder: Path) -> Callable[[], None]:
    return _move(folder)


def replace_the_database(folder: Path) -> Callable[[], None]:
    """Put another ledger in its place, as a restore of a backup under an open writer would."""
    other = folder.with_name("other")
    founded(other).close()
    back = _move(folder / "ledger.db")
    shutil.copyfile(other / "ledger.db", folder / "ledger.db")
    return back


@pytest.mark.parametrize(
    "harm", [lose_the_database, lose_the_wal, lose_the_folder, replace_the_database], ids=lambda harm: harm.__name__
)
def test_nothing_is_acknowledged_into_a_file_that_nobody_else_can_open(
    ledger: Ledger, folder: Path, harm: Callable[[Path], Callable[[], None]]
) -> None:
    """An open file that was removed still takes commits, and they end with the process: so the writer looks."""
    answers = ledger.submit(statements("before", 3))
    receipts = receipts_of(answers)
    put_back = harm(folder)
    for turn in range(2):
        assert "ledger.db" in failed_submit(ledger, statements(f"lost-{turn}", 2))
    put_back()
    ledger.close()
    with open_ledger(folder, LOG_KEY, clock=Clock(NOW)) as again:
        assert again.state.size >= FOUNDED + 3
        answers = again.submit(statements("after", 2))
        assert are_entries(answers, new=True)
        receipts += receipts_of(answers)
        size = again.state.size
    assert_sound(folder, size, receipts)


def test_a_database_that_vanished_is_not_made_anew_by_a_second_connection(ledger: Ledger, folder: Path) -> None:
    """An empty file in its place would look like a ledger that lost everything."""
    store = ledger._store
    assert isinstance(store, SQLiteLogRecorder)
    lose_the_database(folder)
    with store.datastore.get_connection(commit=False), pytest.raises(PersistenceError):
        store.entry_count()  # the connection at hand is taken: this needs another
    assert not (folder / "ledger.db").exists()


def test_a_lock_that_vanishes_lets_in_a_second_writer_and_the_log_fences_the_first(
    ledger: Ledger, folder: Path
) -> None:
    """The lock is a courtesy; the primary key is the fence."""
    receipts = receipts_of(ledger.submit(statements("first", 2)))
    (folder / "ledger.lock").unlink()
    with open_ledger(folder, LOG_KEY, clock=Clock(NOW)) as other:
        receipts += receipts_of(other.submit(statements("other", 2)))
        for _ in range(2):
            with pytest.raises(WriterFencedError):
                ledger.submit(statements("mine", 2))
        receipts += receipts_of(other.submit(statements("more", 2)))
    assert_sound(folder, FOUNDED + 6, receipts)


# --------------------------------------------------------------------------- what lies there after the machine stopped


def as_it_lies(ledger: Ledger, folder: Path, image: Path) -> Path:
    """Copy what a crash would leave of an open ledger: the file and its WAL, without the memory that they share."""
    assert ledger.state.size
    image.mkdir()
    for name in ("ledger.db", "ledger.db-wal", "trust.policy"):
        shutil.copyfile(folder / name, image / name)
    return image


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


TAILS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda wal: wal,
    "garbage after it": lambda wal: wal + os.urandom(20_000),
    "a torn frame after it": lambda wal: wal + wal[32 : 32 + 5_000],
    "frames again after it": lambda wal: wal + wal[32:],
}


@pytest.mark.parametrize("tail", TAILS)
def test_what_was_answered_is_there_whatever_follows_it_in_the_wal(
    ledger: Ledger, folder: Path, tmp_path: Path, tail: str
) -> None:
    """A write that was under way when the machine stopped leaves anything at all behind the last commit."""
    receipts = receipts_of(ledger.submit(statements("s", 5, lines=20)))
    image = as_it_lies(ledger, folder, tmp_path / "image")
    _rewrite(image / "ledger.db-wal", TAILS[tail])
    with open_ledger(image, LOG_KEY, clock=Clock(NOW)) as again:
        assert again.state.size == FOUNDED + 5
        assert are_entries(again.submit(statements("t", 5)), new=True)
    assert_sound(image, FOUNDED + 10, receipts)


LOSSES: dict[str, Callable[[bytes], bytes]] = {
    "cut in its last frame": lambda wal: wal[:-5_000],
    "half of it": lambda wal: wal[: len(wal) // 2],
    "only its header": lambda wal: wal[:32],
    "nothing": lambda wal: b"",
    "garbage": lambda wal: os.urandom(len(wal)),
    "one bit turned over": lambda wal: (
        wal[: len(wal) // 2] + bytes([wal[len(wal) // 2] ^ 1]) + wal[len(wal) // 2 + 1 :]
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_wal_that_lost_commits_leaves_whole_groups_and_a_receipt_shows_it(
    folder: Path, tmp_path: Path, loss: str
) -> None:
    """A disk that lies about syncing loses what was answered: no software gets that back, but the loss can be seen."""
    founded(folder).close()
    sizes = [FOUNDED]
    with open_ledger(folder, LOG_KEY, clock=Clock(NOW)) as ledger:
        for number in range(4):
            last = receipts_of(ledger.submit(statements(f"s-{number}", 3, lines=10)))[-1]
            sizes.append(ledger.state.size)
        image = as_it_lies(ledger, folder, tmp_path / "image")
    _rewrite(image / "ledger.db-wal", LOSSES[loss])
    with open_ledger(image, LOG_KEY, clock=Clock(NOW)) as again:
        size = again.state.size
        assert size in sizes
        assert are_entries(again.submit(statements("t", 1)), new=True)
    assert_sound(image, size + 1, [])
    assert size < POLICY.open_checkpoint(last.checkpoint_note).size  # which is the evidence


def test_a_shared_memory_file_of_garbage_is_made_anew(ledger: Ledger, folder: Path, tmp_path: Path) -> None:
    """It is only an index of the WAL."""
    receipts = receipts_of(ledger.submit(statements("s", 5)))
    image = as_it_lies(ledger, folder, tmp_path / "image")
    (image / "ledger.db-shm").write_bytes(os.urandom(32_768))
    with open_ledger(image, LOG_KEY, clock=Clock(NOW)) as again:
        assert again.state.size == FOUNDED + 5
    assert_sound(image, FOUNDED + 5, receipts)


def test_limits_of_this_process_are_as_they_were() -> None:
    """The tests above limit their own processes, not this one."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
