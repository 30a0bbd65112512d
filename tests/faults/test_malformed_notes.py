"""Ten thousand spoiled notes: each is refused by name, nothing raises, nothing moves, the next good note is admitted.

The notes are good ones that were hurt at random, always the same with one seed: bits, cuts, splices, lines, base64,
JSON, Unicode, sizes. A few are handed over unhurt in between. A note that is admitted says what a good one says and is
signed by the same keys; a text that is recorded already is answered with its own entry, whatever signs it now.
"""

import base64
import random
import re
from collections import Counter
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import Desk, run
from tallystick.audit import audit
from tallystick.errors import MalformedError
from tallystick.ledger import Admitted, create_ledger
from tallystick.signing.note import NOTE_SIZE_MAX, Note, Signature
from tallystick.transparency.policy import Policy
from tallystick.vouchers.refusals import Reason

SEED = 20_261_124
NOTES = 10_000
AT_ONCE = 100
UNHURT = 1 / 400

Hurt = Callable[[random.Random, bytes, bytes], bytes]
"""Takes chance, a good note and another good note; gives what somebody might send."""

SPLINTERS = (
    b"\x00", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", "\u2028".encode(),
    "\u202e".encode(), "\u00a0".encode(), "e\u0301".encode(), "\U0001f9fe".encode(), b"\r", b"\t", b"\x1b[2J", b"\x7f",
    b"%s%n", b"{", b'"', b"\\", b"+", "— ".encode(), b"\n", b"\n\n", b" ",
)  # fmt: skip
OTHER_VALUES = (
    b"null", b"true", b"-0", b"01", b"1.0", b"1e3", b"1e999", b"-1", b"NaN", b"9007199254740992", b"1" * 400, b"[]",
    b"{}", b'""', b'"\\u0061"', b'"' + b"a" * 300 + b'"', b"[" * 3_000 + b"]" * 3_000, b'"\\ud800"',
)  # fmt: skip


def flip_bits(chance: random.Random, note: bytes, _: bytes) -> bytes:
    hurt = bytearray(note)
    for _turn in range(chance.choice((1, 1, 1, 2, 8))):
        hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
    return bytes(hurt)


def cut(chance: random.Random, note: bytes, _: bytes) -> bytes:
    first, last = sorted((chance.randrange(len(note) + 1), chance.randrange(len(note) + 1)))
    return chance.choice((note[:last], note[first:], note[:first] + note[last:], note[first:last]))


def splice(chance: random.Random, note: bytes, other: bytes) -> bytes:
    """The head of one and the tail of another; at best one's text under the other's signatures."""
    if chance.random() < 0.5:
        return Note(Note.from_bytes(note).text, Note.from_bytes(other).signatures).to_bytes()
    return note[: chance.randrange(len(note))] + other[chance.randrange(len(other)) :]


def insert(chance: random.Random, note: bytes, _: bytes) -> bytes:
    place = chance.randrange(len(note) + 1)
    return note[:place] + chance.choice(SPLINTERS) * chance.choice((1, 1, 3)) + note[place:]


def shuffle_lines(chance: random.Random, note: bytes, _: bytes) -> bytes:
    lines = note.splitlines(keepends=True)
    place = chance.randrange(len(lines))
    return b"".join(
        chance.choice(
            (
                lines[: place + 1] + lines[place:],
                lines[:place] + lines[place + 1 :],
                lines[place:] + lines[:place],
                lines[::-1],
                lines + lines[-1:] * 70,
                lines + lines,
                [line.replace(b"\n", b"\r\n") for line in lines],
            )
        )
    )


def respell_base64(chance: random.Random, note: bytes, _: bytes) -> bytes:
    """Another encoding of the same bytes, or no base64 at all."""
    head, _, encoded = note.rstrip(b"\n").rpartition(b" ")
    place = chance.randrange(len(encoded))
    spelled: bytes = chance.choice(
        (
            encoded.rstrip(b"="),
            encoded + b"=",
            encoded + b"====",
            encoded[:place] + b"!" + encoded[place:],
            encoded[:place] + b"\n" + encoded[place:],
            encoded.replace(b"+", b"-").replace(b"/", b"_") + b"_",
            encoded[: 4 * (place // 4)],
            base64.b64encode(base64.b64decode(encoded) + b"\0"),
            b"",
        )
    )
    return head + b" " + spelled + b"\n"


def respell_json(chance: random.Random, note: bytes, _: bytes) -> bytes:
    """Fields twice, in another order, with blanks, with other values: signed as before, which no longer fits."""
    text, blank, rest = note.partition(b"\n")
    fields = re.findall(rb'"[a-z_]+":(?:"[^"]*"|[0-9]+)', text)
    one = chance.choice(fields)
    name, _, value = one.partition(b":")
    respelled: bytes = chance.choice(
        (
            b"{" + one + b"," + text[1:],
            text[:-1] + b"," + one + b"}",
            text.replace(one, b"", 1),
            text.replace(one, name + b" :" + value, 1),
            text.replace(b",", b", ", 1),
            text.replace(one, name + b":" + chance.choice(OTHER_VALUES), 1),
            text.replace(name, name[:-1] + b'\xc3\xa9"', 1),
            text[:-1] + b',"zz":1}',
            text.replace(value, b'"' + value.strip(b'"') + b'x"', 1),
            b" " + text,
            text + b" ",
            b"[" + text + b"]",
            text + b"\n" + text,
        )
    )
    return respelled + blank + rest


def resize(chance: random.Random, note: bytes, _: bytes) -> bytes:
    """Tiny, or about as large as may be, or larger."""
    length = chance.choice((0, 1, 2, 3, 4, 90, NOTE_SIZE_MAX - 1, NOTE_SIZE_MAX, NOTE_SIZE_MAX + 1, 2 * NOTE_SIZE_MAX))
    text, blank, rest = note.partition(b"\n")
    return chance.choice(
        (note[:length], (text[:-1] + b" " * length + b"}" + blank + rest)[: length or None], b"\n" * length)
    )


def change_signatures(chance: random.Random, note: bytes, _: bytes) -> bytes:
    """Well-formed lines that no longer are what they were: key, name, bytes, or too many of them."""
    opened = Note.from_bytes(note)
    lines = [*opened.signatures]
    place = chance.randrange(len(lines))
    line = lines[place]
    lines[place] = chance.choice(
        (
            Signature(line.name, chance.randbytes(4), line.blob),
            Signature("stranger/officer-1", line.key_id, line.blob),
            Signature(line.name, line.key_id, chance.randbytes(64)),
            Signature(line.name, line.key_id, line.blob[:-1]),
            Signature(line.name, line.key_id, bytes(64)),
            Signature("网络/officer-1", line.key_id, line.blob),
        )
    )
    strangers = [
        Signature(f"s-{number}/k", b"\0\0\0\1", bytes(64)) for number in range(chance.choice((0, 0, 0, 1, 62, 70)))
    ]
    return Note(opened.text, (*lines, *strangers)).to_bytes()


HURTS: tuple[Hurt, ...] = (
    flip_bits, cut, splice, insert, shuffle_lines, respell_base64, respell_json, resize, change_signatures,
)  # fmt: skip


def saying(note: bytes) -> tuple[bytes, frozenset[Signature]] | None:
    """What a note says, and who signed it how; None if it says nothing."""
    try:
        opened = Note.from_bytes(note)
    except MalformedError:
        return None
    return opened.text, frozenset(opened.signatures)


@pytest.mark.parametrize("verify_processes", [0, 2])
def test_ten_thousand_spoiled_notes_are_refused_and_move_nothing(tmp_path: Path, verify_processes: int) -> None:
    chance = random.Random(SEED)
    clock = Clock()
    genesis, *rest = founding_notes()
    fresh = (burn_note(f"s-{number}", lines=1 + number % 3) for number in count())
    good = [*islice(fresh, 40)]
    reasons: Counter[Reason] = Counter()
    recorded: dict[bytes, bytes] = {}
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock, verify_processes=verify_processes) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        for _ in range(0, NOTES, AT_ONCE):
            notes = []
            for _turn in range(AT_ONCE):
                note, other = chance.sample(good, 2)
                notes.append(note if chance.random() < UNHURT else chance.choice(HURTS)(chance, note, other))
            size, before, root = ledger.state.size, len(recorded), ledger.root
            for note, answer in zip(notes, ledger.submit(notes), strict=True):
                if not isinstance(answer, Admitted):
                    assert answer.reason in Reason
                    assert len(str(answer).splitlines()) == 1
                    reasons[answer.reason] += 1
                    continue
                said = saying(note)
                assert said is not None
                if answer.is_new:
                    assert said in {saying(one) for one in good}
                    assert said[0] not in recorded
                    recorded[said[0]] = answer.entry
                    size += 1
                assert answer.entry == recorded[said[0]]
            assert ledger.state.size == size == 11 + len(recorded)
            assert (ledger.root == root) == (len(recorded) == before)
            # A text that is recorded gets its receipt, however it is signed: a few such stay among the others.
            good[5:] = [next(fresh) if Note.from_bytes(one).text in recorded else one for one in good[5:]]
        assert recorded
        assert sum(reasons.values()) > NOTES * 0.9
        assert {
            Reason.NOTE_TOO_LARGE,
            Reason.NOTE_MALFORMED,
            Reason.COMMAND_NOT_CANONICAL,
            Reason.COMMAND_MALFORMED,
            Reason.KEY_UNKNOWN,
            Reason.SIGNATURE_INVALID,
        } <= set(reasons)
        answers = ledger.submit(good)
        assert all(isinstance(answer, Admitted) for answer in answers)
        size = ledger.state.size
        assert size == 11 + len(recorded.keys() | {Note.from_bytes(note).text for note in good})
    report = audit(tmp_path, Policy.for_log(LOG_KEY.verifier), processes=1)
    assert (report.verdict, report.entries) == ("clean", size)


def odd_notes(note: bytes) -> dict[str, bytes]:
    """The oddest that a file can hold, by what is odd."""
    text, _, rest = note.partition(b"\n")
    opened = Note.from_bytes(note)
    return {
        "nothing": b"",
        "a newline": b"\n",
        "newlines": b"\n" * 70_000,
        "zeros": bytes(1_000),
        "no UTF-8": b"\xff\xfe" + note,
        "a byte order mark": b"\xef\xbb\xbf" + note,
        "an escape sequence": note.replace(b"kind", b"\x1b[2Jkind"),
        "a line separator": note.replace(b'"ref":"', '"ref":"\u2028'.encode()),
        "backwards": text.replace(b'"ref":"', '"ref":"\u202e'.encode()) + b"\n" + rest,
        "carriage returns": note.replace(b"\n", b"\r\n"),
        "only the text": text + b"\n",
        "only signatures": rest[1:],
        "twice": note + note,
        "too large": note + b"a" * 70_000,
        "deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"\n" + rest,
        "a huge number": text[:-1] + b',"z":' + b"9" * 5_000 + b"}\n" + rest,
        "a field twice": b'{"kind":"time.burn/1",' + text[1:] + b"\n" + rest,
        "blanks": text.replace(b":", b" : ") + b"\n" + rest,
        "a template": text.replace(b'"ref":"', b'"ref":"{0.__class__}%s%n$(id)') + b"\n" + rest,
        "65 signatures": Note(
            opened.text, tuple(Signature(f"a-{number}/k", b"aaaa", bytes(64)) for number in range(65))
        ).to_bytes(),
        "64 signatures of nobody": Note(
            opened.text, tuple(Signature(f"a-{number}/k", b"aaaa", bytes(64)) for number in range(64))
        ).to_bytes(),
        "control characters in a key's name": note.replace(
            "— national/".encode(), "— national\x7f\x9b2J\u202e/".encode()
        ),
        "a name with a newline": note.replace("— national".encode(), "— nat\nional".encode()),
    }


@pytest.mark.parametrize("command", ["check", "submit"])
def test_the_oddest_files_are_one_line_each(command: str, tmp_path: Path) -> None:
    """By the command line: status 1, a line for each note, nothing on stderr, nothing that a terminal would obey.

    Below a note that can be read stands what it says, indented.
    """
    desk = Desk(tmp_path)
    desk.found()
    good = desk.sign("item.register", "national", item="h100", unit="gpu_time", name="H100", origin="foreign")
    paths = []
    for number, note in enumerate(odd_notes(good.read_bytes()).values()):
        paths.append(tmp_path / f"odd-{number}")
        paths[-1].write_bytes(note)
    size = desk.size
    ran = run(command, desk.ledger, *paths, "--log-time", desk.at)
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    lines = [line for line in lines if not line.startswith("  ")]
    assert len(lines) == len(paths)
    for path, line in zip(paths, lines, strict=True):
        assert line.startswith(f"{path}: refused: "), line
        assert len(line) < 600
    assert desk.size == size
    assert run(command, desk.ledger, good, "--log-time", desk.at).status == 0
