"""Standard streams that are closed, full or of another encoding: one line and the right status, and no answer is lost.

Real processes throughout: what a stream can take is decided when a process starts.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.actors import uscc_of
from support.command_line import Desk, done, finish, start, the_line

NAME = "贵安智算中心"
SPELLED = "\\u8d35\\u5b89\\u667a\\u7b97\\u4e2d\\u5fc3"
LATIN = {"PYTHONIOENCODING": "latin-1"}
PLAIN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SOURCE = str(Path(__file__).resolve().parents[2] / "src")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a small ledger, one of whose providers has a Chinese name."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    desk.do(
        "party.admit",
        "national",
        admitted="guian-dc",
        role="provider",
        name=NAME,
        uscc=uscc_of("guian-dc"),
        keys=[desk.vkey("guian-dc/desk")],
    )
    done("receipt", desk.ledger, desk.size - 1, "-o", desk.folder / "last.tlog-proof")
    return desk


def shell(script: str, *arguments: object, env: dict[str, str] | None = None) -> tuple[int, bytes, bytes]:
    """Run a shell script in which `tallystick` is the program; return its status and what came out."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    environment |= {"PYTHONPATH": SOURCE, "LC_ALL": "C.UTF-8", **(env or {})}
    head = f'tallystick() {{ "{sys.executable}" -m tallystick "$@"; }}\n'
    words = [os.fsencode(str(argument)) for argument in arguments]
    ran = subprocess.run(
        ["bash", "-c", head + script, "bash", *words], env=environment, capture_output=True, timeout=60, check=False
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("environment", [LATIN, PLAIN_C], ids=["latin-1", "C"])
def test_text_is_shown_in_any_encoding(environment: dict[str, str], made: Desk) -> None:
    """What the encoding lacks is spelled out, in a table that is aligned all the same."""
    verify = f"tallystick verify {made.folder}/last.tlog-proof --trust {made.policy}"
    for command in (f"tallystick balances {made.ledger} --by provider", verify):
        status, out, err = shell(command, env=environment)
        assert (status, err) == (0, b"")
        assert SPELLED in out.decode("ascii")


@pytest.mark.parametrize("environment", [LATIN, PLAIN_C], ids=["latin-1", "C"])
def test_csv_and_json_are_utf_8_whatever_the_locale(environment: dict[str, str], made: Desk) -> None:
    """To the byte what they are elsewhere."""
    for form in ("--csv", "--json"):
        command = f"tallystick balances {made.ledger} --by provider {form}"
        status, out, err = shell(command, env=environment)
        assert (status, err) == (0, b"")
        assert NAME in out.decode("utf-8-sig" if form == "--csv" else "utf-8")
        assert out == shell(command)[1]


CLOSED = b"tallystick: standard output: it is closed\n"


@pytest.mark.parametrize(
    "command",
    ["balances {ledger}", "balances {ledger} --csv", "show {ledger} entry 3 --json", "--help", "--version"],
)
def test_standard_output_that_is_closed_is_said(command: str, made: Desk) -> None:
    """Nor does a file that is opened meanwhile get its number."""
    written = command.format(ledger=made.ledger)
    assert shell(f"tallystick {written} >&-") == (2, b"", CLOSED)


def test_what_prints_nothing_needs_no_standard_output(made: Desk) -> None:
    """Only what is written can fail."""
    key = made.key("acme-ai/desk")
    made.sign("party.suspend", "shanghai-treasury", subject="acme-ai", reason="r")
    command = f"tallystick sign {made.folder}/{made.written:03d}.json --key {key} -o {made.folder}/quiet.note >&-"
    assert shell(command) == (0, b"", b"")
    assert b"acme-ai/desk" in (made.folder / "quiet.note").read_bytes()


def test_standard_input_that_is_closed_is_said(made: Desk) -> None:
    """Instead of an empty note."""
    status, out, err = shell(f"tallystick check {made.ledger} - <&-")
    assert (status, out, the_line(err.decode())) == (2, b"", "standard input: it is closed")


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_where_nothing_can_be_said_the_status_says_it(where: str, made: Desk) -> None:
    """Of what failed, and of what did as it was asked though a notice was lost."""
    assert shell(f"tallystick check {made.ledger} nothing.note {where}") == (2, b"", b"")
    status, out, err = shell(f"tallystick balances {made.ledger} --by provider --as-of 2099-01-01 {where}")
    if where.startswith("2"):
        assert (status, NAME in out.decode(), err) == (0, True, b"")
    else:
        assert (status, out, err) == (2, b"", b"")


@pytest.mark.parametrize("form", ["", "--csv", "--json"])
def test_a_full_device_is_one_line(form: str, made: Desk) -> None:
    """However it is written there."""
    status, _, err = shell(f"tallystick balances {made.ledger} {form} >/dev/full")
    assert status == 2
    assert "No space left on device" in the_line(err.decode())


@pytest.mark.parametrize("form", ["", "--csv", "--json"])
def test_a_closed_pipe_ends_in_silence(form: str, made: Desk) -> None:
    """Whoever read has seen enough."""
    script = f"tallystick balances {made.ledger} {form} | true; exit ${{PIPESTATUS[0]}}"
    assert shell(script) == (141, b"", b"")


def test_names_of_files_may_be_any_bytes(made: Desk) -> None:
    """A folder's, a file's, an output's; whoever reads the answer sees which."""
    folder = os.fsencode(made.folder) + b"/odd\xff\xfe"
    Path(os.fsdecode(folder)).symlink_to(made.ledger)
    script = """set -e
        tallystick balances "$1" >/dev/null; tallystick show "$1" entry 3 >/dev/null
        tallystick audit "$1" --trust "$1/trust.policy" --report "$1.json" >/dev/null
        tallystick export "$1" "$1.tiles" >/dev/null; tallystick ledger backup "$1" "$1.copy" --json
        tallystick receipt "$1" 3 -o "$1.proof" """
    status, out, err = shell(script, os.fsdecode(folder))
    assert (status, err) == (0, b"")
    assert b"odd\\udcff\\udcfe.proof: entry 3" in out
    assert json.loads(out[: out.index(b"}") + 1])["place"].endswith("odd\udcff\udcfe.copy")
    status, out, err = shell('tallystick check "$1" "$1/nothing"', os.fsdecode(folder))
    assert (status, out, "odd\\udcff\\udcfe/nothing" in the_line(err.decode())) == (2, b"", True)


@pytest.mark.parametrize(
    "command",
    [
        "show {ledger} voucher $1",
        "show {ledger} provider $1",
        "balances {ledger} --as-of $1",
        "balances {ledger} --by $1",
        "dossier {ledger} voucher $1 -o {folder}/d",
        "proof balance {ledger} voucher v --seal $1 -o {folder}/p",
        "audit postgresql://owner:secret@$1/ledger --trust {ledger}/trust.policy",
        "$1",
    ],
)
def test_what_is_no_file_s_name_must_be_utf_8(command: str, made: Desk) -> None:
    """It is refused in one line, on a terminal of any encoding, and no password is repeated."""
    written = command.format(ledger=made.ledger, folder=made.folder)
    status, out, err = shell(f"tallystick {written}", "b\udcff")
    said = the_line(err.decode())
    assert (status, out) == (2, b"")
    assert "fault in tallystick" not in said
    assert "secret" not in said


def test_an_answer_goes_out_as_a_whole(made: Desk) -> None:
    """Whoever reads its first line and goes has read it all: that is no closed pipe."""
    process = start(
        "audit", made.ledger, "--trust", made.policy, env_more={"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    first = os.read(process.stdout.fileno(), 65_536).decode()
    process.stdout.close()
    assert finish(process).status == 0
    assert first.startswith("verdict: clean\n")
    assert "adds up" in first
