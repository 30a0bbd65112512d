"""Who signed a checkpoint: each line of its note named and verified, as far as a trust policy names its key.

The policy is the one that lies beside the log, so this tells who signed, and not whom to trust: a reader who wants to
know that verifies a receipt by a policy of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tallystick.errors import MalformedError, SignatureInvalidError, TallystickError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.cosignature import verify_cosignature
from tallystick.transparency.policy import NO_QUORUM, Policy
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.web.pages.page import Column, Table
from tallystick.web.pages.words import Words

GOOD: Final = "verified"
BAD: Final = "invalid"
UNKNOWN: Final = "unknown_key"


class SignedCheckpoint(NamedTuple):
    """A checkpoint's note, and who signed it.

    Attributes:
        checkpoint: what it says.
        note: as text.
        rows: a row for each of its lines.
        quorum: the name of the policy's quorum; empty without a policy, or one that asks for none.
        is_reached: whether the note fulfils the policy.
        fault: why it doesn't, in words.
    """

    checkpoint: Checkpoint
    note: str
    rows: Sequence[Mapping[str, Any]]
    quorum: str
    is_reached: bool
    fault: str


def policy_of(text: str | None) -> Policy | None:
    """Return the policy of a text; None if there is none, or none that can be read."""
    try:
        return None if text is None else Policy.from_text(text.encode())
    except (MalformedError, UnicodeEncodeError):
        return None


def read_checkpoint(data: bytes, policy: Policy | None, words: Words) -> SignedCheckpoint:
    """Return who signed a checkpoint's note.

    Raises:
        MalformedError: it is none.
    """
    note = Note.from_bytes(data)
    checkpoint = Checkpoint.from_text(note.text)
    rows = [_row(one, note.text, checkpoint.origin, policy, words) for one in note.signatures]
    quorum, fault = "", ""
    if policy is not None:
        quorum = "" if policy.quorum == NO_QUORUM else policy.quorum
        try:
            policy.open_checkpoint(data)
        except TallystickError as error:
            fault = str(error)
    return SignedCheckpoint(
        checkpoint, data.decode("utf-8", "replace"), rows, quorum, policy is not None and not fault, fault
    )


def _row(one: Signature, text: bytes, origin: str, policy: Policy | None, words: Words) -> dict[str, Any]:
    row: dict[str, Any] = {"key": one.label, "name": one.name, "who": words.gettext("not in the policy"), "at": None}
    row["verified"] = UNKNOWN
    for log in policy.logs if policy else ():
        if (log.vkey.name, log.vkey.key_id) == (one.name, one.key_id):
            row["who"] = words.gettext("the log") if one.name == origin else words.gettext("another log")
            row["verified"] = _verified(lambda: log.vkey.verify(one.blob, text))  # noqa: B023 - called at once
    for witness in policy.witnesses if policy else ():
        if (witness.vkey.name, witness.vkey.key_id) == (one.name, one.key_id):
            row["who"] = words.gettext("witness %(name)s", name=witness.name)
            row["verified"] = _verified(lambda: _cosigned(row, text, one, witness.vkey))  # noqa: B023
    if row["verified"] == UNKNOWN and one.name == origin:
        row["who"] = words.gettext("by its name the log; its key isn't in the policy")
    return row


def _cosigned(row: dict[str, Any], text: bytes, one: Signature, vkey: VerifierKey) -> None:
    row["at"] = format_instant(verify_cosignature(text, one, vkey) * SECOND_US)


def _verified(verify: Callable[[], object]) -> str:
    try:
        verify()
    except SignatureInvalidError:
        return BAD
    return GOOD


def signatures_table(signed: SignedCheckpoint, words: Words) -> Table:
    """Return who signed a checkpoint as a table."""
    said = {
        GOOD: words.gettext("yes"),
        BAD: words.gettext("no: it isn't its signature"),
        UNKNOWN: words.gettext("can't be said"),
    }
    columns = (
        Column("who", words.gettext("Who")),
        Column("key", words.gettext("Key"), "text"),
        Column("verified_words", words.gettext("Signature verified")),
        Column("at", words.gettext("Cosigned at"), "instant"),
    )
    rows = [{**row, "verified_words": said[row["verified"]]} for row in signed.rows]
    return Table("signatures", words.gettext("Who signed the checkpoint"), columns, rows)
