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


def print_entry(
    said: answers.Answer, more: Sequence[tuple[str, object]] = (), *, zone: int | None = None, wide: bool = False
) -> None:
    """Print an entry.

    Args:
        said: what `say_entry` returned.
        more: fields to begin with.
        zone: the network's offset in seconds; times are in UTC where it isn't known.
        wide: a statement's lines as wide as need be.
    """
    from tallystick.cli.moments import with_local_times, zone_name

    shown = with_local_times(said, zone)
    in_zone = "" if zone is None else f" ({zone_name(zone)}, as all times below)"
    signed = [("signed by", label) for label in shown["signed_by"]]
    output.fields("", [*more, ("at", f"{shown['at']}{in_zone}"), ("kind", shown["kind"]), *signed])
    command = {name: value for name, value in shown["command"].items() if name not in _NOT_SHOWN}
    output.record("command, amounts in yuan", command, wide=wide)
    if "lines" in shown:
        answers.print_lines(shown["lines"], wide=wide)
    elif shown["outcome"]:
        output.record("outcome, amounts in yuan", shown["outcome"])
