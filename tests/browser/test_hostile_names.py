"""Names that are HTML, that run the other way, that don't end: shown as what they are, and they move nothing else."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Dialog

from browser.conftest import explored
from browser.examples import PATHS, Examples
from browser.hostile import EMOJI, HTML, LINK, LONG, LONG_CHINESE, RIGHT_TO_LEFT, TEMPLATE, write_hostile
from browser.sight import LOOKS, PHONES, Counted, Eyes, window

_NOT_APART: Final = """(names) => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const isApart = (one) => one.closest("bdi, pre, code, textarea, option, title, [dir=auto]") !== null;
  for (let node = walk.nextNode(); node; node = walk.nextNode())
    if (names.some((name) => node.data.includes(name)) && !isApart(node.parentElement))
      found.push(node.parentElement.outerHTML.slice(0, 200));
  return found;
}"""
SHOWN: Final = {
    "/parties/treasury": HTML,
    "/treasuries/treasury": HTML,
    "/providers/provider": RIGHT_TO_LEFT,
    "/holders/holder": LONG,
    "/holders/other": EMOJI[:200],
    "/parties/third": LINK,
    "/programmes/treasury/2026": LONG_CHINESE,
    "/items/ascend-910b": TEMPLATE,
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an explorer of such a log."""
    folder = tmp_path_factory.mktemp("hostile") / "ledger"
    write_hostile(folder)
    with explored(folder) as url:
        yield url


@pytest.fixture(scope="module")
def addresses(hostile: str) -> list[str]:
    """Of every page that the log has something for."""
    examples, found = Examples(hostile), set(SHOWN)
    for path in PATHS:
        try:
            found.add(examples.address(path))
        except LookupError:
            assert "{" in path
    examples.close()
    return sorted(found)


@pytest.fixture(scope="module")
def eyes(chromium: Browser, hostile: str, counted: Counted) -> Iterator[Eyes]:
    with window(chromium, hostile, counted) as opened:
        yield opened


def test_each_is_shown_as_what_it_is(eyes: Eyes) -> None:
    for address, name in SHOWN.items():
        eyes.visit(address)
        text = " ".join(eyes.page.locator("main").evaluate("(one) => one.textContent").split())
        assert " ".join(name.split()) in text, address


def test_none_runs_and_none_moves_what_stands_beside_it(eyes: Eyes, addresses: list[str]) -> None:
    asked: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    eyes.page.on("dialog", dismissed)
    found = []
    for address in addresses:
        eyes.visit(address)
        found += [f"{address}: {one}" for one in eyes.page.evaluate(_NOT_APART, [HTML, RIGHT_TO_LEFT, EMOJI[:20]])]
        found += [f"{address} on {size}: {wide}" for size in PHONES if (wide := eyes.width_beyond(size)) is not None]
        strange = eyes.page.locator("a[href^='javascript:'], a[href*='elsewhere'], img[src='x'], script:not([src])")
        found += [f"{address}: {one.evaluate('(one) => one.outerHTML')}" for one in strange.all()]
    assert (asked, found) == ([], []), "\n".join([*asked, *found])


def test_pages_of_such_names_can_be_read_by_all(eyes: Eyes) -> None:
    for address in SHOWN:
        eyes.look_at(address)
    assert eyes.look == LOOKS[0]
