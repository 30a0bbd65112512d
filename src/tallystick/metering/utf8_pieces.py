"""The bytes of a file that should be UTF-8: without a byte order mark, or refused if they are of another encoding."""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT: Final = 4


def utf8_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes in pieces, of which none is empty.

    Raises:
        UsageFileError: it begins as UTF-16 or UTF-32 does; other bytes aren't looked at.
    """
    begun = b""
    is_begun = False
    for chunk in chunks:
        if is_begun:
            if chunk:
                yield chunk
            continue
        begun += chunk
        if len(begun) >= _LOOKED_AT:
            is_begun = True
            yield from _first(begun)
    if not is_begun:
        yield from _first(begun)


def _first(begun: bytes) -> Iterator[bytes]:
    if begun.startswith(_UTF16_MARKS) or b"\0" in begun[:_LOOKED_AT]:
        raise UsageFileError(FileFault.ENCODING_UNKNOWN, "it isn't UTF-8 text; save it as UTF-8")
    without = begun.removeprefix(_UTF8_MARK)
    if without:
        yield without
