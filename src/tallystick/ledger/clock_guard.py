"""The machine's clock is believed while it is plausible: one entry under a clock that is years ahead can't be undone.

Time in a log never goes back, so after such an entry every command signed at the true time is `signed_too_long_ago`
until then. What the guard knows of the time is the last entry's `at`, and when the new commands were signed.

    up to a day after the last entry                                       believed
    up to a month after it, and a command was signed within the last day   believed: the log was idle
    else                                                                   the operator says that it is right, once

It guards the writer alone. The rules don't know it, and an audit finds nothing in a log that was idle for a year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.errors import ClockJumpError
from tallystick.vouchers.quantities import DAY_US, format_instant

CLOCK_JUMP_HOURS: Final = 24
IDLE_DAYS: Final = 31
_HOUR_US: Final = DAY_US // 24


@dataclass(frozen=True, slots=True)
class ClockGuard:
    """How far a clock may be ahead of a log.

    Attributes:
        jump_hours: of the last entry, whatever was signed when; and of the newest signature in an idle log.
        idle_days: of the last entry, at most.
        vouched_at: the time (microseconds) for which the operator gave their word, as good as an entry's; or None.
    """

    jump_hours: int = CLOCK_JUMP_HOURS
    idle_days: int = IDLE_DAYS
    vouched_at: int | None = None

    def check(self, at: int, last_at: int, signed_at: Sequence[int]) -> None:
        """Refuse to record under a clock that can't be believed.

        Args:
            at: what the new entries would have (microseconds).
            last_at: what the log's last entry has.
            signed_at: when the new commands were signed.

        Raises:
            ClockJumpError: it is too far ahead; the text is one line and says what to do.
        """
        ahead = at - max(last_at, self.vouched_at or 0)
        if ahead <= self.jump_hours * _HOUR_US:
            return
        is_idle = ahead <= self.idle_days * DAY_US
        if is_idle and at - max(signed_at) <= self.jump_hours * _HOUR_US:
            return
        why = f", and none of this was signed within the last {self.jump_hours} hours" if is_idle else ""
        raise ClockJumpError(
            f"the clock says {format_instant(at)}, {ahead // DAY_US:,} days after the log's last entry "
            f"({format_instant(last_at)}){why}: nothing was recorded; set it right, or if it is right, say so once "
            "with --accept-clock-jump"
        )
