"""Keys: made, looked at, and given another passphrase.

    key new NAME -o FILE | --token URI        key show KEY        key passphrase FILE
    key login KEY --url URL --log ORIGIN

A private key never leaves its file or its token, and is never shown. A KEY is a file, or a PKCS#11 URI that names a key
in a token (`tallystick.token_uris`).
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, parameters, reading
from tallystick.cli.new_keys import Lock, wanted_key
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.signing.keys import VerifierKey
    from tallystick.token_uris import TokenUri


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    key = typer.Typer(help="Make keys and look after them.", no_args_is_help=True, rich_markup_mode=None)
    key.command("new", short_help="Make a key, and print its public half.")(new)
    key.command("show", short_help="Print a key's public half.")(show)
    key.command("passphrase", short_help="Change the passphrase of a key file.")(passphrase)
    key.command("login", short_help="Print a note by which a browser logs in.")(login)
    app.add_typer(key, name="key")


def new(
    name: Annotated[
        str,
        typer.Argument(
            help="<party>/<label>, for example shanghai-treasury/officer-1; a log's origin for its own key."
        ),
    ],
    file: Annotated[Path | None, parameters.out("Where the key goes; nothing is overwritten.")] = None,
    token: parameters.NewKeyToken = None,
    passphrase_file: parameters.NewKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    no_passphrase: parameters.NoPassphrase = False,
    log: Annotated[bool, typer.Option("--log", help="NAME is a log's origin, though it has no domain.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Make a private key, in a file that only you can read or in a token, and print its public half (vkey).

    For a token, the passphrase is its PIN.
    """
    _check_key_name(name, is_log=log)
    if (file is None) == (token is None):
        raise UsageError("say where the key goes: give either -o FILE or --token URI")
    lock = Lock(passphrase_file, passphrase_command, no_passphrase)
    _print_key(*wanted_key(name, file, token, lock).make(), as_json)


def show(
    key: Annotated[parameters.KeyPlace, parameters.key_argument("The key.")],
    passphrase_file: parameters.LogKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Print a key's public half (vkey). A file needs no passphrase for it; few tokens need their PIN."""
    from tallystick import keyfiles

    if isinstance(key, Path):
        _print_key(keyfiles.show(key), key, as_json)
        return
    from tallystick import token_keys

    pin = reading.given_passphrase(passphrase_file, passphrase_command)
    _print_key(token_keys.show(key, None if pin is None else lambda token: pin), key, as_json)


def passphrase(
    file: Annotated[Path, typer.Argument(help="The key file.")],
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Its first line is the present passphrase; else it is asked for.")
    ] = None,
    passphrase_command: parameters.PassphraseCommand = None,
    new_passphrase_file: Annotated[Path | None, typer.Option(help="Its first line is the new one.")] = None,
    new_passphrase_command: Annotated[
        str | None, typer.Option(metavar="PROGRAM", help="Prints the new one; run without a shell.")
    ] = None,
    no_passphrase: parameters.NoPassphrase = False,
) -> None:
    """Lock a key file with another passphrase; the key, its name and its vkey stay.

    Copies of the file keep the old passphrase: a key whose passphrase became known is revoked, not locked anew.
    """
    from tallystick import keyfiles

    old = reading.given_passphrase(passphrase_file, passphrase_command)
    if old is None and keyfiles.is_locked(file):
        old = reading.ask_passphrase(str(file))
    keyfiles.load(file, old)  # before a new one is asked for
    secret = reading.new_passphrase(
        f"{file}, the new one", new_passphrase_file, new_passphrase_command, no_passphrase=no_passphrase
    )
    keyfiles.change_passphrase(file, old, secret, unencrypted=no_passphrase)


def login(
    key: Annotated[parameters.KeyPlace, parameters.key_argument("A key of your party, for signing or for reading.")],
    url: Annotated[str, typer.Option(metavar="URL", help="The service, as your browser's address bar has it.")],
    log: Annotated[str, typer.Option(metavar="ORIGIN", help="The log's origin.")],
    hours: Annotated[int, typer.Option(min=1, max=12, help="For how long the browser may read.")] = 8,
    note: Annotated[str, parameters.out("Where the note goes; - is stdout.")] = "-",
    signed_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it is signed, instead of now; for rehearsals.")
    ] = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    force: parameters.Force = False,
) -> None:
    """Print a note by which a browser logs in: paste it into the service's login page within ten minutes.

    Who has the note can read as your party until it is over, at that service alone; it commands nothing.
    """
    from tallystick.signing.note import sign_text
    from tallystick.vouchers.quantities import SECOND_US
    from tallystick.vouchers.sessions import audience_of, session_text

    if not url.lower().startswith(("https://", "http://")):
        raise UsageError(f"{url!a:.80} is no service's URL: it begins with https:// or http://")
    clock, out = reading.clock(signed_at), NamedFile(note, kinds.SIGNED_COMMAND, force=force)
    signer = reading.load_key(key, passphrase_file, passphrase_command)
    now = clock()
    party = signer.name.partition("/")[0]
    text = session_text(log, party, audience_of(url), now, now + hours * 3_600 * SECOND_US)
    out.write(sign_text(text, signer))


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


def _print_key(verifier: "VerifierKey", place: "Path | TokenUri", as_json: bool) -> None:
    from tallystick.wire import made

    vkey = verifier.to_text()
    if as_json:
        output.print_json(made.key(str(place), verifier.name, vkey, is_file=isinstance(place, Path)))
    else:
        output.line(vkey)
