"""Proofs out of the service: sealed balances, and dossiers, both verified offline by whoever has the policy.

    GET /v1/proofs/balances/{kind}/{id}?seal=         what an account held at a seal, and whose it is
    GET /v1/dossiers/{kind}/{id}?from=&until=         all that concerns one account, entry by entry

A dossier is made whole before it is sent, and every entry in it may be read by who gets it; else there is none.
"""

from io import BytesIO
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from tallystick.dossiers.proving_balance import prove_sealed_balance
from tallystick.dossiers.writing import Bound, write_dossier_of
from tallystick.errors import UsageError
from tallystick.forms.times import index_of, read_day
from tallystick.views.served_views import Answering
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.reading_rights import Sight
from tallystick.web.conditional import AS_OF_NOW, GetRoute, has, headers_of, not_modified, tag_of
from tallystick.web.entries_out import ReaderHere, ReadsHere
from tallystick.web.problems import HttpProblem
from tallystick.web.resources import ID_MAX
from tallystick.web.rights import ReadersRights
from tallystick.wire.statuses import HttpReason

DOSSIER_BYTES_MAX: Final = 64 * 1024 * 1024
DOSSIERS_AT_ONCE_MAX: Final = 2
BALANCE_PROOF_TYPE: Final = "application/json"
DOSSIER_TYPE: Final = "application/jsonl"

AccountKind = Literal["voucher", "holder", "provider", "programme", "contract", "treasury"]
DossierKind = Literal[
    "voucher", "holder", "provider", "programme", "contract", "treasury", "application", "claim", "demand"
]
Id = Annotated[str, Path(alias="id", min_length=1, max_length=ID_MAX, description="An id, which may hold a `/`.")]

router: Final = APIRouter(route_class=GetRoute, prefix="/v1", tags=["proofs"])


class _Bounded(BytesIO):
    """Bytes in memory, up to a bound."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take some more.

        Raises:
            UsageError: they are too many.
        """
        if self.tell() + len(data) > DOSSIER_BYTES_MAX:
            raise UsageError(
                f"this dossier has more than {DOSSIER_BYTES_MAX:,} bytes: narrow it by `from` and `until`, or have "
                "the operator write it with `tallystick dossier`"
            )
        return super().write(data)


@router.get("/proofs/balances/{kind}/{id:path}", response_class=Response)
async def balance_proof(
    request: Request,
    kind: AccountKind,
    id_: Id,
    reads: ReadsHere,
    reader: ReaderHere,
    seal: Annotated[
        str | None, Query(max_length=ID_MAX, description="Its id, or its entry's index; the newest.")
    ] = None,
) -> Response:
    """Return the proof of what an account held when the books were sealed."""

    def make(answering: Answering) -> tuple[int, bytes]:
        _check(reader, kind, id_)
        index = None if seal is None else index_of(seal)
        made = prove_sealed_balance(answering.log, answering, f"{kind} {id_}", seal if index is None else index)
        return answering.size, made.proof.to_bytes()

    await reads.views_at(None)
    tag = tag_of(reads.views.size)
    headers = headers_of(reads.views.size, tag=tag, kept=AS_OF_NOW)
    if has(request, tag) and reads.views.size == reads.newest.size:
        return not_modified(headers)
    size, data = await reads.answer(make)
    return Response(data, 200, headers_of(size, tag=tag_of(size), kept=AS_OF_NOW), BALANCE_PROOF_TYPE)


@router.get("/dossiers/{kind}/{id:path}", response_class=Response)
async def dossier(
    request: Request,
    kind: DossierKind,
    id_: Id,
    reads: ReadsHere,
    reader: ReaderHere,
    since: Annotated[str | None, Query(alias="from", max_length=64, description="A day, or an entry's index.")] = None,
    until: Annotated[str | None, Query(max_length=64, description="A day, or an entry's index.")] = None,
) -> Response:
    """Return all that concerns an account, as JSON lines that prove themselves."""
    bounds = _bound(since), _bound(until)

    def make(answering: Answering) -> tuple[int, bytes]:
        _check(reader, kind, id_)
        out = _Bounded()
        written = write_dossier_of(answering.log, answering, answering.size, f"{kind} {id_}", out, *bounds)
        if not reader.reads_all:
            for index in written.indices:
                if not reader.may_read_entry(Entry.from_bytes(answering.log.entry(index)).event):
                    raise reader.not_found(kind, id_)
        return answering.size, out.getvalue()

    await reads.views_at(None)
    if has(request, tag_of(reads.views.size)) and reads.views.size == reads.newest.size:
        return not_modified(headers_of(reads.views.size, tag=tag_of(reads.views.size)))
    if reads.dossiers >= DOSSIERS_AT_ONCE_MAX:
        raise HttpProblem(HttpReason.SERVICE_BUSY, "other dossiers are being written")
    reads.dossiers += 1
    try:
        size, data = await reads.answer(make)
    finally:
        reads.dossiers -= 1
    return Response(data, 200, headers_of(size, tag=tag_of(size)), DOSSIER_TYPE)


def _check(reader: ReadersRights, kind: str, id_: str) -> None:
    """Refuse who may not read all of a thing, as if it weren't there."""
    if reader.sight(kind, id_) is not Sight.ALL:
        raise reader.not_found(kind, id_)


def _bound(text: str | None) -> Bound | None:
    if text is None:
        return None
    index = index_of(text)
    return Bound(index=index) if index is not None else Bound(day=read_day(text))
