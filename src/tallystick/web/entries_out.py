"""Entries out of the service: many as they are kept, one, its receipt, and where a party's reference was used.

GET /v1/entries?from=&limit=&wait=    JSON lines, to those who may read the log as a whole
GET /v1/entries/{index}               the entry's bytes
GET /v1/entries/{index}/receipt       its receipt, under the newest checkpoint or that of ?size=
GET /v1/refs/{party}/{ref}            the index of the entry that a command became
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import EntryMalformedError, NotALedgerError
from tallystick.publishing.reader import Reader
from tallystick.transparency.encoding import SIZE_MAX
from tallystick.transparency.merkle import leaf_hash
from tallystick.vouchers.entry import Entry
from tallystick.web.conditional import (
    AS_OF_NOW,
    FOR_EVER,
    GetRoute,
    has,
    headers_of,
    json_response,
    lines_response,
    next_page,
    not_modified,
    tag_of,
)
from tallystick.web.reads import Reads, reads_of
from tallystick.web.rights import ReadersRights, reader_of
from tallystick.web.tiles import Wait
from tallystick.wire.entries import line, reference

ENTRIES_MAX: Final = 1_000
ENTRIES_USUAL: Final = 256
PAGE_BYTES_MAX: Final = 4_000_000
RECEIPT_TYPE: Final = "text/x.tlog-proof"
PLAIN_TYPE: Final = "text/plain; charset=utf-8"

Index = Annotated[int, Path(ge=0, le=SIZE_MAX, description="The entry's index, counted from 0.")]
ReadsHere = Annotated[Reads, Depends(reads_of)]
ReaderHere = Annotated[ReadersRights, Depends(reader_of)]

router: Final = APIRouter(route_class=GetRoute, prefix="/v1", tags=["entries"])


@router.get("/entries", response_class=Response)
async def entries(
    request: Request,
    reads: ReadsHere,
    reader: ReaderHere,
    first: Annotated[int, Query(alias="from", ge=0, le=SIZE_MAX, description="The first entry's index.")] = 0,
    limit: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = ENTRIES_USUAL,
    wait: Wait = 0,
) -> Response:
    """Return entries as they are kept, a JSON line each, from an index on; nothing (204) if there are none yet."""
    reader.check_follows()
    if wait:
        await reads.log_growth.reach(first + 1, wait)
    size, lines, end = await reads.from_log(lambda log: _lines(log, first, limit))
    if end <= first:
        return Response(status_code=204, headers=headers_of(size))
    is_whole = end - first == limit or end < size
    headers = headers_of(size, tag=tag_of(end, f"from-{first}"), kept=FOR_EVER if is_whole else AS_OF_NOW)
    if has(request, headers["ETag"]):
        return not_modified(headers)
    return lines_response(lines, headers | next_page(request, from_=end, limit=limit))


def _lines(log: Reader, first: int, limit: int) -> tuple[int, list[Any], int]:
    """Return the log's size, a page of entries, and the index after its last."""
    lines, size = [], 0
    for index, data in enumerate(log.entries(first, min(first + limit, log.size)), first):
        try:
            lines.append(line(index, data))
        except EntryMalformedError as error:
            raise NotALedgerError(f"entry {index} can't be read ({error}); `tallystick audit` says more") from None
        size += len(data)
        if size > PAGE_BYTES_MAX:
            break
    return log.size, lines, first + len(lines)


@router.get("/entries/{index}", response_class=Response)
async def entry(request: Request, index: Index, reads: ReadsHere, reader: ReaderHere) -> Response:
    """Return an entry's bytes."""
    size, data = await _entry_for(reads, reader, index)
    headers = headers_of(size, tag=f'"{leaf_hash(data).hex()}"', kept=FOR_EVER)
    return not_modified(headers) if has(request, headers["ETag"]) else Response(data, 200, headers, PLAIN_TYPE)


@router.get("/entries/{index}/receipt", response_class=Response)
async def receipt(
    request: Request,
    index: Index,
    reads: ReadsHere,
    reader: ReaderHere,
    size: Annotated[
        int | None, Query(ge=1, le=SIZE_MAX, description="Of the tree whose signed checkpoint it is to be under.")
    ] = None,
) -> Response:
    """Return an entry's receipt with the entry, under the newest checkpoint, or under that of a size."""
    await _entry_for(reads, reader, index)
    made = await reads.from_log(lambda log: log.receipt(index, size))
    data = made.to_bytes()
    tag = f'"{leaf_hash(data).hex()}"'
    headers = headers_of(reads.newest.size, tag=tag, kept=AS_OF_NOW if size is None else FOR_EVER)
    return not_modified(headers) if has(request, tag) else Response(data, 200, headers, RECEIPT_TYPE)


@router.get("/refs/{party}/{ref:path}", response_class=Response)
async def reference_used(request: Request, party: str, ref: str, reads: ReadsHere, reader: ReaderHere) -> Response:
    """Return which entry a party's command with this reference became."""
    found = {}
    if reader.may_read_ref(party) and "\0" not in party + ref:  # which PostgreSQL takes for no text at all
        found = await reads.from_log(lambda log: log.find_references([(party, ref)]))
    if (party, ref) not in found:
        raise reader.not_found("reference", f"{party} {ref}")
    index = found[party, ref]
    headers = headers_of(reads.newest.size, tag=f'"{index}"', kept=FOR_EVER)
    if has(request, headers["ETag"]):
        return not_modified(headers)
    place = request.url.path.partition("/v1/refs/")[0] + f"/v1/entries/{index}"
    return json_response(reference(party, ref, index), headers | {"Content-Location": place})


async def _entry_for(reads: Reads, reader: ReadersRights, index: int) -> tuple[int, bytes]:
    """Return the log's size, and an entry that the reader may see."""

    def read(log: Reader) -> tuple[int, bytes]:
        if index >= log.size:
            raise reader.not_found("entry", index)
        data = log.entry(index)
        try:
            event = Entry.from_bytes(data).event
        except EntryMalformedError as error:
            raise NotALedgerError(f"entry {index} can't be read ({error}); `tallystick audit` says more") from None
        if not reader.may_read_entry(event):
            raise reader.not_found("entry", index)
        return log.size, data

    if not reader.reads_all:
        await reads.views_at(None)  # whom an entry concerns, the views know
    return await reads.from_log(read)
