"""What a treasury, or any other signer, does: sign a command, see the balances.

    sign COMMAND.json --key KEY        balances SOURCE

What is signed is checked against the closed list of commands
first, so that a misspelt field is found at the desk and not by the log.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tallystick.cli import kinds, output, over_http, parameters, reading
from tallystick.cli.parameters import BalanceKind
from tallystick.errors import MalformedError, UsageError
from tallystick.named_files import NamedFile
from tallystick.printing.text import escaped
from tallystick.token_uris import key_place

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import Source
    from tallystick.views.lists import By

_SIGNATURE_LINE = "\n\n— ".encode()


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(sign)
    app.command()(balances)


def sign(
    command: Annotated[str, typer.Argument(help="JSON in any spacing, or a note to sign as well; - is stdin.")],
    keys: Annotated[
        list[parameters.KeyPlace],
        typer.Option(
            "--key",
            metavar="KEY",
            parser=key_place,
            help="A key file, or a PKCS#11 URI; once for each that signs.",
        ),
    ],
    passphrase_file: Annotated[
        list[Path] | None, typer.Option(help="One for all keys, or once for each in the same order.")
    ] = None,
    passphrase_command: Annotated[
        list[str] | None,
        typer.Option(metavar="PROGRAM", help="Prints the passphrase or PIN; run without a shell. As many as of those."),
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
    at = clock()
    _show(data, command, at)
    signed = _signed(data, command, reading.load_keys(keys, passphrase_file or [], passphrase_command or []), at)
    out.write(signed)


def balances(
    source: parameters.ReadSource,
    by: Annotated[BalanceKind, typer.Option(help="A row for each of these.")] = BalanceKind.PROGRAMME,
    as_of: parameters.AsOf = None,
    day: parameters.Day = None,
    fresh: parameters.Fresh = False,
    as_json: parameters.AsJsonInFen = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV; amounts in fen.")] = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    wide: parameters.Wide = False,
) -> None:
    """Show what is unissued, available, reserved, burned, withheld, claimed, paid and asked back; or what is left."""
    from tallystick.cli.views import open_answers
    from tallystick.forms.times import with_local_times

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other: give one")
    login = over_http.Login(key, passphrase_file, passphrase_command)
    if by is BalanceKind.ACCOUNT:
        _balances_by_account(source, login, as_of, day, as_json=as_json, as_csv=as_csv, wide=wide)
        return
    with open_answers(source, login, as_of, is_fresh=fresh, by_day=day) as asked:
        said = asked.balances(cast("By", by.value))
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


def _balances_by_account(
    source: "Source",
    login: over_http.Login,
    as_of: str | None,
    day: str | None,
    *,
    as_json: bool,
    as_csv: bool,
    wide: bool,
) -> None:
    """Show what lies in the accounts of journals: of the log's postings, whatever views say."""
    from tallystick.accounting.balances import balances_by_account
    from tallystick.cli.booked import open_booked
    from tallystick.forms.times import read_day
    from tallystick.wire.resources import balances as balances_object

    last_day = None if day is None else read_day(day)
    with open_booked(source, login, as_of) as booked:
        with booked.entries() as entries:
            answers = balances_by_account(entries, last_day)
        said = balances_object(BalanceKind.ACCOUNT, booked.size, answers)
        if as_json:
            output.print_json(said)
        elif as_csv:
            numbers = [row | {"balance": Decimal(row["balance"])} for row in said["balances"]]
            output.print_csv(_columns(BalanceKind.ACCOUNT), numbers)
        else:
            rows = [(one.account, one.balance, one.commodity) for one in answers]
            output.table(f"Balances by account {booked.as_of}", ("account", "balance ", ""), rows, wide=wide)


def _columns(by: BalanceKind) -> list[str]:
    if by is BalanceKind.ACCOUNT:
        from tallystick.accounting.balances import AccountBalance

        return [field.name for field in fields(AccountBalance)]
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


def _show(data: bytes, name: str, at: int) -> None:
    """Say on a terminal what is about to be signed, in plain words, times in UTC; elsewhere nobody reads it."""
    from tallystick.forms.words import in_words

    if sys.stderr.isatty():
        text = _text(data, name, at)
        for line in in_words(json.loads(text), 0).lines():
            sys.stderr.write(f"{escaped(line, sys.stderr.encoding)}\n")


def _text(data: bytes, name: str, at: int) -> bytes:
    """Return the text of a command, or of a note.

    Raises:
        UsageError: it is neither.
    """
    from tallystick.cli.command_files import read_fields
    from tallystick.signing.note import Note
    from tallystick.vouchers.rulebook import command_text, parse_command

    try:
        if _SIGNATURE_LINE not in data:
            return command_text(read_fields(data, at))
        text = Note.from_bytes(data).text
        parse_command(text)
    except MalformedError as error:
        raise UsageError(f"{name}: {error}") from None
    return text


def _signed(data: bytes, name: str, signers: "Sequence[SigningKey]", at: int) -> bytes:
    """Return a note of the command, or the note with more signatures."""
    from tallystick.signing.note import add_signatures, sign_text

    text = _text(data, name, at)
    try:
        return add_signatures(data, *signers) if _SIGNATURE_LINE in data else sign_text(text, *signers)
    except MalformedError as error:
        raise UsageError(f"{name}: {error}") from None
