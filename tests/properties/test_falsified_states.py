"""A state in which an amount was changed is named by the audit that goes on from it: which account, and how it is off.

Nothing but the state is there to go by: the audit resumes from it and reads no entry. Each falsification is one change,
or an amount shifted between two accounts so that every programme still adds up.
"""

import dataclasses
import itertools
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import pytest

from properties.scenes import (
    Scene,
    leave_some_of_everything,
    leave_what_is_old,
    let_all_of_it_leave,
    take_back_what_is_withheld,
)
from properties.test_against_naive_ledger import HOLDERS, PROVIDERS, TREASURIES, Walk, walked
from support.schedules import schedule
from tallystick.audit.book_checks import faults
from tallystick.audit.replay import Replay
from tallystick.errors import MalformedError
from tallystick.findings import FindingCode, Findings
from tallystick.vouchers.book import ACCOUNTS, MEMORANDA, AnyAccount, Posting, lot_in
from tallystick.vouchers.burns import Group
from tallystick.vouchers.state import Leaving, State

SHIFT_FEN = 5
T = TypeVar("T")
Falsification = tuple[str, Callable[[State], None], str]
"""What is done, the doing, and what must be named."""


@cache
def saved() -> bytes:
    """The state of a short walk of two sides that agree, and of scenes before and after it.

    Chance leaves hardly anything in claims, withheld or asked back, and little that is old; the scenes do.
    """
    pair = walked(0, 300, begin=let_something_leave)
    walk = Walk.going_on(pair)
    for scene in (leave_what_is_old, take_back_what_is_withheld, leave_some_of_everything):
        for number, holder in enumerate(HOLDERS):
            scene(Scene(walk, TREASURIES[number % 2], holder, PROVIDERS[number % 2]))
    assert has_something_everywhere(pair.state)
    assert [*faults(pair.state)] == []
    return pair.state.to_bytes()


def let_something_leave(walk: Walk) -> None:
    """Before the walk, of each treasury, so that there is something in all that is kept of what has left."""
    for number, treasury in enumerate(TREASURIES):
        let_all_of_it_leave(Scene(walk, treasury, HOLDERS[number], PROVIDERS[number]))


def has_something_everywhere(state: State) -> bool:
    """Whether each account of the book has several things in it, and statements are remembered."""
    balances = [balance for account, balance in state.book.balances.items() if account != "unissued"]
    statements = [statement for by_ref in state.statements.values() for statement in by_ref.values()]
    accepted = any(one.payments and one.reversed_lines for one in statements) and any(
        any(one.taken_fen().values()) and group.unreversed_jobs() for one in statements for group in one.groups
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
    row = struct.Struct("<HHq")
    rows = [list(one) for one in row.iter_unpack(statement.payments)]
    rows[place][2] += SHIFT_FEN
    statement.payments = b"".join(row.pack(*one) for one in rows)


def _are_days_of_one(state: State, account: AnyAccount, source_id: str, target_id: str) -> bool:
    """Whether they are days of one lot (burned, or in claims of it) that nothing can tell apart.

    Either both lie before the burn window, or something of the lot is paid, whose days aren't kept.
    """
    if account not in ("burned", "claimed") or lot_in(account, source_id) != lot_in(account, target_id):
        return False
    if state.book["paid", lot_in(account, source_id).id]:
        return True
    oldest = (state.at - state.burn_window_us) // (24 * 3_600_000_000)
    return all(int(one.rpartition(" ")[2]) <= oldest for one in (source_id, target_id))


def _named(state: State, account: AnyAccount, account_id: str) -> str:
    """What is named where an account is off; of demands their programme, since they add up to what it paid."""
    return state.demands[account_id].programme if account in ("receivable", "received") else account_id


def _of_many(names: list[str]) -> list[str]:
    """Some of many, the oldest and the newest."""
    return names if len(names) <= 8 else [*names[:4], *names[-4:]]


def _balances(state: State) -> Iterator[Falsification]:
    for account, balances in state.book.balances.items():
        if account == "mandated":  # is kept nowhere else: it shows if it can't be
            for name, used_fen in balances.items():
                for more_fen in (state.mandates[name].total_fen - used_fen + 1, -used_fen - 1):
                    yield f"mandated {name} {more_fen:+}", note(account, name, more_fen), name
            continue
        ids = _of_many([*balances])
        for account_id in ids:
            for amount_fen in (1, -1):
                named = _named(state, account, account_id)
                yield f"{account} {account_id} {amount_fen:+}", note(account, account_id, amount_fen), named
        for source_id, target_id in itertools.pairwise([*ids, ids[0]] if len(ids) > 1 else []):
            if _are_days_of_one(state, account, source_id, target_id):
                continue
            is_beyond = account == "envelope" and balances[target_id] + SHIFT_FEN >= 0  # which is said before all else
            named = target_id if is_beyond else source_id
            yield (
                f"{account} {source_id} to {target_id}",
                shift(account, source_id, target_id),
                _named(state, account, named),
            )


def _postings(state: State) -> Iterator[Falsification]:
    programme_of = {name: voucher.programme for name, voucher in state.vouchers.items()}
    held = _of_many([name for name in state.book.balances["available"] if name in programme_of])
    for source, target in itertools.permutations(held, 2):
        programme = programme_of[source]
        if programme == programme_of[target]:
            posting = Posting(programme, "available", source, "available", target, SHIFT_FEN)
            yield f"posted {source} to {target}", posted(posting), source
    for name in held:
        programme = programme_of[name]
        posting = Posting(programme, "available", name, "unissued", programme, SHIFT_FEN)
        yield f"posted {name} back", posted(posting), name
    for name in _of_many([*state.book.balances["reserved"]]):
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
    return named if len(named) <= 4 else [*named[:2], *named[-2:]]


def _ids(state: State) -> Iterator[Falsification]:
    """Ids that nothing has, that can't be read, or that another thing of the same kind has."""
    for account, balances in state.book.balances.items():
        for name in [*balances][:1]:
            for to in ("treasury/none", "a", f"{name} 1", "a b c d", "treasury/none 20000", "treasury/none r/1 2"):
                if account not in ("burned", "withheld"):  # whose ids are read first: such a state is refused
                    yield f"id {account} {name} as {to!r}", moved(account, name, to), f"{account} {to}"
    for name, _ in _some(state.reservations):
        yield f"id of {name}", changed("reservations", name, "id", "treasury/none"), name
        yield f"provider of {name}", changed("reservations", name, "provider", "none"), name
        yield f"contract of {name}", changed("reservations", name, "contract", "treasury/none"), name
    for name, contract in _some(state.contracts):
        yield f"holder of {name}", changed("contracts", name, "holder", "none"), name
        yield f"document of {name}", changed("contracts", name, "document_hash", "00"), name
        for field, listed in (("programmes", contract.programmes), ("reservations", contract.reservations)):
            for value in ([*listed, "treasury/none"], [*listed, *listed[:1], *listed[:1]]):
                if value != listed:
                    yield f"{field} of {name} {value}", changed("contracts", name, field, value), name
        if state.book["charged", name]:
            least = state.book["charged", name] - 1
            yield f"amount of {name}", changed("contracts", name, "amount_fen", least), name
    for name, _ in _some(state.vouchers):
        yield f"holder of {name}", changed("vouchers", name, "holder", "none"), name
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
    for name, mandate in _some(state.mandates):
        used_fen = state.book["mandated", name]
        odd: list[tuple[str, object]] = [
            ("treasury", "none"),
            ("operator", mandate.treasury),
            ("programme", "treasury/none"),
            ("each_fen", -1),
            ("total_fen", 2**70),
            ("total_fen", used_fen - 1),
        ]
        for field, wrong in odd:
            yield f"{field} of {name} {wrong}", changed("mandates", name, field, wrong), name
    for subject, by_topic in _some(state.attestations):
        name = subject.partition(" ")[2]
        yield f"subject {subject}", edited(_attested_otherwise, subject, f"{subject}9"), f"{name}9"
        yield f"attester on {subject}", edited(_attested_by, subject, next(iter(by_topic))), name
    for name in state.programmes:
        yield f"treasury of {name}", changed("programmes", name, "treasury", "none"), name


def _claims(state: State) -> Iterator[Falsification]:
    of_status: dict[str, list[str]] = {"open": [], "settled": []}
    for name, claim in state.claims.items():
        of_status[claim.status].append(name)
    for name in (*_of_many(of_status["open"]), *_of_many(of_status["settled"])):
        claim = state.claims[name]
        other = "settled" if claim.status == "open" else "open"
        yield f"status of {name}", changed("claims", name, "status", other), name
        for field in ("programme", "claimant"):
            yield f"{field} of {name} none", changed("claims", name, field, "treasury/none"), name
        for field, odd in (("index", (0, 2**70)), ("last_day", (-1, state.day_of(state.at), 2**70))):
            for value in odd:
                yield f"{field} of {name} {value}", changed("claims", name, field, value), name
        twice = [*claim.lots, *claim.lots[:1]] if claim.lots else ["treasury/none 7"]
        for lots in (["a"], ["a b"], [""], twice, claim.lots[::-1]):
            if lots != claim.lots:
                yield f"lots of {name} {lots}", changed("claims", name, "lots", lots), name
    for name in of_status["open"]:
        claim = state.claims[name]
        for place in range(len(claim.lots)):
            yield f"lot {place} of {name}", edited(_without_lot, name, place), name
        yield f"gone {name}", edited(_removed, "claims", name), name
        for field, others in (
            ("programme", [one for one in state.programmes if one != claim.programme]),
            ("claimant", [one for one in (*HOLDERS, *PROVIDERS) if one != claim.claimant]),
        ):
            yield f"{field} of {name}", changed("claims", name, field, others[0]), name
            yield f"{field} of {name}", changed("claims", name, field, others[-1]), name


def _demands(state: State) -> Iterator[Falsification]:
    for name in _of_many([*state.demands]):
        demand = state.demands[name]
        there_fen = state.book["receivable", name] + state.book["received", name]
        odd: list[tuple[str, object]] = [
            *[("amount_fen", value) for value in (there_fen - 1, 0, -1, 2**70)],
            *[("programme", one) for one in ("treasury/none", *[*state.programmes][-2:]) if one != demand.programme],
            *[("payee", one) for one in ("none", *HOLDERS, *PROVIDERS) if one != demand.payee],
        ]
        for field, value in odd:
            named = f"{name} {demand.programme}"  # where it is of another, what was paid to its payee is off
            yield f"{field} of {name} {value}", changed("demands", name, field, value), named
        if there_fen:
            yield f"gone {name}", edited(_removed, "demands", name), name


def _what_left(state: State) -> Iterator[Falsification]:
    """Something that is there is said to have left; or with an entry that is no seal."""
    for kind, ids in state.left.items():
        for name in _of_many([*ids]):
            yield f"left {kind} {name}", edited(_left_with, kind, name, state.size), name
        there: dict[str, Any] = getattr(state, f"{kind}s")
        for name in _of_many([*there]):
            seal = next(iter(state.seals.values()))
            yield f"left {kind} {name}", edited(_left_with, kind, name, seal.index), name


def _left_with(state: State, kind: Leaving, name: str, index: int) -> None:
    state.left[kind][name] = index


def _attested_otherwise(state: State, subject: str, other: str) -> None:
    state.attestations[other] = state.attestations.pop(subject)


def _attested_by(state: State, subject: str, topic: str) -> None:
    by_attester = state.attestations[subject][topic]
    by_attester["none"] = by_attester.pop(next(iter(by_attester)))


def _removed(state: State, kind: str, name: str) -> None:
    del getattr(state, kind)[name]


def _without_lot(state: State, name: str, place: int) -> None:
    del state.claims[name].lots[place]


def _statements(state: State) -> Iterator[Falsification]:
    for provider, statements in state.statements.items():
        for ref, statement in _some(statements):
            values: list[tuple[str, object]] = [
                ("index", state.size),
                ("index", -1),
                ("at", state.at + 1),
                ("contract", "treasury/none"),
                ("corrected_lines", [*statement.corrected_lines, 999]),
                ("absorbed", [*statement.absorbed, (999, 5)]),
                ("reservations", (*statement.reservations, "treasury/none")),
                ("payments", statement.payments + b"\0"),
            ]
            if statement.payments:
                values += [("reservations", statement.reservations * 2), ("payments", statement.payments * 2)]
            for field, value in values:
                yield f"{field} of {ref}", edited(_statement_changed, provider, ref, field, value), f"{ref} "
            for place, group in enumerate(statement.groups):
                one = group.columns().numbers[0]
                of_group: list[tuple[str, object]] = [
                    ("index", group.index + 1),
                    ("ends_at", group.ends_at - 1),
                    ("ends_at", 2**70),
                    ("jobs", f"{group.jobs} more"),
                    ("reversed_lines", [*group.reversed_lines, 999]),
                    ("reversed_lines", [one, one]),
                    ("packed", group.packed[:-1]),
                    ("packed", group.packed * 2),
                ]
                for field, value in of_group:
                    edit = edited(_group_changed, provider, ref, place, field, value)
                    yield f"group's {field} of {ref}", edit, f"{ref} "
    key = state.statement_order[0]
    yield "statement twice in order", edited(lambda state: state.statement_order.append(key)), f"{key[1]} "
    yield "statement not in order", edited(lambda state: state.statement_order.popleft()), f"{key[1]} "
    yield "statements turned round", edited(lambda state: state.statement_order.reverse()), f"{key[1]} "


def _statement_changed(state: State, provider: str, ref: str, field: str, value: object) -> None:
    setattr(state.statements[provider][ref], field, value)


def _group_changed(state: State, provider: str, ref: str, place: int, field: str, value: object) -> None:
    setattr(state.statements[provider][ref].groups[place], field, value)


def _limits(state: State) -> Iterator[Falsification]:
    """A programme's terms are no money; they are named where a voucher contradicts them, or no programme could have."""
    for name, programme in _some(state.programmes):
        cap = programme.rules.cap
        for field, value in (
            ("floor_fen", -1),
            ("floor_fen", cap.holder_fen + 1),
            ("holder_fen", -1),
            ("holder_fen", 2**70),
        ):
            edit = edited(_cap_changed, name, {field: value})
            yield f"{field} of {name} {value}", edit, name
        for envelope_fen in (-programme.envelope_fen, 10**30):
            yield f"envelope of {name} {envelope_fen}", changed("programmes", name, "envelope_fen", envelope_fen), name
        if name not in state.unclaimed.places:  # else they are read first
            yield f"no rules of {name}", changed("programmes", name, "versions", []), name
        if programme.rules.gates:
            yield f"gates of {name}", edited(_attester_unknown, name), name
    for granted, amount_fen in state.book.balances["granted"].items():
        treasury, year, group, holder = granted.split(" ")
        places = [
            (name, number)
            for name, one in state.programmes.items()
            for number, version in enumerate(one.versions)
            if (one.treasury, str(one.fiscal_year), version.rules.cap.group) == (treasury, year, group)
        ]
        yield f"cap below {granted}", edited(_caps_changed, places, amount_fen - 1), holder


def _cap_changed(state: State, name: str, changes: dict[str, Any], number: int = 0) -> None:
    programme = state.programmes[name]
    version = programme.versions[number]
    cap = dataclasses.replace(version.rules.cap, **changes)
    programme.versions[number] = dataclasses.replace(version, rules=dataclasses.replace(version.rules, cap=cap))


def _attester_unknown(state: State, name: str) -> None:
    programme = state.programmes[name]
    version = programme.versions[0]
    gate = dataclasses.replace(version.rules.gates[0], attesters=("none",))
    programme.versions[0] = dataclasses.replace(version, rules=dataclasses.replace(version.rules, gates=(gate,)))


def _caps_changed(state: State, places: list[tuple[str, int]], holder_fen: int) -> None:
    for name, number in places:
        _cap_changed(state, name, {"holder_fen": holder_fen, "floor_fen": 0}, number)


def _terms(state: State) -> Iterator[Falsification]:
    for name in _of_many([*state.vouchers]):
        voucher = state.vouchers[name]
        yield f"face of {name}", changed("vouchers", name, "face_fen", voucher.face_fen + 1), name
        if voucher.has_ended and state.book["returned", name]:
            yield f"{name} never ended", changed("vouchers", name, "status", "active"), name
        elif not voucher.has_ended and state.book["available", name]:
            yield f"{name} has ended", changed("vouchers", name, "status", "expired"), name
    for name in _of_many([*state.reservations]):
        held = state.reservations[name]
        yield f"amount of {name}", changed("reservations", name, "amount_fen", held.amount_fen + 1), name
        if state.book["released" if held.closed else "reserved", name]:
            yield f"{name} open or closed", changed("reservations", name, "closed", not held.closed), name
    for name, totals in state.book.totals.items():
        for account in totals:
            yield (
                f"total {account} of {name}",
                lambda state, name=name, account=account: state.book.totals[name].update({account: 7**9}),  # type: ignore[misc]
                name,
            )
    for provider, statements in state.statements.items():
        for ref, statement in statements.items():
            full = {
                line.number
                for line in statement.lines()
                if line.paid_fen + line.absorbed_fen + SHIFT_FEN > line.fee_fen
            }
            rows = struct.Struct("<HHq").iter_unpack(statement.payments)
            for place, (number, reservation, _) in enumerate(rows):
                if number not in statement.reversed_lines:
                    yield (
                        f"line {number} of {ref} of {provider}",
                        lambda state, key=(provider, ref, place): _line_taken_more(state, *key),  # type: ignore[misc]
                        ref if number in full else statement.reservations[reservation],
                    )


@cache
def falsifications() -> list[Falsification]:
    state = State.from_bytes(saved())
    parts = (_balances, _postings, _terms, _ids, _claims, _demands, _what_left, _statements, _limits)
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


@pytest.mark.long
def test_every_falsified_amount_is_named() -> None:
    """More than a thousand, of every account of the book and every term; every third in the short schedule."""
    for what, falsify, name in falsifications()[:: schedule(3, 1)]:
        state = State.from_bytes(saved())
        falsify(state)
        details = found(State.from_bytes(state.to_bytes()))
        assert details, what
        named = [part for part in name.split(" ") if "/" in part] or name.split(" ")[-1:]
        assert any(part in detail for part in named for detail in details), (what, details)


def test_falsifications_are_of_every_account_and_many() -> None:
    kinds = {what.split(" ")[0] for what, _, _ in falsifications()}
    assert kinds >= {*ACCOUNTS, *MEMORANDA, "posted", "line"}
    assert len(falsifications()) >= 1_000


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0" * 27])
def test_lines_that_cannot_be_read_are_named(damage: bytes) -> None:
    """And the audit goes on."""
    state = State.from_bytes(saved())
    provider, ref = next(
        (provider, ref)
        for provider, statements in state.statements.items()
        for ref, statement in statements.items()
        if any(statement.taken_fen().values())
    )
    state.statements[provider][ref].groups[0].packed = damage
    assert any("lines" in detail for detail in found(state))


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.book.balances.pop("released"),
        lambda state: _moved(state, "burned", next(iter(state.book.balances["burned"])), "treasury/none 20000"),
        lambda state: _moved(state, "burned", next(iter(state.book.balances["burned"])), "none"),
        lambda state: _moved(state, "withheld", next(iter(state.book.balances["withheld"])), "treasury/none a b"),
        lambda state: state.programmes[next(iter(state.unclaimed.places))].versions.clear(),
        lambda state: state.left.pop("claim"),
        lambda state: setattr(state, "at", 2**70),
        lambda state: setattr(state, "at", -1),
        lambda state: _cut_off(_first_group(state)),
    ],
)
def test_a_state_of_another_form_is_refused(damage: Callable[[State], object]) -> None:
    """Before anything goes on from it; audits and writers say so and read the entries instead."""
    state = State.from_bytes(saved())
    damage(state)
    with pytest.raises(MalformedError, match="not a saved state: "):
        State.from_bytes(state.to_bytes())


def _first_group(state: State) -> Group:
    return next(group for by_ref in state.statements.values() for one in by_ref.values() for group in one.groups)


def _cut_off(group: Group) -> None:
    group.ends_at, group.packed, group.jobs, group.reversed_lines = 2**63, b"1", "job", [0]


def test_what_cannot_be_added_up_at_all_is_named() -> None:
    """Whatever a state is falsified to, the audit ends with findings."""
    state = State.from_bytes(saved())
    claim: Any = next(iter(state.claims.values()))
    claim.index = None
    assert any("adding it up fails: TypeError" in detail for detail in found(state))
