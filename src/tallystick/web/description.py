"""The service's description, OpenAPI 3.1: docs/openapi.json is this, and a test compares; `/openapi.json` serves it.

Paths and parameters are FastAPI's, from the routes. What they answer, and all about the routes that take notes, is
said here by hand. The shapes of things and rows are those of the views' dataclasses.
"""

import dataclasses
import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple, get_type_hints

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from tallystick.views.lists import LISTS
from tallystick.views.questions import Questions
from tallystick.web.conditional import GetRoute
from tallystick.web.described_figures import AS_CSV, figure_shapes
from tallystick.web.resources import LISTED_ALONE, RESOURCES
from tallystick.wire import JsonObject
from tallystick.wire.problems import MEDIA_TYPE as PROBLEM

OPENAPI_VERSION: Final = "3.1.0"
JSON, JSON_LINES, PLAIN, CSV = "application/json", "application/jsonl", "text/plain", "text/csv"
_SCHEMA: Final = "#/components/schemas/"
_TERMS_OF: Final = frozenset({"voucher", "holder", "programme", "provider", "treasury", "party"})
"""Of these, some readers see the terms alone: no member is sure to be there."""


class Answer(NamedTuple):
    """What an operation answers when it did as asked.

    Attributes:
        means: in words.
        bodies: by media type, the schema; empty without a body.
    """

    means: str
    bodies: Mapping[str, JsonObject] = types.MappingProxyType({})


_TEXT: Final[JsonObject] = {"type": "string"}
_BYTES: Final[JsonObject] = {"type": "string", "contentMediaType": "application/octet-stream"}
_OBJECT: Final[JsonObject] = {"type": "object"}
_NOTE: Final[JsonObject] = {"type": "string", "description": "One signed note (C2SP signed-note), UTF-8."}
_LINES: Final[JsonObject] = {"type": "string", "description": "JSON lines."}
_NOTES: Final[JsonObject] = {"type": "string", "description": "JSON lines, each a JSON string: one note."}
_NOT_MODIFIED: Final = Answer("What the asker has is what there is.")


def _ref(name: str) -> JsonObject:
    return {"$ref": _SCHEMA + name}


def _got(means: str, media_type: str, schema: JsonObject) -> dict[str, Answer]:
    return {"200": Answer(means, {media_type: schema}), "304": _NOT_MODIFIED}


def _well(means: str) -> dict[str, Answer]:
    body = {JSON: _ref("Wellness")}
    return {"200": Answer(means, body), "503": Answer("It isn't, and why.", body)}


_RECORDED: Final = {JSON: _ref("Recorded"), "text/x.tlog-proof": _TEXT}
_SESSION_NOTE: Final[JsonObject] = {PLAIN: _NOTE}

ANSWERS: Final[Mapping[tuple[str, str], Mapping[str, Answer]]] = {
    ("get", "/livez"): _well("The process answers."),
    ("get", "/readyz"): _well("Notes are taken."),
    ("get", "/health"): _well("The newest checkpoint verifies, and is fresh."),
    ("get", "/v1/info"): {"200": Answer("Which log this is, and what is taken and shown.", {JSON: _ref("Info")})},
    ("get", "/checkpoint"): _got("The newest signed checkpoint.", PLAIN, _TEXT),
    ("get", "/tile/{place}"): _got("Hashes of 32 bytes.", "application/octet-stream", _BYTES),
    ("get", "/tile/entries/{place}"): _got("A bundle of entries.", "application/octet-stream", _BYTES),
    ("get", "/v1/entries"): _got("A line of each entry: `index`, `entry`.", JSON_LINES, _LINES)
    | {"204": Answer("There is none yet.")},
    ("get", "/v1/entries/{index}"): _got("The entry's bytes.", PLAIN, _TEXT),
    ("get", "/v1/entries/{index}/receipt"): _got(
        "A receipt with its entry (C2SP tlog-proof).", "text/x.tlog-proof", _TEXT
    ),
    ("get", "/v1/refs/{party}/{ref}"): _got("Which entry it is.", JSON, _ref("Reference")),
    ("get", "/v1/recorded"): _got("Entries in short, newest first.", JSON, _ref("RecordedEntries")),
    ("get", "/v1/search"): _got("What it leads to.", JSON, _ref("Search")),
    ("get", "/v1/events"): {"200": Answer("CloudEvents as they come.", {"text/event-stream": _TEXT})},
    ("get", "/v1/proofs/balances/{kind}/{id}"): _got("A balance proof.", JSON, _ref("BalanceProof")),
    ("get", "/v1/dossiers/{kind}/{id}"): _got("A dossier.", JSON_LINES, _LINES),
    ("get", "/v1/pending"): {"200": Answer("Notes that wait for the party's signature.", {JSON: _ref("PendingNotes")})},
    ("get", "/v1/pending/{id_}"): {
        "200": Answer("The note, or what it waits for.", {PLAIN: _NOTE, JSON: _ref("PendingNote")})
    },
    ("post", "/v1/pending"): {
        "201": Answer("It waits now.", {JSON: _ref("PendingNote")}),
        "200": Answer("It waited, and has these signatures too.", {JSON: _ref("PendingNote")}),
    },
    ("post", "/v1/sessions"): {"201": Answer("A session.", {JSON: _ref("Session")})},
    ("delete", "/v1/sessions"): {"204": Answer("It has ended.")},
    ("post", "/v1/entries"): {
        "201": Answer("Recorded now; `Location` is the entry.", _RECORDED),
        "200": Answer("Recorded before.", _RECORDED),
    },
    ("post", "/v1/entries:batch"): {
        "200": Answer(
            "A line for each note, in order: as of one note with its `status`, or a problem.", {JSON_LINES: _LINES}
        )
    },
    ("post", "/v1/check"): {"200": Answer("What would be recorded, or the problem.", {JSON: _OBJECT})},
    ("post", "/v1/check:batch"): {"200": Answer("A line for each note, in order.", {JSON_LINES: _LINES})},
    ("get", "/problems/{reason}"): {
        "200": Answer("What it means, and what to do.", {JSON: _ref("ProblemAdvice"), "text/html": _TEXT})
    },
    ("get", "/openapi.json"): _got("This description.", JSON, _OBJECT),
}
"""Of every operation but lists, balances and single things, whose shapes are the views'."""

BODIES: Final[Mapping[tuple[str, str], JsonObject]] = {
    ("post", "/v1/entries"): {PLAIN: _NOTE},
    ("post", "/v1/entries:batch"): {JSON_LINES: _NOTES},
    ("post", "/v1/check"): {PLAIN: _NOTE},
    ("post", "/v1/check:batch"): {JSON_LINES: _NOTES},
    ("post", "/v1/pending"): {PLAIN: _NOTE},
    ("post", "/v1/sessions"): _SESSION_NOTE,
}

_BY_HAND: Final[Mapping[tuple[str, str], JsonObject]] = {
    ("post", "/v1/entries"): {
        "operationId": "post_entry",
        "summary": "Record a note",
        "description": "The signed note is the authorisation. The same note again is answered with its entry.",
    },
    ("post", "/v1/entries:batch"): {
        "operationId": "post_entries",
        "summary": "Record notes, one after another",
        "description": "At most 512 notes and 4 MB; each is decided alone, and answered in its place.",
        "parameters": [
            {
                "name": "include",
                "in": "query",
                "required": False,
                "description": "Adds each entry's text to its answer.",
                "schema": {"type": "string", "enum": ["entry"]},
            }
        ],
    },
    ("post", "/v1/check"): {
        "operationId": "post_check",
        "summary": "Say what would become of a note",
        "description": "Nothing is written.",
    },
    ("post", "/v1/check:batch"): {
        "operationId": "post_checks",
        "summary": "Say what would become of notes, one after another",
        "description": "They are decided in order, against one copy of the state; nothing is written.",
    },
}
"""The plain routes, which FastAPI doesn't know."""


def _object(required: str, **members: JsonObject) -> JsonObject:
    return {"type": "object", "required": required.split(), "properties": members}


_INTEGER: Final = _ref("Integer")
SCHEMAS: Final[Mapping[str, JsonObject]] = {
    "Integer": {
        "description": "A whole number; beyond ±(2^53 - 1) the text of its digits.",
        "anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[1-9][0-9]*$"}],
    },
    "Problem": _object(
        "type title status detail reason",
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        reason={"type": "string", "description": "What a program goes by; the words may change."},
        transient={"type": "boolean", "description": "Whether the same may be tried again."},
    ),
    "ProblemAdvice": _object(
        "reason title advice again status transient",
        reason=_TEXT,
        title={"type": "string", "description": "What it means."},
        advice={"type": "string", "description": "What to do."},
        again={"type": "string", "description": "Whether the same may be sent again."},
        status={"type": "integer"},
        transient={"type": "boolean"},
    ),
    "Wellness": _object("ok reasons", ok={"type": "boolean"}, reasons={"type": "array", "items": _TEXT}, status=_TEXT),
    "Info": _object(
        "origin vkeys size reading limits",
        origin=_TEXT,
        vkeys={"type": "array", "items": _TEXT},
        size=_INTEGER,
        reading={"type": "string", "enum": ["open", "parties", "own"]},
        limits=_OBJECT,
    ),
    "Recorded": _object(
        "accepted index at kind is_new",
        accepted={"type": "boolean"},
        index=_INTEGER,
        at=_TEXT,
        kind=_TEXT,
        outcome=_OBJECT,
        lines={"type": "array", "items": _OBJECT},
        is_new={"type": "boolean"},
    ),
    "Reference": _object("party ref index", party=_TEXT, ref=_TEXT, index=_INTEGER),
    "RecordedEntries": _object(
        "entries recorded",
        entries=_INTEGER,
        recorded={
            "type": "array",
            "items": _object("index at kind party ref", index=_INTEGER, at=_TEXT, kind=_TEXT, party=_TEXT, ref=_TEXT),
        },
    ),
    "Search": _object(
        "q entries hits",
        q=_TEXT,
        entries=_INTEGER,
        hits={"type": "array", "items": _object("kind id by", kind=_TEXT, id=_TEXT, by=_TEXT)},
    ),
    "BalanceProof": _object(
        "format leaf party path position receipt",
        format=_TEXT,
        leaf=_TEXT,
        party={"type": "array", "items": _TEXT},
        path={"type": "array", "items": _TEXT},
        position={"type": "integer"},
        receipt=_TEXT,
    ),
    "Session": _object("token expires_at party role", token=_TEXT, expires_at=_TEXT, party=_TEXT, role=_TEXT),
    "PendingNote": _object(
        "id text signed_by missing complete stale_at",
        id=_TEXT,
        text=_TEXT,
        signed_by={"type": "array", "items": _TEXT},
        missing={"type": "array", "items": _OBJECT},
        complete={"type": "boolean"},
        stale_at=_TEXT,
    ),
    "PendingNotes": _object(
        "pending next", pending={"type": "array", "items": _ref("PendingNote")}, next={"type": ["string", "null"]}
    ),
}

router: Final = APIRouter(route_class=GetRoute, tags=["service"])


@router.get("/openapi.json", response_class=Response)
async def openapi(request: Request) -> Response:
    """Return the description of the service."""
    return Response(_described(request.app), headers={"Cache-Control": "no-cache"}, media_type=JSON)


@cache
def _described(app: FastAPI) -> bytes:
    return to_json(describe(app))


def to_json(description: JsonObject) -> bytes:
    """Return a description as the file has it."""
    return orjson.dumps(description, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def describe(app: FastAPI) -> JsonObject:
    """Return the description of an application that has all routes.

    Raises:
        KeyError: an operation is not described here.
    """
    found = get_openapi(
        title="Tallystick",
        version=app.version,
        openapi_version=OPENAPI_VERSION,
        description="A log of compute vouchers: notes in, receipts, tiles, balances and events out. See docs/http.md.",
        routes=app.routes,
    )
    schemas = dict(SCHEMAS)
    answers = dict(ANSWERS) | _of_things(schemas)
    for (method, path), by_hand in _BY_HAND.items():
        found["paths"].setdefault(path, {})[method] = {"tags": ["notes"], **by_hand}
    parameters: dict[str, JsonObject] = {}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            unique = re.sub(r"\W", "_", path) + f"_{method}"  # by FastAPI, behind the endpoint's name
            operation["operationId"] = operation["operationId"].removesuffix(unique)
            operation["parameters"] = [_shared(one, parameters) for one in operation.get("parameters", [])]
            operation["responses"] = _responses(answers[method, path])
            body = BODIES.get((method, path))
            if body is not None:
                operation["requestBody"] = {"required": True, "content": _content(body)}
    found["components"] = {
        "schemas": schemas,
        "parameters": parameters,
        "securitySchemes": {"session": {"type": "http", "scheme": "bearer", "description": "POST /v1/sessions"}},
    }
    found["security"] = [{}, {"session": []}]
    return found


def _shared(parameter: JsonObject, shared: dict[str, JsonObject]) -> JsonObject:
    """Return what refers to a parameter, if others have the same; it is said once."""
    schema = _without_titles(parameter["schema"])
    schema.pop("description", None)
    if "anyOf" in schema:  # a parameter that isn't given is null to FastAPI, and can't be said to be
        (kind,) = [one for one in schema.pop("anyOf") if one != {"type": "null"}]
        schema |= kind
    told = parameter | {"schema": schema}
    name = parameter["name"]
    if shared.setdefault(name, told) == told:
        return {"$ref": f"#/components/parameters/{name}"}
    return told


def _without_titles(schema: JsonObject) -> JsonObject:
    return {name: value for name, value in schema.items() if name != "title"}


def _responses(answers: Mapping[str, Answer]) -> JsonObject:
    said = {status: _response(answer) for status, answer in sorted(answers.items())}
    return said | {"default": {"description": "A problem (RFC 9457).", "content": _content({PROBLEM: _ref("Problem")})}}


def _response(answer: Answer) -> JsonObject:
    return {"description": answer.means} | ({"content": _content(answer.bodies)} if answer.bodies else {})


def _content(bodies: Mapping[str, JsonObject]) -> JsonObject:
    return {media_type: {"schema": schema} for media_type, schema in bodies.items()}


def _of_things(schemas: dict[str, JsonObject]) -> dict[tuple[str, str], dict[str, Answer]]:
    """Return what lists, balances and single things answer, and add their shapes."""
    answers = {}
    for kind, plural in [(one.kind, one.plural) for one in RESOURCES] + list(LISTED_ALONE):
        row = _shape_of(LISTS[kind].row, schemas, is_partial=kind in _TERMS_OF)
        listed = _object(
            "list entries rows", list={"const": kind}, entries=_INTEGER, rows={"type": "array", "items": row}
        )
        bodies = {JSON: listed, CSV: _TEXT}
        answers["get", f"/v1/{plural}"] = {"200": Answer("A page of the list.", bodies), "304": _NOT_MODIFIED}
    for one in RESOURCES:
        place = "{owner}/{number}" if one.is_owned else "{id}"
        account = get_type_hints(getattr(Questions, one.kind))["return"]
        shape = _shape_of(account, schemas, is_partial=one.kind in _TERMS_OF)
        answers["get", f"/v1/{one.plural}/{place}"] = _got(
            "All about it.", JSON, _object(one.kind, **{one.kind: shape})
        )
    rows = {"type": "array", "items": _OBJECT}
    said = _object("by entries balances", by=_TEXT, entries=_INTEGER, balances=rows)
    balances = {"200": Answer("A page of rows.", {JSON: said, CSV: _TEXT}), "304": _NOT_MODIFIED}
    figures = {
        ("get", path): {
            "200": Answer("The figures.", {JSON: shape} | ({CSV: _TEXT} if path in AS_CSV else {})),
            "304": _NOT_MODIFIED,
        }
        for path, shape in figure_shapes(lambda row: _shape_of(row, schemas, is_partial=False), _INTEGER).items()
    }
    return answers | {("get", "/v1/balances"): balances} | figures


def _shape_of(row: type[Any], schemas: dict[str, JsonObject], *, is_partial: bool) -> JsonObject:
    """Add the shape of a dataclass and of those within it, and return what refers to it."""
    shape = TypeAdapter(row).json_schema(ref_template=_SCHEMA + "{model}", mode="serialization")
    inner = shape.pop("$defs", {})
    for name, one in {**inner, row.__name__: shape}.items():
        if name not in schemas:
            schemas[name] = _in_our_words(one)
    if is_partial:
        schemas[row.__name__].pop("required", None)
        balance = next((field.type for field in dataclasses.fields(row) if field.name == "balance"), None)
        if balance is not None:
            schemas[getattr(balance, "__name__", str(balance))].pop("required", None)
    return _ref(row.__name__)


def _in_our_words(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """Return a schema without titles, in which a number may be the text of its digits."""
    if isinstance(value, dict):
        if value.get("type") == "integer":
            return _INTEGER
        return {
            name: _in_our_words(inner) for name, inner in value.items() if name != "title" or not isinstance(inner, str)
        }
    return [_in_our_words(one) for one in value] if isinstance(value, list) else value
