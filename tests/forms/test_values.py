"""How people write amounts, shares, durations, times and objects: one spelling each is written, few are read."""

from collections.abc import Callable

import pytest

from tallystick.forms import amounts
from tallystick.forms.form import forms
from tallystick.forms.leaves import Leaf, Surroundings
from tallystick.forms.notation import read_pairs, write_pairs

CHINA = Surroundings(28_800)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (amounts.read_yuan, "1,500,000.00", 150_000_000),
        (amounts.read_yuan, "1500000", 150_000_000),
        (amounts.read_yuan, "0.01", 1),
        (amounts.read_yuan, "-2.50", -250),
        (amounts.read_per_cent, "70%", 7_000),
        (amounts.read_per_cent, "12.5 %", 1_250),
        (amounts.read_per_cent, "0.01%", 1),
        (amounts.read_gpus, "8", 8_000),
        (amounts.read_gpus, "0.5", 500),
        (amounts.read_duration, "1d12h", 129_600),
        (amounts.read_duration, "90m", 5_400),
        (amounts.read_duration, "0s", 0),
        (amounts.read_offset, "+08:00", 28_800),
        (amounts.read_offset, "UTC-03:30", -12_600),
        (amounts.read_offset, "Z", 0),
        (amounts.read_integer, "1,000", 1_000),
    ],
)
def test_what_is_read(read: Callable[[str], int], text: str, value: int) -> None:
    """With units, and never as a float."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (
            amounts.read_yuan,
            ["1.5", "1,50.00", "1,0000", "1e3", ".50", "1.234", "１２", "٣", "", " 1", "1 yuan", "9" * 17],
        ),
        (amounts.read_per_cent, ["70", "7000", "1.234%", "-1%", "70 percent", ""]),
        (amounts.read_gpus, ["-1", "0.0005", "8 GPUs", ""]),
        (amounts.read_duration, ["60", "1.5h", "1h1d", "1w", "", "h"]),
        (amounts.read_offset, ["8", "+8:00", "0800", "+08", "+08:75", "+08:00:60", ""]),
        (amounts.read_integer, ["1.0", "0x10", "1_000", "", "9" * 5_000]),
    ],
)
def test_what_is_refused(read: Callable[[str], int], texts: list[str]) -> None:
    """What could be meant in two ways, or in another unit, is asked for again in words."""
    for text in texts:
        with pytest.raises(ValueError, match="must"):
            read(text)


def leaf(kind: str, option: str) -> Leaf:
    found = forms()[kind].option(option)
    assert found is not None
    assert isinstance(found.shape, Leaf)
    return found.shape


@pytest.mark.parametrize(
    ("option", "text", "instant"),
    [
        ("valid-from", "2026-01-05", "2026-01-04T16:00:00.000000Z"),
        ("valid-from", "2026-01-05 16:00", "2026-01-05T08:00:00.000000Z"),
        ("valid-from", "2026-01-05T08:00Z", "2026-01-05T08:00:00.000000Z"),
        ("valid-until", "2026-06-30", "2026-06-30T16:00:00.000000Z"),
        ("valid-until", "2026-06-30T00:00", "2026-06-29T16:00:00.000000Z"),
    ],
)
def test_a_day_is_its_beginning_and_of_an_end_its_end(option: str, text: str, instant: str) -> None:
    """`until 2026-06-30` includes that day, in the network's zone."""
    assert leaf("voucher.import/1", option).checked(text, CHINA) == instant


@pytest.mark.parametrize("text", ["1969-12-31", "9999-12-31", "2026-02-30", "05.01.2026", "2026/01/05", "today", ""])
def test_a_time_that_no_command_has_is_refused(text: str) -> None:
    """Nothing is moved to where it could be."""
    with pytest.raises(ValueError, match=r"must lie in the years|is not a time"):
        leaf("voucher.import/1", "valid-until").checked(text, Surroundings(0))


def test_bounds_are_said_in_the_unit_that_is_typed() -> None:
    """Not in fen."""
    with pytest.raises(ValueError, match=r"must be at least 0\.01, not 0\.00"):
        leaf("voucher.issue/1", "face").checked("0.00", CHINA)
    with pytest.raises(ValueError, match=r"must be at most 100,000\.00, not 100,000\.01"):
        leaf("tariff.publish/1", "price").checked("100,000.01", CHINA)
    assert leaf("tariff.publish/1", "price").bounds == "an amount in yuan, 0.01 to 100,000.00"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a=1,b=2", [("a", "1"), ("b", "2")]),
        ("paid=1,500,000.00,reason=late, and so on", [("paid", "1,500,000.00"), ("reason", "late, and so on")]),
        ('a=1,"reason=x,page=3",b=2', [("a", "1"), ("reason", "x,page=3"), ("b", "2")]),
        ('"reason=say ""no"", x=1"', [("reason", 'say "no", x=1')]),
        ("vkey=a+b==,c=", [("vkey", "a+b=="), ("c", "")]),
    ],
)
def test_an_object_is_read(text: str, pairs: list[tuple[str, str]]) -> None:
    """A comma ends a value only where a name follows."""
    assert read_pairs(text) == pairs
    assert read_pairs(write_pairs(pairs)) == pairs


@pytest.mark.parametrize("text", ["", "a", "=1", '"a=1', '"a=1"b=2', "1a=2", "A=1"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name"):
        read_pairs(text)


def faults(kind: str, **words: list[str]) -> list[str]:
    form = forms()[kind]
    common = {"log": "tallystick.example/x", "party": "p", "ref": "r", "signed_at": "2026-01-05T08:00:00.000000Z"}
    filled = form.read({name.replace("_", "-"): texts for name, texts in words.items()}, CHINA)
    return [str(fault) for fault in form.check(filled, common)]


def test_faults_name_the_option_and_the_field_in_it() -> None:
    """What is wrong, of whichever of a list; what is missing; what contradicts itself."""
    assert faults("redemption.settle/1", claim=["p/c"], row=["contract=a/k,paid=1.00", "contract=a/l,paid=x"]) == [
        "--row number 2: paid must be an amount in yuan with two decimals or none, like 1,500,000.00 or 1500000"
    ]
    assert faults("redemption.settle/1", claim=["p/c"], row=["contract=a/k"]) == ["--row is without paid"]
    assert faults("redemption.settle/1", claim=["p/c"], row=["kontract=a/k,paid=1"]) == [
        "--row has no kontract; there are contract, paid, withheld, reason"
    ]
    assert faults("redemption.settle/1", claim=["p/c", "p/d"], row=["contract=a/k,paid=1"]) == [
        "--claim is given twice"
    ]
    assert "--share is missing" in faults("programme.amend/1", programme=["p/p"], reason=["r"], ceiling=["60%"])
    assert faults("book.seal/1", seal=["p/s"], last_day=["2026-01-05"], day=["x"]) == [
        "--day is no option of book.seal/1"
    ]
    (said,) = faults("reservation.extend/1", reservation=["p/r"])
    assert said.startswith("reservation.extend/1 must")
    assert faults("record.withdraw/1", record=["type=x"]) == [
        "--record must begin with type=, one of tariff, capacity, accreditation, party"
    ]


def test_lists_are_put_into_their_order() -> None:
    """Nobody has to type it; twice the same is still refused."""
    items = ["item=b,price=1.00", "item=a,price=2.00"]
    filled = forms()["contract.amend/1"].read({"item": items}, CHINA)
    assert [one["item"] for one in filled.fields["items"]] == ["a", "b"]
    (said,) = faults("contract.amend/1", contract=["a/k"], items_from=["2026-01-05"], item=[items[0], items[0]])
    assert said == "--item must be in ascending order, each once"
