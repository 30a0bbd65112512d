"""What an audit with `--patterns` shows after its verdict, and when it ends with status 1 for that."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from tallystick.cli import output
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.patterns import Watch


class FailOn(StrEnum):
    """How grave a pattern must be, at least, for status 1: as in the closed list."""

    NOTE = "note"
    WARNING = "warning"
    ALARM = "alarm"


def watch(given: Sequence[str], *, is_asked: bool) -> "Watch | None":
    """Return what takes in the audit's events, with some parameters changed (`name=integer`); None, if not asked for.

    Raises:
        UsageError: there is no such parameter, or parameters are given for nothing.
    """
    if not is_asked:
        if given:
            raise UsageError("--parameter is of patterns: give --patterns too")
        return None
    from tallystick.patterns import Parameters, Watch

    return Watch(Parameters().with_values(given))


def fails(watch: "Watch", fail_on: FailOn | None) -> bool:
    """Return whether anything was seen that is as grave or graver."""
    from tallystick.patterns import Severity

    worst = watch.worst()
    return fail_on is not None and worst is not None and worst.rank >= Severity.from_code(fail_on.value).rank


def print_seen(watch: "Watch", *, is_clean: bool) -> None:
    """Print how many patterns were seen, and one line for each."""
    from tallystick.patterns import Severity

    of_what = "" if is_clean else " of what could be replayed"
    seen = watch.seen()
    counts = [(severity, sum(one.severity is severity for one in seen)) for severity in reversed(Severity)]
    shown = ", ".join(f"{count:,} {severity}{'s' if count > 1 else ''}" for severity, count in counts if count)
    where = f" in entries from {watch.first_entry:,} on" if watch.first_entry else ""
    output.line(f"patterns{of_what}{where}: {shown or 'none'}; none of them changes the verdict")
    for one in seen:
        output.line(str(one))
    if watch.left_out():
        output.line(f"and {watch.left_out():,} more, no graver than those of their pattern")
