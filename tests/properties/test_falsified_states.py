"""A state in which an amount was changed is named by the audit that goes on from it: which account, and how it is off.

Nothing but the state is there to go by: the audit resumes from it and reads no entry. Each falsification is one change,
or an amount shifted between two accounts so that every programme still adds up.
"""

import itertools
import struct
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from properties.test_against_naive_ledger import walked
from tallystick.audit.book_checks import faults
from tallystick.audit.replay import Replay
from tallystick.findings import FindingCode, Findings
from tallystick.vouchers.book import ACCOUNTS, AnyAccount, Posting
from tallystick.vouchers.state import State

SHIFT_FEN = 5
Falsification = tuple[str, Callable[[State], None], str]
"""What is done, the doing, and what must be named."""


@cache
def saved() -> bytes:
    """A state after 2,000 steps of two sides that agree."""
    state = walked(0, 2_000).state
    assert [*faults(state)] == []
    return state.to_bytes()


def note(account: AnyAccount, account_id: str, amount_fen: int) -> Callable[[State], None]:
    return lambda state: state.book.note(account, account_id, amount_fen)


def shift(account: AnyAccount, source_id: str, target_id: str) -> Callable[[State], None]:
    """Move an amount behind the back of every total and memorandum."""

    def shifted(state: State) -> None:
        state.book.note(account, source_id, -SHIFT_FEN)
        state.book.note(account, target_id, SHIFT_FEN)

    return shifted


def posted(posting: Posting) -> Callable[[State], None]:
    """A balanced posting that no event made, totals and all."""
    return lambda state: state.book.post(posting)


def _changed(state: State, kind: str, name: str, field: str, value: object) -> None:
    one = getattr(state, kind)[name]
    assert getattr(one, field) != value
    setattr(one, field, value)


def changed(kind: str, name: str, field: str, value: object) -> Callable[[State], None]:
    return lambda state: _changed(state, kind, name, field, value)


def _line_taken_more(state: State, provider: str, ref: str, place: int) -> None:
    statement = state.statements[provider][ref]
    row = struct.Struct("<HHqqq")
    rows = [list(one) for one in row.iter_unpack(statement.packed)]
    rows[place][4] += SHIFT_FEN
    statement.packed = b"".join(row.pack(*one) for one in rows)


def _are_old_days_of_one(state: State, account: AnyAccount, source_id: str, target_id: str) -> bool:
    """Whether both lie before the burn window and are of one reservation (and claim): that nothing can tell apart."""
    if account not in ("burned", "claimed") or source_id.rpartition(" ")[0] != target_id.rpartition(" ")[0]:
        return False
    oldest = (state.at - state.burn_window_us) // (24 * 3_600_000_000)
    return all(int(one.rpartition(" ")[2]) <= oldest for one in (source_id, target_id))


def _balances(state: State) -> Iterator[Falsification]:
    for account, balances in state.book.balances.items():
        for account_id in balances:
            for amount_fen in (1, -1):
                yield f"{account} {account_id} {amount_fen:+}", note(account, account_id, amount_fen), account_id
        ids = list(balances)
        for source_id, target_id in itertools.pairwise([*ids, ids[0]] if len(ids) > 1 else []):
            if _are_old_days_of_one(state, account, source_id, target_id):
                continue
            yield f"{account} {source_id} to {target_id}", shift(account, source_id, target_id), source_id


def _postings(state: State) -> Iterator[Falsification]:
    programme_of = {name: voucher.programme for name, voucher in state.vouchers.items()}
    held = [name for name in state.book.balances["available"] if name in programme_of]
    for source, target in itertools.permutations(held, 2):
        programme = programme_of[source]
        if programme == programme_of[target]:
            posting = Posting(programme, "available", source, "available", target, SHIFT_FEN)
            yield f"posted {source} to {target}", posted(posting), source
    for name in held:
        programme = programme_of[name]
        posting = Posting(programme, "available", name, "unissued", programme, SHIFT_FEN)
        yield f"posted {name} back", posted(posting), name
    for name in state.book.balances["reserved"]:
        reservation = state.reservations[name]
        posting = Posting(reservation.programme, "reserved", name, "available", reservation.voucher, SHIFT_FEN)
        yield f"posted {name} back", posted(posting), name


def _terms(state: State) -> Iterator[Falsification]:
    for name, voucher in state.vouchers.items():
        yield f"face of {name}", changed("vouchers", name, "face_fen", voucher.face_fen + 1), name
        if voucher.has_ended and state.book["returned", name]:
            yield f"{name} never ended", changed("vouchers", name, "status", "active"), name
        elif not voucher.has_ended and state.book["available", name]:
            yield f"{name} has ended", changed("vouchers", name, "status", "lapsed"), name
    for name, held in state.reservations.items():
        yield f"amount of {name}", changed("reservations", name, "amount_fen", held.amount_fen + 1), name
        if state.book["released" if held.closed else "reserved", name]:
            yield f"{name} open or closed", changed("reservations", name, "closed", not held.closed), name
    for name, claim in state.claims.items():
        other = "rejected" if claim.status == "open" else "open"
        yield f"{name} is {other}", changed("claims", name, "status", other), name
    for name, totals in state.book.totals.items():
        for account in totals:
            yield (
                f"total {account} of {name}",
                lambda state, name=name, account=account: state.book.totals[name].update({account: 7**9}),  # type: ignore[misc]
                name,
            )
    for provider, statements in state.statements.items():
        for ref, statement in statements.items():
            for place, line in enumerate(statement.lines()):
                if line.number not in statement.reversed_lines:
                    yield (
                        f"line {line.number} of {ref} of {provider}",
                        lambda state, key=(provider, ref, place): _line_taken_more(state, *key),  # type: ignore[misc]
                        line.reservation,
                    )


@cache
def falsifications() -> list[Falsification]:
    state = State.from_bytes(saved())
    return [*_balances(state), *_postings(state), *_terms(state)]


def found(state: State) -> list[str]:
    """What an audit says that goes on from a state to no entry more."""
    findings = Findings()
    replay = Replay(state.origin, findings)
    replay.resume(state, Replay(state.origin, Findings()).finish())
    replay.finish()
    assert {finding.code for finding in findings.by_entry()} <= {FindingCode.CONSERVATION_BROKEN}
    return [finding.detail for finding in findings.by_entry()]


def test_the_state_as_it_is_has_no_fault() -> None:
    assert found(State.from_bytes(saved())) == []


def test_every_falsified_amount_is_named() -> None:
    """Some hundreds, of every account of the book and every term."""
    for what, falsify, name in falsifications():
        state = State.from_bytes(saved())
        falsify(state)
        details = found(State.from_bytes(state.to_bytes()))
        assert details, what
        named = [part for part in name.split(" ") if "/" in part]
        assert named, name
        assert any(part in detail for part in named for detail in details), (what, details)


def test_falsifications_are_of_every_account_and_many() -> None:
    kinds = {what.split(" ")[0] for what, _, _ in falsifications()}
    assert kinds >= {*ACCOUNTS, "transferred", "returned", "released", "granted", "forgotten", "posted", "line"}
    assert len(falsifications()) >= 200


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0" * 27])
def test_lines_that_cannot_be_read_are_named(damage: bytes) -> None:
    """And the audit goes on."""
    state = State.from_bytes(saved())
    provider, ref = next(
        (provider, ref)
        for provider, statements in state.statements.items()
        for ref, statement in statements.items()
        if any(statement.taken_fen(0).values())
    )
    state.statements[provider][ref].packed = damage
    assert any("lines" in detail for detail in found(state))
