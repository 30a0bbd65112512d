"""A person without a mouse: Tab, Enter and letters, and what has the focus can always be seen."""

import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, TimeoutError  # noqa: A004 - the library's own name

TABS_MAX: Final = 400
"""No page has more to stop at before what one looks for."""
TIMES_MAX: Final = 3
SECONDS_FOR_A_PAGE: Final = 10
_IS_FOCUSED: Final = "(one) => one === document.activeElement"
_IS_SEEN: Final = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
  const hasParts = one.matches("input[type=date]"); // the browser marks the part that is typed into
  return (isMarked || hasParts) && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
}"""


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until a place has the focus; at each stop on the way it is seen where the focus is.

    Raises:
        AssertionError: it isn't reached, or somewhere the focus can't be seen.
    """
    place.first.wait_for(state="attached")
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement === document.body"):
            continue  # round the end of the page
        assert page.evaluate(_IS_SEEN), page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
        if place.first.evaluate(_IS_FOCUSED):
            return
    raise AssertionError(f"{place} isn't reached by Tab")


def follow(page: Page, place: Locator, address: str) -> None:
    """Go to a link by Tab, and follow it by Enter.

    Args:
        page: where it is.
        place: the link.
        address: where it leads, a regular expression of the path and what follows.
    """
    tab_to(page, place)
    with page.expect_navigation(url=re.compile(rf"^https?://[^/]+{address}")):
        page.keyboard.press("Enter")


def go(page: Page, letter: str, address: str) -> None:
    """Press `g` and a letter, again if a slow machine took longer between the two than the page waits."""
    whole = re.compile(rf"^https?://[^/]+{address}")
    for left in range(TIMES_MAX - 1, -1, -1):
        try:
            with page.expect_navigation(url=whole, timeout=SECONDS_FOR_A_PAGE * 1_000):
                page.keyboard.press("g")
                page.keyboard.press(letter)
        except TimeoutError:
            if not left:
                raise AssertionError(f"g {letter} doesn't lead from {page.url} to {address}") from None
        else:
            return


def choose(page: Page, field: Locator, path: Path) -> None:
    """Go to a field for a file, open its chooser, and choose one."""
    tab_to(page, field)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(path)


def press(page: Page, button: Locator) -> None:
    """Go to a button, and press it."""
    tab_to(page, button)
    page.keyboard.press("Enter")
