"""What comes back of a voucher that its treasury ends, and of what time has ended."""

from collections import Counter
from typing import Final, Literal

from tallystick.vouchers.book import DatedLot, Lot, Posting
from tallystick.vouchers.outcomes import Expired, ExpiredRow, Returned
from tallystick.vouchers.quantities import OwnedId, Text, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.mandates import MANDATE_REFUSALS, check_treasurys_voucher, mandate_name
from tallystick.vouchers.rules.reservations import close, put_back
from tallystick.vouchers.rules.rule import (
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
from tallystick.vouchers.unclaimed import WITHHELD

ROWS_MAX: Final = 180
"""With the longest ids they fit into an entry, whatever signs it."""


class VoucherRevoke(Rule):
    """What is available of a voucher goes back to the envelope."""

    kind: Literal["voucher.revoke/1"]
    voucher: OwnedId
    mandate: OwnedId | None = None
    reason: Text

    event_kind = "voucher.revoked/1"
    outcome = Returned
    about = ("voucher",)
    roles = TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.VOUCHER_UNKNOWN,
        Reason.VOUCHER_ENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Returned | Refusal:
        """Before its validity is over; suspended or not."""
        refusal = check_treasurys_voucher(state, self, self.voucher, self.mandate, at)
        if refusal:
            return refusal
        voucher = state.vouchers[self.voucher]
        if voucher.is_spent_time(at):
            return Refusal(Reason.VOUCHER_ENDED, self.voucher)
        return Returned(state.book["available", self.voucher])

    def evolve(self, state: State, event: Event) -> Postings:
        """Ended by its treasury; what was revoked no longer counts against the holder's cap."""
        voucher = state.vouchers[self.voucher]
        voucher.status = "revoked"
        state.remove_due(Due(voucher.valid_until, self.voucher, "voucher"))
        return _give_back(state, self.voucher, event)

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
        """Its whole history: what returns must be exact."""
        return [f"voucher {self.voucher}"]


def _give_back(state: State, voucher_id: str, event: Event) -> Postings:
    assert isinstance(event.outcome, Returned)
    programme = state.vouchers[voucher_id].programme
    amount_fen = event.outcome.returned_fen
    return (Posting(programme, "available", voucher_id, "unissued", programme, amount_fen),) if amount_fen else ()


class BookExpire(Rule):
    """What time has ended is booked: reservations past their end and grace, vouchers past their validity."""

    kind: Literal["book.expire/1"]

    event_kind = "book.expired/1"
    outcome = Expired
    about = ()
    roles = OPERATOR | TREASURY
    refusals = (Reason.NOTHING_DUE,)

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Expired | Refusal:
        """In the order in which time ended them; a treasury's own alone."""
        rows: list[ExpiredRow] = []
        returned_fen: Counter[str] = Counter()
        ended: set[str] = set()
        for due in state.due:
            if due.at > at:
                break
            if not self._may_book(state, due):
                continue
            if len(rows) == ROWS_MAX:
                return Expired(True, tuple(rows))
            if due.kind == "lots":
                for lot in _lots_of(state, due.id):
                    if len(rows) == ROWS_MAX:
                        return Expired(True, tuple(rows))
                    rows.append(("lot", lot.id, sum(fen for _, _, fen in _unclaimed(state, lot)), "programme"))
                continue
            if due.kind == "voucher":
                rows.append(("voucher", due.id, state.book["available", due.id] + returned_fen[due.id], "programme"))
                ended.add(due.id)
                continue
            voucher, left_fen = state.reservations[due.id].voucher, state.book["reserved", due.id]
            if voucher in ended or state.vouchers[voucher].has_ended:
                rows.append(("reservation", due.id, left_fen, "programme"))
            else:
                rows.append(("reservation", due.id, left_fen, "voucher"))
                returned_fen[voucher] += left_fen
        if rows:
            return Expired(False, tuple(rows))
        not_before = min([due.at for due in state.due if self._may_book(state, due)], default=None)
        detail = "nothing is open" if not_before is None else f"the next is due at {format_instant(not_before)}"
        return Refusal(Reason.NOTHING_DUE, detail, not_before=not_before)

    def _may_book(self, state: State, due: Due) -> bool:
        """Return whether something is of a programme of the treasury; an operator books all."""
        if state.parties[self.party].role == "operator":
            return True
        held = state.reservations[due.id] if due.kind == "reservation" else state.vouchers[due.id]
        return state.programmes[held.programme].treasury == self.party

    def evolve(self, state: State, event: Event) -> Postings:
        """Reservations are closed, vouchers have expired; what was left goes where the outcome says."""
        assert isinstance(event.outcome, Expired)
        postings = list[Posting]()
        for kind, name, amount_fen, to in event.outcome.rows:
            if kind == "reservation":
                reservation = state.reservations[name]
                close(state, reservation)
                postings += put_back("reserved", name, reservation, amount_fen, to)
            elif kind == "lot":
                lot = Lot(*name.split(" "))
                state.book.note("forfeited", lot.id, amount_fen)
                programme = state.vouchers[lot.voucher].programme
                postings += [
                    Posting(programme, account, account_id, "unissued", programme, fen)
                    for account, account_id, fen in _unclaimed(state, lot)
                ]
            else:
                voucher = state.vouchers[name]
                state.remove_due(Due(voucher.valid_until, name, "voucher"))
                voucher.status = "expired"
                if amount_fen:
                    programme = voucher.programme
                    postings.append(Posting(programme, "available", name, "unissued", programme, amount_fen))
        return tuple(postings)

    def touches(self, state: State, event: Event) -> Accounts:
        """Voucher, holder and programme of each row; the provider of a reservation or lot, and a lot's contract."""
        assert isinstance(event.outcome, Expired)
        accounts: set[str] = set()
        for kind, name, _, _ in event.outcome.rows:
            if kind == "reservation":
                reservation = state.reservations[name]
                accounts |= voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}
            elif kind == "lot":
                lot = Lot(*name.split(" "))
                provider = state.contracts[lot.contract].provider
                accounts |= voucher_accounts(state, lot.voucher) | {f"contract {lot.contract}", f"provider {provider}"}
            else:
                accounts |= voucher_accounts(state, name)
        return accounts

    def concerns(self, state: State, event: Event) -> Names:
        """The terms of each voucher; each reservation and its contract."""
        assert isinstance(event.outcome, Expired)
        for kind, name, _, _ in event.outcome.rows:
            if kind == "reservation":
                yield f"reservation {name}"
                yield f"life {state.reservations[name].contract}"
            elif kind == "lot":
                yield f"life {Lot(*name.split(' ')).contract}"
            else:
                yield f"terms {name}"

    def follows(self) -> Names:
        """Nothing: of what isn't in a part of the log, its rows are left out."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing: what is in a part of the log is there with its whole history."""
        return ()


def _lots_of(state: State, voucher_id: str) -> list[Lot]:
    """Return the lots of a voucher of which something is unclaimed, in the order of their contracts."""
    by_contract = state.unclaimed.places.get(state.vouchers[voucher_id].programme, {})
    return [Lot(voucher_id, contract) for contract in sorted(by_contract) if voucher_id in by_contract[contract]]


def _unclaimed(state: State, lot: Lot) -> list[tuple[Literal["burned", "withheld"], str, int]]:
    """Return where something of a lot is unclaimed, and how much (fen)."""
    days = state.unclaimed.places[state.vouchers[lot.voucher].programme][lot.contract][lot.voucher]
    where: list[tuple[Literal["burned", "withheld"], str]] = [
        ("withheld", lot.id) if day == WITHHELD else ("burned", DatedLot(*lot, day).burned_id) for day in days
    ]
    return [(account, account_id, state.book[account, account_id]) for account, account_id in where]


RULES: Final = (VoucherRevoke, BookExpire)
