"""Sample output in a document is what the commands above it print.

A ```text block that follows an ```sh block in the same section shows what that block prints: its lines stand in the
output in this order. `…` or `...` stands for the rest of a word or line that differs from run to run, and alone on a
line for any lines. A fence that says more than `text` (```text commands) shows something else.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

MARK = "-- the next block --"
_ELISION = re.compile(r"…|\.\.\.")


class Fenced(Protocol):
    """A fenced block of a document."""

    @property
    def language(self) -> str: ...
    @property
    def rest(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str: ...


class Sample(NamedTuple):
    """What a block of commands is said to print; `block_line` is that block's first line."""

    block_line: int
    line: int
    text: str


def samples_of(document: str, blocks: Sequence[Fenced]) -> Iterator[Sample]:
    """Every sample of a document."""
    lines = document.splitlines()
    for before, block in itertools.pairwise(blocks):
        end = before.line + before.text.count("\n")
        has_heading = any(line.startswith("#") for line in lines[end : block.line - 1])
        is_sample = (before.language, before.rest, block.language, block.rest) == ("sh", "", "text", "")
        if is_sample and not has_heading:
            yield Sample(before.line, block.line, block.text)


def marked(blocks: Sequence[Fenced]) -> str:
    """One script of several blocks, which says on its output where each ends."""
    return "".join(f"{block.text}\nprintf '\\n%s\\n' '{MARK}'\n" for block in blocks)


def outputs_of(written: str) -> list[str]:
    """What each block of such a script printed."""
    return written.split(f"\n{MARK}\n")[:-1]


def missing_line(sample: str, printed: str) -> str | None:
    """The first line of a sample that isn't printed where it should be; None if there is none."""
    remaining = iter(printed.splitlines())
    follows = False  # a line must be the very next one, but for the first and what comes after an elision
    for line in sample.splitlines():
        if _ELISION.fullmatch(line.strip()):
            follows = False
            continue
        wanted = re.compile(".*".join(map(re.escape, _ELISION.split(line.rstrip()))))
        found = next(remaining, None) if follows else next(filter(wanted.fullmatch, remaining), None)
        if found is None or not wanted.fullmatch(found.rstrip()):
            return line
        follows = True
    return None
