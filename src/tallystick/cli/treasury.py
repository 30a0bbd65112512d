"""What a treasury, or any other signer, does: make a key, sign a command, see the balances.

    key new NAME -o FILE          sign COMMAND.json --key FILE        balances SOURCE

A private key never leaves its file, and is never shown. What is signed is checked against the closed list of commands
first, so that a misspelt field is found at the desk and not by the log.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, parameters, reading
from tallystick.cli.parameters import BalanceKind
from tallystick.errors import KeyFileError, MalformedError, UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey

_SIGNATURE_LINE = "\n\n— ".encode()


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    key = typer.Typer(help="Make keys.", no_args_is_help=True, rich_markup_mode=None)
    key.command("new", short_help="Make a key, and print its public half.")(key_new)
    key.callback()(lambda: None)
    app.add_typer(key, name="key")
    app.command()(sign)
    app.command()(balances)


def key_new(
    name: Annotated[
        str,
        typer.Argument(
            help="<party>/<label>, for example shanghai-treasury/officer-1; a log's origin for its own key."
        ),
    ],
    file: Annotated[Path, parameters.out("Where the key goes; nothing is overwritten.")],
    passphrase_file: parameters.NewKeyPassphrase = None,
    no_passphrase: parameters.NoPassphrase = False,
    log: Annotated[bool, typer.Option("--log", help="NAME is a log's origin, though it has no domain.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Make a private key, in a file that only you can read, and print its public half (vkey)."""
    from tallystick import keyfiles
    from tallystick.wire import made

    _check_key_name(name, is_log=log)
    if file.exists():  # before anybody types a passphrase twice for nothing
        raise KeyFileError(f"{file} exists already, and keys are never overwritten: choose another name")
    passphrase = reading.new_passphrase(str(file), passphrase_file, no_passphrase=no_passphrase)
    vkey = keyfiles.create(file, name, passphrase, unencrypted=no_passphrase).to_text()
    if as_json:
        output.print_json(made.key(str(file), name, vkey))
    else:
        output.line(vkey)


def _check_key_name(name: str, *, is_log: bool) -> None:
    """Refuse a name under which no key would ever be of use.

    Raises:
        UsageError: neither a party's key, nor a log's origin, which is told from a misspelt party by its domain.
    """
    from tallystick.vouchers.fields import KEY_NAME_PATTERN, ORIGIN_PATTERN

    has_domain = "." in name.partition("/")[0]
    if re.fullmatch(ORIGIN_PATTERN if is_log or has_domain else KEY_NAME_PATTERN, name, re.ASCII):
        return
    if is_log or has_domain:
        raise UsageError(
            f"{name!a:.80} is no log's origin: 1 to 255 letters, digits and signs of ASCII, without + or blank"
        )
    raise UsageError(
        f"{name!a:.80} is no name for a key: a party's key is called <party>/<label>, like guian-cluster/meter-1, both "
        "of a-z, 0-9 and -, not beginning with -, the party at most 63 and the label at most 31 characters; a log's is "
        "called as the log, like tallystick.example/national"
    )


def sign(
    command: Annotated[str, typer.Argument(help="JSON in any spacing, or a note to sign as well; - is stdin.")],
    keys: Annotated[list[Path], typer.Option("--key", help="A key file; once for each that signs.")],
    passphrase_file: Annotated[
        list[Path] | None, typer.Option(help="One for all keys, or once for each in the same order.")
    ] = None,
    note: Annotated[str, parameters.out("Where the note goes; - is stdout.")] = "-",
    signed_at: Annotated[
        str | None,
        typer.Option(
            help="The time to fill in instead of now, for rehearsals: 2026-01-05T08:00:00Z, …T16:00:00+08:00."
        ),
    ] = None,
    force: parameters.Force = False,
) -> None:
    """Sign a command; without "signed_at" the present time is filled in."""
    clock = reading.clock(signed_at)
    out = NamedFile(note, kinds.SIGNED_COMMAND, force=force)
    data = reading.read_file(command)
    signed = _signed(data, command, reading.load_keys(keys, passphrase_file or []), clock())
    out.write(signed)


def balances(
    source: parameters.ReadSource,
    by: Annotated[BalanceKind, typer.Option(help="A row for each of these.")] = BalanceKind.PROGRAMME,
    as_of: parameters.AsOf = None,
    day: parameters.Day = None,
    fresh: parameters.Fresh = False,
    as_json: parameters.AsJsonInFen = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV; amounts in fen.")] = False,
    wide: parameters.Wide = False,
) -> None:
    """Show what is unissued, available, reserved, burned, withheld, claimed, paid and asked back; or what is left."""
    from tallystick.cli.views import open_views
    from tallystick.forms.times import with_local_times
    from tallystick.wire.resources import balances as balances_by

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other: give one")
    with open_views(source, as_of, is_fresh=fresh, by_day=day) as asked:
        said = balances_by(by.value, asked.views.size, asked.views.balances(by.value))
        rows = said["balances"]
        columns = _columns(by)
        if as_json:
            output.print_json(said)
        elif as_csv:
            output.print_csv(columns, rows)
        else:
            output.rows(
                f"Balances by {by.value} {asked.as_of}",
                with_local_times(rows, asked.zone),
                columns=columns,
                headings=output.PROGRAMME_HEADINGS if by in (BalanceKind.PROGRAMME, BalanceKind.TREASURY) else None,
                wide=wide,
            )
            if not rows:
                output.line(f"there is no {by.value} yet")
        asked.say_when()


def _columns(by: BalanceKind) -> list[str]:
    from tallystick import views

    rows = {
        BalanceKind.PROGRAMME: views.ProgrammeBalance,
        BalanceKind.HOLDER: views.HolderBalance,
        BalanceKind.PROVIDER: views.ProviderBalance,
        BalanceKind.VOUCHER: views.VoucherBalance,
        BalanceKind.CONTRACT: views.ContractBalance,
        BalanceKind.APPLICATION: views.ApplicationBalance,
        BalanceKind.MANDATE: views.MandateBalance,
        BalanceKind.CLAIM: views.ClaimBalance,
        BalanceKind.DEMAND: views.DemandBalance,
        BalanceKind.PAYEE: views.PayeeBalance,
        BalanceKind.TREASURY: views.TreasuryBalance,
    }
    return [field.name for field in fields(rows[by])]


def _signed(data: bytes, name: str, signers: "Sequence[SigningKey]", at: int) -> bytes:
    """Return a note of the command, or the note with more signatures."""
    from tallystick.cli.command_files import read_fields
    from tallystick.signing.note import Note, add_signatures, sign_text
    from tallystick.vouchers.rulebook import command_text, parse_command

    try:
        if _SIGNATURE_LINE in data:
            parse_command(Note.from_bytes(data).text)
            return add_signatures(data, *signers)
        return sign_text(command_text(read_fields(data, at)), *signers)
    except MalformedError as error:
        raise UsageError(f"{name}: {error}") from None
