"""Mandates: given and ended by a treasury, and what speaks against a command that an operator gives by one."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from tallystick.vouchers.mandates import Mandate
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import (
    AHEAD_MAX_US,
    FenOrZero,
    Instant,
    OwnedId,
    PartyId,
    Text,
    ascending,
    format_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_new_id, check_own_programme, unknown
from tallystick.vouchers.rules.officers import count_signatures, officers_needed
from tallystick.vouchers.rules.rule import (
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    quorum,
)
from tallystick.vouchers.state import State

MandatedKind = Literal[
    "redemption.settle/1",
    "reservation.release/1",
    "voucher.issue/1",
    "voucher.resume/1",
    "voucher.revoke/1",
    "voucher.suspend/1",
]
"""Commands that a treasury may have given by an operator."""


class MandateGive(Rule):
    """A treasury lets an operator give some kinds of command for it, up to an amount, until a day."""

    kind: Literal["mandate.give/1"]
    mandate: OwnedId
    operator: PartyId
    kinds: Annotated[tuple[MandatedKind, ...], Field(min_length=1, max_length=6), AfterValidator(ascending)]
    programme: OwnedId | None = None
    each_fen: FenOrZero
    total_fen: FenOrZero
    until: Instant

    event_kind = "mandate.given/1"
    outcome = Nothing
    about = ("mandate",)
    roles = TREASURY
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.WINDOW_INVALID,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.OPERATOR_UNKNOWN,
        Reason.RECEIVER_SUSPENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """To an operator in good standing, for a year at most."""
        refusal = check_new_id(self.mandate, self.party, state.mandates, state.left["mandate"])
        if refusal is None and self.programme is not None:
            refusal = check_own_programme(state, self.programme, self.party)
        if refusal:
            return refusal
        if self.until <= at:
            return Refusal(Reason.WINDOW_INVALID, f"until {format_instant(self.until)}")
        if self.until > at + AHEAD_MAX_US:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, f"until {format_instant(self.until)}")
        operator = state.admitted(self.operator)
        if operator is None or operator.role != "operator":
            return Refusal(Reason.OPERATOR_UNKNOWN, self.operator)
        return Refusal(Reason.RECEIVER_SUSPENDED, self.operator) if operator.suspended else Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """A mandate of which nothing is used."""
        state.mandates[self.mandate] = Mandate(
            treasury=self.party,
            operator=self.operator,
            kinds=self.kinds,
            programme=self.programme,
            each_fen=self.each_fen,
            total_fen=self.total_fen,
            until=self.until,
        )
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The mandate."""
        return [f"mandate {self.mandate}"]

    def follows(self) -> Names:
        """The treasury and the operator."""
        return [f"party {self.party}", f"party {self.operator}"]

    def asks(self, event: Event, history: History) -> Names:
        """The programme."""
        return [] if self.programme is None else [f"rules {self.programme}"]


class MandateEnd(Rule):
    """A treasury takes a mandate back."""

    kind: Literal["mandate.end/1"]
    mandate: OwnedId
    reason: Text

    event_kind = "mandate.ended/1"
    outcome = Nothing
    about = ("mandate",)
    roles = TREASURY
    refusals = (
        Reason.MANDATE_UNKNOWN,
        Reason.NOT_OWN_MANDATE,
        Reason.MANDATE_OVER,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """One of its own, before it is over."""
        mandate = state.mandates.get(self.mandate)
        if mandate is None:
            return unknown(state, Reason.MANDATE_UNKNOWN, "mandate", self.mandate)
        if mandate.treasury != self.party:
            return Refusal(Reason.NOT_OWN_MANDATE, self.mandate)
        return _check_open(mandate, self.mandate, at) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Nothing more is done by it."""
        state.mandates[self.mandate].ended = True
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The mandate."""
        return [f"mandate {self.mandate}"]

    def follows(self) -> Names:
        """The mandate."""
        return [f"mandate {self.mandate}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


def _check_open(mandate: Mandate, mandate_id: str, at: int) -> Refusal | None:
    if mandate.ended or at >= mandate.until:
        return Refusal(Reason.MANDATE_OVER, mandate_id)
    return None


MANDATE_REFUSALS: Final = (
    Reason.MANDATE_MISPLACED,
    Reason.MANDATE_UNKNOWN,
    Reason.NOT_OWN_MANDATE,
    Reason.MANDATE_OVER,
    Reason.KIND_NOT_MANDATED,
    Reason.PROGRAMME_NOT_MANDATED,
    Reason.EXCEEDS_MANDATE,
)
"""What speaks against a command by mandate, beside what would against its treasury's own."""


def treasury_of(state: State, party: str, mandate_id: str | None) -> str:
    """Return for which treasury a party acts: by a mandate for its treasury, else for itself."""
    mandate = None if mandate_id is None else state.mandates.get(mandate_id)
    return party if mandate is None else mandate.treasury


def check_mandate(
    state: State, command: Rule, mandate_id: str | None, programme: str | None, amount_fen: int, at: int
) -> Refusal | None:
    """Refuse a command that its operator has no mandate for, and a mandate that a treasury names for itself.

    Args:
        state: before the command.
        command: given by a treasury, or by an operator.
        mandate_id: that it names.
        programme: that it is about, if there is one.
        amount_fen: that leaves the treasury by it.
        at: the log's time (microseconds).
    """
    is_operator = state.parties[command.party].role == "operator"
    if mandate_id is None or not is_operator:
        if is_operator == (mandate_id is not None):
            return None
        return Refusal(Reason.MANDATE_MISPLACED, "an operator acts by a mandate, a treasury by none")
    mandate = state.mandates.get(mandate_id)
    if mandate is None:
        return unknown(state, Reason.MANDATE_UNKNOWN, "mandate", mandate_id)
    if mandate.operator != command.party:
        return Refusal(Reason.NOT_OWN_MANDATE, mandate_id)
    refusal = _check_open(mandate, mandate_id, at)
    if refusal:
        return refusal
    if command.kind not in mandate.kinds:
        return Refusal(Reason.KIND_NOT_MANDATED, f"{mandate_id} is for {', '.join(mandate.kinds)}")
    if programme is not None and mandate.programme not in (None, programme):
        return Refusal(Reason.PROGRAMME_NOT_MANDATED, f"{mandate_id} is for {mandate.programme}")
    left_fen = min(mandate.each_fen, mandate.total_fen - state.book["mandated", mandate_id])
    if amount_fen > left_fen:
        return Refusal(Reason.EXCEEDS_MANDATE, f"{left_fen} fen are left of it", limit_fen=left_fen)
    return None


def officers_or_mandate(state: State, party: str, mandate_id: str | None, amount_fen: int, at: int) -> Signers:
    """Ask for one signature of the party, and for the treasury's officers where too few signed more than may be.

    A mandate counts as no officer: above the threshold as many of them sign beside the operator.
    """
    treasury = treasury_of(state, party, mandate_id)
    if treasury == party:
        if state.parties[party].role != "treasury":
            return {party: 1}
        return {party: officers_needed(state, party, amount_fen, at)}
    officers = officers_needed(state, treasury, amount_fen, at)
    return {party: 1, treasury: officers} if officers > 1 else {party: 1}


def count_mandate(state: State, event: Event, mandate_id: str | None, amount_fen: int) -> None:
    """Count an amount against the sums of a treasury's officers, and against the mandate by which it leaves."""
    count_signatures(state, event, treasury_of(state, event.command.party, mandate_id), amount_fen)
    if mandate_id is not None:
        state.book.note("mandated", mandate_id, amount_fen)


def check_treasurys_voucher(
    state: State, command: Rule, voucher_id: str, mandate_id: str | None, at: int
) -> Refusal | None:
    """Refuse a voucher that isn't there, or is of a programme that the command's party doesn't act for."""
    voucher = state.vouchers.get(voucher_id)
    programme = None if voucher is None else voucher.programme
    refusal = check_mandate(state, command, mandate_id, programme, 0, at)
    if refusal:
        return refusal
    if programme is None:
        return unknown(state, Reason.VOUCHER_UNKNOWN, "voucher", voucher_id)
    return check_own_programme(state, programme, treasury_of(state, command.party, mandate_id))


def mandate_name(mandate_id: str | None) -> Names:
    """Return the name under which a mandate's entries are found, if a command is given by one."""
    return [] if mandate_id is None else [f"mandate {mandate_id}"]


RULES: Final = (MandateGive, MandateEnd)
