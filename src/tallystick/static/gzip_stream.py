"""What comes compressed is unpacked while it is read, and no further than its limit: a bomb ends there.

A stream is one or more members (RFC 1952, section 2.2), each with its checksum. It must end where the last one ends.
"""

import zlib
from collections.abc import Callable
from typing import Final

from tallystick.errors import MalformedError

_PIECE: Final = 65_536
_OVERHEAD_MAX: Final = 65_536
"""Bytes by which a stream may be larger than what is in it: gzip itself adds 18 and 5 for every 16 KiB or so."""
_WITH_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS


def gunzip(read: Callable[[int], bytes], limit: int) -> bytes:
    """Return what a stream holds, up to a limit.

    Args:
        read: gives at most so many bytes of the stream, and none at its end.
        limit: bytes, at least 1, after which nothing more is read or unpacked.

    Raises:
        MalformedError: not a gzip stream, or one that is cut short, changed, or followed by something else.
        ConnectionError: the stream stopped in the middle, which may be the connection's fault.
    """
    found = bytearray()
    member = zlib.decompressobj(_WITH_GZIP_HEADER)
    raw_left = limit + limit // 64 + _OVERHEAD_MAX
    while piece := read(_PIECE):
        raw_left -= len(piece)
        if raw_left < 0:
            raise MalformedError("its gzip stream is far longer than what is in it")
        while piece:
            is_another = member.eof
            if is_another:
                member = zlib.decompressobj(_WITH_GZIP_HEADER)
            try:
                found += member.decompress(piece, limit - len(found))
            except zlib.error:
                trouble = "is followed by something else" if is_another else "is damaged, or it is none"
                raise MalformedError(f"its gzip stream {trouble}") from None
            if len(found) == limit:
                return bytes(found)
            piece = member.unconsumed_tail or member.unused_data
    if not member.eof:
        raise ConnectionError("its gzip stream ends in the middle")
    return bytes(found)
