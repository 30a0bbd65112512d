"""Answers compressed by gzip, where the asker takes that; the same bytes are compressed to the same."""

import gzip
from typing import Final

from starlette.requests import Request

COMPRESSED_FROM_BYTES: Final = 1_024
_LEVEL: Final = 5


def takes_gzip(request: Request) -> bool:
    """Return whether the asker takes gzip."""
    said = request.headers.get("accept-encoding", "").lower().split(",")
    return "gzip" in [one.partition(";")[0].strip() for one in said]


def packed(data: bytes) -> bytes:
    """Return bytes compressed."""
    return gzip.compress(data, _LEVEL, mtime=0)
