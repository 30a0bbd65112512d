"""Vouchers from before the log: a city that runs its programme already brings them along."""

from typing import Final, Literal

from tallystick.vouchers.book import CARRIED_OVER, Lot, Posting
from tallystick.vouchers.holdings import Voucher
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Fen, FenOrZero, Hash, Instant, OwnedId, PartyId, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import (
    check_cap,
    check_new_id,
    check_own_programme,
    check_receiving_holder,
    check_sum,
)
from tallystick.vouchers.rules.rule import (
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    voucher_accounts,
)
from tallystick.vouchers.state import Due, State


class VoucherImport(Rule):
    """A voucher that was issued, and in part used, before the log began."""

    kind: Literal["voucher.import/1"]
    voucher: OwnedId
    programme: OwnedId
    holder: PartyId
    face_fen: Fen
    used_fen: FenOrZero
    valid_from: Instant
    valid_until: Instant
    evidence_hash: Hash

    event_kind = "voucher.imported/1"
    outcome = Nothing
    about = ("voucher",)
    roles = TREASURY
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.WINDOW_INVALID,
        Reason.OUTSIDE_PROGRAMME_WINDOW,
        Reason.ISSUED_WITHIN_THE_LOG,
        Reason.HOLDER_UNKNOWN,
        Reason.RECEIVER_SUSPENDED,
        Reason.USED_ABOVE_FACE,
        Reason.EXCEEDS_ENVELOPE,
        Reason.EXCEEDS_HOLDER_CAP,
        Reason.SUM_TOO_LARGE,
    )

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum, and as many as its officers' rule requires at any amount."""
        party = state.parties[self.party]
        return {self.party: max(party.quorum, 1 if party.officers is None else party.officers.required)}

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """From before the log, within the programme's window, envelope and cap, with its original dates."""
        refusal = check_new_id(self.voucher, self.party, state.vouchers, state.left["voucher"]) or check_own_programme(
            state, self.programme, self.party
        )
        if refusal:
            return refusal
        programme = state.programmes[self.programme]
        if self.valid_until <= self.valid_from or self.valid_until <= at:
            return Refusal(Reason.WINDOW_INVALID, f"valid until {format_instant(self.valid_until)}")
        if not programme.opens_at <= self.valid_from < programme.closes_at:
            return Refusal(Reason.OUTSIDE_PROGRAMME_WINDOW, format_instant(self.valid_from))
        assert state.network is not None
        if self.valid_from >= state.network.founded_at:
            detail = f"the log began at {format_instant(state.network.founded_at)}"
            return Refusal(Reason.ISSUED_WITHIN_THE_LOG, detail)
        return check_receiving_holder(state, self.holder) or self._check_amounts(state, at) or Nothing()

    def _check_amounts(self, state: State, at: int) -> Refusal | None:
        if self.used_fen > self.face_fen:
            return Refusal(Reason.USED_ABOVE_FACE, f"the face is {self.face_fen} fen", limit_fen=self.face_fen)
        unissued_fen = state.book["unissued", self.programme]
        if self.face_fen > unissued_fen:
            return Refusal(Reason.EXCEEDS_ENVELOPE, f"{unissued_fen} fen are unissued", limit_fen=unissued_fen)
        return check_cap(state, self.programme, self.holder, self.face_fen, at) or check_sum(
            state, "held", self.holder, self.face_fen
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """What was used is paid, carried over; the rest is the holder's."""
        programme = state.programmes[self.programme]
        state.vouchers[self.voucher] = Voucher(
            programme=self.programme,
            holder=self.holder,
            face_fen=self.face_fen,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            rules_version=programme.version_at(event.at),
            granted_id=programme.granted_id(self.holder, event.at),
            carried_over_fen=self.used_fen,
        )
        state.add_due(Due(self.valid_until, self.voucher, "voucher"))
        if self.used_fen:
            state.grant(self.voucher, self.used_fen)
            state.book.note("settled", Lot(self.voucher, CARRIED_OVER).id, self.used_fen)
        used = f"{self.programme} {CARRIED_OVER}"
        left_fen = self.face_fen - self.used_fen
        postings = (
            Posting(self.programme, "unissued", self.programme, "paid", used, self.used_fen),
            Posting(self.programme, "unissued", self.programme, "available", self.voucher, left_fen),
        )
        return tuple([posting for posting in postings if posting.amount_fen])

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder and its programme."""
        return voucher_accounts(state, self.voucher)

    def concerns(self, state: State, event: Event) -> Names:
        """The voucher's terms."""
        return [f"terms {self.voucher}"]

    def follows(self) -> Names:
        """Its programme, holder and treasury."""
        return [f"rules {self.programme}", f"party {self.holder}", f"party {self.party}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


RULES: Final = (VoucherImport,)
