"""Logging in with a browser: the cookie, for what it counts, and which forms are taken."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from support.actors import ORIGIN, key_of
from support.reading_app import Clock, clock_after
from support.serving import Running, service_in_thread
from support.two_cities import LOG_KEY, A
from tallystick.signing.note import sign_text
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.sessions import session_text

FIRM = A.firm.party
HOUR_US = 3_600 * SECOND_US
COOKIE = "__Host-tallystick"


class Browser:
    """Sends forms as a page of the service does, and keeps its cookie."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running, self.clock, self.cookie = running, clock, ""

    def note(self) -> bytes:
        """A login of the firm."""
        self.clock.now += SECOND_US
        text = session_text(ORIGIN, FIRM, self.running.url, self.clock.now, self.clock.now + HOUR_US)
        return sign_text(text, key_of(f"{FIRM}/officer-1"))

    def post(self, path: str, **form: str) -> httpx2.Response:
        return self.send(path, {"origin": self.running.url}, **form)

    def send(self, path: str, headers: dict[str, str], **form: str) -> httpx2.Response:
        """Send a form with these headers alone beside its type and the cookie."""
        headers = {"content-type": "application/x-www-form-urlencoded"} | headers
        if self.cookie:
            headers["cookie"] = f"{COOKIE}={self.cookie}"
        return self.running.http.post(path, content=urlencode(form), headers=headers)

    def log_in(self, **form: str) -> httpx2.Response:
        """Log in, and keep the cookie."""
        answer = self.post("/login", note=self.note().decode(), **form)
        assert answer.status_code == 303, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0].removeprefix(f"{COOKIE}=")
        return answer

    def reads(self, method: str = "GET") -> int:
        """The status of an entry that every party may read."""
        cookie = {"cookie": f"{COOKIE}={self.cookie}"}
        return self.running.http.request(method, "/v1/entries/0", headers=cookie).status_code


def reason_on(answer: httpx2.Response) -> str:
    """The reason that a page shows."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    (reason,) = re.findall(r"<code>([a-z_]+)</code>", answer.text)
    return str(reason)


@pytest.fixture(scope="module")
def served(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Clock]]:
    folder = Path(shutil.copytree(two_cities, tmp_path_factory.mktemp("logins") / "ledger"))
    clock = clock_after(folder)
    with service_in_thread(folder, LOG_KEY, clock=clock, reading="own") as running:
        yield running, clock


@pytest.fixture
def browser(served: tuple[Running, Clock]) -> Browser:
    running, clock = served
    running.http.cookies.clear()
    return Browser(running, clock)


def test_a_login_sets_a_cookie_that_reads(browser: Browser) -> None:
    """For this host alone, hidden from scripts, not sent along from other sites, and no longer than the login."""
    assert browser.reads() == 401
    answer = browser.log_in(next="/vouchers?limit=2")
    assert answer.headers["location"] == "/vouchers?limit=2"
    assert answer.headers["cache-control"] == "no-store"
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == f"{COOKIE}={browser.cookie}"
    assert sorted(attributes) == ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=strict", "Secure"]
    assert (browser.reads(), browser.reads("HEAD")) == (200, 200)
    listed = browser.running.http.get("/v1/pending", headers={"cookie": f"{COOKIE}={browser.cookie}"})
    assert (listed.status_code, listed.json()["pending"]) == (200, [])


def test_the_cookie_counts_for_nothing_but_reading(browser: Browser) -> None:
    """What ends a session asks for the token itself; a bearer's token goes before the cookie."""
    browser.log_in()
    cookie = {"cookie": f"{COOKIE}={browser.cookie}"}
    ended = browser.running.http.delete("/v1/sessions", headers=cookie)
    assert (ended.status_code, ended.json()["reason"]) == (401, "login_required")
    assert browser.reads() == 200
    other = browser.running.http.get("/v1/entries/0", headers=cookie | {"authorization": "Bearer another"})
    assert other.status_code == 401
    same = browser.running.http.get("/v1/entries/0", headers=cookie | {"authorization": "Basic YTpi"})
    assert same.status_code == 200


def test_a_logout_ends_the_session_and_the_cookie(browser: Browser) -> None:
    """The same note opens no other; without a cookie there is nothing to end."""
    note = browser.note().decode()
    browser.cookie = browser.post("/login", note=note).headers["set-cookie"].partition(";")[0].partition("=")[2]
    answer = browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert f'{COOKIE}=""; ' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert browser.reads() == 401
    assert reason_on(browser.post("/login", note=note)) == "login_required"
    browser.cookie = ""
    assert browser.post("/logout").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1"},
        {"origin": "{url}", "sec-fetch-site": "same-site"},
        {"origin": "{url}", "sec-fetch-site": "cross-site"},
        {"origin": "{url}", "sec-fetch-site": "none"},
    ],
)
def test_forms_of_other_sites_are_refused(browser: Browser, path: str, headers: dict[str, str]) -> None:
    """Nobody is logged in as another by a foreign page, or logged out."""
    browser.log_in()
    headers = {name: value.format(url=browser.running.url) for name, value in headers.items()}
    answer = browser.send(path, headers, note=browser.note().decode())
    assert (answer.status_code, reason_on(answer)) == (403, "cross_site")
    assert "set-cookie" not in answer.headers
    assert browser.reads() == 200


def test_a_browser_that_says_no_origin_says_where_it_is_from(browser: Browser) -> None:
    """With a policy of no referrer it sends `Origin: null`, of our own page too."""
    note = browser.note().decode()
    assert browser.send("/login", {"origin": "null", "sec-fetch-site": "same-origin"}, note=note).status_code == 303


def test_over_plain_http_from_elsewhere_there_is_no_session(browser: Browser) -> None:
    """No browser would send the cookie back."""
    note = browser.note().decode()
    answer = browser.send("/login", {"origin": "http://intranet", "host": "intranet"}, note=note)
    assert (answer.status_code, reason_on(answer)) == (400, "bad_request")
    assert "over plain http a browser keeps no session" in answer.text
    answer = browser.send("/login", {"origin": "https://intranet", "host": "intranet"}, note=note)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "next_",
    [
        "",
        "//evil.example",
        "///evil.example",
        "//[",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "me",
        "/a\r\nSet-Cookie: x=1",
        "/\u4e2d",
    ],
)
def test_a_login_leads_nowhere_else(browser: Browser, next_: str) -> None:
    """Whatever a link to the form says."""
    assert browser.log_in(next=next_).headers["location"] == "/"


def test_a_note_is_pasted_as_browsers_send_it(browser: Browser) -> None:
    """Lines end in other ways there, and at the end there may be none or several."""
    text = browser.note().decode()
    for pasted in (text.replace("\n", "\r\n"), text.rstrip("\n"), f"{text}\r\n\r\n"):
        assert browser.post("/login", note=pasted).status_code == 303


def test_forms_that_are_none(browser: Browser) -> None:
    """Too large, of another type, not UTF-8, without a note, or with one that says something else."""
    where = {"origin": browser.running.url}
    http = browser.running.http
    answers = [
        browser.post("/login", note="x" * 20_000),
        http.post("/login", json={"note": ""}, headers=where),
        http.post("/login", content=b"note=%ff", headers=where | {"content-type": "application/x-www-form-urlencoded"}),
        browser.post("/login"),
        browser.post("/login", note=browser.note().decode().replace("national", "other")),
    ]
    reasons = [(answer.status_code, reason_on(answer)) for answer in answers]
    assert reasons == [
        (413, "body_too_large"),
        (415, "unsupported_media_type"),
        (400, "bad_request"),
        (400, "note_malformed"),
        (400, "command_for_another_log"),
    ]


def test_the_page_says_how_to_log_in(browser: Browser) -> None:
    """To everybody, in their language, where to go on kept; with a note that the command line makes."""
    for path, text in (("/login?next=/sign", "Log in"), ("/logout", "Log out")):
        answer = browser.running.http.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert f"<h1>{text}</h1>" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    page = browser.running.http.get("/login?next=/sign").text
    assert '<input type="hidden" name="next" value="/sign">' in page
    assert f"tallystick key login KEY --url {browser.running.url} --log {ORIGIN}</code>" in page
    assert '<input type="hidden" name="next" value="/">' in browser.running.http.get("/login?next=//evil.example").text
    chosen = browser.running.http.get("/login?lang=zh")
    assert "lang=zh" in chosen.headers["set-cookie"]
    assert browser.running.http.get("/login?theme=dark").headers["location"] == "/login"


def test_a_refused_login_keeps_where_to_go_on(browser: Browser) -> None:
    """The page says why, and leads on after the next try."""
    answer = browser.post("/login", note="nonsense", next="/sign")
    assert (answer.status_code, reason_on(answer)) == (400, "note_malformed")
    assert '<input type="hidden" name="next" value="/sign">' in answer.text
    assert answer.headers["cache-control"] == "no-store"
