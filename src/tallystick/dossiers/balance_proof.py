r"""One file proves offline what an account held when the books were sealed, and who that is: a policy checks it.

    {"format":"tallystick-balance-proof/1","leaf":"{\"account\":\"voucher shanghai-treasury/v-1\",…}",
     "party":["c2sp.org/tlog-proof@v1\n…"],"path":["<hex>",…],"position":7,"receipt":"c2sp.org/tlog-proof@v1\n…"}

on one line of canonical JSON, with a newline. `receipt` is the text of the seal entry's `.tlog-proof`, with the entry
in it. `leaf` is the account's leaf (docs/rules.md, "Sealed books"), `position` its place among the seal's accounts,
`path` its inclusion proof below the seal's root (RFC 9162 §2.1.3.1; hashes of 32 bytes, the leaf's sibling first).
`party` are the receipts, with their entries and under the same checkpoint, of the admission of the party with whose id
the account's begins, and of the newest entry before the seal by which it is called or known otherwise, if there is one.

Verifying: (1) the receipt, by the policy; (2) the entry in it is a seal; (3) the leaf lies under the seal's root; only
then is the leaf read; (4) the party's receipts, and that their entries are of that party and before the seal. That the
party wasn't renamed between them, only the log can show.

An account that ended is in the first seal after its last entry, and in no later one: that seal goes on proving what it
ended with. That nothing touched it since, only a later leaf or the log can show.

A leaf holds what all entries before the seal's came to, also those after the last day that it seals. That the seal
sums them up rightly isn't proved here: every audit decides it anew. Pure, like what it verifies with.
"""

import re
from collections.abc import Sequence
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
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.network import PartyAdmit, PartyAmend
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.seals import AccountLeaf

FORMAT: Final = "tallystick-balance-proof/1"
LEAF_SIZE_MAX: Final = 2_048
PARTY_ENTRIES_MAX: Final = 2
BALANCE_PROOF_SIZE_MAX: Final = (
    2 * (1 + PARTY_ENTRIES_MAX) * RECEIPT_SIZE_MAX + 2 * LEAF_SIZE_MAX + 70 * PROOF_LENGTH_MAX + 1_024
)
"""In bytes: in JSON a newline, a quote or a backslash of the receipt and the leaf has two."""

_START: Final = b'{"format":"%s"' % FORMAT.encode()
_FIELDS: Final = {"format": str, "leaf": str, "party": list, "path": list, "position": int, "receipt": str}
_HASH: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BalanceProof:
    """An account's leaf, its position and path (hashes of 32 bytes) under a seal, and receipts: all unverified.

    Attributes:
        receipt: of the seal.
        party: of the entries that say who the account's party is.

    Raises:
        MalformedError: a leaf, position, path or receipt that the format can't hold.
    """

    leaf: bytes
    position: int
    path: tuple[bytes, ...]
    receipt: Receipt
    party: tuple[Receipt, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.leaf) <= LEAF_SIZE_MAX:
            raise MalformedError(f"a balance proof's leaf has 1 to {LEAF_SIZE_MAX:,} bytes, not {len(self.leaf):,}")
        if self.position < 0:
            raise MalformedError("a balance proof's position counts from 0")
        if len(self.path) > PROOF_LENGTH_MAX or any(len(value) != 32 for value in self.path):
            raise MalformedError(f"a balance proof's path has at most {PROOF_LENGTH_MAX} hashes of 32 bytes")
        if not 1 <= len(self.party) <= PARTY_ENTRIES_MAX:
            raise MalformedError(f"a balance proof has 1 to {PARTY_ENTRIES_MAX} receipts of its party")
        if any(one.entry is None for one in (self.receipt, *self.party)):
            raise MalformedError("a receipt in a balance proof carries its entry")

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
        party = fields["party"]
        assert isinstance(party, list)
        if len(party) > PARTY_ENTRIES_MAX:
            raise MalformedError(f"a balance proof has 1 to {PARTY_ENTRIES_MAX} receipts of its party")
        hashes = tuple([_hash_of(value) for value in path])
        return cls(leaf.encode(), position, hashes, _receipt_in(receipt), tuple(map(_receipt_in, party)))

    def to_bytes(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UnicodeDecodeError: the leaf isn't UTF-8, as every leaf is.
        """
        fields: dict[str, JsonValue] = {
            "format": FORMAT,
            "leaf": self.leaf.decode(),
            "party": [one.to_bytes().decode() for one in self.party],
            "path": [value.hex() for value in self.path],
            "position": self.position,
            "receipt": self.receipt.to_bytes().decode(),
        }
        return canonical_json.encode(fields) + b"\n"


@dataclass(frozen=True, slots=True)
class ProvenParty:
    """Who a party is, as its admission and a later entry of it say.

    Attributes:
        name: empty of a maker, of whom the log has neither a name nor a code.
        uscc: its unified social credit code, if it has one.
        profile_hash: of a document that identifies it, which its admitter keeps.
        admitter: who admitted it.
        admitted_index, named_index: of its admission, and of the entry that it is called or known by.
    """

    party: str
    role: str
    name: str
    uscc: str | None
    profile_hash: str | None
    admitter: str
    admitted_index: int
    named_index: int


@dataclass(frozen=True, slots=True)
class ProvenBalance:
    """What a balance proof proves: that this seal of this log holds this leaf, and whose it is.

    Attributes:
        leaf: the account, its balances in fen, how many entries before the seal touched it, and their running hash.
        party: with whose id the account's begins: the account's own, or whoever made the thing.
        seal: the seal's id.
        index, at: of the seal's entry (microseconds).
        last_day: up to which it sealed (days since 1970-01-01).
        checkpoint: of the log, as the policy asks for it.
    """

    leaf: AccountLeaf
    party: ProvenParty
    seal: str
    index: int
    at: int
    last_day: int
    checkpoint: Checkpoint


def is_balance_proof(data: bytes) -> bool:
    """Return whether bytes begin as a balance proof does, so that it is worth reading as one."""
    return data.startswith(_START)


def prove_balance(
    leaves: Sequence[tuple[str, bytes]], account: str, receipt: Receipt, party: tuple[Receipt, ...]
) -> BalanceProof:
    """Return the proof of an account's balance at a seal; that it leads to the seal's root is checked.

    Args:
        leaves: of the seal: every account and its leaf, in order.
        account: for example `voucher shanghai-treasury/v-1`.
        receipt: of the seal's entry, with the entry; its signatures are not verified.
        party: of the entries that say who its party is, in the same way.

    Raises:
        NotFoundError: there was no such account.
        ProofInvalidError: an entry isn't what it should be, or the leaves are of another seal.
    """
    event, sealed = _seal_in(receipt)
    names = [name for name, _ in leaves]
    if account not in names:
        raise NotFoundError(f"there was no {account} when the books were sealed by entry {event.index}")
    hashes = [leaf_hash(leaf) for _, leaf in leaves]
    position = names.index(account)
    proof = BalanceProof(leaves[position][1], position, path_of(position, hashes), receipt, party)
    _verify_leaf(proof, sealed)
    _party_in(proof, account)
    return proof


def party_of(account: str) -> str:
    """Return the party with whose id an account's begins."""
    return account.partition(" ")[2].partition("/")[0]


def verify_balance_proof(proof: BalanceProof, policy: Policy) -> ProvenBalance:
    """Return what a proof proves under a policy.

    Raises:
        MalformedError: the checkpoint, the entry or the leaf can't be read.
        SignatureInvalidError, SignatureMissingError, QuorumMissingError: the checkpoint doesn't fulfil the policy.
        ProofInvalidError: the entry isn't in the log or is no seal, the leaf isn't under its root, or another party's
            entries are with it.
    """
    assert proof.receipt.entry is not None
    checkpoint = verify_receipt(proof.receipt, proof.receipt.entry, policy)  # step 1
    event, sealed = _seal_in(proof.receipt)  # step 2
    _verify_leaf(proof, sealed)  # step 3
    assert isinstance(event.command, BookSeal)
    leaf = AccountLeaf.from_bytes(proof.leaf)
    for one in proof.party:  # step 4
        assert one.entry is not None
        if one.checkpoint_note != proof.receipt.checkpoint_note:
            raise ProofInvalidError("the party's receipts are under another checkpoint than the seal's")
        verify_receipt(one, one.entry, policy)
    return ProvenBalance(
        leaf,
        _party_in(proof, leaf.account),
        event.command.seal,
        event.index,
        event.at,
        event.command.last_day,
        checkpoint,
    )


def _seal_in(receipt: Receipt) -> tuple[Event, Sealed]:
    """Return the event of the seal in a receipt."""
    event = _event_in(receipt)
    if not isinstance(event.outcome, Sealed):
        raise ProofInvalidError(f"entry {event.index} is no seal: it is {event.kind}")
    return event, event.outcome


def _event_in(receipt: Receipt) -> Event:
    assert receipt.entry is not None
    event = Entry.from_bytes(receipt.entry).event
    if event.index != receipt.index:
        raise ProofInvalidError(f"the entry calls itself {event.index}, and its place in the log is {receipt.index}")
    return event


def _party_in(proof: BalanceProof, account: str) -> ProvenParty:
    """Return who an account's party is, by the entries in the proof."""
    party = party_of(account)
    first, *later = (_event_in(one) for one in proof.party)
    admission = first.command
    if not isinstance(admission, PartyAdmit) or admission.admitted != party:
        raise ProofInvalidError(f"entry {first.index} is not the admission of {party}")
    name, profile_hash, named_index = admission.name, admission.profile_hash, first.index
    for event in later:
        amended = event.command
        if not isinstance(amended, PartyAmend) or amended.party != party or event.index <= first.index:
            raise ProofInvalidError(f"entry {event.index} doesn't say what {party} is called")
        name, profile_hash = amended.name or name, amended.profile_hash or profile_hash
        named_index = event.index
    if named_index >= proof.receipt.index:
        raise ProofInvalidError(f"entry {named_index} is not before the seal")
    return ProvenParty(
        party, admission.role, name or "", admission.uscc, profile_hash, admission.party, first.index, named_index
    )


def _receipt_in(text: JsonValue) -> Receipt:
    if not isinstance(text, str):
        raise MalformedError("a receipt in a balance proof is text")
    return Receipt.from_bytes(text.encode())


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
