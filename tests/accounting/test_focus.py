"""What FOCUS 1.2 asks of a data set, checked row by row against a table of our own; and the sums are the book's."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from support.command_line import done, finish, run, start
from tallystick.accounting import booked_entries
from tallystick.publishing import read_ledger

MANDATORY = {
    *("BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory"),
    *("ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost"),
    *("ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
}
"""Never empty."""
MANDATORY_AND_NULLABLE = {"BillingAccountName", "ChargeClass", "ChargeDescription", "PricingQuantity", "PricingUnit"}
CONDITIONAL = {
    *("BillingAccountType", "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice"),
    *("PricingCategory", "ResourceId", "ResourceName", "ResourceType", "SkuId", "SkuMeter", "SkuPriceId"),
    *("SubAccountId", "SubAccountName", "SubAccountType"),
}
RECOMMENDED = {"ChargeFrequency", "InvoiceId", "ServiceSubcategory"}
COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
PERIODS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
SUBCATEGORIES = {
    "Compute": {"Containers", "Quantum Compute", "Serverless Compute", "Virtual Machines", "Other (Compute)"},
    "AI and Machine Learning": {"AI Platforms", "Generative AI", "Other (AI and Machine Learning)"},
    "Other": {"Other (Other)"},
}
Row = dict[str, str]


@pytest.fixture(scope="module")
def data_sets(small_ledger: Path) -> dict[str, list[Row]]:
    """The small ledger's, of each share."""
    made = {}
    for share in ("treasury", "holder"):
        text = run("journal", small_ledger, "--format", "focus", "--share", share).out
        assert "\r\n" in text
        made[share] = list(csv.DictReader(io.StringIO(text, newline="")))
        assert len(made[share]) > 15
    assert run("journal", small_ledger, "--format", "focus").out.count("\n") == len(made["treasury"]) + 1
    return made


def sum_of(rows: list[Row], column: str, *, where: Callable[[Row], bool] = lambda _: True) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if where(row)), Decimal(0))


@pytest.mark.parametrize("share", ["treasury", "holder"])
def test_columns_are_those_of_focus(data_sets: dict[str, list[Row]], share: str) -> None:
    """All that are mandatory, no other of its names, and our own begin with x_."""
    columns = set(data_sets[share][0])
    ours = {name for name in columns if name.startswith("x_")}
    assert columns - ours == MANDATORY | MANDATORY_AND_NULLABLE | CONDITIONAL | RECOMMENDED
    assert len(ours) > 5


@pytest.mark.parametrize("share", ["treasury", "holder"])
def test_every_row_is_as_focus_asks(data_sets: dict[str, list[Row]], share: str) -> None:
    """Empty or not, values of closed lists, unit prices that give the costs."""
    for row in data_sets[share]:
        category, correction = row["ChargeCategory"], row["ChargeClass"] == "Correction"
        assert all(row[name] for name in MANDATORY)
        assert category in ("Usage", "Purchase", "Adjustment")
        assert row["ChargeClass"] in ("", "Correction")
        assert row["BillingCurrency"] == "CNY"
        assert row["ServiceSubcategory"] in SUBCATEGORIES[row["ServiceCategory"]]
        assert row["ChargeFrequency"] == ("Usage-Based" if category == "Usage" else "One-Time")
        assert all(Decimal(row[name]).as_tuple().exponent == -2 for name in COSTS)
        times = [datetime.fromisoformat(row[name]) for name in PERIODS]
        assert all(row[name].endswith("Z") for name in PERIODS)
        assert times[0] < times[1]
        assert times[2] < times[3]
        priced = category in ("Usage", "Purchase") and not correction
        for name in (
            "ContractedUnitPrice",
            "ListUnitPrice",
            "PricingQuantity",
            "PricingCategory",
            "SkuId",
            "SkuPriceId",
        ):
            assert row[name] or not priced, (name, row)
        for unit_price, cost in (("ContractedUnitPrice", "ContractedCost"), ("ListUnitPrice", "ListCost")):
            if row[unit_price]:
                assert Decimal(row[unit_price]) >= 0
                product = Decimal(row[unit_price]) * Decimal(row["PricingQuantity"])
                assert abs(product - Decimal(row[cost])) < Decimal("0.001"), row
        assert bool(row["ConsumedQuantity"]) == (category == "Usage")
        assert bool(row["ConsumedUnit"]) == bool(row["ConsumedQuantity"])
        assert bool(row["PricingUnit"]) == bool(row["PricingQuantity"])
        assert bool(row["SkuMeter"]) == bool(row["SkuId"])
        assert bool(row["ResourceType"]) == bool(row["ResourceId"])
        assert bool(row["SubAccountName"]) == bool(row["SubAccountId"]) == bool(row["SubAccountType"])
        assert not (category == "Purchase" and Decimal(row["EffectiveCost"]))
        if category == "Adjustment":
            assert row["EffectiveCost"] == row["BilledCost"]


def test_the_treasurys_costs_are_the_books(small_ledger: Path, data_sets: dict[str, list[Row]]) -> None:
    """What left the envelopes is billed, what was used of that is effective; but for what was used before the log."""
    rows = data_sets["treasury"]
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase", "Adjustment"}
    programmes = run("balances", small_ledger, "--json").json["balances"]
    used = ("burned_fen", "withheld_fen", "claimed_fen", "paid_fen", "receivable_fen")
    for one in programmes:
        used_fen = sum(one[name] for name in used) - one["carried_over_fen"]
        held_fen = one["available_fen"] + one["reserved_fen"]

        def is_of(row: Row, programme: str = one["programme"]) -> bool:
            return row["SubAccountId"] == programme

        assert sum_of(rows, "EffectiveCost", where=is_of) * 100 == used_fen
        assert sum_of(rows, "BilledCost", where=is_of) * 100 == used_fen + held_fen
    usage = [row for row in rows if row["ChargeCategory"] == "Usage"]
    assert {row["BilledCost"] for row in usage} == {"0.00"}


def test_both_shares_have_the_same_usage(small_ledger: Path, data_sets: dict[str, list[Row]]) -> None:
    """Quantities and list costs of lines that vouchers paid; with other support, the shares are the fees."""
    holder = data_sets["holder"]
    treasury = [row for row in data_sets["treasury"] if row["ChargeCategory"] == "Usage"]
    with read_ledger(small_ledger) as reader:
        lines = [(entry.index, line) for entry in booked_entries(reader) for line in entry.lines]
    assert len(lines) == len(holder)
    for (index, line), row in zip(lines, holder, strict=True):
        assert (row["x_Entry"], row["x_Line"]) == (str(index), str(line.number))
        parts = [one for one in treasury if (one["x_Entry"], one["x_Line"]) == (row["x_Entry"], row["x_Line"])]
        assert len(parts) == len(line.payments)
        paid = sum_of(parts, "EffectiveCost")
        assert paid + Decimal(row["BilledCost"]) + Decimal(line.absorbed_fen) / 100 == Decimal(line.fee_fen) / 100
        if parts:
            assert sum_of(parts, "ListCost") == Decimal(row["ListCost"])
            difference = sum_of(parts, "ConsumedQuantity") - Decimal(row["ConsumedQuantity"])
            assert abs(difference) <= Decimal("0.0000002") * len(parts)
        if line.is_gpu_time:
            assert round(Decimal(row["ConsumedQuantity"]) * 3_600_000) == line.quantity
            assert (row["ConsumedUnit"], row["ResourceId"]) == ("GPU-Hours", line.job)


def test_only_what_is_about_a_sealed_day_is_a_correction(data_sets: dict[str, list[Row]]) -> None:
    """A line taken back before its day is sealed is negative usage and no more."""
    for rows in data_sets.values():
        taken_back = [row for row in rows if row["ChargeDescription"].endswith(" taken back")]
        assert taken_back
        assert all(Decimal(row["ListCost"]) <= 0 for row in taken_back)
        assert "" in {row["ChargeClass"] for row in taken_back}
        corrections = [row for row in rows if row["ChargeClass"]]
        assert corrections
        assert all(row["ChargeCategory"] == "Usage" for row in corrections)


def test_a_period_has_its_months_alone(small_ledger: Path) -> None:
    """By the day of the entry, in the network's time zone."""
    text = run("journal", small_ledger, "--format", "focus", "--from", "2026-01-06", "--until", "2026-01-06").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows
    assert {row["BillingPeriodStart"] for row in rows} == {"2025-12-31T16:00:00Z"}
    assert {row["BillingPeriodEnd"] for row in rows} == {"2026-01-31T16:00:00Z"}


def test_two_processes_write_the_same_bytes(small_ledger: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.csv"
    done("journal", small_ledger, "--format", "focus", "-o", out)
    again = finish(start("journal", small_ledger, "--format", "focus", env_more={"PYTHONHASHSEED": "7"}))
    assert again.out.encode() == out.read_bytes().replace(b"\r\n", b"\n")  # as text, a child's lines end in \n alone
