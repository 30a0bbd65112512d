"""Cosignatures of one checkpoint come together in one note, as many as it holds, and never those of another."""

from itertools import permutations

import pytest

from support.witnesses import History
from tallystick.errors import NoteMalformedError
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import SIGNATURES_MAX, Note
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.merging import merge_notes

LOG = History(3)
NOTE = LOG.note(2)


def _by(number: int, at_posix_s: int = 5) -> bytes:
    key = SigningKey.from_seed(f"witness.example/{number}", bytes([number + 1]) * 32, COSIGNATURE_ED25519)
    return cosign(NOTE, key, at_posix_s)


def test_lines_come_together_in_any_order() -> None:
    """The same set of lines, each once."""
    copies = [NOTE + _by(1), NOTE + _by(2) + _by(3), NOTE + _by(1) + _by(3)]
    for first, second, third in permutations(copies):
        merged = merge_notes(merge_notes(first, second), third)
        assert merged.startswith(first)
        assert set(Note.from_bytes(merged).signatures) == set(
            Note.from_bytes(NOTE + _by(1) + _by(2) + _by(3)).signatures
        )
        assert merge_notes(merged, first) == merged


def test_where_both_have_a_line_the_first_one_stands() -> None:
    """Two lines by one key make no note."""
    assert merge_notes(NOTE + _by(1, 5), NOTE + _by(1, 6) + _by(2)) == NOTE + _by(1, 5) + _by(2)


def test_another_text_adds_nothing() -> None:
    """Its lines sign something else."""
    other = History(3, forked_at=0).note(2)
    assert merge_notes(NOTE, other) == NOTE
    assert merge_notes(NOTE, LOG.note(3)) == NOTE


def test_a_full_note_stays_as_it_is() -> None:
    """What can't be carried is left out, not what was there."""
    full = NOTE + b"".join(_by(number) for number in range(SIGNATURES_MAX - 2))
    more = NOTE + _by(80) + _by(81)
    assert merge_notes(full, more) == full + _by(80)
    assert len(Note.from_bytes(merge_notes(full, more)).signatures) == SIGNATURES_MAX


@pytest.mark.parametrize(("note", "other"), [(b"", NOTE), (NOTE, b""), (NOTE[:-1], NOTE), (NOTE, b"x" * 70_000)])
def test_what_is_no_note_is_refused(note: bytes, other: bytes) -> None:
    """Nothing is merged with rubbish."""
    with pytest.raises(NoteMalformedError):
        merge_notes(note, other)
