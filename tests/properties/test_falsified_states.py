"""A state in which an amount was changed is named by the audit that goes on from it: which account, and how it is off.

Nothing but the state is there to go by: the audit resumes from it and reads no entry. Each falsification is one change,
or an amount shifted between two accounts so that every programme still adds up.
"""

import dataclasses
import itertools
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

import pytest

from properties.test_against_naive_ledger import walked
from tallystick.audit.book_checks import faults
from tallystick.audit.replay import Replay
from tallystick.errors import MalformedError
from tallystick.findings import FindingCode, Findings
from tallystick.vouchers.book import ACCOUNTS, AnyAccount, Posting
from tallystick.vouchers.burns import Statement
from tallystick.vouchers.state import State

SHIFT_FEN = 5
T = TypeVar("T")
Falsification = tuple[str, Callable[[State], None], str]
"""What is done, the doing, and what must be named."""


@cache
def saved() -> bytes:
    """The first state, of a few walks of two sides that agree, that has something of all that is falsified here."""
    for seed in range(8):
        state = walked(seed, 1_500, has_something_everywhere).state
        if has_something_everywhere(state):
            assert [*faults(state)] == []
            return state.to_bytes()
    raise AssertionError("no walk has something in every account at once")


def has_something_everywhere(state: State) -> bool:
    """Whether each account of the book has several things in it, and statements are remembered."""
    balances = [balance for account, balance in state.book.balances.items() if account != "unissued"]
    statements = [statement for by_ref in state.statements.values() for statement in by_ref.values()]
    accepted = any(any(one.taken_fen(0).values()) for one in statements) and any(
        one.unreversed_jobs() for one in statements
    )
    return accepted and len(state.statement_order) > 1 and all(len(balance) > 1 for balance in balances)


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


def _moved(state: State, account: AnyAccount, name: str, to: str) -> None:
    balances = state.book.balances[account]
    balances[to] = balances.pop(name)


def moved(account: AnyAccount, name: str, to: str) -> Callable[[State], None]:
    """Another id for what lies in an account; in its place in the order."""
    return lambda state: _moved(state, account, name, to)


def edited(edit: Callable[..., object], *of: object) -> Callable[[State], None]:
    """What a function does to a state, of these further arguments."""

    def done(state: State) -> None:
        edit(state, *of)

    return done


def _some(things: dict[str, T]) -> list[tuple[str, T]]:
    """A few of many that are alike, the oldest and the newest."""
    named = list(things.items())
    return named if len(named) <= 6 else [*named[:3], *named[-3:]]


def _ids(state: State) -> Iterator[Falsification]:
    """Ids that nothing has, that can't be read, or that another thing of the same kind has."""
    for account, balances in state.book.balances.items():
        for name in [*balances][:1]:
            for to in ("treasury/none", "a", f"{name} 1", "a b c d", "treasury/none 20000", "treasury/none r/1 2"):
                if account != "burned":  # whose ids are read first: such a state is refused
                    yield f"id {account} {name} as {to!r}", moved(account, name, to), f"{account} {to}"
    for name, _ in _some(state.reservations):
        yield f"id of {name}", changed("reservations", name, "id", "treasury/none"), name
        yield f"provider of {name}", changed("reservations", name, "provider", "none"), name
    for name, _ in _some(state.vouchers):
        yield f"holder of {name}", changed("vouchers", name, "holder", "none"), name
    for one, other in itertools.pairwise(state.claims):
        first, second = state.claims[one], state.claims[other]
        for what in ("programme", "claimant"):
            if getattr(first, what) != getattr(second, what):
                yield f"{what} of {one}", changed("claims", one, what, getattr(second, what)), one
    for name, _ in _some(state.keys):
        yield f"key {name}", edited(_removed, "keys", name), name
        yield f"party of {name}", changed("keys", name, "party", "none"), name
        yield f"vkey of {name}", changed("keys", name, "vkey", "none"), name
    for name, application in _some(state.applications):
        yield f"holder of {name}", changed("applications", name, "holder", "none"), name
        yield f"programme of {name}", changed("applications", name, "programme", "none"), name
        yield f"asked for by {name}", changed("applications", name, "amount_fen", 2**70), name
        yield f"asked for by {name}", changed("applications", name, "amount_fen", application.issued_fen - 1), name
        if application.issued_fen:
            yield f"class of {name}", changed("applications", name, "holder_class", "another"), name
        for amount_fen in (application.issued_fen + 1, application.issued_fen - 1):
            yield f"issued for {name} {amount_fen}", changed("applications", name, "issued_fen", amount_fen), name
    for name, voucher in _some(state.vouchers):
        yield f"class of {name}", changed("vouchers", name, "holder_class", "another"), name
        if voucher.application is not None:
            yield f"application of {name}", changed("vouchers", name, "application", None), name
    for subject, by_topic in _some(state.attestations):
        name = subject.partition(" ")[2]
        yield f"subject {subject}", edited(_attested_otherwise, subject, f"{subject}9"), f"{name}9"
        yield f"attester on {subject}", edited(_attested_by, subject, next(iter(by_topic))), name
    for name in state.programmes:
        yield f"treasury of {name}", changed("programmes", name, "treasury", "none"), name


def _claims(state: State) -> Iterator[Falsification]:
    for name, claim in _some(state.claims):
        programme, claimant = claim.programme, claim.claimant
        for status in ("open", "paid", "rejected"):
            if status != claim.status:
                yield f"status of {name} {status}", changed("claims", name, "status", status), name
        for lots in (["a"], ["a b"], [""], [*claim.lots, *claim.lots[:1]] if claim.lots else ["treasury/none 7"]):
            yield f"lots of {name} {lots}", changed("claims", name, "lots", lots), name
        for place in range(len(claim.lots)):
            yield f"lot {place} of {name}", edited(_without_lot, name, place), name
        yield f"gone {name}", edited(_removed, "claims", name), name
        for listed in ([], [name, name], [name, "treasury/none"]):
            yield f"list of {name} {listed}", edited(_listed, programme, claimant, listed), name
        for field in ("index", "first_day"):
            yield f"{field} of {name}", changed("claims", name, field, 2**70), name


def _attested_otherwise(state: State, subject: str, other: str) -> None:
    state.attestations[other] = state.attestations.pop(subject)


def _attested_by(state: State, subject: str, topic: str) -> None:
    by_attester = state.attestations[subject][topic]
    by_attester["none"] = by_attester.pop(next(iter(by_attester)))


def _removed(state: State, kind: str, name: str) -> None:
    del getattr(state, kind)[name]


def _without_lot(state: State, name: str, place: int) -> None:
    del state.claims[name].lots[place]


def _listed(state: State, programme: str, claimant: str, names: list[str]) -> None:
    state.programmes[programme].claims[claimant] = names


def _statements(state: State) -> Iterator[Falsification]:
    for provider, statements in state.statements.items():
        for ref, statement in _some(statements):
            lines = list(statement.lines())
            values: list[tuple[str, object]] = [
                ("index", state.size),
                ("index", -1),
                ("at", state.at + 1),
                ("ends_at", statement.ends_at - 1),
                ("ends_at", 2**70),
                ("jobs", f"{statement.jobs} more".strip()),
                ("reversed_lines", [*statement.reversed_lines, 999]),
                ("reservations", (*statement.reservations, "treasury/none")),
            ]
            if lines:
                one = lines[0].number
                values += [("reversed_lines", [one, one]), ("holder", "none"), ("packed", statement.packed[:-1])]
                values += [("reservations", statement.reservations * 2), ("packed", statement.packed * 2)]
            for field, value in values:
                yield f"{field} of {ref}", edited(_statement_changed, provider, ref, field, value), f"{ref} "
    key = state.statement_order[0]
    yield "statement twice in order", edited(lambda state: state.statement_order.append(key)), f"{key[1]} "
    yield "statement not in order", edited(lambda state: state.statement_order.popleft()), f"{key[1]} "
    yield "statements turned round", edited(lambda state: state.statement_order.reverse()), f"{key[1]} "


def _statement_changed(state: State, provider: str, ref: str, field: str, value: object) -> None:
    setattr(state.statements[provider][ref], field, value)


def _limits(state: State) -> Iterator[Falsification]:
    """A programme's terms are no money; they are named where a voucher contradicts them, or no programme could have."""
    for name, programme in _some(state.programmes):
        rules = programme.rules
        for field, value in (
            ("holder_floor_fen", -1),
            ("holder_floor_fen", rules.holder_cap_fen + 1),
            ("holder_cap_fen", -1),
            ("holder_cap_fen", 2**70),
            ("envelope_fen", -rules.envelope_fen),
            ("envelope_fen", 10**30),
        ):
            new = dataclasses.replace(rules, **{field: value})  # type: ignore[arg-type]
            yield f"{field} of {name} {value}", changed("programmes", name, "rules", new), name
        if rules.gates:
            new = dataclasses.replace(rules, gates=(dataclasses.replace(rules.gates[0], attesters=("none",)),))
            yield f"gates of {name}", changed("programmes", name, "rules", new), name
    for granted, amount_fen in state.book.balances["granted"].items():
        name = granted.partition(" ")[0]
        new = dataclasses.replace(state.programmes[name].rules, holder_cap_fen=amount_fen - 1, holder_floor_fen=0)
        yield f"cap of {name} below {granted}", changed("programmes", name, "rules", new), name


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
    parts = (_balances, _postings, _terms, _ids, _claims, _statements, _limits)
    return [one for part in parts for one in part(state)]


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
        named = [part for part in name.split(" ") if "/" in part] or [name]
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


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.book.balances.pop("released"),
        lambda state: _moved(state, "burned", next(iter(state.book.balances["burned"])), "treasury/none 20000"),
        lambda state: _moved(state, "burned", next(iter(state.book.balances["burned"])), "none"),
        lambda state: setattr(state, "at", 2**70),
        lambda state: setattr(state, "at", -1),
        lambda state: _cut_off(next(iter(next(iter(state.statements.values())).values()))),
    ],
)
def test_a_state_of_another_form_is_refused(damage: Callable[[State], object]) -> None:
    """Before anything goes on from it; audits and writers say so and read the entries instead."""
    state = State.from_bytes(saved())
    damage(state)
    with pytest.raises(MalformedError, match="not a saved state: "):
        State.from_bytes(state.to_bytes())


def _cut_off(statement: Statement) -> None:
    statement.ends_at, statement.packed, statement.jobs, statement.reversed_lines = 2**63, b"1", "job", [0]


def test_what_cannot_be_added_up_at_all_is_named() -> None:
    """Whatever a state is falsified to, the audit ends with findings."""
    state = State.from_bytes(saved())
    state.claims[next(iter(state.claims))].first_day = None  # type: ignore[assignment]
    assert any("adding it up fails: TypeError" in detail for detail in found(state))
