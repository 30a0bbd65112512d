"""Every page in both languages and both themes: as it should be, for everybody, on any screen, and from here alone."""

from pathlib import Path
from typing import Final

import pytest

from browser.examples import PATHS, Examples
from browser.sight import LOOKS, LOOKS_ON_A_PHONE, PHONES, Eyes, Look

SCREENS: Final = Path(__file__).parents[2] / "build/screens"


def name_of(path: str) -> str:
    """Return what a page's pictures are called."""
    parts = [part.strip("{}") for part in path.split("/") if part]
    varying = "{" in path
    return "-".join(part for part in parts if f"{{{part}}}" not in path) + ("-one" if varying else "") or "network"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_as_it_should_be(path: str, examples: Examples, eyes: dict[Look, Eyes]) -> None:
    address = examples.address(path)
    SCREENS.mkdir(parents=True, exist_ok=True)
    for look in LOOKS:
        window = eyes[look]
        window.look_at(address)
        window.take(SCREENS / f"{name_of(path)}-{look.name}.png")
        if look in LOOKS_ON_A_PHONE:
            for size in PHONES:
                picture = SCREENS / f"{name_of(path)}-{look.name}-phone.png"
                assert window.width_beyond(size, picture) is None, (address, look, size)


def test_no_two_pages_have_the_same_picture() -> None:
    assert len({name_of(path) for path in PATHS}) == len(PATHS)
