"""What came of a file: counts that add up, GPU-time by contract and item, and what a person must be told."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Final

from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Skipped, UsageLine
from tallystick.vouchers.quantities import format_second

_BATCH: Final = 256
EXAMPLES_MAX: Final = 1_000
"""Records that are named one by one; all are counted."""
_NAMED: Final = frozenset(
    {
        SkipReason.UNREADABLE,
        SkipReason.TIME_AMBIGUOUS,
        SkipReason.CONFLICT,
        SkipReason.INTERVAL_INVALID,
        SkipReason.NOT_A_NUMBER,
        SkipReason.EXCEEDS_PERIOD,
        SkipReason.CORRECTION,
    }
)


@dataclass(slots=True)
class Reading:
    """The sums of what was read; `records` is `records_burned` and all of `skipped`.

    Attributes:
        records: of the file.
        records_burned: those that became lines.
        lines: how many lines.
        gpu_milliseconds_by: of the lines, by contract and item (thousandths of a GPU-second).
        skipped: records by reason.
        skipped_gpu_milliseconds: GPU-time by reason, as far as it is known.
        accounts_unmapped: GPU-time by account without a contract.
        items_unmapped: GPU-time by kind of device without an item.
        named: records that are told one by one, at most `EXAMPLES_MAX`.
        remarks: what a format's reader says beside: by name, a count or a list.
    """

    records: int = 0
    records_burned: int = 0
    lines: int = 0
    gpu_milliseconds_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: Counter[SkipReason] = field(default_factory=Counter)
    skipped_gpu_milliseconds: Counter[SkipReason] = field(default_factory=Counter)
    accounts_unmapped: Counter[str] = field(default_factory=Counter)
    items_unmapped: Counter[str] = field(default_factory=Counter)
    named: list[Skipped] = field(default_factory=list)
    remarks: dict[str, object] = field(default_factory=dict)

    def lines_of(self, outcomes: Iterable[tuple[UsageLine, ...] | Skipped]) -> Iterator[UsageLine]:
        """Yield the lines of what became of records, and count everything."""
        sums = self.gpu_milliseconds_by
        outcomes = iter(outcomes)
        while batch := list(islice(outcomes, _BATCH)):
            burned = [outcome for outcome in batch if not isinstance(outcome, Skipped)]
            if len(burned) != len(batch):
                for outcome in batch:
                    if isinstance(outcome, Skipped):
                        self._count(outcome)
            records = sum([lines[0].records for lines in burned])
            self.records += records
            self.records_burned += records
            lines = list(chain.from_iterable(burned))
            self.lines += len(lines)
            for line in lines:
                sums[line.contract, line.item] += line.gpu_milli * line.seconds
            yield from lines

    @property
    def gpu_milliseconds(self) -> int:
        """GPU-time of the lines (thousandths of a GPU-second)."""
        return self.gpu_milliseconds_by.total()

    def _count(self, one: Skipped) -> None:
        self.records += one.records
        self.skipped[one.reason] += one.records
        self.skipped_gpu_milliseconds[one.reason] += one.gpu_milliseconds
        if one.reason is SkipReason.ACCOUNT_UNMAPPED:
            self.accounts_unmapped[one.account] += one.gpu_milliseconds
        elif one.reason is SkipReason.ITEM_UNMAPPED:
            self.items_unmapped[one.device] += one.gpu_milliseconds
        elif one.reason in _NAMED and len(self.named) < EXAMPLES_MAX:
            self.named.append(one)


def line_said(line: UsageLine) -> dict[str, Any]:
    """Return a line as JSON says it."""
    said: dict[str, Any] = {"contract": line.contract, "item": line.item}
    if line.holder:
        said["holder"] = line.holder
    said |= {
        "job": line.job,
        "gpu_milli": line.gpu_milli,
        "seconds": line.seconds,
        "from": format_second(line.starts_at),
        "to": format_second(line.ends_at),
    }
    if line.so_far:
        said["so_far"] = True
    return said


def said(reading: Reading, files: Sequence[str]) -> dict[str, Any]:
    """Return what came of files as JSON says it; `records` is `records_burned` and all of `skipped`.

    Args:
        reading: the counts.
        files: the names of the files that were read, in order.
    """
    return {
        "records": reading.records,
        "records_burned": reading.records_burned,
        "skipped": {str(reason): count for reason, count in sorted(reading.skipped.items())},
        "skipped_gpu_milliseconds": {
            str(reason): amount for reason, amount in sorted(reading.skipped_gpu_milliseconds.items()) if amount
        },
        "gpu_milliseconds": reading.gpu_milliseconds,
        "gpu_milliseconds_by": {
            f"{one} {item}": sum_ for (one, item), sum_ in sorted(reading.gpu_milliseconds_by.items())
        },
        "report": report(reading, files),
    }


def report(reading: Reading, files: Sequence[str]) -> dict[str, Any]:
    """Return what a person must be told beside the counts, by name."""
    told: dict[str, Any] = {}
    if reading.accounts_unmapped:
        told["accounts_unmapped"] = dict(sorted(reading.accounts_unmapped.items()))
    if reading.items_unmapped:
        told["items_unmapped"] = dict(sorted(reading.items_unmapped.items()))
    for one in reading.named:
        named = {"job": one.job, "line": one.line}
        if len(files) > 1 and one.file < len(files):
            named["file"] = files[one.file]
        if one.why:
            named["why"] = one.why
        told.setdefault(str(one.reason), []).append(named)
    return told | dict(sorted(reading.remarks.items()))
