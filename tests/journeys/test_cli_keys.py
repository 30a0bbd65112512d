"""Keys are made and commands signed: what a person gets right works, what she gets wrong is said in one line."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from support.command_line import done, failed, run
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, open_note
from tallystick.vouchers.entry import ENTRY_SIZE_MAX

NAME = "shanghai-treasury/officer-1"
COMMAND: dict[str, Any] = {
    "kind": "voucher.suspend/1",
    "log": "tallystick.example/national",
    "party": "shanghai-treasury",
    "reason": "查询中",
    "ref": "sh-2026-01",
    "signed_at": "2026-01-05T08:00:00.000000Z",
    "voucher": "shanghai-treasury/v-1",
}


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A passphrase file as it should be."""
    path = tmp_path / "passphrase"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def key(tmp_path: Path, passphrase: Path) -> Path:
    """A locked key file."""
    path = tmp_path / "officer.pem"
    done("key", "new", NAME, "-o", path, "--passphrase-file", passphrase)
    return path


def write(path: Path, value: Any) -> Path:
    """Write a command as a person types it."""
    path.write_text(json.dumps(value, indent=3, ensure_ascii=False), "utf-8")
    return path


def test_a_new_key_is_locked_private_and_printed_by_its_public_half(tmp_path: Path, passphrase: Path) -> None:
    """The vkey on stdout is the file's; the file is the owner's alone."""
    path = tmp_path / "k.pem"
    vkey = done("key", "new", NAME, "-o", path, "--passphrase-file", passphrase).strip()
    assert VerifierKey.from_text(vkey).name == NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ENCRYPTED" in path.read_text()
    other = run("key", "new", NAME, "-o", tmp_path / "k2.pem", "--no-passphrase", "--json").json
    assert VerifierKey.from_text(other["vkey"]).name == other["name"] == NAME
    assert "ENCRYPTED" not in (tmp_path / "k2.pem").read_text()


def test_a_key_is_never_overwritten(key: Path, passphrase: Path) -> None:
    """Whatever way the passphrase comes."""
    before = key.read_bytes()
    for how in (["--passphrase-file", passphrase], ["--no-passphrase"], []):
        assert str(key) in failed("key", "new", NAME, "-o", key, *how)
    assert key.read_bytes() == before


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\there"])
def test_a_name_that_no_signature_line_can_carry_is_refused(name: str, tmp_path: Path) -> None:
    """Before anything is written."""
    failed("key", "new", name, "-o", tmp_path / "k.pem", "--no-passphrase")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "name",
    [
        *("qingyang", "庆阳/x", "Qingyang/desk", "qingyang/", "/desk", "-a/desk", "a/-desk", "a/b/c", "a_b/desk"),
        *(f"{'a' * 64}/desk", f"a/{'d' * 32}", "qingyang/desk\n", "qingyang/gerät"),
    ],
)
def test_a_name_that_no_party_can_use_is_refused(name: str, tmp_path: Path) -> None:
    """With the pattern in words, before anything is written."""
    line = failed("key", "new", "-o", tmp_path / "k.pem", "--no-passphrase", "--", name)
    assert "a-z, 0-9 and -" in line
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        *[(name, ()) for name in (f"{'a' * 63}/{'d' * 31}", "0/0", "log.example", "log.example/Nation_1", "a.b/c/d")],
        ("national", ("--log",)),
    ],
)
def test_names_that_parties_and_logs_can_use(name: str, more: tuple[str, ...], tmp_path: Path) -> None:
    """A log's origin has a domain, or is said to be one."""
    assert done("key", "new", name, "-o", tmp_path / "k.pem", "--no-passphrase", *more).startswith(f"{name}+")


def test_an_origin_that_no_log_can_have_is_refused(tmp_path: Path) -> None:
    """With what it may be."""
    for name in ("log.example/庆阳", "log.example/a b", f"log.example/{'a' * 255}"):
        assert "no log's origin" in failed("key", "new", name, "-o", tmp_path / "k.pem", "--no-passphrase")
    assert [*tmp_path.iterdir()] == []


def test_where_no_key_can_go(tmp_path: Path) -> None:
    """Standard output, a folder, a device, a link to nowhere, a folder that isn't there: each in one line."""
    (tmp_path / "dangling").symlink_to("nowhere")
    for place in ("-", "", tmp_path, "/dev/null", "/dev/stdout", tmp_path / "dangling", tmp_path / "no" / "k.pem"):
        line = failed("key", "new", NAME, "-o", place, "--no-passphrase")
        assert ".key-" not in line
    assert f"there is no folder {tmp_path}/no" in line
    assert [path.name for path in tmp_path.iterdir()] == ["dangling"]


def test_a_passphrase_must_come_from_somewhere(tmp_path: Path) -> None:
    """Without a terminal there is nobody to ask; both ways at once is a slip."""
    assert "--passphrase-file" in failed("key", "new", NAME, "-o", tmp_path / "k.pem")
    path = tmp_path / "passphrase"
    path.touch(0o600)
    assert "no passphrase" in failed("key", "new", NAME, "-o", tmp_path / "k.pem", "--passphrase-file", path)
    path.write_text("secret")
    path.chmod(0o644)
    said = failed("key", "new", NAME, "-o", tmp_path / "k.pem", "--passphrase-file", path)
    assert "chmod 600" in said
    assert "secret" not in said
    path.chmod(0o600)
    failed("key", "new", NAME, "-o", tmp_path / "k.pem", "--passphrase-file", path, "--no-passphrase")
    assert not (tmp_path / "k.pem").exists()


def statement(lines: int) -> dict[str, object]:
    """A statement of so many lines, whose ids are as long as is usual."""
    rest = [8_000, "2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z", 3_600]
    groups = [
        {"item": item, "lines": [[f"job-2026-01-05-{number:05d}", *rest] for number in range(first, lines, 2)]}
        for first, item in enumerate(["ascend-910b", "mlu370-x8"])
    ]
    head = {"kind": "time.burn/1", "log": "log.example", "party": "guian-cluster", "ref": "s-1"}
    return head | {"signed_at": "2026-01-05T10:00:00.000000Z", "contract": "acme-ai/k-2026-01", "groups": groups}


def test_a_statement_that_is_too_long_says_how_many_lines_fit(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """And so many do fit, with what the log answers to each."""
    command = tmp_path / "c.json"
    sign = ("sign", command, "--key", key, "--passphrase-file", passphrase)
    command.write_text(json.dumps(statement(900)))
    line = failed(*sign)
    assert "a statement of 900 lines is longer than the 65,535 bytes of an entry" in line
    fitting = int(re.search(r"about (\d+) lines", line)[1])  # type: ignore[index]
    assert 500 < fitting < 700
    command.write_text(json.dumps(statement(fitting)))
    note = done(*sign).encode()
    assert len(note) + fitting * len("100000,100000,100000,") < ENTRY_SIZE_MAX
    command.write_text(json.dumps(statement(2)))
    done(*sign)


@pytest.mark.parametrize("digits", [101, 5_000, 500_000])
def test_a_number_without_end_is_refused_at_the_desk(digits: int, tmp_path: Path, key: Path, passphrase: Path) -> None:
    """In one line, as any other that is too large."""
    command = tmp_path / "c.json"
    for number in ("9" * digits, "-" + "9" * digits, "9" * digits + ".5", "1e" + "9" * digits):
        command.write_text(f'{{"kind": "voucher.issue/1", "face_fen": {number}}}')
        line = failed("sign", command, "--key", key, "--passphrase-file", passphrase)
        assert line.startswith(f"{command}: ")
        assert len(line) < 300


def test_a_command_in_any_spacing_becomes_a_note(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """To stdout or to a file, from a file or from stdin; the text is canonical."""
    command = write(tmp_path / "c.json", COMMAND)
    note = done("sign", command, "--key", key, "--passphrase-file", passphrase).encode()
    vkey = VerifierKey.from_text(key.read_text().splitlines()[0].removeprefix("vkey: "))
    opened, signers = open_note(note, [vkey])
    assert signers == (vkey,)
    spelled = json.dumps(COMMAND, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert opened.text == spelled.encode() + b"\n"
    assert done("sign", command, "--key", key, "--passphrase-file", passphrase, "-o", tmp_path / "n") == ""
    assert (tmp_path / "n").read_bytes() == note
    piped = done("sign", "-", "--key", key, "--passphrase-file", passphrase, stdin=command.read_bytes())
    assert piped.encode() == note


def test_without_a_time_it_is_signed_now(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """The field is filled in; one that is given stays."""
    command = write(tmp_path / "c.json", {name: value for name, value in COMMAND.items() if name != "signed_at"})
    note = Note.from_bytes(done("sign", command, "--key", key, "--passphrase-file", passphrase).encode())
    assert json.loads(note.text)["signed_at"] > "2026-01"
    told = done("sign", command, "--key", key, "--passphrase-file", passphrase, "--signed-at", "2026-02-03T04:05:06Z")
    assert json.loads(Note.from_bytes(told.encode()).text)["signed_at"] == "2026-02-03T04:05:06.000000Z"


def test_another_party_signs_the_same_note(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """In place, with a key of its own; twice with the same key is said to be twice."""
    second = tmp_path / "second.pem"
    done("key", "new", "acme-ai/desk", "-o", second, "--no-passphrase")
    note = tmp_path / "note"
    done("sign", write(tmp_path / "c.json", COMMAND), "--key", key, "--passphrase-file", passphrase, "-o", note)
    text = Note.from_bytes(note.read_bytes()).text
    done("sign", note, "--key", second, "-o", note)
    signed = Note.from_bytes(note.read_bytes())
    assert signed.text == text
    assert [signature.name for signature in signed.signatures] == [NAME, "acme-ai/desk"]
    before = note.read_bytes()
    assert "acme-ai/desk" in failed("sign", note, "--key", second, "-o", note)
    assert note.read_bytes() == before


def test_two_keys_sign_at_once(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """One passphrase file for both, or one each; another number is a slip."""
    second = tmp_path / "second.pem"
    other = tmp_path / "other"
    other.write_text("battery staple")
    other.chmod(0o600)
    done("key", "new", "shanghai-treasury/officer-2", "-o", second, "--passphrase-file", other)
    command = write(tmp_path / "c.json", COMMAND)
    both = ("sign", command, "--key", key, "--key", second)
    note = done(*both, "--passphrase-file", passphrase, "--passphrase-file", other)
    assert len(Note.from_bytes(note.encode()).signatures) == 2
    assert "passphrase" in failed(*both, "--passphrase-file", passphrase)
    three = [word for path in (passphrase, other, other) for word in ("--passphrase-file", path)]
    assert "2 keys and 3 passphrase files" in failed(*both, *three)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """And the line says what to type."""
    key.chmod(0o640)
    said = failed("sign", write(tmp_path / "c.json", COMMAND), "--key", key, "--passphrase-file", passphrase)
    assert f"chmod 600 {key}" in said


@pytest.mark.parametrize("case", ["wrong", "none", "missing", "empty", "another file", "cut"])
def test_a_key_that_can_not_be_opened_says_why(case: str, tmp_path: Path, key: Path, passphrase: Path) -> None:
    """In one line that holds no secret."""
    secret = "wrong horse"
    options: list[object] = ["--passphrase-file", passphrase]
    match case:
        case "wrong":
            passphrase.write_text(secret)
        case "none":
            options = []
        case "missing":
            key.unlink()
        case "empty":
            key.write_text("")
        case "another file":
            key.write_text(json.dumps(COMMAND))
        case "cut":
            key.write_bytes(key.read_bytes()[:-40])
    said = failed("sign", write(tmp_path / "c.json", COMMAND), "--key", key, *options)
    assert str(key) in said
    assert secret not in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[]", "one JSON object"),
        (b"{}", "kind"),
        (b'{"kind": "voucher.suspend/1", "kind": "voucher.resume/1"}', "twice"),
        (b'{"kind": "voucher.destroy/1"}', "kind"),
        (b"[" * 100_000, "nested"),
        (json.dumps(COMMAND | {"colour": "red"}).encode(), "colour"),
        (json.dumps(COMMAND | {"voucher": None}).encode(), "null"),
        (json.dumps(COMMAND | {"voucher": 1.5}).encode(), "fraction"),
        (json.dumps(COMMAND | {"signed_at": "2026-01-05"}).encode(), "signed_at"),
        (json.dumps({name: value for name, value in COMMAND.items() if name != "voucher"}).encode(), "voucher"),
        (json.dumps(COMMAND).encode() + b"\n\n\xe2\x80\x94 nobody\n", "signature line"),
        (b"x" * 2_000_000, "larger"),
    ],
)
def test_what_is_no_command_is_found_at_the_desk(given: bytes, said: str, tmp_path: Path, key: Path) -> None:
    """Nothing is signed, and the line names the file and the fault."""
    done("key", "new", NAME, "-o", tmp_path / "k.pem", "--no-passphrase")
    path = tmp_path / "c.json"
    path.write_bytes(given)
    line = failed("sign", path, "--key", tmp_path / "k.pem", "-o", tmp_path / "note")
    assert str(path) in line
    assert said in line
    assert not (tmp_path / "note").exists()


def test_a_note_is_written_whole_or_not_at_all(tmp_path: Path, key: Path, passphrase: Path) -> None:
    """Into a folder that isn't there nothing is written, and nothing is left beside."""
    command = write(tmp_path / "c.json", COMMAND)
    before = {*tmp_path.iterdir()}
    failed("sign", command, "--key", key, "--passphrase-file", passphrase, "-o", tmp_path / "no" / "note")
    failed("sign", command, "--key", key, "--passphrase-file", passphrase, "-o", tmp_path)
    assert {*tmp_path.iterdir()} == before


def test_a_note_by_which_a_browser_logs_in(key: Path, passphrase: Path) -> None:
    """For the party of the key's name, at this service alone, for so many hours."""
    said = ("key", "login", key, "--log", "tallystick.example/national", "--passphrase-file", passphrase)
    at = ("--signed-at", "2026-01-05T08:00:00Z")
    note = done(*said, "--url", "HTTPS://Log.Example/", *at, "--hours", "3").encode()
    opened, signers = open_note(note, [VerifierKey.from_text(done("key", "show", key).strip())])
    assert [signer.name for signer in signers] == [NAME]
    assert json.loads(opened.text) == {
        "audience": "https://log.example",
        "expires_at": "2026-01-05T11:00:00.000000Z",
        "kind": "session.open/1",
        "log": "tallystick.example/national",
        "party": "shanghai-treasury",
        "scope": "read",
        "signed_at": "2026-01-05T08:00:00.000000Z",
    }
    assert "no service's URL" in failed(*said, "--url", "log.example")
    assert failed(*said, "--url", "https://log.example", "--hours", "13")
