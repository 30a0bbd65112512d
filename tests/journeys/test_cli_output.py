"""What is shown: on a terminal and elsewhere, and that text from the log can't steer a terminal."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from support.command_line import Desk, done, finish, run, start
from tallystick import keyfiles
from tallystick.printing.text import gpu_hours, one_line, yuan

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
        maker=True,
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
