"""Real processes: Ctrl-C, two at once, a full disk, a closed pipe. What was answered stays, and the ledger goes on."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.command_line import ORIGIN, Desk, Ran, done, finish, run, start, the_line
from tallystick import keyfiles
from tallystick.ledger import open_ledger
from tallystick.signing.note import sign_text
from tallystick.vouchers.rulebook import command_text

NOTES = 600  # more than the writer commits as one group, so that there is something between two groups


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a small ledger."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    desk.open_programme()
    return desk


@pytest.fixture
def desk(made: Desk, tmp_path: Path) -> Desk:
    """A desk of one's own with that ledger."""
    done("export", made.ledger, tmp_path / "tiles")  # which reads all of it, so that the copy below is at rest
    for name in ("ledger", "keys"):
        subprocess.run(["cp", "-a", made.folder / name, tmp_path / name], check=True)
    settings = tmp_path / "ledger" / "ledger.toml"
    settings.write_text(settings.read_text().replace(str(made.folder), str(tmp_path)))
    return Desk(tmp_path, made.at)


def commands(desk: Desk, count: int, name: str = "chip") -> list[Path]:
    """Notes that are accepted in any order: items are registered. Signed in one go, because there are many."""
    keys = [keyfiles.load(desk.key(f"national/root-{number}"), None) for number in (1, 2)]
    notes = []
    for number in range(count):
        command = {
            "kind": "item.register/1",
            "log": ORIGIN,
            "party": "national",
            "ref": f"{name}-{number}",
            "signed_at": desk.at.replace("Z", ".000000Z"),
            "item": f"{name}-{number}",
            "name": name,
            "unit": "gpu_time",
            "origin": "foreign",
        }
        notes.append(desk.folder / f"{name}-{number}.note")
        notes[-1].write_bytes(sign_text(command_text(command), *keys))
    return notes


def is_clean(desk: Desk) -> bool:
    """Whether an audit finds nothing."""
    return run("audit", desk.ledger, "--trust", desk.policy).status == 0


def is_complete(desk: Desk, notes: list[Path]) -> bool:
    """Whether submitting all notes again finds or makes all of them entries."""
    return all(
        answer["accepted"]
        for answer in run("submit", desk.ledger, *notes, "--log-time", desk.at, "--json").json["notes"]
    )


def interrupt(process: subprocess.Popen[str]) -> Ran:
    """Press Ctrl-C: the signal goes to the whole group."""
    os.killpg(process.pid, signal.SIGINT)
    return finish(process)


@pytest.mark.parametrize("command", ["submit {ledger} {note} {pipe}", "audit {ledger} --trust {pipe}"])
def test_ctrl_c_before_anything_is_decided_changes_nothing(desk: Desk, command: str) -> None:
    """One line, status 130."""
    (note,) = commands(desk, 1)
    size, pipe = desk.size, desk.folder / "pipe"
    os.mkfifo(pipe)
    process = start(*command.format(ledger=desk.ledger, note=note, pipe=pipe).split())
    with pipe.open("wb"):  # opens when the process reads, so it waits now
        ran = interrupt(process)
    assert (ran.status, ran.out) == (130, "")
    assert "interrupted" in the_line(ran.err)
    assert desk.size == size
    assert is_complete(desk, [note])


def test_ctrl_c_in_the_middle_leaves_whole_groups(desk: Desk) -> None:
    """Whatever was committed is clean, and submitting again completes it."""
    notes = commands(desk, NOTES)
    size = desk.size
    process = start("submit", desk.ledger, *notes, "--log-time", desk.at)
    while desk.size == size and process.poll() is None:
        pass
    ran = interrupt(process) if process.poll() is None else finish(process)
    assert ran.status in (130, 0)
    if ran.status == 130:
        assert "interrupted" in the_line(ran.err)
        assert ran.out == ""
    assert desk.size > size
    assert is_clean(desk)
    assert is_complete(desk, notes)
    assert desk.size == size + NOTES
    assert is_clean(desk)


def test_two_submits_at_once_both_come_through_or_one_is_told(desk: Desk) -> None:
    """The one that is told can simply be given again."""
    each = [commands(desk, 40, name) for name in ("first", "second")]
    processes = [start("submit", desk.ledger, *notes, "--log-time", desk.at) for notes in each]
    for ran in map(finish, processes):
        assert ran.status in (0, 2)
        if ran.status == 2:
            assert "another process" in the_line(ran.err)
    assert [is_complete(desk, notes) for notes in each] == [True, True]
    assert is_clean(desk)


def test_while_one_writes_another_is_told_and_readers_are_not_held_up(desk: Desk) -> None:
    """The lock is the system's: it goes when its process goes."""
    (note,) = commands(desk, 1)
    size = desk.size
    with open_ledger(desk.ledger, keyfiles.load(desk.key(ORIGIN), None)):
        ran = run("submit", desk.ledger, note, "--log-time", desk.at)
        assert (ran.status, ran.out) == (2, "")
        assert "another process" in the_line(ran.err)
        assert run("check", desk.ledger, note, "--log-time", desk.at).status == 0
        assert run("balances", desk.ledger, "--json").json["entries"] == size
    assert run("submit", desk.ledger, note, "--log-time", desk.at).status == 0


@pytest.mark.parametrize("room", [1_000, 40_000, 80_000])
def test_a_full_disk_is_one_line_and_the_ledger_goes_on(desk: Desk, room: int) -> None:
    """No file may grow beyond `room` bytes: what was not kept is submitted again when there is more."""
    notes = commands(desk, 60)
    size = desk.size

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    ran = finish(start("submit", desk.ledger, *notes, "--log-time", desk.at, preexec_fn=little_room))
    assert (ran.status, ran.out) == (2, "")
    assert "a fault in tallystick" not in the_line(ran.err)
    assert desk.size == size
    assert is_clean(desk)
    assert is_complete(desk, notes)
    assert desk.size == size + len(notes)
    assert is_clean(desk)


def test_what_finds_no_room_is_named_and_is_not_there_by_half(desk: Desk, tmp_path: Path) -> None:
    """The line says which file it was, and what to do; then the same command goes through."""
    assert run("submit", desk.ledger, *commands(desk, 120), "--log-time", desk.at).status == 0
    folder = tmp_path / "export"

    def little_room() -> None:
        # Enough for what SQLite needs to read, too little for a bundle of so many entries.
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    ran = finish(start("export", desk.ledger, folder, preexec_fn=little_room))
    assert (ran.status, ran.out) == (2, "")
    assert the_line(ran.err).startswith(f"{folder}/tile/entries/000.p/")
    assert the_line(ran.err).endswith(": File too large; make room, and give the same command again")
    assert not (folder / "checkpoint").exists()
    assert run("export", desk.ledger, folder).status == 0
    assert run("audit", folder, "--trust", desk.policy).status == 0


def test_an_answer_that_can_not_be_written_is_not_as_asked(desk: Desk) -> None:
    """Standard output on a full disk: one line, status 2; a reader that went away: silence."""
    with Path("/dev/full").open("w") as full:
        ran = finish(start("balances", desk.ledger, stdout=full))
    assert ran.status == 2
    assert "No space left" in the_line(ran.err)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        ran = finish(start("balances", desk.ledger, stdout=gone))
    assert (ran.status, ran.err) == (141, "")


def test_receipts_on_a_full_disk_don_t_undo_what_was_recorded(desk: Desk) -> None:
    """The line says so, and the same command again writes them."""
    notes = commands(desk, 2)
    receipts = desk.folder / "receipts"
    receipts.mkdir()
    (receipts / f"{desk.size}.tlog-proof").mkdir()  # stands in the way
    ran = run("submit", desk.ledger, *notes, "--receipts", receipts, "--log-time", desk.at)
    assert (ran.status, ran.out) == (2, "")
    assert "recorded" in the_line(ran.err)
    (receipts / f"{desk.size - 2}.tlog-proof").rmdir()
    assert run("submit", desk.ledger, *notes, "--receipts", receipts, "--log-time", desk.at).status == 0
    assert len([*receipts.iterdir()]) == 2


HEAVY = {"cryptography", "eventsourcing", "orjson", "psycopg", "rich", "sqlite3"}


@pytest.mark.parametrize(
    ("asked", "not_needed"),
    [
        (["--help"], {"pydantic", "tallystick.cli.treasury", "tallystick.cli.auditor", "tallystick.named_files"}),
        (["key", "--help"], {"tallystick.cli.auditor", "tallystick.cli.provider"}),
        (["submit", "--help"], {"tallystick.cli.treasury", "tallystick.cli.auditor"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_help_comes_at_once(asked: list[str], not_needed: set[str]) -> None:
    """It loads none of what commands need, and no command but the one that is asked for."""
    script = (
        f"import sys\nfrom tallystick.cli import main\nassert main({asked}) == 0\n"
        f"print(sorted({HEAVY | not_needed} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
