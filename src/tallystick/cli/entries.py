"""An entry (`tallystick.wire.entries`) in words, for `verify` and `show`."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tallystick.cli import answers, output

if TYPE_CHECKING:
    from tallystick.wire import JsonObject

_NOT_SHOWN = frozenset({"kind", "log"})  # of a command: they stand above it


def print_entry(
    said: "JsonObject", more: Sequence[tuple[str, object]] = (), *, zone: int | None = None, wide: bool = False
) -> None:
    """Print an entry.

    Args:
        said: as `wire.entries` has it.
        more: fields to begin with.
        zone: the network's offset in seconds; times are in UTC where it isn't known.
        wide: a statement's lines as wide as need be.
    """
    from tallystick.forms.times import with_local_times, zone_name

    shown = with_local_times(said, zone)
    in_zone = "" if zone is None else f" ({zone_name(zone)}, as all times below)"
    signed = [("signed by", label) for label in shown["signed_by"]]
    output.fields("", [*more, ("at", f"{shown['at']}{in_zone}"), ("kind", shown["kind"]), *signed])
    command = {name: value for name, value in shown["command"].items() if name not in _NOT_SHOWN}
    output.record("command, amounts in yuan", command, wide=wide)
    if "lines" in shown:
        answers.print_lines(shown["lines"], wide=wide)
    elif shown["outcome"]:
        output.record("outcome, amounts in yuan", answers.readable(shown["outcome"]), wide=wide)
