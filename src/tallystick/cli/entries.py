"""An entry is said in one shape by `verify` and `show`: its decision, its signers, and the command word by word."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence

from tallystick.cli import answers, output
from tallystick.errors import ProofInvalidError

_NOT_SHOWN = frozenset({"kind", "log"})  # of a command: they stand above it


def say_entry(index: int, data: bytes) -> answers.Answer:
    """Return what is said of an entry that was proved to be at an index.

    Raises:
        EntryMalformedError: the bytes are no entry.
        ProofInvalidError: the entry calls itself another.
    """
    from tallystick.signing.note import Note
    from tallystick.vouchers.entry import Entry, split_entry

    event = Entry.from_bytes(data).event
    if event.index != index:
        raise ProofInvalidError(f"the entry calls itself {event.index}, and its place in the log is {index}")
    said = answers.accepted(event)
    del said["accepted"]  # it is an entry; whether it was right to admit it is for an audit to say
    said["signed_by"] = [signature.label for signature in Note.from_bytes(split_entry(data)[1]).signatures]
    said["command"] = event.command.model_dump(mode="json", by_alias=True, exclude_none=True)
    return said


def print_entry(said: answers.Answer, more: Sequence[tuple[str, object]] = ()) -> None:
    """Print an entry, beginning with other fields."""
    signed = [("signed by", label) for label in said["signed_by"]]
    output.fields("", [*more, ("at", output.readable("at", said["at"])), ("kind", said["kind"]), *signed])
    output.record("command", {name: value for name, value in said["command"].items() if name not in _NOT_SHOWN})
    if "lines" in said:
        answers.print_lines(said["lines"])
    elif said["outcome"]:
        output.record("outcome", said["outcome"])
