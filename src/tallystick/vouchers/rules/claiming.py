"""A payee claims what was burned and isn't claimed yet."""

from collections.abc import Iterator
from itertools import chain
from typing import Final, Literal, NamedTuple

from tallystick.vouchers.book import DatedLot, Lot, Posting
from tallystick.vouchers.outcomes import Claimed
from tallystick.vouchers.quantities import DAY_US, Day, Hash, OwnedId, day_after, format_day, format_instant
from tallystick.vouchers.redemptions import Claim
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_new_id
from tallystick.vouchers.rules.gates import check_passed
from tallystick.vouchers.rules.rule import (
    HOLDER,
    PROVIDER,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    party_account,
)
from tallystick.vouchers.state import State
from tallystick.vouchers.unclaimed import WITHHELD, Places

LOTS_MAX: Final = 500
CONTRACTS_MAX: Final = 50
"""With the longest ids and reasons, the settlement of so many fits into an entry, whatever signs it."""
_MONTHS: Final = {"month": 1, "quarter": 3, "any": 0}


class _Part(NamedTuple):
    """What may be claimed of a lot in one place of the book."""

    lot: Lot
    account: Literal["burned", "withheld"]
    account_id: str
    amount_fen: int


class RedemptionClaim(Rule):
    """A payee asks for what is booked up to a day and isn't claimed."""

    kind: Literal["redemption.claim/1"]
    claim: OwnedId
    programme: OwnedId
    last_day: Day
    evidence_hash: Hash | None = None

    event_kind = "redemption.claimed/1"
    outcome = Claimed
    about = ("claim",)
    roles = PROVIDER | HOLDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_THE_PAYEE,
        Reason.CLAIM_PERIOD_INVALID,
        Reason.CLAIM_PERIOD_NOT_OVER,
        Reason.CLAIM_TOO_LATE,
        Reason.NOTHING_TO_CLAIM,
        Reason.GATE_NOT_PASSED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Claimed | Refusal:
        """By whom the programme pays, for a period that is over, and not for too long."""
        refusal = check_new_id(self.claim, self.party, state.claims, state.left["claim"])
        if refusal:
            return refusal
        programme = state.programmes.get(self.programme)
        if programme is None:
            return Refusal(Reason.PROGRAMME_UNKNOWN, self.programme)
        role = state.parties[self.party].role
        if programme.rules.payee not in ("contract", role):
            return Refusal(Reason.NOT_THE_PAYEE, f"{self.programme} pays the {programme.rules.payee}")
        refusal = self._check_period(state, at)
        if refusal:
            return refusal
        lots, more = self._lots(state, at)
        claimed = self._claimed(state, lots)
        amount_fen = sum([part.amount_fen for part in claimed])
        if amount_fen == 0:
            unclaimed_fen = sum([part.amount_fen for lot in lots for part in self._parts(state, lot)])
            return Refusal(Reason.NOTHING_TO_CLAIM, f"{unclaimed_fen} fen are unclaimed")
        rows: dict[str, int] = {}
        for part in claimed:
            rows[part.lot.contract] = rows.get(part.lot.contract, 0) + part.amount_fen
        side: Literal["provider", "holder"] = "provider" if role == "provider" else "holder"
        return check_passed(state, self.programme, "claim", self.party, {side: [self.party]}, at) or Claimed(
            amount_fen, more, tuple(rows.items())
        )

    def _check_period(self, state: State, at: int) -> Refusal | None:
        terms = state.programmes[self.programme].rules_at(at).claims
        months = _MONTHS[terms.cycle]
        _, month, day = day_after(self.last_day)
        if months and (day != 1 or (month - 1) % months):
            return Refusal(Reason.CLAIM_PERIOD_INVALID, f"no {terms.cycle} ends on {format_day(self.last_day)}")
        over_at = state.start_of(self.last_day + 1)
        if at < over_at:
            return Refusal(Reason.CLAIM_PERIOD_NOT_OVER, format_day(self.last_day), not_before=over_at)
        cut_off = over_at + terms.cut_off_days * DAY_US
        if at >= cut_off:
            return Refusal(Reason.CLAIM_TOO_LATE, f"it could be claimed before {format_instant(cut_off)}")
        return None

    def evolve(self, state: State, event: Event) -> Postings:
        """What is unclaimed is claimed, lot by lot; what was rounded off stays with the last of them."""
        assert isinstance(event.outcome, Claimed)
        claimed = self._taken(state, event)
        for contract_id, _ in event.outcome.rows:
            if contract_id in state.contracts and state.claimant(self.programme, contract_id) is None:
                is_provider = state.contracts[contract_id].provider == self.party
                state.contracts[contract_id].claimant = "provider" if is_provider else "holder"
        state.claims[self.claim] = Claim(
            index=event.index,
            programme=self.programme,
            claimant=self.party,
            last_day=self.last_day,
            lots=list(dict.fromkeys([part.lot.id for part in claimed])),
        )
        return tuple(
            [
                Posting(
                    self.programme,
                    part.account,
                    part.account_id,
                    "claimed",
                    part.lot.claimed_id(self.claim),
                    part.amount_fen,
                )
                for part in claimed
            ]
        )

    def _taken(self, state: State, event: Event) -> list[_Part]:
        """Return of which lot how much is claimed, as the outcome says it of each contract."""
        assert isinstance(event.outcome, Claimed)
        taken = list[_Part]()
        places = state.unclaimed.places.get(self.programme, {})
        for contract_id, amount_fen in event.outcome.rows:
            left_fen = amount_fen
            for voucher in sorted(places.get(contract_id, ())):
                if state.cut_off_of(voucher) <= event.at:
                    continue
                for part in self._parts(state, Lot(voucher, contract_id)):
                    taken_fen = min(left_fen, part.amount_fen)
                    if taken_fen:
                        taken.append(part._replace(amount_fen=taken_fen))
                        left_fen -= taken_fen
        return taken

    def _claimed(self, state: State, lots: list[Lot]) -> list[_Part]:
        """Return what is claimed of which lot, in order: all, less what rounding leaves with the last."""
        parts = [part for lot in lots for part in self._parts(state, lot)]
        rounding_fen = state.programmes[self.programme].rules.rounding_fen
        over_fen = sum([part.amount_fen for part in parts]) % rounding_fen
        while over_fen:
            last = parts.pop()
            if last.amount_fen > over_fen:
                parts.append(last._replace(amount_fen=last.amount_fen - over_fen))
            over_fen -= min(over_fen, last.amount_fen)
        return parts

    def _lots(self, state: State, at: int) -> tuple[list[Lot], bool]:
        """Return the lots that may be claimed, in the order of contract and voucher, and whether there are more.

        Contracts that come to less than a claim is rounded to are passed over where they take others' places.
        """
        rounding_fen = state.programmes[self.programme].rules.rounding_fen
        taken: list[list[Lot]] = []
        for contract_id, places in sorted(state.unclaimed.places.get(self.programme, {}).items()):
            of_contract = [Lot(voucher, contract_id) for voucher in self._vouchers(state, places, at)]
            if not of_contract or not self._may_claim(state, contract_id):
                continue
            while taken and (len(taken) == CONTRACTS_MAX or sum(map(len, taken)) + len(of_contract) > LOTS_MAX):
                if self._amount_fen(state, taken) >= rounding_fen:
                    return list(chain(*taken)), True
                taken.pop(0)
            if len(of_contract) > LOTS_MAX:
                return of_contract[:LOTS_MAX], True
            taken.append(of_contract)
        return list(chain(*taken)), False

    def _amount_fen(self, state: State, taken: list[list[Lot]]) -> int:
        """Return what can be claimed of lots, contract by contract."""
        return sum([part.amount_fen for lots in taken for lot in lots for part in self._parts(state, lot)])

    def _vouchers(self, state: State, places: Places, at: int) -> Iterator[str]:
        """Yield the vouchers of which something can be claimed, in the order of their ids."""
        for voucher, days in sorted(places.items()):
            if days[0] <= self.last_day and at < state.cut_off_of(voucher):
                yield voucher

    def _parts(self, state: State, lot: Lot) -> Iterator[_Part]:
        """Yield where something of a lot lies that can be claimed: what was withheld, then by day."""
        for day in state.unclaimed.places.get(self.programme, {}).get(lot.contract, {}).get(lot.voucher, ()):
            if day == WITHHELD:
                yield _Part(lot, "withheld", lot.id, state.book["withheld", lot.id])
            elif day <= self.last_day:
                burned_id = DatedLot(*lot, day).burned_id
                yield _Part(lot, "burned", burned_id, state.book["burned", burned_id])

    def _may_claim(self, state: State, contract_id: str) -> bool:
        """Return whether the programme pays the claimant for a contract."""
        claimant = state.claimant(self.programme, contract_id)
        contract = state.contracts[contract_id]
        return self.party in ((contract.provider, contract.holder) if claimant is None else (claimant,))

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme, the claimant, and each contract under which something is claimed."""
        assert isinstance(event.outcome, Claimed)
        contracts = {f"contract {contract}" for contract, _ in event.outcome.rows}
        return {f"programme {self.programme}"} | party_account(state, self.party) | contracts

    def concerns(self, state: State, event: Event) -> Names:
        """The claim, and each contract of it."""
        assert isinstance(event.outcome, Claimed)
        return [f"claim {self.claim}", *[f"life {contract}" for contract, _ in event.outcome.rows]]

    def follows(self) -> Names:
        """The programme and the claimant."""
        return [f"rules {self.programme}", f"party {self.party}"]

    def asks(self, event: Event, history: History) -> Names:
        """Its contracts with all that was burned and claimed under them, and verdicts on the claimant."""
        assert isinstance(event.outcome, Claimed)
        yield from (f"attestations provider {self.party}", f"attestations holder {self.party}")
        yield from (f"life {contract}" for contract, _ in event.outcome.rows)


RULES: Final = (RedemptionClaim,)
