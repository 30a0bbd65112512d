"""What came of a file: counts that add up, GPU-time by contract and item, and what a person must be told."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Skipped, UsageLine

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
        gpu_milliseconds: of the lines (thousandths of a GPU-second).
        gpu_milliseconds_by: by contract and item.
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
    gpu_milliseconds: int = 0
    gpu_milliseconds_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: Counter[SkipReason] = field(default_factory=Counter)
    skipped_gpu_milliseconds: Counter[SkipReason] = field(default_factory=Counter)
    accounts_unmapped: Counter[str] = field(default_factory=Counter)
    items_unmapped: Counter[str] = field(default_factory=Counter)
    named: list[Skipped] = field(default_factory=list)
    remarks: dict[str, object] = field(default_factory=dict)

    def lines_of(self, outcomes: Iterable[tuple[UsageLine, ...] | Skipped]) -> Iterator[UsageLine]:
        """Yield the lines of what became of records, and count everything."""
        for outcome in outcomes:
            if isinstance(outcome, Skipped):
                self._count(outcome)
            else:
                self.records += outcome[0].records
                self.records_burned += outcome[0].records
                for line in outcome:
                    self.lines += 1
                    self.gpu_milliseconds += line.gpu_milliseconds
                    self.gpu_milliseconds_by[line.contract, line.item] += line.gpu_milliseconds
                    yield line

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
