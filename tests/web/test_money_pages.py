"""The pages about money: the API's figures, of who may read them, in both languages, as of any entry."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN, key_of
from support.reading_app import SERVICE_URL, Clock, Running, clock_after, reading
from support.two_cities import LOG_KEY, A, B
from tallystick.ledger import Admitted, open_ledger
from tallystick.publishing import read_ledger
from tallystick.signing.note import sign_text
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.sessions import session_text

VOUCHER = A.things()["voucher"][0]
APPLICATION, CONTRACT = (A.things()[kind][0] for kind in ("application", "contract"))
PATHS = (
    "/",
    f"/treasuries/{A.treasury.party}",
    f"/programmes/{A.programme}",
    f"/applications/{APPLICATION}",
    f"/contracts/{CONTRACT}",
    f"/vouchers/{VOUCHER}",
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"


@pytest.fixture(scope="module")
def clocked(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running, Clock]]:
    """A service that shows all to everybody, one that shows to parties what is theirs, and what both go by."""
    folder = Path(shutil.copytree(two_cities, tmp_path_factory.mktemp("money") / "ledger"))
    clock = clock_after(folder)
    views = folder.with_name("own-views.db")
    with reading(folder, who="open", clock=clock) as shown, reading(folder, views, who="own", clock=clock) as own:
        yield shown, own, clock


@pytest.fixture
def shown(clocked: tuple[Running, Running, Clock]) -> Running:
    """A service that shows all to everybody."""
    return clocked[0]


@pytest.fixture(scope="module")
def own(clocked: tuple[Running, Running, Clock]) -> tuple[Running, dict[str, dict[str, str]]]:
    """A service that shows to parties what is theirs, and by party what its session sends along."""
    _, service, clock = clocked
    sessions = {}
    for party in A.role_of():
        text = session_text(ORIGIN, party, SERVICE_URL, clock.now, clock.now + 3_600 * SECOND_US)
        sessions[party] = service.login(sign_text(text, key_of(f"{party}/officer-1")))
    return service, sessions


def yuan(fen: int) -> str:
    """An amount as a page writes it, found again without the page's own code."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"


def page(running: Running, path: str, **query: str) -> str:
    """A page's text."""
    running.client.cookies.clear()
    answer = running.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def told(running: Running, path: str, **query: str) -> Any:
    """What the API says."""
    answer = running.client.get(f"/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows_of(running: Running, path: str, table: str) -> list[dict[str, str]]:
    """A page's table as its CSV has it."""
    return [*csv.DictReader(io.StringIO(page(running, path, csv=table).lstrip("\ufeff")))]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_shown_in_both_languages(shown: Running, path: str, language: str) -> None:
    text = page(shown, path, lang=language)
    assert "<h1>" in text
    assert not re.search(r"%\(|\{\{|None\b", text)


def test_the_network_adds_up_its_treasuries(shown: Running) -> None:
    text = page(shown, "/")
    cities = told(shown, "/balances", by="treasury")["balances"]
    assert len(cities) == 2
    for name in ("envelope_fen", "owed_fen", "paid_fen"):
        assert yuan(sum(city[name] for city in cities)) in text, name
    for row, city in zip(rows_of(shown, "/", "cities"), cities, strict=True):
        assert row["treasury"] == city["treasury"]
        assert int(row["envelope_fen"]) - int(row["issued_fen"]) == city["unissued_fen"]
        assert int(row["used_fen"]) == city["owed_fen"] + city["paid_fen"] + city["receivable_fen"]


def test_a_network_without_a_programme_says_what_comes_next(shown: Running) -> None:
    opened = next(
        row["index"] for row in told(shown, "/recorded", limit="1000")["recorded"] if row["kind"] == "item.registered/1"
    )
    text = page(shown, "/", as_of=str(opened))
    assert "No programme is open yet" in text
    assert '<a href="/programmes?as_of=' in text
    assert text.count("<b>done</b>") + text.count("<b>not yet</b>") == 9
    assert "¥" not in text.replace("placeholder", "")


def test_a_programmes_parts_are_those_of_the_api_and_add_up(shown: Running) -> None:
    balance = told(shown, f"/programmes/{A.programme}")["programme"]["balance"]
    path = f"/programmes/{A.programme}"
    rows = rows_of(shown, path, "envelope")
    assert {row["part"]: int(row["amount_fen"]) for row in rows} == {row["part"]: balance[row["part"]] for row in rows}
    assert sum(int(row["amount_fen"]) for row in rows) == balance["envelope_fen"]
    issued = rows_of(shown, path, "issued")
    assert sum(int(row["amount_fen"]) for row in issued) == balance["issued_fen"]
    text = page(shown, path)
    assert text.count("It adds up to the fen.") == 2
    assert "does not add up" not in text
    for row in rows:
        assert yuan(int(row["amount_fen"])) in text, row


def test_a_programmes_lists_go_on_where_they_end(shown: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.web.pages.lists_beside.ROWS_BESIDE", 2)
    path = f"/programmes/{A.programme}"
    known = [row["voucher"] for row in told(shown, "/vouchers", programme=A.programme)["rows"]]
    first = page(shown, path)
    assert f"vouchers_after={known[1].replace('/', '%2F')}" in first
    assert f">{known[2]}<" not in first
    assert [row["voucher"] for row in rows_of(shown, path, "vouchers")] == known, "its CSV has all rows"
    further = page(shown, path, vouchers_after=known[1])
    assert known[2] in further
    assert f">{known[0]}<" not in further


def test_a_vouchers_page_tells_its_balance_its_life_and_what_comes_next(shown: Running) -> None:
    said = told(shown, f"/vouchers/{VOUCHER}")["voucher"]
    text = page(shown, f"/vouchers/{VOUCHER}")
    for name in ("face_fen", "available_fen", "burned_fen", "returned_fen"):
        assert yuan(said["balance"][name]) in text, name
    assert "It adds up to the fen." in text
    assert "What happens next" in text
    for line in said["history"]:
        assert f'href="/entries/{line["index"]}"' in text
        assert f'<span class="amount">{yuan(line["amount_fen"])}</span>' in text


def test_the_page_is_as_of_what_is_asked_for(shown: Running) -> None:
    history = told(shown, f"/vouchers/{VOUCHER}")["voucher"]["history"]
    issued = history[0]["index"]
    text = page(shown, f"/vouchers/{VOUCHER}", as_of=str(issued))
    assert text.count('<li class="is-good">') == 1
    assert f'href="/entries/{issued}?as_of={issued}"' in text
    assert f'href="/entries/{history[1]["index"]}' not in text


def test_who_sees_the_terms_of_a_programme_sees_no_amount_that_moves(
    shown: Running, own: tuple[Running, dict[str, dict[str, str]]]
) -> None:
    service, sessions = own
    balance = told(shown, f"/programmes/{B.programme}")["programme"]["balance"]
    answer = service.get(f"/programmes/{B.programme}", **sessions[A.firm.party])
    assert answer.status_code == 200, answer.text
    assert yuan(balance["envelope_fen"]) in answer.text
    assert "You may read this programme's terms" in answer.text
    moving = {balance[name] for name in balance if name.endswith("_fen")} - {balance["envelope_fen"], 0}
    assert not [fen for fen in moving if yuan(fen) in answer.text]
    assert B.secret not in answer.text


@pytest.mark.parametrize("kind", ["voucher", "contract", "application"])
def test_what_is_another_city_s_is_not_there(own: tuple[Running, dict[str, dict[str, str]]], kind: str) -> None:
    service, sessions = own
    for id_ in (B.things()[kind][0], f"{A.treasury.party}/none"):
        answer = service.get(f"/{kind}s/{id_}", **sessions[A.firm.party])
        assert answer.status_code == 404, answer.text


def test_every_page_is_shown_or_not_there_to_each_role(own: tuple[Running, dict[str, dict[str, str]]]) -> None:
    service, sessions = own
    others = [path.replace("/a-", "/b-").replace("secret-a", "secret-b") for path in PATHS[1:]]
    for party, headers in sessions.items():
        for path in (*PATHS, *others):
            answer = service.get(path, **headers)
            assert answer.status_code in (200, 404), (party, path, answer.text)
            assert answer.status_code == 404 or B.secret not in answer.text, (party, path)


def test_the_network_of_who_sees_its_own_is_its_own(own: tuple[Running, dict[str, dict[str, str]]]) -> None:
    service, sessions = own
    for party, headers in sessions.items():
        answer = service.get("/", **headers)
        assert answer.status_code == 200, answer.text
        assert "What concerns you" in answer.text
        assert "not of the whole network" in answer.text
        assert B.secret not in answer.text
        assert f"/parties/{party}" in answer.text


def test_a_treasury_says_what_it_owes_to_whom(shown: Running) -> None:
    said = told(shown, f"/treasuries/{A.treasury.party}")["treasury"]
    path = f"/treasuries/{A.treasury.party}"
    text = page(shown, path)
    assert yuan(said["balance"]["owed_fen"]) in text
    owed = rows_of(shown, path, "owed")
    names = ("unclaimed_fen", "withheld_fen", "claimed_fen")
    assert sum(int(row[name]) for row in owed for name in names) == said["balance"]["owed_fen"]
    assert [row["claim"] for row in rows_of(shown, path, "waiting_claims")] == [row["claim"] for row in said["claims"]]
    assert "It adds up to the fen." in text


def test_a_treasury_s_claims_to_decide_come_first_the_oldest_ahead(shown: Running) -> None:
    claimed = next(
        row["index"] for row in told(shown, "/recorded", kind="redemption.claimed/1", party=A.centre.party)["recorded"]
    )
    text = page(shown, f"/treasuries/{A.treasury.party}", as_of=str(claimed))
    assert "1 claim waits for its decision, since" in text
    assert f"<bdi>{A.things()['claim'][1]}</bdi>" in text


@pytest.mark.parametrize(("of", "path"), [("programme", PATHS[2]), ("treasury", PATHS[1]), ("voucher", PATHS[5])])
def test_the_last_day_of_a_chart_is_what_the_balance_says(shown: Running, of: str, path: str) -> None:
    balance = told(shown, path)[of]["balance"]
    last = rows_of(shown, path, "days")[-1]
    for name in ("available_fen", "reserved_fen"):
        assert int(last[name]) == balance[name], name
    if of != "voucher":
        assert int(last["owed_fen"]) == sum(balance[name] for name in ("burned_fen", "withheld_fen", "claimed_fen"))
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="drawing burn-down"' in page(shown, path)


def test_an_application_tells_its_gates_verdicts_and_what_was_issued(shown: Running) -> None:
    said = told(shown, f"/applications/{APPLICATION}")["application"]
    text = page(shown, f"/applications/{APPLICATION}")
    for name in ("amount_fen", "issued_fen", "left_fen"):
        assert yuan(said["balance"][name]) in text, name
    assert said["balance"]["evidence_hash"] in text
    entries = [one["index"] for one in (*said["verdicts"], *said["issued"])] + [said["balance"]["filed_index"]]
    assert all(f'href="/entries/{index}"' in text for index in entries)
    gates = rows_of(shown, f"/applications/{APPLICATION}", "gates")
    assert [(row["topic"], row["state"]) for row in gates] == [
        (gate["topic"], "passed" if gate["passed"] else "waiting") for gate in said["gates"]
    ]


def test_a_gate_says_for_whom_it_waits(shown: Running) -> None:
    filed = told(shown, f"/applications/{APPLICATION}")["application"]["balance"]["filed_index"]
    (gate,) = [*csv.DictReader(io.StringIO(page(shown, f"/applications/{APPLICATION}", csv="gates", as_of=filed)))]
    assert (gate["state"], gate["waits_for"]) == ("waiting", A.panel.party)


def test_a_contract_tells_what_is_charged_and_who_pays(shown: Running) -> None:
    said = told(shown, f"/contracts/{CONTRACT}")["contract"]
    path = f"/contracts/{CONTRACT}"
    text = page(shown, path)
    for name in ("amount_fen", "charged_fen", "chargeable_fen"):
        assert yuan(said["balance"][name]) in text, name
    assert said["document_hash"] in text
    paid = rows_of(shown, path, "programmes")
    assert [int(row["net_fen"]) for row in paid] == [
        one["from_voucher_fen"] - one["reversed_fen"] for one in said["programmes"]
    ]
    statements = [str(one["index"]) for one in said["statements"]]
    assert [row["index"] for row in rows_of(shown, path, "statements")] == statements[::-1], "newest first"
    assert set(statements) <= {row["index"] for row in rows_of(shown, path, "entries")}


def test_names_that_are_markup_are_shown_as_text(city_folder: Path) -> None:
    with read_ledger(city_folder) as reader:
        at = reader.state().at + SECOND_US
    with open_ledger(city_folder, LOG_KEY, clock=lambda: at) as ledger:
        (answer,) = ledger.submit([A.treasury.note("party.amend", at, name=HOSTILE)])
    assert isinstance(answer, Admitted), answer
    with reading(city_folder, who="open", clock=lambda: at) as running:
        for path in ("/", f"/treasuries/{A.treasury.party}"):
            text = page(running, path)
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text, path
            assert "<script>alert" not in text
            assert "<img src=x" not in text


def test_the_network_says_what_waits_and_how_much_was_on_domestic_chips(shown: Running) -> None:
    claimed = told(shown, "/recorded", kind="redemption.claimed/1")["recorded"][0]["index"]
    said = told(shown, "/waiting", as_of=str(claimed))
    text = page(shown, "/", as_of=str(claimed))
    assert said["claims"]["count"] == text.count("/claims/")
    assert yuan(said["claims"]["amount_fen"]) in text
    providers = {row["provider"]: row for row in rows_of(shown, "/", "providers")}
    for row in told(shown, "/usage", by="provider")["rows"]:
        assert int(providers[row["id"]]["net_gpu_milliseconds"]) == row["gpu_milliseconds"]
    assert "100% of the GPU-time was on domestic chips" in page(shown, "/")


def test_a_voucher_with_more_events_than_a_page_has_goes_on(shown: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.web.pages.voucher_pages.EVENTS_SHOWN", 1)
    history = told(shown, f"/vouchers/{VOUCHER}")["voucher"]["history"]
    assert len(history) > 2
    path = f"/vouchers/{VOUCHER}"
    first = page(shown, path)
    assert f'href="/entries/{history[-1]["index"]}"' in first
    assert f'href="/entries/{history[-2]["index"]}"' not in first
    assert f"events_after={history[-1]['index']}" in first
    assert f'href="/entries/{history[-2]["index"]}"' in page(shown, path, events_after=str(history[-1]["index"]))
    assert len(rows_of(shown, path, "events")) == len(history), "its CSV has all"
