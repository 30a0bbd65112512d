"""A statement set as pages, PDF or pictures: the same statement, version and font give the same bytes.

The text is handed to typst as data beside a fixed document; none of it is read as markup. Neither a date nor a name of
this machine is written. What is missing of a font is shown by typst's own, or as an empty box.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any, Final

from tallystick.accounting.statement import Statement
from tallystick.errors import UsageError

FONT: Final = "Noto Sans SC"
"""In `pylopdf-fonts-zh-cn`; it has Latin letters, too."""
_FALLBACK: Final = "Libertinus Serif"
_LONG: Final = 16
_WORDS: Final = re.compile(r" |[^ ]+")
_BREAKS: Final = tuple(map(re.compile, (r"[^/]*/|[^/]+", r"[^-_.:@+=|,]*[-_.:@+=|,]|[^-_.:@+=|,]+", r".{1,10}")))
"""Where a long word is broken: behind `/`; if that leaves it long, behind other signs; at last anywhere."""
_NARROW: Final = len("2026-01-05") + 4
_WIDEST: Final = 60
_FEW_COLUMNS: Final = 4


class Typesetter:
    """Sets statements in one font."""

    def __init__(self, font: str | None = None) -> None:
        """Load what sets pages.

        Args:
            font: a family that is installed on this machine; the bundled one, if not given.

        Raises:
            ModuleNotFoundError: typst, or the bundled font, isn't installed (extra `books`).
            UsageError: there is no such font.
        """
        import typst  # noqa: PLC0415 - an extra

        if font is None:
            import pylopdf_fonts_zh_cn  # noqa: PLC0415 - an extra

            fonts = typst.Fonts(include_system_fonts=False, font_paths=[pylopdf_fonts_zh_cn.sans_path().parent])
        else:
            fonts = typst.Fonts(include_system_fonts=True)
        self._family: Final = font or FONT
        if self._family.lower() not in {family.lower() for family in fonts.families()}:
            raise UsageError(f"there is no font {self._family[:80]!a} on this machine")
        self._document: Final = resources.files("tallystick.accounting").joinpath("statement.typ").read_bytes()
        self._compiler: Final = typst.Compiler(font_paths=fonts, ignore_system_fonts=font is None)

    def pdf(self, statement: Statement) -> bytes:
        """Return a statement as PDF."""
        inputs = self._inputs(statement)
        pages = self._compiler.compile(self._document, format="pdf", sys_inputs=inputs, pdf_tags=False)
        assert isinstance(pages, bytes)
        return pages

    def pictures(self, statement: Statement, dots_per_inch: int = 110) -> list[bytes]:
        """Return a statement's pages as PNG."""
        inputs = self._inputs(statement)
        pages = self._compiler.compile(self._document, format="png", ppi=dots_per_inch, sys_inputs=inputs)
        return pages if isinstance(pages, list) else [pages or b""]

    def _inputs(self, statement: Statement) -> dict[str, str]:
        return {"statement": json.dumps(_said(statement, [self._family, _FALLBACK]), ensure_ascii=False)}


def _said(statement: Statement, fonts: Sequence[str]) -> dict[str, Any]:
    """Return what the document is told."""
    said = asdict(statement)
    for table, told in zip(statement.tables, said["tables"], strict=True):
        told["rows"] = [
            [[cell] if column.is_number else _parts(cell) for column, cell in zip(table.columns, row, strict=True)]
            for row in table.rows
        ]
        for place, column in enumerate(told["columns"]):
            longest = max((len(row[place]) for row in table.rows), default=0)
            is_narrow = longest <= _NARROW or len(table.columns) <= _FEW_COLUMNS
            column |= {"is_narrow": is_narrow, "weight": min(longest, _WIDEST)}
    again, command = statement.again
    return said | {
        "fonts": [*fonts],
        "name": statement.whose,
        "whose": _parts(statement.whose),
        "facts": [[name, _parts(value)] for name, value in statement.facts],
        "foot": [_parts(line) for line in statement.foot],
        "again": [_parts(again), _parts(command)],
        "page": statement.page.split("{}"),
        "origin": _parts(statement.foot[0].split(" · ")[0]),
    }


def _parts(text: str) -> list[str]:
    """Return a cell in parts between which a line may be broken: at blanks, and in a long word wherever it helps most.

    No character stands there for it: it would be copied along with an id out of the page.
    """
    if len(text) <= _LONG:
        return [text]
    return [piece for word in _WORDS.findall(text) for piece in _pieces(word, _BREAKS)]


def _pieces(word: str, breaks: Sequence[re.Pattern[str]]) -> list[str]:
    if len(word) <= _LONG or not breaks:
        return [word]
    return [piece for part in breaks[0].findall(word) for piece in _pieces(part, breaks[1:])]
