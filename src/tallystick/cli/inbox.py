"""What waits for my signature at the service: in plain words, who signed it, who is missing, and until when.

    inbox               the notes that wait
    inbox sign ID       shows one, signs it, leaves it for the others, or sends it if it is complete

A note lies outside the log until all have signed it. What is shown is read out of the very note that is signed.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import drafting, output, parameters
from tallystick.cli.sending import missing_in_words, named, send
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tallystick.cli.remote_place import RemotePlace
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey

ID_SHOWN = 12
"""Digits of an id that are printed, and enough to name a note."""


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="What waits for your signature at the service.", rich_markup_mode=None)
    group.callback(invoke_without_command=True)(inbox)
    group.command("sign", short_help="Sign a note that waits.")(sign)
    app.add_typer(group, name="inbox")


def inbox(
    context: typer.Context,
    profile: parameters.ProfileFile = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJson = False,
) -> None:
    """List what waits for your signature at the service, in plain words."""
    if context.invoked_subcommand is not None:
        return
    with _service(profile, {}, None, log_time) as (_, place, _keys):
        waiting = [*place.client.pending.list()]
        if as_json:
            from tallystick.wire.pending import listed

            output.print_json(listed(waiting))
            return
        for one in waiting:
            _print(one, place)
        if not waiting:
            output.line("nothing waits for your signature")


def sign(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="The id that `inbox` shows, or its beginning; or PARTY/REF.")
    ],
    yes: parameters.Yes = False,
    profile: parameters.ProfileFile = None,
    sign_with: parameters.SignWith = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJson = False,
) -> int:
    """Show a note that waits in plain words, sign it, and send it if all have signed."""
    from tallystick.forms.words import command_in
    from tallystick.signing.note import add_signatures

    options = {"passphrase_file": passphrase_file, "passphrase_command": passphrase_command}
    with _service(profile, options, sign_with, log_time) as (found, place, keys):
        one = named(id_, place.client.pending.list())
        note = place.client.pending.get(one["id"])
        fields = None if note is None else command_in(note)
        if note is None or fields is None:
            raise UsageError(f"{id_} doesn't wait any more: `tallystick inbox` lists what does")
        if not as_json:
            drafting.show(fields, place.zone, place.name_of)
            output.line(f"signed by {', '.join(one['signed_by'])}")
        if not drafting.confirm("Sign this, and send it if it is complete?", is_agreed=yes):
            output.notice("nothing was signed")
            return REFUSED
        said = place.client.pending.post(add_signatures(note, *keys()))
        if said["complete"]:
            whole = place.client.pending.get(one["id"])
            return send(whole or add_signatures(note, *keys()), found, place, as_json=as_json)
        if as_json:
            output.print_json(said)
        else:
            output.line(f"signed; {missing_in_words(said)}")
        return AS_ASKED


@contextmanager
def _service(
    profile: str | None, options: dict[str, Any], sign_with: "Sequence[str] | None", log_time: str | None
) -> "Iterator[tuple[Profile, RemotePlace, Callable[[], list[SigningKey]]]]":
    """Give the profile, its service, logged in, and the keys that sign.

    Raises:
        UsageError: the profile is of no service.
        ServerError: the login isn't taken.
    """
    from tallystick import profile as profiles
    from tallystick.cli.remote_place import RemotePlace

    found = profiles.load(profile, options)
    if not found.is_of_a_service:
        raise UsageError(
            "notes wait at a service: give its URL as source in your profile, or sign a file with `cosign`"
        )
    keys = drafting.keys_of(found, sign_with or ())
    place = RemotePlace(found, keys, log_time)
    try:
        place.login()
        yield found, place, keys
    finally:
        place.close()


def _print(one: dict[str, Any], place: "RemotePlace") -> None:
    """Print a note that waits: what it says, who is missing, and until when."""
    import json

    from tallystick.errors import MalformedError
    from tallystick.forms.words import in_words, shown_time
    from tallystick.vouchers.quantities import parse_instant
    from tallystick.vouchers.rulebook import parse_command

    text = str(one["text"])
    try:
        parse_command(text.encode())
        sentence = in_words(json.loads(text), place.zone, place.name_of).sentence
    except MalformedError as error:
        sentence = f"it can't be read: {error}"
    output.line(f"{str(one['id'])[:ID_SHOWN]}: {sentence}")
    until = shown_time(parse_instant(one["stale_at"]), place.zone)
    output.indented(f"  signed by {', '.join(one['signed_by'])}; {missing_in_words(one)}; to be sent before {until}")
