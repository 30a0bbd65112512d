"""A maker's document lies outside the ledger: it proves who the maker is, and no other proof needs it."""

import hashlib
import json
from pathlib import Path

from support.command_line import Desk, done

DOCUMENT = b"what identifies the maker, and is nowhere in the log"
NONCE = hashlib.sha256(b"32 bytes that were drawn at random").digest()


def test_erasing_the_document_erases_the_person_and_no_proof(tmp_path: Path) -> None:
    """No byte of document or nonce is in any file of the ledger, its export or its proofs, and none asks for them."""
    desk = Desk(tmp_path)
    desk.found()
    desk.open_programme()
    commitment = f"sha256:{hashlib.sha256(DOCUMENT + NONCE).hexdigest()}"
    desk.do(
        "party.admit",
        "shanghai-treasury",
        admitted="maker-7",
        role="holder",
        maker=True,
        profile_hash=commitment,
        keys=[desk.vkey("maker-7/desk")],
    )
    admitted = desk.size - 1
    desk.do(
        "voucher.issue",
        "shanghai-treasury",
        voucher="shanghai-treasury/v-7",
        programme="shanghai-treasury/compute-2026",
        holder="maker-7",
        face_fen=10_000,
        valid_from="2026-01-05T08:00:00.000000Z",
    )
    receipt, dossier = tmp_path / "admission.tlog-proof", tmp_path / "maker.dossier"
    trust = ("--trust", desk.policy)
    done("receipt", desk.ledger, admitted, "-o", receipt)
    done("dossier", desk.ledger, "holder", "maker-7", "-o", dossier)
    done("export", desk.ledger, tmp_path / "tiles")

    command = json.loads(done("verify", receipt, *trust, "--json"))["entry"]["command"]
    assert command["profile_hash"] == commitment
    assert not {"name", "uscc"} & {*command}
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (DOCUMENT, NONCE, NONCE.hex().encode()):
        assert not any(secret in data for data in written)

    assert json.loads(done("audit", desk.ledger, *trust, "--json"))["verdict"] == "clean"
    assert json.loads(done("audit", tmp_path / "tiles", *trust, "--json"))["verdict"] == "clean"
    book = json.loads(done("verify", dossier, *trust, "--json"))
    assert (book["sound"], book["account"]) == (True, "holder maker-7")
