"""The text on the pages of a PDF, read by the fonts' own tables: what a person can copy out of it, run by run.

It knows what typst writes (objects in the open, text in `Tj` and `TJ`, a `ToUnicode` table a font), and no more.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
_BFCHAR = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>")
_SHOWN = re.compile(rb"/(f\d+) [\d.]+ Tf|(\()|<([0-9A-Fa-f]*)>(?!>)|\bET\b")
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True)
class PdfText:
    """The runs of text of each page, in the order in which they are drawn."""

    pages: list[list[str]]

    @classmethod
    def read(cls, data: bytes) -> "PdfText":
        """Read a PDF."""
        objects = {int(number): body for number, body in _OBJECT.findall(data)}
        pages = [body for body in objects.values() if b"/Type/Page/" in body]
        return cls([[*_runs(objects, page)] for page in pages])

    def text(self, page: int) -> str:
        """Return all text of a page, runs apart by newlines."""
        return "\n".join(self.pages[page])


def _runs(objects: dict[int, bytes], page: bytes) -> Iterator[str]:
    resources = objects[_reference(page, b"Resources")]
    fonts = {
        name: _letters(objects, objects[int(number)]) for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources)
    }
    content = _stream(objects[_reference(page, b"Contents")])
    run, letters, at = "", dict[int, str](), 0
    while (found := _SHOWN.search(content, at)) is not None:
        at = found.end()
        font, opened, digits = found.groups()
        if font is not None:
            letters = fonts[font]
        elif opened is not None:
            at = _end_of_literal(content, at)
            run += _shown(_unescaped(content[found.end() : at - 1]), letters)
        elif digits is not None:
            run += _shown(bytes.fromhex(digits.decode()), letters)
        else:
            yield run
            run = ""


def _shown(codes: bytes, letters: dict[int, str]) -> str:
    return "".join(letters.get(int.from_bytes(codes[at : at + 2]), "\ufffd") for at in range(0, len(codes), 2))


def _end_of_literal(content: bytes, at: int) -> int:
    """Return where a literal string ends, after its closing bracket; pairs of brackets in it are its own."""
    depth = 1
    while depth:
        depth += {b"(": 1, b")": -1}.get(content[at : at + 1], 0)
        at += 2 if content[at : at + 1] == b"\\" else 1
    return at


def _letters(objects: dict[int, bytes], font: bytes) -> dict[int, str]:
    table = _stream(objects[_reference(font, b"ToUnicode")])
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in _BFCHAR.findall(table)}


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/%s (\d+) 0 R" % name, body)
    assert found is not None, name
    return int(found[1])


def _stream(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found is not None
    return zlib.decompressobj().decompress(found[1])


def _unescaped(literal: bytes) -> bytes:
    return _ESCAPED.sub(
        lambda found: bytes([int(found[1], 8)]) if found[1][:1].isdigit() else _LETTERS.get(found[1], found[1]), literal
    )
