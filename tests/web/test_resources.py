"""What `show` and `balances` say is said over HTTP in the same shapes, as of now and of earlier, page by page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from support.command_line import done
from support.reading_app import Running, add_entry, reading
from support.small_ledger import write_small_ledger
from tallystick.views.lists import LISTS, ListKind
from tallystick.web.resources import LISTED_ALONE, RESOURCES

ONE_OF_EACH = {
    "voucher": "shanghai/v1",
    "holder": "maker-a",
    "programme": "shanghai/compute-2026",
    "provider": "guian",
    "contract": "maker-a/k1",
    "claim": "guian/c1",
    "treasury": "shanghai",
    "party": "guian",
}
PLURALS = {str(one.kind): one.plural for one in RESOURCES} | {str(kind): plural for kind, plural in LISTED_ALONE}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which every command was given."""
    folder = tmp_path_factory.mktemp("resources")
    write_small_ledger(folder)
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    """It, served."""
    with reading(folder) as running:
        yield running


def shown(*arguments: object) -> Any:
    """What the command line says as JSON."""
    return json.loads(done(*arguments, "--json"))


def test_every_list_has_rows_that_can_be_asked_for_one_by_one(service: Running) -> None:
    """Each list of the views is served, and each row of those that have resources leads to one."""
    assert set(PLURALS) == set(LISTS)
    for kind, plural in PLURALS.items():
        answer = service.get(f"/v1/{plural}")
        said = answer.json()
        assert (answer.status_code, said["list"], said["entries"]) == (200, kind, service.reads.newest.size), kind
        assert said["rows"], kind
        assert list(said["rows"][0]) == LISTS[cast(ListKind, kind)].columns
        if kind in {one.kind for one in RESOURCES}:
            one = service.get(f"/v1/{plural}/{said['rows'][0][kind]}")
            assert one.json()[kind]["balance"] == said["rows"][0], kind


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_resource_is_what_show_says(service: Running, folder: Path, kind: str) -> None:
    """Word by word."""
    rows = service.get(f"/v1/{PLURALS[kind]}").json()["rows"]
    id_ = rows[0][kind]
    assert service.get(f"/v1/{PLURALS[kind]}/{id_}").json() == shown("show", folder, kind, id_)


@pytest.mark.parametrize("by", ["programme", "holder", "voucher", "claim", "payee", "treasury"])
def test_balances_are_what_balances_says(service: Running, folder: Path, by: str) -> None:
    """As JSON, and as CSV byte by byte."""
    assert service.get(f"/v1/balances?by={by}").json() == shown("balances", folder, "--by", by)
    csv = service.get(f"/v1/balances?by={by}", accept="text/csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.text == done("balances", folder, "--by", by, "--csv")
    assert service.get(f"/v1/balances?by={by}", accept="application/json, text/csv").json()["by"] == by


def test_a_list_is_its_pages(service: Running) -> None:
    """Of one row each; every kind, whatever its order; and nothing after the last."""
    for kind, plural in PLURALS.items():
        whole = service.get(f"/v1/{plural}").json()["rows"]
        found, place = [], f"/v1/{plural}?limit=1"
        while place:
            answer = service.get(place)
            found += answer.json()["rows"]
            place = answer.links.get("next", {}).get("url", "")
        assert found == whole, kind


def test_lists_are_narrowed_by_their_members(service: Running) -> None:
    """And a member that can't be is told, not passed over."""
    rows = service.get("/v1/vouchers?holder=maker-b").json()["rows"]
    assert rows
    assert {row["holder"] for row in rows} == {"maker-b"}
    everything = service.get("/v1/vouchers").json()["rows"]
    assert rows == [row for row in everything if row["holder"] == "maker-b"]
    assert service.get("/v1/vouchers?holder=nobody").json()["rows"] == []
    assert {row["provider"] for row in service.get("/v1/tariffs?item=h100").json()["rows"]} == {"guian"}
    answer = service.get("/v1/vouchers?colour=red")
    assert (answer.status_code, answer.json()["reason"]) == (422, "parameter_invalid")
    assert answer.json()["detail"] == "'colour' is no parameter here"
    assert service.get("/v1/vouchers?limit=0").json()["detail"] == "'limit' must be at least 1, not '0'"
    assert service.get("/v1/claims?after=nobody/c9").status_code == 404


def test_the_lines_of_a_claim_come_to_it(service: Running) -> None:
    """What it consists of, line by line."""
    for row in service.get("/v1/claims").json()["rows"]:
        claim = service.get(f"/v1/claims/{row['claim']}").json()["claim"]
        assert sum(lot["amount_fen"] for lot in claim["lots"]) == row["amount_fen"]
        rounding_fen = 0 if row["programme"] == "shanghai/compute-2026" else 100
        burned_fen = sum(lot["amount_fen"] for lot in claim["lots"] if lot["day"])  # the rest was withheld before
        left_fen = sum(line["amount_fen"] for line in claim["lines"]) - burned_fen
        assert 0 <= left_fen < max(1, rounding_fen), row


def test_what_is_not_there_is_told(service: Running) -> None:
    """By kind and id."""
    for one in RESOURCES:
        answer = service.get(f"/v1/{one.plural}/nobody/x-1" if one.is_owned else f"/v1/{one.plural}/nobody")
        assert (answer.status_code, answer.json()["reason"]) == (404, "not_found"), one
        assert answer.json()["detail"].startswith(f"there is no {one.kind} nobody")


def test_the_past_is_what_show_says_of_it(service: Running, folder: Path) -> None:
    """By an entry's index, a time, a day's end, and by the day that is booked on."""
    at = shown("show", folder, "entry", "40")["entry"]["at"]
    for query, option in (
        ("as_of=40", ["--as-of", "40"]),
        (f"as_of={at}", ["--as-of", at]),
        (f"as_of={at[:10]}", ["--as-of", at[:10]]),
        (f"day={at[:10]}", ["--day", at[:10]]),
    ):
        answer = service.get(f"/v1/balances?by=voucher&{query}")
        assert answer.json() == shown("balances", folder, "--by", "voucher", *option), query
        is_final = query.startswith("as_of")
        assert ("immutable" in answer.headers["cache-control"]) is is_final, query
        again = service.get(f"/v1/balances?by=voucher&{query}", if_none_match=answer.headers["etag"])
        assert again.status_code == 304
    assert service.get("/v1/balances?as_of=2099-01-01").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("as_of=yesterday", 422),
        ("as_of=999999", 404),
        ("day=2026-13-01", 422),
        ("as_of=4&day=x", 422),
        ("limit=0", 422),
    ],
)
def test_a_past_that_never_was_is_told(service: Running, query: str, status: int) -> None:
    """Neither an index nor a time; no such entry; no such day."""
    assert service.get(f"/v1/balances?{query}").status_code == status


def test_an_answer_is_as_old_as_its_tree(tmp_path: Path) -> None:
    """It is made again only once the log has grown, and can be waited for."""
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        answer = service.get("/v1/parties/guian")
        assert answer.headers["etag"] == f'"{size}"'
        assert answer.headers["tallystick-size"] == str(size)
        assert answer.headers["vary"] == "Authorization, Cookie, Accept"
        asked = service.reads.views.questions
        assert service.get("/v1/parties/guian", if_none_match=f'"{size}"').status_code == 304
        assert service.get("/v1/parties/guian", accept="text/csv", if_none_match=f'"{size}"').status_code == 304
        assert service.reads.views.questions == asked
        add_entry(tmp_path)
        answer = service.get(f"/v1/parties/guian?min_size={size + 1}", if_none_match=f'"{size}"')
        assert (answer.status_code, answer.headers["etag"]) == (200, f'"{size + 1}"')
        behind = service.get(f"/v1/parties/guian?min_size={size + 2}")
        assert (behind.status_code, behind.json()["reason"]) == (503, "behind")
        assert behind.headers["retry-after"]


def test_what_has_not_changed_is_not_told_to_who_has_not_logged_in(folder: Path, tmp_path: Path) -> None:
    """Not even that."""
    with reading(folder, tmp_path / "views.db", who="own") as service:
        size = service.reads.newest.size
        while service.reads.views_lag:
            pass
        answer = service.get("/v1/parties/guian", if_none_match=f'"{size}"')
        assert (answer.status_code, answer.json()["reason"]) == (401, "login_required")


def test_entries_are_listed_newest_first(service: Running) -> None:
    """Those of an account, of a party, of a reference; page by page."""
    size = service.reads.newest.size
    rows = service.get("/v1/recorded?limit=1000").json()["recorded"]
    assert [row["index"] for row in rows] == list(range(size - 1, -1, -1))
    assert set(rows[0]) == {"index", "at", "kind", "party", "ref"}
    found, place = [], "/v1/recorded?account=voucher%20shanghai/v1&limit=2"
    while place:
        answer = service.get(place)
        found += answer.json()["recorded"]
        place = answer.links.get("next", {}).get("url", "")
    touched = service.reads.ask(lambda views: views.entries_concerning("voucher shanghai/v1"))
    assert [row["index"] for row in found] == touched[::-1]
    mine = [row for row in rows if row["party"] == "guian"]
    assert service.get("/v1/recorded?party=guian").json()["recorded"] == mine
    one = mine[0]
    answer = service.get(f"/v1/recorded?party=guian&ref={one['ref']}&kind={one['kind']}")
    assert answer.json()["recorded"] == [one]
    assert service.get("/v1/recorded?account=nonsense").status_code == 422
