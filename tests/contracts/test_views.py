"""Views answer what the log says, on any path: followed at once, bit by bit, interrupted, or built again."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from support.voucher_year import ACME, DC, LOG_KEY, START, Story
from tallystick.errors import LedgerError, NotALedgerError, UsageError
from tallystick.ledger import Ledger, open_ledger
from tallystick.publishing import read_ledger
from tallystick.views import By, Views, entry_index, follow, follower, view_store
from tallystick.views.follower import LogFollower
from tallystick.views.programme_balances import ProgrammeBooks
from tallystick.views.view_store import ViewStore
from tallystick.vouchers.authority import MandatedCommand
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.quantities import DAY_US, SECOND_US
from tallystick.vouchers.rules.mandates import MandatedKind
from tallystick.vouchers.rules.rule import Event, touched
from tallystick.vouchers.state import State


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger folder with the whole story, without views."""
    story = Story(tmp_path_factory.mktemp("views") / "ledger")
    story.year()
    story.ledger.close()
    return story.folder


@pytest.fixture
def folder(told: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoiled."""
    return Path(shutil.copytree(told, tmp_path / "ledger"))


@pytest.fixture
def views(folder: Path) -> Iterator[Views]:
    with Views.open(folder) as views:
        views.follow()
        yield views


def rows_of(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables; but for the saved state, which is a matter of when."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        assert {"vouchers", "tracking", "followed", "saved_state"} <= set(names)
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names if name != "saved_state"}


def followed_rows(folder: Path) -> dict[str, list[Any]]:
    """The rows of views that were followed in one go, from nothing."""
    path = folder / follow.NAME
    view_store.remove(path)
    with Views.open(folder) as views:
        views.follow()
    return rows_of(path)


# -- answers ----------------------------------------------------------------------------------------------------------


def test_balances_by_voucher(views: Views) -> None:
    """Every fen of a face value is somewhere."""
    answered: Any = views.balances("voucher")
    rows = {row.voucher: row for row in answered}
    sums = ("face_fen", "available_fen", "reserved_fen", "burned_fen", "transferred_fen", "returned_fen")
    numbers = {name: tuple(asdict(row)[column] for column in sums) for name, row in rows.items()}
    assert numbers == {
        "acme/part": (50_000, 0, 0, 0, 0, 50_000),
        "city/old": (30_000, 0, 0, 20_000, 0, 10_000),
        "city/v1": (200_000, 0, 0, 39_600, 50_000, 110_400),
        "city/v2": (100_000, 0, 0, 0, 0, 100_000),
        "city/w1": (40_000, 0, 0, 7_200, 0, 32_800),
        "city/w2": (5_000, 5_000, 0, 0, 0, 0),
        "registry/s1": (50_000, 0, 0, 8_000, 0, 42_000),
        "registry/s2": (4_000, 0, 0, 0, 0, 4_000),
    }
    assert all(face == sum(rest) for face, *rest in numbers.values())
    said = {name: (row.holder, row.parent, row.status) for name, row in rows.items()}
    assert said == {
        "acme/part": ("beta", "city/v1", "expired"),
        "city/old": ("beta", None, "expired"),
        "city/v1": ("acme", None, "expired"),
        "city/v2": ("beta", None, "revoked"),
        "city/w1": ("acme", None, "expired"),
        "city/w2": ("acme", None, "over"),
        "registry/s1": ("acme", None, "expired"),
        "registry/s2": ("beta", None, "revoked"),
    }
    assert {name: row.carried_over_fen for name, row in rows.items() if row.carried_over_fen} == {"city/old": 20_000}
    assert [(name, row.contract) for name, row in rows.items() if row.contract] == [("city/w1", "acme/k1")]
    assert rows["city/v1"].valid_from == "2026-01-05T08:00:15.000000Z"


def test_balances_by_programme(views: Views) -> None:
    """The envelope is whole."""
    first, second, third = views.balances("programme")
    assert asdict(first) == {
        "programme": "city/p",
        "treasury": "city",
        "name": "Vouchers",
        "payee": "provider",
        "closes_at": "2026-03-15T08:01:08.000000Z",
        "closed": True,
        "envelope_fen": 1_000_000,
        "unissued_fen": 964_300,
        "available_fen": 0,
        "over_fen": 0,
        "reserved_fen": 0,
        "burned_fen": 0,
        "withheld_fen": 600,
        "claimed_fen": 3_600,
        "paid_fen": 30_500,
        "carried_over_fen": 0,
        "receivable_fen": 1_000,
        "issued_fen": 300_000,
        "expired_fen": 160_400,
        "revoked_fen": 100_000,
        "forfeited_fen": 400,
        "received_fen": 3_500,
    }
    some = ("payee", "closed", "unissued_fen", "available_fen", "over_fen", "reserved_fen", "claimed_fen", "paid_fen")
    assert [asdict(second)[name] for name in some] == ["contract", False, 987_800, 5_000, 5_000, 0, 7_200, 0]
    there = ("envelope_fen", "unissued_fen", "burned_fen", "paid_fen", "carried_over_fen")
    assert [asdict(third)[name] for name in there] == [900_000, 872_000, 8_000, 20_000, 20_000]
    ever = ("issued_fen", "expired_fen", "revoked_fen")
    assert [asdict(third)[name] for name in ever] == [84_000, 52_000, 4_000]


def test_an_envelope_is_amended_in_both_directions(folder: Path) -> None:
    """All of it is unissued, or leaves what is unissued; nothing is issued by that."""
    told = []
    with Views.open(folder) as views:
        views.follow()
        amended = views.entries_concerning("rules city/s")
    for index in amended:
        with Views.as_of(folder, index=index) as then:
            balances: list[Any] = [*then.balances("programme")]
        (row,) = [one for one in balances if one.programme == "city/s"]
        told.append((row.envelope_fen, row.unissued_fen, row.issued_fen))
    assert told == [(1_000_000, 1_000_000, 0), (1_200_000, 1_120_000, 84_000), (900_000, 820_000, 84_000)]


def test_a_programme_is_closed_by_time(folder: Path, views: Views) -> None:
    """Its end comes without an entry: whether it is over, the log's time says of the last entry followed."""
    *_, newest = views.entries_concerning("rules city/s")
    with Views.as_of(folder, index=newest) as then:
        for one, closed in ((then, False), (views, True)):
            balances: list[Any] = [*one.balances("programme")]
            (row,) = [row for row in balances if row.programme == "city/s"]
            assert (row.closes_at, row.closed) == ("2026-02-21T08:01:03.000000Z", closed)


def test_balances_by_holder(views: Views) -> None:
    """What was granted is available, reserved, burned or expired."""
    acme, beta = [asdict(row) for row in views.balances("holder")]
    names = ("vouchers", "granted_fen", "available_fen", "reserved_fen", "burned_fen", "expired_fen", "suspended")
    assert [acme[name] for name in names] == [4, 245_000, 5_000, 0, 54_800, 185_200, False]
    assert [beta[name] for name in names] == [4, 80_000, 0, 0, 20_000, 60_000, True]
    assert [acme["carried_over_fen"], beta["carried_over_fen"]] == [0, 20_000]
    assert [acme[name] for name in ("unclaimed_fen", "claimed_fen", "paid_fen")] == [0, 7_200, 0]
    assert beta["paid_fen"] == 0  # to whom it went, what was used before the log, no entry says


def test_balances_by_provider(views: Views) -> None:
    """Gross lines, fees and GPU-time; net what is owed."""
    dc, other = [asdict(row) for row in views.balances("provider")]
    hour = 3_600_000
    assert {name: dc[name] for name in dc if name not in ("name", "suspended")} == {
        "provider": "dc",
        "reserved_fen": 0,
        "lines_accepted": 5,
        "lines_refused": 2,
        "lines_reversed": 2,
        "gpu_milliseconds": 30 * hour,
        "fee_fen": 126_000,
        "from_voucher_fen": 73_800,
        "reversed_fen": 22_600,
        "to_holders_fen": 7_200,
        "either_fen": 0,
        "unclaimed_fen": 8_000,
        "withheld_fen": 600,
        "claimed_fen": 0,
        "settled_fen": 35_000,
        "forfeited_fen": 400,
        "paid_fen": 30_500,
        "receivable_fen": 1_000,
    }
    names = ("reserved_fen", "lines_accepted", "gpu_milliseconds", "from_voucher_fen", "claimed_fen")
    assert [other[name] for name in names] == [0, 1, 2 * hour, 3_600, 3_600]


def test_a_vouchers_history(views: Views) -> None:
    """A line an entry, with what was available after it."""
    found = views.voucher("city/v1")
    assert [(line.kind, line.amount_fen, line.available_fen, line.text) for line in found.history] == [
        ("voucher.issued/1", 200_000, 200_000, "to acme"),
        ("voucher.transferred/1", 50_000, 150_000, "to beta as acme/part"),
        ("voucher.reserved/1", 100_000, 50_000, "acme/r1 for dc, under acme/k1"),
        ("voucher.reserved/1", 20_000, 30_000, "acme/r2 for other-dc, under acme/k2"),
        ("time.burned/1", 54_000, 30_000, "2 lines under acme/k1"),
        ("time.burned/1", 3_600, 30_000, "1 line under acme/k2"),
        ("burn.reversed/1", 18_000, 30_000, "line 0 of S1 to the reservation: never ran"),
        ("reservation.released/1", 64_000, 94_000, "acme/r1 to the voucher"),
        ("book.expired/1", 110_400, 0, "acme/r2 to the voucher, all to the programme"),
    ]
    assert [part.voucher for part in found.parts] == ["acme/part"]
    amounts = [
        (one.reservation, one.amount_fen, one.remaining_fen, one.taken_fen, one.released_fen)
        for one in found.reservations
    ]
    assert amounts == [("acme/r1", 100_000, 0, 36_000, 64_000), ("acme/r2", 20_000, 0, 3_600, 16_400)]
    assert [line.text for line in views.voucher("city/v2").history] == ["to beta", "question", "answer", "moved away"]
    first, _ = views.voucher("acme/part").history
    assert (first.text, first.party, first.at) == ("from acme, out of city/v1", "acme", "2026-01-05T08:00:18.000000Z")


def test_a_history_of_services_extensions_and_expiry(views: Views) -> None:
    """What is counted, and what is invoiced; and by which mandate somebody acted for the treasury."""
    found = views.voucher("registry/s1")
    assert [(line.kind, line.party, line.amount_fen, line.available_fen, line.text) for line in found.history] == [
        ("voucher.issued/1", "registry", 50_000, 50_000, "to acme, by city/m1"),
        ("voucher.reserved/1", "acme", 20_000, 30_000, "acme/s1 for dc, under acme/k3"),
        ("reservation.extended/1", "acme", 5_000, 25_000, "acme/s1"),
        ("reservation.extended/1", "acme", 0, 25_000, "acme/s1, for longer"),
        ("voucher.reserved/1", "acme", 10_000, 15_000, "acme/s2 for dc, under acme/k4"),
        ("service.burned/1", "dc", 4_000, 15_000, "20 of tokens under acme/k3"),
        ("service.burned/1", "dc", 1_000, 15_000, "5 of tokens under acme/k3"),
        ("burn.reversed/1", "dc", 1_000, 15_000, "line 0 of T2 to the reservation: another customer's"),
        ("service.burned/1", "dc", 4_000, 15_000, "an invoice for 910b under acme/k4"),
        (
            *("book.expired/1", "registry", 42_000, 0),
            "acme/s2 to the voucher, acme/s1 to the voucher, all to the programme",
        ),
    ]
    amounts = [
        (one.reservation, one.amount_fen, one.remaining_fen, one.taken_fen, one.released_fen, one.closed)
        for one in found.reservations
    ]
    assert amounts == [("acme/s1", 25_000, 0, 4_000, 21_000, True), ("acme/s2", 10_000, 0, 4_000, 6_000, True)]
    brought, ended = views.voucher("city/old").history
    assert (brought.amount_fen, brought.available_fen, brought.text) == (30_000, 10_000, "to beta, from before the log")
    assert (ended.amount_fen, ended.available_fen, ended.text) == (10_000, 0, "all to the programme")
    assert [line.text for line in views.voucher("registry/s2").history] == [
        "to beta, by city/m1",
        "moved away, by city/m1",
    ]


def test_what_was_served_is_told_beside_the_lines(views: Views) -> None:
    """Each is a statement of one line; of what, and how much, or by which document, stands by itself."""
    found = views.contract("acme/k3")
    assert [(one.ref, one.lines_accepted, one.lines_reversed, one.fee_fen) for one in found.statements] == [
        ("T1", 1, 0, 8_000),
        ("T2", 1, 1, 2_000),
    ]
    first, second = [asdict(one) for one in found.services]
    assert first == {
        "index": found.statements[0].index,
        "ref": "T1",
        "contract": "acme/k3",
        "item": "tokens",
        "first_day": "2026-01-10",
        "last_day": "2026-01-10",
        "quantity": 20,
        "counted": "a million tokens",
        "document_hash": None,
        "fee_fen": 8_000,
        "from_voucher_fen": 4_000,
        "reversed": False,
    }
    assert (second["quantity"], second["fee_fen"], second["reversed"]) == (5, 2_000, True)
    (invoice,) = views.contract("acme/k4").services
    assert (invoice.document_hash, invoice.quantity, invoice.counted, invoice.fee_fen) == (
        f"sha256:{'ab' * 32}",
        None,
        None,
        8_000,
    )
    assert [one.contract for one in views.provider("dc").services] == ["acme/k3", "acme/k3", "acme/k4"]
    assert views.provider("other-dc").services == views.contract("acme/k1").services == ()
    assert found.balance.gpu_milliseconds == 0
    assert [tuple(asdict(one).values()) for one in found.programmes] == [
        ("city/s", "dc", 2, 1, 5_000, 1_000, 4_000, 0, 0, 0, 0)
    ]


def test_mandates(folder: Path, views: Views) -> None:
    """What an operator may do, what is used of it and left; and all that it did."""
    first, second = [asdict(row) for row in views.balances("mandate")]
    assert first == {
        "mandate": "city/m1",
        "treasury": "city",
        "operator": "registry",
        "kinds": ("voucher.issue/1", "voucher.revoke/1", "voucher.suspend/1"),
        "programme": None,
        "status": "over",
        "until": "2026-02-08T08:00:46.000000Z",
        "each_fen": 50_000,
        "total_fen": 60_000,
        "used_fen": 54_000,
        "left_fen": 6_000,
    }
    assert [second[name] for name in ("status", "programme", "left_fen")] == ["ended", "city/s", 0]
    found = views.mandate("city/m1")
    assert asdict(found.balance) == first
    assert [(act.kind, act.about, act.amount_fen) for act in found.acts] == [
        ("voucher.issued/1", "voucher registry/s1", 50_000),
        ("voucher.issued/1", "voucher registry/s2", 4_000),
        ("voucher.revoked/1", "voucher registry/s2", 0),
    ]
    assert views.mandate("city/m2").acts == ()
    with Views.as_of(folder, index=found.acts[0].index) as then:
        balance = then.mandate("city/m1").balance
        assert (balance.status, balance.used_fen, balance.left_fen) == ("open", 50_000, 10_000)


def test_views_know_all_commands_that_are_given_by_mandate() -> None:
    """As the rules have them."""
    assert {one.model_fields["kind"].annotation for one in get_args(MandatedCommand)} == {
        Literal[kind] for kind in get_args(MandatedKind)
    }


def test_a_contracts_last_day_ends_its_reservations(tmp_path: Path) -> None:
    """Also of those that were made for longer before."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.issue("city/v1", "acme", 200_000)
    story.reserve("acme/r1", "city/v1", "acme/k1", 10_000, days=20)
    story.do(ACME, "contract.amend", "dc/officer-1", contract="acme/k1", last_day="2026-01-10")
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
        assert [one.until for one in views.contract("acme/k1").reservations] == ["2026-01-10T16:00:00.000000Z"]


def test_a_providers_statement(views: Views) -> None:
    """Statement by statement, what was refused and why, and its claims."""
    found = views.provider("dc")
    lines = [(one.lines_accepted, one.lines_refused, one.lines_reversed) for one in found.statements]
    assert lines == [(2, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 0, 0)]
    sums = [(one.ref, one.contract, one.holder, one.from_voucher_fen, one.reversed_fen) for one in found.statements]
    assert sums[:3] == [
        ("S1", "acme/k1", "acme", 64_800, 21_600),
        ("S2", "acme/k1", "acme", 0, 0),
        ("T1", "acme/k3", "acme", 4_000, 0),
    ]
    assert [(one.reason, one.lines, one.gpu_milliseconds) for one in found.refusals] == [
        ("exceeds_reservation", 1, 3_600_000_000),
        ("job_time_already_burned", 1, 3_600_000),
    ]
    claims = [(one.claim, one.status, one.amount_fen, one.paid_fen, one.payment_reference) for one in found.claims]
    assert claims == [("dc/c1", "settled", 36_000, 24_000, "bank 7"), ("dc/c2", "settled", 12_000, 11_000, "bank 8")]
    within = [(one.programme, one.lines_paid, one.lines_reversed, one.from_voucher_fen) for one in found.programmes]
    assert within == [("city/p", 2, 1, 54_000), ("city/q", 2, 1, 10_800), ("city/s", 3, 1, 9_000)]
    owed = [(one.paid_fen, one.to_holders_fen, one.reserved_fen) for one in found.programmes]
    assert owed == [(30_500, 0, 0), (0, 7_200, 0), (0, 0, 0)]
    assert [one.contract for one in found.contracts] == ["acme/k1", "acme/k3", "acme/k4"]
    assert [one.reservation for one in found.reservations] == ["acme/r1", "acme/r3", "acme/s1", "acme/s2"]


def test_a_contract(views: Views) -> None:
    """Lines and fees count once; of both programmes that paid them, each payment."""
    found = views.contract("acme/k1")
    assert asdict(found.balance) == {
        "contract": "acme/k1",
        "provider": "dc",
        "holder": "acme",
        "basis": "metered",
        "claimant": "holder",
        "related_party": False,
        "first_day": "2026-01-05",
        "last_day": "2026-03-31",
        "amount_fen": 200_000,
        "charged_fen": 72_000,
        "chargeable_fen": 128_000,
        "other_support_fen": 0,
        "other_support_left_fen": 0,
        "lines_accepted": 2,
        "lines_refused": 2,
        "lines_reversed": 1,
        "gpu_milliseconds": 30 * 3_600_000,
        "fee_fen": 108_000,
    }
    assert [tuple(asdict(one).values()) for one in found.programmes] == [
        ("city/p", "dc", 2, 1, 54_000, 18_000, 0, 600, 0, 35_000, 400),
        ("city/q", "acme", 2, 1, 10_800, 3_600, 0, 0, 7_200, 0, 0),
    ]
    assert [one.reservation for one in found.reservations] == ["acme/r1", "acme/r3"]
    assert [(one.ref, one.fee_fen) for one in found.statements] == [("S1", 108_000), ("S2", 0)]
    told = [(one.ref, one.line, one.job, one.day, one.fee_fen, one.from_voucher_fen) for one in found.lines]
    assert told == [
        ("S1", 0, "job-1", "2026-01-06", 36_000, 21_600),
        ("S1", 1, "job-2", "2026-01-06", 72_000, 43_200),
        ("S1", 2, "job-1", "2026-01-06", 0, 0),
        ("S2", 0, "job-3", "2026-01-06", 0, 0),
    ]
    assert [one.refused for one in found.lines] == [None, None, "job_time_already_burned", "exceeds_reservation"]
    assert [one.reversed for one in found.lines] == [True, False, False, False]
    names = ("acme/k1", "acme/k2", "acme/k3", "acme/k4")
    assert views.balances("contract") == [views.contract(name).balance for name in names]


def test_what_a_contract_says_either_of_is_owed_to_the_first_that_claims(folder: Path) -> None:
    """Until then to nobody; from then on all of it is, whichever programme paid."""
    with Views.open(folder) as views:
        views.follow()
        (claimed,) = [line.claimed_index for line in views.programme("city/q").claims]
    for index, owed in ((claimed - 1, (7_200, 0, None, 0)), (claimed, (0, 7_200, "acme", 7_200))):
        with Views.as_of(folder, index=index) as then:
            (of_programme,) = [one for one in then.provider("dc").programmes if one.programme == "city/q"]
            payment = then.contract("acme/k1").programmes[1]
            holder = then.holder("acme").balance.claimed_fen
            assert (of_programme.either_fen, of_programme.to_holders_fen, payment.payee, holder) == owed


def test_other_support_is_left_until_lines_absorb_it(tmp_path: Path) -> None:
    """It comes before what programmes pay, and a reversal gives it back."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.sign("acme/k3", "dc", other_support_fen=30_000)
    story.issue("city/v1", "acme", 200_000)
    story.reserve("acme/r1", "city/v1", "acme/k3", 100_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k3", story.line("job-1", 10), ref="S1")  # 36,000: 25,200 are absorbed, seven tenths
    story.burn(DC, "acme/k3", story.line("job-2", 10), ref="S2")  # 4,800 are left of it; city/p pays its half
    story.do(DC, "burn.reverse", statement="S2", line=0, reason="never ran")
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
        found = views.contract("acme/k3")
        assert [(one.absorbed_fen, one.from_voucher_fen) for one in found.statements] == [(25_200, 0), (4_800, 18_000)]
        assert (found.balance.other_support_left_fen, found.balance.charged_fen) == (4_800, 36_000)


def test_what_comes_back_of_a_closed_reservation_is_released(tmp_path: Path) -> None:
    """The voucher has it again, of the other reservation's part that one has."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.issue("city/v1", "acme", 200_000)
    story.reserve("acme/r1", "city/v1", "acme/k1", 10_000)
    story.reserve("acme/r2", "city/v1", "acme/k1", 50_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10), ref="S1")
    story.do(DC, "burn.reverse", statement="S1", line=0, reason="never ran")
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
        found = views.voucher("city/v1")
        amounts = [(one.remaining_fen, one.taken_fen, one.released_fen, one.closed) for one in found.reservations]
        assert amounts == [(0, 0, 10_000, True), (50_000, 0, 0, False)]
        balance = found.balance
        assert (balance.available_fen, balance.reserved_fen, balance.burned_fen) == (150_000, 50_000, 0)
        told = [(line.amount_fen, line.text) for line in found.history[-2:]]
        assert told == [
            (18_000, "1 line under acme/k1"),
            (18_000, "line 0 of S1 to the voucher and the reservation: never ran"),
        ]


def test_a_holders_account_and_a_programmes_book(views: Views) -> None:
    """Both are made of the rows that the balances are made of."""
    account = views.holder("beta")
    assert [one.voucher for one in account.vouchers] == ["acme/part", "city/old", "city/v2", "registry/s2"]
    assert account.balance == views.balances("holder")[1]
    assert [one.contract for one in views.holder("acme").contracts] == ["acme/k1", "acme/k2", "acme/k3", "acme/k4"]
    book = views.programme("city/p")
    assert [one.holder for one in book.holders] == ["acme", "beta"]
    owed = [(one.provider, one.claimed_fen, one.paid_fen) for one in book.providers]
    assert owed == [("dc", 0, 30_500), ("other-dc", 3_600, 0)]
    assert [one.claim for one in book.claims] == ["dc/c1", "dc/c2", "other-dc/c1"]
    assert [one.demand for one in book.demands] == ["city/d1"]


def test_a_claim_is_told_contract_by_contract(folder: Path, views: Views) -> None:
    """What of it is paid and withheld, and why; set off or by which payment. As long as it is open, nothing is."""
    found = views.claim("dc/c2")
    assert asdict(found.balance) == {
        "claim": "dc/c2",
        "programme": "city/p",
        "claimant": "dc",
        "last_day": "2026-01-08",
        "status": "settled",
        "amount_fen": 12_000,
        "paid_fen": 11_000,
        "withheld_fen": 1_000,
        "set_off_fen": 2_000,
        "payment_fen": 9_000,
        "payment_day": "2026-01-09",
        "payment_reference": "bank 8",
        "claimed_at": "2026-01-09T08:00:29.000000Z",
        "claimed_index": found.balance.claimed_index,
        "settled_at": "2026-01-09T08:00:30.000000Z",
        "settled_index": found.balance.claimed_index + 1,
    }
    assert [tuple(asdict(one).values()) for one in found.rows] == [("acme/k1", 12_000, 11_000, 1_000, "illegible")]
    assert [tuple(asdict(one).values()) for one in found.offsets] == [("city/d1", 2_000)]
    assert views.balances("claim") == [views.claim(one).balance for one in ("dc/c1", "dc/c2", "other-dc/c1", "acme/c1")]
    with Views.as_of(folder, index=found.balance.claimed_index) as then:
        was = then.claim("dc/c2")
        assert (was.balance.status, was.balance.paid_fen, was.balance.settled_index) == ("open", 0, None)
        assert [tuple(asdict(one).values()) for one in was.rows] == [("acme/k1", 12_000, 0, 0, None)]


def test_a_demand_is_told_with_what_became_of_it(views: Views) -> None:
    """Of what was asked back: what was set off, came by bank, was given up, and is left."""
    found = views.demand("city/d1")
    assert views.balances("demand") == [found.balance]
    names = ("programme", "payee", "amount_fen", "left_fen", "received_fen", "set_off_fen", "cancelled_fen", "reason")
    said = asdict(found.balance)
    assert [said[name] for name in names] == ["city/p", "dc", 5_000, 1_000, 1_500, 2_000, 500, "never ran"]
    assert [(act.kind, act.amount_fen, act.text) for act in found.acts] == [
        ("redemption.settled/1", 2_000, "of claim dc/c2"),
        ("recovery.received/1", 1_500, "bank 9, of 2026-01-09"),
        ("recovery.cancelled/1", 500, "it ran after all"),
    ]


def test_what_is_owed_by_payee_and_since_when(views: Views) -> None:
    """By programme; of claims that aren't settled, the oldest says since when."""
    rows = {(row["payee"], row["programme"]): row for row in map(asdict, views.balances("payee"))}
    assert list(rows) == [("acme", "city/q"), ("dc", "city/p"), ("dc", "city/s"), ("other-dc", "city/p")]
    names = ("unclaimed_fen", "withheld_fen", "claimed_fen", "claims_open", "settled_fen", "paid_fen", "receivable_fen")
    amounts = {payee: [row[name] for name in names] for payee, row in rows.items()}
    assert amounts == {
        ("acme", "city/q"): [0, 0, 7_200, 1, 0, 0, 0],
        ("dc", "city/p"): [0, 600, 0, 0, 35_000, 30_500, 1_000],
        ("dc", "city/s"): [8_000, 0, 0, 0, 0, 0, 0],
        ("other-dc", "city/p"): [0, 0, 3_600, 1, 0, 0, 0],
    }
    oldest = rows["other-dc", "city/p"]
    assert (oldest["oldest_last_day"], oldest["oldest_claimed_at"]) == ("2026-01-08", "2026-01-09T08:00:34.000000Z")
    assert rows["dc", "city/p"]["oldest_last_day"] is None


def test_refusals_by_reason(views: Views) -> None:
    """Accepted and refused lines together are all lines."""
    assert [(one.provider, one.reason, one.lines) for one in views.refusals_by_reason()] == [
        ("dc", "exceeds_reservation", 1),
        ("dc", "job_time_already_burned", 1),
    ]


@pytest.mark.parametrize(
    "what", ["voucher", "holder", "provider", "programme", "contract", "mandate", "claim", "demand"]
)
def test_what_is_not_there_is_named(views: Views, what: str) -> None:
    with pytest.raises(UsageError, match=f"there is no {what} nobody/1"):
        getattr(views, what)("nobody/1")


def test_a_payee_that_is_the_holder_is_owed(tmp_path: Path) -> None:
    """Where the programme pays holders, the provider burns and the holder is owed."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.open_programme("city/h", "dc", payee="holder")
    story.issue("city/h1", "acme", 90_000, "city/h")
    story.reserve("acme/r1", "city/h1", "acme/k1", 90_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10), ref="S1")
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
        assert views.holder("acme").balance.unclaimed_fen == 18_000
        balance = views.provider("dc").balance
        assert (balance.unclaimed_fen, balance.to_holders_fen, balance.from_voucher_fen) == (0, 18_000, 18_000)


def test_a_history_names_the_application_that_a_voucher_was_issued_for(tmp_path: Path) -> None:
    story = Story(tmp_path / "ledger")
    story.begin()
    declared = {"related_party": False, "other_support_fen": 0}
    asked: dict[str, Any] = {
        "application": "acme/a1",
        "programme": "city/p",
        "amount_fen": 2_000,
        "declarations": declared,
    }
    story.do(ACME, "application.file", evidence_hash=f"sha256:{'ab' * 32}", **asked)
    story.issue("city/v1", "acme", 1_000, application="acme/a1")
    story.issue("city/v2", "acme", 1_000, application="acme/a1", contract="acme/k1")
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
        texts = [views.voucher(name).history[0].text for name in ("city/v1", "city/v2")]
        assert texts == ["to acme for acme/a1", "to acme for acme/a1, under acme/k1 alone"]


def test_sums_beyond_64_bits_stay_exact(tmp_path: Path) -> None:
    """A provider that claims absurd GPU-time is refused, counted to the millisecond, and stops nobody's views."""
    story = Story(tmp_path / "ledger")
    story.begin()
    job, _, starts_at, ends_at, _ = story.line("job", 1)
    line = [job, 10_000_000, starts_at, ends_at, 31_622_400]
    for _ in range(50):
        story.burn(DC, "acme/k1", *[line] * 640)
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
        (refused,) = views.refusals_by_reason()
        assert refused.lines == 32_000
        assert refused.gpu_milliseconds == 32_000 * 10_000_000 * 31_622_400 > 2**63


# -- following --------------------------------------------------------------------------------------------------------


def test_following_is_counted_and_told(folder: Path) -> None:
    """Once followed, there is nothing more; progress is told batch by batch."""
    told: list[tuple[int, int]] = []
    with Views.open(folder) as views:
        assert views.size == 0
        assert views.balances("voucher") == []
        size = views.follow(lambda done, total: told.append((done, total)))
        assert (views.size, told) == (size, [(size, size)])
        assert views.follow() == 0


def test_new_entries_are_followed_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a process that comes later, with or without a saved state."""
    monkeypatch.setattr(follower, "STATE_SAVED_AFTER_ENTRIES", 8)
    story = Story(tmp_path / "ledger")
    story.begin()
    with Views.open(story.folder) as early:
        early.follow()
        story.issue("city/v1", "acme", 100)
        assert early.follow() == 1
        story.issue("city/v2", "acme", 100)
    for number in range(3, 6):
        with Views.open(story.folder) as later:
            assert later.follow() == 1
        story.issue(f"city/v{number}", "acme", 100)
    story.ledger.close()
    with Views.open(story.folder) as views:
        views.follow()
    rows = rows_of(story.folder / follow.NAME)
    assert len(rows["vouchers"]) == 5
    assert rows == followed_rows(story.folder)


def test_a_deleted_file_is_built_again_the_same(folder: Path) -> None:
    """Views can be thrown away."""
    first = followed_rows(folder)
    assert sum(map(len, first.values())) > 40
    assert followed_rows(folder) == first


@pytest.mark.parametrize("entries", [1, 2, 7])
def test_batches_of_any_size_give_the_same_rows(folder: Path, monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """A reversal or a payment may share a batch with what it is about, or not; saved states lie anywhere."""
    whole = followed_rows(folder)
    monkeypatch.setattr(follower, "ENTRIES_A_BATCH", entries)
    monkeypatch.setattr(follower, "STATE_SAVED_AFTER_ENTRIES", 3)
    assert followed_rows(folder) == whole


@pytest.mark.parametrize("entries_a_block", [3, entry_index.ENTRIES_A_BLOCK])
def test_entries_are_found_by_what_they_concern(
    folder: Path, monkeypatch: pytest.MonkeyPatch, entries_a_block: int
) -> None:
    """Whatever the blocks are: all of them, ascending; and in pages, newest first, of one party or of all."""
    monkeypatch.setattr(entry_index, "ENTRIES_A_BLOCK", entries_a_block)
    monkeypatch.setattr(follower, "ENTRIES_A_BATCH", 4)
    view_store.remove(folder / follow.NAME)
    concerned = dict[str, list[Event]]()
    with read_ledger(folder) as reader:
        state = State.empty(reader.origin)
        for data in reader.entries():
            event = Entry.from_bytes(data).event
            evolve(state, event)
            for name in {*touched(state, event), *event.command.concerns(state, event)}:
                concerned.setdefault(name, []).append(event)
    with Views.open(folder) as views:
        views.follow()
        for name, events in concerned.items():
            indices = [event.index for event in events]
            assert views.entries_concerning(name) == indices
            page = [row.entry_index for row in views.recorded(3, concerning=name)]
            assert page == indices[::-1][:3]
            after = [row.entry_index for row in views.recorded(3, concerning=name, before=page[-1])]
            assert after == indices[::-1][3:6]
            own = [event.index for event in events if event.command.party == events[0].command.party]
            rows = views.recorded(2, concerning=name, party=events[0].command.party)
            assert [row.entry_index for row in rows] == own[::-1][:2]
    assert max(len(events) for events in concerned.values()) > 6


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("persisted", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("at_batch", [0, 1, 3])
def test_a_kill_loses_nothing_and_doubles_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at_batch: int, persisted: bool
) -> None:
    """Whoever comes after goes on where the last whole batch ended."""
    whole = followed_rows(folder)
    view_store.remove(folder / follow.NAME)
    monkeypatch.setattr(follower, "ENTRIES_A_BATCH", 7)
    original = ViewStore._insert_tracking
    batches = iter(range(1_000))

    def kill(self: ViewStore, c: Any, tracking: Any) -> None:
        original(self, c, tracking)
        if tracking.application_name == "tallystick" and next(batches) == at_batch:
            if persisted:
                c.execute("COMMIT")
            raise Killed

    monkeypatch.setattr(ViewStore, "_insert_tracking", kill)
    with Views.open(folder) as views, pytest.raises(Killed):
        views.follow()
    monkeypatch.undo()
    with Views.open(folder) as views:
        assert views.size == 7 * (at_batch + persisted)
        views.follow()
    assert rows_of(folder / follow.NAME) == whole


def test_the_same_process_goes_on_after_an_exception(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state in memory had run ahead of the rows: it is not used again."""
    whole = followed_rows(folder)
    view_store.remove(folder / follow.NAME)
    monkeypatch.setattr(follower, "ENTRIES_A_BATCH", 7)

    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with Views.open(folder) as views:
        with monkeypatch.context() as patch:
            patch.setattr(ProgrammeBooks, "write", fail)
            with pytest.raises(LedgerError, match="disk is full"):
                views.follow()
        assert views.size == 0
        views.follow()
    assert rows_of(folder / follow.NAME) == whole


def test_two_that_follow_at_once_double_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slower one's batch is rolled back, and it goes on from where the faster one got."""
    whole = followed_rows(folder)
    view_store.remove(folder / follow.NAME)
    monkeypatch.setattr(follower, "ENTRIES_A_BATCH", 7)
    overtaken: list[int] = []
    original = LogFollower._follow_batch
    with Views.open(folder) as slow, Views.open(folder) as fast:

        def after_the_fast_one(self: LogFollower, *arguments: Any) -> Any:
            if self is slow._follower and not overtaken:
                overtaken.append(fast.follow())
            return original(self, *arguments)

        monkeypatch.setattr(LogFollower, "_follow_batch", after_the_fast_one)
        assert slow.follow() == 0
        assert overtaken == [slow.size]
    assert rows_of(folder / follow.NAME) == whole


# -- files that are not what they should be ---------------------------------------------------------------------------


def spoil_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4_096:] = bytes(len(data) - 4_096)
    path.write_bytes(data)


def run(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


SPOILED: dict[str, Callable[[Path], Any]] = {
    "no database": lambda path: path.write_bytes(b"these are not the rows"),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:9_000]),
    "pages wiped": spoil_bytes,
    "an older format": lambda path: run(path, "PRAGMA user_version = 0"),
    "somebody else's": lambda path: run(path, "PRAGMA application_id = 7"),
    "of another log": lambda path: run(path, "UPDATE followed SET origin = 'tallystick.example/other'"),
    "a table gone": lambda path: run(path, "DROP TABLE vouchers"),
    "ahead of the log": lambda path: run(path, "UPDATE tracking SET notification_id = 900 WHERE notification_id > 1"),
    "another history": lambda path: run(path, "UPDATE followed SET entry_sha256 = 'feed'"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_file_that_is_not_ours_is_built_anew(folder: Path, how: str) -> None:
    """Nothing is lost with it, so nobody is asked."""
    whole = followed_rows(folder)
    SPOILED[how](folder / follow.NAME)
    with Views.open(folder) as views:
        views.follow()
    assert rows_of(folder / follow.NAME) == whole


def is_kept(folder: Path) -> bool:
    """Whether the file that is there is taken up, and not built anew."""
    path = folder / follow.NAME
    run(path, "INSERT INTO saved_state VALUES (1000000, x'00', '')")
    with Views.open(folder) as views:
        views.follow()
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute("DELETE FROM saved_state WHERE size = 1000000").rowcount == 1


def test_a_file_of_another_version_is_built_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version follows from the form of the state, the tables, and what their rows mean."""
    assert view_store.version_of(("CREATE TABLE one",)) != view_store.version_of(("CREATE TABLE two",))
    whole = followed_rows(folder)
    assert is_kept(folder)
    for name, other in (("SCHEMA_SHA256", "0" * 64), ("MEANING", view_store.MEANING + 1)):
        monkeypatch.setattr(view_store, name, other)
        assert not is_kept(folder)
        assert is_kept(folder)
        assert rows_of(folder / follow.NAME) == whole


def test_a_saved_state_that_cannot_be_read_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a cache within a cache."""
    monkeypatch.setattr(follower, "STATE_SAVED_AFTER_ENTRIES", 2)
    story = Story(tmp_path / "ledger")
    story.begin()
    with Views.open(story.folder) as views:
        views.follow()
    run(story.folder / follow.NAME, "UPDATE saved_state SET data = x'00'")
    story.issue("city/v1", "acme", 100)
    story.ledger.close()
    with Views.open(story.folder) as views:
        assert views.follow() == 1
        assert len(views.balances("voucher")) == 1


def test_a_folder_without_a_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotALedgerError, match="is not a ledger"):
        Views.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_entry_that_cannot_be_followed_is_named(folder: Path) -> None:
    """What was followed before stays."""
    run(folder / "ledger.db", "DROP TRIGGER stored_events_refuses_update")
    run(folder / "ledger.db", "UPDATE stored_events SET state = x'00' WHERE originator_version = 30")
    with Views.open(folder) as views, pytest.raises(NotALedgerError, match="audit"):
        views.follow()


# -- the past ---------------------------------------------------------------------------------------------------------


def every_answer(views: Views) -> list[Any]:
    answers: list[Any] = [views.balances(by) for by in get_args(By)]
    return [*answers, views.refusals_by_reason(), views.size, views.at]


def test_as_of_an_index_is_what_views_said_then(tmp_path: Path) -> None:
    """At each entry of the story, the answers of then are the answers as of then."""
    story = Story(tmp_path / "ledger")
    then: dict[int, list[Any]] = {}
    submit = story.ledger.submit
    with Views.open(story.folder) as views:

        def submit_and_ask(notes: list[bytes]) -> Any:
            answers = submit(notes)
            views.follow()
            then[views.size - 1] = every_answer(views)
            return answers

        story.ledger.submit = submit_and_ask  # type: ignore[assignment, method-assign]
        story.year()
    story.ledger.close()
    assert len(then) > 30
    for index, answers in then.items():
        with Views.as_of(story.folder, index=index) as past:
            assert every_answer(past) == answers


def test_as_of_a_time_counts_entries_up_to_it(folder: Path) -> None:
    """To the microsecond, and before the beginning there is nothing."""
    with Views.as_of(folder, at=START - 1) as nothing:
        assert (nothing.size, nothing.balances("programme")) == (0, [])
    for at in (START, START + SECOND_US - 1):  # the founding and the first admission are of the same time
        with Views.as_of(folder, at=at) as founded:
            assert (founded.size, founded.at) == (2, START)
    with Views.as_of(folder, at=START + SECOND_US) as one_more:
        assert one_more.size == 3
    with Views.as_of(folder, at=START + 900 * DAY_US) as now, Views.open(folder) as views:
        views.follow()
        assert every_answer(now) == every_answer(views)


def test_the_past_leaves_no_file_and_does_not_move(folder: Path) -> None:
    """It is in memory, and two pasts don't mix."""
    with Views.as_of(folder, index=20) as past, Views.as_of(folder, index=12) as older:
        assert (past.size, older.size) == (21, 13)
        assert not (folder / follow.NAME).exists()
        with pytest.raises(UsageError, match="past"):
            past.follow()


def test_an_index_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no entry 900"):
        Views.as_of(folder, index=900)
    with pytest.raises(ValueError, match="an index or a time"):
        Views.as_of(folder)


def test_the_environment_says_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library reads settings from it unless it is told not to."""
    whole = followed_rows(folder)
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.popo")
    monkeypatch.setenv("SQLITE_DBNAME", ":memory:")
    assert followed_rows(folder) == whole


def test_views_follow_a_ledger_that_is_open(folder: Path) -> None:
    """No lock of the writer's is needed."""
    ledger: Ledger = open_ledger(folder, LOG_KEY)
    with ledger, Views.open(folder) as views:
        assert views.follow() == ledger.state.size
