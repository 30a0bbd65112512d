"""What the operator of a log does: create it, export it for others, and try it all out.

    ledger create DIR --genesis NOTE --log-key FILE      export SOURCE DIR      demo [DIR]
    ledger backup SOURCE DIR      ledger restore BACKUP TARGET      ledger rekey SOURCE (rekeying.py)

The operator's key signs checkpoints. It can't invent, change or drop what a party signed: an audit shows it.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import answers, kinds, output, over_http, parameters, reading
from tallystick.cli.rekeying import ledger_rekey
from tallystick.cli.statuses import REFUSED
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.publishing.proven_copy import Copied


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    ledger = typer.Typer(
        help="Make ledgers, back them up, restore them, change their keys.", no_args_is_help=True, rich_markup_mode=None
    )
    ledger.command("create", short_help="Found a network in a new ledger.")(ledger_create)
    ledger.command("backup", short_help="Copy a ledger, which may be in use, or what it has more.")(ledger_backup)
    ledger.command("restore", short_help="Make a new ledger of a backup.")(ledger_restore)
    ledger.command("rekey", short_help="Change the log's key, step by step.")(ledger_rekey)
    ledger.callback()(lambda: None)
    app.add_typer(ledger, name="ledger")
    app.command()(export)
    app.command()(demo)


def ledger_create(
    source: parameters.NewLedgerSource,
    genesis: Annotated[str, typer.Option(help="The signed network.found note; - is stdin.")],
    log_key: Annotated[
        parameters.KeyPlace, parameters.key_option("The key that signs checkpoints; its name is the log's origin.")
    ],
    passphrase_file: Annotated[
        Path | None, typer.Option(help="The log key's; a ledger folder's settings remember where it is.")
    ] = None,
    passphrase_command: parameters.PassphraseCommand = None,
    policy: Annotated[
        str | None,
        typer.Option(help="Where the trust policy goes; DIR/trust.policy for a folder, else it is printed."),
    ] = None,
    log_time: parameters.LogTime = None,
    force: parameters.Force = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Found a network in a new ledger, and write the trust policy to hand out.

    SOURCE is a folder, or the URL of a PostgreSQL database: postgresql://owner@host:5432/database. There a schema is
    made, and the roles DATABASE_writer, DATABASE_views and DATABASE_auditor, for you to grant to those who log in.
    """
    from tallystick.ledger.opening import POLICY, create_ledger
    from tallystick.ledger.settings import write_settings
    from tallystick.sources import folder_of
    from tallystick.transparency.policy import Policy
    from tallystick.wire import made

    note = reading.read_file(genesis)
    key = reading.load_key(log_key, passphrase_file, passphrase_command)
    clock = reading.clock(log_time, lambda: _zone_of(note, key.verifier.name))
    _refuse_a_bad_genesis(genesis, note, key.verifier.name, clock())
    folder = folder_of(source)
    if folder is not None and policy is not None:
        raise UsageError(f"the trust policy of a folder goes to {folder / POLICY}: leave --policy out")
    out = None if policy in (None, "-") else NamedFile(policy, kinds.POLICY, force=force)
    with create_ledger(source, note, key, clock=clock) as ledger:
        origin = ledger.origin
    text = Policy.for_log(key.verifier).to_text()
    if folder is not None:
        write_settings(folder, origin, log_key, passphrase_file, passphrase_command)
        policy = str(folder / POLICY)
    elif out is not None:
        out.write(text)
    vkey = key.verifier.to_text()
    if as_json:
        is_folder = folder is not None
        said = made.ledger(str(source), origin, vkey, is_folder=is_folder, policy=policy, policy_text=text.decode())
        output.print_json(said)
        return
    output.line(f"{source}: the ledger of {origin}")
    output.fields("", [("log's vkey", vkey), *([("policy", policy)] if policy is not None else [])])
    if policy is None:
        output.text(text.decode())


def _zone_of(note: bytes, origin: str) -> int:
    """Return the offset in seconds that a founding's note says; 0 of what will be refused."""
    from tallystick.vouchers.admit import read_note
    from tallystick.vouchers.refusals import Refusal
    from tallystick.vouchers.rules.network import NetworkFound

    signed = read_note(note, origin)
    command = None if isinstance(signed, Refusal) else signed.command
    return command.utc_offset_seconds if isinstance(command, NetworkFound) else 0


def _refuse_a_bad_genesis(name: str, note: bytes, origin: str, at: int) -> None:
    """End with a refusal before anything is made: it is told from a failure so, and leaves nothing behind."""
    from tallystick.ledger.checking import check_notes
    from tallystick.vouchers.refusals import Refusal
    from tallystick.vouchers.state import State

    answers.show_faults()
    (answer,) = check_notes(lambda: State.empty(origin), [note], at)
    if isinstance(answer, Refusal):
        output.line(f"{name}: refused: {answer}")
        raise typer.Exit(REFUSED)


def ledger_backup(
    source: parameters.ReadSource,
    folder: Annotated[
        parameters.Folder,
        parameters.folder("New or empty; an earlier backup is added to.", reading.new_backup_of),
    ],
    trust: parameters.LogKeyTrust = None,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Copy a ledger into a folder, and prove each group of entries before it is kept.

    The folder is a ledger itself, for reading: audit it. Keys are not in it, nor the settings that say where they are.
    """
    from tallystick.publishing.backup import backup_ledger

    policy = None if trust is None else reading.read_policy(trust)
    read_from = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    with output.progress("Backing up") as progress:
        copied = backup_ledger(read_from, folder, policy=policy, progress=progress)
    _print_copied(str(folder), copied, as_json=as_json)


def ledger_restore(
    backup: Annotated[
        parameters.Folder,
        parameters.folder("A folder that `ledger backup` made.", reading.backup_of, metavar="BACKUP"),
    ],
    target: parameters.RestoreTarget,
    trust: parameters.LogKeyTrust = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Make a new ledger of a backup: all of it, or none.

    Make sure first that the old writer is gone, and before anything is written that nothing newer was answered for:
    audit it with the receipts that were given, and ask the witnesses. docs/backup.md has the steps.
    """
    from tallystick.publishing.backup import restore_ledger

    policy = None if trust is None else reading.read_policy(trust)
    with output.progress("Restoring") as progress:
        copied = restore_ledger(backup, target, policy=policy, progress=progress)
    _print_copied(str(target), copied, as_json=as_json)


def _print_copied(place: str, copied: "Copied", *, as_json: bool) -> None:
    from tallystick.wire import made

    if as_json:
        output.print_json(made.copy(place, copied))
        return
    output.line(
        f"{place}: {copied.size:,} entries of {copied.origin}, {copied.new_entries:,} of them new, under "
        f"{copied.checkpoints:,} checkpoints"
    )
    if not copied.are_signatures_checked:
        output.line("who signed the checkpoints was not checked, for want of a trust policy: give --trust FILE")


def export(
    source: parameters.ReadSource,
    folder: Annotated[parameters.Folder, parameters.folder("Made if it isn't there; an earlier export is added to.")],
    states_every: Annotated[
        int | None,
        typer.Option(min=1, help="Also write a saved state every so many entries, for `audit --segments`."),
    ] = None,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write the log as static files (C2SP tlog-tiles) for mirrors, witnesses and auditors."""
    from tallystick.publishing.export import export_tiles
    from tallystick.publishing.reader import read_ledger
    from tallystick.publishing.verify_page import verify_page

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    read_from = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    with read_ledger(read_from) as reader, output.progress("Exporting") as progress:
        new = export_tiles(reader, folder, progress, verify_page(), states_every)
        output.line(f"{folder}: {reader.size:,} entries of {reader.origin}, {new:,} of them new")


def demo(
    folder: Annotated[parameters.Folder, parameters.folder("Must be empty or not there.", metavar="[DIR]")] = Path(
        "tallystick-demo"
    ),
    jobs: Annotated[Path | None, typer.Option(help="A CSV: timestamp, duration, num_gpus, gpu_time, cluster.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many jobs.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed tells another story.")] = 1,
    dishonest: Annotated[
        bool, typer.Option("--dishonest", help="Hide five frauds that no rule refuses, and see them by their patterns.")
    ] = False,
    wide: parameters.Wide = False,
) -> None:
    """Play a year of the network, audit it, tamper with a copy and audit that; status 0 if only the copy failed."""
    from tallystick.demo import run_demo

    console = output.console(wide=wide)
    if not run_demo(folder, jobs=jobs, limit=limit, seed=seed, dishonest=dishonest, console=console):
        raise typer.Exit(REFUSED)
