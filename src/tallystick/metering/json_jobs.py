r"""The jobs of `{"jobs": [{…}, …], …}`: a small file is parsed at once, of a large one a job at a time is in memory.

Where a job ends, one regular expression finds, which knows strings and brackets and nothing else; what is between is
parsed by orjson. A parser of events (ijson) is slower, and a megabyte of `[` makes it take all of the memory.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

import orjson

from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault
from tallystick.metering.utf8_pieces import utf8_pieces

JSON_WHOLE_BYTES_MAX: Final = 16 * 1024 * 1024
"""Of a file that is parsed at once."""
JSON_STRING_BYTES_MAX: Final = 1024 * 1024
"""Bytes without a quotation mark."""
JOB_BYTES_MAX: Final = 16 * 1024 * 1024
"""Of a job with its steps, in a file that isn't parsed at once."""
JOB_DEPTH_MAX: Final = 16
"""Brackets within one another in a job; Slurm has eight."""

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PLAIN: Final = rb'[^"{}\[\]]++'


def _nested(depth: int) -> bytes:
    inner = rb"|" + _nested(depth - 1) if depth else b""
    return rb"[{\[](?:" + _PLAIN + rb"|" + _STRING + inner + rb")*+[}\]]"


_VALUE: Final = _nested(JOB_DEPTH_MAX - 1)
_FIRST: Final = re.compile(
    rb"\s*+\{(?:" + _PLAIN + rb'|(?!"jobs"\s*+:)' + _STRING + rb"|" + _VALUE + rb')*+"jobs"\s*+:\s*+\[', re.DOTALL
)
_JOB: Final = re.compile(rb"\s*+(,?+)\s*+(" + _VALUE + rb")", re.DOTALL)
_LAST: Final = re.compile(rb"\s*+\]")
_NO_JOBS: Final = 'it has no list "jobs"; export it with sacct --json'


def jobs_of(chunks: Iterable[bytes]) -> Iterator[object]:
    """Yield the jobs of a file.

    Args:
        chunks: the file's bytes, in pieces of any size.

    Raises:
        UsageFileError: it isn't JSON with a list of jobs, or a part of it is too large.
    """
    pieces = _checked(utf8_pieces(chunks))
    begun = bytearray()
    for piece in pieces:
        begun += piece
        if len(begun) > JSON_WHOLE_BYTES_MAX:
            yield from _one_by_one(_Text(begun, pieces))
            return
    whole = _parsed(bytes(begun))
    if not isinstance(whole, dict) or not isinstance(whole.get("jobs"), list):
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, _NO_JOBS)
    yield from cast("list[object]", whole["jobs"])


def _checked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces as they come, of which none belongs to a string that is longer than any of Slurm's."""
    without = 0
    for piece in pieces:
        last = piece.rfind(b'"')
        without = without + len(piece) if last < 0 else len(piece) - last
        if without > JSON_STRING_BYTES_MAX:
            raise UsageFileError(
                FileFault.TOO_LARGE, f"it has more than {JSON_STRING_BYTES_MAX:,} bytes without a quotation mark"
            )
        yield piece


def _parsed(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _parsed_patiently(data)


def _parsed_patiently(data: bytes) -> object:
    """Return what JSON says in which names have broken characters, which users can bring about."""
    try:
        return json.loads(data.decode("utf-8", "replace"), strict=False)
    except json.JSONDecodeError as error:
        what = "the file is cut off" if error.pos >= len(error.doc.rstrip()) - 1 else "it isn't JSON"
        where = f"line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"{what} ({where}); export it again") from None
    except RecursionError:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "its JSON is nested too deep") from None


# ---------------------------------------------------------------------------------------------- a job at a time


def _one_by_one(text: "_Text") -> Iterator[object]:
    begun = text.matched(_FIRST, _NO_JOBS)
    number = 0
    while not text.is_next(_LAST):
        number += 1
        found = text.matched(_JOB, f"job {number} is cut off, isn't JSON, or is nested too deep; export it again")
        if bool(found[1]) != (number > 1):
            raise UsageFileError(
                FileFault.NOT_PARSABLE_OUTPUT, f"no comma, or one too many, stands before job {number}"
            )
        yield _parsed(found[2])
    _parsed(begun[0] + text.to_the_end())


class _Text:
    """What was read and not taken yet."""

    def __init__(self, begun: bytearray, rest: Iterator[bytes]) -> None:
        self._held = bytes(begun)
        begun.clear()
        self._at = 0
        self._rest = rest

    def matched(self, pattern: re.Pattern[bytes], otherwise: str) -> re.Match[bytes]:
        """Take what comes next.

        Raises:
            UsageFileError: it is something else, or too long.
        """
        while (found := pattern.match(self._held, self._at)) is None:
            if len(self._held) - self._at > JOB_BYTES_MAX:
                raise UsageFileError(FileFault.TOO_LARGE, f"more than {JOB_BYTES_MAX:,} bytes: {otherwise}")
            if not self._more():
                raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, otherwise)
        self._at = found.end()
        return found

    def is_next(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether this comes next; nothing is taken."""
        while not self._held[self._at : self._at + 4_096].strip() and self._more():
            pass
        return pattern.match(self._held, self._at) is not None

    def to_the_end(self) -> bytes:
        """Take all that is left."""
        while self._more():
            if len(self._held) - self._at > JOB_BYTES_MAX:
                raise UsageFileError(FileFault.TOO_LARGE, f"more than {JOB_BYTES_MAX:,} bytes follow the jobs")
        return self._held[self._at :]

    def _more(self) -> bool:
        piece = next(self._rest, b"")
        self._held = self._held[self._at :] + piece
        self._at = 0
        return bool(piece)
