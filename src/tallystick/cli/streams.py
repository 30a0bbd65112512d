"""The three standard streams are there and take any text, whatever the process was started with.

What a stream's encoding lacks it shows as `printing.text.escaped` does. A stream that was closed (`>&-`) fails in words
when it is used: otherwise Python has none, and the next file that is opened would take its number.
"""

import io
import os
import sys
from typing import IO, Any, Final

from tallystick.printing.text import ESCAPE_ERRORS, one_line

# What a closed stream's number is opened for instead, so that using it fails.
_STREAMS: Final = (("stdin", "input", os.O_WRONLY), ("stdout", "output", os.O_RDONLY), ("stderr", "error", os.O_RDONLY))


class _ClosedStream(io.FileIO):
    """What stands for a standard stream that was closed before the process began."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(number, "r" if number == 0 else "w", closefd=False)
        self._name = name

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise OSError(error.errno, "it is closed", self._name) from None

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        try:
            return super().write(data)
        except OSError as error:
            raise OSError(error.errno, "it is closed", self._name) from None


def prepare() -> None:
    """Stand in for closed streams, and let those that are written take any text."""
    for number, (attribute, name, unusable) in enumerate(_STREAMS):
        if getattr(sys, attribute) is None:
            _occupy(number, unusable)
            closed = _ClosedStream(number, f"standard {name}")
            buffered = io.BufferedReader(closed) if number == 0 else io.BufferedWriter(closed)
            setattr(sys, attribute, io.TextIOWrapper(buffered, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPE_ERRORS)
    # An answer goes out as a whole, whatever PYTHONUNBUFFERED says: `| head -1` has read it all, and is no closed pipe.
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(write_through=False)


def say(text: str) -> None:
    """Write a line on standard error; where nothing takes it, the exit status says the rest."""
    try:
        sys.stderr.write(f"{one_line(text, sys.stderr.encoding)}\n")
        sys.stderr.flush()
    except OSError:
        abandon(sys.stderr)


def abandon(stream: IO[str]) -> None:
    """Drop what a stream can't take, so that the interpreter doesn't try again at exit and complain."""
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _occupy(number: int, unusable: int) -> None:
    """Take a stream's number, so that no file gets it, and what else writes there fails."""
    opened = os.open(os.devnull, unusable)
    if opened != number:  # an earlier one is free, or this one isn't
        os.dup2(opened, number)
        os.close(opened)
