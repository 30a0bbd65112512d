"""The explorer: a log's pages in a browser on this machine, from any source, read-only.

tallystick explore SOURCE --port 8474
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import sys
from typing import TYPE_CHECKING

import typer

from tallystick.cli import output, parameters, streams
from tallystick.cli.policy_beside import policy_beside
from tallystick.errors import NotALedgerError, ViewsUnusableError

if TYPE_CHECKING:
    from tallystick.web.reads import Reads

HOST = "127.0.0.1"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(explore)


def explore(
    source: parameters.ReadSource,
    host: parameters.ListenHost = HOST,
    port: parameters.ListenPort = 8474,
    report: parameters.ShownReport = None,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Show a log's pages in a browser, read-only: of a ledger, an export, or a service that you may read."""
    from tallystick.cli import over_http
    from tallystick.ledger.submit import system_clock
    from tallystick.serving.server import Place as Listening
    from tallystick.views.follow import place_in_cache, place_of_views
    from tallystick.web.exploring import explore as show
    from tallystick.web.pages.page import Place
    from tallystick.web.reads import Reads
    from tallystick.web.report_file import ReportFile

    opened = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    try:
        views_path = place_of_views(opened)
    except ViewsUnusableError:
        views_path = place_in_cache(opened)
    shown, policy = None if report is None else ReportFile(report), policy_beside(opened)
    place = Place(is_read_only=True, has_logins=False, report=shown, policy=policy)
    reads = Reads.open(opened, views_path)
    try:
        _follow(reads)
        show(reads, place, Listening(host=host, port=port), system_clock, _say)
    finally:
        reads.close()


def _follow(reads: "Reads") -> None:
    """Make the views, or say why they can't be made: what is of the log alone is shown all the same."""
    try:
        with output.progress("Reading the log") as progress:
            reads.views.follow(progress)
    except NotALedgerError as error:
        streams.say(f"tallystick: {error}; pages of the log alone are shown")


def _say(url: str) -> None:
    output.line(url)
    sys.stdout.flush()
