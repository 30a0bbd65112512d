"""What a person does without a mouse, and what stands on every page for that."""

import re
from typing import Final

import pytest

from browser.conftest import Windows
from browser.examples import Examples
from browser.keyboard import follow, go, tab_to
from browser.sight import LOOKS, Look
from tallystick.web.pages.every_page import PAGES

OF_READERS: Final = frozenset({"m", "s"})
"""Letters of those who have logged in: what is theirs, and what they may sign (test_signing.py)."""
LETTERS: Final = {page.letter: page.path for page in PAGES if page.letter not in {"", *OF_READERS}}


def test_the_first_stop_leads_past_what_is_on_every_page(open_window: Windows) -> None:
    with open_window(LOOKS[0]) as eyes:
        eyes.visit("/programmes")
        tab_to(eyes.page, eyes.page.locator("a.skip"))
        eyes.page.keyboard.press("Enter")
        assert eyes.page.evaluate("() => document.activeElement.id") == "main"
        eyes.page.keyboard.press("Tab")
        assert eyes.page.evaluate("() => document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_letters_lead_to_pages_and_are_listed(open_window: Windows, language: str) -> None:
    with open_window(LOOKS[0]) as eyes:
        eyes.visit(f"/vouchers?lang={language}&as_of=200")
        page = eyes.page
        for letter, path in LETTERS.items():
            go(page, letter, re.escape(path))
            assert "as_of=200" in page.url, "it goes along"
            page.keyboard.press("?")
            keys = page.get_by_role("dialog")
            keys.wait_for()
            assert {"/", "?", "g", *LETTERS} <= set(keys.locator("kbd").all_text_contents())
            page.keyboard.press("Escape")
            keys.wait_for(state="hidden")


def test_a_slash_leads_to_the_search_and_letters_are_typed_there(open_window: Windows) -> None:
    with open_window(LOOKS[0]) as eyes:
        eyes.visit("/holders")
        eyes.page.keyboard.press("/")
        eyes.page.keyboard.type("g?/p")
        assert eyes.page.locator("#q").input_value() == "g?/p"
        assert eyes.page.get_by_role("dialog").count() == 0


def test_a_programme_as_of_an_earlier_entry(open_window: Windows, examples: Examples) -> None:
    """A clerk finds a programme in the list, and asks how it stood."""
    programme = examples.thing("programmes")
    with open_window(LOOKS[0]) as eyes:
        page = eyes.page
        eyes.visit("/holders?lang=zh")
        go(page, "p", "/programmes")
        follow(
            page, page.get_by_role("main").get_by_role("link", name=programme, exact=True), f"/programmes/{programme}"
        )
        tab_to(page, page.locator("#as_of"))
        page.keyboard.type("1000")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("as_of=1000"))
        assert "1,000" in page.locator(".standing").inner_text()
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        eyes.check_with_axe(page.url)


def test_language_and_theme_are_chosen_and_kept(open_window: Windows) -> None:
    with open_window(LOOKS[0]) as eyes:
        page = eyes.page
        eyes.visit("/programmes?as_of=200")
        follow(page, page.get_by_role("link", name="中文"), r"/programmes\?.*lang=zh")
        follow(page, page.get_by_role("navigation").get_by_role("link").nth(3), "/vouchers")
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        tab_to(page, page.locator("[data-theme-choice=dark]"))
        page.keyboard.press("Enter")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert "as_of=200" in page.url


def test_without_javascript_all_of_it_works_but_the_letters(open_window: Windows) -> None:
    with open_window(Look("en", "light"), java_script_enabled=False) as eyes:
        page = eyes.page
        eyes.visit("/programmes")
        page.get_by_role("link", name="Dark", exact=True).click()
        page.wait_for_url(re.compile("/programmes$"))
        assert 'data-theme="dark"' in page.content()
        page.get_by_role("link", name="中文").click()
        page.wait_for_url(re.compile("lang=zh"))
        assert '<html lang="zh-CN"' in page.content()
