"""Services, mandates, imports and what time ended, as the command line shows them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.command_line import done, failed, run
from support.voucher_year import DC, REGISTRY, Story
from tallystick.vouchers.quantities import DAY_US, format_instant


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The year; not to be added to."""
    story = Story(tmp_path_factory.mktemp("year") / "ledger")
    story.year()
    yield story
    story.ledger.close()


def test_a_mandate_is_shown_with_what_was_done_by_it(story: Story) -> None:
    """Who may do what, how much is used and left; and each act."""
    shown = done("show", story.folder, "mandate", "city/m1")
    assert shown.startswith("mandate city/m1\nafter ")
    lines = [line.split() for line in shown.splitlines()]
    for words in (
        ["operator", "registry"],
        ["kinds", "voucher.issue/1,", "voucher.revoke/1,", "voucher.suspend/1"],
        ["status", "over"],
        ["until", "2026-02-08T16:00:46"],
        ["used", "540.00"],
        ["left", "60.00"],
    ):
        assert words in lines
    acts = [words for words in lines if "voucher.issued/1" in words or "voucher.revoked/1" in words]
    assert [words[-3:] for words in acts] == [
        ["voucher", "registry/s1", "500.00"],
        ["voucher", "registry/s2", "40.00"],
        ["voucher", "registry/s2", "0.00"],
    ]
    told = run("show", story.folder, "mandate", "city/m1", "--json").json["mandate"]
    assert told["balance"]["kinds"] == ["voucher.issue/1", "voucher.revoke/1", "voucher.suspend/1"]
    assert "there is no mandate city/m9" in failed("show", story.folder, "mandate", "city/m9")


def test_mandates_are_listed(story: Story) -> None:
    """Also as of then, and for a spreadsheet."""
    rows = list(
        csv.DictReader(io.StringIO(done("balances", story.folder, "--by", "mandate", "--csv").lstrip("\ufeff")))
    )
    assert [(row["mandate"], row["kinds"], row["status"], row["left_fen"]) for row in rows] == [
        ("city/m1", "voucher.issue/1 voucher.revoke/1 voucher.suspend/1", "over", "6000"),
        ("city/m2", "redemption.settle/1", "ended", "0"),
    ]
    assert done("balances", story.folder, "--by", "mandate", "--as-of", 3).endswith("there is no mandate yet\n")


def test_services_are_shown_beside_lines(story: Story) -> None:
    """A quantity in its unit, and an invoice by its document."""
    counted = done("show", story.folder, "contract", "acme/k3")
    assert "services" in counted
    (line,) = [one for one in counted.splitlines() if "a million tokens" in one and " no" in one]
    assert line.split()[1:7] == ["T1", "acme/k3", "tokens", "2026-01-10", "2026-01-10", "20"]
    assert "ab" * 32 in done("show", story.folder, "provider", "dc")
    assert "services" not in done("show", story.folder, "contract", "acme/k1")


def test_what_was_carried_over_is_shown(story: Story) -> None:
    """As a part of what stands before it."""
    for what, id_, whole in (("voucher", "city/old", "burned"), ("programme", "city/s", "paid")):
        lines = [line.split() for line in done("show", story.folder, what, id_).splitlines()]
        place = lines.index([whole, "200.00"])
        assert lines[place + 1] == ["of", "it", "carried", "over", "200.00"]


def test_an_expiry_is_shown_row_by_row(story: Story) -> None:
    """What time ended, how much was left of it, and where that went."""
    found = run("show", story.folder, "voucher", "registry/s1", "--json").json["voucher"]
    shown = done("show", story.folder, "entry", found["history"][-1]["index"])
    rows = [line.split() for line in shown[shown.index("ended") :].splitlines()]
    assert ["reservation", "acme/s1", "210.00", "voucher"] in rows
    assert ["voucher", "registry/s1", "420.00", "programme"] in rows
    assert len(rows) == 3 + 9


def test_a_service_and_an_expiry_are_checked_and_submitted(tmp_path: Path) -> None:
    """The one is answered as a statement of one line, the other with what it ended."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.at += 4 * DAY_US
    story.services()
    days = {"first_day": "2026-01-09", "last_day": "2026-01-09"}
    served: dict[str, Any] = {"contract": "acme/k3", "item": "tokens", "quantity": 2, "pay_available": True}
    story.at += 20 * DAY_US
    notes = {
        "late": DC.note("service.burn", story.at, **served, **days),
        "service": DC.note("service.burn", story.at, **served, first_day="2026-01-12", last_day="2026-01-12"),
        "expiry": REGISTRY.note("book.expire", story.at),
        "again": REGISTRY.note("book.expire", story.at),
    }
    files = []
    for name, note in notes.items():
        files.append(tmp_path / f"{name}.note")
        files[-1].write_bytes(note)
    ran = run("check", story.folder, *files, "--log-time", format_instant(story.at))
    story.ledger.close()
    assert (ran.status, ran.err) == (1, "")
    late, after = ran.out.split(f"{files[1]}: ")
    assert "refused: tariff_missing" in late
    service, expiry = after.split(f"{files[2]}: ")
    assert service.splitlines()[-1].split() == ["0", "tokens", "8.00", "4.00", "0.00", "burned"]
    assert [line.split() for line in expiry.splitlines()[5:6]] == [["reservation", "acme/s2", "60.00", "voucher"]]
    assert "refused: nothing_due" in expiry.splitlines()[-2]
    assert expiry.splitlines()[-1] == "  Register (registry) books what time has ended"
    told = run("check", story.folder, files[1], "--json", "--log-time", format_instant(story.at)).json["notes"][0]
    assert told["lines"] == [
        {"line": 0, "item": "tokens", "accepted": True, "fee_fen": 800, "paid_fen": 400, "absorbed_fen": 0}
    ]
