"""`/v1/info`: which log this is, by what key and rules, who may read what, and what is taken at most; for everybody."""

from dataclasses import asdict
from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.web.batching import NOTES_UNDER_WAY_MAX
from tallystick.web.conditional import GetRoute
from tallystick.web.entries_in import BATCH_BYTES_MAX
from tallystick.web.served_log import ServedLog, served_log_of
from tallystick.wire import JsonObject
from tallystick.wire.note_lines import BATCH_NOTES_MAX

router: Final = APIRouter(route_class=GetRoute)

LIMITS: Final = {
    "note_bytes": NOTE_SIZE_MAX,
    "batch_notes": BATCH_NOTES_MAX,
    "batch_bytes": BATCH_BYTES_MAX,
    "notes_under_way": NOTES_UNDER_WAY_MAX,
}


@router.get("/v1/info")
async def info(request: Request) -> Response:
    """Say which log this is, and what is taken and shown."""
    service = served_log_of(request)
    headers = service.headers() | {"Cache-Control": "no-cache"}
    return Response(
        orjson.dumps(_said(service), option=orjson.OPT_APPEND_NEWLINE), headers=headers, media_type="application/json"
    )


def _said(service: ServedLog) -> JsonObject:
    settings, network = service.settings, service.writing.network
    said: JsonObject = {
        "origin": settings.origin,
        "vkeys": list(settings.vkeys),
        "size": service.size,
        "status": service.writing.status.value,
        "reading": settings.reading,
        "limits": LIMITS,
    }
    if settings.policy is not None:
        said["policy"] = settings.policy
    if network is not None:
        said |= {"edition": network.edition, "parameters": asdict(network.parameters)}
    return said
