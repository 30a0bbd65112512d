"""Whatever is wrong with a ledger's file, a command says so in one line and with status 2, or does as asked.

Never is it called a fault of the program: the file is what somebody, or a disk, made of it.
"""

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.actors import ORIGIN
from support.command_line import Ran, run
from support.small_ledger import write_small_ledger
from tallystick import keyfiles

COMMANDS = ("balances", "show", "receipt", "entry", "export", "check", "submit", "backup", "proof")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger folder with one file, and beside it a key and a note."""
    folder = tmp_path_factory.mktemp("whole")
    write_small_ledger(folder / "ledger")
    with closing(sqlite3.connect(folder / "ledger" / "ledger.db")) as connection:
        (data,) = connection.execute("SELECT state FROM stored_events WHERE originator_version = 9").fetchone()
    (folder / "note").write_bytes(data.partition(b"\n")[2])
    return folder


def path_of(folder: Path) -> Path:
    return folder / "ledger" / "ledger.db"


def do(command: str, folder: Path) -> Ran:
    """Run a command on the ledger of a folder."""
    ledger, note = folder / "ledger", folder / "note"
    match command:
        case "balances":
            return run("balances", ledger, "--fresh")
        case "show":
            return run("show", ledger, "voucher", "shanghai/v1")
        case "receipt":
            return run("receipt", ledger, "7", "-o", folder / "receipt")
        case "entry":
            return run("show", ledger, "entry", "7")
        case "export":
            return run("export", ledger, folder / "export")
        case "check":
            return run("check", ledger, note)
        case "submit":
            return run("submit", ledger, note, "--log-key", folder / "log.pem")
        case "backup":
            return run("ledger", "backup", ledger, folder / "backup")
        case _:
            return run("proof", "inclusion", ledger, "7")


def expect_a_line(ran: Ran) -> None:
    assert "fault in tallystick" not in ran.err, ran
    if ran.err:
        assert ran.status in (1, 2), ran
        assert ran.err.count("\n") == 1, ran
        assert ran.err[:-1].isprintable(), ran
    else:
        assert ran.status in (0, 1), ran


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(whole, tmp_path / "case"))
    seed = hashlib.sha256(ORIGIN.encode()).digest()
    keyfiles.create(folder / "log.pem", ORIGIN, None, unencrypted=True, seed=seed)
    return folder


def in_the_schema(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.find(b"CREATE TABLE refs") + 2] = 0xBD
    path.write_bytes(data)


def statement(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for one in statements:
                connection.execute(one)

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a byte of the schema": in_the_schema,
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"\xff\xfe nothing of ours" * 999),
    "cut in the middle": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a text for an entry": statement("UPDATE stored_events SET state = 'text' WHERE originator_version > 5"),
    "a number for an entry": statement("UPDATE stored_events SET state = 5 WHERE originator_version > 5"),
    "nothing for an entry": statement("UPDATE stored_events SET state = NULL WHERE originator_version > 5"),
    "a text for a note": statement("UPDATE checkpoints SET note = 'text'"),
    "a text for a size": statement("UPDATE checkpoints SET size = 'x' || number"),
    "a text for a hash": statement("UPDATE tree SET hash = 'text'"),
    "a short hash": statement("UPDATE tree SET hash = x'00'"),
    "a text for a version": statement("UPDATE stored_events SET originator_version = 'x' || originator_version"),
    "a text that is none": statement("UPDATE stored_events SET originator_id = CAST(x'ff' AS TEXT)"),
    "references as text": statement(
        "CREATE TABLE new (leaf_index, party, ref)",
        "INSERT INTO new SELECT 'x', party, ref FROM refs",
        "DROP TABLE refs",
        "ALTER TABLE new RENAME TO refs",
    ),
    "no entries": statement("DROP TABLE stored_events"),
    "no tree": statement("DROP TABLE tree"),
    "no checkpoints": statement("DELETE FROM checkpoints"),
    "huge": statement("UPDATE checkpoints SET size = 9223372036854775807 WHERE number = 7"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damage_is_said_in_a_line(folder: Path, how: str) -> None:
    DAMAGE[how](path_of(folder))
    for command in COMMANDS:
        expect_a_line(do(command, folder))


@pytest.mark.parametrize("part", range(4))
def test_random_bytes_are_said_in_a_line(folder: Path, whole: Path, part: int) -> None:
    chance = random.Random(part)
    original = path_of(whole).read_bytes()
    for _ in range(6):
        data = bytearray(original)
        for _ in range(chance.choice([1, 20, 400])):
            data[chance.randrange(8_192 if chance.random() < 0.5 else len(data))] = chance.randrange(256)
        path_of(folder).write_bytes(data)
        for command in COMMANDS:
            for name in ("views.db", "ledger.db-wal", "ledger.db-shm"):
                (folder / "ledger" / name).unlink(missing_ok=True)
            for name in ("export", "backup"):
                shutil.rmtree(folder / name, ignore_errors=True)
            expect_a_line(do(command, folder))
