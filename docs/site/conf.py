"""How Sphinx builds the pages and the API reference: `make docs` (docs/decisions/0041).

Docstrings here are plain text, with code between single backticks, tables and drawings aligned by hand, and Google's
sections. Before napoleon reads the sections, the rest is made safe for reStructuredText: what is indented or aligned
is shown as it stands, and no character but the backtick is markup.
"""

import re
from typing import Final, Protocol

project = "Tallystick"
html_title = "Tallystick"
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
root_doc = "site/index"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "code"
myst_heading_anchors = 4
suppress_warnings = ["myst.xref_missing"]  # links out of docs/: tests/documentation/test_pages.py follows every link
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
# A name is described where it is defined, not again where a package hands it on.
autodoc_default_options = {"ignore-module-all": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False  # a type with a pattern in it would be markup; each attribute has its own entry

_SECTION: Final = re.compile(r"(Args|Attributes|Raises|Returns|Yields):$")
_ALIGNED: Final = re.compile(r"\S {3,}\S")
_ENTRY: Final = re.compile(r"    \w+:")  # a name of a section: napoleon looks up its type, and escapes it
_CODE_OR_MARKUP: Final = re.compile(r"(`[^`]+`)|([\\*_|])")


class _App(Protocol):
    """What is used of sphinx.application.Sphinx."""

    def connect(self, event: str, callback: object, priority: int) -> int:
        """Have a function called at an event."""
        ...


def restructured(lines: list[str]) -> list[str]:
    """Return the lines of a docstring as reStructuredText with Google's sections."""
    written: list[str] = []
    in_section = in_block = False
    for line in lines:
        is_indented = line.startswith(" ")
        in_section = bool(_SECTION.match(line)) or (in_section and (not line or is_indented))
        is_block = bool(line) and not in_section and (is_indented or _ALIGNED.search(line) is not None)
        if is_block and not in_block:
            written += ["", "::", ""]
        elif in_block and line and not is_block:
            written.append("")
        in_block = is_block or (in_block and not line)
        written.append(f"    {line}" if is_block else _plain(line, _ENTRY if in_section else None))
    return written


def _plain(line: str, kept: re.Pattern[str] | None) -> str:
    """Return a line in which nothing but code is markup; a beginning of the form `kept` is left as it is."""
    found = kept.match(line) if kept is not None else None
    start = found.end() if found is not None else 0
    return line[:start] + _CODE_OR_MARKUP.sub(_escaped, line[start:])


def _escaped(found: re.Match[str]) -> str:
    code, markup = found.groups()
    return str(code or f"\\{markup}")


def _rewrite(_app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    lines[:] = restructured(lines)


def setup(app: _App) -> None:
    """Take part before napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", _rewrite, priority=400)
