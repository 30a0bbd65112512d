"""Money adds up: after every entry in what it moved, and at the end in everything that the state holds.

    programme      envelope = unissued + Σ available + Σ reserved + Σ burned + Σ claimed + Σ paid
    voucher        face = available + Σ reserved + Σ burned + Σ claimed + Σ paid + transferred + returned
    reservation    amount = reserved + burned + claimed + paid + released
                   burned + claimed + paid = what its lines took: of statements remembered, and of those forgotten
    day            burned, claimed = what the lines took that ended on it, for the days of the burn window
    claim          what is claimed = the lots of the claims that are open
                   what is paid to a claimant has a claim of it that is paid
    application    issued = Σ face of the vouchers that name it, which are its holder's, for its programme, of its class
    holder         granted = Σ face - transferred - what was revoked, and at most the cap
    issued         each face is at least the floor

The rules move money so that this can't break. That is why it is worth checking: a fault in them would show here, and so
does a changed saved state. What it can't show is an amount moved between two lines of one statement and
reservation, or between two days of one reservation before the burn window. docs/rules.md, "The law of conservation".
"""

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.audit.link_checks import broken_links
from tallystick.vouchers.book import (
    ACCOUNTS,
    PROGRAMME_ACCOUNTS,
    USED,
    Account,
    Book,
    Lot,
    Posting,
    lot_of,
    reservation_of,
)
from tallystick.vouchers.holdings import VoucherStatus
from tallystick.vouchers.redemptions import claim_on
from tallystick.vouchers.state import State

_OF_VOUCHERS: Final[tuple[Account, ...]] = ("available", "reserved", *USED)


class OwnBook:
    """The book by postings alone, beside that of the state."""

    def __init__(self, book: Book) -> None:
        """Go on from a book as it is."""
        self._book = copy.deepcopy(book)

    def post(self, state: State, postings: Iterable[Posting]) -> Iterator[str]:
        """Take in what an entry moved, and yield what is wrong with the accounts that it moved between."""
        postings = list(postings)
        for posting in postings:
            self._book.post(posting)
        for programme, source, source_id, target, target_id, _ in postings:
            yield from self._differences(state, source, (source_id,))
            yield from self._differences(state, target, (target_id,))
            totals = state.book.totals.get(programme)
            if totals != self._book.totals[programme] or min(totals.values()) < 0:
                yield f"programme {programme}: it holds {_shown(totals or {})}, by postings {self._shown(programme)}"

    def differences(self, state: State) -> Iterator[str]:
        """Yield every account in which a state's book isn't what the postings come to."""
        for account in ACCOUNTS:
            yield from self._differences(
                state, account, state.book.balances[account].keys() | self._book.balances[account].keys()
            )

    def _differences(self, state: State, account: Account, ids: Iterable[str]) -> Iterator[str]:
        for account_id in sorted(ids):
            there_fen, posted_fen = state.book[account, account_id], self._book[account, account_id]
            if there_fen != posted_fen:
                yield f"{account} {account_id}: it holds {there_fen} fen, by postings {posted_fen} fen"

    def _shown(self, programme: str) -> str:
        return _shown(self._book.totals[programme])


def faults(state: State) -> Iterator[str]:
    """Yield what in a state doesn't add up: which programme, voucher, reservation, claim or holder, and how."""
    broken = list(broken_links(state))
    yield from broken
    if broken:
        return  # what is whose can't be told, so no sum would mean anything
    yield from _of_programmes(state)
    yield from _of_vouchers(state)
    yield from _of_reservations(state)
    yield from _of_claims(state)
    yield from _of_holders(state)
    yield from _of_applications(state)


def returned_fen(state: State) -> Counter[VoucherStatus]:
    """Return what went back to envelopes, by what became of the vouchers."""
    sums: Counter[VoucherStatus] = Counter()
    for voucher_id, amount_fen in state.book.balances["returned"].items():
        if voucher_id in state.vouchers:
            sums[state.vouchers[voucher_id].status] += amount_fen
    return sums


def _of_applications(state: State) -> Iterator[str]:
    issued_fen: Counter[str] = Counter()
    for name, voucher in state.vouchers.items():
        application = state.applications.get(voucher.application or "")
        if voucher.application is not None:
            issued_fen[voucher.application] += voucher.face_fen
        if application is None:
            is_sound = voucher.application is None and voucher.holder_class is None
        else:
            asked = (application.programme, application.holder, application.holder_class, None)
            is_sound = asked == (voucher.programme, voucher.holder, voucher.holder_class, voucher.parent)
        if not is_sound:
            yield f"voucher {name}: its class or application {voucher.application} isn't what was asked for"
    for name, application in state.applications.items():
        if application.issued_fen != issued_fen[name]:
            yield (
                f"application {name}: {application.issued_fen} fen were issued for it, "
                f"and its vouchers' faces are {issued_fen[name]} fen"
            )


def _of_programmes(state: State) -> Iterator[str]:
    book = state.book
    sums: dict[str, Counter[Account]] = defaultdict(Counter)
    for name in state.programmes:
        sums[name]["unissued"] = book["unissued", name]
    for account in _OF_VOUCHERS:
        for account_id, amount_fen in book.balances[account].items():
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            sums[state.vouchers[voucher_id].programme][account] += amount_fen
    for name, programme in state.programmes.items():
        envelope_fen, totals = programme.rules.envelope_fen, book.totals[name]
        if not envelope_fen == -book["envelope", name] == sum(totals.values()):
            yield (
                f"programme {name}: the envelope is {envelope_fen} fen, by postings {-book['envelope', name]} fen, "
                f"and its accounts add up to {sum(totals.values())} fen"
            )
        for account in PROGRAMME_ACCOUNTS:
            if totals.get(account) != sums[name][account]:
                yield (
                    f"programme {name}: {account} is {totals.get(account)} fen in all and {sums[name][account]} fen "
                    "where it lies"
                )


def _of_vouchers(state: State) -> Iterator[str]:
    book = state.book
    held_fen: dict[str, Counter[str]] = defaultdict(Counter)
    for account in _OF_VOUCHERS:
        for account_id, amount_fen in book.balances[account].items():
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            held_fen[voucher_id][account] += amount_fen
    into_others_fen: Counter[str] = Counter()
    for voucher in state.vouchers.values():
        if voucher.parent is not None:
            into_others_fen[voucher.parent] += voucher.face_fen
    for name, voucher in state.vouchers.items():
        held = held_fen[name]
        transferred_fen, returned_fen = book["transferred", name], book["returned", name]
        if voucher.face_fen != held.total() + transferred_fen + returned_fen:
            shown = _shown({**held, "transferred": transferred_fen, "returned": returned_fen})
            yield f"voucher {name}: its face is {voucher.face_fen} fen, and it holds {shown}"
        if transferred_fen != into_others_fen[name]:
            yield (
                f"voucher {name}: {transferred_fen} fen went into others, whose faces are {into_others_fen[name]} fen"
            )
        if returned_fen and not voucher.has_ended:
            yield f"voucher {name}: {returned_fen} fen went back, and it has not ended"
        if held["available"] and voucher.has_ended:
            yield f"voucher {name}: {held['available']} fen are available, and it has ended"


def _of_reservations(state: State) -> Iterator[str]:
    book = state.book
    used_fen: Counter[str] = Counter()
    for account in USED:
        for account_id, amount_fen in book.balances[account].items():
            used_fen[reservation_of(account, account_id) or ""] += amount_fen
    taken_fen: Counter[str] = Counter(book.balances["forgotten"])
    in_lots_fen: Counter[tuple[Account, str]] = Counter()
    for statements in state.statements.values():
        for statement in statements.values():
            for lot, amount_fen in statement.taken_fen(state.utc_offset_us).items():
                taken_fen[lot.reservation] += amount_fen
                if amount_fen:
                    in_lots_fen[_place_of(state, lot, statement.index)] += amount_fen
    yield from _of_lots(state, in_lots_fen)
    for name, reservation in state.reservations.items():
        reserved_fen, released_fen = book["reserved", name], book["released", name]
        if reservation.amount_fen != reserved_fen + used_fen[name] + released_fen:
            shown = _shown({"reserved": reserved_fen, "used": used_fen[name], "released": released_fen})
            yield f"reservation {name}: it was made of {reservation.amount_fen} fen, and it holds {shown}"
        if used_fen[name] != taken_fen[name]:
            yield f"reservation {name}: {used_fen[name]} fen are burned, and its lines took {taken_fen[name]} fen"
        if reserved_fen if reservation.closed else released_fen:
            shown = _shown({"reserved": reserved_fen, "released": released_fen})
            yield f"reservation {name}: it is {'closed' if reservation.closed else 'open'}, and it holds {shown}"


def _place_of(state: State, lot: Lot, statement_index: int) -> tuple[Account, str]:
    """Return the account in which the lines of one statement lie."""
    programme = state.programmes[state.reservations[lot.reservation].programme]
    ids = programme.claims.get(state.claimant(lot.reservation), ())
    claims = {claim_id: state.claims[claim_id] for claim_id in ids if claim_id in state.claims}
    claim = claim_on(claims.values(), lot.day, statement_index)
    if claim is None:
        return "burned", lot.burned_id
    if claim.status == "paid":
        return "paid", lot.reservation
    return "claimed", lot.claimed_id(next(claim_id for claim_id, one in claims.items() if one is claim))


def _of_lots(state: State, in_lots_fen: Counter[tuple[Account, str]]) -> Iterator[str]:
    """Yield the lots that don't hold what the lines took; of days that lie in the burn window, to the fen."""
    oldest_day = state.day_of(state.at - state.burn_window_us) + 1
    balances = state.book.balances
    for account in USED:
        for account_id in sorted({name for place, name in in_lots_fen if place == account} | balances[account].keys()):
            holds_fen, took_fen = state.book[account, account_id], in_lots_fen[account, account_id]
            is_exact = account != "paid" and int(account_id.rpartition(" ")[2]) >= oldest_day
            if holds_fen < took_fen or (is_exact and holds_fen != took_fen):
                yield f"{account} {account_id}: it holds {holds_fen} fen, and lines took {took_fen} fen"


def _of_claims(state: State) -> Iterator[str]:
    claimed = dict(state.book.balances["claimed"])
    for name, claim in state.claims.items():
        if claim.lots and claim.status != "open":
            yield f"claim {name}: it is {claim.status}, and has lots"
        if not claim.lots and claim.status == "open":
            yield f"claim {name}: it is open, and has no lots"
        for lot in map(lot_of, claim.lots):
            if claimed.pop(lot.claimed_id(name), 0) <= 0:
                yield f"claim {name}: nothing is claimed of {lot.burned_id}"
            reservation = state.reservations[lot.reservation]
            if (reservation.programme, state.claimant(lot.reservation)) != (
                claim.programme,
                claim.claimant,
            ) or not claim.first_day <= lot.day <= claim.last_day:
                yield f"claim {name}: {lot.burned_id} isn't of its programme, its claimant and its days"
    unclaimed = {
        Lot(reservation, day).burned_id
        for by_claimant in state.unclaimed.values()
        for days in by_claimant.values()
        for day, reservations in days.items()
        for reservation in reservations
    }
    for account_id in sorted(unclaimed ^ state.book.balances["burned"].keys()):
        yield f"burned {account_id}: what its claimant finds to claim isn't what is burned"
    for account_id, amount_fen in claimed.items():
        yield f"claimed {account_id}: {amount_fen} fen are in no open claim"
    paid = {(claim.programme, claim.claimant) for claim in state.claims.values() if claim.status == "paid"}
    for name, amount_fen in state.book.balances["paid"].items():
        if (state.reservations[name].programme, state.claimant(name)) not in paid:
            yield f"paid {name}: {amount_fen} fen, and no claim of {state.claimant(name)} is paid"


def _of_holders(state: State) -> Iterator[str]:
    book = state.book
    granted_fen: Counter[str] = Counter()
    for name, voucher in state.vouchers.items():
        of_voucher_fen = voucher.face_fen - book["transferred", name]
        if voucher.status == "revoked":
            of_voucher_fen -= book["returned", name]
        granted_fen[f"{voucher.programme} {voucher.holder}"] += of_voucher_fen
        floor_fen = state.programmes[voucher.programme].rules.holder_floor_fen
        if voucher.parent is None and voucher.face_fen < floor_fen:
            yield f"voucher {name}: its face is {voucher.face_fen} fen, and the floor {floor_fen} fen"
    for name in sorted(granted_fen.keys() | book.balances["granted"].keys()):
        if granted_fen[name] != book["granted", name]:
            programme, _, holder = name.partition(" ")
            yield (
                f"holder {holder}: {book['granted', name]} fen are granted under {programme}, "
                f"by its vouchers {granted_fen[name]} fen"
            )
    for name, amount_fen in book.balances["granted"].items():
        programme, _, holder = name.partition(" ")
        cap_fen = state.programmes[programme].rules.holder_cap_fen
        if amount_fen > cap_fen:
            yield f"holder {holder}: {amount_fen} fen are granted under {programme}, and the cap is {cap_fen} fen"


def _shown(amounts: dict[str, int] | dict[Account, int]) -> str:
    return ", ".join(f"{account} {amount_fen}" for account, amount_fen in amounts.items())
