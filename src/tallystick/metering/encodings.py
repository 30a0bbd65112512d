"""Which encoding a sheet is in: its byte order mark says, else strict UTF-8, else GB18030. Nothing is guessed beyond.

A text in pure ASCII is the same in both. What is in neither isn't read.
"""

import codecs
from typing import Final

from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault

HEAD_BYTES_MAX: Final = 16 * 1024 * 1024
"""So much of a file is looked at; a longer one has its encoding decided by its beginning."""
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def encoding_of(head: bytes, *, is_whole: bool, said: str | None = None) -> str:
    """Return the encoding of a text: utf-8, gb18030 or utf-16.

    Args:
        head: the text's beginning.
        is_whole: there is no more of it.
        said: by the mapping.

    Raises:
        UsageFileError: it is in neither.
    """
    if said is not None:
        return said
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if b"\0" not in head:
        for name in ("utf-8", "gb18030"):
            try:
                codecs.getincrementaldecoder(name)("strict").decode(head, is_whole)
            except UnicodeDecodeError:
                continue
            return name
    raise UsageFileError(FileFault.ENCODING_UNKNOWN, "neither UTF-8 nor GB18030; save it as UTF-8")
