"""An auditor's box for receipts: what parties post is proved, and kept durably, for the next audit to hold the log to.

    POST /v1/receipts     a receipt (.tlog-proof), as text or octets: 201 kept now, 200 kept before
    GET  /livez           200

With a trust policy, a receipt is kept if a log of the policy signed its checkpoint and its proof leads there from its
entry; witnesses aren't asked for, since the log is held to its own signature. Without one, whatever is a receipt by its
form is kept, and an audit tells what counts; then strangers can fill the box.

Kept as `<SHA-256 of its bytes>.tlog-proof`: the same receipt is one file, and none replaces another. `audit --receipts`
reads the folder as it is. The number of receipts and the room that is left on the disk are bounded: beyond them the
answer is 503, and who posts keeps the receipt.
"""

import asyncio
import hashlib
import shutil
import threading
from pathlib import Path
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.durable_files import whole_file
from tallystick.errors import MalformedError, ProofInvalidError, TallystickError
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt, verify_receipt
from tallystick.web.problems import HttpProblem, problem_response
from tallystick.wire.statuses import HttpReason

RECEIPTS_MAX: Final = 1_000_000
DISK_BYTES_LEFT: Final = 268_435_456
SUFFIX: Final = ".tlog-proof"

_CREATED: Final = 201
_KEPT: Final = 200


class ReceiptsBox:
    """A folder of receipts, which only grows."""

    def __init__(
        self,
        folder: Path,
        policy: Policy | None,
        *,
        receipts_max: int = RECEIPTS_MAX,
        disk_bytes_left: int = DISK_BYTES_LEFT,
    ) -> None:
        """Count what is there.

        Args:
            folder: made if it isn't there.
            policy: whose logs' receipts are kept; None keeps those of any.
            receipts_max: how many are kept at most.
            disk_bytes_left: how much room stays free on the disk.

        Raises:
            OSError: it can't be read or made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder: Final = folder
        self._policy = None if policy is None else policy.without_witnesses()
        self._receipts_max = receipts_max
        self._disk_bytes_left = disk_bytes_left
        self._lock = threading.Lock()
        self._count = sum(1 for path in folder.iterdir() if path.suffix == SUFFIX)

    def keep(self, data: bytes) -> tuple[str, bool]:
        """Keep a receipt durably; return its file's name, and whether it is new.

        Raises:
            MalformedError, VerificationError: it is none, or proves nothing.
            RequestRefusedError: there is no room for it.
        """
        self._verify(data)
        name = f"{hashlib.sha256(data).hexdigest()}{SUFFIX}"
        with self._lock:  # one after another: a box is asked rarely, and its count stays right
            path = self.folder / name
            try:
                if path.exists():
                    return name, False
                self._check_room()
                with whole_file(path) as file:
                    file.write(data)
            except OSError as error:
                raise HttpProblem(HttpReason.SERVICE_BUSY, f"the receipt can't be kept: {error.strerror}") from None
            self._count += 1
        return name, True

    def _verify(self, data: bytes) -> None:
        receipt = Receipt.from_bytes(data)
        if self._policy is None:
            return
        if receipt.entry is None:
            raise ProofInvalidError("the receipt carries no entry, so it proves nothing by itself")
        verify_receipt(receipt, receipt.entry, self._policy)

    def _check_room(self) -> None:
        """Refuse what the folder or its disk has no room for.

        Raises:
            RequestRefusedError: there is none.
            OSError: the disk can't be asked.
        """
        if self._count >= self._receipts_max:
            raise HttpProblem(HttpReason.SERVICE_BUSY, f"the box holds {self._count:,} receipts, as many as it may")
        if shutil.disk_usage(self.folder).free < self._disk_bytes_left:
            raise HttpProblem(HttpReason.SERVICE_BUSY, "the disk of the box is nearly full")


def receipts_app(box: ReceiptsBox) -> Starlette:
    """Return the application that takes receipts for a box."""

    async def post_receipt(request: Request) -> Response:
        name, is_new = await asyncio.to_thread(box.keep, await request.body())
        request.state.detail = name
        said = orjson.dumps({"kept": name, "is_new": is_new})
        return Response(said, _CREATED if is_new else _KEPT, media_type="application/json")

    async def live(_: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    app = Starlette(
        routes=[Route("/v1/receipts", post_receipt, methods=["POST"]), Route("/livez", live, methods=["GET"])],
        exception_handlers={TallystickError: _refuse, HTTPException: _refuse_route},
    )
    app.router.redirect_slashes = False
    return app


def body_limit(method: str, path: str) -> int | None:
    """Return how large a request's body may be (bytes)."""
    return RECEIPT_SIZE_MAX


async def _refuse(request: Request, error: Exception) -> Response:
    request.state.detail = str(error)
    if not isinstance(error, HttpProblem | MalformedError):  # it proves nothing, whatever kind of nothing that is
        error = HttpProblem(HttpReason.PARAMETER_INVALID, f"the receipt proves nothing here: {error}")
    return problem_response(error)


async def _refuse_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    is_method = error.status_code == HttpReason.METHOD_NOT_ALLOWED.status
    reason = HttpReason.METHOD_NOT_ALLOWED if is_method else HttpReason.NOT_FOUND
    return problem_response(HttpProblem(reason, "a box has POST /v1/receipts", headers=error.headers))
