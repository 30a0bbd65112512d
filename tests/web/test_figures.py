"""Figures over HTTP: what moved and was used, what waits, what is newest; each adds up to the balances."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.reading_app import Running, reading
from support.voucher_year import Story


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A ledger with a quarter in which everything happens, served."""
    folder = tmp_path_factory.mktemp("figures") / "ledger"
    story = Story(folder)
    story.year()
    story.ledger.close()
    with reading(folder) as running:
        yield running


def asked(service: Running, place: str) -> Any:
    answer = service.get(place)
    assert answer.status_code == 200, (place, answer.text)
    return answer.json()


def things(service: Running, plural: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = asked(service, f"/v1/{plural}?limit=1000")["rows"]
    return rows


def test_days_are_those_asked_for(service: Running) -> None:
    """A year up to the log's day unless it is said; as JSON and as CSV; in the past too."""
    said = asked(service, "/v1/days?of=network")
    assert (said["of"], said["id"], said["until"]) == ("network", None, said["today"])
    first = said["days"][0]["day"]
    after = asked(service, f"/v1/days?of=network&from={said['days'][1]['day']}")
    assert after["days"] == said["days"][1:]
    assert after["before"] == {name: value for name, value in said["days"][0].items() if name != "day"}
    until = asked(service, f"/v1/days?of=network&from={first}&until={first}")
    assert (until["from"], until["until"], until["days"]) == (first, first, said["days"][:1])
    csv = service.get("/v1/days?of=network", accept="text/csv").text.splitlines()
    assert csv[0].lstrip("\ufeff").split(",") == list(said["days"][0])
    assert len(csv) == len(said["days"]) + 1
    assert asked(service, "/v1/days?of=network&as_of=0")["days"] == []


def test_what_is_asked_wrongly_is_told(service: Running) -> None:
    for place, detail in (
        ("/v1/days?of=network&id=guian", "the network has no id"),
        ("/v1/days?of=provider", "say the id of the provider"),
        (
            "/v1/days?of=network&from=2026-02-01&until=2026-01-01",
            "from and until are at most 3,660 days, in this order",
        ),
        (
            "/v1/days?of=network&from=1990-01-01&until=2026-01-01",
            "from and until are at most 3,660 days, in this order",
        ),
        ("/v1/days?of=network&from=soon", "'soon' is not a day like 2026-01-05"),
    ):
        answer = service.get(place)
        assert (answer.status_code, answer.json()["detail"]) == (422, detail), place
    assert service.get("/v1/days?of=provider&id=acme").status_code == 404  # a holder
    assert service.get("/v1/waiting?of=holder&id=nobody").json()["detail"].startswith("there is no holder nobody")


def test_usage_by_item_adds_up(service: Running) -> None:
    """To what each provider burned, and over all of them to the network's."""
    total = 0
    rows = {row["id"]: row for row in asked(service, "/v1/usage?by=provider")["rows"]}
    for provider in things(service, "providers"):
        name = provider["provider"]
        said = asked(service, f"/v1/usage-by-item?of=provider&id={name}")
        assert sum(one["lines"] for one in said["items"]) == provider["lines_accepted"]
        assert sum(one["gpu_milliseconds"] for one in said["items"]) == provider["gpu_milliseconds"]
        assert sum(one["reversed_lines"] for one in said["items"]) == provider["lines_reversed"]
        net_fen = provider["from_voucher_fen"] - provider["reversed_fen"]
        assert sum(one["from_voucher_fen"] for one in said["origins"]) == net_fen == rows[name]["from_voucher_fen"]
        by_origin = {one["origin"]: one["from_voucher_fen"] for one in said["origins"]}
        assert rows[name]["domestic_fen"] == by_origin.get("domestic", 0)
        assert rows[name]["foreign_fen"] == by_origin.get("foreign", 0)
        total += net_fen
    network = asked(service, "/v1/usage-by-item?of=network")
    assert sum(one["from_voucher_fen"] for one in network["origins"]) == total > 0


def test_ageing_adds_up(service: Running) -> None:
    """Of payees and programmes: what is claimed, by age; and what is owed."""
    for kind, plural in (("programme", "programmes"), ("treasury", "treasuries"), ("provider", "providers")):
        for row in things(service, plural):
            said = asked(service, f"/v1/ageing?of={kind}&id={row[kind]}")
            assert [one["from_days"] for one in said["classes"]] == [0, 31, 61, 91]
            assert sum(one["amount_fen"] for one in said["classes"]) == said["claimed_fen"] == row["claimed_fen"]
            assert said["owed_fen"] == said["unclaimed_fen"] + said["withheld_fen"] + said["claimed_fen"]


def test_what_waits_is_what_is_open(service: Running) -> None:
    """Claims and applications that are open, and what ends within a year; of each part of the network its own."""
    whole = asked(service, "/v1/waiting?within_days=366")
    open_ = {
        "claims": [row for row in things(service, "claims") if row["status"] == "open"],
        "applications": [row for row in things(service, "applications") if row["status"] == "open"],
        "vouchers": [
            row
            for row in things(service, "vouchers")
            if row["status"] not in ("expired", "revoked")
            and row["available_fen"] + row["reserved_fen"]
            and row["valid_until"][:10] < "2027"
        ],
    }
    for name, rows in open_.items():
        kind = name[:-1]
        assert {one[kind] for one in whole[name]["rows"]} >= {row[kind] for row in rows}, name
        assert whole[name]["count"] == len(whole[name]["rows"])
    assert whole["vouchers"]["rows"] == sorted(whole["vouchers"]["rows"], key=lambda one: one["valid_until"])
    assert whole["claims"]["rows"]
    assert whole["vouchers"]["rows"]
    assert asked(service, "/v1/waiting?within_days=0")["vouchers"]["count"] <= whole["vouchers"]["count"]
    for name, kind in (("vouchers", "holder"), ("vouchers", "programme"), ("reservations", "provider")):
        found = []
        for row in things(service, f"{kind}s"):
            said = asked(service, f"/v1/waiting?of={kind}&id={row[kind]}&within_days=366")
            assert {one[kind] for one in said[name]["rows"]} <= {row[kind]}
            found += said[name]["rows"]
        assert sorted(map(str, found)) == sorted(map(str, whole[name]["rows"])), (name, kind)


def test_lines_are_had_page_by_page(service: Running) -> None:
    """Newest statements first and whole; together those of the contracts, and what no claim took is unclaimed."""
    for provider in things(service, "providers"):
        found: list[dict[str, Any]] = []
        place: str | None = f"/v1/lines?of=provider&id={provider['provider']}&limit=1"
        while place:
            answer = service.get(place)
            found += answer.json()["lines"]
            assert (answer.json()["next"] is None) == ("next" not in answer.links)
            place = answer.links.get("next", {}).get("url")
        wanted = []
        for contract in things(service, "contracts"):
            if contract["provider"] == provider["provider"]:
                wanted += asked(service, f"/v1/contracts/{contract['contract']}")["contract"]["lines"]
        told = [{name: one[name] for name in wanted[0]} for one in found] if wanted else []
        assert sorted(told, key=str) == sorted(wanted, key=str)
        assert [one["index"] for one in found] == sorted((one["index"] for one in found), reverse=True)
        for one in found:
            if one["claims"] == [] and not one["reversed"]:
                assert one["unclaimed_fen"] == one["from_voucher_fen"]
        statements = asked(service, f"/v1/statements?of=provider&id={provider['provider']}")["statements"]
        whole = asked(service, f"/v1/providers/{provider['provider']}")["provider"]["statements"]
        assert statements == whole[::-1]


def test_a_timeline_is_the_history_page_by_page(service: Running) -> None:
    """Of a voucher its history, newest first; of others the entries that concern them."""
    for voucher in things(service, "vouchers"):
        history = asked(service, f"/v1/vouchers/{voucher['voucher']}")["voucher"]["history"]
        found: list[dict[str, Any]] = []
        before = ""
        while True:
            page = asked(service, f"/v1/timeline?of=voucher&id={voucher['voucher']}&limit=2{before}")
            found += page["lines"]
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
        assert found == history[::-1]
    said = asked(service, "/v1/timeline?of=contract&id=acme/k1")["lines"]
    recorded = asked(service, "/v1/recorded?account=contract%20acme/k1")["recorded"]
    assert [one["index"] for one in said] == [one["index"] for one in recorded]
    assert any(one["amount_fen"] for one in said)
