"""What the three kinds of people come for, each by keyboard alone, from the first page on."""

import csv
import re
from pathlib import Path

from playwright.sync_api import Page

from browser.conftest import Windows
from browser.examples import Examples
from browser.keyboard import follow, go, press, tab_to
from browser.sight import LOOKS, Look
from support.command_line import done


def link(page: Page, name: str) -> str:
    """Follow the first link of this name in the page's main part, and return where it led."""
    place = page.get_by_role("main").get_by_role("link", name=name, exact=True)
    address = place.first.get_attribute("href")
    assert address is not None
    follow(page, place, re.escape(address))
    return address


def downloaded(page: Page, name: re.Pattern[str], to: Path) -> Path:
    """Go to a link that is downloaded, and return the file."""
    with page.expect_download() as download:
        press(page, page.get_by_role("main").get_by_role("link", name=name))
    download.value.save_as(to)
    return to


def test_a_treasurys_clerk_sees_what_is_claimed_of_a_programme(
    open_window: Windows, examples: Examples, tmp_path: Path
) -> None:
    """From the network to the city, its programme and a claim; as of before it was settled; in Chinese."""
    claim = examples.thing("claims")
    with open_window(Look("zh", "light")) as eyes:
        page = eyes.page
        eyes.visit("/?lang=zh")
        programme = examples.row("claims", claim)["programme"]
        link(page, programme.partition("/")[0])
        link(page, programme)
        assert programme in page.get_by_role("heading", level=1).inner_text() + page.locator("main").inner_text()
        go(page, "c", "/claims")
        link(page, claim)
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        tables = page.get_by_role("table")
        assert tables.count() > 0
        file = downloaded(page, re.compile("^CSV"), tmp_path / "claim.csv")
        rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
        assert len(rows) > 1
        eyes.check_with_axe(page.url)


def test_a_providers_accountant_finds_the_lines_that_were_refused(open_window: Windows, examples: Examples) -> None:
    """From the list to the data centre, to a statement, and to why a line of it wasn't taken."""
    provider = max(examples.rows("providers"), key=lambda row: row["lines_refused"])
    assert provider["lines_refused"] > 0
    with open_window(LOOKS[0]) as eyes:
        page = eyes.page
        eyes.visit("/?lang=en")
        go(page, "d", "/providers")
        link(page, provider["provider"])
        assert provider["name"] in page.locator("main").inner_text()
        statement = page.get_by_role("main").locator("a[href^='/entries/']").first
        follow(page, statement, r"/entries/\d+")
        eyes.check_with_axe(page.url)


def test_an_auditor_finds_an_entry_by_its_reference_and_takes_its_receipt(
    open_window: Windows, examples: Examples, demo: Path, tmp_path: Path
) -> None:
    """The search leads there; what is downloaded is proved by the command line, by a policy from elsewhere."""
    index = examples.entry("time.burned/1")
    with open_window(Look("en", "dark")) as eyes:
        page = eyes.page
        eyes.visit("/?lang=en")
        page.keyboard.press("/")
        page.keyboard.type(str(index))
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if "/search" in page.url:
            follow(page, page.locator(".hits a").first, f"/entries/{index}")
        tab_to(page, page.get_by_role("link", name="Download the receipt"))
        receipt = downloaded(page, re.compile("^Download the receipt"), tmp_path / "one.tlog-proof")
        said = done("verify", receipt, "--trust", demo / "trust.policy")
        assert f"{index:,}" in said or str(index) in said
        go(page, "l", "/log")
        assert page.locator("main").get_by_text(re.compile(r"\b3,\d{3}\b")).count() > 0
        eyes.check_with_axe(page.url)
