"""What an auditor does so that parties' receipts reach it by themselves.

receipts serve DIR --trust POLICY       takes receipts over HTTP, and keeps those that a log of the policy gave

`audit SOURCE --receipts DIR` holds the log to them; a service's client posts them by itself (docs/client.md).
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import output, parameters, reading, streams

if TYPE_CHECKING:
    from tallystick.serving.refused import Answered


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    receipts = typer.Typer(help="Take receipts from parties.", no_args_is_help=True, rich_markup_mode=None)
    receipts.command("serve", short_help="Take receipts over HTTP.")(serve)
    receipts.callback()(lambda: None)
    app.add_typer(receipts, name="receipts")


def serve(
    folder: Annotated[parameters.Folder, parameters.folder("Where they are kept; made if it isn't there.")],
    trust: Annotated[
        Path | None, typer.Option(help="Keep only receipts that a log of this trust policy signed; else any.")
    ] = None,
    host: parameters.ListenHost = "127.0.0.1",
    port: parameters.ListenPort = 8474,
) -> None:
    """Take receipts from parties until SIGTERM; prints its URL, then a line on stderr for each request."""
    from tallystick.serving.bounds import Bounds
    from tallystick.serving.server import Hooks, Place
    from tallystick.serving.server import serve as serve_app
    from tallystick.web.receipts_box import ReceiptsBox, body_limit, receipts_app

    policy = None if trust is None else reading.read_policy(trust)
    box = ReceiptsBox(folder, policy)
    hooks = Hooks(on_started=_say, on_answer=_log)
    serve_app(receipts_app(box), Place(host=host, port=port), bounds=Bounds(), hooks=hooks, body_limit=body_limit)


def _say(url: str) -> None:
    output.line(url)
    sys.stdout.flush()


def _log(answered: "Answered") -> None:
    why = f" {answered.detail}" if answered.detail else ""
    streams.say(f"{answered.client} {answered.method} {answered.target[:120]} {answered.status}{why[:300]}")
