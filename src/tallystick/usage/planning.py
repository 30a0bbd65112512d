"""Usage minus what stands in a log: lines to burn, and lines that stand and shouldn't.

    nothing stands          it is burned
    a part stands           the rest is burned: in the time that isn't taken, with the seconds that are left
    all of it stands        nothing: it is counted under `already_burned`
    something else stands   it is proposed to take that line back; what takes its place is burned once it is

What only knows of a run until an export (`so_far`) never takes anything back: a later export knew more. A line that
ends in sealed days says so: it stands for a line that was taken back and that it lies within (`corrects`), or else it
is late (`prior_period`). docs/decisions/0128 says why nothing is reversed unasked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallystick.coded_enum import CodedEnum
from tallystick.metering.run import UsageLine
from tallystick.usage.matching import Matched, matched, overlap
from tallystick.usage.splitting import Cuts, Piece, pieces_of
from tallystick.usage.standing import LoggedLine, Spell, Standing
from tallystick.vouchers.quantities import SECOND_US


class WhyReversed(CodedEnum):
    """Why it is proposed to take a line back."""

    OTHER_CONTRACT = ("other_contract", "the usage is of another contract")
    OTHER_GPU_MILLI = ("other_gpu_milli", "the usage says another number of GPUs")
    OUTSIDE_RUN = ("outside_run", "it begins before the run, or ends after it")
    OTHER_ITEM = ("other_item", "the usage of that time is of another item")
    OTHER_SECONDS = ("other_seconds", "the seconds of the run can't be made of it")


class Reversal(NamedTuple):
    """A line that stands and shouldn't, and why."""

    line: LoggedLine
    why: WhyReversed


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line to burn.

    Attributes:
        usage: the run that it is of, or is a part of.
        corrects: the place of the line that was taken back and that it stands for.
        is_late: it is of sealed days, and stands for no line.
        awaits: places of lines that must be taken back first.
        earlier: entries that had it before and don't count: taken back, or refused.
    """

    usage: UsageLine
    starts_at: int
    ends_at: int
    seconds: int
    corrects: tuple[str, int] | None = None
    is_late: bool = False
    awaits: tuple[tuple[str, int], ...] = ()
    earlier: tuple[int, ...] = ()

    @property
    def gpu_milliseconds(self) -> int:
        """GPU-time in thousandths of a GPU-second."""
        return self.usage.gpu_milli * self.seconds


@dataclass(slots=True)
class Plan:
    """What is to become of usage.

    Attributes:
        burns: lines to burn now.
        awaiting: lines to burn once what they await was taken back.
        reversals: lines that it is proposed to take back.
        unsplit: lines that were asked to be cut and can't be: when the run was suspended isn't known.
        records: of the usage.
        records_already_burned: of which every line stands.
        already_burned_gpu_milliseconds: GPU-time of what stands as it should.
    """

    burns: list[PlannedLine] = field(default_factory=list)
    awaiting: list[PlannedLine] = field(default_factory=list)
    reversals: list[Reversal] = field(default_factory=list)
    unsplit: list[PlannedLine] = field(default_factory=list)
    records: int = 0
    records_already_burned: int = 0
    already_burned_gpu_milliseconds: int = 0


def by_spell(usages: Iterable[UsageLine]) -> dict[Spell, list[UsageLine]]:
    """Return usage by job and item."""
    found: dict[Spell, list[UsageLine]] = {}
    for usage in usages:
        found.setdefault((usage.job, usage.item), []).append(usage)
    return found


def plan(usage: dict[Spell, list[UsageLine]], standing: Standing, cuts: Cuts) -> Plan:
    """Return what is to become of usage.

    Args:
        usage: by job and item (`by_spell`).
        standing: what the log has of these jobs.
        cuts: where lines are to be cut.
    """
    planner = _Planner(standing, cuts)
    runs: list[Matched] = []
    left: list[LoggedLine] = []
    for spell, usages in usage.items():
        of_spell, rest = matched(usages, standing.lines.get(spell, ()))
        runs += of_spell
        left += rest
    left += [line for spell, lines in standing.lines.items() if spell not in usage for line in lines]
    others = _of_other_items(runs, left)
    for one in runs:
        planner.add(one, [line for line in others.get(one.usage.job, ()) if overlap(one.usage, line)])
    return planner.finished()


def _of_other_items(runs: Sequence[Matched], left: Sequence[LoggedLine]) -> dict[str, list[LoggedLine]]:
    """Return, by job, lines at a time of a run that isn't of their item; a run's items are all known."""
    found: dict[str, list[LoggedLine]] = {}
    for line in left:
        found.setdefault(line.job, []).append(line)
    used: dict[str, list[UsageLine]] = {job: [] for job in found}
    for one in runs:
        if one.usage.job in used:
            used[one.usage.job].append(one.usage)
    return {
        job: [line for line in lines if any(overlap(run, line) for run in used[job])] for job, lines in found.items()
    }


class _Rest(NamedTuple):
    """What of a run has to be burned, in which times, and what is taken back for it."""

    pieces: tuple[Piece, ...]
    reversals: tuple[Reversal, ...] = ()


_NOTHING: Final = _Rest(())


class _Planner:
    """Takes runs in, one after another."""

    def __init__(self, standing: Standing, cuts: Cuts) -> None:
        self._standing = standing
        self._cuts = cuts
        self._plan = Plan()
        self._corrected = set(standing.corrected)
        self._taken_back = set[tuple[str, int]]()
        self._open = dict[tuple[str, int], bool]()  # by record, whether something of it is to be burned

    def add(self, one: Matched, others: Sequence[LoggedLine]) -> None:
        """Take in a run.

        Args:
            one: with its lines.
            others: lines of the job at its time, on other items.
        """
        plan, rest = self._plan, rest_of(one)
        record = one.usage.job, one.usage.starts_at
        if rest is _NOTHING and not others:  # as nearly always of what an earlier export had
            self._open.setdefault(record, False)
            plan.already_burned_gpu_milliseconds += one.lines[0].gpu_milliseconds
            return
        self._open[record] = self._open.get(record, False) or bool(rest.pieces or rest.reversals or others)
        reversals = [*rest.reversals, *[Reversal(line, WhyReversed.OTHER_ITEM) for line in others]]
        taken_back = [reversal.line for reversal in reversals]
        plan.reversals += [reversal for reversal in reversals if reversal.line.place not in self._taken_back]
        self._taken_back.update(line.place for line in taken_back)
        kept = [line for line in one.lines if line not in taken_back]
        plan.already_burned_gpu_milliseconds += sum(line.gpu_milliseconds for line in kept)
        places = tuple(line.place for line in taken_back)
        before = [line for line in taken_back if line.item == one.usage.item]
        before += self._standing.reversed.get((one.usage.job, one.usage.item), [])
        for piece in rest.pieces:
            cut, is_whole = pieces_of(piece, self._cuts)
            lines = [self._line(one.usage, part, places, before) for part in cut]
            (plan.awaiting if places else plan.burns).extend(lines)
            if not is_whole:
                plan.unsplit += lines

    def _line(
        self, usage: UsageLine, piece: Piece, awaits: tuple[tuple[str, int], ...], reversed_: Sequence[LoggedLine]
    ) -> PlannedLine:
        starts_at, ends_at, seconds = piece
        attempts = self._standing.attempts.get((usage.job, usage.item), ())
        is_of_sealed_days = ends_at < self._standing.sealed_until
        if not (attempts or reversed_):
            return PlannedLine(usage, starts_at, ends_at, seconds, None, is_of_sealed_days)
        overlapping = [line for line in reversed_ if line.starts_at < ends_at and starts_at < line.ends_at]
        earlier = tuple(sorted({*attempts, *[line.entry for line in overlapping]}))
        corrects = self._corrected_by(usage, piece, overlapping) if is_of_sealed_days else None
        is_late = is_of_sealed_days and corrects is None
        return PlannedLine(usage, starts_at, ends_at, seconds, corrects, is_late, awaits, earlier)

    def _corrected_by(self, usage: UsageLine, piece: Piece, reversed_: Sequence[LoggedLine]) -> tuple[str, int] | None:
        """Return the place of the line that was taken back and that a piece may stand for, once."""
        for line in reversed_:
            if (
                line.place not in self._corrected
                and line.starts_at <= piece.starts_at
                and piece.ends_at <= line.ends_at
                and usage.gpu_milli * piece.seconds <= line.gpu_milliseconds
                and self._standing.holder_of(line.contract) == self._standing.holder_of(usage.contract)
            ):
                self._corrected.add(line.place)
                return line.place
        return None

    def finished(self) -> Plan:
        """Return the plan, its lines in the order of contracts, items, times and jobs."""
        plan = self._plan
        plan.records = len(self._open)
        plan.records_already_burned = sum(not is_open for is_open in self._open.values())
        for lines in (plan.burns, plan.awaiting, plan.unsplit):
            lines.sort(key=order)
        plan.reversals.sort(key=lambda reversal: (reversal.line.entry, reversal.line.number))
        return plan


def order(line: PlannedLine) -> tuple[str, str, int, str, int]:
    """Return by what lines are put in order."""
    usage = line.usage
    return usage.contract, usage.item, line.starts_at, usage.job, line.ends_at


def rest_of(one: Matched) -> _Rest:
    """Return what of a run is yet to be burned, and what stands of it and shouldn't."""
    usage, lines = one
    if not lines:
        return _Rest((Piece(usage.starts_at, usage.ends_at, usage.seconds),))
    if len(lines) == 1 and _is_whole(usage, lines[0]):
        return _NOTHING
    misfits = tuple(Reversal(line, why) for line in lines if (why := _why_misfit(usage, line)) is not None)
    if misfits and usage.so_far:
        return _Rest(())
    kept = [line for line in lines if line not in [reversal.line for reversal in misfits]]
    gaps = tuple(_gaps(usage, kept))
    rest = usage.seconds - sum(line.seconds for line in kept)
    room = sum(end - begin for begin, end in gaps) // SECOND_US
    if rest == 0:
        return _Rest((), misfits)
    if 0 < rest <= room and (rest == room or len(gaps) == 1):
        seconds = [rest] if len(gaps) == 1 else [(end - begin) // SECOND_US for begin, end in gaps]
        return _Rest(tuple(Piece(*gap, some) for gap, some in zip(gaps, seconds, strict=True)), misfits)
    if usage.so_far:
        return _Rest(())
    others = tuple(Reversal(line, WhyReversed.OTHER_SECONDS) for line in kept)
    return _Rest((Piece(usage.starts_at, usage.ends_at, usage.seconds),), misfits + others)


def _is_whole(usage: UsageLine, line: LoggedLine) -> bool:
    """Return whether a line says just what a run does."""
    return (
        line.starts_at == usage.starts_at
        and line.ends_at == usage.ends_at
        and line.seconds == usage.seconds
        and line.gpu_milli == usage.gpu_milli
        and line.contract == usage.contract
    )


def _why_misfit(usage: UsageLine, line: LoggedLine) -> WhyReversed | None:
    """Return why a line can't be a part of a run; None: it can."""
    if line.contract != usage.contract:
        return WhyReversed.OTHER_CONTRACT
    if line.gpu_milli != usage.gpu_milli:
        return WhyReversed.OTHER_GPU_MILLI
    if line.starts_at < usage.starts_at or line.ends_at > usage.ends_at:
        return WhyReversed.OUTSIDE_RUN
    return None


def _gaps(usage: UsageLine, lines: Sequence[LoggedLine]) -> Iterator[tuple[int, int]]:
    """Yield the times of a run in which no line stands; lines are in order and don't overlap."""
    at = usage.starts_at
    for line in lines:
        if line.starts_at > at:
            yield at, line.starts_at
        at = max(at, line.ends_at)
    if at < usage.ends_at:
        yield at, usage.ends_at
