"""The log's service: notes in over HTTP, and all that is read of the log out.

    tallystick serve SOURCE --log-key FILE --port 8473

It writes the log, or stands by where another process does, and takes over when that one is gone. SIGTERM ends it: what
was taken is answered, the lock let go, and the status is 0.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import output, parameters, reading, streams
from tallystick.cli.policy_beside import policy_beside
from tallystick.cli.statuses import AS_ASKED, FAILED
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import WritableSource
    from tallystick.web.running import Writing

LETTING_GO_SECONDS = 1.0
HOST = "127.0.0.1"
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
    host: parameters.ListenHost = HOST,
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
    admin_host: Annotated[str, typer.Option(help="The address of the port for /metrics.")] = HOST,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Log each request, not those alone that failed.")
    ] = False,
    report: parameters.ShownReport = None,
    processes: parameters.VerifyProcesses = 2,
    log_time: parameters.LogTime = None,
    accept_clock_jump: parameters.AcceptClockJump = False,
) -> None:
    """Serve a log over HTTP as its one writer; stand by while another process writes. SIGTERM ends it in order."""
    import tallystick.web.serving_log  # noqa: F401 - what isn't installed is said before anything is read

    rule = _rule(source, read_by)
    keys = reading.load_log_keys(source, log_key, next_log_key, passphrase_file, passphrase_command)
    called, believed = tuple(urls or ()), tuple(proxies or ())
    options = ServeOptions(host, port, rule, called, believed, admin_port, admin_host, log_requests, processes)
    options = replace(options, log_time=log_time, accept_clock_jump=accept_clock_jump, report=report)
    serve_with(source, keys, options)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How a log is served: the options of `serve` of these names."""

    host: str = HOST
    port: int = 8473
    read_by: str | None = None
    urls: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    admin_port: int | None = None
    admin_host: str = HOST
    log_requests: bool = False
    processes: int = 2
    log_time: str | None = None
    accept_clock_jump: bool = False
    report: Path | None = None


def serve_with(source: "WritableSource", keys: "tuple[SigningKey, SigningKey | None]", options: ServeOptions) -> None:
    """Serve a log until SIGTERM.

    Args:
        source: where it is.
        keys: the log's, and its next one while that changes.
        options: how.

    Raises:
        UsageError: options that don't fit.
        LedgerError: the log can't be read.
    """
    from tallystick.cli.moments import zone_of
    from tallystick.ledger.opening import stand_by
    from tallystick.serving.server import Place
    from tallystick.web.logs import lines_on_stderr
    from tallystick.web.reads import Reads
    from tallystick.web.running import Writing
    from tallystick.web.served_log import ServedLog, ServingSettings
    from tallystick.web.serving_log import serve_log

    rule = _rule(source, options.read_by)
    key, next_key = keys
    clock = reading.clock(options.log_time, lambda: zone_of(source))
    guard = reading.clock_guard(source, options.log_time, accept_jump=options.accept_clock_jump)
    follow = partial(
        stand_by, source, key, next_log_key=next_key, clock=clock, verify_processes=options.processes, guard=guard
    )
    vkeys = tuple([one.verifier.to_text() for one in keys if one is not None])
    called, believed = options.urls, options.proxies
    settings = ServingSettings(
        key.name, vkeys, rule, policy=policy_beside(source), urls=called, proxies=believed, report=options.report
    )
    admin = None if options.admin_port is None else Place(host=options.admin_host, port=options.admin_port)
    with lines_on_stderr():
        writing = Writing(follow)
        writing.start()
        try:
            service = ServedLog(source, settings, writing, Reads.open(source), clock)
            place = Place(host=options.host, port=options.port)
            serve_log(service, place, admin=admin, on_started=_say, log_requests=options.log_requests)
        finally:
            _let_go(writing)


def _rule(source: "WritableSource", read_by: str | None) -> str:
    """Return who may read what.

    Raises:
        UsageError: there is no such rule.
        NotALedgerError: the settings can't be read.
    """
    from tallystick.ledger.settings import reading_rule

    rule = read_by or reading_rule(source)
    if rule not in READINGS:
        raise UsageError(f"--reading is one of {', '.join(READINGS)}")
    return rule


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


def _say(url: str) -> None:
    output.line(url)
    sys.stdout.flush()
