"""Of random ledgers: claims are made of lots and lines, days and quarters add up, gates stand as the rules ask them."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from contracts.test_views_by_day import KINDS, agree_with_quarters
from properties.test_views_rebuild import ledger_growing, random_entries, whole
from tallystick.views import GateStanding, Views
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rules.gates import check_passed
from tallystick.vouchers.state import State

Kept = tuple[Path, list[Entry], State]


@pytest.fixture(scope="module", params=[3])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A random ledger in a folder, its entries, and a state in which all of it stays."""
    entries, state = random_entries(request.param)
    folder = tmp_path_factory.mktemp("random") / "ledger"
    assert len([*ledger_growing(folder, entries, ())]) == 1
    return folder, entries, state


def test_claims_are_made_of_lots_and_these_of_lines(kept: Kept) -> None:
    """Every fen of a claim lies in a lot; what a lot's lines come to beyond that, rounding left for later."""
    folder, entries, _ = kept
    left_fen: Counter[tuple[str, str, str]] = Counter()
    seen: set[tuple[int, int, str]] = set()
    with Views.as_of(folder, index=len(entries) - 1) as views:
        claims: Any = views.balances("claim")
        assert claims
        for balance in claims:
            claim = views.claim(balance.claim)
            by_contract: Counter[str] = Counter()
            lines_fen: Counter[tuple[str, str, str]] = Counter()
            for line in claim.lines:
                lines_fen[line.contract, line.voucher, line.day] += line.amount_fen
                assert (line.index, line.line, line.voucher) not in seen
                seen.add((line.index, line.line, line.voucher))
            for lot in claim.lots:
                by_contract[lot.contract] += lot.amount_fen
                if lot.day is not None:
                    place = lot.contract, lot.voucher, lot.day
                    left_fen[place] += lines_fen.pop(place, 0) - lot.amount_fen
                    assert left_fen[place] >= 0
            assert not lines_fen
            assert by_contract == Counter({row.contract: row.claimed_fen for row in claim.rows})


def test_days_and_quarters_add_up(kept: Kept) -> None:
    """On each day; and up to the last one it is what it is now."""
    folder, entries, state = kept
    days = sorted({state.day_of(entry.event.at) for entry in entries})
    for day in days[:: max(1, len(days) // 6)]:
        with Views.as_of(folder, day=day) as views:
            agree_with_quarters(views)
    with Views.as_of(folder, day=days[-1]) as by_day, Views.as_of(folder, index=len(entries) - 1) as now:
        agree_with_quarters(now)
        for kind in (*KINDS, "application"):
            assert {repr(row) for row in by_day.balances(kind)} == {repr(row) for row in now.balances(kind)}


def test_gates_stand_as_the_rules_ask_them(kept: Kept) -> None:
    """Before each issue for an application, and each settlement of an open claim."""
    folder, entries, _ = kept
    asked: dict[bool, int] = defaultdict(int)
    for size in range(len(entries) // 3, len(entries) + 1, 25):
        state = whole(entries[:size])
        with Views.as_of(folder, index=size - 1) as views:
            for name, application in state.applications.items():
                if application.withdrawn:
                    continue
                subjects: Any = {"application": [name], "holder": [application.holder]}
                if application.contract is not None:
                    subjects["contract"] = [application.contract]
                refusal = check_passed(state, application.programme, "issue", application.holder, subjects, state.at)
                named = [one for one in views.application(name).gates if one.subject]
                asked[agree_on_gates(named, refusal is None)] += 1
            for name, claim in state.claims.items():
                if claim.status == "open":
                    found = views.claim(name)
                    side = state.parties[claim.claimant].role
                    subjects = {"claim": [name], "contract": [row.contract for row in found.rows]}
                    subjects[side] = [claim.claimant]
                    refusal = check_passed(state, claim.programme, "settle", claim.claimant, subjects, state.at)
                    asked[agree_on_gates([*found.gates], refusal is None)] += 1
    assert min(asked[True], asked[False]) > 0


def agree_on_gates(gates: list[GateStanding], is_passed: bool) -> bool:
    """All are passed, or what is missing is said."""
    assert all(one.passed for one in gates) == is_passed
    assert all(one.passed == (not one.missing) for one in gates)
    return is_passed
