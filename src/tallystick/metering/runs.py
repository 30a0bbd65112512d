"""One run each: a run is a cluster, a job and a start, however many records and files speak of it.

    finished and running                      the finished one counts, the other is superseded
    equal                                     one counts, the others are duplicates
    several that run                          the one that was seen last counts
    several that finished, and differ         a conflict: none counts
    one file, one kind of device each         parts of one run, where the format writes it so

The order of records and files changes nothing. Runs come out in the order of their starts, then of their names. Those
that don't fit into memory lie sorted outside, where the caller says (`Spool`).
"""

import heapq
import marshal
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter, eq, itemgetter
from typing import Any, Final, Protocol

from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Device, Payer, Run, Skipped

RUNS_IN_MEMORY_MAX: Final = 32_768
"""Runs that are held before they are written to the spool; a year's file of a million takes no more memory."""
_PIECE: Final = 256  # runs that are written and read back at once
_BATCH: Final = 1_024  # records that are looked at at once
_ORDER: Final = itemgetter(*map(Run._fields.index, ("starts_at", "cluster", "job")))


class Spool(Protocol):
    """Where runs lie until all files are read: a temporary file, outside of this package."""

    def keep(self, pieces: Iterable[bytes], /) -> Iterator[bytes]:
        """Keep pieces; return what gives them back in order, when it is asked to."""
        ...


def one_each(records: Iterable[Run | Skipped], spool: Spool | None = None) -> Iterator[Run | Skipped]:
    """Yield what was skipped as it comes, then each run once, and why its other records don't count.

    Args:
        records: of one file, or of several that are read together.
        spool: where to lay runs that are more than `RUNS_IN_MEMORY_MAX`; None: all are held in memory.
    """
    held: list[Run] = []
    stretches: list[Iterator[Run]] = []
    records = iter(records)
    while batch := list(islice(records, _BATCH)):
        runs = [record for record in batch if isinstance(record, Run)]
        if len(runs) != len(batch):
            yield from [record for record in batch if isinstance(record, Skipped)]
        held += runs
        if spool is not None and len(held) >= RUNS_IN_MEMORY_MAX:
            held.sort(key=_ORDER)
            stretches.append(_read_back(spool.keep(_pieces(held))))
            held = []
    held.sort(key=_ORDER)
    if stretches:
        yield from _decided(heapq.merge(*stretches, held, key=_ORDER))
    elif any(map(eq, map(_ORDER, held), map(_ORDER, islice(held, 1, None)))):
        yield from _decided(held)
    else:
        yield from held


def _decided(runs: Iterable[Run]) -> Iterator[Run | Skipped]:
    for _, same in groupby(runs, _ORDER):
        together = list(same)
        if len(together) == 1:
            yield together[0]
        else:
            yield from _one_of(together)


def _one_of(same: list[Run]) -> Iterator[Run | Skipped]:
    """Yield which of the records of one run counts, and why the others don't."""
    if all(run.is_part for run in same):
        same, copies = _put_together(same)
        for run in copies:
            yield skipped(run, SkipReason.DUPLICATE)
    finished = [run for run in same if run.ends_at is not None]
    latest = max((_known_until(run) for run in same), default=0)
    best = finished or [run for run in same if _known_until(run) == latest]
    kept = set(map(id, best))
    for run in same:
        if id(run) not in kept:
            yield skipped(run, SkipReason.SUPERSEDED)
    if not _agree(best):
        for run in best:
            yield skipped(run, SkipReason.CONFLICT, f"{len(best)} records of this run differ in {_difference(best)}")
        return
    best.sort(key=lambda run: (-run.records, run.record, run.file, run.line))
    yield _completed(best)
    for run in best[1:]:
        yield skipped(run, SkipReason.DUPLICATE)


def _put_together(parts: list[Run]) -> tuple[list[Run], list[Run]]:
    """Return runs of several kinds of device, made of parts that agree in all else, and copies of parts."""
    together: dict[Any, dict[str, Run]] = {}
    copies: list[Run] = []
    for run in parts:
        kinds = together.setdefault((run.file, run.ends_at, run.seconds, run.payer, run.state), {})
        kind = run.devices[0].source
        if kind in kinds and kinds[kind].devices == run.devices:
            copies.append(run)
        elif kind in kinds:
            return parts, []  # twice the same kind, and not as many: which is right isn't known
        else:
            kinds[kind] = run
    return [_whole([kinds[kind] for kind in sorted(kinds)]) for kinds in together.values()], copies


def _whole(parts: list[Run]) -> Run:
    if len(parts) == 1:
        return parts[0]
    return min(parts, key=attrgetter("line"))._replace(
        devices=tuple(device for part in parts for device in part.devices),
        record=b"\n".join(part.record for part in parts),
        records=sum(part.records for part in parts),
    )


def skipped(run: Run, reason: SkipReason, why: str = "", device: str = "") -> Skipped:
    """Return that a run isn't burned, with all that is known of it."""
    return Skipped(
        reason, run.line, run.job, run.gpu_milliseconds, why, run.payer.account, device, run.records, run.file
    )


def _known_until(run: Run) -> int:
    return run.seen_until or run.starts_at


_SAID: Final = (
    ("end", attrgetter("ends_at")),
    ("seconds", attrgetter("seconds")),
    ("GPUs", attrgetter("devices")),
    ("account", attrgetter("payer.account")),
    ("user", attrgetter("payer.user")),
    ("partition", attrgetter("payer.partition")),
    ("state", attrgetter("state")),
)
_MAY_BE_UNSAID: Final = frozenset({"user", "partition", "state"})
"""Not every export has these columns: one that lacks them says nothing else."""


def _agree(runs: list[Run]) -> bool:
    return len(runs) == 1 or not _difference(runs)


def _difference(runs: list[Run]) -> str:
    """Return in what the records of a run differ; empty if in nothing."""
    return ", ".join(
        name
        for name, said in _SAID
        if len({said(run) for run in runs} - ({""} if name in _MAY_BE_UNSAID else set())) > 1
    )


def _completed(runs: list[Run]) -> Run:
    """Return the first of equal records, with what only another one says."""
    if len(runs) == 1:
        return runs[0]
    user = max(run.payer.user for run in runs)
    partition = max(run.payer.partition for run in runs)
    state = max(run.state for run in runs)
    return runs[0]._replace(payer=Payer(runs[0].payer.account, user, partition), state=state)


# ------------------------------------------------------------------------------------------------- in the spool


def _pieces(runs: list[Run]) -> Iterator[bytes]:
    for at in range(0, len(runs), _PIECE):
        yield marshal.dumps([_flat(run) for run in runs[at : at + _PIECE]])


def _flat(run: Run) -> tuple[Any, ...]:
    return (*run[:4], tuple(map(tuple, run.devices)), tuple(run.payer), *run[6:])


def _read_back(pieces: Iterator[bytes]) -> Iterator[Run]:
    devices: dict[Any, tuple[Device, ...]] = {}
    payers: dict[Any, Payer] = {}
    for piece in pieces:
        for job, starts_at, ends_at, seconds, held, payer, *others in marshal.loads(piece):  # noqa: S302 - our own
            if held not in devices:
                devices[held] = tuple(Device(*one) for one in held)
            if payer not in payers:
                payers[payer] = Payer(*payer)
            yield Run(job, starts_at, ends_at, seconds, devices[held], payers[payer], *others)
