"""Whether the service is well: `/livez` of the process, `/readyz` of what takes notes, `/health` of what is shown.

/livez    200 while the process answers at all
/readyz   200 while notes are taken: the writer's lock is held, the last commit went well, no drain, room on the disk
/health   200 while the newest checkpoint verifies by the log's key and is fresh

Not well is 503 with the reasons; nothing here needs a login, and nothing here tells what is in the log.
"""

from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from tallystick.errors import TallystickError
from tallystick.signing.keys import VerifierKey
from tallystick.transparency.checkpoint import open_checkpoint
from tallystick.web.running import Status
from tallystick.web.served_log import ServedLog, served_log_of
from tallystick.wire import JsonObject

router: Final = APIRouter()


@router.get("/livez")
async def livez() -> Response:
    """Say that the process answers."""
    return _told({"status": "alive"}, [])


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Say whether notes are taken, or why not."""
    service = served_log_of(request)
    said: JsonObject = {"status": service.writing.status.value, "size": service.size}
    return _told(said, why_not_ready(service))


@router.get("/health")
async def health(request: Request) -> Response:
    """Say whether the newest checkpoint is signed by the log, and fresh."""
    service = served_log_of(request)
    said, reasons = await service.in_thread(_examined, service)
    return _told(said, reasons)


def why_not_ready(service: ServedLog) -> list[str]:
    """Return why no notes are taken; nothing if they are."""
    reasons = []
    if service.is_draining:
        reasons.append("draining: the service is about to end")
    if service.writing.status is Status.STANDING_BY:
        reasons.append(f"standing_by: {service.writing.trouble or 'another process writes the log'}")
    elif service.writing.status is not Status.WRITING:
        reasons.append(f"{service.writing.status.value}: {service.writing.trouble}")
    return reasons


def _examined(service: ServedLog) -> tuple[JsonObject, list[str]]:
    try:
        with service.reader() as reader:
            note = reader.checkpoint_note()
        keys = [VerifierKey.from_text(vkey) for vkey in service.settings.vkeys]
        checkpoint = open_checkpoint(note, *keys)
    except TallystickError as error:
        return {"status": "unwell"}, [str(error)]
    return {"status": "well", "origin": checkpoint.origin, "size": checkpoint.size}, []


def _told(said: JsonObject, reasons: list[str]) -> Response:
    said = said | {"ok": not reasons, "reasons": reasons}
    return Response(
        orjson.dumps(said), 503 if reasons else 200, {"Cache-Control": "no-store"}, media_type="application/json"
    )
