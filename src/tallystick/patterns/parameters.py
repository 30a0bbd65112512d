"""Where a pattern begins: named integers with defaults, which a person may set.

docs/patterns.md has the same table: a test compares the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Final, Self

from tallystick.errors import UsageError

PARAMETER_MAX: Final = 2**31 - 1
DIGITS_MAX: Final = 10


def _parameter(default: int, meaning: str) -> int:
    value: int = field(default=default, metadata={"meaning": meaning})
    return value


@dataclass(frozen=True, slots=True)
class Parameters:
    """The thresholds of all patterns; each field's unit is in its name."""

    capacity_note_percent: int = _parameter(5, "an hour over the declared capacity by at most so much is a note")
    capacity_alarm_percent: int = _parameter(50, "an hour over it by so much or more is an alarm")
    same_job_seconds: int = _parameter(600, "shorter jobs are not compared")
    same_job_grid_seconds: int = _parameter(300, "an interval that begins and ends on such a grid says less")
    same_job_gpu_hours: int = _parameter(1, "fewer GPU-hours of the same two contracts are a note")
    same_job_usual: int = _parameter(4, "more jobs than that of one interval are one job in parts, and a note")
    same_job_alarm: int = _parameter(3, "so many jobs of the same two contracts are an alarm")
    ceiling_contracts: int = _parameter(3, "fewer contracts of the two say nothing")
    ceiling_others: int = _parameter(3, "so many of the provider's other contracts, most of them cheaper: a warning")
    threshold_percent: int = _parameter(
        90, "an amount above so much of the threshold, and not above it, is just under it"
    )
    threshold_times: int = _parameter(3, "so many times for one party are a warning")
    threshold_days: int = _parameter(180, "within so many days")
    threshold_split_days: int = _parameter(7, "amounts within so many days are parts of one")
    passed_on_days: int = _parameter(
        14, "a voucher passed on so many days after its issue or less was passed on at once"
    )
    passed_on_percent: int = _parameter(50, "so much of its face or more is a warning, less a note")
    circle_days: int = _parameter(30, "a circle within so many days is an alarm")
    circle_parties: int = _parameter(4, "longer circles of different vouchers are not looked for")
    last_days: int = _parameter(14, "the last days of a voucher's validity")
    last_days_percent: int = _parameter(50, "so much of its face burned then is a warning, less a note")
    last_days_lines: int = _parameter(5, "fewer lines say nothing, unless they took that much")
    evidence_days: int = _parameter(400, "evidence is remembered for so long")
    evidence_alarm: int = _parameter(3, "evidence that came again so many times is an alarm")
    attester_minutes: int = _parameter(10, "a verdict after so many minutes or less came at once")
    attester_verdicts: int = _parameter(5, "fewer verdicts say nothing")
    attester_percent: int = _parameter(90, "so many of its verdicts came at once")

    @classmethod
    def meanings(cls) -> dict[str, tuple[int, str]]:
        """Return each parameter's default and meaning, by name, in order."""
        return {one.name: (int(str(one.default)), one.metadata["meaning"]) for one in fields(cls)}

    def with_values(self, given: Iterable[str]) -> Self:
        """Return parameters with some changed, each given as `name=integer`.

        Raises:
            UsageError: one isn't of that form, or there is no such parameter.
        """
        names = {one.name for one in fields(self)}
        changes: dict[str, int] = {}
        for text in given:
            name, equals, value = text.partition("=")
            if name not in names:
                raise UsageError(f"{name[:40]!a} is no parameter of patterns; there are {', '.join(sorted(names))}")
            is_number = bool(equals) and value.isascii() and value.isdecimal() and len(value) <= DIGITS_MAX
            if not is_number or not 0 < int(value) <= PARAMETER_MAX:
                raise UsageError(f"{text[:80]!a} must be {name}=INTEGER, of 1 to {PARAMETER_MAX}")
            changes[name] = int(value)
        return replace(self, **changes)
