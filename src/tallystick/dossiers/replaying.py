"""A part of the log is replayed: the subject's entries are decided anew by `admit`, what they depend on is believed.

The state holds what the part tells and nothing else, so it steps over gaps: an entry keeps its index. A contract that
is in it comes with its whole life, so what was charged and absorbed, and what remains of its reservations, is exact. A
claim that is only believed takes what it took of the contracts that are in the part, and no more; an expiry ends what
is in the part, and no more. What a payee was paid is exact if all its settlements are there, whatever they are of.

What isn't exact: what was used of a mandate, which is at most what it was; a programme's unissued envelope, unless the
part is all of the programme's; a holder's room under its cap, and for a sum that JSON takes, unless it is all of the
holder's; a voucher's available amount, unless all of the voucher is there; what too few of a treasury's officers
signed, which is at most what it was. Of available amounts the state holds at least as much as there really was. The
others may be more or less, since what others gave back isn't in the part: an issue or a transfer always finds room
there. So it may admit what should have been refused and never the other way round, and the log records no refusals but
those of lines, which don't ask for them.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from tallystick.dossiers.expiring import account_rows, comes_out, known_rows
from tallystick.dossiers.settling import claim_comes_out, known_contracts, pay_unknown, unknown_contracts
from tallystick.dossiers.things import is_of, is_thing
from tallystick.vouchers.accounts import account_balances, is_open
from tallystick.vouchers.admit import SignedCommand, admit
from tallystick.vouchers.book import OF_LOTS, PROGRAMME_ACCOUNTS, Posting, lot_in
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Burned, Claimed, Expired
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.rule import Event, Rule
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer
from tallystick.vouchers.state import State

Balances = dict[str, int]

MAY_BE_MISSING: Final = frozenset(
    {
        Reason.NETWORK_NOT_FOUNDED,
        Reason.PARTY_UNKNOWN,
        Reason.KEY_UNKNOWN,
        Reason.SIGNATURES_MISSING,
        Reason.SUBJECT_UNKNOWN,
        Reason.PROGRAMME_UNKNOWN,
        Reason.CONTRACT_UNKNOWN,
        Reason.PROVIDER_UNKNOWN,
        Reason.ITEM_UNKNOWN,
        Reason.HOLDER_UNKNOWN,
        Reason.ATTESTER_UNKNOWN,
        Reason.APPLICATION_UNKNOWN,
        Reason.MANDATE_UNKNOWN,
        Reason.VOUCHER_UNKNOWN,
        Reason.RESERVATION_UNKNOWN,
        Reason.ITEM_NOT_IN_CONTRACT,
        Reason.CORRECTION_UNFOUNDED,
        Reason.TARIFF_MISSING,
        Reason.NOTHING_RESERVED,
        Reason.PROVIDER_NOT_ACCREDITED,
        Reason.STATEMENT_UNKNOWN,
        Reason.LINE_UNKNOWN,
        Reason.NOTHING_TO_CLAIM,
        Reason.CLAIM_UNKNOWN,
        Reason.SETTLEMENT_DIFFERS_FROM_CLAIM,
        Reason.EXCEEDS_WITHHELD,
        Reason.EXCEEDS_PAID,
        Reason.DEMAND_UNKNOWN,
        Reason.GATE_NOT_PASSED,
    }
)
"""Refusals that mean, of a command that was admitted, that something isn't in the part."""
FOLLOWS_FROM_OTHERS: Final = frozenset(
    {
        Reason.NOTHING_TO_CLAIM,
        Reason.SETTLEMENT_DIFFERS_FROM_CLAIM,
        Reason.EXCEEDS_WITHHELD,
        Reason.EXCEEDS_PAID,
        Reason.EXCEEDS_RECEIVABLE,
    }
)
"""Refusals that an amount brings about which an entry before has wrong, and which was named there."""


class Missing(NamedTuple):
    """Something that is asked for isn't in the part, as far as can be told."""

    what: str


class Followed(NamedTuple):
    """What an entry moved, and whether it touched the account."""

    postings: tuple[Posting, ...]
    touches: bool


class PartialReplay:
    """The state as a part of the log tells it.

    Attributes:
        state: after the entries replayed; its size is the last one's index and 1.
    """

    def __init__(self, origin: str, account: str) -> None:
        self.state = State.empty(origin)
        self._account = account
        self._has_opening = False

    def decide(self, index: int, at: int, signed: SignedCommand) -> Entry | Refusal | Missing:
        """Return what a command comes to as entry `index` at a time (microseconds); only room is made for it."""
        self.state.size = index
        self._give_room(signed.command, at)
        try:
            return admit(self.state, signed, at)
        except Exception as error:
            # A rule leans on what the log always has, and a part may lack; lookups fail, sums go wrong.
            return _missing(error)

    def lacking(self, event: Event) -> Missing | None:
        """Return what is missing of an entry of the account: contracts that it is of, or all that it ended."""
        outcome = event.outcome
        for contract in unknown_contracts(self.state, event):
            return Missing(f"there is no contract {contract} here")
        if isinstance(outcome, Expired) and not account_rows(self.state, self._account, outcome):
            return Missing(f"nothing is here that it ended of {self._account}")
        return None

    def follow(self, event: Event) -> Followed | Missing:
        """Change the state by an entry, with the outcome that it says; where something is missing, it is spoilt.

        Of an expiry, what it moves is the account's alone.
        """
        if self.state.network is None and not isinstance(event.command, NetworkFound):
            return Missing("entry 0, which founds the network, is not here")
        self.state.size = event.index
        try:
            applied = self._known_part(event)
            if isinstance(applied.command, RedemptionSettle):
                pay_unknown(self.state, applied.command)
            postings = evolve(self.state, applied, is_part=True)
            if isinstance(applied.outcome, Expired):
                names = {name for _, name, _, _ in account_rows(self.state, self._account, applied.outcome)}
                postings = tuple([posting for posting in postings if _of_row(posting) in names])
            return Followed(postings, is_of(self._account, self.state, applied))
        except Exception as error:
            return _missing(error)

    def has_ended(self, balances: Balances) -> bool:
        """Return whether the account, with these balances and untouched, is in no seal that is recorded now."""
        try:
            return not is_open(self.state, self._account, balances)
        except LookupError:
            return False  # it isn't in the part, or these aren't its balances

    def balances(self) -> Balances | Missing:
        """Return the account's balances as far as the part tells; nothing if it isn't there yet."""
        try:
            balances = account_balances(self.state).get(self._account, {})
        except Exception as error:
            return _missing(error)
        below = [name for name, amount_fen in balances.items() if amount_fen < 0]
        return Missing(f"what came into {below[0]} is not here") if below else balances

    def take_opening(self, balances: Balances) -> None:
        """Take a programme's book from the opening seal, so that its envelope is exact from there on."""
        self._has_opening = True
        kind, _, name = self._account.partition(" ")
        if kind == "programme" and name in self.state.programmes:
            book = self.state.book
            book.totals[name] = {account: balances.get(f"{account}_fen", 0) for account in PROGRAMME_ACCOUNTS}
            book.balances["unissued"][name] = balances.get("unissued_fen", 0)

    def concerns(self, posting: Posting) -> bool:
        """Return whether what an entry of the account moved is the account's; others may have paid the same lines."""
        kind, _, name = self._account.partition(" ")
        if kind == "programme":
            return posting.programme == name
        if kind == "treasury":
            return self.state.programmes[posting.programme].treasury == name
        if kind == "contract":
            ends = (posting.source, posting.source_id), (posting.target, posting.target_id)
            return name in [lot_in(*end).contract for end in ends if end[0] in OF_LOTS]
        if kind == "voucher":
            ends = (posting.source, posting.source_id), (posting.target, posting.target_id)
            return name in [self.state.voucher_of(*end) for end in ends]
        if kind == "demand":
            return ("receivable", name) in [(posting.source, posting.source_id), (posting.target, posting.target_id)]
        return True

    def comes_out(self, answer: Entry, recorded: Event) -> bool:
        """Return whether a decision is what is recorded, as far as that is about the account."""
        decided, outcome = answer.event.outcome, recorded.outcome
        if isinstance(decided, Claimed) and isinstance(outcome, Claimed):
            return not self._knows_all_contracts() and claim_comes_out(decided, outcome)
        if not isinstance(decided, Expired) or not isinstance(outcome, Expired):
            return False  # any other is about it as a whole, and its bytes were compared
        return comes_out(self.state, self._account, decided, outcome)

    def _knows_all_contracts(self) -> bool:
        """Return whether every contract of which the account is a payee or pays is in the part."""
        is_part = self._account.startswith("contract ") or is_thing(self._account)
        return not self._has_opening and not is_part

    def _known_part(self, event: Event) -> Event:
        """Return a claim of the contracts that are in the part, and an expiry of what is in it."""
        outcome = event.outcome
        if isinstance(outcome, Expired):
            return replace(event, outcome=known_rows(self.state, outcome))
        return replace(event, outcome=known_contracts(self.state, outcome)) if isinstance(outcome, Claimed) else event

    def _give_room(self, command: Rule, at: int) -> None:
        """Let an envelope and a cap suffice for a command, where the part can't tell what there really was."""
        if isinstance(command, VoucherIssue | VoucherImport):
            programme, holder, amount_fen = command.programme, command.holder, command.face_fen
        elif isinstance(command, VoucherTransfer) and command.voucher in self.state.vouchers:
            programme, holder = self.state.vouchers[command.voucher].programme, command.to
            amount_fen = command.amount_fen
        else:
            return
        there = self.state.programmes.get(programme)
        if there is None:
            return
        book = self.state.book
        if self._account != f"programme {programme}":
            book.balances["unissued"][programme] = max(book["unissued", programme], amount_fen)
        if self._has_opening or self._account != f"holder {holder}":
            granted = there.granted_id(holder, at)
            room_fen = there.rules_at(at).cap.holder_fen - amount_fen
            book.balances["granted"][granted] = min(book["granted", granted], room_fen)
            book.balances["held"][holder] = min(book["held", holder], INTEGER_MAX - amount_fen)


def may_be_missing(answer: Entry | Refusal, recorded: Event) -> bool:
    """Return whether a decision differs from what is recorded because the part lacks something."""
    if isinstance(answer, Refusal):
        return answer.reason in MAY_BE_MISSING
    decided, outcome = answer.event.outcome, recorded.outcome
    if not isinstance(decided, Burned) or not isinstance(outcome, Burned):
        return False
    before = dict(outcome.refused)
    return any(reason in MAY_BE_MISSING and before.get(number) != reason for number, reason in decided.refused)


def _of_row(posting: Posting) -> str:
    """Return the name of the row of an expiry by which something moved: a reservation, a voucher or a lot."""
    source, source_id = posting.source, posting.source_id
    return lot_in(source, source_id).id if source in OF_LOTS else source_id


def _missing(error: Exception) -> Missing:
    """Say what a failed lookup or sum was about, in a line."""
    what = (str(error.args[0]) if error.args else type(error).__name__)[:200]
    is_lookup = isinstance(error, LookupError)
    return Missing(f"there is no {what} here" if is_lookup else f"{type(error).__name__}: {what}")
