r"""One file proves offline what an account held when the books were sealed: a policy is enough to check it.

    {"format":"tallystick-balance-proof/1","leaf":"{\"account\":\"voucher shanghai-treasury/v-1\",…}",
     "path":["<hex>",…],"position":7,"receipt":"c2sp.org/tlog-proof@v1\n…"}

on one line of canonical JSON, with a newline. `receipt` is the text of the seal entry's `.tlog-proof`, with the entry
in it. `leaf` is the account's leaf (docs/rules.md, "Sealed books"), `position` its place among the seal's accounts,
`path` its inclusion proof below the seal's root (RFC 9162 §2.1.3.1; hashes of 32 bytes, the leaf's sibling first).

Verifying: (1) the receipt, by the policy; (2) the entry in it is a seal; (3) the leaf lies under the seal's root. Only
then is the leaf read.

An account that ended is in the first seal after its last entry, and in no later one: that seal goes on proving what it
ended with. That nothing touched it since, only a later leaf or the log can show.

A leaf holds what all entries before the seal's came to, also those after the last day that it seals. That the seal
sums them up rightly isn't proved here: every audit decides it anew. Pure, like what it verifies with.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from tallystick.errors import CanonicalJsonError, MalformedError, NotFoundError, ProofInvalidError
from tallystick.signing import canonical_json
from tallystick.signing.algorithms import SHA256
from tallystick.signing.canonical_json import JsonValue
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash, path_of
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import verify_inclusion
from tallystick.transparency.receipt import PROOF_LENGTH_MAX, RECEIPT_SIZE_MAX, Receipt, verify_receipt
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.seals import AccountLeaf
from tallystick.vouchers.state import State

FORMAT: Final = "tallystick-balance-proof/1"
LEAF_SIZE_MAX: Final = 2_048
BALANCE_PROOF_SIZE_MAX: Final = 2 * RECEIPT_SIZE_MAX + 2 * LEAF_SIZE_MAX + 70 * PROOF_LENGTH_MAX + 1_024
"""In bytes: in JSON a newline, a quote or a backslash of the receipt and the leaf has two."""

_START: Final = b'{"format":"%s"' % FORMAT.encode()
_FIELDS: Final = {"format": str, "leaf": str, "path": list, "position": int, "receipt": str}
_HASH: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BalanceProof:
    """An account's leaf, its position and path (hashes of 32 bytes) under a seal, and the seal's receipt: unverified.

    Raises:
        MalformedError: a leaf, position, path or receipt that the format can't hold.
    """

    leaf: bytes
    position: int
    path: tuple[bytes, ...]
    receipt: Receipt

    def __post_init__(self) -> None:
        if not 1 <= len(self.leaf) <= LEAF_SIZE_MAX:
            raise MalformedError(f"a balance proof's leaf has 1 to {LEAF_SIZE_MAX:,} bytes, not {len(self.leaf):,}")
        if self.position < 0:
            raise MalformedError("a balance proof's position counts from 0")
        if len(self.path) > PROOF_LENGTH_MAX or any(len(value) != 32 for value in self.path):
            raise MalformedError(f"a balance proof's path has at most {PROOF_LENGTH_MAX} hashes of 32 bytes")
        if self.receipt.entry is None:
            raise MalformedError("the receipt in a balance proof carries its entry")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the proof of a file's bytes, unverified.

        Raises:
            MalformedError: not a balance proof in its canonical encoding.
        """
        if len(data) > BALANCE_PROOF_SIZE_MAX:
            raise MalformedError(f"a balance proof of {len(data):,} bytes is larger than {BALANCE_PROOF_SIZE_MAX:,}")
        if data[-1:] != b"\n":
            raise MalformedError("a balance proof is one line, and ends in a newline")
        try:
            fields = canonical_json.decode(data[:-1], size_max=BALANCE_PROOF_SIZE_MAX)
        except CanonicalJsonError as error:
            raise MalformedError(f"not a balance proof: {error}") from None
        if not isinstance(fields, dict) or {name: type(value) for name, value in fields.items()} != _FIELDS:
            raise MalformedError(f"a balance proof has {', '.join(_FIELDS)}, and nothing else")
        if fields["format"] != FORMAT:
            raise MalformedError(f"not a balance proof of format {FORMAT}")
        leaf, position, path, receipt = (fields[name] for name in ("leaf", "position", "path", "receipt"))
        # Their types were compared above; this says so to the type checker.
        assert isinstance(leaf, str)
        assert isinstance(position, int)
        assert isinstance(path, list)
        assert isinstance(receipt, str)
        return cls(
            leaf.encode(), position, tuple([_hash_of(value) for value in path]), Receipt.from_bytes(receipt.encode())
        )

    def to_bytes(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UnicodeDecodeError: the leaf isn't UTF-8, as every leaf is.
        """
        fields: dict[str, JsonValue] = {
            "format": FORMAT,
            "leaf": self.leaf.decode(),
            "path": [value.hex() for value in self.path],
            "position": self.position,
            "receipt": self.receipt.to_bytes().decode(),
        }
        return canonical_json.encode(fields) + b"\n"


@dataclass(frozen=True, slots=True)
class ProvenBalance:
    """What a balance proof proves: that this seal of this log holds this leaf.

    Attributes:
        leaf: the account, its balances in fen, how many entries before the seal touched it, and their running hash.
        seal: the seal's id.
        index, at: of the seal's entry (microseconds).
        last_day: up to which it sealed (days since 1970-01-01).
        checkpoint: of the log, as the policy asks for it.
    """

    leaf: AccountLeaf
    seal: str
    index: int
    at: int
    last_day: int
    checkpoint: Checkpoint


def is_balance_proof(data: bytes) -> bool:
    """Return whether bytes begin as a balance proof does, so that it is worth reading as one."""
    return data.startswith(_START)


def prove_balance(state: State, account: str, receipt: Receipt) -> BalanceProof:
    """Return the proof of an account's balance at a seal; that it leads to the seal's root is checked.

    Args:
        state: as it was just before the seal's entry.
        account: for example `voucher shanghai-treasury/v-1`.
        receipt: of the seal's entry, with the entry; its signatures are not verified.

    Raises:
        NotFoundError: there was no such account.
        ProofInvalidError: the entry is no seal, or another than what the state comes to.
    """
    event, sealed = _seal_in(receipt)
    if state.size != event.index:
        raise ValueError(f"the state of {state.size} entries is not that before entry {event.index}")
    leaves = dict(account_leaves(state))
    if account not in leaves:
        raise NotFoundError(f"there was no {account} when the books were sealed by entry {event.index}")
    hashes = [leaf_hash(leaf) for leaf in leaves.values()]
    position = list(leaves).index(account)
    proof = BalanceProof(leaves[account], position, path_of(position, hashes), receipt)
    _verify_leaf(proof, sealed)
    return proof


def seal_that_has(state: State, account: str) -> int:
    """Return the index of the seal that proves what an account holds just before a seal: that one, or an earlier.

    An account that has ended is in the first seal after its last entry, and what that says holds from then on. Of what
    has left the state, it is the seal that it left with; before that one, the question is asked again.

    Args:
        state: as it was just before the seal's entry.
        account: for example `voucher shanghai-treasury/v-1`.

    Raises:
        NotFoundError: there was no such account.
    """
    if any(name == account for name, _ in account_leaves(state)):
        return state.size
    kind, _, name = account.partition(" ")
    left = {"voucher": state.left["voucher"], "contract": state.left["contract"]}.get(kind, {})
    if name in left:
        return left[name]
    touches = state.touches.get(account)
    since = [seal.index for seal in state.seals.values() if touches is not None and seal.index > touches.last]
    if not since:
        raise NotFoundError(f"there was no {account} when the books were sealed by entry {state.size}")
    return since[0]


def verify_balance_proof(proof: BalanceProof, policy: Policy) -> ProvenBalance:
    """Return what a proof proves under a policy.

    Raises:
        MalformedError: the checkpoint, the entry or the leaf can't be read.
        SignatureInvalidError, SignatureMissingError, QuorumMissingError: the checkpoint doesn't fulfil the policy.
        ProofInvalidError: the entry isn't in the log or is no seal, or the leaf isn't under its root.
    """
    assert proof.receipt.entry is not None
    checkpoint = verify_receipt(proof.receipt, proof.receipt.entry, policy)  # step 1
    event, sealed = _seal_in(proof.receipt)  # step 2
    _verify_leaf(proof, sealed)  # step 3
    assert isinstance(event.command, BookSeal)
    return ProvenBalance(
        AccountLeaf.from_bytes(proof.leaf),
        event.command.seal,
        event.index,
        event.at,
        event.command.last_day,
        checkpoint,
    )


def _seal_in(receipt: Receipt) -> tuple[Event, Sealed]:
    """Return the event of the seal in a receipt."""
    assert receipt.entry is not None
    event = Entry.from_bytes(receipt.entry).event
    if event.index != receipt.index:
        raise ProofInvalidError(f"the entry calls itself {event.index}, and its place in the log is {receipt.index}")
    if not isinstance(event.outcome, Sealed):
        raise ProofInvalidError(f"entry {event.index} is no seal: it is {event.kind}")
    return event, event.outcome


def _verify_leaf(proof: BalanceProof, sealed: Sealed) -> None:
    try:
        root = SHA256.digest_in(sealed.root)
        verify_inclusion(proof.position, sealed.accounts, leaf_hash(proof.leaf), proof.path, root)
    except (MalformedError, ProofInvalidError) as error:
        raise ProofInvalidError(f"the balance isn't under the seal's root: {error}") from None


def _hash_of(value: JsonValue) -> bytes:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise MalformedError("a hash in a balance proof has 64 hex digits")
    return bytes.fromhex(value)
