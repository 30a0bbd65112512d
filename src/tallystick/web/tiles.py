"""The log as static files under the service's own address (C2SP tlog-tiles), byte by byte what `export` writes.

    GET /checkpoint               the newest signed checkpoint, with the cosignatures that it has; ?beyond=SIZE&wait=30
    GET /tile/<L>/<N>[.p/<W>]     hashes
    GET /tile/entries/<N>[…]      entries, for those who may read the log as a whole

A checkpoint speaks of nothing that isn't committed and replicated, and a tile is one of its tree. Every width up to
that of the newest tree can be had.
"""

import zlib
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import NotFoundError, TileMalformedError
from tallystick.publishing.reader import Reader
from tallystick.publishing.tile_bytes import tile_bytes
from tallystick.transparency.encoding import SIZE_MAX
from tallystick.transparency.tiles import Bundle, parse_tile_path
from tallystick.web.conditional import (
    FOR_EVER,
    FOR_EVER_TO_ALL,
    NEVER_KEPT,
    GetRoute,
    has,
    headers_of,
    not_modified,
    tag_of,
)
from tallystick.web.reads import Reads, reads_of
from tallystick.web.rights import ReadersRights, reader_of

WAIT_SECONDS_MAX: Final = 30
_GZIP_LEVEL: Final = 6
_GZIP: Final = 16 + zlib.MAX_WBITS

Wait = Annotated[
    int, Query(ge=0, le=WAIT_SECONDS_MAX, description="How many seconds to wait for what isn't there yet.")
]
Size = Annotated[int, Query(ge=0, le=SIZE_MAX)]

router: Final = APIRouter(route_class=GetRoute, tags=["log"])


@router.get("/checkpoint", response_class=Response)
async def checkpoint(
    request: Request,
    reads: Annotated[Reads, Depends(reads_of)],
    beyond: Annotated[int | None, Query(ge=0, le=SIZE_MAX, description="Wait for a tree larger than this.")] = None,
    wait: Wait = 0,
) -> Response:
    """Return the newest signed checkpoint, with the cosignatures that it has; if asked so, once the tree has grown."""
    if beyond is not None and wait:
        await reads.log_growth.reach(beyond + 1, wait)
    newest = reads.newest
    headers = headers_of(newest.size, tag=tag_of(newest.size), kept=NEVER_KEPT, vary="")
    if beyond is None and has(request, headers["ETag"]):
        return not_modified(headers)
    note = await reads.from_log(Reader.checkpoint_note)
    return Response(note, headers=headers, media_type="text/plain; charset=utf-8")


@router.get("/tile/entries/{place:path}", response_class=Response)
async def bundle(
    request: Request,
    place: str,
    reads: Annotated[Reads, Depends(reads_of)],
    reader: Annotated[ReadersRights, Depends(reader_of)],
) -> Response:
    """Return a bundle of entries; to those who may read the log as a whole."""
    reader.check_follows()
    return await _tile(request, reads, f"tile/entries/{place}", is_for_followers=True)


@router.get("/tile/{place:path}", response_class=Response)
async def tile(request: Request, place: str, reads: Annotated[Reads, Depends(reads_of)]) -> Response:
    """Return a tile of hashes."""
    return await _tile(request, reads, f"tile/{place}")


async def _tile(request: Request, reads: Reads, path: str, *, is_for_followers: bool = False) -> Response:
    try:
        which = parse_tile_path(path)
    except TileMalformedError as error:
        raise NotFoundError(str(error)) from None
    is_bundle = isinstance(which, Bundle)
    if is_bundle is not is_for_followers:
        raise NotFoundError(f"{path} is not a tile of hashes")
    kept = FOR_EVER if is_bundle else FOR_EVER_TO_ALL
    vary = "Authorization, Cookie, Accept-Encoding" if is_bundle else ""
    size = reads.newest.size
    data = await reads.from_log(lambda log: tile_bytes(log, which))
    headers = headers_of(size, kept=kept, vary=vary)
    if is_bundle and _takes_gzip(request):
        data = await reads.from_log(lambda _: _gzipped(data))
        headers["Content-Encoding"] = "gzip"
    return Response(data, headers=headers, media_type="application/octet-stream")


def _takes_gzip(request: Request) -> bool:
    """Return whether the asker takes gzip (RFC 9110 §12.5.3)."""
    for one in request.headers.get("accept-encoding", "").split(","):
        coding, _, parameter = one.strip().partition(";")
        if coding.strip().lower() in ("gzip", "x-gzip"):
            weight = parameter.strip().lower().removeprefix("q=").strip()
            return not parameter or weight.strip("0.") != ""
    return False


def _gzipped(data: bytes) -> bytes:
    """Return data as gzip; the same data gives the same bytes."""
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()
