"""A second signature: what is signed is shown in plain words first, and who has signed it already.

    cosign NOTE              adds your signature to a note, in its own file
    cosign NOTE --send       and sends it, once all have signed

A note comes from `do KIND --prepare`, or from anybody. Nothing else is needed: without a service or a ledger at hand
the words have ids alone, and times in your profile's zone.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import drafting, kinds, output, parameters, reading
from tallystick.cli.sending import send
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.cli.places import Place
    from tallystick.profile import Profile


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(cosign)


def cosign(
    notes: Annotated[
        list[str], typer.Argument(metavar="NOTE...", help="Notes that somebody signed already; - is stdin.")
    ],
    send_it: Annotated[bool, typer.Option("--send", help="Send it to your service or ledger, signed by all.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Another file for the only note; - is stdout.")
    ] = None,
    yes: parameters.Yes = False,
    profile: parameters.ProfileFile = None,
    source: parameters.ProfileSource = None,
    sign_with: parameters.SignWith = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    policy: parameters.ProfilePolicy = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJson = False,
) -> int:
    """Add your signature to notes, once you have read in plain words what each says."""
    from tallystick.cli.place_opening import open_place
    from tallystick.signing.note import add_signatures

    found = drafting.profile_of(profile, source, policy, passphrase_file, passphrase_command)
    keys = drafting.keys_of(found, sign_with or ())
    if out is not None and len(notes) > 1:
        raise UsageError(f"--out is for one note, and there are {len(notes)}")
    with ExitStack() as open_now:
        place = None
        if found.source is not None:
            place = open_place(found, keys, log_time)
            open_now.callback(place.close)
        if send_it and place is None:
            raise UsageError("where does this go? give --source, or write a profile with `tallystick init`")
        read = []
        for note in notes:
            data = reading.read_file(note)
            fields = _fields(data, note, found, place)
            read.append((data, fields, NamedFile(out or note, kinds.SIGNED_COMMAND)))
        for data, fields, _ in read:
            _show(data, fields, found, place)
        what = "this" if len(read) == 1 else f"these {len(read)}"
        if not drafting.confirm(f"Sign{' and send' if send_it else ''} {what}?", is_agreed=yes):
            output.notice("nothing was signed")
            return REFUSED
        statuses = []
        for data, _, file in read:
            signed = add_signatures(data, *keys())
            file.write(signed)
            if send_it and place is not None:
                statuses.append(send(signed, found, place, as_json=as_json))
            else:
                output.line_about(file, f"{file.name}: signed")
        return max(statuses, default=AS_ASKED)


def _fields(data: bytes, name: str, profile: "Profile", place: "Place | None") -> dict[str, Any]:
    """Return what a note says.

    Raises:
        UsageError: it is no note of a command, or of another log than the profile's.
    """
    from tallystick.forms.words import command_in

    fields = command_in(data)
    if fields is None:
        raise UsageError(f"{name} is no signed command: `tallystick do` writes one")
    log = profile.log or (place.origin if place is not None else None)
    if log not in (None, fields["log"]):
        raise UsageError(f"{name} is for the log {fields['log']}, and your profile's is {log}")
    return fields


def _show(data: bytes, fields: dict[str, Any], profile: "Profile", place: "Place | None") -> None:
    """Show a note: what it says, and who has signed it."""
    from tallystick.signing.note import Note

    zone: int = profile.zone_seconds or 0
    names: Callable[[str, str], str | None] | None = None
    if place is not None:
        zone, names = place.zone, place.name_of
    drafting.show(fields, zone, names)
    signers = ", ".join(line.label for line in Note.from_bytes(data).signatures)
    output.line(f"signed by {signers}")
