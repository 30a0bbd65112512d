"""What views say up to a day adds up, in any store: a line counts on its own day, all else on that of its entry."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, cast, get_args

import pytest

from support.postgres import fresh_database
from support.voucher_year import CITY, DC, START, Story
from tallystick.sources import AnySource
from tallystick.views import ProgrammeBalance, Views
from tallystick.views.balances import HolderBalance, VoucherBalance
from tallystick.views.daily import DailySeries, DayKind, Moved
from tallystick.views.lists import By
from tallystick.views.provider_statement import ProviderBalance
from tallystick.views.treasuries import TreasuryBalance
from tallystick.vouchers.book import PROGRAMME_ACCOUNTS
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, parse_day
from tallystick.vouchers.state import State

FIRST_DAY, LAST_DAY = parse_day("2026-01-03"), parse_day("2026-03-16")
KINDS: tuple[By, ...] = (
    "programme",
    "holder",
    "provider",
    "voucher",
    "contract",
    "claim",
    "demand",
    "payee",
    "treasury",
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[AnySource, State]:
    """A ledger with the whole story, and its state."""
    place = (
        tmp_path_factory.mktemp("by-day") / "ledger" if request.param == "sqlite" else cast("Path", fresh_database())
    )
    story = Story(place)
    story.year()
    state = story.ledger.state
    story.ledger.close()
    return place, state


def programmes(views: Views) -> list[ProgrammeBalance]:
    return cast("list[ProgrammeBalance]", views.balances("programme"))


def accounts(balance: ProgrammeBalance) -> dict[str, int]:
    """Where an envelope is, as the book calls it."""
    return {account: getattr(balance, f"{account}_fen") for account in PROGRAMME_ACCOUNTS}


def test_up_to_the_last_day_it_is_what_the_book_says(told: tuple[AnySource, State]) -> None:
    """Every kind of balance, and every account of every programme."""
    source, state = told
    with Views.as_of(source, index=state.size - 1) as now, Views.as_of(source, day=LAST_DAY) as by_day:
        assert [by_day.balances(kind) for kind in KINDS] == [now.balances(kind) for kind in KINDS]
        assert {one.programme: accounts(one) for one in programmes(now)} == state.book.totals


def test_each_day_adds_up_and_so_do_the_quarters(told: tuple[AnySource, State]) -> None:
    """What moved up to a day, summed over quarters, is what the balances of that day are made of."""
    source, _ = told
    for day in range(FIRST_DAY, LAST_DAY + 1, 8):
        with Views.as_of(source, day=day) as views:
            agree_with_quarters(views)
            quarters = [one.quarter for row in programmes(views) for one in views.programme(row.programme).quarters]
            assert set(quarters) <= {"2026 Q1"}


def agree_with_quarters(views: Views) -> None:
    """Every programme is whole, and its quarters together are what moved."""
    for one in programmes(views):
        assert one.envelope_fen == sum(accounts(one).values())
        moved: Counter[str] = Counter()
        for quarter in views.programme(one.programme).quarters:
            amounts = asdict(quarter)
            del amounts["quarter"]
            moved.update(amounts)
        burned_fen = moved["burned_fen"] - moved["reversed_fen"]
        assert moved["claimed_fen"] == moved["withheld_fen"] + settled(moved, one) + one.claimed_fen
        assert burned_fen == unsettled(one) + settled(moved, one) + moved["forfeited_fen"]
        names = ("issued_fen", "expired_fen", "revoked_fen", "forfeited_fen", "received_fen")
        assert [moved[name] for name in names] == [getattr(one, name) for name in names]
        asked_back_fen = moved["demanded_fen"] - moved["cancelled_fen"] - moved["received_fen"]
        assert (asked_back_fen, moved["paid_fen"] - moved["demanded_fen"] + moved["cancelled_fen"]) == (
            one.receivable_fen,
            one.paid_fen,
        )


def settled(moved: Counter[str], balance: ProgrammeBalance) -> int:
    """What settlements paid: all that was paid, but for what was used before the log."""
    return moved["paid_fen"] - balance.carried_over_fen


def unsettled(balance: ProgrammeBalance) -> int:
    return balance.burned_fen + balance.withheld_fen + balance.claimed_fen


def test_a_line_counts_on_its_own_day(told: tuple[AnySource, State]) -> None:
    """Jobs of 5 January, recorded on the 7th: by day they are there, in the order of the log not yet."""
    source, _ = told
    day = parse_day("2026-01-06")
    with Views.as_of(source, day=day) as by_day, Views.as_of(source, at=START + DAY_US) as as_of:
        burned = {one.programme: one.burned_fen for one in programmes(by_day)}
        assert burned == {"city/p": 39_600, "city/q": 7_200}  # 36.00 and 3.60 yuan an hour, of the lines that stand
        assert [one.burned_fen for one in programmes(as_of)] == [0, 0]
        contract = by_day.contract("acme/k1")
        assert [(one.ref, one.lines_accepted, one.lines_reversed) for one in contract.statements] == [
            ("S1", 2, 1),
            ("S2", 0, 0),
        ]
        assert [(one.ref, one.line) for one in contract.lines] == [("S1", 0), ("S1", 1), ("S1", 2), ("S2", 0)]
        assert (contract.balance.charged_fen, contract.balance.last_day) == (72_000, "2026-06-30")
        assert by_day.voucher("city/v1").balance.burned_fen == 39_600
        assert (by_day.size, format_day((by_day.at + 8 * 3_600 * 10**6) // DAY_US)) == (told[1].size, "2026-01-06")


def test_by_day_as_it_was_known_then(told: tuple[AnySource, State]) -> None:
    """The two ways of looking back are independent: up to a day, of what the log knew at an entry."""
    source, _ = told
    day = parse_day("2026-01-06")
    with Views.as_of(source, day=day) as now:
        first, _ = now.contract("acme/k1").statements
    with (
        Views.as_of(source, index=first.index - 1, day=day) as before,
        Views.as_of(source, index=first.index, day=day) as then,
    ):
        assert [one.burned_fen for one in programmes(before)] == [0, 0]
        assert [one.burned_fen for one in programmes(then)] == [54_000, 10_800]


def test_a_line_of_a_day_before_the_contract_was_in_the_log(tmp_path: Path) -> None:
    """What is newer than the day is told as it is now, for what is of the day."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.at += 3 * DAY_US
    story.sign("acme/k9", "dc")
    fields = {
        "programme": "city/p",
        "holder": "acme",
        "face_fen": 50_000,
        "valid_from": format_instant(START + 60 * SECOND_US),
    }
    story.do(CITY, "voucher.issue", voucher="city/v1", **fields)
    story.reserve("acme/r9", "city/v1", "acme/k9", 30_000)
    story.burn(DC, "acme/k9", story.line("job-1", 10), ref="S1")
    story.ledger.close()
    with Views.as_of(story.folder, day=parse_day("2026-01-07")) as views:
        (balance,) = programmes(views)
        assert (balance.burned_fen, balance.available_fen, balance.reserved_fen) == (18_000, 0, -18_000)
        assert views.contract("acme/k9").balance.charged_fen == 36_000
        assert views.voucher("city/v1").balance.burned_fen == 18_000


def test_a_day_without_anything(told: tuple[AnySource, State]) -> None:
    with Views.as_of(told[0], day=parse_day("2025-12-01")) as views:
        assert [views.balances(kind) for kind in KINDS] == [[]] * len(KINDS)


def test_what_a_treasury_owes_is_what_its_book_says(told: tuple[AnySource, State]) -> None:
    """By payee and age: burned, withheld and claimed of all its programmes, whole."""
    source, state = told
    ages = ("claimed_0_30_fen", "claimed_31_60_fen", "claimed_61_90_fen", "claimed_over_90_fen")
    totals: Counter[str] = Counter()
    for accounts_fen in state.book.totals.values():
        totals.update({str(account): fen for account, fen in accounts_fen.items()})
    with Views.as_of(source, index=state.size - 1) as views:
        found: Any = views.treasury("city")
    names = ("unissued", "available", "reserved", "burned", "withheld", "claimed", "paid", "receivable")
    assert {name: getattr(found.balance, f"{name}_fen") for name in names} == {name: totals[name] for name in names}
    owed = {
        name: sum(getattr(one, f"{name}_fen") for one in found.owed) for name in ("unclaimed", "withheld", "claimed")
    }
    assert owed["unclaimed"] + found.balance.either_fen == totals["burned"] == 8_000
    assert (owed["withheld"], owed["claimed"]) == (totals["withheld"], totals["claimed"]) == (600, 10_800)
    assert found.balance.owed_fen == sum(owed.values()) + found.balance.either_fen
    assert [sum(getattr(one, name) for one in found.owed) for name in ages] == [0, 0, 10_800, 0]
    assert [one.claim for one in found.claims] == ["other-dc/c1", "acme/c1"]
    assert ([one.demand for one in found.demands], [one.mandate for one in found.mandates]) == (
        ["city/d1"],
        ["city/m1", "city/m2"],
    )


DayThing = Literal["treasury", "programme", "provider", "holder", "voucher", "contract"]
DAY_KINDS: tuple[DayThing, ...] = get_args(DayThing)


def at_the_end(series: DailySeries) -> Moved:
    return series.days[-1] if series.days else series.before


def levels(row: Any) -> dict[str, int]:
    """What a day's end must say of a thing, by its balance."""
    match row:
        case ProgrammeBalance() | TreasuryBalance():
            names = {f"{name}_left_fen": getattr(row, f"{name}_fen") for name in ("unissued", "available", "reserved")}
            return names | {"owed_fen": row.burned_fen + row.withheld_fen + row.claimed_fen}
        case VoucherBalance() | HolderBalance():
            names = {f"{name}_left_fen": getattr(row, f"{name}_fen") for name in ("available", "reserved")}
            return names | {"used_fen": row.burned_fen}
        case ProviderBalance():
            return {"reserved_left_fen": row.reserved_fen, "used_fen": row.from_voucher_fen - row.reversed_fen}
    return {}


def test_what_moved_day_by_day_comes_to_the_balances(told: tuple[AnySource, State]) -> None:
    """Of every thing, and of the network; what moved before the days and on them, and the levels at the end."""
    source, state = told
    with Views.as_of(source, index=state.size - 1) as views:
        for kind in DAY_KINDS:
            for row in views.balances(kind):
                series = views.days(kind, getattr(row, kind), FIRST_DAY + 30, LAST_DAY)
                end, moved = at_the_end(series), [series.before, *series.days]
                assert {name: getattr(end, name) for name in levels(row)} == levels(row), (kind, row)
                if isinstance(row, ProviderBalance):
                    names = ("lines", "gpu_milliseconds", "burned_fen", "reversed_fen", "reversed_lines")
                    wanted = ("lines_accepted", "gpu_milliseconds", "from_voucher_fen", "reversed_fen")
                    sums = [sum(getattr(one, name) for one in moved) for name in names]
                    assert sums == [*(getattr(row, name) for name in wanted), row.lines_reversed]
        whole, programmes_ = views.days("network", None, FIRST_DAY, LAST_DAY), programmes(views)
        assert whole.before == Moved(**dict.fromkeys(Moved.__dataclass_fields__, 0))
        assert at_the_end(whole).available_left_fen == sum(one.available_fen for one in programmes_)
        assert sum(one.issued_fen for one in whole.days) == sum(one.issued_fen for one in programmes_)


def test_a_day_is_the_same_however_far_one_looks(told: tuple[AnySource, State]) -> None:
    """Of what is booked up to a day, and of all up to that day; however it is begun."""
    source, state = told
    with Views.as_of(source, index=state.size - 1) as now:
        things: list[tuple[DayKind, str | None]] = [("network", None)]
        things += [(kind, getattr(row, kind)) for kind in DAY_KINDS for row in now.balances(kind)]
        for day in range(FIRST_DAY + 7, LAST_DAY, 24):
            with Views.as_of(source, day=day) as then:
                for kind, id_ in things:
                    assert then.days(kind, id_, FIRST_DAY, day).days == now.days(kind, id_, FIRST_DAY, day).days
        for kind, id_ in things:
            all_, late = now.days(kind, id_, FIRST_DAY, LAST_DAY), now.days(kind, id_, FIRST_DAY + 20, LAST_DAY)
            assert late.days == tuple(one for one in all_.days if one.day >= format_day(FIRST_DAY + 20)), (kind, id_)
