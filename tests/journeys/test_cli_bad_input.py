"""What a new user does wrong is answered in one line and the right status, and nothing is changed by it."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tallystick
from support.command_line import ORIGIN, Desk, done, failed, run
from tallystick.cli import over_http
from tallystick.ledger import note_faults
from tallystick.signing.ed25519 import verified_by
from tallystick.signing.note import Note, Signature
from tallystick.static import web
from tallystick.vouchers.admit import SignedCommand, admit
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a small ledger; tests may add files, not entries."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    desk.open_programme()
    return desk


@pytest.fixture
def note(made: Desk) -> Path:
    """A note that would be accepted."""
    return made.sign(
        "voucher.suspend", "shanghai-treasury", voucher="shanghai-treasury/v-1", reason="being looked into"
    )


def test_the_version_is_told_and_nothing_else() -> None:
    for more in ((), ("balances", "nowhere")):
        told = run("--version", *more)
        assert (told.status, told.err) == (0, "")
        assert told.out == f"tallystick {tallystick.__version__}\nsignatures verified by {verified_by()}\n"


def answers(desk: Desk, note: Path) -> list[dict[str, object]]:
    """What `check` and `submit` say of a note that both must refuse; the log stays as it is."""
    size = desk.size
    both = [run(command, desk.ledger, note, "--log-time", desk.at, "--json") for command in ("check", "submit")]
    assert [ran.status for ran in both] == [1, 1]
    assert desk.size == size
    return [ran.json["notes"][0] for ran in both]


def test_check_answers_as_submit_does_to_what_was_recorded_before(tmp_path: Path) -> None:
    """Beyond freshness too, from the ledger and from its export; among others, each gets its own answer."""
    desk = Desk(tmp_path)
    desk.found()
    desk.open_programme()
    reason: Any = {"voucher": "shanghai-treasury/v-1", "reason": "being looked into"}
    first = desk.sign("voucher.suspend", "shanghai-treasury", ref="order-1", **reason)
    desk.submit(first)
    desk.at = "2026-01-20T08:00:00Z"
    second = desk.sign("voucher.resume", "shanghai-treasury", **reason)
    desk.submit(second)
    desk.at = "2026-02-10T08:00:00Z"
    other_text = desk.sign("voucher.resume", "shanghai-treasury", ref="order-1", **reason)
    new = desk.sign("voucher.suspend", "shanghai-treasury", **reason)
    done("export", desk.ledger, tmp_path / "tiles")
    notes = (other_text, first, new, new, second)
    told = [
        run("check", source, *notes, "--log-time", desk.at, "--json").json
        for source in (desk.ledger, tmp_path / "tiles")
    ]
    said = run("check", desk.ledger, first, "--log-time", desk.at)
    told_first, *in_words = said.out.splitlines()
    assert (said.status, told_first) == (0, f"{first}: 11 voucher.suspended/1 (recorded before)")
    assert in_words == [
        '  shanghai-treasury (shanghai-treasury) suspends voucher shanghai-treasury/v-1: "being looked into"'
    ]
    written = desk.submit(*notes, status=1)
    assert [(one["accepted"], one.get("index"), one.get("is_new"), one.get("reason")) for one in told[0]["notes"]] == [
        (False, 11, None, "ref_reused_for_other_content"),
        (True, 11, False, None),
        (True, 13, True, None),
        (True, 13, False, None),
        (True, 12, False, None),
    ]
    assert told[0] == told[1]
    assert run("check", desk.ledger, *notes, "--log-time", desk.at).out.replace(
        " (recorded before)", ""
    ) == written.out.replace(" (recorded before)", "")


def test_check_finds_an_entry_whatever_the_words_of_the_refusal(
    made: Desk, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note given twice is answered with its entry, by a number that is a field and isn't read out of a sentence."""

    def admit_in_other_words(state: State, signed: SignedCommand, at: int) -> Entry | Refusal:
        answer = admit(state, signed, at)
        return replace(answer, detail="put otherwise") if isinstance(answer, Refusal) else answer

    monkeypatch.setattr(note_faults, "admit", admit_in_other_words)
    first, again = run("check", made.ledger, note, note, "--log-time", made.at, "--json").json["notes"]
    assert again == first | {"is_new": False}


@pytest.mark.parametrize("kept", [0, 1, 50, -1, -20, -90])
def test_an_empty_or_truncated_note_is_refused(made: Desk, note: Path, kept: int, tmp_path: Path) -> None:
    """The same by check and submit, by name."""
    cut = tmp_path / "cut.note"
    cut.write_bytes(note.read_bytes()[:kept])
    assert {answer["reason"] for answer in answers(made, cut)} == {"note_malformed"}
    said = run("check", made.ledger, cut).out
    assert said.startswith(f"{cut}: refused: note_malformed: ")
    assert said.count("\n") == 1


def test_a_note_for_another_log_is_refused(made: Desk, note: Path) -> None:
    """Its log is named."""
    other = made.sign(
        "voucher.suspend", "shanghai-treasury", voucher="shanghai-treasury/v-1", reason="x", log="other.example"
    )
    for answer in answers(made, other):
        assert answer["reason"] == "command_for_another_log"
        assert "other.example" in str(answer["detail"])


def test_a_signature_that_is_not_one_is_refused(made: Desk, note: Path, tmp_path: Path) -> None:
    """A note changed after signing, and one signed by a stranger."""
    opened = Note.from_bytes(note.read_bytes())
    changed = tmp_path / "changed"
    changed.write_bytes(Note(opened.text.replace(b"looked", b"cooked"), opened.signatures).to_bytes())
    assert {answer["reason"] for answer in answers(made, changed)} == {"signature_invalid"}
    (line,) = opened.signatures
    changed.write_bytes(Note(opened.text, (Signature(line.name, b"\0" * 4, line.blob),)).to_bytes())
    assert {answer["reason"] for answer in answers(made, changed)} == {"key_unknown"}


def test_one_bad_note_does_not_hold_up_the_others(made: Desk, note: Path, tmp_path: Path) -> None:
    """Answers come in the order of the notes."""
    empty = tmp_path / "empty"
    empty.touch()
    ran = run("check", made.ledger, empty, note, note, "--log-time", made.at, "--json")
    assert ran.status == 1
    said = ran.json["notes"]
    assert [(answer["accepted"], answer.get("is_new")) for answer in said] == [
        (False, None),
        (True, True),
        (True, False),
    ]
    assert [answer["note"] for answer in said] == [str(empty), str(note), str(note)]


def test_a_file_that_is_not_there_stops_it_all_before_anything_is_decided(made: Desk, note: Path) -> None:
    """So that nobody wonders which were submitted."""
    size = made.size
    assert "no-such-note" in failed("submit", made.ledger, note, "no-such-note")
    assert "Is a directory" in failed("submit", made.ledger, note, made.folder)
    assert made.size == size


SOURCES = [
    ("balances", "{source}"),
    ("show", "{source}", "voucher", "shanghai-treasury/v-1"),
    ("check", "{source}", "{note}"),
    ("submit", "{source}", "{note}"),
    ("receipt", "{source}", "0", "-o", "{folder}/r"),
    ("export", "{source}", "{folder}/tiles"),
    ("audit", "{source}", "--trust", "{policy}"),
    ("verify", "{source}", "0", "--trust", "{policy}"),
    ("proof", "inclusion", "{source}", "0"),
    ("proof", "consistency", "{source}", "1", "2"),
    ("show", "{source}", "entry", "0"),
]


@pytest.mark.parametrize("command", SOURCES, ids=lambda command: command[0])
@pytest.mark.parametrize("source", ["not there", "empty", "file", "url"])
def test_what_is_no_ledger_is_said_to_be_none(
    command: tuple[str, ...], source: str, made: Desk, note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every command in the same way, and nothing is left behind."""
    monkeypatch.setattr(web, "PAUSES_SECONDS", ())
    monkeypatch.setattr(over_http, "PATIENCE_SECONDS", 0.5)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    given = {
        "source": "http://127.0.0.1:1/ledger" if source == "url" else tmp_path / source,
        "note": note,
        "folder": tmp_path,
        "policy": made.policy,
    }
    line = failed(*[word.format(**given) for word in command])
    assert str(given["source"]) in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]
    assert [*(tmp_path / "empty").iterdir()] == []


@pytest.mark.parametrize("command", SOURCES, ids=lambda command: command[0])
@pytest.mark.parametrize("damage", ["empty", "text", "cut", "schema"])
def test_a_damaged_store_is_no_traceback(
    command: tuple[str, ...], damage: str, made: Desk, note: Path, tmp_path: Path
) -> None:
    """Status 2 by those that need it, 1 by the audit, which finds it."""
    folder = tmp_path / "ledger"
    shutil.copytree(made.ledger, folder, ignore=shutil.ignore_patterns("views.db*", "*-wal", "*-shm"))
    store = folder / "ledger.db"
    whole = store.read_bytes()
    schema = whole.replace(b"CREATE TABLE refs", b"CR\xbdATE TABLE refs")  # SQLite quotes it, and it is no UTF-8
    assert schema != whole
    store.write_bytes({"empty": b"", "text": b"not a database\n" * 999, "cut": whole[:9_000], "schema": schema}[damage])
    given = {"source": folder, "note": note, "folder": tmp_path, "policy": made.policy}
    ran = run(*[word.format(**given) for word in command])
    assert "Traceback" not in ran.err
    assert "a fault in tallystick" not in ran.err
    if command[0] == "audit":
        assert (ran.status, ran.err) == (1, "")
        assert ran.out.startswith("verdict: findings\n")
    else:
        assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("value", [None, 5, 1.5, "text", b"\xff"])
@pytest.mark.parametrize(
    "cell", ["stored_events.state", "stored_events.originator_version", "tree.hash", "checkpoints.note", "refs.party"]
)
def test_a_value_of_another_type_is_damage(cell: str, value: object, made: Desk, note: Path, tmp_path: Path) -> None:
    """SQLite keeps anything anywhere; whoever reads it says so in a line, or has no use for it."""
    folder = tmp_path / "ledger"
    shutil.copytree(made.ledger, folder, ignore=shutil.ignore_patterns("views.db*", "snapshot*"))
    table, column = cell.split(".")
    with closing(sqlite3.connect(folder / "ledger.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        rows = database.execute(f"SELECT * FROM {table}").fetchall()
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        database.execute(f"DROP TABLE {table}")
        database.execute(f"CREATE TABLE {table} ({', '.join(names)})")  # no types, no keys
        at = names.index(column)
        rows[-1] = (*rows[-1][:at], value, *rows[-1][at + 1 :])
        database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)
    given = {"source": folder, "note": note, "folder": tmp_path, "policy": made.policy}
    for command in SOURCES:
        ran = run(*[word.format(**given) for word in command])
        assert ran.status in (0, 1, 2)
        assert "a fault in tallystick" not in ran.err, (command, ran.err)
        assert ran.err.count("\n") == (ran.status == 2), (command, ran.err)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "ledger.toml"),
        ("origin = 3\n", "ledger.toml"),
        ("not toml", "ledger.toml"),
        (f'origin = "{ORIGIN}"\nlog_key = "nowhere.pem"\n', "nowhere.pem"),
    ],
)
def test_settings_that_can_not_be_used_are_named(
    settings: str, said: str, made: Desk, note: Path, tmp_path: Path
) -> None:
    """Only the writer needs them."""
    folder = tmp_path / "ledger"
    shutil.copytree(made.ledger, folder)
    (folder / "ledger.toml").write_text(settings)
    assert said in failed("submit", folder, note)
    assert run("check", folder, note, "--log-time", made.at).status == 0


ODD_SETTINGS = {
    "another encoding": ('log_key = "k"'.encode("utf-16"), "byte 0 is not UTF-8"),
    "a byte in Latin-1": (b'log_key = "k"\n# \xe9\n', "byte 16 is not UTF-8"),
    "huge": (b"# " + b"x" * 70_000, "is larger than 65,536 bytes"),
    "digits": (b'log_key = "k"\nn = ' + b"9" * 5_000, "too long"),
    "brackets": (b'log_key = "k"\nn = ' + b"[" * 50_000, "too deep"),
    "no TOML": (b"log_key: k\n", "it is not TOML: "),
    "twice": (b'log_key = "k"\nlog_key = "k"\n', "it is not TOML: "),
    "unknown": (b'log_key = "k"\ncolour = "red"\n', "colour: is no field here"),
    "a list": (b'log_key = ["k"]\n', "log_key: must be a key's file or its PKCS#11 URI, not a list of 1"),
    "a number": (b"log_key = 5\n", "log_key: must be a key's file or its PKCS#11 URI, not 5"),
    "a time": (b'log_key = "k"\norigin = 2026-01-05\n', "origin: must be text, not "),
    "missing": (b'origin = "log.example"\n', "log_key: is missing"),
    "NUL": (b'log_key = "a\\u0000b"\n', "log_key: no path has a NUL character"),
}


@pytest.mark.parametrize("name", ODD_SETTINGS)
def test_settings_that_are_wrong_name_file_and_field(name: str, made: Desk, note: Path, tmp_path: Path) -> None:
    """In our own words."""
    folder = tmp_path / "ledger"
    shutil.copytree(made.ledger, folder)
    settings, said = ODD_SETTINGS[name]
    (folder / "ledger.toml").write_bytes(settings)
    line = failed("submit", folder, note)
    assert line.startswith(f"{folder / 'ledger.toml'}")
    assert said in line
    assert "validation" not in line


def test_settings_that_are_no_file_are_named(made: Desk, note: Path, tmp_path: Path) -> None:
    """A folder, a pipe, a link in a circle: nothing waits for ever."""
    folder = tmp_path / "ledger"
    shutil.copytree(made.ledger, folder)
    settings = folder / "ledger.toml"
    for kind in ("folder", "pipe", "circle"):
        settings.rmdir() if settings.is_dir() else settings.unlink()
        if kind == "folder":
            settings.mkdir()
        elif kind == "pipe":
            os.mkfifo(settings)
        else:
            settings.symlink_to("ledger.toml")
        assert str(settings) in failed("submit", folder, note)


def test_a_variable_that_is_wrong_is_named(
    made: Desk, note: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And not the file, which it stands above."""
    monkeypatch.setenv("TALLYSTICK_LOG_KEY", str(tmp_path / "nowhere.pem"))
    assert failed("submit", made.ledger, note) == f"there is no key file {tmp_path}/nowhere.pem"


@pytest.mark.parametrize("name", ["~root", "~", "~nobody-here", "~root/ledger"])
def test_a_folder_called_like_somebodys_home_is_a_folder(
    name: str, made: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a shell left is not expanded: neither to read nor to write, nor in the settings' paths."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "ledger.toml").write_text('log_key = "/etc/evil.pem"\n')
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    folder = tmp_path / name
    folder.parent.mkdir(exist_ok=True)
    shutil.copytree(made.ledger, folder)
    (folder / "~key").symlink_to(made.key(ORIGIN))
    (folder / "ledger.toml").write_text(f'origin = "{ORIGIN}"\nlog_key = "~key"\n')
    monkeypatch.chdir(tmp_path)
    first = made.folder / "002.note"
    for source in (name, f"./{name}"):
        assert "(recorded before)" in done("submit", source, first, "--log-time", made.at)
        assert "entry 3" in done("receipt", source, 3, "-o", f"{name}/r.tlog-proof")
        done("balances", source)
    assert sorted(path.name for path in home.iterdir()) == ["ledger.toml"]
    assert (folder / "r.tlog-proof").is_file()


def test_another_log_key_can_not_write(made: Desk, note: Path, tmp_path: Path) -> None:
    """A stranger's key of the same name doesn't fit the checkpoint."""
    folder = tmp_path / "ledger"
    shutil.copytree(made.ledger, folder)
    done("key", "new", ORIGIN, "-o", tmp_path / "log.pem", "--no-passphrase")
    (folder / "ledger.toml").write_text(f'origin = "{ORIGIN}"\nlog_key = "{tmp_path}/log.pem"\n')
    assert "checkpoint" in failed("submit", folder, note)


def test_a_ledger_is_never_founded_over_another(made: Desk, tmp_path: Path) -> None:
    """Nor by a note that founds nothing: then no folder is left behind."""
    genesis, key = made.folder / "001.note", made.key(ORIGIN)
    found = ("--genesis", genesis, "--log-key", key, "--log-time", made.at)
    assert "already" in failed("ledger", "create", made.ledger, *found)
    ran = run("ledger", "create", tmp_path / "new", "--genesis", made.folder / "002.note", *found[2:])
    assert (ran.status, ran.err) == (1, "")
    assert "refused: network_not_founded" in ran.out
    late = run("ledger", "create", tmp_path / "new", *found[:4], "--log-time", "2027-01-05T08:00:00Z")
    assert "refused: signed_too_long_ago" in late.out
    wrong = made.key("other.example/log")
    ran = run("ledger", "create", tmp_path / "new", "--genesis", genesis, "--log-key", wrong, "--log-time", made.at)
    assert "refused: command_for_another_log" in ran.out
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-01", "2026-13-05T08:00:00Z", "-1", "99", "2026-01-05T08:00:00+25:00"]
)
def test_a_moment_is_an_index_or_a_time(at: str, made: Desk) -> None:
    """Anything else, or an entry that there isn't, is refused."""
    assert at.removeprefix("-") in failed("balances", made.ledger, f"--as-of={at}")


def test_unknown_ids_are_named(made: Desk) -> None:
    """By show, whatever they are of."""
    accounts = ("voucher", "holder", "programme", "provider", "contract", "treasury", "party")
    for what in (*accounts, "application", "claim", "demand", "mandate"):
        assert "no-such-thing" in failed("show", made.ledger, what, "no-such-thing")
    assert "country" in failed("show", made.ledger, "country", "china")


def test_a_receipt_that_proves_nothing_is_refused(made: Desk, tmp_path: Path) -> None:
    """Status 2 where it can't be read, 1 where it can and doesn't hold."""
    receipt, other = tmp_path / "r.tlog-proof", tmp_path / "other.policy"
    done("receipt", made.ledger, 3, "-o", receipt)
    good = receipt.read_bytes()
    done("verify", receipt, "--trust", made.policy)
    vkey = done("key", "new", ORIGIN, "-o", tmp_path / "k.pem", "--no-passphrase").strip()
    other.write_text(f"log {vkey}\nquorum none\n")
    failed("verify", receipt, "--trust", other, status=1)
    for spoiled in (b"", good[:-40], b"\n" + good, good.replace(b"index 3", b"index 03"), b"\xff" * 999):
        receipt.write_bytes(spoiled)
        failed("verify", receipt, "--trust", made.policy)
    receipt.write_bytes(good.replace(b"index 3", b"index 2"))
    failed("verify", receipt, "--trust", made.policy, status=1)
    other.write_text("log me\n")
    receipt.write_bytes(good)
    failed("verify", receipt, "--trust", other)
    failed("verify", receipt, "--trust", tmp_path / "nowhere")
    assert "is no entry 99" in failed("receipt", made.ledger, 99, "-o", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_an_audit_without_its_trust_policy_is_no_audit(made: Desk, tmp_path: Path) -> None:
    """Status 2: nothing was found out about the log."""
    assert "--trust" in failed("audit", made.ledger)
    (tmp_path / "policy").write_text("trust everybody\n")
    failed("audit", made.ledger, "--trust", tmp_path / "policy")
    failed("audit", made.ledger, "--trust", tmp_path / "nowhere")


@pytest.mark.parametrize(
    "rows",
    ["", "timestamp,duration,num_gpus,cluster\n2017-08-07 00:00:00,60.0,1,vc1\n", "nonsense"],
    ids=["empty", "column", "text"],
)
def test_a_job_file_with_a_missing_column_is_named(rows: str, tmp_path: Path) -> None:
    """Before anything is made."""
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(rows)
    assert str(jobs) in failed("demo", tmp_path / "demo", "--jobs", jobs)
    assert "nowhere.csv" in failed("demo", tmp_path / "demo", "--jobs", tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["key"],
        ["ledger"],
        ["frobnicate"],
        ["submit"],
        ["balances", ".", "--by", "colour"],
        ["balances", ".", "--json", "--csv"],
        ["receipt", ".", "one", "-o", "x"],
        ["sign", "c.json"],
        ["demo", "--limit", "0"],
        ["demo", "--limit", "9" * 5_000],
        ["witness", "cosign", "w", "l", "--old", "-1"],
        ["balances", "a\0b"],
        ["audit", ".", "--trust"],
    ],
)
def test_misuse_is_one_line_that_says_where_help_is(arguments: list[str]) -> None:
    """Status 2."""
    line = failed(*arguments)
    assert "--help" in line or "exclude" in line or "NUL" in line
    assert "Input should" not in line
    assert len(line) < 400


def test_help_is_there_for_every_command() -> None:
    """And it says what each argument is."""
    assert "submit" in done("--help")
    commands = "key new, sign, ledger create, check, submit, show, balances, receipt, verify, export, audit, demo, "
    commands += "proof inclusion, proof consistency"
    for command in commands.split(", "):
        help_of_it = done(*command.split(), "--help")
        assert help_of_it.startswith(f"Usage: tallystick {command} ")
        assert done(*command.split(), "-h") == help_of_it
    assert done("-h") == done("--help")
