"""Views of random ledgers agree with the state, whenever and however often they were followed, and as of any entry.

The state keeps its balances as it goes; the views sum postings. What the state doesn't keep (lines, GPU-time, refusals)
is counted here from the entries, line by line.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from properties.test_against_naive_ledger import MOVES, Json, Pair, Walk
from support.actors import ORIGIN, key_of
from tallystick.ledger import create_ledger
from tallystick.ledger.pending import Admitted
from tallystick.views import Views, follow, follower, view_store
from tallystick.vouchers.book import CARRIED_OVER, OF_LOTS, lot_in
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.holdings import Voucher
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.reservations import VoucherReserve
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State

STEPS = 250


class SteadyWalk(Walk):
    """Without references used again long after: a walk forgets them, a ledger's index doesn't."""

    def bend(self, command: Json) -> Json:
        bent = super().bend(command)
        return bent if bent["ref"] == command["ref"] else command


def random_entries(seed: int) -> tuple[list[Entry], State]:
    """A ledger with some of everything but changes of the log's key, and a state of it in which all stays."""
    moves = {move: weight for move, weight in MOVES.items() if move is not Walk.rekey_log}
    walk = SteadyWalk(Pair())
    walk.found()
    walk.chance = random.Random(seed)
    for _ in range(STEPS):
        walk.wait()
        walk.chance.choices([*moves], [*moves.values()])[0](walk)
    return walk.pair.entries, whole(walk.pair.entries)


def whole(entries: Sequence[Entry]) -> State:
    """A state in which all stays that these entries made."""
    state = State.empty(ORIGIN)
    for entry in entries:
        evolve(state, entry.event, is_part=True)
    return state


def agree(views: Views, state: State, entries: Sequence[Entry]) -> None:
    """Every balance of the views is what the state says."""
    assert (views.size, views.at) == (state.size, state.at)
    agree_on_holdings(views, state)
    agree_on_books(views, state)
    agree_on_contracts(views, state)
    agree_on_lines(views, entries)
    agree_on_mandates(views, state)
    agree_on_claims(views, state, entries)
    agree_on_demands(views, state, entries)


def agree_on_claims(views: Views, state: State, entries: Sequence[Entry]) -> None:
    answered: Any = views.balances("claim")
    rows = {row.claim: row for row in answered}
    assert list(rows) == list(state.claims)
    for name, claim in state.claims.items():
        row, found = rows[name], views.claim(name)
        assert found.balance == row
        assert (row.programme, row.claimant, row.status) == (claim.programme, claim.claimant, claim.status)
        assert (row.last_day, row.claimed_index) == (format_day(claim.last_day), claim.index)
        outcome: Any = entries[claim.index].event.outcome
        assert outcome.rows == tuple((one.contract, one.claimed_fen) for one in found.rows)
        assert row.amount_fen == outcome.amount_fen == sum(one.claimed_fen for one in found.rows)
        for one in (row, *found.rows):
            claimed_fen = row.amount_fen if one is row else one.claimed_fen
            assert one.paid_fen + one.withheld_fen == (claimed_fen if row.status == "settled" else 0)
        assert row.paid_fen == row.set_off_fen + row.payment_fen == sum(one.paid_fen for one in found.rows)
        assert row.set_off_fen == sum(one.amount_fen for one in found.offsets)
        if row.status == "open":
            assert state.claimed_fen(name) == row.amount_fen
            continue
        command: Any = entries[row.settled_index].event.command
        assert (command.claim, command.paid_fen, command.offset_fen) == (name, row.paid_fen, row.set_off_fen)
        assert [one.reason for one in found.rows] == [one.reason for one in command.rows]


def agree_on_demands(views: Views, state: State, entries: Sequence[Entry]) -> None:
    answered: Any = views.balances("demand")
    rows = {row.demand: row for row in answered}
    assert set(rows) == set(state.demands)
    for name, demand in state.demands.items():
        row, found = rows[name], views.demand(name)
        assert found.balance == row
        assert (row.programme, row.payee, row.amount_fen) == (demand.programme, demand.payee, demand.amount_fen)
        assert row.left_fen == state.book["receivable", name]
        assert row.received_fen + row.set_off_fen == state.book["received", name]
        assert row.amount_fen - row.left_fen == sum(act.amount_fen for act in found.acts)
        assert entries[row.demanded_index].event.command.ref
    payees: Any = views.balances("payee")
    paid = {f"{row.programme} {row.payee}": row.paid_fen for row in payees if row.paid_fen}
    assert paid == {
        key: amount_fen for key, amount_fen in state.book.balances["paid"].items() if not key.endswith(" -")
    }
    receivable: Counter[tuple[str, str]] = Counter()
    for name, demand in state.demands.items():
        receivable[demand.payee, demand.programme] += state.book["receivable", name]
    assert all(row.receivable_fen == receivable[row.payee, row.programme] for row in payees)
    still = [(name, one) for name, one in state.claims.items() if one.status == "open"]
    assert sum(row.claims_open for row in payees) == len(still)
    assert sum(row.claimed_fen for row in payees) == sum(state.claimed_fen(name) for name, _ in still)


def agree_on_mandates(views: Views, state: State) -> None:
    answered: Any = views.balances("mandate")
    rows = {row.mandate: row for row in answered}
    assert set(rows) == set(state.mandates)
    for name, mandate in state.mandates.items():
        row = rows[name]
        assert (row.treasury, row.operator, row.kinds) == (mandate.treasury, mandate.operator, mandate.kinds)
        assert row.used_fen == state.book["mandated", name] == mandate.total_fen - row.left_fen
        assert row.used_fen == sum(act.amount_fen for act in views.mandate(name).acts)
        assert row.status == ("ended" if mandate.ended else "over" if mandate.until <= state.at else "open")


def shown_status(voucher: Voucher, at: int) -> str:
    """A voucher's own status, and whether it is over or not valid yet if it hasn't ended."""
    if voucher.is_spent_time(at) and not voucher.has_ended:
        return "over"
    return "not_yet_valid" if voucher.status == "active" and at < voucher.valid_from else voucher.status


def agree_on_holdings(views: Views, state: State) -> None:
    reserved: Counter[str] = Counter()
    for held in state.reservations.values():
        reserved[held.voucher] += state.book["reserved", held.id]
    burned: Counter[str] = Counter()
    for account in OF_LOTS:
        for key, amount_fen in state.book.balances[account].items():
            burned[lot_in(account, key).voucher] += amount_fen
    of_vouchers: list[Any] = [*views.balances("voucher")]
    vouchers = {row.voucher: row for row in of_vouchers}
    assert set(vouchers) == set(state.vouchers)
    for name, voucher in state.vouchers.items():
        row = vouchers[name]
        assert (row.programme, row.holder, row.parent) == (voucher.programme, voucher.holder, voucher.parent)
        assert row.contract == voucher.contract
        assert (row.status, row.valid_until) == (shown_status(voucher, state.at), format_instant(voucher.valid_until))
        assert (row.face_fen, row.available_fen) == (voucher.face_fen, state.book["available", name])
        assert row.reserved_fen == reserved[name]
        places = (row.available_fen, row.reserved_fen, row.burned_fen, row.transferred_fen, row.returned_fen)
        assert min(places) >= 0
        assert row.face_fen == sum(places)
        found = views.voucher(name)
        assert found.history[-1].available_fen == state.book["available", name]
        for one in found.reservations:
            held = state.reservations[one.reservation]
            assert (one.amount_fen, one.closed) == (held.amount_fen, held.closed)
            assert one.contract == held.contract
            assert one.remaining_fen == state.book["reserved", held.id]
            assert (one.taken_fen, one.released_fen) == (state.book["taken", held.id], state.book["released", held.id])
            assert one.amount_fen == one.remaining_fen + one.taken_fen + one.released_fen
        assert row.carried_over_fen == (voucher.carried_over_fen or 0)
        taken_fen = sum(one.taken_fen for one in found.reservations)
        assert row.burned_fen == burned[name] == taken_fen + row.carried_over_fen


def agree_on_books(views: Views, state: State) -> None:
    granted: Counter[str] = Counter()
    owed: Counter[tuple[str | None, str]] = Counter()
    answered: Any = views.balances("programme")
    books = {row.programme: row for row in answered}
    assert set(books) == set(state.programmes)
    for name, programme in state.programmes.items():
        row = books[name]
        totals = state.book.totals[name]
        assert {account: getattr(row, f"{account}_fen") for account in totals} == totals
        held = {key: one for key, one in state.vouchers.items() if one.programme == name}
        over = [key for key, one in held.items() if one.is_spent_time(state.at) and not one.has_ended]
        assert row.over_fen == sum(state.book["available", key] for key in over)
        assert row.envelope_fen == programme.envelope_fen == sum(totals.values())
        assert row.issued_fen == sum(one.face_fen for one in held.values() if one.parent is None)
        returned: Counter[str] = Counter()
        for key, one in held.items():
            returned[one.status] += state.book["returned", key]
        assert (row.expired_fen, row.revoked_fen, row.closed) == (
            returned["expired"],
            returned["revoked"],
            state.at >= programme.closes_at,
        )
        assert row.closes_at == format_instant(programme.closes_at)
        assert row.carried_over_fen == sum(one.carried_over_fen or 0 for one in held.values())
    for voucher_id, voucher in state.vouchers.items():
        came_back_fen = state.book["returned", voucher_id] if voucher.status == "revoked" else 0
        granted[voucher.holder] += voucher.face_fen - state.book["transferred", voucher_id] - came_back_fen
        forfeited_fen = sum(
            amount_fen
            for key, amount_fen in state.book.balances["forfeited"].items()
            if state.vouchers[lot_in("forfeited", key).voucher].programme == name
        )
        received_fen = sum(state.book["received", key] for key, one in state.demands.items() if one.programme == name)
        assert (row.forfeited_fen, row.received_fen) == (forfeited_fen, received_fen)
    for account in OF_LOTS:
        for key, amount_fen in state.book.balances[account].items():
            lot = lot_in(account, key)
            if lot.contract == CARRIED_OVER:
                continue  # to whom, no entry says
            payee = state.claimant(state.vouchers[lot.voucher].programme, lot.contract)
            owed[payee, f"{account}_fen"] += amount_fen
    parties: list[Any] = [*views.balances("holder"), *views.balances("provider")]
    roles = ("holder", "provider")
    assert sum(party.role in roles for party in state.parties.values()) == len(parties)
    for row in parties:
        name = getattr(row, "holder", None) or row.provider
        assert row.suspended == state.parties[name].suspended
        places = (row.unclaimed_fen, row.claimed_fen, row.withheld_fen, row.settled_fen, row.forfeited_fen)
        assert places == tuple(owed[name, f"{account}_fen"] for account in OF_LOTS)
        paid_fen = sum(state.book["paid", f"{programme} {name}"] for programme in state.programmes)
        asked = [demand for demand, one in state.demands.items() if one.payee == name]
        receivable_fen = sum(state.book["receivable", demand] for demand in asked)
        assert (row.paid_fen, row.receivable_fen) == (paid_fen, receivable_fen)
        assert row.settled_fen == paid_fen + receivable_fen + sum(state.book["received", demand] for demand in asked)
    holders: list[Any] = [*views.balances("holder")]
    for row in holders:
        assert row.granted_fen == granted[row.holder]
        assert row.granted_fen == row.available_fen + row.reserved_fen + row.burned_fen + row.expired_fen


def agree_on_contracts(views: Views, state: State) -> None:
    answered: Any = views.balances("contract")
    rows = {row.contract: row for row in answered}
    assert set(rows) == set(state.contracts)
    owed: Counter[tuple[str, str, str]] = Counter()
    for account in OF_LOTS:
        for key, amount_fen in state.book.balances[account].items():
            lot = lot_in(account, key)
            owed[lot.contract, state.vouchers[lot.voucher].programme, account] += amount_fen
    for name, contract in state.contracts.items():
        row = rows[name]
        terms = (contract.provider, contract.holder, contract.basis, contract.claimant, contract.amount_fen)
        assert (row.provider, row.holder, row.basis, row.claimant, row.amount_fen) == terms
        assert (row.first_day, row.last_day) == (format_day(contract.first_day), format_day(contract.last_day))
        charged_fen = state.book["charged", name]
        assert (row.charged_fen, row.chargeable_fen) == (charged_fen, contract.amount_fen - charged_fen)
        left_fen = contract.other_support_fen - state.book["absorbed", name]
        assert (row.other_support_fen, row.other_support_left_fen) == (contract.other_support_fen, left_fen)
        found = views.contract(name)
        assert (found.balance, found.document_hash) == (row, contract.document_hash)
        assert [one.programme for one in found.programmes] == sorted(contract.programmes)
        held = {one.id for one in state.reservations.values() if one.contract == name}
        assert {one.reservation for one in found.reservations} == held
        assert {one.reservation for one in found.reservations if not one.closed} == set(contract.reservations)
        for one in found.programmes:
            assert one.payee == state.claimant(one.programme, name)
            places = (one.unclaimed_fen, one.claimed_fen, one.withheld_fen, one.settled_fen, one.forfeited_fen)
            assert places == tuple(owed[name, one.programme, account] for account in OF_LOTS)
            assert one.from_voucher_fen - one.reversed_fen == sum(places)
        for sums in (found.statements, [row]):
            assert sum(one.lines_accepted for one in sums) == row.lines_accepted
            assert sum(one.lines_reversed for one in sums) == row.lines_reversed
        assert sum(one.from_voucher_fen for one in found.statements) == sum(
            one.from_voucher_fen for one in found.programmes
        )


def agree_on_lines(views: Views, entries: Sequence[Entry]) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    taken: Counter[tuple[int, str]] = Counter()
    reserved: dict[str, str] = {}
    for entry in entries:
        command, outcome = entry.event.command, entry.event.outcome
        if isinstance(command, VoucherReserve):
            reserved[command.reservation] = command.voucher
        if isinstance(command, BurnReverse) and isinstance(outcome, Reversed):
            counted[command.party, "lines_reversed"] += 1
            counted[command.party, "reversed_fen"] += outcome.returned_fen
        if isinstance(command, TimeBurn | ServiceBurn) and isinstance(outcome, Burned):
            reasons = dict(outcome.refused)
            gpu_milliseconds = [0]  # of a service, which is one line
            if isinstance(command, TimeBurn):
                gpu_milliseconds = [line.gpu_milli * line.seconds for _, line in command.lines()]
            counted[command.party, "statements"] += 1
            counted[command.party, "services"] += isinstance(command, ServiceBurn)
            counted[command.party, "absorbed_fen"] += sum(amount_fen for _, amount_fen in outcome.absorbed)
            for number, of_line in enumerate(gpu_milliseconds):
                if number in reasons:
                    counted[command.party, "lines_refused"] += 1
                    refused[command.party, reasons[number]] += of_line
                    continue
                counted[command.party, "lines_accepted"] += 1
                counted[command.party, "gpu_milliseconds"] += of_line
                counted[command.party, "fee_fen"] += outcome.fee_fen[number]
            for reservation, amounts_fen in outcome.paid:
                counted[command.party, "from_voucher_fen"] += sum(amounts_fen)
                taken[entry.event.index, reserved[reservation]] += sum(amounts_fen)
    names = ["lines_accepted", "lines_refused", "lines_reversed", "gpu_milliseconds"]
    names += ["fee_fen", "from_voucher_fen", "reversed_fen"]
    providers: list[Any] = views.balances("provider")
    for row in providers:
        assert {name: getattr(row, name) for name in names} == {name: counted[row.provider, name] for name in names}
        found = views.provider(row.provider)
        for one in (row, *found.programmes):
            owed_fen = one.unclaimed_fen + one.withheld_fen + one.claimed_fen + one.settled_fen + one.forfeited_fen
            assert one.from_voucher_fen - one.reversed_fen == one.to_holders_fen + one.either_fen + owed_fen
        assert len(found.statements) == counted[row.provider, "statements"]
        services = [(one.index, one.fee_fen, one.from_voucher_fen) for one in found.services]
        of_services = [one for one in found.statements if one.index in {index for index, _, _ in services}]
        assert services == [(one.index, one.fee_fen, one.from_voucher_fen) for one in of_services]
        assert len(services) == counted[row.provider, "services"]
        assert [one.reversed for one in found.services] == [one.lines_reversed == 1 for one in of_services]
        for name in (*names, "absorbed_fen"):
            assert sum(getattr(one, name) for one in found.statements) == counted[row.provider, name]
        for name in ("from_voucher_fen", "reversed_fen"):
            assert sum(getattr(one, name) for one in found.programmes) == counted[row.provider, name]
    assert {(one.provider, one.reason): one.gpu_milliseconds for one in views.refusals_by_reason()} == refused
    told = {
        (line.index, voucher): line.amount_fen
        for voucher in {*reserved.values()}
        for line in views.voucher(voucher).history
        if line.kind in (TimeBurn.event_kind, ServiceBurn.event_kind)
    }
    assert told == taken


def rows_of(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names if name != "saved_state"}


@pytest.mark.parametrize("seed", range(5))
def test_views_are_what_the_state_says(tmp_path: Path, seed: int) -> None:
    """Followed here and there in batches of any size, built again, and as of any entry."""
    entries, state = random_entries(seed)
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(2, len(entries)), 4))
    folder = tmp_path / "ledger"
    with patch.object(follower, "STATE_SAVED_AFTER_ENTRIES", 50):
        for _ in ledger_growing(folder, entries, cuts):
            with patch.object(follower, "ENTRIES_A_BATCH", chance.randrange(1, 40)), Views.open(folder) as views:
                views.follow()
    with Views.open(folder) as views:
        agree(views, state, entries)
    bit_by_bit = rows_of(folder / follow.NAME)
    view_store.remove(folder / follow.NAME)
    with Views.open(folder) as views:
        views.follow()
    assert rows_of(folder / follow.NAME) == bit_by_bit
    for index in chance.sample(range(len(entries)), 3):
        then = whole(entries[: index + 1])
        with Views.as_of(folder, index=index) as past:
            agree(past, then, entries[: index + 1])


def ledger_growing(folder: Path, entries: Sequence[Entry], cuts: Sequence[int]) -> Iterator[None]:
    """Make the same entries a real ledger, and stop at each cut and at the end; one commit has one time."""
    now = entries[0].event.at
    with create_ledger(folder, split_entry(entries[0].data)[1], key_of(ORIGIN), clock=lambda: now) as ledger:
        for start, stop in pairwise([1, *cuts, len(entries)]):
            for at, same in groupby(entries[start:stop], key=lambda entry: entry.event.at):
                now = at
                group = [entry.data for entry in same]
                answers = ledger.submit([split_entry(data)[1] for data in group])
                assert [answer.entry for answer in answers if isinstance(answer, Admitted)] == group
            yield
