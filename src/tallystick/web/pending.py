"""Half-signed notes, kept for those who have yet to sign them: outside the log, and not for ever.

POST /v1/pending        a note with a signature that counts; the same text again adds what signatures are new
GET /v1/pending         those that the party may sign which has logged in
GET /v1/pending/{id}    one, as the note that it is so far

Who may see one is who may sign it: a party whose signature its command asks for. A line that would count nothing is
left out, and a note without a line that counts isn't kept. A note is gone once it is recorded, too old, or refused for
good. Nobody is asked to log in who brings one, as with notes that are submitted.
"""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import anyio.to_thread
import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import NotFoundError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, Note
from tallystick.vouchers.admit import SignedCommand, read_note
from tallystick.vouchers.half_signed import HalfSigned, judge
from tallystick.vouchers.reading_rights import Reader
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State
from tallystick.web.conditional import GetRoute
from tallystick.web.flood import buckets_of
from tallystick.web.pending_file import KeptNote, PendingFile
from tallystick.web.problems import HttpProblem, problem_response
from tallystick.web.reads import Reads
from tallystick.web.rights import logged_in
from tallystick.wire import JsonObject
from tallystick.wire.pending import half_signed
from tallystick.wire.statuses import HttpReason

PENDING_MAX: Final = 5_000
PENDING_OF_PARTY_MAX: Final = 200
PENDING_BYTES_OF_PARTY_MAX: Final = 2_000_000
LISTED_MAX: Final = 100
_CREATED: Final = 201
_NEVER_KEPT: Final = {"Cache-Control": "no-store"}


class Pending:
    """The notes of one log that wait for signatures; its methods wait, so they are called in worker threads."""

    def __init__(self, path: Path, reads: Reads, clock: Callable[[], int]) -> None:
        """Open the file that they are kept in.

        Args:
            path: of the file.
            reads: follows the log.
            clock: the time (microseconds).

        Raises:
            OSError: the file can't be made.
        """
        self._origin: Final = reads.newest.origin
        self._file = PendingFile(path, self._origin)
        self._reads = reads
        self._clock = clock
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def add(self, data: bytes) -> tuple[JsonObject, bool] | Refusal:
        """Take a note in, or its signatures to those that are there, and return what it is then and if it is new.

        Raises:
            HttpProblem: there are too many already.
            LedgerError: the log can't be read, or the note not kept.
        """
        signed = read_note(data, self._origin)
        if isinstance(signed, Refusal):
            return signed
        id_ = hashlib.sha256(signed.note.text).hexdigest()
        with self._lock:
            self._file.drop_stale(self._clock())
            kept = self._file.find(id_)
            found = self._judged(signed, kept)
            if isinstance(found, Refusal):
                self._drop_if_over(id_, found)
                return found
            if not found.signed_by:
                return _by_nobody(found)
            note = found.note.to_bytes()
            brought_by = kept.brought_by if kept else found.signed_by[0]
            if kept is None or note != kept.note:
                self._check_room(brought_by, len(note), len(kept.note) if kept else None)
                self._file.keep(KeptNote(id_, note, brought_by, found.stale_at), found.signers)
        return half_signed(id_, found), kept is None

    def list(self, party: str, after: str | None, limit: int) -> tuple[list[JsonObject], str | None]:
        """Return the notes that a party may sign, the first to go stale first, and the last one's id if more may come.

        Raises:
            LedgerError: the log or the file can't be read.
        """
        with self._lock:
            self._file.drop_stale(self._clock())
            last = None if after is None else self._file.find(after)
            place = (0, "") if last is None else (last.stale_at, last.id)
            rows = self._file.for_signer(party, place, limit)
            said = [
                half_signed(row.id, found) for row in rows if (found := self._standing(row)) and party in found.signers
            ]
        return said, rows[-1].id if len(rows) == limit else None

    def find(self, party: str, id_: str) -> tuple[JsonObject, bytes] | None:
        """Return a note that a party may sign: what it is, and its bytes; None if there is none.

        Raises:
            LedgerError: the log or the file can't be read.
        """
        with self._lock:
            row = self._file.find(id_)
            found = None if row is None or row.stale_at <= self._clock() else self._standing(row)
        if found is None or party not in found.signers:
            return None
        return half_signed(id_, found), found.note.to_bytes()

    def _standing(self, row: KeptNote) -> HalfSigned | None:
        """Return how far a note is that was kept; None if it is gone."""
        signed = read_note(row.note, self._origin)
        if isinstance(signed, Refusal):
            return None
        found = self._judged(signed, row)
        if isinstance(found, Refusal):
            self._drop_if_over(row.id, found)
            return None
        return found

    def _judged(self, signed: SignedCommand, kept: KeptNote | None) -> HalfSigned | Refusal:
        """Judge a note together with what is kept of it, whose lines were verified before."""

        def look(state: State) -> HalfSigned | Refusal:
            both = signed
            if kept is not None:
                lines = {line.label: line for line in Note.from_bytes(kept.note).signatures}
                verdicts = {
                    VerifierKey.from_text(state.keys[label].vkey).public_key + line.blob: True
                    for label, line in lines.items()
                    if label in state.keys
                }
                new = [line for line in signed.note.signatures if line.label not in lines]
                note = Note(signed.note.text, (*lines.values(), *new))
                both = SignedCommand(signed.data, note, signed.command, verdicts)
            return judge(state, both, max(self._clock(), state.at))

        return self._reads.views.with_state(look)

    def _drop_if_over(self, id_: str, refusal: Refusal) -> None:
        if not refusal.reason.transient:
            self._file.drop([id_])

    def _check_room(self, party: str, size: int, before: int | None) -> None:
        count, used = self._file.used_by(party)
        if before is not None:
            count, used = count - 1, used - before
        if count >= PENDING_OF_PARTY_MAX or used + size > PENDING_BYTES_OF_PARTY_MAX:
            detail = f"{count} notes of {party} wait for signatures, {used:,} bytes; that is all there is room for"
            raise HttpProblem(HttpReason.TOO_MANY_REQUESTS, detail)
        if before is None and self._file.count() >= PENDING_MAX:
            raise HttpProblem(HttpReason.SERVICE_BUSY, f"{PENDING_MAX} notes wait for signatures")


def _by_nobody(found: HalfSigned) -> Refusal:
    """Return why a note isn't kept that no party has signed whose signature it needs."""
    if found.refused:
        return found.refused[0]
    return Refusal(
        Reason.SIGNATURES_MISSING, f"one by {' or '.join(found.signers)}; a key that it brings is nobody's yet"
    )


async def waiting_for(request: Request, reader: Reader) -> list[JsonObject]:
    """Return the first notes that a party may sign; none where the site takes none.

    Raises:
        LedgerError: the log or the file can't be read.
    """
    pending: Pending | None = getattr(request.app.state, "pending", None)
    if pending is None:
        return []
    said, _ = await anyio.to_thread.run_sync(pending.list, reader.party, None, LISTED_MAX)
    return said


# -- routes -----------------------------------------------------------------------------------------------------------

router: Final = APIRouter(route_class=GetRoute, prefix="/v1", tags=["pending"])


@router.post("/pending", status_code=_CREATED, response_class=Response)
async def add_pending(request: Request) -> Response:
    """Take in a half-signed note (201), or signatures to one that is there (200)."""
    failures = buckets_of(request)
    failures.check(request)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > NOTE_SIZE_MAX:
            break
    pending: Pending = request.app.state.pending
    answer = await anyio.to_thread.run_sync(pending.add, bytes(body[: NOTE_SIZE_MAX + 1]))
    failures.count(request, [answer])
    if isinstance(answer, Refusal):
        return problem_response(answer)
    said, is_new = answer
    headers = {"Location": f"{request.url.path}/{said['id']}"} | _NEVER_KEPT
    return Response(orjson.dumps(said), _CREATED if is_new else 200, headers, "application/json")


@router.get("/pending", response_class=Response)
async def list_pending(
    request: Request,
    after: Annotated[str | None, Query(max_length=64, description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = LISTED_MAX,
) -> Response:
    """List the notes that the party may sign which has logged in; `next` says where the list goes on."""
    reader = await logged_in(request)
    pending: Pending = request.app.state.pending
    said, last = await anyio.to_thread.run_sync(pending.list, reader.party, after, limit)
    return Response(orjson.dumps({"pending": said, "next": last}), 200, _NEVER_KEPT, "application/json")


@router.get("/pending/{id_}", response_class=Response)
async def one_pending(request: Request, id_: str) -> Response:
    """Return a note that waits; what it waits for, where `application/json` is asked for."""
    reader = await logged_in(request)
    pending: Pending = request.app.state.pending
    found = await anyio.to_thread.run_sync(pending.find, reader.party, id_)
    if found is None:
        raise NotFoundError(f"no note {id_!a:.80} waits for {reader.party}")
    said, note = found
    if "application/json" in request.headers.get("accept", ""):
        return Response(orjson.dumps(said), 200, _NEVER_KEPT, "application/json")
    return Response(note, 200, _NEVER_KEPT, "text/plain; charset=utf-8")
