"""The pages that sign: what they show to whom; that they change nothing; and a letter that is no entry."""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from support.actors import ORIGIN, Json, key_of, note_of, text_of
from support.reading_app import Clock, clock_after, reading
from support.serving import Running, service_in_thread
from support.two_cities import LOG_KEY, A, B
from tallystick.forms.amounts import yuan
from tallystick.signing.note import sign_text
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.vouchers.sessions import session_text
from tallystick.web.pages.answering import POLICY
from tallystick.web.pages.signing import PAGES

TREASURY, CENTRE, FIRM = A.treasury.party, A.centre.party, A.firm.party
REASON = '<script>alert("\u202e")</script>'


class Asked:
    """A service, asked as a party; None for nobody."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running, self.clock = running, clock
        self._cookies: dict[str | None, str] = {None: ""}

    def get(self, party: str | None, path: str) -> httpx2.Response:
        return self.running.http.get(path, headers={"cookie": self._cookie(party)})

    def shown(self, party: str | None, path: str) -> str:
        """A page that is shown."""
        answer = self.get(party, path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def _cookie(self, party: str | None) -> str:
        if party not in self._cookies:
            text = session_text(ORIGIN, str(party), ORIGIN, self.clock.now, self.clock.now + 3_600 * SECOND_US)
            answer = self.running.post(sign_text(text, key_of(f"{party}/officer-1")), "/v1/sessions")
            self._cookies[party] = f"__Host-tallystick={answer.json()['token']}"
        return self._cookies[party]


@pytest.fixture(scope="module")
def asked(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = Path(shutil.copytree(two_cities, tmp_path_factory.mktemp("signing") / "ledger"))
    clock = clock_after(folder)
    with service_in_thread(folder, LOG_KEY, clock=clock, reading="own") as running:
        yield Asked(running, clock)


@pytest.fixture(scope="module")
def waiting(asked: Asked) -> Json:
    """A command of the treasury's that waits for its second officer."""
    command: Json = {"kind": "programme.amend/1", "log": ORIGIN, "party": TREASURY, "ref": "amendment-4711"}
    command |= {"signed_at": format_instant(asked.clock.now), "programme": A.programme}
    command |= {"envelope_fen": 20_000_000_000, "reason": REASON}
    assert asked.running.post(note_of(command, f"{TREASURY}/officer-1"), "/v1/pending").status_code == 201
    return command


def test_what_waits_is_shown_in_words_and_as_it_is(asked: Asked, waiting: Json) -> None:
    """The text stands there byte for byte, whatever is in it, and nothing in it is markup."""
    page = asked.shown(TREASURY, "/sign")
    (shown,) = re.findall(r"<pre class=\"signed\"[^>]* data-text[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert html.unescape(shown) == text_of(waiting).decode()
    assert "<script>alert" not in page
    (sentence,) = re.findall(r"<h2 id=\"w-[0-9a-f]{64}\"><bdi>(.*?)</bdi></h2>", page)
    assert html.unescape(sentence).startswith(f"{TREASURY} ({TREASURY}) amends programme Vouchers ({A.programme})")
    assert yuan(20_000_000_000) in page


def test_what_waits_is_shown_to_who_may_sign_it_alone(asked: Asked, waiting: Json) -> None:
    """Another party's page has nothing of it; without a login there is none."""
    for party in (FIRM, CENTRE, B.treasury.party):
        page = asked.shown(party, "/sign")
        assert waiting["ref"] not in page
        assert "Nothing waits for your signature." in page
    nobody = asked.get(None, "/sign")
    assert nobody.status_code == 401
    assert 'href="/login?next=/sign"' in nobody.text


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_pages_that_sign_are_safe_and_write_nothing(asked: Asked, path: str) -> None:
    """No script or style but files of ours; never kept; nothing is posted to them."""
    answer = asked.get(FIRM, path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-security-policy"] == POLICY
    assert "Cookie" in answer.headers["vary"]
    assert not re.search(r"""\sstyle=|<script(?![^>]*\ssrc=)|<style|\son[a-z]+=|javascript:""", answer.text)
    assert asked.running.http.post(path, content=b"x").status_code == 405


@pytest.mark.parametrize(
    ("path", "may"), [("/sign/reserve", {FIRM}), ("/sign/claim", {FIRM, CENTRE})], ids=["reserve", "claim"]
)
def test_a_form_is_for_those_who_may_give_the_command(asked: Asked, path: str, may: set[str]) -> None:
    """Others are told that it isn't for them."""
    for party in (FIRM, CENTRE, TREASURY, A.panel.party):
        page = asked.shown(party, path)
        assert ("data-kind=" in page) == (party in may), party


def test_a_form_offers_what_is_the_readers_and_is_filled_in_by_a_link(asked: Asked) -> None:
    """Contracts of one's own, and nothing of another city's."""
    page = asked.shown(FIRM, "/sign/reserve?voucher=a%2Fv%22%3E&amount_fen=12.00&more=1")
    offered = re.findall(r'<option value="([^"]*)">', page)
    assert offered
    assert all(one.startswith(f"{FIRM}/") for one in offered), offered
    assert 'name="voucher" value="a/v&#34;&gt;"' in page
    assert 'name="amount_fen" value="12.00"' in page
    names = re.findall(r'data-field="([a-z_]+)" data-metavar="([A-Z]+)" data-end="([01])" data-new="([01])"', page)
    assert names == [
        ("reservation", "TEXT", "0", "1"),
        ("voucher", "TEXT", "0", "0"),
        ("contract", "TEXT", "0", "0"),
        ("amount_fen", "YUAN", "0", "0"),
        ("until", "TIME", "1", "0"),
    ]
    claim = asked.shown(CENTRE, "/sign/claim")
    assert re.findall(r'data-field="([a-z_]+)"', claim) == ["claim", "programme", "last_day", "evidence_hash"]


def statement_index(asked: Asked) -> int:
    """The entry of a statement under a contract of the firm's."""
    found = asked.get(FIRM, "/v1/recorded?kind=time.burned/1&limit=1").json()["recorded"]
    return int(found[0]["index"])


def test_an_objection_is_a_letter_and_says_so(asked: Asked) -> None:
    """About the line that is named, for the holder to finish; nothing is recorded."""
    size = asked.running.http.get("/v1/info").json()["size"]
    index = statement_index(asked)
    page = asked.shown(FIRM, f"/sign/object?entry={index}&line=0")
    (letter,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert f"{FIRM} objects to line 0 of statement " in letter
    assert f"(entry {index} of the log {ORIGIN})" in letter
    assert "This letter is not recorded in the log." in letter
    assert f"To {CENTRE}, and to the treasuries that pay under contract {FIRM}/" in letter
    assert "An objection is not recorded in the log." in asked.shown(FIRM, "/sign/object")
    assert asked.running.http.get("/v1/info").json()["size"] == size


def test_an_objection_shows_nothing_that_its_reader_may_not_read(asked: Asked) -> None:
    """Another's statement, an entry that is none, one that isn't there: all the same answer. Text is no entry."""
    index = statement_index(asked)
    assert asked.get(B.firm.party, f"/sign/object?entry={index}&line=0").status_code == 404
    for entry in ("0", "99999999"):
        assert asked.get(FIRM, f"/sign/object?entry={entry}&line=0").status_code == 404
    for entry in ("x", "-1", "\u0661", "9" * 40):
        assert "<textarea" not in asked.shown(FIRM, f"/sign/object?entry={entry}&line=0")
    assert "objects to line … of" in asked.shown(FIRM, f"/sign/object?entry={index}&line=1%3Cb%3E")


def test_a_site_that_shows_all_to_everybody_signs_nothing_without_a_login(two_cities: Path, tmp_path: Path) -> None:
    """There is no party whose signature it could be."""
    folder = Path(shutil.copytree(two_cities, tmp_path / "ledger"))
    with reading(folder, who="open", clock=clock_after(folder)) as running:
        for page in PAGES:
            answer = running.client.get(page.path)
            assert answer.status_code == 200, answer.text
            assert "data-signing" not in answer.text
