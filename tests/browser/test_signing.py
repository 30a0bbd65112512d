"""Three people sign with their key files, by keyboard alone, and see what they signed proved by their own policy.

The service and the browser have the same time, which stands still; the key files are those of the log's parties.
"""

import hashlib
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from browser.keyboard import choose, follow, go, press, tab_to
from browser.sight import LOOKS, PHONES, Counted, Eyes, Look, window
from support.actors import ORIGIN, Json, note_of, text_of
from support.serving import Running, service_in_thread
from support.two_cities import LOG_KEY, A, write_two_cities
from tallystick import keyfiles
from tallystick.publishing import read_ledger
from tallystick.transparency.policy import Policy
from tallystick.vouchers.entry import split_entry
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second

PASSPHRASE: Final = "a pass phrase, and ü"
_logins = itertools.count()
FIRM, CENTRE, TREASURY = A.firm, A.centre, A.treasury


@dataclass(frozen=True)
class Place:
    """Where people sign.

    Attributes:
        service: the log's.
        now: the time there, in microseconds.
        folder: the ledger's.
        desk: the folder with people's own files.
    """

    service: Running
    now: int
    folder: Path
    desk: Path

    @property
    def policy(self) -> Path:
        """What people trust."""
        return self.desk / "trust.policy"

    @property
    def time(self) -> datetime:
        """The time there."""
        return datetime.fromtimestamp(self.now / SECOND_US, UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A log of which most hasn't ended, at a service where each reads its own."""
    folder, desk = tmp_path_factory.mktemp("signing") / "ledger", tmp_path_factory.mktemp("desk")
    now = write_two_cities(folder, has_ended=False) + SECOND_US
    (desk / "trust.policy").write_bytes(Policy.for_log(LOG_KEY.verifier).to_text())
    with service_in_thread(folder, LOG_KEY, clock=lambda: now, reading="own") as running:
        yield Place(running, now, folder, desk)


def key_file(place: Place, name: str) -> Path:
    """Return the file of a party's key, encrypted."""
    path = place.desk / f"{name.replace('/', '-')}.pem"
    if not path.exists():
        seed = hashlib.sha256(name.encode()).digest()
        keyfiles.create(path, name, PASSPHRASE.encode(), seed=seed)
    return path


@contextmanager
def logged_in(browser: Browser, counted: Counted, place: Place, name: str, look: Look) -> Iterator[Eyes]:
    """Open a window, and log in with a key by keyboard."""
    with window(browser, place.service.url, counted, look) as eyes:
        # Logged in and out within one microsecond, a note would be the one whose session has ended.
        eyes.page.clock.set_fixed_time(place.time - timedelta(seconds=next(_logins)))
        eyes.look_at("/login")
        give_key(eyes.page, place, name)
        with eyes.page.expect_navigation():
            eyes.page.keyboard.press("Enter")
        assert eyes.page.get_by_text(name.partition("/")[0], exact=True).first.is_visible(), eyes.page.content()
        go(eyes.page, "s", "/sign")
        go(eyes.page, "m", "/me")
        eyes.look_at("/me")
        assert [eyes.width_beyond(size) for size in PHONES] == [None, None]
        yield eyes
        eyes.expect(401)
        with eyes.page.expect_navigation():
            press(eyes.page, eyes.page.locator("form[action$='/logout'] button"))
        eyes.look_at("/me", status=401)


def give_key(page: Page, place: Place, name: str) -> None:
    """Choose the key file, and type its passphrase, which then has the focus."""
    choose(page, page.locator("#key-file"), key_file(place, name))
    passphrase = page.locator("#passphrase")
    passphrase.wait_for(state="visible")
    page.wait_for_function("() => document.activeElement.id === 'passphrase'")
    page.keyboard.type(PASSPHRASE)


def newest_text(place: Place) -> bytes:
    """Return the text of the log's newest entry."""
    with read_ledger(place.folder) as reader:
        (entry,) = reader.entries(reader.size - 1, reader.size)
    return split_entry(entry)[1].partition(b"\n\n")[0] + b"\n"


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[-1]])
def test_an_officer_signs_what_waits(chromium: Browser, counted: Counted, place: Place, look: Look) -> None:
    command: Json = {"kind": "programme.amend/1", "log": ORIGIN, "party": TREASURY.party}
    command |= {"ref": f"browser-{look.name}", "signed_at": format_instant(place.now), "programme": A.programme}
    command |= {"envelope_fen": 20_000_000_000, "reason": "<b>more</b> is asked for"}
    left = place.service.post(note_of(command, f"{TREASURY.party}/officer-1"), "/v1/pending")
    assert left.status_code == 201, left.text
    with logged_in(chromium, counted, place, f"{TREASURY.party}/officer-2", look) as eyes:
        page = eyes.page
        eyes.look_at("/sign")
        waiting = page.locator("article.waiting")
        assert "200,000,000.00" in waiting.inner_text()
        assert waiting.locator("[data-text]").text_content() == text_of(command).decode()
        give_key(page, place, f"{TREASURY.party}/officer-2")
        choose(page, page.locator("#policy-file"), place.policy)
        press(page, page.locator("[data-sign]"))
        waiting.locator(".notice.is-good >> nth=1").wait_for()
        eyes.check_with_axe("/sign, signed")
        assert [eyes.width_beyond(size) for size in PHONES] == [None, None]
    assert newest_text(place) == text_of(command)
    assert place.service.http.get(f"/v1/pending/{left.json()['id']}").status_code != 200


def test_a_holder_reserves(chromium: Browser, counted: Counted, place: Place) -> None:
    voucher, contract, reservation = (A.id(TREASURY, "v1"), A.id(FIRM, "k1"), f"{FIRM.party}/browser")
    until = format_day(place.now // DAY_US + 10)
    with logged_in(chromium, counted, place, f"{FIRM.party}/officer-1", LOOKS[0]) as eyes:
        page = eyes.page
        eyes.look_at("/sign/reserve")
        fields = {"voucher": voucher, "contract": contract, "reservation": reservation, "amount_fen": "123.45"}
        for name, value in fields.items():
            field = page.locator(f"#f-{name}")
            tab_to(page, field)
            page.keyboard.press("Control+A")
            page.keyboard.type(value)
        page.locator("#f-until").fill(until)
        assert "123.45" in page.locator("[data-sentence]").inner_text()
        give_key(page, place, f"{FIRM.party}/officer-1")
        choose(page, page.locator("#policy-file"), place.policy)
        press(page, page.locator("[data-check]"))
        page.get_by_text(re.compile("^It would be recorded as entry")).wait_for()
        with read_ledger(place.folder) as reader:
            size = reader.size
        press(page, page.locator("form[data-ask] button.main"))
        page.get_by_text(re.compile("^The receipt is verified by your policy file")).wait_for()
        assert [eyes.width_beyond(size) for size in PHONES] == [None, None]
        follow(page, page.locator("[data-outcome] a").first, rf"/entries/{size}")
    assert f'"reservation":"{reservation}"'.encode() in newest_text(place)
    assert b'"amount_fen":12345' in newest_text(place)


def test_a_provider_claims(chromium: Browser, counted: Counted, place: Place) -> None:
    claim = f"{CENTRE.party}/browser"
    begin, end = (format_second(place.now - hours * 3_600 * SECOND_US) for hours in (26, 25))
    groups = [{"item": "ascend-910b", "lines": [["browser-1", 8_000, begin, end, 3_600]]}]
    burned = CENTRE.note("time.burn", place.now, ref="browser-burn", contract=A.id(FIRM, "k1"), groups=groups)
    assert place.service.post(burned).status_code == 201
    with logged_in(chromium, counted, place, f"{CENTRE.party}/officer-1", LOOKS[0]) as eyes:
        page = eyes.page
        eyes.look_at("/sign/claim")
        for name, value in {"claim": claim, "programme": A.programme}.items():
            tab_to(page, page.locator(f"#f-{name}"))
            page.keyboard.press("Control+A")
            page.keyboard.type(value)
        page.locator("#f-last_day").fill(format_day(place.now // DAY_US - 1))
        give_key(page, place, f"{CENTRE.party}/officer-1")
        choose(page, page.locator("#policy-file"), place.policy)
        press(page, page.locator("form[data-ask] button.main"))
        page.get_by_text(re.compile("^The receipt is verified by your policy file|^Refused")).wait_for()
        assert "Refused" not in page.locator("[data-outcome]").inner_text()
    assert f'"claim":"{claim}"'.encode() in newest_text(place)


def test_a_wrong_passphrase_and_a_strangers_key_sign_nothing(chromium: Browser, counted: Counted, place: Place) -> None:
    with window(chromium, place.service.url, counted) as eyes:
        page = eyes.page
        page.clock.set_fixed_time(place.time)
        eyes.visit("/login")
        choose(page, page.locator("#key-file"), key_file(place, f"{FIRM.party}/officer-1"))
        page.locator("#passphrase").wait_for(state="visible")
        page.keyboard.type("another")
        page.keyboard.press("Enter")
        page.get_by_text(re.compile("^The key file can't be decrypted")).wait_for()
        assert page.url.endswith("/login")
