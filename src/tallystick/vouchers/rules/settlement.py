"""Settlement: claims, and what becomes of them."""

from collections.abc import Sequence
from typing import Final, Literal

from tallystick.vouchers.book import DatedLot, Posting
from tallystick.vouchers.fields import SubjectType
from tallystick.vouchers.outcomes import Claimed, Nothing
from tallystick.vouchers.quantities import Day, Fen, OwnedId, Sha256Hex, Text, format_day
from tallystick.vouchers.redemptions import Claim
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_new_id, check_own_programme
from tallystick.vouchers.rules.gates import check_passed
from tallystick.vouchers.rules.mandates import (
    MANDATE_REFUSALS,
    check_mandate,
    count_mandate,
    mandate_name,
    officers_or_mandate,
    treasury_of,
)
from tallystick.vouchers.rules.rule import (
    HOLDER,
    OPERATOR,
    PROVIDER,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    claims_on,
    own_party,
    party_account,
)
from tallystick.vouchers.state import State, Unclaimed


class RedemptionClaim(Rule):
    """A payee asks for what was burned in a period and isn't claimed."""

    kind: Literal["redemption.claim/1"]
    claim: OwnedId
    programme: OwnedId
    first_day: Day
    last_day: Day
    evidence_sha256: Sha256Hex | None = None

    event_kind = "redemption.claimed/1"
    outcome = Claimed
    roles = PROVIDER | HOLDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_THE_PAYEE,
        Reason.CLAIM_PERIOD_INVALID,
        Reason.CLAIM_PERIOD_NOT_OVER,
        Reason.NOTHING_TO_CLAIM,
        Reason.GATE_NOT_PASSED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Claimed | Refusal:
        """By whom the programme pays, for days that are over."""
        refusal = check_new_id(self.claim, self.party, state.claims)
        if refusal:
            return refusal
        programme = state.programmes.get(self.programme)
        if programme is None:
            return Refusal(Reason.PROGRAMME_UNKNOWN, self.programme)
        if programme.rules.payee not in ("contract", state.parties[self.party].role):
            return Refusal(Reason.NOT_THE_PAYEE, f"{self.programme} pays the {programme.rules.payee}")
        if self.last_day < self.first_day:
            return Refusal(Reason.CLAIM_PERIOD_INVALID, f"{format_day(self.last_day)} is before the first day")
        over_at = state.start_of(self.last_day + 1)
        if at < over_at:
            return Refusal(Reason.CLAIM_PERIOD_NOT_OVER, format_day(self.last_day), not_before=over_at)
        unclaimed_fen = self.unclaimed_fen(state)
        rounding_fen = programme.rules.rounding_fen
        amount_fen = unclaimed_fen // rounding_fen * rounding_fen
        if amount_fen == 0:
            return Refusal(Reason.NOTHING_TO_CLAIM, f"{unclaimed_fen} fen are unclaimed")
        return check_passed(state, self.programme, "claim", self.party, _claimant(state, self.party), at) or Claimed(
            amount_fen
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """What is unclaimed in the period is claimed, lot by lot; what was rounded off stays with the last of them."""
        assert isinstance(event.outcome, Claimed)
        lots = self._claimed(state, event.outcome.amount_fen)
        for contract_id in {lot.contract for lot in self._lots(state)}:
            if state.claimant(self.programme, contract_id) is None:
                state.contracts[contract_id].claimant = _side(state, self.party)
        state.claims[self.claim] = Claim(
            index=event.index,
            programme=self.programme,
            claimant=self.party,
            first_day=self.first_day,
            last_day=self.last_day,
            lots=[lot.burned_id for lot, _ in lots],
        )
        state.programmes[self.programme].claims.setdefault(self.party, []).append(self.claim)
        return tuple(
            [
                Posting(self.programme, "burned", lot.burned_id, "claimed", lot.claimed_id(self.claim), amount_fen)
                for lot, amount_fen in lots
            ]
        )

    def unclaimed_fen(self, state: State) -> int:
        """Return what is unclaimed in the period."""
        return sum(state.book["burned", lot.burned_id] for lot in self._lots(state))

    def _claimed(self, state: State, amount_fen: int) -> list[tuple[DatedLot, int]]:
        """Return what a claim of an amount takes of which lot, in order."""
        claimed = list[tuple[DatedLot, int]]()
        lots = self._lots(state)
        for lot in lots:
            taken_fen = min(amount_fen, state.book["burned", lot.burned_id])
            if taken_fen:
                claimed.append((lot, taken_fen))
                amount_fen -= taken_fen
        if amount_fen and lots:
            # Only where a part of a log is replayed that was decided wrongly: what is recorded is followed.
            last, taken_fen = claimed.pop() if claimed else (lots[-1], 0)
            claimed.append((last, taken_fen + amount_fen))
        return claimed

    def _lots(self, state: State) -> list[DatedLot]:
        """Return what is unclaimed in the period, in the order of contract, voucher and day."""
        by_contract = state.unclaimed.get(self.programme, {})
        return [
            DatedLot(voucher, contract, day)
            for contract in sorted(by_contract)
            if self._may_claim(state, contract)
            for voucher, day in self._dated(by_contract[contract])
        ]

    def _dated(self, days: Unclaimed) -> list[tuple[str, int]]:
        """Return the vouchers and days of the period, in order; other days aren't looked at."""
        within = [day for day in days if self.first_day <= day <= self.last_day]
        return sorted([(voucher, day) for day in within for voucher in days[day]])

    def _may_claim(self, state: State, contract_id: str) -> bool:
        """Return whether the programme pays the claimant for a contract."""
        claimant = state.claimant(self.programme, contract_id)
        contract = state.contracts[contract_id]
        return self.party in ((contract.provider, contract.holder) if claimant is None else (claimant,))

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the claimant."""
        claim = state.claims[self.claim]
        return {f"programme {claim.programme}"} | party_account(state, claim.claimant)

    def concerns(self, state: State, event: Event) -> Names:
        """The claim, and the claimant's claims."""
        return [f"claim {self.claim}", f"claims {self.programme} {self.party}"]

    def follows(self) -> Names:
        """The programme and the claimant."""
        return [f"rules {self.programme}", f"party {self.party}"]

    def asks(self, event: Event, history: History) -> Names:
        """The claimant's claims, verdicts on it, the contracts of all that may be unclaimed, and who claims there."""
        yield from (f"attestations provider {self.party}", f"attestations holder {self.party}")
        yield f"claims {self.programme} {self.party}"
        for contract in history.burned(self.programme, self.party, self.first_day, self.last_day, event.index):
            yield f"contract {contract}"
            if history.says_either(contract):
                yield from claims_on(history, contract)


class RedemptionPay(Rule):
    """A treasury paid a claim."""

    kind: Literal["redemption.pay/1"]
    claim: OwnedId
    amount_fen: Fen
    payment_reference: Text
    mandate: OwnedId | None = None

    event_kind = "redemption.paid/1"
    outcome = Nothing
    roles = TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.CLAIM_UNKNOWN,
        Reason.CLAIM_ALREADY_SETTLED,
        Reason.AMOUNT_DIFFERS_FROM_CLAIM,
        Reason.GATE_NOT_PASSED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; `required` of the treasury's officers where fewer signed more than they may."""
        return officers_or_mandate(state, self.party, self.mandate, self.amount_fen, at)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """An open claim, in full."""
        claim = state.claims.get(self.claim)
        programme = None if claim is None else claim.programme
        refusal = check_mandate(state, self, self.mandate, programme, self.amount_fen, at) or _check_open_claim(
            state, self.claim, treasury_of(state, self.party, self.mandate)
        )
        if refusal:
            return refusal
        claimed_fen = state.claimed_fen(self.claim)
        if self.amount_fen != claimed_fen:
            return Refusal(Reason.AMOUNT_DIFFERS_FROM_CLAIM, f"claimed are {claimed_fen} fen", limit_fen=claimed_fen)
        claim = state.claims[self.claim]
        subjects: dict[SubjectType, Sequence[str]] = {
            "claim": [self.claim],
            "contract": sorted({lot.contract for lot, _ in state.claimed(self.claim)}),
            **_claimant(state, claim.claimant),
        }
        return check_passed(state, claim.programme, "settle", claim.claimant, subjects, at) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Settled for good."""
        count_mandate(state, event, self.mandate, self.amount_fen)
        claim = state.claims[self.claim]
        postings = tuple(
            [
                Posting(claim.programme, "claimed", lot.claimed_id(self.claim), "paid", lot.lot.id, amount_fen)
                for lot, amount_fen in state.claimed(self.claim)
            ]
        )
        claim.status, claim.lots = "paid", []
        return postings

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the claimant."""
        claim = state.claims[self.claim]
        return {f"programme {claim.programme}"} | party_account(state, claim.claimant)

    def concerns(self, state: State, event: Event) -> Names:
        """The claim."""
        return [f"claim {self.claim}"]

    def follows(self) -> Names:
        """The claim, the party, and the mandate."""
        return [f"claim {self.claim}", f"party {self.party}", *mandate_name(self.mandate)]

    def asks(self, event: Event, history: History) -> Names:
        """Verdicts on the claim and its contracts, and what that asked for: a part of its lines would come to less."""
        claim = history.claim(self.claim)
        yield f"attestations claim {self.claim}"
        for name in claim.command.asks(claim, history):
            yield name
            if name.startswith("contract "):
                yield f"attestations {name}"


class RedemptionReject(Rule):
    """A treasury won't pay a claim; its lines are unclaimed again."""

    kind: Literal["redemption.reject/1"]
    claim: OwnedId
    reason: Text

    event_kind = "redemption.rejected/1"
    outcome = Nothing
    roles = TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.CLAIM_UNKNOWN,
        Reason.CLAIM_ALREADY_SETTLED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """An open claim."""
        return _check_open_claim(state, self.claim, self.party) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Unclaimed again, day by day."""
        claim = state.claims[self.claim]
        postings = tuple(
            [
                Posting(claim.programme, "claimed", lot.claimed_id(self.claim), "burned", lot.burned_id, amount_fen)
                for lot, amount_fen in state.claimed(self.claim)
            ]
        )
        claim.status, claim.lots = "rejected", []
        claim.rejected_index = event.index
        return postings

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the claimant."""
        claim = state.claims[self.claim]
        return {f"programme {claim.programme}"} | party_account(state, claim.claimant)

    def concerns(self, state: State, event: Event) -> Names:
        """The claim, and the claimant's claims."""
        claim = state.claims[self.claim]
        return [f"claim {self.claim}", f"claims {claim.programme} {claim.claimant}"]

    def follows(self) -> Names:
        """The claim."""
        return [f"claim {self.claim}"]

    def asks(self, event: Event, history: History) -> Names:
        """What the claim asked for: its lines are free again."""
        claim = history.claim(self.claim)
        return claim.command.asks(claim, history)


def _side(state: State, party: str) -> Literal["provider", "holder"]:
    """Return which side of a contract a claimant is."""
    return "provider" if state.parties[party].role == "provider" else "holder"


def _claimant(state: State, party: str) -> dict[SubjectType, Sequence[str]]:
    """Return a claimant as what a gate may be of."""
    return {_side(state, party): [party]}


def _check_open_claim(state: State, claim_id: str, treasury: str) -> Refusal | None:
    claim = state.claims.get(claim_id)
    if claim is None:
        return Refusal(Reason.CLAIM_UNKNOWN, claim_id)
    refusal = check_own_programme(state, claim.programme, treasury)
    if refusal:
        return refusal
    return None if claim.status == "open" else Refusal(Reason.CLAIM_ALREADY_SETTLED, f"{claim_id} is {claim.status}")


RULES: Final = (RedemptionClaim, RedemptionPay, RedemptionReject)
