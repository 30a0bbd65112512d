"""A balance proof is read in its canonical encoding and proves what the seal holds, no more."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.actors import key_of, profile_of, uscc_of
from support.small_ledger import POLICY, export_small_ledger, write_small_ledger
from tallystick.dossiers import balance_proof
from tallystick.dossiers.balance_proof import (
    BALANCE_PROOF_SIZE_MAX,
    BalanceProof,
    is_balance_proof,
    party_of,
    prove_balance,
    verify_balance_proof,
)
from tallystick.errors import MalformedError, ProofInvalidError, SignatureMissingError, UsageError, VerificationError
from tallystick.publishing import read_ledger
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import PROOF_LENGTH_MAX, RECEIPT_SIZE_MAX, Receipt
from tallystick.vouchers.accounts import account_balances, account_leaves
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import parse_day
from tallystick.vouchers.rules.network import PartyAdmit, PartyAmend
from tallystick.vouchers.state import State

ACCOUNT = "voucher shanghai/v1"


class Sealed:
    """A small ledger's receipts, and the states before its two seals."""

    def __init__(self, folder: Path) -> None:
        write_small_ledger(folder / "ledger")
        export_small_ledger(folder / "ledger", folder / "tiles")
        self.by_source = {}
        for source in ("ledger", "tiles"):
            with read_ledger(folder / source) as reader:
                self.receipts = [reader.receipt(index) for index in range(reader.size)]
                self.seals = [seal.index for seal in reader.state().seals.values()]
                self.states = {index: reader.state(index) for index in self.seals}
                self.by_source[source] = self.proof().to_bytes()

    def proof(self, account: str = ACCOUNT, seal: int = 0) -> BalanceProof:
        """The proof of an account at the first or the second seal."""
        index = self.seals[seal]
        leaves = list(account_leaves(self.states[index]))
        return prove_balance(leaves, account, self.receipts[index], self.whose(account, index))

    def whose(self, account: str, before: int) -> tuple[Receipt, ...]:
        """The receipts of the entries that say who an account's party is."""
        found: list[Receipt] = []
        for receipt in self.receipts[:before]:
            assert receipt.entry is not None
            command = Entry.from_bytes(receipt.entry).event.command
            if isinstance(command, PartyAdmit) and command.admitted == party_of(account):
                found = [receipt]
            elif isinstance(command, PartyAmend) and command.party == party_of(account) and command.name:
                found = [*found[:1], receipt]
        return tuple(found)


@cache
def sealed() -> Sealed:
    """Made once."""
    with TemporaryDirectory() as folder:
        return Sealed(Path(folder))


PROOF = sealed().proof()
DATA = PROOF.to_bytes()
FIELDS = orjson.loads(DATA)


def spelled(**changes: object) -> bytes:
    """The file with fields changed; None takes one out."""
    fields = {name: value for name, value in (FIELDS | changes).items() if value is not None}
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) + b"\n"


@pytest.mark.parametrize("seal", [0, 1])
def test_every_account_is_proved_and_read_the_same(seal: int) -> None:
    """Written, read, verified: it is what the seal's state holds."""
    index = sealed().seals[seal]
    state = sealed().states[index]
    leaves = dict(account_leaves(state))
    of_parties = [name for name, party in state.parties.items() if party.role in ("holder", "provider")]
    treasuries = {programme.treasury for programme in state.programmes.values()}
    accounts = [*state.vouchers, *state.programmes, *of_parties, *state.contracts, *treasuries]
    ended = account_balances(state).keys() - leaves.keys()
    assert len(leaves) + len(ended) == len(accounts)
    assert ended <= dict(account_leaves(sealed().states[sealed().seals[0]])).keys()
    assert len(leaves) > 14
    assert len(ended) == (0, 1)[seal]
    assert [*state.left["voucher"]] == ([], ["shanghai/v4"])[seal]
    for account, leaf in leaves.items():
        data = sealed().proof(account, seal).to_bytes()
        assert is_balance_proof(data)
        assert BalanceProof.from_bytes(data).to_bytes() == data
        proven = verify_balance_proof(BalanceProof.from_bytes(data), POLICY)
        assert (proven.leaf.account, proven.leaf.to_bytes()) == (account, leaf)
        assert proven.index == index


def test_what_is_proved() -> None:
    """By the seal's own words; the correction and the late line that came after it aren't in it."""
    first, second = (verify_balance_proof(sealed().proof(seal=number), POLICY) for number in (0, 1))
    assert (first.seal, first.last_day) == ("registry/first", parse_day("2026-01-06"))
    assert second.seal == "registry/2026"
    assert first.checkpoint == second.checkpoint
    balances = first.leaf.balances
    assert balances["face_fen"] == 150_000_000
    assert second.leaf.balances["burned_fen"] == balances["burned_fen"] + 2 * 1_200
    assert second.leaf.entries > first.leaf.entries
    assert (first.party.party, first.party.role, first.party.name) == ("shanghai", "treasury", "Treasury of Shanghai")
    holder = verify_balance_proof(other("holder maker-a"), POLICY).party
    assert (holder.name, holder.uscc, holder.admitter) == ("maker-a", uscc_of("maker-a"), "shanghai")
    assert holder.admitted_index == holder.named_index
    maker = verify_balance_proof(other("holder maker-b"), POLICY).party
    assert (maker.name, maker.uscc, maker.profile_hash) == ("", None, profile_of("maker-b"))


def test_a_party_that_was_renamed_after_the_seal_is_called_as_it_was(tmp_path: Path) -> None:
    """What came after the seal is not in a proof of it; two checkpoints are not mixed."""
    later = replace(PROOF, party=(PROOF.party[0], replace(PROOF.party[1], index=PROOF.receipt.index + 1)))
    with pytest.raises(VerificationError):
        verify_balance_proof(later, POLICY)
    size = write_small_ledger(tmp_path, more=50)
    with read_ledger(tmp_path) as reader:
        longer = reader.receipt(PROOF.party[0].index)
    assert size > len(sealed().receipts)
    with pytest.raises(ProofInvalidError, match="under another checkpoint"):
        verify_balance_proof(replace(PROOF, party=(longer, *PROOF.party[1:])), POLICY)


def test_an_exported_folder_gives_the_same_proof() -> None:
    """Byte for byte."""
    assert sealed().by_source["tiles"] == sealed().by_source["ledger"]


hashes = st.binary(min_size=32, max_size=32)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=500),
    st.integers(0, 2**53 - 1),
    st.lists(hashes, max_size=PROOF_LENGTH_MAX),
    st.lists(hashes, max_size=PROOF_LENGTH_MAX),
    st.binary(min_size=1, max_size=300),
)
def test_a_proof_is_written_and_read_the_same(
    leaf: str, position: int, path: list[bytes], proof: list[bytes], entry: bytes
) -> None:
    """Both directions, whatever is in it."""
    receipt = Receipt(position, tuple(proof), PROOF.receipt.checkpoint_note, entry)
    whole = BalanceProof(leaf.encode(), position, tuple(path), receipt, (receipt,))
    assert BalanceProof.from_bytes(whole.to_bytes()) == whole


def test_the_largest_proof_has_room() -> None:
    """Whatever a receipt can hold, the file can."""
    assert BALANCE_PROOF_SIZE_MAX > 6 * RECEIPT_SIZE_MAX
    note = PROOF.receipt.checkpoint_note
    entry = b"\x00" * 65_535
    receipt = Receipt(2**53 - 1, (b"\xff" * 32,) * PROOF_LENGTH_MAX, note, entry)
    whole = BalanceProof(b'"' * 2_048, 2**53 - 1, (b"\xff" * 32,) * PROOF_LENGTH_MAX, receipt, (receipt, receipt))
    assert BalanceProof.from_bytes(whole.to_bytes()) == whole


PATH = FIELDS["path"]
RECEIPT = FIELDS["receipt"]
ODD = {
    "nothing": b"",
    "no newline": DATA[:-1],
    "two newlines": DATA + b"\n",
    "another newline": DATA[:-1] + b"\r\n",
    "a blank after it": DATA[:-1] + b" \n",
    "a byte order mark": b"\xef\xbb\xbf" + DATA,
    "not Unicode": DATA[:-3] + b"\xff" + DATA[-3:],
    "a blank within": DATA.replace(b'","leaf"', b'", "leaf"'),
    "a field twice": DATA.replace(b'"position":', b'"position":1,"position":'),
    "an escape too many": DATA.replace(b"balance-proof", b"b\\u0061lance-proof"),
    "a field more": spelled(account=ACCOUNT),
    **{f"no {name}": spelled(**{name: None}) for name in FIELDS},
    **{f"{name} is a list": spelled(**{name: [FIELDS[name]]}) for name in FIELDS},
    "another format": spelled(format="tallystick-balance-proof/2"),
    "a list": b"[]\n",
    "text": b'"x"\n',
    **{
        f"position {odd}": DATA.replace(b'"position":%d' % PROOF.position, b'"position":' + odd.encode())
        for odd in ("+1", "01", "1.0", "1e0", '"1"', "true", "-1", "null", "9007199254740992", " 1")
    },
    "a hash in capitals": spelled(path=[PATH[0].upper(), *PATH[1:]]),
    "a hash too short": spelled(path=[PATH[0][:-1], *PATH[1:]]),
    "a hash too long": spelled(path=[PATH[0] + "0", *PATH[1:]]),
    "a hash with a blank": spelled(path=[" " + PATH[0][1:], *PATH[1:]]),
    "a hash with a newline": spelled(path=[PATH[0] + "\n", *PATH[1:]]),
    "a hash of other digits": spelled(path=["\u0661" * 64, *PATH[1:]]),
    "a hash is a number": spelled(path=[1, *PATH[1:]]),
    "64 hashes": spelled(path=[PATH[0]] * 64),
    "an empty leaf": spelled(leaf=""),
    "a leaf too large": spelled(leaf="x" * 2_049),
    "an empty receipt": spelled(receipt=""),
    "a receipt cut off": spelled(receipt=RECEIPT[:-1]),
    "a receipt with an odd index": spelled(receipt=RECEIPT.replace("\nindex ", "\nindex 0")),
    "a receipt without its entry": spelled(receipt=replace(PROOF.receipt, entry=None).to_bytes().decode()),
    "no receipt of its party": spelled(party=[]),
    "three receipts of its party": spelled(party=[*FIELDS["party"], RECEIPT]),
    "a receipt of its party that is no text": spelled(party=[1]),
    "a receipt of its party that is cut off": spelled(party=[FIELDS["party"][0][:-1]]),
    "a receipt of its party without its entry": spelled(
        party=[replace(PROOF.party[0], entry=None).to_bytes().decode()]
    ),
    "too large": DATA[:-1] + b" " * BALANCE_PROOF_SIZE_MAX + b"\n",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_no_second_encoding_is_read(odd: bytes) -> None:
    """With the one error."""
    assert odd != DATA
    with pytest.raises(MalformedError):
        BalanceProof.from_bytes(odd)


def test_a_proof_cut_off_anywhere_is_refused() -> None:
    """At every byte."""
    for end in range(len(DATA)):
        with pytest.raises(MalformedError):
            BalanceProof.from_bytes(DATA[:end])


def test_a_changed_bit_is_refused_anywhere() -> None:
    """As malformed, or as proving nothing."""
    for place in range(len(DATA)):
        changed = DATA[:place] + bytes([DATA[place] ^ 1]) + DATA[place + 1 :]
        with pytest.raises((MalformedError, VerificationError)):
            verify_balance_proof(BalanceProof.from_bytes(changed), POLICY)


def other(account: str, seal: int = 0) -> BalanceProof:
    return sealed().proof(account, seal)


def renamed(receipt: Receipt) -> Receipt:
    assert receipt.entry is not None
    return replace(receipt, entry=receipt.entry.replace(b'"name":"shanghai"', b'"name":"nanjing"'))


ATTACKS: dict[str, Callable[[], BalanceProof]] = {
    "a richer leaf": lambda: replace(PROOF, leaf=PROOF.leaf.replace(b'"available_fen":', b'"available_fen":9')),
    "another account's name": lambda: replace(PROOF, leaf=PROOF.leaf.replace(b"shanghai/v1", b"shanghai/v2")),
    "another account's leaf": lambda: replace(PROOF, leaf=other("voucher shanghai/v2").leaf),
    "another position": lambda: replace(PROOF, position=PROOF.position - 1),
    "a position beyond": lambda: replace(PROOF, position=15),
    "a position far beyond": lambda: replace(PROOF, position=PROOF.position + 2**40),
    "a hash left out": lambda: replace(PROOF, path=PROOF.path[1:]),
    "a hash more at the end": lambda: replace(PROOF, path=(*PROOF.path, PROOF.path[0])),
    "a hash more in front": lambda: replace(PROOF, path=(PROOF.path[0], *PROOF.path)),
    "no path": lambda: replace(PROOF, path=()),
    "hashes exchanged": lambda: replace(PROOF, path=(PROOF.path[1], PROOF.path[0], *PROOF.path[2:])),
    "the newer seal": lambda: replace(PROOF, receipt=other(ACCOUNT, 1).receipt),
    "an older seal": lambda: replace(other(ACCOUNT, 1), receipt=PROOF.receipt),
    "the path of the newer seal": lambda: replace(PROOF, path=other(ACCOUNT, 1).path),
    "an entry that is no seal": lambda: replace(PROOF, receipt=sealed().receipts[3]),
    "the seal at another index": lambda: replace(PROOF, receipt=replace(PROOF.receipt, index=3)),
    "another party's admission": lambda: replace(PROOF, party=other("holder maker-a").party),
    "a renaming alone": lambda: replace(PROOF, party=PROOF.party[1:]),
    "in another order": lambda: replace(PROOF, party=PROOF.party[::-1]),
    "the admission twice": lambda: replace(PROOF, party=(PROOF.party[0], PROOF.party[0])),
    "another entry of the party": lambda: replace(PROOF, party=(PROOF.party[0], PROOF.receipt)),
    "the admission at another index": lambda: replace(PROOF, party=(replace(PROOF.party[0], index=3),)),
    "an admission of one's own": lambda: replace(PROOF, party=(renamed(PROOF.party[0]),)),
    "an entry of one's own": lambda: replace(
        PROOF,
        receipt=replace(PROOF.receipt, entry=PROOF.receipt.entry.replace(b'"accounts":15', b'"accounts":16')),  # type: ignore[union-attr]
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_does_not_fit_proves_nothing(attack: Callable[[], BalanceProof]) -> None:
    """Each well-formed, and refused."""
    forged = BalanceProof.from_bytes(attack().to_bytes())
    with pytest.raises(ProofInvalidError):
        verify_balance_proof(forged, POLICY)


def test_a_node_of_the_tree_can_not_pass_for_a_leaf() -> None:
    """Nor can what lies under it, one level up."""
    forged = replace(PROOF, leaf=b"\x01" + PROOF.path[0] + PROOF.path[1], path=PROOF.path[1:])
    with pytest.raises(ProofInvalidError):
        verify_balance_proof(forged, POLICY)


def test_a_log_that_is_not_trusted_proves_nothing() -> None:
    """The policy is all that is trusted."""
    with pytest.raises(SignatureMissingError):
        verify_balance_proof(PROOF, Policy.for_log(key_of("elsewhere.example/log").verifier))


def test_only_accounts_at_the_seal_are_proved() -> None:
    """And only from its own leaves."""
    with pytest.raises(UsageError, match="there was no voucher shanghai/v9"):
        sealed().proof("voucher shanghai/v9")
    with pytest.raises(ProofInvalidError, match="is no seal"):
        prove_balance(list(account_leaves(sealed().states[sealed().seals[0]])), ACCOUNT, sealed().receipts[4], ())


def test_a_state_that_contradicts_its_seal_gives_no_proof() -> None:
    """Whoever asks is told, not the one that would be shown the proof."""
    index = sealed().seals[0]
    state = State.from_bytes(sealed().states[index].to_bytes())
    state.book.note("available", "shanghai/v2", 1)
    with pytest.raises(ProofInvalidError, match="isn't under the seal's root"):
        prove_balance(list(account_leaves(state)), ACCOUNT, sealed().receipts[index], PROOF.party)
    leaves = list(account_leaves(sealed().states[index]))
    with pytest.raises(ProofInvalidError, match="isn't under the seal's root"):
        prove_balance(leaves, ACCOUNT, sealed().receipts[sealed().seals[1]], PROOF.party)


def test_the_module_asks_nothing_of_the_machine() -> None:
    """Verifying needs bytes and a policy."""
    assert not {"os", "time", "pathlib", "read_ledger"} & set(vars(balance_proof))
