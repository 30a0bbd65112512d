"""Pages on paper, one of each template: each sheet says of which log it is, as of when, and which sheet of how many."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from browser.examples import PATHS, Examples
from browser.sight import LOOKS, Eyes, Look, and_asked
from support.schedules import schedule
from tallystick.web.pages.every_page import PAGES

ORIGIN: Final = "tallystick.example/demo"


def text_of_pages(pdf: Path) -> list[str]:
    """Return what a person can copy out of each sheet."""
    read = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True, timeout=60
    )
    return read.stdout.removesuffix("\f").split("\f")


@pytest.mark.parametrize("path", schedule(sorted({page.template: page.path for page in PAGES}.values()), PATHS))
def test_each_sheet_says_of_what_it_is(
    path: str, examples: Examples, eyes: dict[Look, Eyes], size: int, tmp_path: Path
) -> None:
    window = eyes[LOOKS[0]]
    window.visit(and_asked(examples.address(path), lang="en"))
    window.page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    sheets = text_of_pages(tmp_path / "page.pdf")
    for number, sheet in enumerate(sheets, start=1):
        assert ORIGIN in sheet, sheet
        assert f"as of entry {size - 1:,}" in sheet, sheet
        assert re.search(rf"\b{number}\s*/\s*{len(sheets)}\b", sheet), sheet
