"""Everything that a command names is listed, looked up and found on the command line."""

import json
from pathlib import Path

import pytest

from support.actors import label_of, uscc_of
from support.command_line import done, failed, run
from support.small_ledger import write_small_ledger
from tallystick.cli.listing import Listed
from tallystick.publishing import read_ledger
from tallystick.views.lists import LISTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which every command was given."""
    folder = tmp_path_factory.mktemp("lists")
    write_small_ledger(folder)
    return folder


def test_every_list_of_the_views_can_be_had(folder: Path) -> None:
    """As a table and as JSON; each has rows in a year of all commands."""
    assert len(Listed) == len(LISTS) + 1
    kinds = set()
    for what in Listed:
        said = run("list", folder, what.value, "--json").json
        rows = said["recorded" if what is Listed.ENTRIES else "rows"]
        assert rows, what
        kinds.add(said.get("list"))
        assert f"{what.value} after " in done("list", folder, what.value, "--wide")
    assert kinds == {None, *LISTS}


def test_lists_are_narrowed_and_go_on(folder: Path) -> None:
    """By a member's value; after a row; the rest is announced."""
    rows = run("list", folder, "vouchers", "--where", "holder=maker-b", "--json").json["rows"]
    assert {row["holder"] for row in rows} == {"maker-b"}
    first = run("list", folder, "tariffs", "--limit", 1, "--json")
    assert first.err.startswith("tallystick: there are more: go on with --after guian")
    after = first.err.rstrip().partition("--after ")[2]
    whole = run("list", folder, "tariffs", "--json").json["rows"]
    assert json.loads(first.out)["rows"] == whole[:1]
    assert run("list", folder, "tariffs", "--after", after, "--json").json["rows"] == whole[1:]


def test_entries_are_listed_newest_first(folder: Path) -> None:
    """Those of an account, by a party, of a reference."""
    with read_ledger(folder) as reader:
        size = reader.size
    newest = json.loads(run("list", folder, "entries", "--limit", 3, "--json").out)["recorded"]
    assert [row["index"] for row in newest] == [size - 1, size - 2, size - 3]
    of_voucher = run("list", folder, "entries", "--where", "account=voucher shanghai/v1", "--json").json["recorded"]
    assert of_voucher
    assert [row["index"] for row in of_voucher] == sorted([row["index"] for row in of_voucher], reverse=True)
    one = of_voucher[0]
    arguments = ("--where", f"party={one['party']}", "--where", f"ref={one['ref']}")
    assert run("list", folder, "entries", *arguments, "--json").json["recorded"] == [one]
    older = run("list", folder, "entries", "--before", 2, "--json").json["recorded"]
    assert [row["index"] for row in older] == [1, 0]


def test_items_reservations_and_keys_are_shown(folder: Path) -> None:
    """One by one, as vouchers are."""
    item = run("show", folder, "item", "h100", "--json").json["item"]
    assert {one["provider"] for one in item["tariffs"]} == {"guian"}
    assert [one["status"] for one in item["tariffs"]].count("in_force") == 1
    reservation = run("show", folder, "reservation", "maker-a/r1", "--json").json["reservation"]
    assert reservation["balance"]["amount_fen"] == 60_000_000
    assert reservation["entries"]
    key = run("show", folder, "key", label_of("guian/meter-2"), "--json").json["key"]["balance"]
    assert (key["party"], key["purpose"], key["status"]) == ("guian", "meter", "revoked")


def test_what_was_declared_is_told_with_its_state(folder: Path) -> None:
    """Capacities and accreditations: in force, to come, replaced or ended."""
    (capacity,) = run("list", folder, "capacities", "--json").json["rows"]
    assert capacity["status"] == "in_force"
    assert {one["item"] for one in capacity["capacity"]} == {"ascend-910b", "h100"}
    before = run("list", folder, "capacities", "--as-of", capacity["index"], "--json").json["rows"]
    assert [one["status"] for one in before] == ["to_come"]
    accreditations = run("list", folder, "accreditations", "--where", "provider=wuhu", "--json").json["rows"]
    assert accreditations
    assert {one["status"] for one in accreditations} <= {"in_force", "ended"}


def test_a_text_leads_somewhere_or_nowhere(folder: Path) -> None:
    """In words and as JSON; what to type next stands beside it."""
    assert "tallystick show … party guian" in done("search", folder, uscc_of("guian"), "--wide")
    assert run("search", folder, "shanghai/v1", "--json").json["hits"][0] == {
        "kind": "voucher",
        "id": "shanghai/v1",
        "by": "id",
    }
    assert "it leads to nothing" in done("search", folder, "nothing-of-the-sort")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("vouchers", "--where", "colour=red"), "this list goes by holder, programme, contract, status: 'colour=red'"),
        (("vouchers", "--where", "holder"), "--where takes NAME=VALUE"),
        (("holders", "--where", "name=x"), "this list goes by nothing"),
        (("entries", "--after", "x"), "a list of entries goes on with --before"),
        (("vouchers", "--before", "3"), "a list of vouchers goes on with --after"),
        (("claims", "--after", "nobody/c9"), "there is no claim nobody/c9 to go on after"),
        (("cars",), "'cars' is not one of"),
    ],
)
def test_what_can_not_be_listed_is_told(folder: Path, arguments: tuple[str, ...], complaint: str) -> None:
    """In one line."""
    assert complaint in failed("list", folder, *arguments)
