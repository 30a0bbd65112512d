"""The log's key is changed by one command, given again after each step; settings and policy follow the log."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from support.command_line import ORIGIN, Desk, done, failed, run
from tallystick import keyfiles
from tallystick.errors import NotALedgerError
from tallystick.ledger.settings import NAME, change_log_keys, load_settings
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.transparency.policy import Policy

AFTER = "2026-04-10T08:00:00Z"  # the overlap of 90 days is over
ROOTS = ("national/root-1", "national/root-2")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A network, and beside its ledger the key that is to follow."""
    desk = Desk(tmp_path)
    desk.found()
    keyfiles.create(tmp_path / "next.pem", ORIGIN, b"next")
    (tmp_path / "next.pass").write_text("next\n")
    (tmp_path / "next.pass").chmod(0o600)
    return desk


def rekey(desk: Desk, *more: object, source: object = None) -> str:
    return done("ledger", "rekey", desk.ledger if source is None else source, *words(desk), *more)


def words(desk: Desk) -> list[object]:
    """What every step is given."""
    key, passphrase = desk.folder / "next.pem", desk.folder / "next.pass"
    return [
        "--next-log-key",
        key,
        "--passphrase-file",
        passphrase,
        "--log-time",
        desk.at,
        "-o",
        desk.folder / "rekey.note",
    ]


def signed_by_the_roots(desk: Desk) -> Path:
    note = desk.folder / "rekey.note"
    done("sign", note, *[word for name in ROOTS for word in ("--key", desk.key(name))], "-o", note)
    return note


def settings_of(desk: Desk) -> dict[str, Any]:
    return tomllib.loads((desk.ledger / NAME).read_text())


def test_three_steps(desk: Desk) -> None:
    """A note for the officers; then both keys; then the new one alone. The audit is clean at each."""
    before = settings_of(desk)
    (desk.ledger / NAME).write_text((desk.ledger / NAME).read_text() + "idle_days = 40  # holidays\n")
    said = rekey(desk)
    assert "the network's officers sign it too" in said
    assert settings_of(desk) == before | {"idle_days": 40}, "nothing has happened yet"
    note = signed_by_the_roots(desk)
    command = json.loads(Note.from_bytes(note.read_bytes()).text)
    old, new = desk.vkey(ORIGIN), keyfiles.show(desk.folder / "next.pem").to_text()
    assert (command["old_vkey"], command["new_vkey"], command["overlap_seconds"]) == (old, new, 90 * 86_400)
    key = ["--log-key", desk.key(ORIGIN), "--next-log-key", desk.folder / "next.pem"]
    given = ["--passphrase-file", desk.folder / "next.pass"]
    assert "is not encrypted" in failed("submit", desk.ledger, note, *key, *given, "--log-time", desk.at)
    keyfiles.change_passphrase(desk.key(ORIGIN), None, b"next")
    done("submit", desk.ledger, note, *key, *given, "--log-time", desk.at)

    for _ in range(2):  # again is harmless
        said = rekey(desk)
        assert "until 2026-04-05T08:00:00.000000Z both sign" in said
        assert f"log {new}" in said
        found = load_settings(desk.ledger)
        assert (found.next_log_key, found.next_log_key_passphrase_file) == (
            desk.folder / "next.pem",
            desk.folder / "next.pass",
        )
        assert found.log_key == desk.key(ORIGIN)
        assert found.idle_days == 40
    assert "# holidays" in (desk.ledger / NAME).read_text()
    lines = Policy.from_text(desk.policy.read_bytes()).lines
    assert [line.vkey.to_text() for line in lines if hasattr(line, "vkey")] == [old, new]
    keyfiles.change_passphrase(desk.key(ORIGIN), b"next", None, unencrypted=True)
    desk.admit("qingyang-treasury", "treasury", "national")
    assert done("audit", desk.ledger, "--trust", desk.policy)

    desk.at = AFTER
    said = rekey(desk)
    assert "since 2026-04-05T08:00:00.000000Z the new one signs alone" in said
    found = load_settings(desk.ledger)
    assert (found.log_key, found.next_log_key) == (desk.folder / "next.pem", None)
    desk.key(ORIGIN).rename(desk.folder / "destroyed")
    note = desk.sign("item.register", "national", item="ascend-910b", unit="gpu_time", name="Ascend", origin="domestic")
    desk.submit(note)
    assert done("audit", desk.ledger, "--trust", desk.policy)


def test_what_can_not_follow(desk: Desk) -> None:
    """The key that signs already, one of another name, one that isn't there."""
    same = ["--next-log-key", desk.key(ORIGIN), "--log-time", desk.at]
    assert "is the log's key already" in failed("ledger", "rekey", desk.ledger, *same)
    other = ["--next-log-key", desk.key("national/root-1"), "--log-time", desk.at]
    assert "its keys have its name" in failed("ledger", "rekey", desk.ledger, *other)
    none = ["--next-log-key", desk.folder / "none.pem"]
    assert "there is no key file" in failed("ledger", "rekey", desk.ledger, *none)
    assert not Path("rekey.note").exists()


def test_a_note_is_not_written_over_something_else(desk: Desk) -> None:
    (desk.folder / "rekey.note").write_text("mine\n")
    assert "holds something else" in failed("ledger", "rekey", desk.ledger, *words(desk))
    assert (desk.folder / "rekey.note").read_text() == "mine\n"
    rekey(desk, "--force")
    assert VerifierKey.from_text(desk.vkey(ORIGIN)).name == ORIGIN


def test_the_note_goes_to_standard_output_alone(desk: Desk) -> None:
    ran = run("ledger", "rekey", desk.ledger, *words(desk)[:-1], "-")
    assert Note.from_bytes(ran.out.encode()).text.startswith(b'{"kind"')
    assert "tallystick submit" in ran.err


@pytest.mark.parametrize("text", ["log_key = '''\nk'''\n", 'log_key = "k"\n[more]\na = 1\n'])
def test_settings_that_lines_can_not_change_are_left(text: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(NotALedgerError, match="by hand"):
        change_log_keys(tmp_path, "log_key", Path("next"), None, None)
    assert (tmp_path / NAME).read_text() == text
