"""A programme's money adds up: in its book after every entry, and at the end from all vouchers and claims.

    envelope = unissued + Σ available + Σ reserved + Σ burned-unclaimed + Σ claimed + Σ paid

The rules move money so that this can't break. That is why it is worth checking: a fault in them would show here.
"""

from collections import Counter
from collections.abc import Iterator

from tallystick.vouchers.programmes import Account, Programme
from tallystick.vouchers.state import State

Sums = Counter[tuple[str, Account]]


def book_fault(programme: Programme) -> str | None:
    """Return what is wrong with a programme's book, or None."""
    book = programme.book
    if sum(book.values()) != programme.rules.envelope_fen:
        return f"the book adds up to {sum(book.values())} fen, the envelope is {programme.rules.envelope_fen}"
    if min(book.values()) < 0:
        return f"an account is below zero: {_shown(programme)}"
    return None


def faults(state: State) -> Iterator[tuple[str, str]]:
    """Yield each programme whose book isn't what everything that the state holds adds up to, and how it differs."""
    sums = _sums(state)
    for name, programme in state.programmes.items():
        fault = book_fault(programme)
        if fault:
            yield name, fault
        for account, amount_fen in programme.book.items():
            if account != "unissued" and sums[name, account] != amount_fen:
                yield name, f"{account} is {amount_fen} fen in the book and {sums[name, account]} where it lies"
        unissued_fen = (
            programme.rules.envelope_fen - programme.issued_fen + programme.lapsed_fen + programme.revoked_fen
        )
        if unissued_fen != programme.book["unissued"]:
            yield (
                name,
                f"unissued is {programme.book['unissued']} fen in the book, {unissued_fen} by issues and returns",
            )


def _sums(state: State) -> Sums:
    """Add up what lies in vouchers, reservations, unclaimed days and claims, by programme and account."""
    sums: Sums = Counter()
    for voucher in state.vouchers.values():
        sums[voucher.programme, "available"] += voucher.available_fen
    for reservation in state.reservations.values():
        sums[reservation.programme, "reserved"] += reservation.remaining_fen
    for name, programme in state.programmes.items():
        sums[name, "burned"] += sum(sum(days.values()) for days in programme.unclaimed_fen.values())
    for claim in state.claims.values():
        if claim.status != "rejected":
            sums[claim.programme, "paid" if claim.status == "paid" else "claimed"] += claim.amount_fen
    return sums


def _shown(programme: Programme) -> str:
    return ", ".join(f"{account} {amount_fen}" for account, amount_fen in programme.book.items())
