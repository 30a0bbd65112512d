"""The checkpoints that the log signed, who cosigned the newest, and those of other logs that are recorded in this one.

Checkpoints are for everybody who may see a page; what is recorded of other logs is for every party.
"""

from typing import Any, Final

from tallystick.errors import MalformedError, TallystickError
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import Policy
from tallystick.vouchers.rules.checkpoints import CheckpointRecord
from tallystick.web.pages.checkpoint_lines import policy_of, signatures_table
from tallystick.web.pages.log_pages import signed_checkpoint
from tallystick.web.pages.page import Asked, Column, Page, PageRoute, Table
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen
from tallystick.web.seen_log import SeenLog

_RECORDED: Final = "checkpoint.recorded/1"


def _checkpoints(seen: SeenLog, asked: Asked) -> Page:
    words = asked.words
    policy = policy_of(asked.place.policy)
    signed, fault = signed_checkpoint(seen, asked)
    tables = [_own(seen, asked), _others(seen, asked)]
    if signed is not None:
        tables.append(signatures_table(signed, words))
    if policy is not None and policy.groups:
        tables.append(_groups(policy, words))
    cosigned = [] if signed is None else [row for row in signed.rows if row["at"] is not None]
    values: dict[str, Any] = {
        "signed": signed,
        "fault": fault,
        "policy": policy,
        "witnesses": 0 if policy is None else len(policy.witnesses),
        "cosigned": len(cosigned),
        "size": seen.size,
    }
    return Page(words.gettext("Checkpoints"), values, tables)


def _groups(policy: Policy, words: Words) -> Table:
    columns = (
        Column("name", words.gettext("Group")),
        Column("threshold", words.gettext("Needed"), "count"),
        Column("members", words.gettext("Of these")),
    )
    rows = [{"name": one.name, "threshold": one.threshold, "members": ", ".join(one.members)} for one in policy.groups]
    return Table("groups", words.gettext("Groups of witnesses in the policy"), columns, rows)


def _own(seen: SeenLog, asked: Asked) -> Table:
    """Return the checkpoints that this log signed, newest first."""
    words, limit = asked.words, asked.rows_of("checkpoints")
    found = seen.signed_checkpoints(limit, asked.before("checkpoints"))
    columns = (
        Column("number", words.gettext("Number")),
        Column("size", words.gettext("Entries"), "count"),
        Column("root_hash", words.gettext("Root"), "hash"),
        Column("signed_by", words.gettext("Signed by")),
    )
    rows = [{"number": number} | _said(note, words) for number, note in found]
    after = found[-1][0] if len(found) == limit and found[-1][0] else None
    return Table("checkpoints", words.gettext("Checkpoints that this log signed"), columns, rows, after)


def _said(data: bytes, words: Words) -> dict[str, Any]:
    try:
        note = Note.from_bytes(data)
        checkpoint = Checkpoint.from_text(note.text)
    except MalformedError:
        return {"size": None, "root_hash": None, "signed_by": words.gettext("can't be read")}
    signed_by = ", ".join(one.label for one in note.signatures)
    return {"size": checkpoint.size, "root_hash": checkpoint.root.hex(), "signed_by": signed_by}


def _others(seen: SeenLog, asked: Asked) -> Table:
    """Return the checkpoints of other logs that were recorded in this one, newest first."""
    words, limit = asked.words, asked.rows_of("recorded")
    before = min(seen.size, asked.before("recorded") or seen.size)

    def ask(views: Seen) -> tuple[list[int], int | None]:
        found = views.recorded(limit, before=before, kind=_RECORDED)
        return [row["index"] for row in found.as_json()], found.before

    indices, after = seen.in_views(ask) or ([], None)
    rows = [_recorded(seen, index) for index in indices]
    columns = (
        Column("index", words.gettext("Recorded by entry"), "entry"),
        Column("origin", words.gettext("Log")),
        Column("size", words.gettext("Entries"), "count"),
        Column("root_hash", words.gettext("Root"), "hash"),
        Column("party", words.gettext("Given by"), "party"),
    )
    none = words.gettext("No checkpoint of another log is recorded here.")
    return Table(
        "recorded", words.gettext("Checkpoints of other logs that are recorded here"), columns, rows, after, none
    )


def _recorded(seen: SeenLog, index: int) -> dict[str, Any]:
    row: dict[str, Any] = {"index": index, "origin": None, "size": None, "root_hash": None, "party": None}
    try:
        _, entry = seen.entry_bytes(index)
        command = None if entry is None else entry.event.command
        if isinstance(command, CheckpointRecord):
            row["party"] = command.party
            said = Checkpoint.from_text(Note.from_bytes(command.checkpoint.encode()).text)
            row |= {"origin": said.origin, "size": said.size, "root_hash": said.root.hex()}
    except TallystickError:
        pass
    return row


PAGES: Final = (PageRoute("/checkpoints", "checkpoints.html", _checkpoints, is_log_alone=True, asks_views=True),)
