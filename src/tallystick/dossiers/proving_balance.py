"""A balance proof is made from the views: they have the leaves of every seal, and know where a party is spoken of.

An account that has ended is in the first seal after its last entry, and in no later one; what that says holds from then
on. So the seal that proves what it held at a later one is the newest that has it.
"""

from dataclasses import dataclass

from tallystick.dossiers.balance_proof import BalanceProof, party_of, prove_balance
from tallystick.errors import MalformedError, NotALedgerError, NotFoundError, UsageError
from tallystick.publishing.reader import Reader
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.views.questions import Questions
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.network import PartyAdmit, PartyAmend


@dataclass(frozen=True, slots=True)
class Proved:
    """A balance proof, the index of its seal's entry, and that of the seal which was asked for."""

    proof: BalanceProof
    index: int
    asked: int


def prove_sealed_balance(reader: Reader, views: Questions, account: str, seal: int | str | None = None) -> Proved:
    """Return the proof of what an account held at a seal.

    Args:
        reader: the log, with all that the views know.
        views: say what was sealed.
        account: for example `voucher shanghai-treasury/v-1`.
        seal: its id, or its entry's index; None for the newest.

    Raises:
        NotFoundError: there is no such seal, or there was no such account.
        UsageError: that entry is no seal.
        NotALedgerError: an entry or a tile can't be read.
        ProofInvalidError: entries, tree, views and checkpoints contradict one another.
        StoreFailedError: a failover may lose it; nothing is handed on.
    """
    asked = _index_of(reader, views, seal)
    seals = [index for index in views.entries_concerning("seals") if index <= asked]
    having = (index for index in reversed(seals) if views.seal_leaf(index, account) is not None)
    index = next(having, None)
    if index is None:
        raise NotFoundError(f"there was no {account} when the books were sealed by entry {asked}")
    receipt = reader.receipt(index)
    try:
        size = Checkpoint.from_text(Note.from_bytes(receipt.checkpoint_note).text).size
    except MalformedError as error:
        raise NotALedgerError(f"the checkpoint can't be read ({error}); `tallystick audit` says more") from None
    party = tuple([reader.receipt(one, size) for one in _who_is(reader, views, party_of(account), index)])
    return Proved(prove_balance(views.seal_leaves(index), account, receipt, party), index, asked)


def _index_of(reader: Reader, views: Questions, seal: int | str | None) -> int:
    """Return the index of a seal's entry."""
    if isinstance(seal, int):
        if seal >= reader.size:
            raise NotFoundError(f"there is no entry {seal}: the log has {reader.size:,}, counted from 0")
        event = reader.parsed_entry(seal).event
        if not isinstance(event.command, BookSeal):
            raise UsageError(f"entry {seal} is no seal: it is {event.kind}")
        return seal
    for index in reversed([one for one in views.entries_concerning("seals") if one < reader.size]):
        command = reader.parsed_entry(index).event.command
        if isinstance(command, BookSeal) and seal in (None, command.seal):
            return index
    raise NotFoundError("the books were never sealed" if seal is None else f"there is no seal {seal}")


def _who_is(reader: Reader, views: Questions, party: str, before: int) -> list[int]:
    """Return the entries that admitted a party, and by which it is called or known, before an entry."""
    found: list[int] = []
    for index in views.entries_concerning(f"party {party}"):
        if index >= before:
            break
        command = reader.parsed_entry(index).event.command
        if isinstance(command, PartyAdmit) and command.admitted == party:
            found = [index]
        elif isinstance(command, PartyAmend) and (command.name or command.profile_hash):
            found = [*found[:1], index]
    return found
