"""Money adds up: after every entry in what it moved, and at the end in everything that the state holds.

    programme      envelope = unissued + Σ available + Σ reserved + Σ burned + Σ withheld + Σ claimed + Σ paid
                   + Σ receivable
    voucher        face = available + Σ reserved + its lots + transferred + returned
    reservation    amount = reserved + taken + released
                   taken = what its lines took: of statements remembered, and of those forgotten
    lot            Σ burned + withheld + Σ claimed + settled + forfeited = Σ taken of the voucher's reservations
                   under the contract; what is unclaimed of a day is at most what its lines took
    contract       charged, absorbed = the same of its lines; at most its amount, at most its other support
    claim          what is claimed = the lots of the claims that are open
    payee          paid + receivable + received = Σ settled of its lots
    application    issued = Σ face of the vouchers that name it, which are its holder's, for its programme, of its class
    holder         granted = Σ face − returned, and at most the cap
    what has left  issued by a programme = settled + forfeited + returned; it counts in payee, application, holder, sums
    issued         each face is at least the floor, but of imported vouchers
    sums           appropriated = Σ envelope of a treasury; held = Σ (face − transferred − returned) of a holder;
                   promised = Σ (reserved + taken) for a provider; each at most 2^53 − 1

The rules move money so that this can't break. That is why it is worth checking: a fault in them would show here, and so
does a changed saved state. What it can't show is an amount moved between two lines of one statement and reservation, or
between two days of one lot of which something is paid. docs/rules.md, "The law of conservation".
"""

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tallystick.audit.link_checks import broken_links
from tallystick.audit.statement_checks import taken_by_day
from tallystick.vouchers.book import (
    ACCOUNTS,
    CARRIED_OVER,
    OF_LOTS,
    PROGRAMME_ACCOUNTS,
    Account,
    AnyAccount,
    Book,
    DatedLot,
    Lot,
    Memorandum,
    Posting,
    dated_lot_of,
    lot_in,
)
from tallystick.vouchers.holdings import VoucherStatus
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.state import State
from tallystick.vouchers.unclaimed import WITHHELD

_OF_VOUCHERS: Final[tuple[AnyAccount, ...]] = ("available", "reserved", *OF_LOTS)
_OF_PROGRAMMES: Final[tuple[Account, ...]] = ("available", "reserved", "burned", "withheld", "claimed")


class OwnBook:
    """The book by postings alone, beside that of the state."""

    def __init__(self, book: Book) -> None:
        """Go on from a book as it is."""
        self._book = copy.deepcopy(book)

    def post(self, state: State, postings: Sequence[Posting]) -> Iterator[str]:
        """Take in what an entry moved, and yield what is wrong with the accounts that it moved between."""
        for posting in postings:
            self._book.post(posting)
        there, posted = state.book.balances, self._book.balances
        for programme, source, source_id, target, target_id, _ in postings:
            if there[source].get(source_id, 0) != posted[source].get(source_id, 0):
                yield from self._differences(state, source, (source_id,))
            if there[target].get(target_id, 0) != posted[target].get(target_id, 0):
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


def faults(state: State, believed: int = 0) -> Iterator[str]:
    """Yield what in a state doesn't add up: which programme, voucher, reservation, claim or holder, and how.

    Args:
        state: to look at.
        believed: after how many entries an audit that is believed found nothing.
    """
    broken = list(broken_links(state, believed))
    yield from broken
    if broken:
        return  # what is whose can't be told, so no sum would mean anything
    yield from _of_programmes(state)
    yield from _of_vouchers(state)
    yield from _of_reservations(state)
    yield from _of_contracts(state)
    yield from _of_claims(state)
    yield from _of_holders(state)
    yield from _of_applications(state)
    yield from _of_sums(state)
    yield from _of_what_left(state)


def returned_fen(state: State) -> Counter[VoucherStatus]:
    """Return what went back to envelopes, by what became of the vouchers."""
    sums: Counter[VoucherStatus] = Counter()
    for name, amount_fen in state.book.balances["past_returned"].items():
        sums["expired" if name.endswith(" expired") else "revoked"] += amount_fen
    for voucher_id, amount_fen in state.book.balances["returned"].items():
        if voucher_id in state.vouchers:
            sums[state.vouchers[voucher_id].status] += amount_fen
    return sums


def _of_applications(state: State) -> Iterator[str]:
    issued_fen = Counter({name: one.past_issued_fen for name, one in state.applications.items()})
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
    for account in _OF_PROGRAMMES:
        for account_id, amount_fen in book.balances[account].items():
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            sums[state.vouchers[voucher_id].programme][account] += amount_fen
    for paid_id, amount_fen in book.balances["paid"].items():
        sums[paid_id.partition(" ")[0]]["paid"] += amount_fen
    for demand_id, amount_fen in book.balances["receivable"].items():
        sums[state.demands[demand_id].programme]["receivable"] += amount_fen
    for name, programme in state.programmes.items():
        envelope_fen, totals = programme.envelope_fen, book.totals[name]
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
    taken_fen: Counter[str] = Counter(book.balances["forgotten"])
    for statements in state.statements.values():
        for statement in statements.values():
            taken_fen.update(statement.taken_fen())
    of_lots_fen = Counter({Lot(name, CARRIED_OVER): one.carried_over_fen or 0 for name, one in state.vouchers.items()})
    for name, reservation in state.reservations.items():
        reserved_fen, there_fen, released_fen = book["reserved", name], book["taken", name], book["released", name]
        of_lots_fen[Lot(reservation.voucher, reservation.contract)] += there_fen
        if reservation.amount_fen != reserved_fen + there_fen + released_fen:
            shown = _shown({"reserved": reserved_fen, "taken": there_fen, "released": released_fen})
            yield f"reservation {name}: it was made of {reservation.amount_fen} fen, and it holds {shown}"
        if there_fen != taken_fen[name]:
            yield f"reservation {name}: {there_fen} fen are taken, and its lines took {taken_fen[name]} fen"
        if reserved_fen if reservation.closed else released_fen or not reserved_fen:
            shown = _shown({"reserved": reserved_fen, "released": released_fen})
            yield f"reservation {name}: it is {'closed' if reservation.closed else 'open'}, and it holds {shown}"
    yield from _of_lots(state, of_lots_fen)


def _of_lots(state: State, taken_fen: Counter[Lot]) -> Iterator[str]:
    """Yield the lots that don't hold what was taken, in all, and by the days that lie in the burn window."""
    held_fen: Counter[Lot] = Counter()
    for account in OF_LOTS:
        for account_id, amount_fen in state.book.balances[account].items():
            held_fen[lot_in(account, account_id)] += amount_fen
    for one in sorted(held_fen.keys() | taken_fen.keys()):
        if held_fen[one] != taken_fen[one]:
            yield f"lot {one.id}: it holds {held_fen[one]} fen, and lines took {taken_fen[one]} fen"
    took_fen = taken_by_day(state)
    oldest_day = state.day_of(state.at - state.burn_window_us) + 1
    for burned_id, amount_fen in state.book.balances["burned"].items():
        dated = dated_lot_of(burned_id)
        if dated.day >= oldest_day and amount_fen > took_fen[dated]:
            yield f"lot {burned_id}: {amount_fen} fen are unclaimed, and its lines took {took_fen[dated]} fen"


def _of_contracts(state: State) -> Iterator[str]:
    book = state.book
    charged_fen = Counter(book.balances["forgotten_charged"])
    absorbed_fen = Counter(book.balances["forgotten_absorbed"])
    for statements in state.statements.values():
        for statement in statements.values():
            charged, absorbed = statement.charged_and_absorbed_fen()
            charged_fen[statement.contract] += charged
            absorbed_fen[statement.contract] += absorbed
    for name, contract in state.contracts.items():
        for what, lines_fen, most_fen in (
            ("charged", charged_fen[name], contract.amount_fen),
            ("absorbed", absorbed_fen[name], contract.other_support_fen),
        ):
            there_fen = book.balances["charged" if what == "charged" else "absorbed"].get(name, 0)
            if there_fen != lines_fen:
                yield f"contract {name}: {there_fen} fen are {what}, by its lines {lines_fen} fen"
            if there_fen > most_fen:
                yield f"contract {name}: {there_fen} fen are {what}, and the most is {most_fen} fen"


def _of_claims(state: State) -> Iterator[str]:
    claimed = dict(state.book.balances["claimed"])
    for name, claim in state.claims.items():
        if bool(claim.lots) != (claim.status == "open"):
            yield f"claim {name}: it is {claim.status}, and has {len(claim.lots)} lots"
        for lot_id in claim.lots:
            lot = Lot(*lot_id.split(" "))
            if claimed.pop(lot.claimed_id(name), 0) <= 0:
                yield f"claim {name}: nothing is claimed of {lot_id}"
            programme = state.vouchers[lot.voucher].programme
            if (programme, state.claimant(programme, lot.contract)) != (claim.programme, claim.claimant):
                yield f"claim {name}: {lot_id} isn't of its programme and its claimant"
    for account_id, amount_fen in claimed.items():
        yield f"claimed {account_id}: {amount_fen} fen are in no open claim"
    yield from _of_unclaimed(state)
    yield from _of_payees(state)


def _of_unclaimed(state: State) -> Iterator[str]:
    """Yield what a claimant would find and isn't there, or the other way round."""
    found: dict[Account, set[str]] = {"burned": set(), "withheld": set()}
    for by_contract in state.unclaimed.places.values():
        for contract, places in by_contract.items():
            for voucher, days in places.items():
                for day in days:
                    lot = Lot(voucher, contract)
                    found["withheld" if day == WITHHELD else "burned"].add(
                        lot.id if day == WITHHELD else DatedLot(*lot, day).burned_id
                    )
    for account, ids in found.items():
        for account_id in sorted(ids ^ state.book.balances[account].keys()):
            yield f"{account} {account_id}: what its claimant finds to claim isn't what is there"


def _of_payees(state: State) -> Iterator[str]:
    """Yield the payees of which what was paid, and asked back, isn't what was settled of their lots."""
    book = state.book
    settled_fen: Counter[str] = Counter()
    for past_id, amount_fen in book.balances["past_settled"].items():
        programme, contract = past_id.split(" ")
        payee = state.claimant(programme, contract) if contract in state.contracts else contract
        settled_fen[f"{programme} {payee}"] += amount_fen
    for lot_id, amount_fen in book.balances["settled"].items():
        voucher, contract = lot_id.split(" ")
        programme = state.vouchers[voucher].programme
        payee = CARRIED_OVER if contract == CARRIED_OVER else state.claimant(programme, contract)
        settled_fen[f"{programme} {payee}"] += amount_fen
    there_fen = Counter(book.balances["paid"])
    there_fen.update(book.balances["past_received"])
    for name, demand in state.demands.items():
        received_fen = book["received", name]
        there_fen[f"{demand.programme} {demand.payee}"] += book["receivable", name] + received_fen
        if book["receivable", name] + received_fen > demand.amount_fen:
            yield f"demand {name}: it is of {demand.amount_fen} fen, and holds {book['receivable', name]} fen"
    for paid_id in sorted(settled_fen.keys() | there_fen.keys()):
        if settled_fen[paid_id] != there_fen[paid_id]:
            yield (
                f"paid {paid_id}: {there_fen[paid_id]} fen are paid, asked back or received, "
                f"and {settled_fen[paid_id]} fen were settled"
            )


def _of_holders(state: State) -> Iterator[str]:
    book = state.book
    granted_fen = Counter(book.balances["past_granted"])
    for name, voucher in state.vouchers.items():
        granted_fen[voucher.granted_id] += voucher.face_fen - book["returned", name]
        floor_fen = state.rules_of(voucher).cap.floor_fen
        if voucher.parent is None and voucher.carried_over_fen is None and voucher.face_fen < floor_fen:
            yield f"voucher {name}: its face is {voucher.face_fen} fen, and the floor {floor_fen} fen"
    caps_fen = _caps_fen(state)
    for name in sorted(granted_fen.keys() | book.balances["granted"].keys()):
        group, _, holder = name.rpartition(" ")
        there_fen = book["granted", name]
        if granted_fen[name] != there_fen:
            yield f"holder {holder}: {there_fen} fen are granted of {group}, by its vouchers {granted_fen[name]} fen"
        if there_fen > caps_fen.get(group, 0):
            yield f"holder {holder}: {there_fen} fen are granted of {group}, and the cap is {caps_fen.get(group)} fen"


def _caps_fen(state: State) -> dict[str, int]:
    """Return the highest cap that any programme ever had, by treasury, year and group."""
    caps_fen: dict[str, int] = {}
    for programme in state.programmes.values():
        for version in programme.versions:
            group = f"{programme.treasury} {programme.fiscal_year} {version.rules.cap.group}"
            caps_fen[group] = max(caps_fen.get(group, 0), version.rules.cap.holder_fen)
    return caps_fen


def _shown(amounts: dict[str, int] | dict[Account, int]) -> str:
    return ", ".join(f"{account} {amount_fen}" for account, amount_fen in amounts.items())


def _of_sums(state: State) -> Iterator[str]:
    """Yield the sums over all programmes of a party that aren't what its programmes, vouchers and reservations say."""
    book = state.book
    sums: dict[Memorandum, Counter[str]] = {
        "appropriated": Counter(),
        "held": Counter(book.balances["past_held"]),
        "promised": Counter(book.balances["past_promised"]),
    }
    for programme in state.programmes.values():
        sums["appropriated"][programme.treasury] += programme.envelope_fen
    for name, voucher in state.vouchers.items():
        sums["held"][voucher.holder] += voucher.face_fen - book["transferred", name] - book["returned", name]
    for name, reservation in state.reservations.items():
        sums["promised"][reservation.provider] += book["reserved", name] + book["taken", name]
    for account, found_fen in sums.items():
        for party in sorted(found_fen.keys() | book.balances[account].keys()):
            there_fen = book[account, party]
            if found_fen[party] != there_fen:
                yield f"party {party}: {there_fen} fen are {account}, and it comes to {found_fen[party]} fen"
            if there_fen > INTEGER_MAX:
                yield f"party {party}: {there_fen} fen are {account}, and the most is {INTEGER_MAX} fen"


def _of_what_left(state: State) -> Iterator[str]:
    """Yield the programmes of which the vouchers that have left don't add up to what was issued."""
    book = state.book
    found_fen: Counter[str] = Counter()
    for account in ("past_settled", "past_forfeited", "past_returned"):
        for name, amount_fen in book.balances[account].items():
            found_fen[name.partition(" ")[0]] += amount_fen
    for programme in sorted(found_fen.keys() | book.balances["past_issued"].keys()):
        issued_fen = book["past_issued", programme]
        if issued_fen != found_fen[programme]:
            yield f"programme {programme}: {issued_fen} fen had left, and of these {found_fen[programme]} fen are found"
