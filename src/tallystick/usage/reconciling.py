"""Usage and log compared, both ways: each run and each line is in exactly one list, and the lists add up.

    matched                  the lines of a run have its contract, GPUs, seconds and interval together
    missing_in_ledger        no line stands for a run
    differs                  lines stand for a run, and something of them is otherwise: each thing is named
    burned_more_than_used    lines of a job that is in the usage, at a time when it didn't run
    missing_in_usage         lines of a job that isn't in the usage
    still_running            runs without an end, and what of them is burned so far

A run belongs to the window in which it ends, and its lines with it; a line without a run to the one in which it ends.
What the mapping or the format left out (unmapped, unreadable and so on) is counted by the reading itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallystick.metering.run import UsageLine
from tallystick.usage.matching import Matched, matched
from tallystick.usage.standing import LoggedLine, Spell, Standing
from tallystick.vouchers.quantities import SECOND_US, format_second

Value = str | int
FOREVER: Final = 2**62


class Window(NamedTuple):
    """From when on and until when (µs) usage and lines are compared, by the days of their ends, as the log books."""

    starts_at: int = -FOREVER
    ends_at: int = FOREVER

    def has(self, ends_at: int) -> bool:
        """Return whether what ends then is compared."""
        return self.starts_at <= ends_at < self.ends_at


class Difference(NamedTuple):
    """What of a run is otherwise in the log."""

    field: str
    usage: Value
    ledger: Value


class DiffersFrom(NamedTuple):
    """A run whose lines say otherwise, and how."""

    one: Matched
    differences: tuple[Difference, ...]


class BurnedMore(NamedTuple):
    """A job of which more is burned than it used of an item: lines at a time when it didn't run.

    Attributes:
        runs: those that would agree without.
        extra: the lines that are too many.
        usage_gpu_milliseconds, ledger_gpu_milliseconds: of the job and item in all.
    """

    job: str
    item: str
    runs: tuple[Matched, ...]
    extra: tuple[LoggedLine, ...]
    usage_gpu_milliseconds: int
    ledger_gpu_milliseconds: int


@dataclass(slots=True)
class Totals:
    """What both sides come to, in thousandths of GPU-seconds."""

    usage: int = 0
    ledger: int = 0
    fee_fen: int = 0
    from_voucher_fen: int = 0


@dataclass(slots=True)
class Reconciliation:
    """What came of comparing; every list is in the order of jobs, items and times."""

    matched: list[Matched] = field(default_factory=list)
    missing_in_ledger: list[UsageLine] = field(default_factory=list)
    missing_in_usage: list[LoggedLine] = field(default_factory=list)
    differs: list[DiffersFrom] = field(default_factory=list)
    burned_more_than_used: list[BurnedMore] = field(default_factory=list)
    still_running: list[Matched] = field(default_factory=list)
    by: dict[tuple[str, str], Totals] = field(default_factory=dict)
    outside_window: Counter[str] = field(default_factory=Counter)

    @property
    def is_open(self) -> bool:
        """Whether something differs, or is missing on a side. A run that goes on is nothing to mend."""
        return bool(self.missing_in_ledger or self.missing_in_usage or self.differs or self.burned_more_than_used)


def reconcile(usage: dict[Spell, list[UsageLine]], standing: Standing, window: Window) -> Reconciliation:
    """Compare.

    Args:
        usage: by job and item; of jobs that run, what they held so far.
        standing: of the log, all jobs that ended in the window.
        window: what is compared.
    """
    comparing = _Comparing(standing, window)
    spells_of_jobs: dict[str, list[Spell]] = {}
    for spell in [*usage, *[spell for spell in standing.lines if spell not in usage]]:
        spells_of_jobs.setdefault(spell[0], []).append(spell)
    for job in sorted(spells_of_jobs):
        comparing.add([(usage.get(spell, []), standing.lines.get(spell, [])) for spell in sorted(spells_of_jobs[job])])
    return comparing.found


class _Comparing:
    """Takes jobs in, one after another."""

    def __init__(self, standing: Standing, window: Window) -> None:
        self.found = Reconciliation()
        self._standing = standing
        self._window = window

    def add(self, spells: Sequence[tuple[Sequence[UsageLine], Sequence[LoggedLine]]]) -> None:
        """Compare all that there is of one job, item by item."""
        begun = len(self.found.matched)
        runs: list[Matched] = []
        left: list[LoggedLine] = []
        for usages, lines in spells:
            of_item, rest = matched(usages, lines)
            runs += of_item
            left += rest
        for run in runs:
            left = self._run(run, left)
        extra: dict[str, list[LoggedLine]] = {}
        for line in left:
            if not self._window.has(line.ends_at):
                self.found.outside_window["lines"] += 1
                continue
            self._count_line(line)
            if runs:
                extra.setdefault(line.item, []).append(line)
            else:
                self.found.missing_in_usage.append(line)
        for item, lines in extra.items():
            self._burned_more(item, runs, lines, begun)

    def _burned_more(self, item: str, runs: Sequence[Matched], extra: Sequence[LoggedLine], begun: int) -> None:
        """Take note of lines that are too many; what agrees of their job (from `begun` on) isn't matched then."""
        found = self.found
        of_item = [run for run in runs if run.usage.item == item]
        of_job = found.matched[begun:]
        agreeing = tuple(one for one in of_job if one.usage.item == item)
        found.matched[begun:] = [one for one in of_job if one.usage.item != item]
        used = sum(run.usage.gpu_milliseconds for run in of_item)
        burned = sum(line.gpu_milliseconds for run in of_item for line in run.lines)
        burned += sum(line.gpu_milliseconds for line in extra)
        found.burned_more_than_used.append(BurnedMore(extra[0].job, item, agreeing, tuple(extra), used, burned))

    def _run(self, run: Matched, left: list[LoggedLine]) -> list[LoggedLine]:
        """Compare a run, and return the lines that are left of those that were."""
        usage, found = run.usage, self.found
        if not run.lines and not usage.so_far:
            elsewhere = [line for line in left if _is_same_time(usage, line)]
            run = Matched(usage, tuple(elsewhere[:1]))
            left = [line for line in left if line not in run.lines]
        if not usage.so_far and not self._window.has(usage.ends_at):
            found.outside_window["records"] += 1
            found.outside_window["lines"] += len(run.lines)
            return left
        for line in run.lines:
            self._count_line(line)
        if usage.so_far:
            found.still_running.append(run)
            return left
        self._totals(usage.contract, usage.item).usage += usage.gpu_milliseconds
        differences = tuple(differences_of(run, self._standing)) if run.lines else ()
        if not run.lines:
            found.missing_in_ledger.append(usage)
        elif differences:
            found.differs.append(DiffersFrom(run, differences))
        else:
            found.matched.append(run)
        return left

    def _count_line(self, line: LoggedLine) -> None:
        totals = self._totals(line.contract, line.item)
        totals.ledger += line.gpu_milliseconds
        totals.fee_fen += line.fee_fen
        totals.from_voucher_fen += line.from_voucher_fen

    def _totals(self, contract: str, item: str) -> Totals:
        return self.found.by.setdefault((contract, item), Totals())


def differences_of(run: Matched, standing: Standing) -> Iterable[Difference]:
    """Yield what of a run's lines isn't as the run says: whose, of which item, how many GPUs, when, how long."""
    usage, lines = run
    holder = usage.holder or standing.holder_of(usage.contract)
    for line in _first_of_each(lines, lambda line: line.contract):
        if line.contract != usage.contract:
            theirs = standing.holder_of(line.contract)
            if holder and theirs and holder != theirs:
                yield Difference("holder", holder, theirs)
            else:
                yield Difference("contract", usage.contract, line.contract)
    for line in _first_of_each(lines, lambda line: line.item):
        if line.item != usage.item:
            yield Difference("item", usage.item, line.item)
    for line in _first_of_each(lines, lambda line: str(line.gpu_milli)):
        if line.gpu_milli != usage.gpu_milli:
            yield Difference("gpu_milli", usage.gpu_milli, line.gpu_milli)
    starts_at, ends_at = min(line.starts_at for line in lines), max(line.ends_at for line in lines)
    if starts_at < usage.starts_at:
        yield Difference("from", format_second(usage.starts_at), format_second(starts_at))
    if ends_at > usage.ends_at:
        yield Difference("to", format_second(usage.ends_at), format_second(ends_at))
    seconds = sum(line.seconds for line in lines)
    if seconds != usage.seconds:
        yield Difference("seconds", usage.seconds, seconds)
    elif (usage.ends_at - usage.starts_at) == usage.seconds * SECOND_US:
        # Of a run without a pause the lines lie end to end.
        if starts_at > usage.starts_at:
            yield Difference("from", format_second(usage.starts_at), format_second(starts_at))
        if ends_at < usage.ends_at:
            yield Difference("to", format_second(usage.ends_at), format_second(ends_at))


def _first_of_each(lines: Sequence[LoggedLine], key: Callable[[LoggedLine], str]) -> list[LoggedLine]:
    """Return the first line of each key, in order."""
    return list({key(line): line for line in reversed(lines)}.values())[::-1]


def _is_same_time(usage: UsageLine, line: LoggedLine) -> bool:
    """Return whether a line of another item of the job has the very interval of a run."""
    return (line.starts_at, line.ends_at) == (usage.starts_at, usage.ends_at)
