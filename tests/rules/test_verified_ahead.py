"""Verifying signatures ahead of the decision saves work and changes no answer."""

import hashlib

from support.actors import ORIGIN, note_of, text_of
from support.scenario import Ledger, Row, Story, ledger_for, read_table
from tallystick.ledger.verification import Verifier
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, Signature, sign_text
from tallystick.vouchers.admit import SignedCommand, read_note


def row_of(text: str) -> Row:
    """The one row of a table."""
    ((row,),) = [story.rows for story in read_table(text)]
    return row


def standard() -> Ledger:
    """The standard network."""
    return ledger_for(Story("standard", ()))


def test_one_public_key_under_two_names() -> None:
    """A good line by the one name doesn't vouch for a bad line by the other (`submit` compares both ways)."""
    ledger = standard()
    command, _ = ledger.note(row_of("acme  add-key  acme/officer-7:acme/officer-1 for acme by=acme/officer-1 -> added"))
    seed = hashlib.sha256(b"acme/officer-1").digest()
    keys = [SigningKey.from_seed(name, seed) for name in ("acme/officer-1", "acme/officer-7")]
    note = Note.from_bytes(sign_text(text_of(command), *keys))
    good, bad = note.signatures
    spoiled = Signature(bad.name, bad.key_id, bytes(64))
    answer = ledger.submit(Note(note.text, (good, spoiled)).to_bytes())
    assert str(answer).startswith("signature_invalid")


def test_a_verdict_is_about_one_text() -> None:
    """The same signature line under another text is no signature."""
    ledger = standard()
    command, note = ledger.note(row_of("acme  reserve  R9 of V1 1.00 under K1 until +1d  -> reserved"))
    richer = note_of(command | {"amount_fen": 400_000}, "acme/officer-1")
    stolen = Note(Note.from_bytes(richer).text, Note.from_bytes(note).signatures)
    assert str(ledger.submit(stolen.to_bytes())).startswith("signature_invalid")
    assert not isinstance(ledger.submit(note), str)
    assert ledger.state.reservations["acme/R9"].amount_fen == 100


def test_what_is_recorded_is_not_verified_again() -> None:
    """It is answered by its reference: so the same good note sent without end costs no signature."""
    ledger = standard()
    verifier = Verifier(0)
    for number, verified in (("R8", 1), ("R9", 1)):
        _, data = ledger.note(row_of(f"acme  reserve  {number} of V1 1.00 under K1 until +1d  -> reserved"))
        for times in (verified, 0):
            signed = read_note(data, ORIGIN)
            assert isinstance(signed, SignedCommand)
            verifier.start([signed], ledger.state).finish()
            assert len(signed.verdicts) == times
            ledger.submit(data)
