"""A note is sent, its receipt is kept, and what became of it is told.

It lies in the profile's folder until it is answered: what an answer was lost of is sent again, and not signed again.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.cli import kinds, output
from tallystick.cli.receipts_kept import keep_receipts
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallystick.cli.places import Place
    from tallystick.profile import Profile
    from tallystick.wire import JsonObject

UNANSWERED: Final = "unanswered"
PREPARED: Final = "prepared"
"""In the profile's folder: notes that others are to sign, where no service keeps them."""


def send(note: bytes, profile: "Profile", place: "Place", *, as_json: bool) -> int:
    """Have a note recorded, keep its receipt, and return the exit status.

    Raises:
        UnreachableError: no answer came; the note is kept, and may be recorded.
    """
    from tallystick.errors import UnreachableError

    kept = _kept(note, profile.folder)
    try:
        (answer,) = place.submit([note])
    except UnreachableError as error:
        raise UnreachableError(
            f"{error}; your note may be recorded all the same, so don't sign another: it is kept, give "
            f"`tallystick submit {profile.source} {kept}` until it is answered"
        ) from None
    kept.unlink()
    said = dict(answer.said)
    if answer.receipt is not None:
        (said["receipt"],) = keep_receipts(profile.folder, [answer])
    return report(said, place, "refused", "recorded as entry", as_json=as_json)


def _kept(note: bytes, folder: Path) -> Path:
    """Keep a note, durable, under the hash of its bytes, and return where."""
    from tallystick.durable_files import PRIVATE_MODE, whole_file

    (folder / UNANSWERED).mkdir(mode=0o700, exist_ok=True)
    path = folder / UNANSWERED / f"{hashlib.sha256(note).hexdigest()[:16]}.note"
    with whole_file(path, PRIVATE_MODE) as file:
        file.write(note)
    return path


def report(said: "JsonObject", place: "Place", refused: str, recorded: str, *, as_json: bool) -> int:
    """Print what became of a note, or would, and return the exit status."""
    from tallystick.cli import answers

    if as_json:
        output.print_json(said)
    elif not said["accepted"]:
        again = "; the same may be accepted later" if said["transient"] else ""
        output.line(f"{refused}: {said['reason']}: {said['detail']}{again}")
    else:
        output.line(f"{recorded} {said['index']}{answers.words_of(said, lambda: place.zone)}")
        answers.print_tables(said)
        if "receipt" in said:
            output.line(f"receipt: {said['receipt']}")
    return AS_ASKED if said["accepted"] else REFUSED


def leave(note: bytes, ref: str, profile: "Profile", place: "Place") -> "JsonObject":
    """Leave a note for others to sign it too: at the service, or where there is none in a file; return which it is.

    Raises:
        ServerError: the service doesn't take it.
        OSError: no room, or no right to.
    """
    waiting = place.leave(note)
    if waiting is not None:
        return waiting
    folder = profile.folder / PREPARED
    folder.mkdir(exist_ok=True)
    file = NamedFile(str(folder / f"{ref.replace('/', '-')}.note"), kinds.SIGNED_COMMAND)
    file.write(note)
    return {"file": file.name}


def waiting_in_words(waiting: "JsonObject") -> str:
    """Return what is said of a note that was left."""
    if "file" in waiting:
        return f"{waiting['file']}: signed; the others sign with `tallystick cosign {waiting['file']}`"
    return f"{waiting['id']}: {missing_in_words(waiting)}; the others see it in `tallystick inbox`"


def named(name: str, waiting: "Sequence[JsonObject]") -> "JsonObject":
    """Return the note that waits which an id, its beginning, or PARTY/REF names.

    Raises:
        UsageError: none, or several.
    """
    found = [one for one in waiting if str(one["id"]).startswith(name.lower()) or _reference(one) == name]
    if len(found) != 1:
        what = "nothing" if not found else f"more than one note ({len(found)})"
        raise UsageError(f"{what} that waits for your signature has {name!a:.80} as PARTY/REF, or an id that begins so")
    return found[0]


def _reference(waiting: "JsonObject") -> str:
    from tallystick.forms.words import fields_of

    fields = fields_of(str(waiting["text"]).encode())
    return "" if fields is None else f"{fields['party']}/{fields['ref']}"


def missing_in_words(waiting: "JsonObject") -> str:
    """Return who has yet to sign a note that waits (`tallystick.wire.pending`)."""
    missing = [
        f"{one['count']} of {one['party']}" + (f" ({one['key']})" if "key" in one else "") for one in waiting["missing"]
    ]
    return f"missing {', '.join(missing)}" if missing else "signed by all"
