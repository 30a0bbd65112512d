"""The routes that take notes: `POST /v1/entries`, `/v1/check`, and `:batch` of both.

The signed note is the authorisation: whoever brings it, it is decided once. These are plain routes, past FastAPI's own
machinery, which costs more than a signature's verification; docs/openapi.json says what they take and answer.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from tallystick.errors import MalformedError, TallystickError
from tallystick.ledger.pending import GROUP_BYTES_MAX, Admitted
from tallystick.publishing.reader import Reader
from tallystick.publishing.recorded import find_recorded
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import Event
from tallystick.web.flood import buckets_of
from tallystick.web.problems import HttpProblem, problem_object, problem_response
from tallystick.web.served_log import ServedLog, served_log_of
from tallystick.wire import JsonObject, note_lines
from tallystick.wire.answers import recorded
from tallystick.wire.json_text import exact_json
from tallystick.wire.note_lines import BATCH_NOTES_MAX
from tallystick.wire.statuses import RECORDED_BEFORE, RECORDED_NOW, HttpReason

BATCH_BYTES_MAX: Final = GROUP_BYTES_MAX
JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonl"
RECEIPT: Final = "text/x.tlog-proof"

_NOTE_TYPES: Final = frozenset({"", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"})
"""What a note may be called; `curl --data-binary` says the last of whatever it sends. Its bytes are what counts."""
_BATCH_TYPES: Final = _NOTE_TYPES | {JSON_LINES, JSON, "application/x-ndjson", "application/x-jsonlines"}
_CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})


TakesNotes = Callable[[Request], Awaitable[Response]]


async def post_entry(request: Request) -> Response:
    """Decide a note; 201 with where its entry is, 200 if it is one already, or a problem."""
    service, failures = served_log_of(request), buckets_of(request)
    failures.check(request)
    note = await _note_in(request)
    (answer,) = await service.submit([note])
    failures.count(request, [answer])
    if isinstance(answer, Refusal):
        return problem_response(answer)
    headers = {"Location": f"{service.prefix}/v1/entries/{answer.index}"} | service.headers()
    status = RECORDED_NOW if answer.is_new else RECORDED_BEFORE
    if RECEIPT in request.headers.get("accept", ""):
        receipt = await service.in_thread(answer.receipt)
        return Response(receipt.to_bytes(), status, headers, RECEIPT)
    return Response(_json(recorded(answer.event, is_new=answer.is_new)), status, headers, JSON)


async def post_entries(request: Request) -> Response:
    """Decide many notes in order; a line of the answer for each, with its own status."""
    service, failures = served_log_of(request), buckets_of(request)
    failures.check(request)
    notes = await _notes_in(request)
    with_entry = request.query_params.get("include") == "entry"
    answers = await service.submit(notes) if notes else []
    failures.count(request, answers)
    said = []
    for answer in answers:
        said.append(_answer_object(answer))
        if with_entry and isinstance(answer, Admitted):
            said[-1]["entry"] = answer.entry.decode()
    return _lines(said, service)


async def post_check(request: Request) -> Response:
    """Say what would become of a note; nothing is written."""
    service, failures = served_log_of(request), buckets_of(request)
    failures.check(request)
    (said,) = await service.in_thread(_checked, service, [await _note_in(request)])
    failures.count(request, [said])
    return Response(_json(said), headers=service.headers(), media_type=JSON)


async def post_checks(request: Request) -> Response:
    """Say what would become of notes, were they submitted one after another; nothing is written."""
    service, failures = served_log_of(request), buckets_of(request)
    failures.check(request)
    notes = await _notes_in(request)
    async with service.checking:  # each takes a copy of the state
        said = await service.in_thread(_checked, service, notes)
    failures.count(request, said)
    return _lines(said, service)


class _NotesRoute(Route):
    """A plain route that takes what is posted, and says that it was it."""

    def __init__(self, path: str, endpoint: TakesNotes) -> None:
        super().__init__(path, endpoint, methods=["POST"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        return match, {**found, "route": self} if found else found


ROUTES: Final = (
    _NotesRoute("/v1/entries", post_entry),
    _NotesRoute("/v1/entries:batch", post_entries),
    _NotesRoute("/v1/check", post_check),
    _NotesRoute("/v1/check:batch", post_checks),
)


async def answer(take_notes: TakesNotes, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request by one of the functions above, outside of any framework's layers."""
    try:
        response = await take_notes(Request(scope, receive))
    except TallystickError as error:
        response = problem_response(error)
    await response(scope, receive, send)


def _answer_object(answer: Admitted | Refusal) -> JsonObject:
    """Return the answer to one note among many, with the status that it has alone."""
    if isinstance(answer, Refusal):
        return problem_object(answer)
    return _recorded(answer.event, is_new=answer.is_new)


def _recorded(event: Event, *, is_new: bool) -> JsonObject:
    return recorded(event, is_new=is_new) | {"status": RECORDED_NOW if is_new else RECORDED_BEFORE}


def _checked(service: ServedLog, notes: list[bytes]) -> list[JsonObject]:
    """Say what would become of notes, one after another; runs in a worker thread."""

    def decide(reader: Reader) -> list[JsonObject]:
        before = find_recorded(reader, notes)
        new = [note for place, note in enumerate(notes) if place not in before]
        decided = service.check(new) if new else []
        said = []
        remaining = iter(decided)
        for place in range(len(notes)):
            answer = before[place] if place in before else next(remaining)
            if isinstance(answer, Refusal) and answer.reason is Reason.ALREADY_RECORDED:
                answer = before[place] = _recorded_among(answer, decided, reader, service)
            if isinstance(answer, Refusal):
                said.append(problem_object(answer))
            else:
                said.append(_recorded(answer.event, is_new=place not in before))
        return said

    return service.reads.log.ask(decide)


def _recorded_among(
    refusal: Refusal, decided: Sequence[Entry | Refusal], reader: Reader, service: ServedLog
) -> Entry | Refusal:
    """Return the entry that a note would be answered with: one that is recorded, or would be by a note before it."""
    index = refusal.index
    if index is None:
        return refusal
    for one in decided:
        if isinstance(one, Entry) and one.event.index == index:
            return one
    if index >= reader.size:  # recorded after the snapshot that is shown
        reader = service.reads.log.refresh()
    return reader.parsed_entry(index)


def _lines(said: Iterable[JsonObject], service: ServedLog) -> Response:
    body = b"".join([_json(one) for one in said])
    return Response(body, headers=service.headers(), media_type=JSON_LINES)


def _json(said: JsonObject) -> bytes:
    """Return a value as JSON whose integers every reader takes for what they are."""
    try:
        return orjson.dumps(said, option=orjson.OPT_STRICT_INTEGER | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(exact_json(said), option=orjson.OPT_APPEND_NEWLINE)


async def _note_in(request: Request) -> bytes:
    """Return the note that a request brings.

    Raises:
        HttpProblem: the body is called something else than a note.
    """
    _require_type(request, _NOTE_TYPES)
    return await _body(request, NOTE_SIZE_MAX + 1)  # that it is too large the decision says, by its own reason


async def _notes_in(request: Request) -> list[bytes]:
    """Return the notes that a request brings as JSON lines, a string each.

    Raises:
        HttpProblem: the body is too large, or something else.
    """
    _require_type(request, _BATCH_TYPES)
    body = await _body(request, BATCH_BYTES_MAX)
    if len(body) > BATCH_BYTES_MAX:
        raise HttpProblem(HttpReason.BODY_TOO_LARGE, f"a batch is {BATCH_BYTES_MAX:,} bytes at most")
    if body.count(b"\n") > BATCH_NOTES_MAX:
        raise HttpProblem(HttpReason.BODY_TOO_LARGE, f"a batch has {BATCH_NOTES_MAX} notes at most, a line each")
    try:
        return note_lines.from_lines(body)
    except MalformedError as error:
        raise HttpProblem(HttpReason.BAD_REQUEST, str(error)) from None


def _require_type(request: Request, types: Collection[str]) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]*)", parameters, re.IGNORECASE)
    if media_type.strip().lower() not in types or (charset and charset[1].lower() not in _CHARSETS):
        raise HttpProblem(HttpReason.UNSUPPORTED_MEDIA_TYPE, "send text/plain; charset=utf-8, or JSON lines as a batch")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpProblem(HttpReason.UNSUPPORTED_MEDIA_TYPE, "send the body as it is, not compressed")


async def _body(request: Request, size_max: int) -> bytes:
    """Return the body, or one byte more of it than there may be."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > size_max:
            break
    return b"".join(parts)[: size_max + 1]
