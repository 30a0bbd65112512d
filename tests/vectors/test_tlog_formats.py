"""Checkpoints, cosignatures, tiles, receipts and policies are C2SP's to the byte and have one canonical encoding."""

import pytest

from support.stored_tree import StoredTree
from tallystick.errors import (
    CheckpointMalformedError,
    KeyMalformedError,
    MalformedError,
    NoteMalformedError,
    PolicyMalformedError,
    ProofInvalidError,
    QuorumMissingError,
    ReceiptMalformedError,
    SignatureInvalidError,
    SignatureMissingError,
    TileMalformedError,
    VerificationError,
)
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey, VerifierKey
from tallystick.signing.note import Note, Signature, sign_text
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import TIMESTAMP_MAX, cosign, verify_cosignature
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.policy import GroupLine, LogLine, Policy, QuorumLine, WitnessLine
from tallystick.transparency.proofs import consistency_proof, inclusion_proof
from tallystick.transparency.receipt import Receipt, verify_receipt
from tallystick.transparency.tiles import (
    Bundle,
    Tile,
    bundle_from_bytes,
    bundle_path,
    bundle_to_bytes,
    parse_tile_path,
    tile_path,
)

LEAVES = [
    bytes.fromhex(data)
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
LOG = SigningKey.from_seed("ledger.example/city-a", b"\x01" * 32)
WITNESS = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
LOG_VKEY = "ledger.example/city-a+a51063bf+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
WITNESS_VKEY = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
BUNDLE = "00000001000001100002202100023031000440414243000850515253545556570010606162636465666768696a6b6c6d6e6f"
NOTE = """\
ledger.example/city-a
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— ledger.example/city-a pRBjvwxkWTMgvNLHMei2ENqRjXJmuyQi4V8X7nFp1rOqv6NbgB77JbDMl5+TZIh2qLSuC2Tccz0a8EIY0300ygxvgg0=
""".encode()
COSIGNATURE = (
    "— witness.example/w1 "
    "3xwKNQAAAABlU/EAYCS5xv4g5XoVBKnHGXW6hoHgy9ZDFVnHTewUQMu7iVX1ubGXWGXxH94X4WCcAeMLf5z7+OTSnOJo3qPwDoDmBw==\n"
).encode()
RECEIPT = (
    b"""\
c2sp.org/tlog-proof@v1
index 5
vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=
yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=
037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=

"""
    + NOTE
    + COSIGNATURE
)
POLICY = Policy.from_text(f"log {LOG_VKEY}\nwitness w1 {WITNESS_VKEY}\nquorum w1\n".encode())

FIELD_NOTE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
""".encode()  # noqa: E501 - as it was served
FIELD_WITNESS_VKEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


@pytest.fixture(scope="module")
def tree() -> StoredTree:
    """The tree of the eight reference leaves."""
    stored = StoredTree()
    stored.extend([leaf_hash(leaf) for leaf in LEAVES])
    return stored


def witness_key(number: int) -> SigningKey:
    """Another witness."""
    return SigningKey.from_seed(f"witness.example/{number}", bytes([number]) * 32, COSIGNATURE_ED25519)


# --- the complete example


def test_the_complete_example(tree: StoredTree) -> None:
    """Keys, bundle, checkpoint, cosignature and receipt, made anew, are the bytes that another implementation gave."""
    assert (LOG.verifier.to_text(), WITNESS.verifier.to_text()) == (LOG_VKEY, WITNESS_VKEY)
    assert bundle_to_bytes(LEAVES).hex() == BUNDLE
    checkpoint = Checkpoint(LOG.name, 8, tree.edge.root())
    note = sign_checkpoint(checkpoint, LOG)
    assert note == NOTE
    assert cosign(note, WITNESS, 1_700_000_000) == COSIGNATURE
    receipt = Receipt(5, tuple(inclusion_proof(5, 8, tree.read_tile)), note + COSIGNATURE)
    assert receipt.to_bytes() == RECEIPT
    assert Receipt.from_bytes(RECEIPT) == receipt
    assert verify_receipt(receipt, LEAVES[5], POLICY) == checkpoint


def test_the_consistency_proof_that_a_witness_is_sent(tree: StoredTree) -> None:
    """From 3 to 8, whole hashes."""
    assert [proof.hex() for proof in consistency_proof(3, 8, tree.read_tile)] == [
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_a_checkpoint_from_the_field() -> None:
    """A public witness's cosignature of a public log's checkpoint verifies; of a changed one it doesn't."""
    note = Note.from_bytes(FIELD_NOTE)
    assert note.to_bytes() == FIELD_NOTE
    checkpoint = Checkpoint.from_text(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("arche2025h1.staging.ct.transparency.dev", 1_432_088_532)
    witness = VerifierKey.from_text(FIELD_WITNESS_VKEY)
    [line] = [signature for signature in note.signatures if signature.name == witness.name]
    assert verify_cosignature(note.text, line, witness) == 1_779_573_024
    with pytest.raises(SignatureInvalidError):
        verify_cosignature(note.text.replace(b"8532", b"8533"), line, witness)


# --- canonical encoding


@pytest.mark.parametrize("size", [b"+42", b"0042", b"4_2", b"-1", b"", b" 8", b"8 ", b"8.0", b"0x8", "８".encode()])
def test_a_size_has_one_encoding(size: bytes) -> None:
    """Python's int() takes most of these."""
    with pytest.raises(CheckpointMalformedError, match="decimal"):
        Checkpoint.from_text(b"log\n%s\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n" % size)
    with pytest.raises(ReceiptMalformedError, match="decimal"):
        Receipt.from_bytes(RECEIPT.replace(b"index 5", b"index " + size))


@pytest.mark.parametrize("digits", [b"9223372036854775808", b"10000000000000000000", b"1" + b"0" * 5_000])
def test_a_size_has_a_limit(digits: bytes) -> None:
    """Below 2^63, and never a question of how long a number Python would read."""
    with pytest.raises(CheckpointMalformedError, match="decimal"):
        Checkpoint.from_text(b"log\n%s\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n" % digits)


ROOT = b"XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
ODD_HASHES = [
    *(b"XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh=", ROOT[:-1], ROOT + b"=", b" " + ROOT, ROOT + b" "),
    *(ROOT[:8] + b"!" + ROOT[8:], ROOT[:8] + b" " + ROOT[8:], ROOT.replace(b"/", b"_").replace(b"+", b"-")),
    *(b"AAAA", b"A" * 44, ROOT[:-4] + ROOT[-4:].lower() + b"====", ROOT + ROOT, ROOT[:-1] + b"A", "ä".encode() + ROOT),
]


@pytest.mark.parametrize("odd", ODD_HASHES)
def test_a_hash_has_one_encoding(odd: bytes) -> None:
    """Stray padding bits, characters beyond base64, its URL alphabet, and other lengths than 32 bytes."""
    with pytest.raises(CheckpointMalformedError, match="base64"):
        Checkpoint.from_text(b"log\n8\n%s\n" % odd)
    with pytest.raises(ReceiptMalformedError, match="base64"):
        Receipt.from_bytes(RECEIPT.replace(b"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=", odd))


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"\n", b"log\n", b"log\n8\n", b"log\n8\n" + ROOT, b"\nlog\n8\n" + ROOT + b"\n"),
        *(
            b"log\n8\n" + ROOT + b"\n\n",
            b"log\n8\n" + ROOT + b"\nextension\n\n",
            b"log\n8\n" + ROOT + b"\n\nextension\n",
        ),
        *(b"log\r\n8\r\n" + ROOT + b"\r\n", b"log\n\n8\n" + ROOT + b"\n", b"lo\tg\n8\n" + ROOT + b"\n"),
        *(b"log\n8\n" + ROOT + b"\next\x00\n", b"log\n8\n" + ROOT + b"\next\x1b[2J\n", b"lo\xffg\n8\n" + ROOT + b"\n"),
        *(b"log\n8\n" + ROOT + b"\n\xed\xa0\x80\n", b"l" * 256 + b"\n8\n" + ROOT + b"\n"),
        b"log\n8\n" + ROOT + b"\n" + b"x" * 65_535 + b"\n",
    ],
)
def test_a_checkpoint_has_one_encoding(text: bytes) -> None:
    """Missing or empty lines, CRLF, control characters, other encodings, and too much of it."""
    with pytest.raises(CheckpointMalformedError):
        Checkpoint.from_text(text)


def test_what_a_checkpoint_may_have() -> None:
    """An empty tree, an origin with blanks or of 255 bytes, extensions, a byte order mark that is part of the name."""
    for text in (
        b"log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        b"go.sum database tree\n9223372036854775807\n" + ROOT + b"\n",
        b"\xef\xbb\xbflog\n8\n" + ROOT + b"\nan extension\nanother\n",
        "é".encode() * 127 + b"a\n8\n" + ROOT + b"\n",
    ):
        assert Checkpoint.from_text(text).to_text() == text


@pytest.mark.parametrize(
    "values",
    [("", 1, bytes(32)), ("a\nb", 1, bytes(32)), ("a", -1, bytes(32)), ("a", 2**63, bytes(32)), ("a", 1, bytes(31))],
)
def test_no_checkpoint_that_cannot_be_written(values: tuple[str, int, bytes]) -> None:
    """The same rules where one is made."""
    with pytest.raises(CheckpointMalformedError):
        Checkpoint(*values)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2"),
        (b"c2sp.org/tlog-proof@v1", b"\nc2sp.org/tlog-proof@v1"),
        (b"c2sp.org/tlog-proof@v1", b"\xef\xbb\xbfc2sp.org/tlog-proof@v1"),
        (b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v1 "),
        (b"c2sp.org/tlog-proof@v1\n", b"c2sp.org/tlog-proof@v1\r\n"),
        (b"index 5\n", b""),
        (b"index 5\n", b"index 5\nindex 5\n"),
        (b"index 5\n", b"Index 5\n"),
        (b"index 5\n", b"index  5\n"),
        (b"index 5\n", b"index 5\nextra AAAA\n"),
        (b"index 5\n", b"extra AAAA\nextra AAAA\nindex 5\n"),
        (b"index 5\n", b"extra AAA\nindex 5\n"),
        (b"index 5\n", b"extra \nindex 5\n"),
        (b"index 5\n", b"extra\nindex 5\n"),
        (b"index 5\n", b"extra AAAA \nindex 5\n"),
        (b"index 5\n", b"extra %s\nindex 5\n" % (b"A" * 4 * 21_846)),
        (b"index 5\n", b"index 5\n" + b"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=\n" * 61),
        (b"WFLc=\n\n", b"WFLc=\n"),
        (b"Bw==\n", b"Bw=="),
        (b"Bw==\n", b"Bw==\n\n"),
        (b"Bw==\n", b"Bw==\nx\n"),
        (b"Bw==\n", b"Bw==\n\0"),
        (b"Bw==\n", b"Bw==\n" + b"x" * 163_840),
    ],
)
def test_a_receipt_has_one_encoding(old: bytes, new: bytes) -> None:
    """Each of these differs from a good one in one place."""
    assert RECEIPT.count(old) == 1
    with pytest.raises((ReceiptMalformedError, NoteMalformedError)):
        Receipt.from_bytes(RECEIPT.replace(old, new))


def test_a_receipt_can_carry_its_entry(tree: StoredTree) -> None:
    """As `extra`, which is believed only for what it hashes to."""
    data = RECEIPT.replace(b"index 5", b"extra QEFCQw==\nindex 5")
    receipt = Receipt.from_bytes(data)
    assert (receipt.entry, receipt.to_bytes()) == (LEAVES[5], data)
    assert verify_receipt(receipt, receipt.entry or b"", POLICY).root == tree.edge.root()
    other = Receipt.from_bytes(RECEIPT.replace(b"index 5", b"extra QEFCRA==\nindex 5"))
    with pytest.raises(ProofInvalidError):
        verify_receipt(other, other.entry or b"", POLICY)
    assert verify_receipt(other, LEAVES[5], POLICY).size == 8


@pytest.mark.parametrize(
    ("index", "proof"), [(-1, ()), (2**63, ()), (0, (b"",)), (0, (bytes(31),)), (0, (bytes(32),) * 64)]
)
def test_no_receipt_that_cannot_be_written(index: int, proof: tuple[bytes, ...]) -> None:
    """The same rules where one is made."""
    with pytest.raises(ReceiptMalformedError):
        Receipt(index, proof, NOTE)


@pytest.mark.parametrize("entry", [b"", bytes(65_536)])
def test_a_receipt_has_room_for_one_entry(entry: bytes) -> None:
    """Not for none, and not for what a bundle couldn't carry; and the largest fits."""
    with pytest.raises(ReceiptMalformedError):
        Receipt(0, (), NOTE, entry)
    largest = Receipt(2**63 - 1, (bytes(32),) * 63, sign_text(b"x" * 65_300 + b"\n", LOG), bytes(65_535))
    assert Receipt.from_bytes(largest.to_bytes()) == largest


# --- tiles


@pytest.mark.parametrize(
    ("path", "which"),
    [
        ("tile/0/000", Tile(0, 0, 256)),
        ("tile/0/999", Tile(0, 999, 256)),
        ("tile/1/x001/000", Tile(1, 1_000, 256)),
        ("tile/0/x001/x234/067", Tile(0, 1_234_067, 256)),
        ("tile/63/x001/x234/067.p/1", Tile(63, 1_234_067, 1)),
        ("tile/0/x009/x223/x372/x036/x854/x775/807.p/255", Tile(0, 2**63 - 1, 255)),
        ("tile/entries/273.p/112", Bundle(273, 112)),
        ("tile/entries/x001/000", Bundle(1_000, 256)),
    ],
)
def test_tile_paths(path: str, which: Tile | Bundle) -> None:
    """Examples of the specification and the limits."""
    assert parse_tile_path(path) == which
    assert (tile_path(*which) if isinstance(which, Tile) else bundle_path(*which)) == path


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "tile",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/0/1000",
        ),
        *("tile/0/001/000", "tile/0/x000/000", "tile/0/x001", "tile/0/x1/000", "tile/0/X001/000", "tile/0/x001/x000"),
        *(
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p/1000",
            "tile/0/000.p",
        ),
        *("/tile/0/000", "tile/0/000/", "tile/0/000\n", "tile/0/../000", "tile//000", " tile/0/000", "tile/0/00٠"),
        *("tile/0/x009/x223/x372/x036/x854/x775/808", "tile/entries/00", "tile/data/000", "checkpoint", "tile/8/0/000"),
        "tile/0/" + "x001/" * 500 + "000",
    ],
)
def test_a_tile_path_has_one_encoding(path: str) -> None:
    """A second name for a file, or a way out of the folder, is none."""
    with pytest.raises(TileMalformedError):
        parse_tile_path(path)


def test_no_path_for_what_is_no_tile() -> None:
    """Wrong uses."""
    for level, n, width in ((-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**63, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(ValueError, match="tile"):
            tile_path(level, n, width)


def test_bundles_hold_exactly_their_entries() -> None:
    """Cut anywhere, with anything behind, or read for another count, a bundle is refused."""
    data = bytes.fromhex(BUNDLE)
    assert bundle_from_bytes(data, 8) == LEAVES
    for end in range(len(data)):
        with pytest.raises(TileMalformedError):
            bundle_from_bytes(data[:end], 8)
    for wrong, width in ((data + b"\0", 8), (data + b"\0\0", 8), (data, 7), (data, 9), (data, 256), (b"", 1)):
        with pytest.raises(TileMalformedError):
            bundle_from_bytes(wrong, width)
    for width in (0, 257, -1):
        with pytest.raises(ValueError, match="256"):
            bundle_from_bytes(b"", width)


def test_a_bundle_has_limits() -> None:
    """256 entries of 65,535 bytes fit."""
    full = [bytes(65_535)] * 256
    assert bundle_from_bytes(bundle_to_bytes(full), 256) == full
    with pytest.raises(TileMalformedError):
        bundle_to_bytes([bytes(65_536)])
    for entries in ([], [b""] * 257):
        with pytest.raises(ValueError, match="256"):
            bundle_to_bytes(entries)


# --- whose checkpoint


def test_a_checkpoint_counts_by_its_own_logs_signature() -> None:
    """Another log's key, a witness's line, a changed byte, or an origin that isn't the key's name won't do."""
    checkpoint = Checkpoint(LOG.name, 8, bytes(32))
    assert open_checkpoint(sign_checkpoint(checkpoint, LOG), LOG.verifier) == checkpoint
    other = SigningKey.from_seed("ledger.example/city-b", b"\x03" * 32)
    with pytest.raises(SignatureMissingError):
        open_checkpoint(sign_checkpoint(checkpoint, LOG), other.verifier)
    with pytest.raises(SignatureMissingError):
        open_checkpoint(sign_text(checkpoint.to_text(), other), other.verifier)
    with pytest.raises(SignatureMissingError):
        open_checkpoint(NOTE.partition(b"\n\n")[0] + b"\n\n" + COSIGNATURE, LOG.verifier)
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(NOTE.replace(b"\n8\n", b"\n9\n"), LOG.verifier)
    with pytest.raises(CheckpointMalformedError):
        open_checkpoint(sign_text(b"no checkpoint\n", LOG), LOG.verifier)
    with pytest.raises(ValueError, match="can't sign checkpoints"):
        sign_checkpoint(checkpoint, other)
    with pytest.raises(ValueError, match="no key"):
        sign_checkpoint(checkpoint)


def test_a_log_changes_its_key_under_its_name() -> None:
    """Both keys sign for a while, and either opens."""
    newer = SigningKey.from_seed(LOG.name, b"\x04" * 32)
    note = sign_checkpoint(Checkpoint(LOG.name, 8, bytes(32)), LOG, newer)
    for key in (LOG, newer):
        assert open_checkpoint(note, key.verifier).size == 8
        assert Policy.for_log(key.verifier).open_checkpoint(note).size == 8


def test_a_cosignature_is_of_one_checkpoint_by_one_witness() -> None:
    """A line of another key, another length, another time, or another text won't do."""
    text = NOTE.partition(b"\n\n")[0] + b"\n"
    line = Signature.from_line(COSIGNATURE)
    assert verify_cosignature(text, line, WITNESS.verifier) == 1_700_000_000
    wrong_time = line.blob[:7] + b"\x01" + line.blob[8:]
    far_time = (TIMESTAMP_MAX + 1).to_bytes(8) + line.blob[8:]
    as_note = WITNESS.sign(text)
    for blob in (wrong_time, far_time, line.blob[:-1], line.blob + b"\0", line.blob[8:], as_note, bytes(8) + as_note):
        with pytest.raises(SignatureInvalidError):
            verify_cosignature(text, Signature(line.name, line.key_id, blob), WITNESS.verifier)
    for name, key_id in (("witness.example/w2", line.key_id), (line.name, b"abcd")):
        with pytest.raises(SignatureInvalidError):
            verify_cosignature(text, Signature(name, key_id, line.blob), WITNESS.verifier)
    with pytest.raises(SignatureInvalidError):
        verify_cosignature(text + b"extension\n", line, WITNESS.verifier)
    with pytest.raises(ValueError, match="not a key for cosignatures"):
        verify_cosignature(text, line, LOG.verifier)


def test_what_a_witness_signs() -> None:
    """A checkpoint's note, at a time that isn't 0, with a witness's key."""
    for at in (0, -1, TIMESTAMP_MAX + 1):
        with pytest.raises(ValueError, match="time"):
            cosign(NOTE, WITNESS, at)
    with pytest.raises(ValueError, match="not a key for cosignatures"):
        cosign(NOTE, LOG, 1)
    with pytest.raises(NoteMalformedError):
        cosign(NOTE[:-1], WITNESS, 1)
    with pytest.raises(CheckpointMalformedError):
        cosign(sign_text(b"no checkpoint\n", LOG), WITNESS, 1)
    latest = Note.from_bytes(NOTE + cosign(NOTE, WITNESS, TIMESTAMP_MAX))
    assert verify_cosignature(latest.text, latest.signatures[1], WITNESS.verifier) == TIMESTAMP_MAX


# --- policies

X1, X2, X3, Y1, Y2 = (witness_key(number) for number in (11, 12, 13, 14, 15))
TWO_OPERATORS = "\n".join(
    [
        "# two of X and one of Y",
        f"log {LOG_VKEY} https://ledger.example/",
        "",
        *(f"witness {name} {key.verifier.to_text()}" for name, key in (("X1", X1), ("X2", X2), ("X3", X3))),
        "group X 2 X1 X2 X3",
        f"\twitness  Y1\t{Y1.verifier.to_text()}\thttps://y1.example/ ",
        f"witness Y2 {Y2.verifier.to_text()}",
        " \t ",
        "group Y any Y1 Y2",
        "  # both",
        "group both all X Y",
        "quorum both",
        "",
    ]
).encode()


@pytest.mark.parametrize(
    ("cosigners", "enough"),
    [
        ((), False),
        ((X1, X2, X3), False),
        ((Y1, Y2), False),
        ((X1, Y1), False),
        ((X1, X2, Y1), True),
        ((Y2, X3, X1), True),
        ((X1, X2, X3, Y1, Y2), True),
    ],
)
def test_a_quorum_of_groups(cosigners: tuple[SigningKey, ...], enough: bool) -> None:
    """Two of X's three and one of Y's two."""
    policy = Policy.from_text(TWO_OPERATORS)
    note = NOTE + b"".join(cosign(NOTE, key, 1_700_000_000 + at) for at, key in enumerate(cosigners))
    if enough:
        assert policy.open_checkpoint(note).size == 8
    else:
        with pytest.raises(QuorumMissingError, match=f"{len(cosigners)} of 5"):
            policy.open_checkpoint(note)


def test_a_policy_as_values() -> None:
    """Its lines in their order, without what means nothing."""
    policy = Policy.from_text(TWO_OPERATORS)
    assert policy.logs == (LogLine(LOG.verifier, "https://ledger.example/"),)
    assert policy.witnesses[3] == WitnessLine("Y1", Y1.verifier, "https://y1.example/")
    assert policy.groups[0] == GroupLine("X", 2, ("X1", "X2", "X3"))
    assert policy.groups[2] == GroupLine("both", 2, ("X", "Y"))
    assert (policy.quorum, policy.lines[-1]) == ("both", QuorumLine("both"))
    assert Policy.from_text(policy.to_text()) == policy
    assert Policy.for_log(LOG_VKEY).to_text() == f"log {LOG_VKEY}\nquorum none\n".encode()


def test_a_policy_verifies_every_line_that_it_knows() -> None:
    """A bad cosignature by a known witness spoils the note, needed or not; unknown lines are passed over."""
    easy = Policy.from_text(POLICY.to_text().replace(b"quorum w1", b"quorum none"))
    bad = Signature(WITNESS.name, WITNESS.verifier.key_id, bytes(72)).to_line()
    unknown = cosign(NOTE, X1, 1)
    assert easy.open_checkpoint(NOTE).size == 8
    assert POLICY.open_checkpoint(NOTE + unknown + COSIGNATURE).size == 8
    for policy in (easy, POLICY):
        with pytest.raises(SignatureInvalidError):
            policy.open_checkpoint(NOTE + bad)
    with pytest.raises(QuorumMissingError):
        POLICY.open_checkpoint(NOTE + unknown)


def test_a_policy_wants_the_log_that_the_origin_names() -> None:
    """With several logs, one can't sign for another; with none, nothing opens."""
    other = SigningKey.from_seed("ledger.example/city-b", b"\x03" * 32)
    both = Policy.from_text(f"log {LOG_VKEY}\nlog {other.verifier.to_text()}\nquorum none\n".encode())
    text = Checkpoint(LOG.name, 8, bytes(32)).to_text()
    assert both.open_checkpoint(sign_text(text, LOG)).origin == LOG.name
    assert both.open_checkpoint(sign_text(text, other, LOG)).origin == LOG.name
    with pytest.raises(SignatureMissingError):
        both.open_checkpoint(sign_text(text, other))
    with pytest.raises(SignatureMissingError):
        Policy.from_text(b"quorum none\n").open_checkpoint(NOTE)
    with pytest.raises(CheckpointMalformedError):
        both.open_checkpoint(sign_text(b"no checkpoint\n", LOG))


SAME_KEY = VerifierKey("another.example", COSIGNATURE_ED25519, WITNESS.verifier.public_key).to_text()
SAME_LOG_KEY = VerifierKey("another.example", 0x01, LOG.verifier.public_key).to_text()
W = f"witness w {WITNESS_VKEY}\n"
X = f"witness x {X1.verifier.to_text()}\n"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "\n",
            "# nothing\n",
            f"log {LOG_VKEY}\n",
            "quorum none",
            "quorum none\nquorum none\n",
            "quorum none none\n",
        ),
        *(
            "quorum\n",
            "quorum w\n",
            "quorum w\n" + W,
            "QUORUM none\n",
            "quorum none # comment\n",
            "wat 1\nquorum none\n",
        ),
        *("log\nquorum none\n", f"log {LOG_VKEY} u u\nquorum none\n", f"log {LOG_VKEY[:-4]}\nquorum none\n"),
        *(f"log {WITNESS_VKEY}\nquorum none\n", f"log {LOG_VKEY}\nlog {LOG_VKEY}\nquorum none\n"),
        f"log {LOG_VKEY}\nlog {SAME_LOG_KEY}\nquorum none\n",
        *("witness w\nquorum none\n", f"witness {WITNESS_VKEY}\nquorum none\n", f"witness w {LOG_VKEY}\nquorum none\n"),
        *(f"witness none {WITNESS_VKEY}\nquorum none\n", f"witness w {WITNESS_VKEY} u u\nquorum none\n"),
        *(W + W + "quorum w\n", W + f"witness v {SAME_KEY}\nquorum w\n", W + X.replace(" x ", " w ") + "quorum w\n"),
        *(W + "group g\nquorum g\n", W + "group g all\nquorum g\n", W + "group g 0 w\nquorum g\n"),
        *(W + "group g 2 w\nquorum g\n", W + "group g 01 w\nquorum g\n", W + "group g +1 w\nquorum g\n"),
        *(W + "group g -1 w\nquorum g\n", W + "group g most w\nquorum g\n", W + "group g any w w\nquorum g\n"),
        *(W + "group w any w\nquorum w\n", W + "group none any w\nquorum w\n", W + "group g any none\nquorum g\n"),
        *(W + "group g any v\nquorum g\n", W + "group g any g\nquorum g\n", "group g any w\n" + W + "quorum g\n"),
        *(W + "group g any w\ngroup h any w\nquorum h\n", W + X + "group g 1 w x\ngroup h all g x\nquorum h\n"),
        *("quorum none\r\n", "quorum\x0bnone\n", "quorum none\0\n", "# \x7f\nquorum none\n", "\ufeffquorum none\n"),
        *("quorum\u00a0none\n", "# " + "x" * 65_535 + "\nquorum none\n"),
    ],
)
def test_a_policy_that_is_none(text: str) -> None:
    """Each breaks one rule of the grammar or of its names and keys."""
    with pytest.raises(PolicyMalformedError):
        Policy.from_text(text.encode())


def test_names_in_a_policy_are_octets() -> None:
    """Not text: they needn't be UTF-8, and what looks alike is not the same."""
    x1, x2 = X1.verifier.to_text().encode(), X2.verifier.to_text().encode()
    text = b"witness K %s\nwitness \xe2\x84\xaa %s \xff\ngroup \xfe 2 K \xe2\x84\xaa\nquorum \xfe\n" % (x1, x2)
    policy = Policy.from_text(text)
    assert policy.to_text() == text
    assert len({line.name for line in policy.witnesses}) == 2


def test_the_specifications_limits_are_in_reach() -> None:
    """32 logs, witnesses and groups."""
    logs = [SigningKey.from_seed(f"log.example/{number}", bytes([number, 1] * 16)) for number in range(32)]
    keys = [witness_key(number) for number in range(1, 33)]
    lines = [f"log {key.verifier.to_text()}" for key in logs]
    lines += [f"witness w{number} {key.verifier.to_text()}" for number, key in enumerate(keys)]
    lines += [f"group g{number} any w{number}" for number in range(31)]
    lines += ["group top all w31 " + " ".join(f"g{number}" for number in range(31)), "quorum top"]
    policy = Policy.from_text("\n".join([*lines, ""]).encode())
    note = sign_checkpoint(Checkpoint("log.example/7", 1, bytes(32)), logs[7])
    cosigned = note + b"".join([cosign(note, key, 1) for key in keys])
    assert policy.open_checkpoint(cosigned).origin == "log.example/7"
    with pytest.raises(QuorumMissingError):
        policy.open_checkpoint(cosigned.rpartition("—".encode())[0])


@pytest.mark.parametrize(
    "lines",
    [
        (LogLine(LOG.verifier, "a b"), QuorumLine("none")),
        (LogLine(LOG.verifier, ""), QuorumLine("none")),
        (LogLine(LOG.verifier, "a\nquorum none"), QuorumLine("none")),
        (WitnessLine("\ud800", WITNESS.verifier), QuorumLine("none")),
        (WitnessLine("\udcc3\udca9", WITNESS.verifier), QuorumLine("none")),
        (WitnessLine("w\tx", WITNESS.verifier), QuorumLine("none")),
    ],
)
def test_no_policy_is_written_that_reads_otherwise(lines: tuple[LogLine | WitnessLine | QuorumLine, ...]) -> None:
    """A name or url can't smuggle in another item or line."""
    with pytest.raises(PolicyMalformedError):
        Policy(lines).to_text()


def test_a_policy_for_a_key_that_is_none() -> None:
    """A vkey that isn't one, and a witness's."""
    with pytest.raises(KeyMalformedError):
        Policy.for_log("ledger.example/city-a")
    with pytest.raises(PolicyMalformedError):
        Policy.for_log(WITNESS_VKEY)


# --- receipts that don't prove it


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"index 5", b"index 4", ProofInvalidError),
        (b"index 5", b"index 8", ProofInvalidError),
        (b"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=\n", b"", ProofInvalidError),
        (b"yoVOoSjt", b"yoVOoSju", ProofInvalidError),
        (b"\n8\n", b"\n16\n", SignatureInvalidError),
        (b"XcnaeacG", b"XcnaeacH", SignatureInvalidError),
        (COSIGNATURE, b"", QuorumMissingError),
        (b"wKNQAAAABlU/EA", b"wKNQAAAABlU/EB", SignatureInvalidError),
        (b"index 5\n", b"index 5\n\n", SignatureInvalidError),  # so the proof begins what the log should have signed
        (b"WFLc=\n\n", b"WFLc=\n\n\n", SignatureInvalidError),
        ("— ledger.example/city-a ".encode(), "— ledger.example/city-b ".encode(), SignatureMissingError),
    ],
)
def test_a_receipt_that_does_not_prove_it(old: bytes, new: bytes, error: type[VerificationError]) -> None:
    """Well-formed, and one of the four steps finds what is wrong with it."""
    assert RECEIPT.count(old) == 1
    with pytest.raises(error):
        verify_receipt(Receipt.from_bytes(RECEIPT.replace(old, new)), LEAVES[5], POLICY)


def test_a_receipt_is_of_one_entry() -> None:
    """Not of its neighbours, and not of the policy of another log."""
    receipt = Receipt.from_bytes(RECEIPT)
    for leaf in (*LEAVES[:5], *LEAVES[6:], b"other"):
        with pytest.raises(ProofInvalidError):
            verify_receipt(receipt, leaf, POLICY)
    stranger = SigningKey.from_seed(LOG.name, b"\x05" * 32)
    with pytest.raises(SignatureMissingError):
        verify_receipt(receipt, LEAVES[5], Policy.for_log(stranger.verifier))


def test_cut_anywhere_it_is_refused_or_still_true() -> None:
    """No end of a file gives anything but an error or the same answer (a whole line may go that nothing needs)."""
    easy = Policy.for_log(LOG_VKEY)
    good = verify_receipt(Receipt.from_bytes(RECEIPT), LEAVES[5], easy)
    survived = []
    for end in range(len(RECEIPT)):
        try:
            survived.append(verify_receipt(Receipt.from_bytes(RECEIPT[:end]), LEAVES[5], easy))
        except (MalformedError, VerificationError):
            continue
    assert survived == [good]  # without the cosignature, for which this policy doesn't ask
    refused = 0
    text, whole = good.to_text(), TWO_OPERATORS
    for end in range(len(text)):
        with pytest.raises(CheckpointMalformedError):
            Checkpoint.from_text(text[:end])
    for end in range(len(whole)):
        with pytest.raises(PolicyMalformedError):
            Policy.from_text(whole[:end])
        refused += 1
    assert refused == len(whole)
