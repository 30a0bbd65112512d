"""Logs of an operator who holds the log's key, with one thing that the rules don't give: every tree is right."""

from collections.abc import Callable

from support.actors import ORIGIN, note_of
from support.scenario import read_sentences, read_table
from tallystick.signing.note import Note, Signature
from tallystick.vouchers.entry import split_entry
from vectors.corpus.folders import LOG_KEY, NEXT_LOG_KEY, Entries, Files, exported
from vectors.corpus.stories import entries_of, the_entries, the_story, with_recorded

ISSUED, BURNED, CLAIMED, EXPIRED, SEALED = 20, 29, 36, 40, 47
"""The places of five entries in the story."""


def sound() -> Files:
    """every kind of command; two programmes that pay for one contract, other support; lines that are accepted, refused
    and taken back; services, counted and invoiced; mandates; what time ended; claims settled in part, demands set off,
    received and given up; five seals, corrections, what is reported late; the log's key changed"""
    return exported(the_entries(), LOG_KEY, NEXT_LOG_KEY)  # it ends before the new one signs alone


def outcome_falsified() -> Files:
    """a statement's fee is a fen too high"""
    return _changed(BURNED, lambda data: replaced(data, b'"fee_fen":[4800,', b'"fee_fen":[4801,'))


def share_falsified() -> Files:
    """a programme pays a fen more of a line than its share"""
    return _changed(BURNED, lambda data: replaced(data, b'["acme/R2",[0,0,760,3600]]', b'["acme/R2",[0,0,760,3601]]'))


def line_let_through() -> Files:
    """a line that the rules refuse is recorded as accepted"""
    return _changed(BURNED, lambda data: replaced(data, b'[[1,"job_time_already_burned"]]', b"[]"))


def claim_falsified() -> Files:
    """a claim amounts to a fen more than was burned"""
    rows = b'{"amount_fen":3600,"more":false,"rows":[["acme/K1",3600]]}'
    return _changed(CLAIMED, lambda data: replaced(data, rows, rows.replace(b"3600", b"3601")))


def expiry_falsified() -> Files:
    """what expired gives back a fen less than there was"""
    return _changed(
        EXPIRED, lambda data: replaced(data, b'["voucher","acme/V3",500000,', b'["voucher","acme/V3",499999,')
    )


def seal_falsified() -> Files:
    """a seal commits to another root"""
    root = split_entry(the_entries()[SEALED])[0].rpartition(b'"root":"')[2].partition(b'"')[0]
    return _changed(SEALED, lambda data: replaced(data, root[-64:], b"0" * 64))


def signature_wrong() -> Files:
    """one bit of a signature is another"""

    def spoiled(data: bytes) -> bytes:
        header, note_bytes = split_entry(data)
        note = Note.from_bytes(note_bytes)
        first, *others = note.signatures
        blob = first.blob[:-1] + bytes([first.blob[-1] ^ 1])
        wrong = Signature(first.name, first.key_id, blob)
        return header + b"\n" + Note(note.text, (wrong, *others)).to_bytes()

    return _changed(ISSUED, spoiled)


def signature_missing() -> Files:
    """one officer signed where two must"""

    def less(data: bytes) -> bytes:
        header, note_bytes = split_entry(data)
        note = Note.from_bytes(note_bytes)
        return header + b"\n" + Note(note.text, note.signatures[:1]).to_bytes()

    return _changed(ISSUED, less)


def decision_refused() -> Files:
    """a reservation of more than there is, recorded"""
    told = the_story(BURNED)
    (story,) = read_table("acme reserve R9 of V1 30,000.00 under K1 until +30d -> exceeds_available_balance")
    _, note = told.note(story.rows[0])
    return exported(with_recorded(told, "voucher.reserved/1", note))


def kind_unknown() -> Files:
    """a command that edition 1 doesn't have, recorded"""
    command = {"kind": "voucher.print/1", "log": ORIGIN, "party": "acme", "ref": "new"}
    note = note_of(command | {"signed_at": "2026-01-05T08:00:00.000000Z"}, "acme/officer-1")
    return exported(with_recorded(the_story(BURNED), "voucher.printed/1", note))


def log_key_missing() -> Files:
    """the log's key is changed, and the old one alone signs the checkpoint"""
    told = the_story(5)
    (story,) = read_sentences(f"== a change\nnetwork changes the log's key from {ORIGIN} to next -> rekeyed\n")
    told.play(story)
    return exported(entries_of(told), LOG_KEY)


def _changed(index: int, change: Callable[[bytes], bytes]) -> Files:
    """The story with one entry changed, and as far as two entries after it: what is wrong is named once."""
    entries: Entries = [*the_entries()[: index + 3]]
    entries[index] = change(entries[index])
    return exported(entries)


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """These bytes with others in the place of some that are there once."""
    assert data.count(old) == 1, data
    return data.replace(old, new)


FALSIFIED = (
    outcome_falsified,
    share_falsified,
    line_let_through,
    claim_falsified,
    expiry_falsified,
    seal_falsified,
    signature_wrong,
    signature_missing,
    decision_refused,
    kind_unknown,
    log_key_missing,
)
"""In the order of the README."""
