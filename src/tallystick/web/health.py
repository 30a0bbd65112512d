"""Whether the service is well: `/livez` of the process, `/readyz` of what takes notes, `/health` of what is shown.

/livez    200 while the process answers at all
/readyz   200 while notes are taken: the writer's lock is held, the store answered last, no drain, room on the disk,
          and the views are not far behind
/health   200 while what is shown is the store's newest checkpoint, and the log's key signed it

Not well is 503 with the reasons. Nothing here needs a login, and nothing here tells what is in the log.
"""

import shutil
import time
from pathlib import Path
from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from tallystick.errors import TallystickError
from tallystick.signing.keys import VerifierKey
from tallystick.sources import folder_of
from tallystick.transparency.checkpoint import open_checkpoint
from tallystick.web.conditional import GetRoute
from tallystick.web.running import Status
from tallystick.web.served_log import ServedLog, served_log_of
from tallystick.wire import JsonObject
from tallystick.wire.statuses import UNAVAILABLE

DISK_FREE_BYTES_MIN: Final = 64 * 2**20
VIEWS_LAG_ENTRIES_MAX: Final = 50_000
EXAMINED_FOR_SECONDS: Final = 1.0

router: Final = APIRouter(route_class=GetRoute)


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
    """Say whether what is shown is the newest there is, and signed by the log."""
    service = served_log_of(request)
    async with service.examining:  # in PostgreSQL it is a commit, and anybody may ask
        at, said, reasons = service.examined
        if time.monotonic() - at > EXAMINED_FOR_SECONDS:
            said, reasons = await service.in_thread(_examined, service)
            service.examined = (time.monotonic(), said, reasons)
    return _told(said, reasons)


def why_not_ready(service: ServedLog) -> list[str]:
    """Return why no notes are taken; nothing if they are."""
    reasons = []
    status, trouble = service.writing.status, service.writing.trouble
    if service.is_draining:
        reasons.append("draining: the service is about to end")
    if status is not Status.WRITING:
        reasons.append(f"{status.value}: {trouble or 'another process writes the log'}")
    folder = folder_of(service.source)
    if folder is not None and _free_bytes(folder) < DISK_FREE_BYTES_MIN:
        reasons.append(f"disk: less than {DISK_FREE_BYTES_MIN:,} bytes are free beside the log")
    if service.reads.views_lag > VIEWS_LAG_ENTRIES_MAX:
        reasons.append(f"behind: the views lack {service.reads.views_lag:,} entries")
    return reasons


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _examined(service: ServedLog) -> tuple[JsonObject, list[str]]:
    try:
        note = service.reads.log.refresh().checkpoint_note()
        checkpoint = open_checkpoint(note, *[VerifierKey.from_text(vkey) for vkey in service.settings.vkeys])
    except TallystickError as error:
        return {"size": service.reads.newest.size}, [str(error)]
    trouble = service.reads.trouble
    return {"origin": checkpoint.origin, "size": checkpoint.size}, [trouble] if trouble else []


def _told(said: JsonObject, reasons: list[str]) -> Response:
    body = orjson.dumps(said | {"ok": not reasons, "reasons": reasons}, option=orjson.OPT_APPEND_NEWLINE)
    status = UNAVAILABLE if reasons else 200
    return Response(body, status, {"Cache-Control": "no-store"}, "application/json")
