"""Pages of parties: what a provider is owed and was paid, what a holder has, and each reader's own page."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest

from support.actors import ORIGIN, key_of
from support.reading_app import SERVICE_URL, Clock, Running
from support.two_cities import AUDITOR, NETWORK, A, B
from tallystick.signing.note import sign_text
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.sessions import session_text

CENTRE, FIRM, TREASURY = A.centre.party, A.firm.party, A.treasury.party
KEYS = {AUDITOR.party: "court/officer-1", NETWORK.party: f"{NETWORK.party}/root-1"}


class Reader:
    """A party that has logged in."""

    def __init__(self, service: Running, clock: Clock, party: str) -> None:
        text = session_text(ORIGIN, party, SERVICE_URL, clock.now, clock.now + 3_600 * SECOND_US)
        key = KEYS.get(party, f"{party}/officer-1")
        self.service, self.headers = service, service.login(sign_text(text, key_of(key)))

    def json(self, path: str) -> Any:
        answer = self.service.get(path, **self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def html(self, path: str, status: int = 200) -> str:
        answer = self.service.get(path, accept="text/html", **self.headers)
        assert answer.status_code == status, (path, answer.text)
        return answer.text

    def page(self, path: str, status: int = 200) -> str:
        """A page's text without its tags."""
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", self.html(path, status))))

    def csv(self, path: str, table: str) -> list[dict[str, str]]:
        """A table's rows as CSV."""
        answer = self.service.get(f"{path}{'&' if '?' in path else '?'}csv={table}", **self.headers)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02}"


def test_a_providers_page_says_what_the_api_says(service: Running, clock: Clock) -> None:
    centre = Reader(service, clock, CENTRE)
    said = centre.json(f"/v1/providers/{CENTRE}")["provider"]
    balance = said["balance"]
    page = centre.page(f"/providers/{CENTRE}")
    for name in ("unclaimed_fen", "claimed_fen", "withheld_fen", "paid_fen", "fee_fen"):
        assert yuan(balance[name]) in page, name
    statements = centre.csv(f"/providers/{CENTRE}", "statements")
    assert [row["index"] for row in statements] == [str(one["index"]) for one in said["statements"][::-1]]
    assert [row["fee_fen"] for row in statements] == [str(one["fee_fen"]) for one in said["statements"][::-1]]
    refused = centre.csv(f"/providers/{CENTRE}", "refused")
    assert {(row["reason"], row["lines"]) for row in refused} == {
        (one["reason"], str(one["lines"])) for one in said["refusals"]
    }
    claims = centre.csv(f"/providers/{CENTRE}", "claims")
    assert [row["claim"] for row in claims] == [one["claim"] for one in said["claims"]]
    items = {row["item"]: row for row in centre.csv(f"/providers/{CENTRE}", "offer")}
    tariffs = centre.json(f"/v1/tariffs?provider={CENTRE}&status=in_force")["rows"]
    assert {item: row["price_fen"] for item, row in items.items() if row["price_fen"]} == {
        one["item"]: str(one["price_fen"]) for one in tariffs
    }


def test_a_providers_statements_go_on_on_the_next_page(service: Running, clock: Clock) -> None:
    centre = Reader(service, clock, CENTRE)
    everything = centre.csv(f"/providers/{CENTRE}", "statements")
    assert len(everything) > 1
    rest = centre.csv(f"/providers/{CENTRE}?statements_after={everything[0]['index']}", "statements")
    assert rest == everything[1:]


def test_of_another_citys_provider_the_terms_alone_are_shown(service: Running, clock: Clock) -> None:
    page = Reader(service, clock, FIRM).page(f"/providers/{B.centre.party}")
    assert "You may read who this provider is, its prices and its capacity." in page
    assert "Claimed" not in page


def test_a_holders_page_has_its_lines_and_what_it_has_left(service: Running, clock: Clock) -> None:
    firm = Reader(service, clock, FIRM)
    said = firm.json(f"/v1/holders/{FIRM}")["holder"]
    page = firm.page(f"/holders/{FIRM}")
    for name in ("granted_fen", "available_fen", "reserved_fen", "burned_fen"):
        assert yuan(said["balance"][name]) in page, name
    lines = firm.csv(f"/holders/{FIRM}", "lines")
    of_contracts = [
        line
        for contract in said["contracts"]
        for line in firm.json(f"/v1/contracts/{contract['contract']}")["contract"]["lines"]
    ]
    assert sorted((row["index"], row["line"], row["fee_fen"]) for row in lines) == sorted(
        (str(line["index"]), str(line["line"]), str(line["fee_fen"])) for line in of_contracts
    )
    assert [row["voucher"] for row in firm.csv(f"/holders/{FIRM}", "vouchers")] == [
        one["voucher"] for one in said["vouchers"]
    ]
    Reader(service, clock, A.panel.party).page(f"/holders/{B.firm.party}", 404)


def test_a_holder_may_object_to_a_line_that_no_claim_took(service: Running, clock: Clock) -> None:
    firm = Reader(service, clock, FIRM)
    lines = firm.json(f"/v1/lines?of=holder&id={FIRM}")["lines"]
    then = max(line["index"] for line in lines)  # before any of it was claimed
    was = firm.json(f"/v1/lines?of=holder&id={FIRM}&as_of={then}")["lines"]
    links = re.findall(r'href="/sign/object\?as_of=\d+&amp;entry=(\d+)&amp;line=(\d+)"', firm.html(f"/me?as_of={then}"))
    assert links == [(str(line["index"]), str(line["line"])) for line in was if line["unclaimed_fen"]]
    assert links
    assert "/sign/object?" not in firm.html("/me"), "all of it is claimed now"
    assert "/sign/object?" not in Reader(service, clock, AUDITOR.party).html(f"/holders/{FIRM}?as_of={then}")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("party", "tables"),
    [
        (FIRM, ("vouchers", "ending", "reservations", "lines", "own")),
        (CENTRE, ("programmes", "claims", "refused", "statements", "own")),
        (TREASURY, ("claims", "applications", "own")),
        (A.panel.party, ("own",)),
        (AUDITOR.party, ("seals", "claims", "own")),
        (NETWORK.party, ("seals", "claims", "own")),
    ],
)
def test_each_role_has_a_page_of_its_own(
    service: Running, clock: Clock, party: str, tables: tuple[str, ...], language: str
) -> None:
    page = Reader(service, clock, party).html(f"/me?lang={language}")
    for table in tables:
        assert f'<table id="{table}">' in page, table
    assert party in page


def test_a_treasury_is_told_what_waits_for_it(service: Running, clock: Clock) -> None:
    treasury = Reader(service, clock, TREASURY)
    said = treasury.json(f"/v1/waiting?of=treasury&id={TREASURY}")
    assert [row["claim"] for row in treasury.csv("/me", "claims")] == [row["claim"] for row in said["claims"]["rows"]]
    assert yuan(said["claims"]["amount_fen"]) in treasury.page("/me")


def test_the_page_of_ones_own_needs_a_login(service: Running) -> None:
    assert service.get("/me", accept="text/html").status_code == 401
