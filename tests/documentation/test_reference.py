"""The API reference is made from docstrings as they are written here; `make docs` fails at a warning."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

CONF = Path(__file__).resolve().parents[2] / "docs" / "site" / "conf.py"
RESTRUCTURED: Callable[[list[str]], list[str]] = runpy.run_path(str(CONF))["restructured"]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Plain text.", "Plain text."),
        ("A *star*, a_b_, a | b, `code_ | *x`.", "A \\*star\\*, a\\_b\\_, a \\| b, `code_ | *x`."),
        (
            "Files:\n\n    a.py    one\n    b.py    two\n\nMore.",
            "Files:\n\n\n::\n\n        a.py    one\n        b.py    two\n\n\nMore.",
        ),
        ("a.py    one\nb.py    two\nMore.", "\n::\n\n    a.py    one\n    b.py    two\n\nMore."),
        (
            "First.\n\nArgs:\n    data_: of any_form.\n        Yes.\n\nAfter.",
            "First.\n\nArgs:\n    data_: of any\\_form.\n        Yes.\n\nAfter.",
        ),
    ],
    ids=["text", "markup", "indented", "aligned", "section"],
)
def test_a_docstring_is_shown_as_it_is_written(docstring: str, expected: str) -> None:
    """Text is text, tables keep their columns, and Google's sections are napoleon's."""
    assert "\n".join(RESTRUCTURED(docstring.split("\n"))) == expected
