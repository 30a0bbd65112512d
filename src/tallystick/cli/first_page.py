"""The page of `tallystick --help`, and the version, without the library that reads arguments: that takes longer."""

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from tallystick import __version__
from tallystick.cli.commands import BY_USER

SUMMARY: Final = "Compute vouchers in an append-only log of signed entries."
VERSION_HELP: Final = "Show the version and what verifies."
_OPTIONS: Final = (
    ("--version", VERSION_HELP),
    ("--install-completion", "Install completion for the current shell."),
    (
        "--show-completion",
        "Show completion for the current shell, to copy it or customize the installation.",
    ),
    ("-h, --help", "Show this message and exit."),
)
_WIDEST: Final = 80
_WIDTH_UNKNOWN: Final = 80
_WIDTH_MIN: Final = 50
"""Characters; on a terminal narrower than that, it breaks the lines."""


def page(width: int | None = None) -> str:
    """Return the page.

    Args:
        width: in characters; None for what the terminal has room for.
    """
    width = _width_here() if width is None else width
    sections = [_section("Options", _OPTIONS, width)]
    longest = max(len(command.name) for commands in BY_USER.values() for command in commands)
    for user, commands in BY_USER.items():
        sections.append(_section(user, [(one.name.ljust(longest), one.help) for one in commands], width))
    summary = textwrap.fill(SUMMARY, width, initial_indent="  ", subsequent_indent="  ")
    return "\n\n".join(["Usage: tallystick [OPTIONS] COMMAND [ARGS]...", summary, *sections]) + "\n"


def version() -> str:
    """Return the lines of `tallystick --version`."""
    from tallystick.signing.ed25519 import verified_by  # noqa: PLC0415 - the page needs none of it

    return f"tallystick {__version__}\nsignatures verified by {verified_by()}\n"


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> str:
    return "\n".join([f"{title}:", *_lines([*rows], width)])


def _lines(rows: list[tuple[str, str]], width: int) -> Iterator[str]:
    column = max(len(name) for name, _ in rows) + 2
    for name, text in rows:
        first, *others = textwrap.wrap(text, width - column - 2)
        yield f"  {name:{column}}{first}"
        yield from (f"  {'':{column}}{line}" for line in others)


def _width_here() -> int:
    """Return how wide pages are here, by the rule of typer's: two characters less than the terminal, and at most 78."""
    columns = 0
    with suppress(KeyError, ValueError):
        columns = int(os.environ["COLUMNS"])
    if columns <= 0:
        # No stream, one that was closed, or no terminal.
        with suppress(AttributeError, ValueError, OSError):
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ is not None else 0
    return max(min(columns or _WIDTH_UNKNOWN, _WIDEST) - 2, _WIDTH_MIN)
