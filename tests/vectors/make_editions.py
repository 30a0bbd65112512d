"""Write the corpus of an edition's logs anew, into tests/vectors/editions/1: `python tests/vectors/make_editions.py`.

Each log is an exported folder (C2SP tlog-tiles), and `expected.json` is what an audit of it must come to. The same
script writes the same bytes. A difference is a decision with a record (editions/1/README.md).
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "editions" / "1"
if __name__ == "__main__":  # as a test it is pytest that knows where to find these
    sys.path[:0] = [str(FOLDER.parents[2]), str(FOLDER.parents[3] / "src")]

from support.actors import ORIGIN, key_of, note_of  # noqa: E402
from support.scenario import Ledger, Story, read_sentences, read_table  # noqa: E402
from tallystick.audit import audit  # noqa: E402
from tallystick.signing import canonical_json  # noqa: E402
from tallystick.signing.keys import SigningKey  # noqa: E402
from tallystick.signing.note import Note, Signature  # noqa: E402
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint  # noqa: E402
from tallystick.transparency.encoding import base64_to_text  # noqa: E402
from tallystick.transparency.merkle import RightEdge, leaf_hash  # noqa: E402
from tallystick.transparency.policy import Policy  # noqa: E402
from tallystick.transparency.tiles import bundle_path, bundle_to_bytes, tile_path  # noqa: E402
from tallystick.vouchers.entry import split_entry  # noqa: E402

STORY = Path(__file__).resolve().parent / "entries" / "story.table"
LOG_KEY = key_of(ORIGIN)
NEXT_LOG_KEY = key_of(f"{ORIGIN}:next")
POLICY = Policy.for_log(LOG_KEY.verifier)
ISSUED, BURNED, CLAIMED, EXPIRED, SEALED = 20, 29, 36, 40, 47
"""The places of five entries in the story."""

Entries = list[bytes]


def sound() -> Entries:
    """The whole story: every kind of command, and lines that were refused."""
    return _played().entries_written()


def outcome_falsified() -> Entries:
    """A statement's fee is a fen too high."""
    return _changed(BURNED, lambda data: _replaced(data, b'"fee_fen":[4800,', b'"fee_fen":[4801,'))


def share_falsified() -> Entries:
    """A programme pays a fen more of a line than its share."""
    return _changed(BURNED, lambda data: _replaced(data, b'["acme/R2",[0,0,760,3600]]', b'["acme/R2",[0,0,760,3601]]'))


def line_let_through() -> Entries:
    """A line that the rules refuse is recorded as accepted."""
    return _changed(BURNED, lambda data: _replaced(data, b'[[1,"job_time_already_burned"]]', b"[]"))


def claim_falsified() -> Entries:
    """A claim amounts to a fen more than was burned."""
    rows = b'{"amount_fen":3600,"more":false,"rows":[["acme/K1",3600]]}'
    return _changed(CLAIMED, lambda data: _replaced(data, rows, rows.replace(b"3600", b"3601")))


def expiry_falsified() -> Entries:
    """A voucher expires and gives back a fen less than it has."""
    return _changed(
        EXPIRED, lambda data: _replaced(data, b'["voucher","acme/V3",500000,', b'["voucher","acme/V3",499999,')
    )


def seal_falsified() -> Entries:
    """A seal commits to another root than that of the accounts."""
    entries = sound()
    root = split_entry(entries[SEALED])[0].rpartition(b'"root":"sha256:')[2][:64]
    return _changed(SEALED, lambda data: _replaced(data, root, b"0" * 64))


def signature_wrong() -> Entries:
    """A signature of an issue has one bit turned over."""

    def spoiled(data: bytes) -> bytes:
        header, note_bytes = split_entry(data)
        note = Note.from_bytes(note_bytes)
        first, *others = note.signatures
        blob = first.blob[:-1] + bytes([first.blob[-1] ^ 1])
        wrong = Signature(first.name, first.key_id, blob)
        return header + b"\n" + Note(note.text, (wrong, *others)).to_bytes()

    return _changed(ISSUED, spoiled)


def signature_missing() -> Entries:
    """An issue over the officers' threshold has one officer's signature."""

    def less(data: bytes) -> bytes:
        header, note_bytes = split_entry(data)
        note = Note.from_bytes(note_bytes)
        return header + b"\n" + Note(note.text, note.signatures[:1]).to_bytes()

    return _changed(ISSUED, less)


def decision_refused() -> Entries:
    """A reservation of more than the voucher has, rightly signed, is recorded."""
    told = _played(BURNED)
    (story,) = read_table("acme reserve R9 of V1 30,000.00 under K1 until +30d -> exceeds_available_balance")
    _, note = told.note(story.rows[0])
    return [*told.entries_written(), _header(told, "voucher.reserved/1") + note]


def kind_unknown() -> Entries:
    """A command that no list of this edition has, rightly signed, is recorded."""
    told = _played(BURNED)
    command = {"kind": "voucher.print/1", "log": ORIGIN, "party": "acme", "ref": "new"}
    note = note_of(command | {"signed_at": "2026-01-05T08:00:00.000000Z"}, "acme/officer-1")
    return [*told.entries_written(), _header(told, "voucher.printed/1") + note]


def log_key_missing() -> Entries:
    """The log's key is changed, and the old one alone signs the checkpoint."""
    told = _played(5)
    (story,) = read_sentences(f"== a change\nnetwork changes the log's key from {ORIGIN} to next -> rekeyed\n")
    told.play(story)
    return told.entries_written()


LOGS: dict[str, Callable[[], Entries]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        sound,
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
}
"""By name of folder, how its entries are made."""


class _Told(Ledger):
    def entries_written(self) -> Entries:
        return [entry.to_bytes() for entry in self.entries]


def _played(entries_max: int | None = None) -> _Told:
    """The story, as far as it comes to so many entries."""
    (story,) = read_sentences(STORY.read_text("utf-8"))
    told = _Told()
    for row in story.rows:
        if len(told.entries) == entries_max:
            break
        told.play(Story(story.title, (row,)))
    return told


def _changed(index: int, change: Callable[[bytes], bytes]) -> Entries:
    """The story with one entry changed, and as far as two entries after it: what is wrong is named once."""
    entries = sound()[: index + 3]
    entries[index] = change(entries[index])
    return entries


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1, data
    return data.replace(old, new)


def _header(told: _Told, kind: str) -> bytes:
    at = split_entry(told.entries[-1].to_bytes())[0][len('{"at":"') :][:27].decode()
    return canonical_json.encode({"at": at, "index": len(told.entries), "kind": kind, "outcome": {}}) + b"\n"


def files(entries: Sequence[bytes], *signers: SigningKey) -> dict[str, bytes]:
    """The files of a log's export by path, of a log whose keys signed it, or these."""
    is_rekeyed = any(b'"kind":"log.rekeyed/1"' in split_entry(data)[0] for data in entries)
    signers = signers or (LOG_KEY, NEXT_LOG_KEY)[: 1 + is_rekeyed]  # the story ends before the new one signs alone
    assert len(entries) < 256, "of a longer log there are more tiles"
    hashes = [leaf_hash(data) for data in entries]
    edge = RightEdge()
    edge.extend(hashes)
    return {
        "checkpoint": sign_checkpoint(Checkpoint(ORIGIN, edge.size, edge.root()), *signers),
        tile_path(0, 0, edge.size): b"".join(hashes),
        bundle_path(0, edge.size): bundle_to_bytes(list(entries)),
    }


def expected(folder: Path) -> bytes:
    """What an audit of a log comes to, without the wording of details, which an edition doesn't fix."""
    report = audit(folder, POLICY, processes=0)
    assert report.checkpoint is not None
    found: dict[str, Any] = {
        "size": report.checkpoint.size,
        "root": base64_to_text(report.checkpoint.root_bytes).decode(),
        "verdict": report.verdict,
        "findings": [{"code": row.code, "index": row.index} for row in report.findings],
        "totals": report.totals.model_dump(mode="json"),
    }
    return json.dumps(found, indent=1, sort_keys=True).encode() + b"\n"


def write(folder: Path) -> None:
    """Write the policy and every log with what is expected of it, over what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trust.policy").write_bytes(POLICY.to_text())
    for name, make in LOGS.items():
        signers = (LOG_KEY,) if make is log_key_missing else ()
        for path, data in files(make(), *signers).items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_bytes(data)
        (folder / name / "expected.json").write_bytes(expected(folder / name))


if __name__ == "__main__":
    write(FOLDER)
