"""`tallystick dossier` writes what `tallystick verify` proves, or refuses by name with status 1."""

import json
from pathlib import Path

import pytest

from dossiers.forging import parts_of, seals_of
from support.command_line import done, failed, run
from support.finding_codes import DOSSIER_CODES, documented, in_order
from support.small_ledger import POLICY


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """The policy's file."""
    path = tmp_path / "trust.policy"
    path.write_bytes(POLICY.to_text())
    return path


def test_a_dossier_is_written_and_its_book_printed(ledger: Path, tmp_path: Path, trust: Path) -> None:
    file = tmp_path / "guian.dossier"
    said = done("dossier", ledger, "provider", "guian", "-o", file)
    assert said.startswith(f"{file}: 57 entries of provider guian, ")
    shown = done("verify", file, "--trust", trust)
    assert shown.startswith("proven: provider guian in tallystick.example/national, in its tree of ")
    assert "complete up to registry/2026 (days up to" in shown
    assert "balances at registry/2026" in shown
    assert "reserved to burned" in shown
    assert done("verify", "-", "--trust", trust, stdin=file.read_bytes()) == shown


def test_json_has_all_of_it(ledger: Path, tmp_path: Path, trust: Path, log: list[bytes]) -> None:
    file = tmp_path / "v.dossier"
    first = next(seals_of(log))
    done("dossier", ledger, "voucher", "shanghai/v1", "-o", file, "--until", first)
    report = json.loads(done("verify", file, "--trust", trust, "--json"))
    assert report["sound"] is True
    assert report["account"] == "voucher shanghai/v1"
    assert (report["opening"], report["closing"]["index"]) == (None, first)
    assert report["entries"] == len(report["book"])
    assert report["balances"]["face_fen"] == 150_000_000
    assert report["findings"] == []


def test_what_no_seal_covers_is_said(ledger: Path, tmp_path: Path, trust: Path, log: list[bytes]) -> None:
    """Nothing came after the newest seal."""
    file = tmp_path / "g.dossier"
    newest = list(seals_of(log))[-1]
    said = done("dossier", ledger, "provider", "guian", "-o", file, "--from", newest)
    assert "no seal comes after them" in said
    assert "nothing is proved to be complete" in done("verify", file, "--trust", trust)


def test_a_fault_is_named_and_no_number_is_shown(ledger: Path, tmp_path: Path, trust: Path) -> None:
    file = tmp_path / "guian.dossier"
    done("dossier", ledger, "provider", "guian", "-o", file)
    lines = file.read_bytes().splitlines(keepends=True)
    subject = [number for number, one in enumerate(parts_of(file.read_bytes())[1], 1) if one.role == "subject"]
    file.write_bytes(b"".join(lines[: subject[9]] + lines[subject[9] + 1 :]))
    ran = run("verify", file, "--trust", trust)
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("refused: the dossier of provider guian proves nothing\nentry_left_out: ")
    assert "balances" not in ran.out
    as_json = run("verify", file, "--trust", trust, "--json")
    assert as_json.status == 1
    first = as_json.json["findings"][0]
    assert (first["code"], first["index"], first["reason"]) == ("entry_left_out", None, None)
    assert first["detail"].startswith("the seal counts ")


def test_help_offers_what_has_a_dossier_and_nothing_else() -> None:
    """An entry has none: it is shown, or proved by its receipt."""
    offered = "voucher, holder, provider, programme, contract, treasury, application, claim, demand."
    shown = (
        "voucher, holder, programme, provider, contract, application, claim, demand, mandate, reservation, item, "
        "party, key, treasury, entry."
    )
    for command, kinds in (("dossier", offered), ("show", shown)):
        assert f": {kinds}" in " ".join(done(command, "--help").split())


def test_bad_input_is_one_line(ledger: Path, tmp_path: Path, trust: Path) -> None:
    file = tmp_path / "x.dossier"
    assert "there is no voucher nobody/v" in failed("dossier", ledger, "voucher", "nobody/v", "-o", file)
    assert "neither a day" in failed("dossier", ledger, "provider", "guian", "-o", file, "--from", "2026-13-01")
    assert "neither a day" in failed("dossier", ledger, "provider", "guian", "-o", file, "--until", "+42")
    assert "'entry' is not one of 'voucher', 'holder'" in failed("dossier", ledger, "entry", "5", "-o", file)
    assert not file.exists()
    file.write_bytes(b'{"account":"provider guian"}\n')
    assert "head in a dossier has" in failed("verify", file, "--trust", trust)
    file.write_bytes(b'{"account":"')
    assert "cut off" in failed("verify", file, "--trust", trust)


def test_the_documentation_has_every_finding_in_order() -> None:
    """With the same words."""
    assert documented("dossiers.md") == in_order(DOSSIER_CODES)
