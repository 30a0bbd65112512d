"""The stylesheet can be read in the light and in the dark; it loads nothing, and scripts make no markup of text."""

import re
from itertools import product
from typing import Literal

import pytest

from support.vendored import FOLDER

STATIC = FOLDER.parent
CSS = (STATIC / "site.css").read_text("utf-8")
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", CSS)
}
GROUNDS = ("ground", "sheet", "band")
STATES = ("good", "wait", "warn", "bad")
TEXTS = (
    *product(("ink", "quiet", "link", "link-seen", "bad", *STATES), GROUNDS),
    *((state, f"{state}-tint") for state in STATES),
    *product(("ink", "link"), (f"{state}-tint" for state in STATES)),
    ("on-button", "button"),
)
"""Text, and what it stands on."""
SIGNS = (*product(("control", "focus", "edge", "tone-available"), GROUNDS), ("strong-rule", "ground"))
"""What is seen and not read, and what it stands on."""


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_what_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_that_reading_needs(theme: Literal[0, 1]) -> None:
    found = {pair: contrast(COLOURS[pair[0]][theme], COLOURS[pair[1]][theme]) for pair in TEXTS}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_what_is_seen_and_not_read_has_the_contrast_of_signs(theme: Literal[0, 1]) -> None:
    found = {pair: contrast(COLOURS[pair[0]][theme], COLOURS[pair[1]][theme]) for pair in SIGNS}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 3} == {}


def test_colours_are_named_once_for_both_themes() -> None:
    """Beside the names, paper alone has a colour of its own."""
    rules = re.sub(r":root \{.*?\n\}", "", CSS, count=1, flags=re.DOTALL)
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) == {"#15211f"}


def test_styles_and_scripts_load_nothing() -> None:
    assert re.findall(r"url\(|@import|https?:", CSS) == []
    assert re.findall(r"import\(|^import|https?://(?!www\.w3\.org/2000/svg)", site_script(), flags=re.MULTILINE) == []


def test_the_script_makes_no_markup_of_text_and_evaluates_nothing() -> None:
    banned = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\(\"on|\.style\b"
    )
    assert re.findall(banned, site_script()) == []


def test_the_first_page_is_light() -> None:
    """Together with its HTML it weighs at most 150 kB compressed; before compression these are less already."""
    scripts = sum(path.stat().st_size for path in (*STATIC.glob("site.*"), *FOLDER.rglob("*.js")))
    assert scripts < 110_000


def site_script() -> str:
    return (STATIC / "site.js").read_text("utf-8")
