"""What a mirror does: hold a whole log for others, behind another administration. A draft, as C2SP tlog-mirror is.

mirror init DIR --name NAME --log VKEY...     makes a mirror's key and state
mirror serve DIR [--host HOST] [--port PORT]  takes entries over HTTP, and serves them
mirror push SOURCE --mirror URL               what the log does: brings its entries there
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import output, parameters, reading, streams
from tallystick.errors import UsageError
from tallystick.sources import AnySource, LedgerDatabase, LedgerFolder, parse_source

if TYPE_CHECKING:
    from tallystick.mirror.mirror import Mirror

MirrorFolder = Annotated[parameters.Folder, parameters.folder("The mirror's folder.")]
MirrorPassphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="The mirror's key's.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    mirror = typer.Typer(help="Hold logs for others (a draft).", no_args_is_help=True, rich_markup_mode=None)
    mirror.command("init", short_help="Make a mirror's key and state.")(init)
    mirror.command("serve", short_help="Take logs over HTTP, and serve them.")(serve)
    mirror.command("push", short_help="Bring a log's entries to a mirror.")(push)
    app.add_typer(mirror, name="mirror")


def init(
    folder: Annotated[parameters.Folder, parameters.folder("Made if it isn't there; must be empty.")],
    name: Annotated[str, typer.Option(help="What it signs as: a URL without the scheme, like mirror.example/m1.")],
    logs: Annotated[list[str], typer.Option("--log", help="The vkey of a log that it will hold; once for each.")],
    passphrase_file: parameters.NewKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    no_passphrase: parameters.NoPassphrase = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Make a mirror that holds nothing yet, and print the line for trust policies that names it."""
    from tallystick.mirror.mirror import create_mirror
    from tallystick.signing.keys import VerifierKey
    from tallystick.wire import made

    keys = [VerifierKey.from_text(text) for text in logs]
    passphrase = reading.new_passphrase(str(folder), passphrase_file, passphrase_command, no_passphrase=no_passphrase)
    vkey = create_mirror(folder, name, keys, passphrase, unencrypted=no_passphrase).to_text()
    if as_json:
        output.print_json(made.witness(str(folder), name, vkey))
    else:
        output.line(f"witness {name} {vkey}")


def serve(
    folder: MirrorFolder,
    host: parameters.ListenHost = "127.0.0.1",
    port: parameters.ListenPort = 0,
    passphrase_file: MirrorPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Take logs over HTTP, serve them as static files, and cosign what is whole, until interrupted; prints its URL."""
    from tallystick.mirror.server import mirror_server
    from tallystick.serving.server import Place

    def started(url: str) -> None:
        output.line(url)
        sys.stdout.flush()

    with _open_mirror(folder, passphrase_file, passphrase_command) as mirror:
        mirror_server(mirror, Place(host=host, port=port), streams.say, on_started=started).serve_blocking()
    streams.say("stopped")


def push(
    source: parameters.PublishedSource,
    url: Annotated[str, typer.Option("--mirror", help="The mirror's URL.")],
    trust: Annotated[
        Path | None, typer.Option(help="The trust policy that names the mirror; SOURCE/trust.policy if not given.")
    ] = None,
    show_to_all: Annotated[
        bool, typer.Option("--show-to-all", help="Do it though the log's reading isn't open: all may read.")
    ] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Bring a mirror what it lacks of the newest checkpoint's entries, and keep its cosignature beside the log."""
    from tallystick.ledger.opening import POLICY
    from tallystick.mirror.pushing import push as bring
    from tallystick.publishing.cosigning import keep_cosignatures
    from tallystick.publishing.proving import prove_consistency
    from tallystick.publishing.reader import read_ledger
    from tallystick.sources import folder_of
    from tallystick.static.web import WebFiles
    from tallystick.wire import made
    from tallystick.witness.asking import OldTree, SignedCheckpoint

    folder = folder_of(source)
    if trust is None and folder is None:
        raise UsageError("a ledger in a database has no trust policy beside it: give --trust POLICY")
    policy = reading.read_policy(trust or (folder or Path()) / POLICY)
    web = WebFiles(url)
    if not show_to_all:
        _check_all_may_read(source)
    with read_ledger(source) as reader:

        def prove(old_size: int) -> OldTree:
            proved = prove_consistency(reader, old_size)
            return OldTree(proved.old_root, proved.proof)

        signed = SignedCheckpoint.from_note(reader.checkpoint_note(), policy)
        try:
            pushed = bring(web, signed, policy, reader, prove)
        finally:
            web.close()
    kept = keep_cosignatures(source, signed.note, pushed.signatures, policy)
    names = [line.label for line in pushed.signatures]
    place = kept.place if kept.is_kept else None
    if as_json:
        output.print_json(made.pushed(signed.checkpoint, url, names, sent=pushed.sent, kept=place))
        return
    entries = f"{signed.checkpoint.size:,} entries, {pushed.sent:,} of them sent now"
    where = "" if place is None else f"; kept in {place}"
    output.line(f"{url} holds {entries}; cosigned by {', '.join(names)}{where}")


def _check_all_may_read(source: AnySource) -> None:
    """Refuse to hand a ledger's entries to all, if its service would show them to some."""
    from tallystick.ledger.settings import reading_rule

    place = parse_source(source)
    if isinstance(place, LedgerFolder | LedgerDatabase) and (rule := reading_rule(place)) != "open":
        raise UsageError(
            f"a mirror shows every entry to all who ask, and the reading of {place} is {rule}: if all may read it, set "
            'reading = "open", or give --show-to-all'
        )


def _open_mirror(folder: Path, passphrase_file: Path | None, passphrase_command: str | None) -> "Mirror":
    from tallystick.mirror.mirror import KEY, open_mirror

    if not (folder / KEY).is_file():
        raise UsageError(f"{folder} is no mirror: it has no {KEY}; `tallystick mirror init` makes one")
    key = reading.load_key(folder / KEY, passphrase_file, passphrase_command)
    return open_mirror(folder, key, lambda: int(time.time()))
