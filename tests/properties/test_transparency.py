"""Any tree, any way to grow it, any proof, every format in both directions; what is spoilt is refused or equal."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.stored_tree import StoredTree
from tallystick.errors import MalformedError, ProofInvalidError, VerificationError
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import TIMESTAMP_MAX, cosign, verify_cosignature
from tallystick.transparency.merkle import RightEdge, leaf_hash, node_hash, root_of
from tallystick.transparency.policy import GroupLine, LogLine, Policy, PolicyLine, QuorumLine, WitnessLine
from tallystick.transparency.proofs import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from tallystick.transparency.receipt import Receipt, verify_receipt
from tallystick.transparency.tiles import (
    Bundle,
    Tile,
    bundle_from_bytes,
    bundle_path,
    bundle_to_bytes,
    parse_tile_path,
    tile_path,
    tiles_between,
    tiles_of,
)

LEAF_HASHES = [hashlib.sha256(index.to_bytes(4)).digest() for index in range(2_100)]
TREE = StoredTree()
TREE.extend(LEAF_HASHES)
SIZES = st.one_of(st.integers(1, 2_000), st.sampled_from([255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025]))
HASHES = st.binary(min_size=32, max_size=32)
WITNESSES = [
    SigningKey.from_seed(f"witness.example/{number}", bytes([number]) * 32, COSIGNATURE_ED25519)
    for number in range(1, 6)
]
LOGS = [SigningKey.from_seed(f"log.example/{number}", bytes([number, 0] * 16)) for number in range(1, 4)]

CONTROLS = [chr(code) for code in range(32)]
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS), min_size=1, max_size=40)
CHECKPOINTS = st.builds(Checkpoint, LINES, st.integers(0, 2**63 - 1), HASHES, st.lists(LINES, max_size=3).map(tuple))
NOTES = st.builds(
    lambda size, root: sign_checkpoint(Checkpoint(LOGS[0].name, size, root), LOGS[0]), st.integers(0, 2**63 - 1), HASHES
)
RECEIPTS = st.builds(
    Receipt,
    st.integers(0, 2**63 - 1),
    st.lists(HASHES, max_size=63).map(tuple),
    NOTES,
    st.none() | st.binary(min_size=1, max_size=300),
)
BUNDLES = st.lists(st.binary(max_size=40) | st.just(bytes(65_535)), min_size=1, max_size=256)
PLACES = st.one_of(st.integers(0, 2_000_000), st.integers(0, 2**63 - 1))
TILES = st.builds(Tile, st.integers(0, 63), PLACES, st.integers(1, 256)) | st.builds(
    Bundle, PLACES, st.integers(1, 256)
)

ITEMS = st.binary(min_size=1, max_size=6).map(
    lambda octets: bytes(octet for octet in octets if 0x21 <= octet != 0x7F).decode(errors="surrogateescape") or "x"
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Logs, witnesses and groups over them, in any order that is allowed, with any octets as names."""
    urls = st.none() | ITEMS
    names = draw(st.lists(ITEMS.filter(lambda name: name != "none"), min_size=10, max_size=10, unique=True))
    lines: list[PolicyLine] = [
        LogLine(key.verifier, draw(urls)) for key in draw(st.lists(st.sampled_from(LOGS), unique=True))
    ]
    free: list[str] = []
    defined = ["none"]
    for key in draw(st.lists(st.sampled_from(WITNESSES), unique=True)):
        name = names.pop()
        lines.append(WitnessLine(name, key.verifier, draw(urls)))
        free.append(name)
        defined.append(name)
        if draw(st.booleans()):
            members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
            group = names.pop()
            lines.append(GroupLine(group, draw(st.integers(1, len(members))), tuple(members)))
            free = [*(name for name in free if name not in members), group]
            defined.append(group)
    return Policy((*lines, QuorumLine(draw(st.sampled_from(defined)))))


def mutated(data: bytes, choice: st.DataObject) -> bytes:
    """One small change: a byte changed, put in or taken away, two neighbours swapped, or the end cut off."""
    at = choice.draw(st.integers(0, len(data) - 1))
    byte = choice.draw(st.sampled_from(b"\n\r\t 0189+/=aZ\0\x7f\xff") | st.integers(0, 255))
    return choice.draw(
        st.sampled_from(
            [
                data[:at] + bytes([byte]) + data[at + 1 :],
                data[:at] + bytes([byte]) + data[at:],
                data[:at] + data[at + 1 :],
                data[:at] + data[at + 1 : at + 2] + data[at : at + 1] + data[at + 2 :],
                data[:at],
                data + bytes([byte]),
            ]
        )
    )


# --- both directions of every format


@given(CHECKPOINTS)
def test_checkpoint_both_ways(checkpoint: Checkpoint) -> None:
    """Value to text to value."""
    assert Checkpoint.from_text(checkpoint.to_text()) == checkpoint


@given(RECEIPTS)
def test_receipt_both_ways(receipt: Receipt) -> None:
    """Value to bytes to value."""
    assert Receipt.from_bytes(receipt.to_bytes()) == receipt


@given(BUNDLES)
def test_bundle_both_ways(entries: list[bytes]) -> None:
    """Value to bytes to value."""
    assert bundle_from_bytes(bundle_to_bytes(entries), len(entries)) == entries


@given(TILES)
def test_tile_path_both_ways(which: Tile | Bundle) -> None:
    """Value to path to value."""
    assert parse_tile_path(bundle_path(*which) if isinstance(which, Bundle) else tile_path(*which)) == which


@given(policies())
def test_policy_both_ways(policy: Policy) -> None:
    """Value to text to value."""
    assert Policy.from_text(policy.to_text()) == policy


@given(st.sampled_from(WITNESSES), st.integers(1, TIMESTAMP_MAX), NOTES)
def test_cosignature_both_ways(witness: SigningKey, at_posix_s: int, data: bytes) -> None:
    """A time goes in and comes out, and the log's own signature is untouched."""
    note = Note.from_bytes(data + cosign(data, witness, at_posix_s))
    assert verify_cosignature(note.text, note.signatures[-1], witness.verifier) == at_posix_s
    assert open_checkpoint(note.to_bytes(), LOGS[0].verifier).to_text() == note.text


# --- canonical encoding: what is read from changed bytes gives exactly these bytes again


READERS: list[tuple[st.SearchStrategy[bytes], Callable[[bytes], bytes]]] = [
    (CHECKPOINTS.map(Checkpoint.to_text), lambda data: Checkpoint.from_text(data).to_text()),
    (RECEIPTS.map(Receipt.to_bytes), lambda data: Receipt.from_bytes(data).to_bytes()),
    (
        st.lists(st.binary(max_size=5), min_size=4, max_size=4).map(bundle_to_bytes),
        lambda data: bundle_to_bytes(bundle_from_bytes(data, 4)),
    ),
]


@pytest.mark.parametrize(("originals", "again"), READERS, ids=["checkpoint", "receipt", "bundle"])
@given(st.data())
def test_canonical_encoding(
    originals: st.SearchStrategy[bytes], again: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    """Refused as malformed, or equal byte for byte."""
    changed = mutated(data.draw(originals), data)
    try:
        result = again(changed)
    except MalformedError:
        result = changed
    assert result == changed


@given(TILES, st.data())
def test_canonical_encoding_of_tile_paths(which: Tile | Bundle, data: st.DataObject) -> None:
    """Refused as malformed, or equal character for character."""
    path = bundle_path(*which) if isinstance(which, Bundle) else tile_path(*which)
    changed = mutated(path.encode(), data).decode("latin-1")
    try:
        read = parse_tile_path(changed)
    except MalformedError:
        return
    assert (bundle_path(*read) if isinstance(read, Bundle) else tile_path(*read)) == changed


@given(policies(), st.data())
def test_a_changed_policy(policy: Policy, data: st.DataObject) -> None:
    """Refused as malformed, or a policy that is written and read again alike."""
    try:
        read = Policy.from_text(mutated(policy.to_text(), data))
    except MalformedError:
        return
    assert Policy.from_text(read.to_text()) == read


@given(st.binary(max_size=200))
def test_no_bytes_break_a_reader(data: bytes) -> None:
    """Anything at all is refused in one way, or read."""
    readers = (Checkpoint.from_text, Receipt.from_bytes, Policy.from_text, lambda data: bundle_from_bytes(data, 2))
    refused = 0
    for read in readers:
        try:
            read(data)
        except MalformedError:
            refused += 1
    assert refused >= 2


# --- the tree


@given(st.lists(st.integers(0, 300), max_size=7))
def test_growing_in_any_steps(steps: list[int]) -> None:
    """Gives the same edge, the same root, and the same hashes for tiles, which `tiles_between` names."""
    tree, size = StoredTree(), 0
    for step in steps:
        tree.extend(LEAF_HASHES[size : size + step])
        gained = {*tiles_between(size, size + step)}
        assert gained == {*tiles_of(size + step)} - {*tiles_of(size)}
        size += step
    assert tree.edge.root() == root_of(LEAF_HASHES[:size])
    assert tree.edge.hashes == RightEdge.from_tiles(size, TREE.read_tile).hashes
    assert all(values == TREE.levels[level][: len(values)] for level, values in tree.levels.items())
    assert sum(tile.width for tile in tiles_of(size) if tile.level == 0) == size
    if size:
        assert tree.edge.hashes[0] == fold(LEAF_HASHES[: 1 << size.bit_length() - 1])


def fold(hashes: list[bytes]) -> bytes:
    """The root of a perfect tree, level by level."""
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
    return hashes[0]


@given(SIZES, st.data())
def test_inclusion_proofs_verify(size: int, data: st.DataObject) -> None:
    """At any index of any size; read from a fuller tree, from at most one tile a level and two at the edge."""
    index = data.draw(st.integers(0, size - 1))
    TREE.reads.clear()
    proof = inclusion_proof(index, size, TREE.read_tile)
    assert set(TREE.reads.values()) <= {1}
    assert len(TREE.reads) <= 4
    verify_inclusion(index, size, LEAF_HASHES[index], proof, root_of(LEAF_HASHES[:size]))


@given(SIZES, st.data())
def test_consistency_proofs_verify(new_size: int, data: st.DataObject) -> None:
    """Between any two sizes."""
    old_size = data.draw(st.integers(1, new_size))
    TREE.reads.clear()
    proof = consistency_proof(old_size, new_size, TREE.read_tile)
    assert set(TREE.reads.values()) <= {1}
    verify_consistency(old_size, new_size, proof, root_of(LEAF_HASHES[:old_size]), root_of(LEAF_HASHES[:new_size]))


@given(SIZES, st.data())
def test_a_rewritten_leaf_is_noticed(size: int, data: st.DataObject) -> None:
    """Proofs of another history fail against the roots of this one."""
    changed = data.draw(st.integers(0, size - 1))
    other_hashes = [*LEAF_HASHES[:changed], leaf_hash(b"rewritten"), *LEAF_HASHES[changed + 1 : size + 3]]
    other = StoredTree()
    other.extend(other_hashes)
    with pytest.raises(ProofInvalidError):
        verify_inclusion(
            changed,
            size,
            other_hashes[changed],
            inclusion_proof(changed, size, other.read_tile),
            root_of(LEAF_HASHES[:size]),
        )
    with pytest.raises(ProofInvalidError):
        verify_consistency(
            size,
            size + 3,
            consistency_proof(size, size + 3, other.read_tile),
            root_of(LEAF_HASHES[:size]),
            other.edge.root(),
        )


# --- receipts as a whole


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=30), st.data())
def test_a_changed_receipt_proves_the_same_or_nothing(entries: list[bytes], data: st.DataObject) -> None:
    """Whatever one small change does to the file, nothing else is ever proved."""
    index = data.draw(st.integers(0, len(entries) - 1))
    tree = StoredTree()
    tree.extend([leaf_hash(entry) for entry in entries])
    checkpoint = Checkpoint(LOGS[0].name, len(entries), tree.edge.root())
    note = sign_checkpoint(checkpoint, LOGS[0])
    note += cosign(note, WITNESSES[0], 1)
    quorum = QuorumLine(data.draw(st.sampled_from(["w", "none"])))
    policy = Policy((LogLine(LOGS[0].verifier), WitnessLine("w", WITNESSES[0].verifier), quorum))
    receipt = Receipt(index, tuple(inclusion_proof(index, len(entries), tree.read_tile)), note, entries[index] or None)
    assert verify_receipt(receipt, entries[index], policy) == checkpoint
    changed = mutated(receipt.to_bytes(), data)
    try:
        read = Receipt.from_bytes(changed)
        proved = verify_receipt(read, entries[index], policy)
    except (MalformedError, VerificationError):
        return
    assert proved == checkpoint
    assert (read.proof, entries[read.index]) == (receipt.proof, entries[index])
