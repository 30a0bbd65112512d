"""A command is filled in as a form: said in plain words, signed, sent, and its receipt kept."""

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from support.command_line import ORIGIN, Desk, done, failed, run, start
from support.terms import contract_of
from support.two_cities import write_two_cities
from tallystick.cli.kind_options import example_of, in_example, name_of
from tallystick.cli.lookups import KIND_OF, candidates_in
from tallystick.forms.form import forms
from tallystick.forms.leaves import Surroundings
from tallystick.publishing import read_ledger

AT = "2026-01-05T16:00:00"  # of the network: its desk's time
TREASURY = "shanghai-treasury"
PROGRAMME = f"{TREASURY}/compute-2026"
ISSUE = ("--programme", PROGRAMME, "--holder", "acme-ai", "--valid-from", "2026-01-06")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A network with a programme, a contract and a voucher."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.found()
    made.open_programme()
    return made


@pytest.fixture
def profile(desk: Desk, tmp_path: Path) -> Path:
    """The treasury's profile, in a folder of its own."""
    file = tmp_path / "tallystick.toml"
    said = {"source": str(desk.ledger), "log": ORIGIN, "party": TREASURY, "key": str(desk.key(f"{TREASURY}/desk"))}
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items()))
    return file


def do(profile: Path, kind: str, *words: object) -> tuple[object, ...]:
    return ("do", kind, *words, "--profile", profile, "--log-time", AT)


def last_command(desk: Desk) -> dict[str, Any]:
    """The newest entry's command, as its text has it."""
    with read_ledger(desk.ledger) as reader:
        (data,) = reader.entries(reader.size - 1)
    command: dict[str, Any] = json.loads(data.split(b"\n")[1])
    return command


def test_a_voucher_is_issued_by_filling_in_a_form(desk: Desk, profile: Path) -> None:
    """What is signed is shown first; what is recorded is what was shown; the receipt lies beside the profile."""
    size = desk.size
    out = done(*do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-2", "--face", "1,500.00", *ISSUE, "--yes"))
    first, *rest = out.splitlines()
    assert first == (
        f"{TREASURY} ({TREASURY}) issues voucher {TREASURY}/v-2 of 1,500.00 yuan to acme-ai (acme-ai) under programme "
        f"Compute vouchers 2026 ({PROGRAMME}), valid from 2026-01-06 00:00"
    )
    assert rest[0].startswith(f"  for the log {ORIGIN}, as ref 20260105T080000-")
    assert rest[1].startswith(f"recorded as entry {size}: valid until 2027-01-06T00:00:00 (UTC+08:00)")
    receipt = profile.parent / "receipts" / f"{size}.tlog-proof"
    assert rest[2] == f"receipt: {receipt}"
    assert done("verify", receipt, "--trust", desk.policy)
    command = last_command(desk)
    assert command["face_fen"] == 150_000
    assert command["valid_from"] == "2026-01-05T16:00:00.000000Z"
    assert command["signed_at"] == "2026-01-05T08:00:00.000000Z"


def test_the_same_command_twice_has_two_references(desk: Desk, profile: Path) -> None:
    """A document number can't collide; a second voucher of the same id is refused by the log."""
    words = do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-3", "--face", "1.00", *ISSUE, "--yes")
    assert run(*words).status == 0
    again = run(*words)
    assert (again.status, again.err) == (1, "")
    assert "refused: id_already_used" in again.out


def test_a_refusal_is_status_1(desk: Desk, profile: Path) -> None:
    """In words, and as JSON."""
    words = do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-4", "--face", "90,000,000.00", *ISSUE, "--yes")
    ran = run(*words)
    assert ran.status == 1
    assert "refused: exceeds_envelope" in ran.out
    said = run(*words, "--json")
    assert json.loads(said.out)["reason"] == "exceeds_envelope"


def test_a_check_records_nothing(desk: Desk, profile: Path) -> None:
    """It says what would be decided."""
    size = desk.size
    words = do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-5", "--face", "1.00", *ISSUE)
    assert f"would be entry {size}" in done(*words, "--check")
    refused = run(*do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-1", "--face", "1", *ISSUE), "--check")
    assert (refused.status, desk.size) == (1, size)
    assert "would be refused: id_already_used" in refused.out


def test_without_a_terminal_somebody_must_agree(desk: Desk, profile: Path) -> None:
    """Nothing is signed that nobody saw."""
    size = desk.size
    ran = run(*do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-6", "--face", "1.00", *ISSUE))
    assert ran.status == 2
    assert "give --yes" in ran.err
    assert desk.size == size


def test_all_that_is_wrong_is_said_at_once(profile: Path) -> None:
    """Each field by its option, what it must be, and what is missing."""
    line = failed(*do(profile, "voucher.issue", "--face", "1.5", "--voucher", "v", "--valid-from", "tomorrow", "--yes"))
    assert "--face must be an amount in yuan with two decimals or none" in line
    assert "--voucher must be an id like shanghai-treasury/v-1" in line
    assert "--valid-from 'tomorrow' is not a time" in line
    assert "--programme is missing" in line
    assert "--holder is missing" in line


def test_a_wrong_id_suggests_the_nearest(desk: Desk, profile: Path) -> None:
    """Before anything is signed."""
    words = ("--programme", f"{TREASURY}/compute-2062", "--holder", "acme", "--valid-from", "2026-01-06")
    ran = run(*do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-7", "--face", "1.00", *words, "--yes"))
    assert ran.status == 2
    assert f"--programme: there is no programme {TREASURY}/compute-2062; did you mean {PROGRAMME}?" in ran.err
    assert "--holder: there is no holder acme; did you mean acme-ai?" in ran.err


def test_a_field_lists_what_it_may_name(desk: Desk, profile: Path) -> None:
    """With a few words about each."""
    out = done(*do(profile, "voucher.issue", "--list", "programme"))
    assert PROGRAMME in out
    assert "Compute vouchers 2026, " in out
    (holder,) = run(*do(profile, "voucher.issue", "--list", "holder", "--json")).json["holder"]
    assert holder == {"id": "acme-ai", "words": "acme-ai (holder)"}
    assert "there are lists for" in failed(*do(profile, "voucher.issue", "--list", "face"))


def test_what_a_party_may_name_is_there_when_names_are_checked(tmp_path: Path) -> None:
    """Of no party all are there: a mandate, a statement or a key too, which are listed to their own parties."""
    write_two_cities(tmp_path / "ledger")
    with read_ledger(tmp_path / "ledger") as reader:
        state = reader.state()
    for kind in sorted(set(KIND_OF.values())):
        there = {one.id for one in candidates_in(state, kind, "")}
        named = {one.id for party in state.parties for one in candidates_in(state, kind, party)}
        assert (kind, named - there) == (kind, set())
    assert {one.id for one in candidates_in(state, "mandate", "")} == set(state.mandates)


def test_an_unknown_kind_is_told_from_one(profile: Path) -> None:
    """With what is nearest."""
    assert "did you mean voucher.issue" in failed(*do(profile, "voucher.isue"))


def test_a_document_is_hashed_with_a_nonce_that_stays(desk: Desk, profile: Path) -> None:
    """Who has both can show that the log has its hash; a contract's document has no nonce."""
    paper = profile.parent / "decision.pdf"
    paper.write_bytes(b"a decision")
    words = do(profile, "voucher.issue", "--voucher", f"{TREASURY}/v-8", "--face", "1.00", *ISSUE, "--evidence", paper)
    done(*words, "--yes")
    nonce = profile.parent / "decision.pdf.nonce"
    assert len(nonce.read_bytes()) == 32
    assert nonce.stat().st_mode & 0o077 == 0
    digest = sha256(b"a decision" + nonce.read_bytes()).hexdigest()
    assert last_command(desk)["evidence_hash"] == f"sha256:{digest}"


def test_a_contract_is_prepared_by_one_side_and_cosigned_by_the_other(desk: Desk, profile: Path) -> None:
    """The note lies in the profile's folder until all have signed it."""
    terms = contract_of("acme-ai/k-2", "acme-ai", "guian-cluster", "2026-01-05", "2026-12-31")
    form = forms()["contract.sign/1"]
    words = [word for option, text in form.write(terms, Surroundings(28_800)) for word in (f"--{option}", text)]
    sides = ("--party", "acme-ai", "--sign-with", desk.key("acme-ai/desk"), "--prepare", "--yes", "--ref", "k-2")
    done(*do(profile, "contract.sign", *words, *sides))
    note = profile.parent / "prepared" / "k-2.note"
    assert note.is_file()
    half = run("submit", desk.ledger, note, "--log-time", AT)
    assert half.status == 1
    assert "refused: signatures_missing: 1 more by guian-cluster" in half.out
    size = desk.size
    cosigned = ("cosign", note, "--sign-with", desk.key("guian-cluster/desk"), "--profile", profile)
    assert "no terminal to ask" in run(*cosigned).err
    out = done(*cosigned, "--yes", "--send", "--log-time", AT)
    assert "acme-ai (acme-ai) signs contract acme-ai/k-2 between acme-ai (acme-ai) and guian-cluster" in out
    assert "signed by acme-ai/desk+" in out
    assert f"recorded as entry {size}" in out


def test_what_is_cosigned_is_for_ones_own_log(desk: Desk, profile: Path) -> None:
    """And a command that somebody signed."""
    note = desk.sign("party.suspend", TREASURY, subject="acme-ai", reason="r")
    other = profile.with_name("other.toml")
    other.write_text('log = "tallystick.example/other"\n')
    assert "and your profile's is tallystick.example/other" in failed("cosign", note, "--yes", "--profile", other)
    assert "is no signed command" in failed("cosign", desk.policy, "--yes", "--profile", profile)


def test_the_lines_of_a_statement_are_told_with_their_reasons(desk: Desk, profile: Path) -> None:
    """A provider decides by them whether to start a job."""
    line = "item=ascend-910b,job=j-1,gpus=8,from=2026-01-05T14:00,to=2026-01-05T15:00,duration=1h"
    sides = ("--party", "guian-cluster", "--sign-with", desk.key("guian-cluster/desk"))
    out = done(*do(profile, "time.burn", "--contract", "acme-ai/k-1", "--line", line, *sides, "--check"))
    assert ": 0 of 1 lines burned, for 0.00 yuan" in out
    assert "refused: tariff_missing" in " ".join(out.split())


def test_several_notes_are_cosigned_together(desk: Desk, profile: Path) -> None:
    """What each says is shown before any is signed."""
    notes = [desk.sign("party.suspend", TREASURY, subject="acme-ai", reason=reason) for reason in ("one", "two")]
    second = ("--sign-with", desk.key(f"{TREASURY}/second"), "--profile", profile, "--yes")
    out = done("cosign", *notes, *second)
    assert [f'suspends acme-ai (acme-ai): "{reason}"' in out for reason in ("one", "two")] == [True, True]
    assert [note.read_bytes().count("\n— ".encode()) for note in notes] == [2, 2]
    assert "--out is for one note" in failed("cosign", *notes, "-o", profile.parent / "x", *second)


# ------------------------------------------------------------------------------------------------------ on a terminal


def on_a_terminal(typed: str, *words: object) -> tuple[int, str]:
    """Run a command whose streams are a terminal, with something typed, and return its status and what it showed."""
    shown, terminal = os.openpty()
    try:
        process = start(*words, stdin=terminal, stdout=terminal, stderr=terminal)
        os.write(shown, typed.encode())
        status = process.wait(120)
        os.set_blocking(shown, False)
        text = b""
        with suppress(BlockingIOError):
            while True:
                text += os.read(shown, 65_536)
    finally:
        os.close(shown)
        os.close(terminal)
    return status, " ".join(text.decode().split())


@pytest.mark.parametrize(("typed", "is_agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_person_is_asked(desk: Desk, profile: Path, typed: str, is_agreed: bool) -> None:
    """Once the words were shown; without a yes nothing is signed."""
    size = desk.size
    voucher = f"{TREASURY}/asked-{len(typed)}{typed[0].strip()}"
    words = do(profile, "voucher.issue", "--voucher", voucher, "--face", "1.00", *ISSUE)
    status, text = on_a_terminal(typed, *words)
    assert f"issues voucher {voucher} of 1.00 yuan" in text
    assert "Sign and send this? [y/N]" in text
    assert (status, desk.size) == ((0, size + 1) if is_agreed else (1, size)), text
    assert ("nothing was signed" in text) is not is_agreed


def test_sign_says_what_is_signed(desk: Desk, tmp_path: Path) -> None:
    """On a terminal; the note itself is as it was."""
    note = desk.sign("party.suspend", TREASURY, subject="acme-ai", reason="late")
    out = tmp_path / "cosigned.note"
    words = ("sign", note, "--key", desk.key(f"{TREASURY}/second"), "-o", out)
    status, text = on_a_terminal("", *words)
    assert (status, out.is_file()) == (0, True), text
    assert f'{TREASURY} suspends acme-ai: "late"' in text
    assert f"for the log {ORIGIN}, as ref doc-" in text


# ------------------------------------------------------------------------------------------------------- every kind


@pytest.mark.parametrize("kind", [*forms()])
def test_every_kind_has_a_page_with_its_options_and_an_example(kind: str) -> None:
    """No type of Python's shows, and every option is there with its meaning."""
    form = forms()[kind]
    out = done("do", name_of(form), "-h")
    assert form.meaning.split()[0] in out
    assert "Example:" in out
    assert [option.name for option in form.options if f"--{option.name}" not in out] == []
    assert [word for word in ("<str>", "<list[", "<bool>", "<path>") if word in out] == []


@pytest.mark.parametrize("kind", [*forms()])
def test_an_example_can_be_given_as_it_stands(kind: str) -> None:
    """All that it needs is said, in a form that is read."""
    form = forms()[kind]
    common = {
        "log": "tallystick.example/national",
        "party": "p",
        "ref": "r",
        "signed_at": "2026-01-05T08:00:00.000000Z",
    }
    words = {option.name: [example_of(option, form)] for option in in_example(form)}
    filled = form.read(words, Surroundings(28_800, lambda _file, _nonce: f"sha256:{64 * '0'}"))
    assert [str(fault) for fault in form.check(filled, common)] == []
