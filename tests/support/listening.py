"""Every application of ours that listens to strangers, each on a server with bounds that a test gives."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support import mirrors, witnesses
from support.burning import LOG_KEY, NOW, Clock, founding_notes
from support.http_abuse import Serving, Target
from support.serving import service_in_thread
from tallystick.ledger import create_ledger
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import running
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX
from tallystick.web.receipts_box import ReceiptsBox, body_limit, receipts_app
from tallystick.witness.deciding import TEXT
from tallystick.witness.request import REQUEST_SIZE_MAX


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


@contextlib.contextmanager
def _serving_echo(bounds: Bounds) -> Iterator[Target]:
    app = Starlette(routes=[Route("/echo", _echo, methods=["GET", "POST"])])
    with running(app, bounds=bounds) as server:
        yield Target(server.url, "/echo", 200, "/echo", bounds.body_bytes_max)


@contextlib.contextmanager
def _serving_witness(bounds: Bounds) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "witness"
        witnesses.make_witness(folder)
        sized = replace(bounds, body_bytes_max=REQUEST_SIZE_MAX)
        with witnesses.reopened(folder) as witness, witnesses.serving(witness, bounds=sized) as url:
            yield Target(url, witnesses.checkpoint_path(), 404, "/add-checkpoint", REQUEST_SIZE_MAX, TEXT)


@contextlib.contextmanager
def _serving_mirror(bounds: Bounds) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "mirror"
        mirrors.make_mirror(folder)
        with mirrors.reopened(folder) as mirror, mirrors.serving(mirror, bounds=bounds) as url:
            yield Target(url, witnesses.checkpoint_path(), 404, "/add-checkpoint", REQUEST_SIZE_MAX, TEXT)


@contextlib.contextmanager
def _serving_log(bounds: Bounds) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "ledger"
        genesis, *rest = founding_notes()
        with create_ledger(folder, genesis, LOG_KEY, clock=Clock()) as ledger:
            ledger.submit(rest)
        with service_in_thread(folder, clock=lambda: NOW, bounds=bounds) as service:
            yield Target(service.url, "/livez", 200, "/v1/entries", NOTE_SIZE_MAX + 1)


@contextlib.contextmanager
def _serving_box(bounds: Bounds) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as made:
        app = receipts_app(ReceiptsBox(Path(made) / "box", None))
        with running(app, bounds=bounds, body_limit=body_limit) as server:
            yield Target(server.url, "/livez", 200, "/v1/receipts", RECEIPT_SIZE_MAX)


SERVING: dict[str, Serving] = {
    "echo": _serving_echo,
    "witness": _serving_witness,
    "mirror": _serving_mirror,
    "log": _serving_log,
    "box": _serving_box,
}
