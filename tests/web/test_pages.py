"""What holds of every page: the policy, both languages, as of when, tables as CSV, and that nothing is sent twice."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import tallystick.web
from support.reading_app import Running, clock_after, reading
from support.two_cities import A
from tallystick.serving.server import Place as Listening
from tallystick.serving.server import running
from tallystick.web.exploring import KnownHosts, create_explorer
from tallystick.web.pages.answering import POLICY
from tallystick.web.pages.every_page import PAGES
from tallystick.web.pages.page import Place
from tallystick.web.pages.static_files import STATIC
from tallystick.web.reads import Reads

VOUCHER = A.things()["voucher"][0]
PACKAGE = Path(tallystick.web.__file__).parent


@pytest.fixture
def shown(service_to_all: Running) -> Running:
    """The same, asked by somebody new."""
    service_to_all.client.cookies.clear()
    return service_to_all


@pytest.fixture(scope="module")
def service_to_all(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that shows all to everybody."""
    folder = Path(shutil.copytree(two_cities, tmp_path_factory.mktemp("pages") / "ledger"))
    with reading(folder, who="open", clock=clock_after(folder)) as running_app:
        yield running_app


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", ["/programmes", f"/programmes/{A.programme}", f"/vouchers/{VOUCHER}"])
def test_a_page_has_the_policy_and_is_in_the_language_asked_for(shown: Running, path: str, language: str) -> None:
    answer = shown.client.get(path, params={"lang": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
    assert "tallystick.example" in answer.text
    assert not re.search(r"""\sstyle=|<script(?![^>]*\ssrc=)|<style|\son[a-z]+=|javascript:""", answer.text)


def test_the_language_is_asked_for_kept_in_a_cookie_or_the_browsers(shown: Running) -> None:
    def language(query: str = "", **headers: str) -> str:
        with httpx2.Client(base_url=shown.url, timeout=40) as client:
            said = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = client.get(f"/programmes{query}", headers=said)
            return str(re.findall(r'<html lang="([^"]*)"', answer.text)[0]) + answer.headers.get("set-cookie", "")[:7]

    assert language() == "en"
    assert language(Accept_Language="zh-CN,zh;q=0.9,en;q=0.8") == "zh-CN"
    assert language("?lang=zh") == "zh-CNlang=zh"
    assert language(Cookie="lang=zh", Accept_Language="en") == "zh-CN"


def test_a_theme_is_kept_in_a_cookie_and_the_page_asked_for_again(shown: Running) -> None:
    answer = shown.client.get("/vouchers?theme=dark&status=active", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/vouchers?status=active")
    assert answer.headers["set-cookie"].startswith("theme=dark;")
    dark = shown.client.get("/vouchers", headers={"Cookie": "theme=dark"})
    assert 'data-theme="dark"' in dark.text


def test_as_of_is_shown_and_goes_along_with_every_link(shown: Running) -> None:
    answer = shown.client.get(f"/programmes/{A.programme}", params={"as_of": "100"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["tallystick-size"] == "101"
    assert answer.text.count("entry 100") >= 2, "on screen, and on paper"
    links = re.findall(r'href="(/(?:vouchers|programmes|providers|holders)[^"]*)"', answer.text)
    assert links
    now = f"/programmes/{A.programme}"
    assert {link for link in links if "as_of=100" not in link} == {now}, "the link that leads back to now"


def test_as_of_what_is_not_there_is_said_in_words(shown: Running) -> None:
    answer = shown.client.get("/programmes", params={"as_of": "1000000"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "there is no entry 1000000" in answer.text
    assert shown.client.get("/programmes", params={"as_of": "tomorrow"}).status_code == 422


def test_a_page_that_one_has_is_not_sent_again(shown: Running) -> None:
    answer = shown.client.get("/programmes")
    again = shown.client.get("/programmes", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = shown.client.get("/programmes", headers={"If-None-Match": answer.headers["etag"], "Cookie": "lang=zh"})
    assert other.status_code == 200


def test_a_table_is_had_as_csv_with_what_the_api_says(shown: Running) -> None:
    answer = shown.client.get("/vouchers?csv=vouchers")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    said = shown.client.get("/v1/vouchers?limit=1000").json()["rows"]
    assert answer.headers["content-disposition"] == 'attachment; filename="vouchers.csv"'
    assert [(row["voucher"], row["face_fen"]) for row in rows] == [
        (row["voucher"], str(row["face_fen"])) for row in said
    ]
    assert shown.client.get("/vouchers?csv=nothing").status_code == 404


def test_a_file_is_kept_for_ever_at_the_address_that_a_page_gives(shown: Running) -> None:
    for path in STATIC.paths():
        answer = shown.client.get(STATIC.address(path))
        assert "immutable" in answer.headers["cache-control"], path
        assert "immutable" not in shown.client.get(f"/static/{path}").headers["cache-control"]
    assert shown.client.get("/static/../pages/page.py").status_code == 404
    assert shown.client.get("/static/%2e%2e/pages/page.py").status_code == 404


def test_a_file_is_sent_compressed_to_who_takes_that_and_not_again_to_who_has_it(shown: Running) -> None:
    place = STATIC.address("site.css")
    plain = shown.client.get(place, headers={"Accept-Encoding": "identity"})
    packed = shown.client.get(place, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) // 2
    assert shown.client.get(place, headers={"If-None-Match": packed.headers["etag"]}).status_code == 304


def test_what_is_shown_is_escaped_everywhere() -> None:
    """`|safe` and `Markup` are how a template would let a name be HTML; the charts escape for themselves."""
    templates = list((PACKAGE / "templates").rglob("*.html"))
    assert templates
    for path in templates:
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|\bMarkup\b|\|\s*tojson|\bstyle=", text), path
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "charts":
            assert not re.search(r"\bMarkup\b|autoescape=False", path.read_text("utf-8").replace("`Markup`", "")), path


def test_no_two_pages_are_led_to_by_one_key() -> None:
    letters = [page.letter for page in PAGES if page.letter]
    assert len(set(letters)) == len(letters)


def test_an_explorer_is_read_only_and_answers_this_machine_alone(two_cities: Path, tmp_path: Path) -> None:
    reads = Reads.open(two_cities, tmp_path / "views.db")
    app = create_explorer(reads, Place(is_read_only=True, has_logins=False), lambda: 0)
    hosts = KnownHosts(app, frozenset({"127.0.0.1", "localhost"}))
    with running(hosts, Listening()) as server, httpx2.Client(base_url=server.url, timeout=40) as client:
        assert client.get("/programmes").status_code == 200
        assert "/login" not in client.get("/programmes").text
        assert client.post("/v1/entries", content=b"x").status_code in (404, 405)
        strange = client.get("/programmes", headers={"Host": "evil.example"})
        assert (strange.status_code, "evil.example" in strange.json()["detail"]) == (400, True)
