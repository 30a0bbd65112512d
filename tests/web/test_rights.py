"""Every route × every role × own and others' things: nothing of another party's is in any answer.

The routes are taken from the application, so a new one fails here until it has its probes. What concerns the parties of
one city alone has a secret in its name (support/two_cities.py), and no amount of the one city is one of the other's.
"""

import base64
import re
import shutil
from ast import literal_eval
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import httpx2
import pytest
from starlette.routing import BaseRoute, Route

from support.actors import ORIGIN, key_of, label_of, note_of
from support.serving import Running, service_in_thread
from support.two_cities import AUDITOR, CITIES, LOG_KEY, NETWORK, OPERATOR, A, B, City, write_two_cities
from tallystick.publishing import read_ledger
from tallystick.signing.note import sign_text
from tallystick.views.lists import LISTS, By
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.sessions import session_text
from tallystick.web import following
from tallystick.web.application import create_app
from tallystick.web.pages.every_page import PAGES
from tallystick.web.resources import LISTED_ALONE, RESOURCES

READS_ALL = {
    NETWORK.party: f"{NETWORK.party}/root-1",
    AUDITOR.party: "court/officer-1",
    OPERATOR.party: "registry/officer-1",
}
OWN = list(A.role_of())
AMOUNT = re.compile(r"(?<![\w.+/-])\d{5,}(?![\w.+/-])")
YUAN = re.compile(r"(?<=¥)[\d,]+\.\d\d")
BASE64 = re.compile("[A-Za-z0-9+/]{40,}={0,2}")
OPEN = (
    *("/checkpoint", "/tile/{place:path}", "/v1/info", "/livez", "/readyz", "/health", "/openapi.json"),
    "/problems/{reason}",
    "/static/{path:path}",
    *("/login", "/logout"),
)
"""What is shown to everybody: hashes, signatures, how the service is, and what its words mean."""
WHOLE_LOG = ("/tile/entries/{place:path}", "/v1/entries", "/findings", "/patterns")
"""What those alone are shown who read all of everything."""
NOTHING_READ = ("/v1/sessions", "/v1/entries:batch", "/v1/check", "/v1/check:batch", "/v1/pending", "/v1/pending/{id_}")
"""What takes notes and logins, and what isn't in the log: tests/web/test_{sessions,pending,writing}.py."""

FIGURES = {
    "days": ("treasury", "programme", "provider", "holder", "contract", "voucher"),
    "usage-by-item": ("treasury", "programme", "provider"),
    "ageing": ("treasury", "programme", "provider", "holder"),
    "waiting": ("treasury", "programme", "provider", "holder"),
    "lines": ("provider", "holder", "contract"),
    "statements": ("provider", "holder", "contract"),
    "timeline": ("programme", "contract", "claim", "application", "reservation", "demand", "voucher"),
}
"""Routes of figures, and the kinds of things that they are of."""
FIGURES_OF_ALL = ("days", "usage-by-item", "waiting")
"""Those of the network too."""
PAGE_PATHS = {page.path for page in PAGES}
PAGES_OF_NO_THING: dict[str, list[str]] = {
    "/": ["/"],
    "/sign": ["/sign"],
    "/sign/reserve": ["/sign/reserve"],
    "/sign/claim": ["/sign/claim?lang=zh"],
    "/me": ["/me", "/me?lang=zh"],
    "/entries": ["/entries", "/entries?csv=entries", "/entries?kind=voucher.issued/1&lang=zh"],
    "/log": ["/log", "/log?from=50"],
    "/checkpoints": ["/checkpoints"],
    "/findings": ["/findings"],
    "/patterns": ["/patterns"],
    "/verify": ["/verify?entry=3", "/verify?lang=zh"],
}
"""What is asked of pages that are about no thing of a kind."""


@pytest.fixture(scope="module")
def service(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that shows to parties what is theirs; its streams say soon that nothing more comes."""
    following.PING_SECONDS = 0.1  # type: ignore[misc]
    folder = Path(shutil.copytree(two_cities, tmp_path_factory.mktemp("rights") / "ledger"))
    with read_ledger(folder) as reader:
        now = reader.state().at + SECOND_US
    with service_in_thread(folder, LOG_KEY, clock=lambda: now, reading="own") as running:
        running.now = now  # type: ignore[attr-defined]
        yield running
    following.PING_SECONDS = 15.0  # type: ignore[misc]


@pytest.fixture(scope="module")
def tokens(service: Running) -> dict[str, dict[str, str]]:
    """By party the header that shows its session."""
    keys = READS_ALL | {party: f"{party}/officer-1" for party in OWN}
    now = service.now  # type: ignore[attr-defined]
    found = {}
    for party, key in keys.items():
        text = session_text(ORIGIN, party, service.url, now, now + 3_600 * SECOND_US)
        answer = service.http.post("/v1/sessions", content=sign_text(text, key_of(key)))
        assert answer.status_code == 201, answer.text
        found[party] = {"authorization": f"Bearer {answer.json()['token']}"}
    return found


# ------------------------------------------------------------------------------------------------ what can be asked for


def things_of(city: City) -> dict[str, list[str]]:
    """The ids of a city's things, by kind, its institutions and its programme among them."""
    return city.things() | {
        "programme": [city.programme],
        "provider": [city.centre.party],
        "treasury": [city.treasury.party],
        "party": list(city.role_of()),
        "key": [label_of(f"{party}/officer-1") for party in city.role_of()],
    }


def probes(path: str, city: City, entries: range, refs: list[tuple[str, str]]) -> list[str]:
    """What is asked of a route about a city's things; nothing of a route that isn't known."""
    if path in PAGE_PATHS:
        return page_probes(path, city, entries)
    by_plural = {one.plural: one.kind for one in RESOURCES}
    lists = set(by_plural) | {plural for _, plural in LISTED_ALONE}
    things = things_of(city)
    parts = path.removeprefix("/v1/").split("/")
    if parts[0] in by_plural and len(parts) > 1:
        ids = ["ascend-910b"] if parts[0] == "items" else things[by_plural[parts[0]]]
        return [f"/v1/{parts[0]}/{id_}" for id_ in ids] + [f"/v1/{parts[0]}/{ids[0]}?as_of={entries[-1]}"]
    if len(parts) == 1 and parts[0] in lists:
        of = {"holder": city.firm.party, "provider": city.centre.party, "programme": city.programme}
        kind = next(
            kind
            for kind, plural in (*LISTED_ALONE, *((one.kind, one.plural) for one in RESOURCES))
            if plural == parts[0]
        )
        narrowed = [f"?{name}={value}" for name, value in of.items() if name in LISTS[kind].filters]
        return [
            f"/v1/{parts[0]}{query}"
            for query in ("", "?limit=1000", "?as_of=90", f"?after={city.firm.party}", *narrowed)
        ]
    plain: dict[str, list[str]] = {
        "/v1/balances": [f"/v1/balances?by={by}&limit=1000" for by in get_args(By)]
        + [f"/v1/balances?by={by}&day=2026-03-01" for by in get_args(By)],
        "/v1/recorded": [
            "/v1/recorded?limit=1000",
            *(
                f"/v1/recorded?account={kind}%20{id_.replace('+', '%2B')}"
                for kind, ids in things.items()
                for id_ in ids[:2]
            ),
            *(f"/v1/recorded?party={party}" for party in city.role_of()),
            "/v1/recorded?kind=voucher.issued/1",
        ],
        "/v1/entries/{index}": [f"/v1/entries/{index}" for index in entries[city is B :: 3]],
        "/v1/entries/{index}/receipt": [f"/v1/entries/{index}/receipt" for index in entries[city is B :: 9]],
        "/v1/refs/{party}/{ref:path}": [f"/v1/refs/{party}/{ref}" for party, ref in refs[::7]],
        "/v1/events": ["/v1/events?from=0"],
        "/v1/entries": ["/v1/entries?from=0", "/v1/entries?limit=1&from=40"],
        "/tile/entries/{place:path}": ["/tile/entries/000.p/50", "/tile/entries/000", "/tile/entries%2F000.p/50"],
        "/tile/{place:path}": ["/tile/0/000.p/50", "/tile//entries/000.p/50"],
        "/v1/usage": [f"/v1/usage?by={by}" for by in ("treasury", "programme", "provider")],
        "/v1/search": [
            f"/v1/search?q={text}" for text in (city.secret, "secret", *(ids[0] for ids in things.values()))
        ],
    }
    other = next(one for one in CITIES if one is not city)
    for name, kinds_of in FIGURES.items():
        asked = [(kind, things[kind][0]) for kind in kinds_of] + [(kinds_of[0], things_of(other)[kinds_of[0]][0])]
        plain[f"/v1/{name}"] = [
            *([f"/v1/{name}?of=network"] if name in FIGURES_OF_ALL else []),
            *(f"/v1/{name}?of={kind}&id={quote(id_)}" for kind, id_ in asked),
            f"/v1/{name}?of={kinds_of[-1]}&id={quote(things[kinds_of[-1]][-1])}&as_of={entries[-1]}",
        ]
    sealed = ("voucher", "holder", "provider", "programme", "contract", "treasury")
    for name, kinds in (("proofs/balances", sealed), ("dossiers", (*sealed, "application", "claim", "demand"))):
        plain[f"/v1/{name}/{{kind}}/{{id}}"] = plain[f"/v1/{name}/{{kind}}/{{id:path}}"] = [
            f"/v1/{name}/{kind}/{id_}" for kind in kinds for id_ in things[kind][:2]
        ]
    return plain.get(path, [path] if path in OPEN else [])


def page_probes(path: str, city: City, entries: range) -> list[str]:
    """What is asked of a page about a city's things; a page that is about no thing of its own stands in the table."""
    by_plural = {one.plural: one.kind for one in RESOURCES}
    if path == "/entries/{index}":
        return [f"/entries/{index}" for index in entries[city is B :: 9]]
    if path == "/search":
        return [f"/search?q={text}" for text in (city.secret, "secret", *(ids[0] for ids in things_of(city).values()))]
    plural, _, rest = path.removeprefix("/").partition("/")
    if plural in by_plural and rest:
        ids = ["ascend-910b"] if plural == "items" else things_of(city)[by_plural[plural]]
        return [f"/{plural}/{ids[0]}", f"/{plural}/{ids[-1]}?lang=zh", f"/{plural}/{ids[0]}?as_of={entries[-1]}"]
    if plural in by_plural or plural in {one for _, one in LISTED_ALONE}:
        return [f"/{plural}", f"/{plural}?csv={plural}"]
    if path == "/sign/object":
        return [f"/sign/object?entry={index}&line=0" for index in entries[::9]]
    return PAGES_OF_NO_THING.get(path, [])


def routes(service: Running) -> dict[str, set[str]]:
    """The paths of all routes of the application that runs, and their methods."""
    assert service.service is not None
    app = create_app(service.service)
    found: dict[str, set[str]] = {}
    for route in _all_routes(app.routes):
        found.setdefault(route.path, set()).update(route.methods or ())
    app.state.pending.close()
    return found


def _all_routes(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _all_routes(included.routes)
        else:
            assert isinstance(route, Route), route
            yield route


@pytest.fixture(scope="module")
def asked(service: Running) -> dict[str, dict[str, list[str]]]:
    """By route, and by city, what is asked."""
    with read_ledger(service.service.source) as reader:  # type: ignore[union-attr]
        events = [reader.parsed_entry(index).event for index in range(reader.size)]
    refs = {
        city.name: [
            (event.command.party, event.command.ref) for event in events if event.command.party in city.role_of()
        ]
        for city in CITIES
    }
    return {
        path: {city.name: probes(path, city, range(len(events)), refs[city.name]) for city in CITIES}
        for path, methods in routes(service).items()
        if "GET" in methods and path not in NOTHING_READ
    }


def get(service: Running, place: str, headers: dict[str, str]) -> httpx2.Response:
    """Ask; of a stream what came first."""
    if not place.startswith("/v1/events"):
        return service.http.get(place, headers=headers)
    with service.http.stream("GET", place, headers=headers) as answer:
        body = b""
        if answer.status_code == 200:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for part in answer.iter_bytes():
                body += part
                if b": ping" in body:
                    break
        else:
            body = answer.read()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)


def shown(answer: httpx2.Response, place: str) -> str:
    """All that an answer shows, base64 as what it says; without what was asked for where that isn't there."""
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    text = BASE64.sub(_decoded, answer.text) + str(headers)
    text = YUAN.sub(lambda found: found[0].replace(",", "").replace(".", ""), text)
    if answer.status_code in (401, 404):
        for asked_for in sorted(re.findall(r"[\w.+-]*secret-[ab][\w.+-]*", place), key=len, reverse=True):
            text = text.replace(asked_for, "")
    if place.startswith("/search?q="):  # which the page says again
        asked_for = place.removeprefix("/search?q=")
        said = "|".join(map(re.escape, (asked_for, quote(asked_for, safe=""))))
        text = re.sub(rf'(?:q=|value="|“)(?:{said})(?=[&"”])', "", text)
    return re.sub(r'^{"q":"[^"]*"', "", text)


def _decoded(found: re.Match[str]) -> str:
    try:
        return base64.b64decode(found[0], validate=True).decode("utf-8", "replace") + " "
    except ValueError:
        return found[0]


# ---------------------------------------------------------------------------------------------------------------- tests


def test_every_route_has_its_probes(service: Running, asked: dict[str, dict[str, list[str]]]) -> None:
    """Or it isn't known whether it leaks; one that takes something is on the list of those that show nothing."""
    for path, methods in routes(service).items():
        if path in asked:
            assert all(asked[path].values()), f"{path} has no probes"
        else:
            assert path in NOTHING_READ, f"{methods} {path} is on no list"


def test_without_a_login_hashes_alone_are_shown(service: Running, asked: dict[str, dict[str, list[str]]]) -> None:
    """Everything else is 401, whether what is asked for is there or not."""
    for path, by_city in asked.items():
        for place in (*by_city["a"], *by_city["b"]):
            answer = get(service, place, {})
            if path in OPEN:
                assert answer.status_code in (200, 404), place
                assert not re.search("secret-[ab]", answer.text), place
            else:
                assert answer.status_code == 401, place
                assert "login_required" in answer.text, place
                assert not re.search("secret-[ab]", shown(answer, place).replace(place, "")), place


@pytest.mark.parametrize("party", OWN)
def test_no_answer_shows_anything_of_another_city(
    service: Running,
    tokens: dict[str, dict[str, str]],
    asked: dict[str, dict[str, list[str]]],
    amounts: dict[str, set[str]],
    party: str,
) -> None:
    """Neither a name nor an amount; asked about its own things and about the other's."""
    leaks, faults = [], []
    for by_city in asked.values():
        for place in (*by_city["b"], *by_city["a"]):
            answer = get(service, place, tokens[party])
            if answer.status_code not in (200, 204, 303, 403, 404):
                faults.append((place, answer.status_code, answer.text[:200]))
            text = shown(answer, place)
            if B.secret in text:
                leaks.append((place, answer.status_code, text[max(0, text.index(B.secret) - 200) :][:400]))
            found = amounts["b"] & set(AMOUNT.findall(text))
            if found:
                leaks.append((place, answer.status_code, f"amounts {sorted(found)[:3]} in {text[:400]}"))
    assert faults == []
    assert leaks == []


@pytest.fixture(scope="module")
def amounts(service: Running, tokens: dict[str, dict[str, str]]) -> dict[str, set[str]]:
    """By city, the amounts and quantities of its books that are no amounts of the other's, and not public."""
    found: dict[str, set[str]] = {}
    for city in CITIES:
        numbers: set[int] = set()
        for kind, ids in things_of(city).items():
            plural = next(one.plural for one in RESOURCES if one.kind == kind)
            if kind not in ("key", "party"):
                for id_ in ids:
                    answer = service.http.get(f"/v1/{plural}/{id_}", headers=tokens[AUDITOR.party])
                    assert answer.status_code == 200, answer.text
                    numbers |= set(_amounts_in(answer.json()))
        found[city.name] = {str(number) for number in numbers if number > 10_000}
    public = {"10000000000", "100000000", "2000000000"}  # envelope, officers' threshold, cap
    both = found["a"] & found["b"] | public
    assert all(len(one - both) > 20 for one in found.values())
    return {name: one - both for name, one in found.items()}


def _amounts_in(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, int) and (name.endswith(("_fen", "milliseconds")) or name == "quantity"):
                yield member
            yield from _amounts_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from _amounts_in(member)


@pytest.mark.parametrize("party", OWN)
def test_a_page_of_anothers_thing_is_that_of_what_is_not_there(
    service: Running, tokens: dict[str, dict[str, str]], party: str
) -> None:
    for kind, ids in B.things().items():
        plural = next(one.plural for one in RESOURCES if one.kind == kind)
        missing = re.sub("secret-[ab]", "secret-c", ids[0])
        there, nothing = (service.http.get(f"/{plural}/{name}", headers=tokens[party]) for name in (ids[0], missing))
        assert there.status_code == nothing.status_code == 404
        assert there.text.replace(quote(ids[0], safe="/"), "").replace(ids[0], "") == nothing.text.replace(
            quote(missing, safe="/"), ""
        ).replace(missing, "")


@pytest.mark.parametrize("party", OWN)
def test_what_is_anothers_is_answered_like_what_is_not_there(
    service: Running, tokens: dict[str, dict[str, str]], party: str
) -> None:
    """The same status and the same words, of things, of entries and of references."""
    for kind, ids in B.things().items():
        plural = next(one.plural for one in RESOURCES if one.kind == kind)
        for id_ in ids:
            missing = re.sub("secret-[ab]", "secret-c", id_)
            there, nothing = (
                service.http.get(f"/v1/{plural}/{name}{query}", headers=tokens[party])
                for name, query in ((id_, ""), (missing, ""))
            )
            assert there.status_code == nothing.status_code == 404
            assert there.text.replace(id_, "") == nothing.text.replace(missing, ""), id_
            assert {**there.headers, "request-id": "", "date": ""} == {
                **nothing.headers,
                "request-id": "",
                "date": "",
                "content-length": there.headers["content-length"],
            }


@pytest.mark.parametrize("party", OWN)
def test_a_party_reads_what_is_its_own(service: Running, tokens: dict[str, dict[str, str]], party: str) -> None:
    """By kind, the things that are told in full, and those of which the terms are."""
    treasury, centre, panel, firm, maker = A.role_of()
    things = A.things()
    in_full = {
        treasury: {
            "voucher": 6,
            "contract": 3,
            "reservation": 3,
            "application": 2,
            "claim": 2,
            "demand": 1,
            "mandate": 1,
        },
        centre: {"contract": 3, "reservation": 3, "claim": 2, "demand": 1},
        panel: {"application": 2, "claim": 2},
        firm: {"voucher": 4, "contract": 3, "reservation": 3, "application": 2, "holder": 1},
        maker: {"voucher": 2, "holder": 1},
    }[party]
    terms = {
        treasury: {"holder": 2},
        centre: {"voucher": 2, "holder": 1},
        panel: {"holder": 1},
        firm: {"holder": 1},
        maker: {"holder": 1},
    }[party]
    found: dict[str, list[int]] = {}
    for kind, ids in things.items():
        plural = next(one.plural for one in RESOURCES if one.kind == kind)
        for id_ in ids:
            answer = service.http.get(f"/v1/{plural}/{id_}", headers=tokens[party])
            if answer.status_code == 200:
                balance = answer.json()[kind]["balance"] if "balance" in answer.json()[kind] else answer.json()[kind]
                is_full = any(name.endswith("_fen") for name in balance)
                found.setdefault(kind, [0, 0])[is_full] += 1
    assert {kind: full for kind, (_, full) in found.items() if full} == in_full
    assert {kind: cut for kind, (cut, _) in found.items() if cut} == terms


TERMS_OF_PROGRAMME = {"programme", "treasury", "name", "payee", "closes_at", "closed", "envelope_fen"}


@pytest.mark.parametrize("party", OWN)
def test_every_party_finds_the_programmes_and_sees_their_terms(
    service: Running, tokens: dict[str, dict[str, str]], party: str
) -> None:
    """Both cities', to apply for, or to be accredited by: the rules, and not what was spent of them."""
    rows = {row["programme"]: row for row in get(service, "/v1/programmes", tokens[party]).json()["rows"]}
    assert {A.programme, B.programme} <= set(rows)
    for city in (A, B):
        is_own = party == city.treasury.party
        assert (set(rows[city.programme]) == TERMS_OF_PROGRAMME) is not is_own
        one = get(service, f"/v1/programmes/{city.programme}", tokens[party]).json()["programme"]
        assert (set(one["balance"]) == TERMS_OF_PROGRAMME) is not is_own
        assert (set(one) == {"balance", "versions"}) is not is_own
        assert {"shares", "cap", "gates", "claims", "payee", "basis"} <= set(one["versions"][-1]["rules"])
        assert one["versions"][-1]["in_words"]
        hits = get(service, f"/v1/search?q={city.programme}", tokens[party]).json()["hits"]
        assert {"kind": "programme", "id": city.programme, "by": "id"} in hits


def test_who_reads_all_reads_all(
    service: Running, tokens: dict[str, dict[str, str]], asked: dict[str, dict[str, list[str]]]
) -> None:
    """Nothing that is there is missing, of either city; the log as a whole is for nobody else."""
    for path, by_city in asked.items():
        for place in (*by_city["a"], *by_city["b"]):
            answer = get(service, place, tokens[AUDITOR.party])
            is_none = path in (*WHOLE_LOG, *OPEN, "/sign/object") or "?after" in place
            may_be = (200, 404) if is_none else (200,)
            may_be = (200, 303) if path == "/search" else may_be
            assert answer.status_code in may_be, (place, answer.text)
    for place in ("/tile/entries/000.p/50", "/v1/entries", f"/v1/vouchers/{B.id(B.treasury, 'v1')}"):
        for party in READS_ALL:
            assert get(service, place, tokens[party]).status_code == 200
    for party in OWN:
        for place in ("/findings", "/patterns"):
            assert get(service, place, tokens[party]).status_code == 403
    for place in ("/tile/entries/000.p/50", "/tile/entries/000.p/9999", "/v1/entries", "/v1/entries?from=1000000"):
        for party in OWN:
            refused = get(service, place, tokens[party])
            assert (refused.status_code, refused.json()["reason"]) == (403, "may_not_read")


def test_lists_tell_of_others_what_commands_are_written_with(
    service: Running, tokens: dict[str, dict[str, str]]
) -> None:
    """Programmes and institutions, without an amount that moves; in a table such cells are empty."""
    firm = tokens[A.firm.party]

    def rows(place: str, token: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = service.http.get(place, headers=token).json()["rows"]
        return found

    programmes = rows("/v1/programmes", firm)
    assert [row["programme"] for row in programmes] == [A.programme, B.programme]
    assert all(set(row) == set(programmes[0]) for row in programmes)
    assert {name for name in programmes[0] if name.endswith("_fen")} == {"envelope_fen"}
    table = service.http.get("/v1/programmes", headers=firm | {"accept": "text/csv"}).text.splitlines()
    assert len(table) == 3
    assert table[0].split(",")[7:9] == ["unissued_fen", "available_fen"]
    assert table[1].split(",")[7:9] == ["", ""]
    (treasurys_own, other) = rows("/v1/programmes", tokens[A.treasury.party])
    assert "available_fen" in treasurys_own
    assert "available_fen" not in other
    parties = {row["party"] for row in rows("/v1/parties", firm)}
    institutions = {party for city in CITIES for party, role in city.role_of().items() if role != "holder"}
    assert parties == {A.firm.party, A.maker.party, *institutions, *READS_ALL}
    keys = {row["key"].partition("/")[0] for row in rows("/v1/keys?limit=1000", firm)}
    assert keys == parties
    holders = rows("/v1/holders", tokens[A.treasury.party])
    assert [(row["holder"], set(row)) for row in holders] == [
        (holder, {"holder", "name", "suspended"}) for holder in (A.firm.party, A.maker.party, f"{A.secret}-mistake")
    ]
    assert service.http.get("/v1/balances?by=holder", headers=tokens[A.treasury.party]).json()["balances"] == []


def test_a_condition_tells_nothing_either(service: Running, tokens: dict[str, dict[str, str]]) -> None:
    """Without a login it is 401; with one the answer is the same of what is another's and of what isn't there."""
    firm = tokens[A.firm.party]
    tag = service.http.get(f"/v1/vouchers/{A.id(A.treasury, 'v1')}", headers=firm).headers["etag"]
    own, others, nothing = (
        f"/v1/vouchers/{id_}" for id_ in (A.id(A.treasury, "v1"), B.id(B.treasury, "v1"), "nobody/nothing")
    )
    for method in ("GET", "HEAD"):
        found = [
            service.http.request(method, place, headers=firm | {"if-none-match": tag}).status_code
            for place in (own, others, nothing)
        ]
        assert found[0] == 304
        assert found[1] == found[2]
        assert service.http.request(method, own, headers={"if-none-match": tag}).status_code == 401
        assert service.http.request(method, others, headers=firm).status_code == 404


def test_what_is_refused_of_anothers_things_says_nothing_of_them(amounts: dict[str, set[str]], tmp_path: Path) -> None:
    """Each command that city a gave is given again, signed by the same keys, about the things of city b."""
    now = write_two_cities(tmp_path / "ledger", has_ended=False) + SECOND_US
    later = {"valid_from", "valid_until", "until", "opens_at"}
    with read_ledger(tmp_path / "ledger") as reader:
        events = [reader.parsed_entry(index).event for index in range(reader.size)]
    leaks, reasons = [], set()
    with service_in_thread(tmp_path / "ledger", LOG_KEY, clock=lambda: now, reading="own") as serving:
        for number, event in enumerate(events):
            if event.command.party not in A.role_of():
                continue
            command = event.command.model_dump(mode="json", by_alias=True, exclude_none=True)
            fields = {name: value for name, value in command.items() if name not in Rule.model_fields}
            fields |= {name: format_instant(now + SECOND_US) for name in later & set(fields)}
            about = re.sub(r"\ba-(?=treasury|centre|panel)", "b-", repr(fields)).replace(A.secret, B.secret)
            command |= literal_eval(about) | {"ref": f"try-{number}", "signed_at": format_instant(now)}
            note = note_of(command, *event.key_names)
            answer = serving.post(note, "/v1/check")
            assert answer.status_code == 200
            reasons.add(answer.json().get("reason"))
            said = answer.text
            for given in sorted(re.findall(r"[\w./-]*secret-b[\w./-]*", note.decode()), key=len, reverse=True):
                said = said.replace(given, "")
            if B.secret in said or amounts["b"] & set(AMOUNT.findall(said)) - set(AMOUNT.findall(note.decode())):
                leaks.append((command["kind"], said))
    assert leaks == []
    not_own = {"not_own_contract", "not_own_programme", "not_own_reservation", "not_own_application"}
    assert not_own | {"demand_on_another", "subject_not_under_party"} <= reasons
