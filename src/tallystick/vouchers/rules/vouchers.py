"""Vouchers: issued, passed on, suspended, ended."""

from collections.abc import Sequence
from typing import Final, Literal

from tallystick.vouchers.book import Posting
from tallystick.vouchers.fields import SubjectType
from tallystick.vouchers.holdings import Voucher
from tallystick.vouchers.outcomes import Issued, Nothing
from tallystick.vouchers.quantities import DAY_US, Fen, Hash, Instant, OwnedId, PartyId, Text, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import (
    check_asked_for,
    check_available,
    check_cap,
    check_good,
    check_holders_contract,
    check_named,
    check_new_id,
    check_own_programme,
    check_own_voucher,
    check_receiving_holder,
    check_sum,
)
from tallystick.vouchers.rules.gates import check_passed
from tallystick.vouchers.rules.mandates import (
    MANDATE_REFUSALS,
    check_mandate,
    check_treasurys_voucher,
    count_mandate,
    mandate_name,
    officers_or_mandate,
    treasury_of,
)
from tallystick.vouchers.rules.rule import (
    HOLDER,
    OPERATOR,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.state import Due, State


class VoucherIssue(Rule):
    """A treasury gives a holder a voucher."""

    kind: Literal["voucher.issue/1"]
    voucher: OwnedId
    programme: OwnedId
    holder: PartyId
    face_fen: Fen
    valid_from: Instant
    contract: OwnedId | None = None
    mandate: OwnedId | None = None
    application: OwnedId | None = None
    evidence_hash: Hash | None = None

    event_kind = "voucher.issued/1"
    outcome = Issued
    about = ("voucher",)
    roles = TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
        Reason.OUTSIDE_PROGRAMME_WINDOW,
        Reason.HOLDER_UNKNOWN,
        Reason.RECEIVER_SUSPENDED,
        Reason.APPLICATION_UNKNOWN,
        Reason.APPLICATION_WITHDRAWN,
        Reason.APPLICATION_MISSING,
        Reason.CONTRACT_MISSING,
        Reason.APPLICATION_DIFFERS,
        Reason.BELOW_HOLDER_FLOOR,
        Reason.EXCEEDS_ENVELOPE,
        Reason.EXCEEDS_HOLDER_CAP,
        Reason.EXCEEDS_APPLICATION,
        Reason.SUM_TOO_LARGE,
        Reason.GATE_NOT_PASSED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; `required` of the treasury's officers where fewer signed more than they may."""
        return officers_or_mandate(state, self.party, self.mandate, self.face_fen, at)

    def decide(self, state: State, at: int) -> Issued | Refusal:
        """Within the programme's window, floor, cap and envelope, for what was asked for, and past its gates."""
        treasury = treasury_of(state, self.party, self.mandate)
        refusal = (
            check_mandate(state, self, self.mandate, self.programme, self.face_fen, at)
            or check_new_id(self.voucher, self.party, state.vouchers, state.left["voucher"])
            or check_own_programme(state, self.programme, treasury)
        )
        if refusal:
            return refusal
        programme = state.programmes[self.programme]
        rules = programme.rules_at(at)
        refusal = self._check_contract(state)
        if refusal:
            return refusal
        for instant in (at, self.valid_from):
            if not programme.opens_at <= instant < programme.closes_at:
                return Refusal(Reason.OUTSIDE_PROGRAMME_WINDOW, format_instant(instant))
        refusal = check_receiving_holder(state, self.holder) or check_named(
            state, self.programme, self.holder, self.application, self.contract, at
        )
        if refusal:
            return refusal
        if self.face_fen < rules.cap.floor_fen:
            detail = f"the floor is {rules.cap.floor_fen} fen"
            return Refusal(Reason.BELOW_HOLDER_FLOOR, detail, limit_fen=rules.cap.floor_fen)
        unissued_fen = state.book["unissued", self.programme]
        if self.face_fen > unissued_fen:
            return Refusal(Reason.EXCEEDS_ENVELOPE, f"{unissued_fen} fen are unissued", limit_fen=unissued_fen)
        return (
            check_cap(state, self.programme, self.holder, self.face_fen, at)
            or check_asked_for(state, self.application, self.face_fen)
            or check_sum(state, "held", self.holder, self.face_fen)
            or check_passed(state, self.programme, "issue", self.holder, self._subjects(), at)
            or Issued(self.valid_from + rules.validity_days * DAY_US)
        )

    def _subjects(self) -> dict[SubjectType, Sequence[str]]:
        """Return what gates before it are about."""
        return {
            "application": [self.application] if self.application else [],
            "contract": [self.contract] if self.contract else [],
            "holder": [self.holder],
        }

    def _check_contract(self, state: State) -> Refusal | None:
        """Refuse a contract that isn't the holder's."""
        return None if self.contract is None else check_holders_contract(state, self.contract, self.holder)

    def evolve(self, state: State, event: Event) -> Postings:
        """Out of the envelope, into a holder's hands."""
        assert isinstance(event.outcome, Issued)
        count_mandate(state, event, self.mandate, self.face_fen)
        programme = state.programmes[self.programme]
        application = state.applications[self.application] if self.application else None
        if application:
            application.issued_fen += self.face_fen
        state.vouchers[self.voucher] = Voucher(
            programme=self.programme,
            holder=self.holder,
            face_fen=self.face_fen,
            valid_from=self.valid_from,
            valid_until=event.outcome.valid_until,
            rules_version=programme.version_at(event.at),
            granted_id=programme.granted_id(self.holder, event.at),
            contract=self.contract,
            application=self.application,
            holder_class=application.holder_class if application else None,
        )
        state.add_due(Due(event.outcome.valid_until, self.voucher, "voucher"))
        return (Posting(self.programme, "unissued", self.programme, "available", self.voucher, self.face_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder and its programme."""
        return voucher_accounts(state, self.voucher)

    def concerns(self, state: State, event: Event) -> Names:
        """The voucher's terms, and the application."""
        return [f"terms {self.voucher}", *self._applied()]

    def follows(self) -> Names:
        """Its programme, holder, treasury, application and mandate."""
        parties = [f"party {self.holder}", f"party {self.party}"]
        return [f"rules {self.programme}", *parties, *self._applied(), *mandate_name(self.mandate)]

    def _applied(self) -> list[str]:
        return [f"application {self.application}"] if self.application else []

    def asks(self, event: Event, history: History) -> Names:
        """The contract that it is spent under, and the verdicts on it, on holder and application."""
        bound = [] if self.contract is None else [f"life {self.contract}", f"attestations contract {self.contract}"]
        return [*bound, f"attestations holder {self.holder}", *[f"attestations {name}" for name in self._applied()]]


class VoucherTransfer(Rule):
    """A holder passes on a part, or all that is available, as a new voucher."""

    kind: Literal["voucher.transfer/1"]
    voucher: OwnedId
    into: OwnedId
    to: PartyId
    amount_fen: Fen

    event_kind = "voucher.transferred/1"
    outcome = Nothing
    about = ("voucher", "into")
    roles = HOLDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.HOLDER_UNKNOWN,
        Reason.RECEIVER_SUSPENDED,
        Reason.VOUCHER_UNKNOWN,
        Reason.NOT_OWN_VOUCHER,
        Reason.TRANSFER_FORBIDDEN,
        Reason.VOUCHER_BOUND_TO_CONTRACT,
        Reason.TRANSFER_TO_ONESELF,
        Reason.VOUCHER_SUSPENDED,
        Reason.VOUCHER_ENDED,
        Reason.EXCEEDS_HOLDER_CAP,
        Reason.EXCEEDS_AVAILABLE_BALANCE,
        Reason.SUM_TOO_LARGE,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the holder, and one of the treasury where the programme says `approved`."""
        voucher = state.vouchers.get(self.voucher)
        if voucher is None:
            return {self.party: 1}
        if state.rules_of(voucher).transfer != "approved":
            return {self.party: 1}
        return {self.party: 1, state.programmes[voucher.programme].treasury: 1}

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Where the programme lets it, to a holder whose cap has room."""
        refusal = (
            check_new_id(self.into, self.party, state.vouchers, state.left["voucher"])
            or check_receiving_holder(state, self.to)
            or check_own_voucher(state, self.voucher, self.party)
        )
        if refusal:
            return refusal
        voucher = state.vouchers[self.voucher]
        if state.rules_of(voucher).transfer == "forbidden":
            return Refusal(Reason.TRANSFER_FORBIDDEN, voucher.programme)
        if voucher.contract is not None:
            return Refusal(Reason.VOUCHER_BOUND_TO_CONTRACT, voucher.contract)
        if self.to == self.party:
            return Refusal(Reason.TRANSFER_TO_ONESELF, self.to)
        return (
            check_good(voucher, self.voucher, at)
            or check_cap(state, voucher.programme, self.to, self.amount_fen, at)
            or check_available(state, self.voucher, self.amount_fen)
            or check_sum(state, "held", self.to, self.amount_fen)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """A part becomes a voucher of its own."""
        parent = state.vouchers[self.voucher]
        state.vouchers[self.into] = Voucher(
            programme=parent.programme,
            holder=self.to,
            face_fen=self.amount_fen,
            valid_from=parent.valid_from,
            valid_until=parent.valid_until,
            rules_version=parent.rules_version,
            granted_id=state.programmes[parent.programme].granted_id(self.to, event.at),
            parent=self.voucher,
        )
        state.add_due(Due(parent.valid_until, self.into, "voucher"))
        return (Posting(parent.programme, "available", self.voucher, "available", self.into, self.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """Both vouchers, both holders, and the programme."""
        return voucher_accounts(state, self.voucher) | voucher_accounts(state, self.into)

    def concerns(self, state: State, event: Event) -> Names:
        """The new voucher's terms."""
        return [f"terms {self.into}"]

    def follows(self) -> Names:
        """The old voucher's terms, and the holder."""
        return [f"terms {self.voucher}", f"party {self.to}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class VoucherSuspend(Rule):
    """A voucher can't be reserved or transferred for now."""

    kind: Literal["voucher.suspend/1"]
    voucher: OwnedId
    mandate: OwnedId | None = None
    reason: Text

    event_kind = "voucher.suspended/1"
    outcome = Nothing
    about = ("voucher",)
    roles = TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.VOUCHER_UNKNOWN,
        Reason.VOUCHER_SUSPENDED,
        Reason.VOUCHER_ENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A good voucher, by its treasury."""
        refusal = check_treasurys_voucher(state, self, self.voucher, self.mandate, at)
        return refusal or check_good(state.vouchers[self.voucher], self.voucher, at) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Frozen."""
        state.vouchers[self.voucher].status = "suspended"
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder and its programme."""
        return voucher_accounts(state, self.voucher)

    def concerns(self, state: State, event: Event) -> Names:
        """The voucher's terms."""
        return [f"terms {self.voucher}"]

    def follows(self) -> Names:
        """The voucher's terms, and the mandate."""
        return [f"terms {self.voucher}", *mandate_name(self.mandate)]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class VoucherResume(Rule):
    """A suspended voucher is good again."""

    kind: Literal["voucher.resume/1"]
    voucher: OwnedId
    mandate: OwnedId | None = None
    reason: Text

    event_kind = "voucher.resumed/1"
    outcome = Nothing
    about = ("voucher",)
    roles = TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.VOUCHER_UNKNOWN,
        Reason.VOUCHER_NOT_SUSPENDED,
        Reason.VOUCHER_ENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A suspended voucher, by its treasury."""
        refusal = check_treasurys_voucher(state, self, self.voucher, self.mandate, at)
        if refusal:
            return refusal
        voucher = state.vouchers[self.voucher]
        if voucher.status != "suspended":
            return Refusal(Reason.VOUCHER_NOT_SUSPENDED, self.voucher)
        if voucher.is_spent_time(at):
            return Refusal(Reason.VOUCHER_ENDED, self.voucher)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Good again."""
        state.vouchers[self.voucher].status = "active"
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder and its programme."""
        return voucher_accounts(state, self.voucher)

    def concerns(self, state: State, event: Event) -> Names:
        """The voucher's terms."""
        return [f"terms {self.voucher}"]

    def follows(self) -> Names:
        """The voucher's terms, and the mandate."""
        return [f"terms {self.voucher}", *mandate_name(self.mandate)]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


RULES: Final = (VoucherIssue, VoucherTransfer, VoucherSuspend, VoucherResume)
