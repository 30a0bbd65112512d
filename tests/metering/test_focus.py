"""FOCUS: rows of a period are summed, what is no usage is counted, doubled deliveries are found."""

import csv
import io

import pytest

from support.recorded import recorded
from support.usage_formats import read
from tallystick.errors import UsageFileError

MAPPING = """
cluster = "lark"
no_gpu = ["vm-16c"]
[[account]]
name = "birch"
contract = "birch-ai/c-1"
[[gpu]]
source = "gpu8"
item = "h100-80g"
gpu_milli = 8000
[[gpu]]
source = "card"
item = "a100-80g"
unit = "gpu-hours"
"""
ROW = {
    "ChargeCategory": "Usage",
    "ChargeClass": "NULL",
    "ChargePeriodStart": "2026-03-12 00:00:00",
    "ChargePeriodEnd": "2026-03-12T01:00:00Z",
    "CommitmentDiscountStatus": "",
    "ConsumedQuantity": "1.000000000000000",
    "ConsumedUnit": "Hours",
    "ResourceId": "i-01",
    "ServiceCategory": "Compute",
    "SkuId": "gpu8",
    "SubAccountId": "birch",
    "Tags": '{"a": "b, c"}',
}


def bill(*changes: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ROW))
    writer.writeheader()
    writer.writerows(ROW | one for one in changes)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, (8000, 3600)),
        ({"ConsumedQuantity": "0.5"}, (8000, 1800)),
        ({"ConsumedQuantity": "0.333333333"}, (8000, 1200)),
        ({"ConsumedQuantity": "3.33333333e-1"}, (8000, 1200)),
        ({"ConsumedQuantity": "30", "ConsumedUnit": "Minutes"}, (8000, 1800)),
        ({"ConsumedQuantity": "2.5", "ConsumedUnit": "GPU-Hours", "SkuId": "card"}, (2500, 3600)),
        # the mapping says what the SKU counts, where the bill says only Hours
        ({"ConsumedQuantity": "2.5", "SkuId": "card"}, (2500, 3600)),
        # no whole thousandths: three cards for 2800 s
        ({"ConsumedQuantity": "2.333333333333333", "SkuId": "card"}, (3000, 2800)),
        ({"ConsumedQuantity": "7200", "ConsumedUnit": "GPU-Seconds", "SkuId": "card"}, (2000, 3600)),
    ],
)
def test_a_quantity_becomes_gpus_and_whole_seconds(changes: dict[str, str], held: tuple[int, int]) -> None:
    """What is off by less than a millisecond was rounded."""
    result = read("focus", bill(changes), mapping=MAPPING)
    assert result.held == [("lark/i-01", *held)]


def test_a_quantity_between_seconds_is_rounded_down_and_said() -> None:
    """Never more than the bill says."""
    result = read("focus", bill({"ConsumedQuantity": "0.33333"}), mapping=MAPPING)
    assert (result.held, result.remarks) == ([("lark/i-01", 8000, 1199)], {"quantities_rounded_down": 1})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ChargeCategory": "Purchase"}, "not_usage"),
        ({"ChargeCategory": "Tax"}, "not_usage"),
        ({"ChargeCategory": "NULL"}, "unreadable"),
        ({"CommitmentDiscountStatus": "Unused"}, "commitment_unused"),
        ({"ChargeClass": "Correction", "ConsumedQuantity": "-1"}, "correction"),
        ({"SkuId": "disk", "ConsumedUnit": "GB-Hours"}, "no_gpu"),
        ({"SkuId": "vm-16c"}, "no_gpu"),
        ({"SkuId": "balancer", "ServiceCategory": "Networking"}, "no_gpu"),
        ({"SkuId": "gpu4"}, "item_unmapped"),
        ({"SkuId": "gpu4", "ConsumedUnit": "GPU-Hours"}, "item_unmapped"),
        ({"SkuId": "null", "ConsumedUnit": "GPU-Hours"}, "untyped_gpu"),
        ({"ConsumedQuantity": "null"}, "not_a_number"),
        ({"ConsumedQuantity": "1e999999999"}, "not_a_number"),
        ({"ConsumedQuantity": "NaN"}, "not_a_number"),
        ({"ConsumedUnit": "Requests"}, "unreadable"),
        ({"ResourceId": ""}, "unreadable"),
        ({"ChargePeriodStart": "4/1/25"}, "unreadable"),
        ({"ChargePeriodEnd": "2026-03-12 00:00:00"}, "interval_invalid"),
        ({"ConsumedQuantity": "0"}, "zero_seconds"),
        ({"ConsumedQuantity": "-0.5"}, "correction"),
        ({"SubAccountId": "walnut"}, "account_unmapped"),
    ],
)
def test_what_isnt_burned_has_its_reason(changes: dict[str, str], reason: str) -> None:
    """One row, one reason."""
    result = read("focus", bill(changes), mapping=MAPPING)
    assert (result.skipped, result.lines) == ({reason: 1}, [])


def test_rows_of_a_period_are_summed_negative_ones_too() -> None:
    """That rows are equal makes none of them a copy."""
    quarters = [{"ConsumedQuantity": quantity} for quantity in ("0.25", "0.25", "0.5", "-0.125")]
    result = read("focus", bill(*quarters), mapping=MAPPING)
    assert result.held == [("lark/i-01", 8000, 3150)]
    assert result.reading.records_burned == 4


def test_more_hours_than_the_period_has_were_delivered_twice() -> None:
    """None of its rows is burned, and a person is told."""
    result = read("focus", bill({}, {}, {"ResourceId": "i-02"}), mapping=MAPPING)
    assert result.skipped == {"exceeds_period": 2}
    assert result.held == [("lark/i-02", 8000, 3600)]
    assert (result.reading.named[0].why, result.reading.named[0].job) == ("2 hours in a period of 1", "i-01")


def test_periods_that_overlap_are_a_conflict() -> None:
    """An hourly and a daily delivery of the same usage."""
    day = {"ChargePeriodEnd": "2026-03-13T00:00:00Z", "ConsumedQuantity": "1"}
    assert read("focus", bill({}, day), mapping=MAPPING).skipped == {"conflict": 2}


def test_two_skus_of_a_resource_are_two_jobs() -> None:
    """Or one would be taken for a contradiction of the other."""
    result = read("focus", bill({"ConsumedQuantity": "0.5"}, {"SkuId": "card"}), mapping=MAPPING)
    assert sorted(result.held) == [("lark/i-01/card", 1000, 3600), ("lark/i-01/gpu8", 8000, 1800)]


def test_a_bill_that_is_read_twice_burns_once() -> None:
    """As two files at once."""
    assert read("focus", bill({}), bill({}), mapping=MAPPING).skipped == {"duplicate": 1}


def test_a_row_with_too_few_cells_is_unreadable_and_the_others_arent() -> None:
    """A byte order mark and Windows' line ends are no matter."""
    data = b"\xef\xbb\xbf" + bill({}) + b"Usage,,\r\n"
    assert read("focus", data, mapping=MAPPING).skipped == {"unreadable": 1}


@pytest.mark.parametrize("column", ["SkuId", "ConsumedUnit", "SubAccountId", "ChargePeriodEnd"])
def test_a_missing_column_and_one_that_stands_twice_refuse_the_file(column: str) -> None:
    """Which is named."""
    with pytest.raises(UsageFileError, match=f"column_missing: .*{column}"):
        read("focus", bill({}).replace(column.encode(), b"X"), mapping=MAPPING)
    with pytest.raises(UsageFileError, match=f"column_twice: '{column}'"):
        read("focus", bill({}).replace(b"Tags", column.encode()), mapping=MAPPING)


def test_a_recorded_bill_is_read_whole() -> None:
    """A thousand anonymised rows of three clouds, none with a GPU: each has its reason, and none can't be read."""
    made = bill({"ChargeCategory": "Credit"}, {"ConsumedUnit": "Requests", "SkuId": "queue"}, {"SkuId": "vm-2c"})
    data = recorded("focus/focus_1.0_sample.csv", made)
    result = read("focus", data, mapping=MAPPING)
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert result.reading.records == len(rows)
    assert result.skipped["not_usage"] == sum(row["ChargeCategory"] != "Usage" for row in rows)
    assert set(result.skipped) == {"not_usage", "no_gpu", "item_unmapped"}
