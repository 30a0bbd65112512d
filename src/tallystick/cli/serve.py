"""The log's service: notes in over HTTP, and all that is read of the log out.

    tallystick serve SOURCE --log-key FILE --port 8473

It writes the log, or stands by where another process does, and takes over when that one is gone. SIGTERM ends it: what
was taken is answered, the lock let go, and the status is 0.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import output, parameters, reading, streams
from tallystick.cli.statuses import AS_ASKED, FAILED
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.sources import WritableSource
    from tallystick.web.running import Writing

LETTING_GO_SECONDS = 1.0
READINGS = ("open", "parties", "own")


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)


def serve(
    source: parameters.LedgerSource,
    log_key: parameters.LogKey = None,
    next_log_key: parameters.NextLogKey = None,
    passphrase_file: parameters.LogKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    host: parameters.ListenHost = "127.0.0.1",
    port: parameters.ListenPort = 8473,
    read_by: Annotated[
        str | None,
        typer.Option("--reading", help="Who may read what: open, parties or own, as if not given.", metavar="RULE"),
    ] = None,
    urls: Annotated[
        list[str] | None, typer.Option("--url", help="What parties call it, to log in; once for each.", metavar="URL")
    ] = None,
    proxies: Annotated[
        list[str] | None,
        typer.Option("--proxy", help="An address whose X-Forwarded-For is believed; once for each.", metavar="ADDRESS"),
    ] = None,
    admin_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Where /metrics is; nowhere if it isn't given.")
    ] = None,
    admin_host: Annotated[str, typer.Option(help="The address of the port for /metrics.")] = "127.0.0.1",
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Log each request, not those alone that failed.")
    ] = False,
    processes: parameters.VerifyProcesses = 2,
    log_time: parameters.LogTime = None,
    accept_clock_jump: parameters.AcceptClockJump = False,
) -> None:
    """Serve a log over HTTP as its one writer; stand by while another process writes. SIGTERM ends it in order."""
    from tallystick.cli.moments import zone_of
    from tallystick.ledger.opening import stand_by
    from tallystick.ledger.settings import reading_rule
    from tallystick.serving.server import Place
    from tallystick.web.logs import lines_on_stderr
    from tallystick.web.reads import Reads
    from tallystick.web.running import Writing
    from tallystick.web.served_log import ServedLog, ServingSettings
    from tallystick.web.serving_log import serve_log

    rule = read_by or reading_rule(source)
    if rule not in READINGS:
        raise UsageError(f"--reading is one of {', '.join(READINGS)}")
    key, next_key = reading.load_log_keys(source, log_key, next_log_key, passphrase_file, passphrase_command)
    clock = reading.clock(log_time, lambda: zone_of(source))
    guard = reading.clock_guard(source, log_time, accept_jump=accept_clock_jump)
    follow = partial(stand_by, source, key, next_log_key=next_key, clock=clock, verify_processes=processes, guard=guard)
    vkeys = tuple([one.verifier.to_text() for one in (key, next_key) if one is not None])
    called, believed = tuple(urls or ()), tuple(proxies or ())
    settings = ServingSettings(key.name, vkeys, rule, policy=_policy(source), urls=called, proxies=believed)
    admin = None if admin_port is None else Place(host=admin_host, port=admin_port)
    with lines_on_stderr():
        writing = Writing(follow)
        writing.start()
        try:
            service = ServedLog(source, settings, writing, Reads.open(source), clock)
            place = Place(host=host, port=port)
            serve_log(service, place, admin=admin, on_started=_say, log_requests=log_requests)
        finally:
            _let_go(writing)


def _let_go(writing: "Writing") -> None:
    """Let go of the log; where a store hangs, its thread is left where it is, or the process would stay for ever."""
    if writing.stop(LETTING_GO_SECONDS):
        return
    if writing.has_ledger:
        streams.say(
            "tallystick: the store doesn't answer; the notes under way have no answer: send them again to find out "
            "what was kept"
        )
    sys.stdout.flush()
    os._exit(FAILED if writing.has_ledger else AS_ASKED)


def _policy(source: "WritableSource") -> str | None:
    """Return the trust policy that lies beside the log, if one does."""
    from tallystick.ledger.opening import POLICY
    from tallystick.sources import folder_of

    folder = folder_of(source)
    path = None if folder is None else folder / POLICY
    return reading.read_file(str(path)).decode("utf-8", "replace") if path is not None and path.is_file() else None


def _say(url: str) -> None:
    output.line(url)
    sys.stdout.flush()
