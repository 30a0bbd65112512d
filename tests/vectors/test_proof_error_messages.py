"""What is wrong with a checkpoint, tile, proof, receipt or policy is said in one line that names it; all are here.

A person reads these lines, and scripts see them on stderr. So they are compared word for word.
"""

import re
from collections.abc import Callable

import pytest

from support.stored_tree import StoredTree
from tallystick.errors import (
    CheckpointMalformedError,
    PolicyMalformedError,
    ProofInvalidError,
    QuorumMissingError,
    ReceiptMalformedError,
    SignatureInvalidError,
    SignatureMissingError,
    TileMalformedError,
)
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import Note, Signature, sign_text
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign, verify_cosignature
from tallystick.transparency.encoding import base64_from_text, decimal_from_text, hash_from_text
from tallystick.transparency.merkle import EMPTY_ROOT, RightEdge, leaf_hash, root_of, tile_hashes
from tallystick.transparency.policy import LogLine, Policy, QuorumLine, WitnessLine
from tallystick.transparency.proofs import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from tallystick.transparency.receipt import Receipt
from tallystick.transparency.tiles import (
    bundle_from_bytes,
    bundle_path,
    bundle_to_bytes,
    node_from_tiles,
    parse_tile_path,
    tile_path,
    tiles_between,
)

Case = tuple[Callable[[], object], type[Exception], str]

LOG = SigningKey.from_seed("log.example/a", b"\x01" * 32)
OTHER_LOG = SigningKey.from_seed("log.example/b", b"\x02" * 32)
WITNESS = SigningKey.from_seed("witness.example/w1", b"\x03" * 32, COSIGNATURE_ED25519)
OTHER_WITNESS = SigningKey.from_seed("witness.example/w2", b"\x04" * 32, COSIGNATURE_ED25519)
LOG_VKEY, WITNESS_VKEY = LOG.verifier.to_text(), WITNESS.verifier.to_text()

LEAVES = [leaf_hash(bytes([number])) for number in range(9)]
TREE = StoredTree()
TREE.extend(LEAVES)
ROOTS = [root_of(LEAVES[:size]) for size in range(10)]
HASH = bytes(32)
HASH_TEXT = b"A" * 43 + b"="

CHECKPOINT = Checkpoint(LOG.name, 9, ROOTS[9])
NOTE = sign_checkpoint(CHECKPOINT, LOG)
TEXT = CHECKPOINT.to_text()
LONG = "x" * 47 + "yz"


def _signature(line: bytes) -> Signature:
    return Note.from_bytes(NOTE + line).signatures[-1]


COSIGNATURE = _signature(cosign(NOTE, WITNESS, 1))


def _with_blob(blob: bytes) -> Callable[[], object]:
    return lambda: verify_cosignature(TEXT, COSIGNATURE._replace(blob=blob), WITNESS.verifier)


def _policy(*lines: str) -> Callable[[], object]:
    return lambda: Policy.from_text("".join([f"{line}\n" for line in lines]).encode())


def _open(*lines: str) -> Callable[[], object]:
    return lambda: Policy.from_text("".join([f"{line}\n" for line in lines]).encode()).open_checkpoint(NOTE)


SPELLING: list[Case] = [
    (
        lambda: decimal_from_text(b"007"),
        ValueError,
        "'007' is not a decimal number below 2^63 without sign or leading zeros",
    ),
    (
        lambda: decimal_from_text(b"1" * 48),
        ValueError,
        f"'{'1' * 48}' is not a decimal number below 2^63 without sign or leading zeros",
    ),
    (
        lambda: decimal_from_text(LONG.encode()),
        ValueError,
        f"'{'x' * 47}y'... is not a decimal number below 2^63 without sign or leading zeros",
    ),
    (
        lambda: decimal_from_text(b"\xff\x1b"),
        ValueError,
        r"'\xff\x1b' is not a decimal number below 2^63 without sign or leading zeros",
    ),
    (lambda: hash_from_text(b"AAAA"), ValueError, "'AAAA' is base64 of 3 bytes, and a hash has 32"),
    (lambda: base64_from_text(b"A"), ValueError, "'A' is not padded base64 in its canonical encoding"),
    (lambda: base64_from_text(b"AB=="), ValueError, "'AB==' is not padded base64 in its canonical encoding"),
]

CHECKPOINTS: list[Case] = [
    (
        lambda: Checkpoint(LONG + "\n", 0, HASH),
        CheckpointMalformedError,
        f"'{'x' * 47}y' is no line of a checkpoint: empty, or with control characters",
    ),
    (
        lambda: Checkpoint("log", 0, HASH, ("",)),
        CheckpointMalformedError,
        "'' is no line of a checkpoint: empty, or with control characters",
    ),
    (lambda: Checkpoint("x" * 256, 0, HASH), CheckpointMalformedError, "an origin has at most 255 bytes"),
    (
        lambda: Checkpoint("log", -1, HASH),
        CheckpointMalformedError,
        "no tree has -1 leaves and a root of 32 bytes",
    ),
    (
        lambda: Checkpoint.from_text(b"x" * 65_536),
        CheckpointMalformedError,
        "a checkpoint of 65536 bytes is larger than 65535",
    ),
    (
        lambda: Checkpoint.from_text(b"log\n1\n"),
        CheckpointMalformedError,
        "a checkpoint is an origin, a size and a root, each on a line",
    ),
    (
        lambda: Checkpoint.from_text(b"\xff\n1\n" + HASH_TEXT + b"\n"),
        CheckpointMalformedError,
        "a checkpoint is UTF-8, and this is not",
    ),
    (
        lambda: Checkpoint.from_text(b"log\n1\nAAAA\n"),
        CheckpointMalformedError,
        "in a checkpoint, 'AAAA' is base64 of 3 bytes, and a hash has 32",
    ),
    (
        lambda: sign_checkpoint(CHECKPOINT, OTHER_LOG),
        ValueError,
        "the key of log.example/b can't sign checkpoints of log.example/a",
    ),
    (
        lambda: open_checkpoint(sign_text(TEXT, OTHER_LOG), OTHER_LOG.verifier),
        SignatureMissingError,
        f"{OTHER_LOG.verifier.label} signed a checkpoint of 'log.example/a', another log",
    ),
]

COSIGNATURES: list[Case] = [
    (
        lambda: cosign(NOTE, WITNESS, 0),
        ValueError,
        "a cosignature's time is 1 to 9223372036854775807 POSIX seconds, and not 0",
    ),
    (lambda: cosign(NOTE, LOG, 1), ValueError, f"{LOG.verifier.label} is not a key for cosignatures"),
    (
        lambda: verify_cosignature(TEXT, COSIGNATURE, OTHER_WITNESS.verifier),
        SignatureInvalidError,
        f"a line by {WITNESS.verifier.label} is no cosignature by {OTHER_WITNESS.verifier.label}",
    ),
    (
        _with_blob(bytes(71)),
        SignatureInvalidError,
        f"the cosignature by {WITNESS.verifier.label} is not a time and an Ed25519 signature",
    ),
    (
        _with_blob(b"\x80" + bytes(71)),
        SignatureInvalidError,
        f"the cosignature by {WITNESS.verifier.label} has a time beyond 2^63 - 1",
    ),
]

TREES: list[Case] = [
    (lambda: RightEdge.from_hashes(3, [HASH]), ValueError, "the edge of 3 leaves is not given by these 1 hashes"),
    (lambda: RightEdge.from_tiles(-1, TREE.read_tile), ValueError, "a tree has no -1 leaves"),
    (lambda: tile_hashes(HASH, 2), TileMalformedError, "a tile of width 2 has 64 bytes, and this one 32"),
    (lambda: tile_path(64, 0, 1), ValueError, "tiles have levels 0 to 63, and not 64"),
    (lambda: bundle_path(2**63, 1), ValueError, "tiles are counted from 0, below 2^63, and not 9223372036854775808"),
    (lambda: bundle_path(0, 257), ValueError, "a tile holds 1 to 256 and not 257"),
    (
        lambda: parse_tile_path("tile/0/" + "0" * 60),
        TileMalformedError,
        f"'tile/0/{'0' * 57}' is not the path of a tile or an entry bundle",
    ),
    (lambda: list(tiles_between(2, 1)), ValueError, "a tree of 2 leaves doesn't grow to 1"),
    (
        lambda: bundle_to_bytes([bytes(65_536)]),
        TileMalformedError,
        "an entry in a bundle has at most 65535 bytes",
    ),
    (
        lambda: bundle_from_bytes(b"\x00", 2),
        TileMalformedError,
        "a bundle of 1 bytes does not hold exactly 2 entries",
    ),
    (
        lambda: node_from_tiles(1, 4, 9, TREE.read_tile),
        ValueError,
        "no perfect subtree 4 of 2^1 leaves in a tree of 9",
    ),
]

PROOFS: list[Case] = [
    (lambda: inclusion_proof(9, 9, TREE.read_tile), ValueError, "no leaf 9 in a tree of 9"),
    (
        lambda: consistency_proof(0, 9, TREE.read_tile),
        ValueError,
        "a tree of 0 leaves can't be proved to have grown to 9",
    ),
    (lambda: verify_inclusion(9, 9, HASH, [], HASH), ProofInvalidError, "no leaf 9 in a tree of 9"),
    (lambda: verify_inclusion(0, 1, b"", [], HASH), ProofInvalidError, "a hash in a proof has 32 bytes"),
    (
        lambda: verify_inclusion(0, 1, HASH, [HASH], HASH),
        ProofInvalidError,
        "the inclusion proof of leaf 0 in 1 is too long",
    ),
    (
        lambda: verify_inclusion(0, 2, HASH, [], HASH),
        ProofInvalidError,
        "the inclusion proof of leaf 0 in 2 is too short",
    ),
    (
        lambda: verify_inclusion(0, 2, HASH, [HASH], HASH),
        ProofInvalidError,
        "the inclusion proof of leaf 0 in 2 leads to another root",
    ),
    (
        lambda: verify_consistency(0, 9, [], EMPTY_ROOT, HASH),
        ProofInvalidError,
        "a tree of 0 leaves can't be proved to have grown to 9",
    ),
    (
        lambda: verify_consistency(2, 2, [HASH], HASH, HASH),
        ProofInvalidError,
        "the consistency proof from 2 to 2 must be empty, between equal roots",
    ),
    (
        lambda: verify_consistency(2, 3, [], ROOTS[2], ROOTS[3]),
        ProofInvalidError,
        "the consistency proof from 2 to 3 is empty",
    ),
    (
        lambda: verify_consistency(2, 3, [LEAVES[2], HASH], ROOTS[2], ROOTS[3]),
        ProofInvalidError,
        "the consistency proof from 2 to 3 is too long",
    ),
    (
        lambda: verify_consistency(2, 5, [root_of(LEAVES[2:4])], ROOTS[2], ROOTS[5]),
        ProofInvalidError,
        "the consistency proof from 2 to 5 is too short",
    ),
    (
        lambda: verify_consistency(3, 9, consistency_proof(3, 9, TREE.read_tile), HASH, ROOTS[9]),
        ProofInvalidError,
        "the consistency proof from 3 to 9 leads to another old root",
    ),
    (
        lambda: verify_consistency(3, 9, consistency_proof(3, 9, TREE.read_tile), ROOTS[3], HASH),
        ProofInvalidError,
        "the consistency proof from 3 to 9 leads to another new root",
    ),
]

RECEIPTS: list[Case] = [
    (lambda: Receipt(-1, (), NOTE), ReceiptMalformedError, "no entry has index -1"),
    (lambda: Receipt(0, (b"",), NOTE), ReceiptMalformedError, "a receipt has at most 63 hashes of 32 bytes"),
    (
        lambda: Receipt(0, (), NOTE, b""),
        ReceiptMalformedError,
        "an entry in a receipt has 1 to 65535 bytes, not 0",
    ),
    (
        lambda: Receipt.from_bytes(bytes(163_841)),
        ReceiptMalformedError,
        "a receipt of 163841 bytes is larger than 163840",
    ),
    (
        lambda: Receipt.from_bytes(b"c2sp.org/tlog-proof@v1\nindex 0\n"),
        ReceiptMalformedError,
        "a receipt begins with c2sp.org/tlog-proof@v1, and an empty line ends its proof",
    ),
    (
        lambda: Receipt.from_bytes(b"c2sp.org/tlog-proof@v1\n\n" + NOTE),
        ReceiptMalformedError,
        "a receipt has an index line, and before it an extra line at most",
    ),
    (
        lambda: Receipt.from_bytes(b"c2sp.org/tlog-proof@v1\nextra AAAA\n\n" + NOTE),
        ReceiptMalformedError,
        "a receipt has an index line, and before it an extra line at most",
    ),
    (
        lambda: Receipt.from_bytes(b"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n" + NOTE),
        ReceiptMalformedError,
        "in a receipt, 'AAAA' is base64 of 3 bytes, and a hash has 32",
    ),
]

W1 = f"witness w1 {WITNESS_VKEY}"
W2 = f"witness w2 {OTHER_WITNESS.verifier.to_text()}"
POLICIES: list[Case] = [
    (
        lambda: Policy.from_text(bytes(65_536)),
        PolicyMalformedError,
        "a policy of 65536 bytes is larger than 65535",
    ),
    (_policy("quorum\rnone"), PolicyMalformedError, "a policy has no control characters but tabs and newlines"),
    (
        lambda: Policy.from_text(b"quorum none"),
        PolicyMalformedError,
        "the last line of a policy ends in a newline too",
    ),
    (
        lambda: Policy((LogLine(LOG.verifier, ""), QuorumLine("none"))).to_text(),
        PolicyMalformedError,
        "a name or an url in the policy is empty, or has blanks or stray surrogates",
    ),
    (
        lambda: Policy((WitnessLine("\ud800", WITNESS.verifier), QuorumLine("none"))).to_text(),
        PolicyMalformedError,
        "a name or an url in the policy is empty, or has blanks or stray surrogates",
    ),
    (_policy("# no quorum"), PolicyMalformedError, "a policy has exactly one quorum line, and this has 0"),
    (
        _policy("# a line", "", "trust me"),
        PolicyMalformedError,
        "line 3 of the policy: 'trust' is not log, witness, group or quorum",
    ),
    (
        _policy("log"),
        PolicyMalformedError,
        "line 1 of the policy: a log line is `log <vkey> [<url>]`",
    ),
    (
        _policy("witness w1"),
        PolicyMalformedError,
        "line 1 of the policy: a witness line is `witness <name> <vkey> [<url>]`",
    ),
    (
        _policy("group g any"),
        PolicyMalformedError,
        "line 1 of the policy: a group line is `group <name> all|any|<k> <member>...`",
    ),
    (
        _policy("quorum a b"),
        PolicyMalformedError,
        "line 1 of the policy: a quorum line is `quorum <name>` or `quorum none`",
    ),
    (
        lambda: Policy.from_text(b"group g 1\xff w1\n"),
        PolicyMalformedError,
        r"line 1 of the policy: '1\xff' is not a decimal number below 2^63 without sign or leading zeros",
    ),
    (_policy(W1, "group g 2 w1", "quorum g"), PolicyMalformedError, "group 'g' asks for 2 of 1 members"),
    (
        _policy("group g any w1", W1, "quorum g"),
        PolicyMalformedError,
        "member 'w1' of group 'g' is not defined before, or a member already",
    ),
    (_policy(W1, "group w1 any w1", "quorum w1"), PolicyMalformedError, "the name 'w1' is taken"),
    (_policy("quorum w1", W1), PolicyMalformedError, "the quorum 'w1' is not defined before"),
    (
        _policy(f"log {WITNESS_VKEY}", "quorum none"),
        PolicyMalformedError,
        f"{WITNESS.verifier.label} is of Ed25519 cosignature, and a log needs Ed25519",
    ),
    (
        _policy(f"witness w1 {LOG_VKEY}", "quorum none"),
        PolicyMalformedError,
        f"{LOG.verifier.label} is of Ed25519, and a witness needs Ed25519 cosignature",
    ),
    (
        _policy(f"log {LOG_VKEY}", f"log {LOG_VKEY}", "quorum none"),
        PolicyMalformedError,
        f"the log {LOG.verifier.label} is listed twice",
    ),
    (
        _policy(W1, f"witness w2 {WITNESS_VKEY}", "quorum none"),
        PolicyMalformedError,
        f"the witness {WITNESS.verifier.label} is listed twice",
    ),
    (
        lambda: Policy.for_log(OTHER_LOG.verifier).open_checkpoint(sign_text(TEXT, OTHER_LOG)),
        SignatureMissingError,
        "only keys of other logs signed this checkpoint of 'log.example/a'",
    ),
    (
        _open(f"log {LOG_VKEY}", W1, W2, "group g 2 w1 w2", "quorum g"),
        QuorumMissingError,
        "the quorum 'g' is missed: 0 of 2 witnesses cosigned",
    ),
]

CASES = [*SPELLING, *CHECKPOINTS, *COSIGNATURES, *TREES, *PROOFS, *RECEIPTS, *POLICIES]


@pytest.mark.parametrize(("call", "error", "text"), CASES, ids=[re.sub(r"\W+", "-", text)[:60] for _, _, text in CASES])
def test_what_is_wrong_is_said_so(call: Callable[[], object], error: type[Exception], text: str) -> None:
    """The class that is documented, and this line."""
    with pytest.raises(error) as caught:
        call()
    assert (type(caught.value), str(caught.value)) == (error, text)
