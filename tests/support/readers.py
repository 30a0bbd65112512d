"""Every reader of bytes from strangers, in one list: what it takes, what it may raise, and good examples.

tests/properties/test_bad_input.py tries each with the ways in which input goes wrong that somebody thought of, and
fuzz/run.py with those that nobody did. A reader of something new belongs into `READERS`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from support.actors import ORIGIN, key_of
from tallystick.audit.report import REPORT_SIZE_MAX, CheckedCheckpoint, ProgrammeTotals, Report, Totals
from tallystick.dossiers.balance_proof import BALANCE_PROOF_SIZE_MAX, BalanceProof
from tallystick.dossiers.dossier_lines import LINE_SIZE_MAX, DossierHead
from tallystick.errors import (
    CanonicalJsonError,
    CheckpointMalformedError,
    EntryMalformedError,
    KeyMalformedError,
    MalformedError,
    NoteMalformedError,
    PolicyMalformedError,
    ReceiptMalformedError,
    SignatureInvalidError,
    TallystickError,
    TileMalformedError,
    VerificationError,
)
from tallystick.findings import Finding, FindingCode
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey, VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, Note, Signature, open_note
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign, verify_cosignature
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.transparency.policy import POLICY_SIZE_MAX, Policy
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt, verify_receipt
from tallystick.transparency.tiles import (
    Bundle,
    bundle_from_bytes,
    bundle_path,
    bundle_to_bytes,
    parse_tile_path,
    tile_path,
)
from tallystick.vouchers.admit import read_note
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry, Header, split_entry
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import parse_command
from tallystick.wire import note_lines
from tallystick.witness.request import REQUEST_SIZE_MAX, AddCheckpoint

ENTRIES = tuple(path.read_bytes() for path in sorted((Path(__file__).parents[1] / "vectors/entries").glob("*.txt")))
NOTES = tuple(split_entry(entry)[1] for entry in ENTRIES)
COMMANDS = tuple(Note.from_bytes(note).text for note in NOTES)
HEADERS = tuple(split_entry(entry)[0] for entry in ENTRIES)

LOG = key_of(ORIGIN)
WITNESS = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
POLICY = Policy.for_log(LOG.verifier)
LEAVES = [leaf_hash(entry) for entry in ENTRIES[:2]]
CHECKPOINT = sign_checkpoint(Checkpoint(ORIGIN, 2, root_of(LEAVES)), LOG)
LARGE_CHECKPOINT = sign_checkpoint(Checkpoint(ORIGIN, 42, bytes(range(32)), ("an extension",)), LOG)
COSIGNATURE = cosign(CHECKPOINT, WITNESS, 1_700_000_000)
RECEIPT = Receipt(1, (LEAVES[0],), CHECKPOINT, ENTRIES[1]).to_bytes()
LONG_RECEIPT = Receipt(42, tuple(LEAVES * 3), LARGE_CHECKPOINT + COSIGNATURE).to_bytes()
BUNDLE = bundle_to_bytes([b"", b"one", b"an entry"])
POLICIES = (
    POLICY.to_text(),
    b"# two of three\nlog %s https://log.example\nwitness w %s\ngroup g 1 w\nquorum g\n"
    % (LOG.verifier.to_text().encode(), WITNESS.verifier.to_text().encode()),
)
TILE_PATHS = (b"tile/0/000", b"tile/1/x001/x234/067.p/42", b"tile/entries/273.p/112", b"tile/63/x001/000")
REPORT = Report(
    verdict="findings",
    checkpoint=CheckedCheckpoint(origin=ORIGIN, size=42, root="XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="),
    entries=42,
    findings=(
        Finding(FindingCode.ENTRY_MISSING, 7, None, "it isn't there"),
        Finding(FindingCode.DECISION_REFUSED, 9, Reason.PERIOD_SEALED, "2026-01-31"),
    ),
    totals=Totals(
        entries=42,
        burn_lines_accepted=3,
        burn_lines_refused=1,
        gpu_milliseconds_burned=10,
        gpu_milliseconds_refused=2,
        issued_fen=8,
        burned_fen=5,
        withheld_fen=0,
        receivable_fen=1,
        received_fen=0,
        forfeited_fen=1,
        available_fen=1,
        reserved_fen=1,
        expired_fen=1,
        revoked_fen=0,
        programmes={
            "shanghai/S1": ProgrammeTotals(
                envelope_fen=9,
                unissued_fen=1,
                available_fen=1,
                reserved_fen=1,
                burned_fen=1,
                withheld_fen=0,
                claimed_fen=2,
                paid_fen=2,
                receivable_fen=1,
            )
        },
    ),
).to_bytes()


BATCH_SIZE_MAX = 512 * 65_536  # of a batch the service refuses 4 MB before it is read


class Reader(NamedTuple):
    """A reader, and what belongs to it.

    Attributes:
        again: reads bytes and writes what it read; they are the same, because there is one canonical encoding.
        errors: all that it may raise.
        seeds: bytes that it takes.
        size_max: it refuses more bytes.
        is_closed: it takes these and nothing else, because they are signed; only strangers may sign a note besides.
    """

    again: Callable[[bytes], bytes]
    errors: tuple[type[TallystickError], ...]
    seeds: tuple[bytes, ...]
    size_max: int
    is_closed: bool = False


def _vkey(data: bytes) -> bytes:
    text = VerifierKey.from_text(data.decode(errors="surrogateescape")).to_text()
    return text.encode(errors="surrogateescape")


def _command(data: bytes) -> bytes:
    fields = parse_command(data).model_dump(mode="json", by_alias=True, exclude_none=True)
    return canonical_json.encode(fields) + b"\n"


def _submitted(data: bytes) -> bytes:
    answer = read_note(data, ORIGIN)
    if isinstance(answer, Refusal):
        raise MalformedError(answer.detail)
    return answer.note.to_bytes()


def _entry(data: bytes) -> bytes:
    return Entry.of(Entry.from_bytes(data).event, split_entry(data)[1]).to_bytes()


def _opened_note(data: bytes) -> bytes:
    return open_note(data, [LOG.verifier])[0].to_bytes()


def _opened_checkpoint(data: bytes) -> bytes:
    assert POLICY.open_checkpoint(data).to_text() == Note.from_bytes(data).text
    return Note.from_bytes(data).to_bytes()


def _tile_path(data: bytes) -> bytes:
    which = parse_tile_path(data.decode("latin-1"))
    return (bundle_path(*which) if isinstance(which, Bundle) else tile_path(*which)).encode()


def _proved_receipt(data: bytes) -> bytes:
    receipt = Receipt.from_bytes(data)
    verify_receipt(receipt, receipt.entry or b"", POLICY)
    return receipt.to_bytes()


def _policy(data: bytes) -> bytes:
    policy = Policy.from_text(data)
    assert Policy.from_text(policy.to_text()) == policy
    return data  # blanks and comments are free


def _cosignature(data: bytes) -> bytes:
    signature = Signature.from_line(data)
    verify_cosignature(Note.from_bytes(CHECKPOINT).text, signature, WITNESS.verifier)
    return signature.to_line()


def _batch(data: bytes) -> bytes:
    notes = note_lines.from_lines(data)
    lines = note_lines.to_lines(notes)
    if not notes or lines != data:  # JSON has many ways to say a string, and nothing that is signed is in them
        assert note_lines.from_lines(lines) == notes
        raise MalformedError("said in another way, or nothing")
    return lines


_RECEIPT = Receipt.from_bytes(RECEIPT)

READERS: dict[str, Reader] = {
    "canonical JSON": Reader(
        lambda data: canonical_json.encode(canonical_json.decode(data)),
        (CanonicalJsonError,),
        (*[text[:-1] for text in COMMANDS], *HEADERS, b'[-42,true,"\\u0001\\n\\\\/\xe2\x82\xac",{}]'),
        canonical_json.SIZE_MAX,
    ),
    "vkey": Reader(_vkey, (KeyMalformedError,), (LOG.verifier.to_text().encode(),), 4_096),
    "signature line": Reader(
        lambda data: Signature.from_line(data).to_line(), (NoteMalformedError,), (COSIGNATURE,), NOTE_SIZE_MAX
    ),
    "note": Reader(
        lambda data: Note.from_bytes(data).to_bytes(), (NoteMalformedError,), (*NOTES, CHECKPOINT), NOTE_SIZE_MAX
    ),
    "opened note": Reader(_opened_note, (NoteMalformedError, VerificationError), (CHECKPOINT,), NOTE_SIZE_MAX, True),
    "command": Reader(_command, (CanonicalJsonError, MalformedError), COMMANDS, canonical_json.SIZE_MAX + 1),
    "submitted note": Reader(_submitted, (MalformedError,), NOTES, NOTE_SIZE_MAX),
    "header": Reader(lambda data: Header.from_bytes(data).to_bytes(), (EntryMalformedError,), HEADERS, ENTRY_SIZE_MAX),
    "entry": Reader(_entry, (EntryMalformedError,), ENTRIES, ENTRY_SIZE_MAX),
    "checkpoint": Reader(
        lambda data: Checkpoint.from_text(data).to_text(),
        (CheckpointMalformedError,),
        (Note.from_bytes(CHECKPOINT).text, Note.from_bytes(LARGE_CHECKPOINT).text),
        NOTE_SIZE_MAX,
    ),
    "opened checkpoint": Reader(
        _opened_checkpoint,
        (NoteMalformedError, CheckpointMalformedError, VerificationError),
        (CHECKPOINT,),
        NOTE_SIZE_MAX,
        True,
    ),
    "cosignature": Reader(
        _cosignature, (NoteMalformedError, SignatureInvalidError), (COSIGNATURE,), NOTE_SIZE_MAX, True
    ),
    "tile path": Reader(_tile_path, (TileMalformedError,), TILE_PATHS, 64),
    "bundle": Reader(
        lambda data: bundle_to_bytes(bundle_from_bytes(data, 3)), (TileMalformedError,), (BUNDLE,), 3 * 65_537
    ),
    "receipt": Reader(
        lambda data: Receipt.from_bytes(data).to_bytes(),
        (ReceiptMalformedError, NoteMalformedError),
        (LONG_RECEIPT, RECEIPT),
        RECEIPT_SIZE_MAX,
    ),
    "proved receipt": Reader(
        _proved_receipt,
        (ReceiptMalformedError, NoteMalformedError, CheckpointMalformedError, VerificationError),
        (RECEIPT,),
        RECEIPT_SIZE_MAX,
        True,
    ),
    "policy": Reader(_policy, (PolicyMalformedError,), POLICIES, POLICY_SIZE_MAX),
    "witness request": Reader(
        lambda data: AddCheckpoint.from_bytes(data).to_bytes(),
        (MalformedError,),
        (
            AddCheckpoint(0, (), CHECKPOINT).to_bytes(),
            AddCheckpoint(3, (leaf_hash(b"one"), leaf_hash(b"two")), CHECKPOINT).to_bytes(),
        ),
        REQUEST_SIZE_MAX,
    ),
    "balance proof": Reader(
        lambda data: BalanceProof.from_bytes(data).to_bytes(),
        (MalformedError,),
        (
            BalanceProof(
                b"leaf", 1, (leaf_hash(b"one"),), Receipt.from_bytes(RECEIPT), (Receipt.from_bytes(RECEIPT),)
            ).to_bytes(),
        ),
        BALANCE_PROOF_SIZE_MAX,
    ),
    "dossier head": Reader(
        lambda data: DossierHead.from_bytes(data).to_bytes(),
        (MalformedError,),
        (DossierHead("provider guian", CHECKPOINT, 7).to_bytes(),),
        LINE_SIZE_MAX,
    ),
    "batch of notes": Reader(_batch, (MalformedError,), (b'"a"\n""\n', note_lines.to_lines(NOTES[:1])), BATCH_SIZE_MAX),
    "report": Reader(lambda data: Report.from_bytes(data).to_bytes(), (MalformedError,), (REPORT,), REPORT_SIZE_MAX),
}


def check(name: str, data: bytes) -> None:
    """Assert that a reader refuses the bytes with one of its errors, or gives them again as they are."""
    reader = READERS[name]
    try:
        again = reader.again(data)
    except reader.errors as error:
        said = str(error)
        assert said, f"{name} is refused without a reason"
        assert "\n" not in said, f"{name} is refused in more than one line"
        return
    assert again == data, f"{name} has a second encoding"
    assert len(data) <= reader.size_max, f"{name} of {len(data)} bytes was taken"
    if reader.is_closed:
        assert _signed(data) in map(_signed, reader.seeds), f"{name} was taken though it was changed"


def _signed(data: bytes) -> bytes:
    """What of a note nobody can add to: all but its signature lines."""
    return data.rpartition(b"\n\n")[0] or data
