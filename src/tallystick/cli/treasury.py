"""What a treasury does, and whoever else signs: make a key, sign a command, see the balances.

    key new NAME -o FILE          sign COMMAND.json --key FILE        balances SOURCE

A private key never leaves its file, and is never shown. What is signed is checked against the closed list of commands
first, so that a misspelt field is found at the desk and not by the log.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import csv
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import kinds, output, reading
from tallystick.errors import CanonicalJsonError, KeyFileError, MalformedError, UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey

_DIGITS_MAX = 100
_ANSWER_SIZE_LEAST = 4  # bytes that an entry has beside a line: what it costs, and whom
_ANSWER_SIZE = 24
_SIGNED_SIZE = 200  # bytes of a header and of one signature
_SIGNATURE_LINE = "\n\n— ".encode()


class By(StrEnum):
    """What balances are listed by."""

    PROGRAMME = "programme"
    HOLDER = "holder"
    PROVIDER = "provider"
    VOUCHER = "voucher"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    key = typer.Typer(help="Make keys.", no_args_is_help=True, rich_markup_mode=None)
    key.command("new", short_help="Make a key, and print its public half.")(key_new)
    key.callback()(lambda: None)
    app.add_typer(key, name="key")
    app.command(short_help="Sign a command, or add a signature to a note.")(sign)
    app.command(short_help="Show balances, now or as of another time.")(balances)


def key_new(
    name: Annotated[
        str,
        typer.Argument(
            help="<party>/<label>, for example shanghai-treasury/officer-1; a log's origin for its own key."
        ),
    ],
    file: Annotated[Path, typer.Option("--out", "-o", help="Where the key goes; nothing is overwritten.")],
    passphrase_file: Annotated[Path | None, typer.Option(help="Its first line locks the key.")] = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key unlocked: whoever copies the file can sign with it.")
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="NAME is a log's origin, though it has no domain.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a private key, in a file that only you can read, and print its public half (vkey)."""
    from tallystick import keyfiles

    if no_passphrase and passphrase_file is not None:
        raise UsageError("--no-passphrase and --passphrase-file exclude each other: give one")
    _check_key_name(name, is_log=log)
    if no_passphrase:
        vkey = keyfiles.create(file, name, None, unencrypted=True).to_text()
    elif passphrase_file is not None:
        vkey = keyfiles.create(file, name, reading.read_passphrase(passphrase_file)).to_text()
    elif file.exists():  # before anybody types a passphrase twice for nothing
        raise KeyFileError(f"{file} exists already, and keys are never overwritten: choose another name")
    else:
        vkey = keyfiles.create(file, name, reading.ask_new_passphrase(str(file))).to_text()
    if as_json:
        output.print_json({"key_file": str(file), "name": name, "vkey": vkey})
    else:
        output.line(vkey)


def _check_key_name(name: str, *, is_log: bool) -> None:
    """Refuse a name under which no key would ever be of use.

    Raises:
        UsageError: neither a party's key, nor a log's origin, which is told from a misspelt party by its domain.
    """
    from tallystick.vouchers.commands import KEY_NAME_PATTERN, ORIGIN_PATTERN

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
    note: Annotated[str, typer.Option("--out", "-o", help="Where the note goes; - is stdout.")] = "-",
    at: Annotated[
        str | None, typer.Option(help="The time to fill in instead of now, for rehearsals: 2026-01-05T08:00:00Z.")
    ] = None,
    force: reading.Force = False,
) -> None:
    """Sign a command; without "signed_at" the present time is filled in."""
    clock = reading.clock(at)
    out = NamedFile(note, kinds.SIGNED_COMMAND, force=force)
    data = reading.read_file(command)
    signed = _signed(data, command, reading.load_keys(keys, passphrase_file or []), clock())
    out.write(signed)


def balances(
    source: Annotated[str, typer.Argument(help="A ledger folder, an exported folder, or the URL of one.")],
    by: Annotated[By, typer.Option(help="A row for each of these.")] = By.PROGRAMME,
    at: Annotated[str | None, typer.Option(help="As of an entry's index, or a time like 2026-01-05T08:00:00Z.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; amounts in fen.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV; amounts in fen.")] = False,
) -> None:
    """Show what is unissued, available, reserved, burned, claimed and paid."""
    from tallystick.cli.views import open_views, with_times_as_text

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other: give one")
    with open_views(source, at) as views:
        rows = with_times_as_text([asdict(row) for row in views.balances(by.value)])
        size = views.size
    if as_json:
        output.print_json({"by": by.value, "entries": size, "balances": rows})
    elif as_csv:
        _print_csv(rows)
    else:
        output.rows(f"Balances by {by.value} after {size:,} entries, in yuan", rows)


def _print_csv(rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _signed(data: bytes, name: str, signers: "Sequence[SigningKey]", at: int) -> bytes:
    """Return a note of the command, or the note with more signatures."""
    from tallystick.signing.note import Note, add_signatures, sign_text
    from tallystick.vouchers.commands import command_text, parse_command

    try:
        if _SIGNATURE_LINE in data:
            parse_command(Note.from_bytes(data).text)
            return add_signatures(data, *signers)
        fields = _fields(data, at)
        _refuse_a_long_statement(fields)
        return sign_text(command_text(fields), *signers)
    except MalformedError as error:
        raise UsageError(f"{name}: {error}") from None


def _refuse_a_long_statement(fields: dict[str, Any]) -> None:
    """Say of a statement that can't be an entry how many of its lines can.

    Raises:
        CanonicalJsonError: it is too long.
    """
    from tallystick.vouchers.entry import ENTRY_SIZE_MAX

    lines = fields.get("lines")
    if not isinstance(lines, list) or len(lines) < 2:
        return
    size = len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if size + len(lines) * _ANSWER_SIZE_LEAST + _SIGNED_SIZE <= ENTRY_SIZE_MAX:
        return
    fitting = ENTRY_SIZE_MAX * len(lines) // (size + len(lines) * _ANSWER_SIZE)
    raise CanonicalJsonError(
        f"a statement of {len(lines):,} lines is longer than the {ENTRY_SIZE_MAX:,} bytes of an entry: split it into "
        f"statements of about {max(1, fitting // 10 * 10 or fitting):,} lines, each with a ref of its own"
    )


def _fields(data: bytes, at: int) -> dict[str, Any]:
    """Return a command's fields from JSON in any spacing, `signed_at` filled in."""
    from tallystick.vouchers.quantities import format_instant

    if not data.strip():
        raise CanonicalJsonError("the file is empty: it should hold one JSON object, or a note")
    try:
        value = json.loads(data, object_pairs_hook=_without_repetition, parse_int=_integer)
    except RecursionError:
        raise CanonicalJsonError("JSON nested too deeply") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CanonicalJsonError(f"not JSON, and not a note: {error}") from None
    if not isinstance(value, dict):
        raise CanonicalJsonError("a command is one JSON object")
    return {"signed_at": format_instant(at)} | value


def _integer(digits: str) -> int:
    """Refuse what no integer of a command can be, before Python refuses to read it."""
    if len(digits) > _DIGITS_MAX:
        raise CanonicalJsonError(f"an integer of {len(digits):,} digits is far beyond 9,007,199,254,740,991")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a field given twice: the signer would see one value and the log another."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise CanonicalJsonError("a field is given twice")
    return value
