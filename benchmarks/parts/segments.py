"""Statements audited in segments: by one process, by two, by two Dask workers; and in one piece by one process.

The export has a saved state every 512 entries, and ends four entries after the last one, so that two processes have
three segments each. Its lines are spread over 260 days, 92 of which a state remembers.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import network
from parts.auditing import POLICY
from parts.dask_cluster import cluster, dask_workers, missing
from places import LINES_EACH, Place
from rounds import Part

from tallystick.audit import audit
from tallystick.audit.segment_processes import SegmentProcesses
from tallystick.audit.segments import SegmentWorkers
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles

TAIL = 4
"""Entries after the last saved state."""
Workers = Callable[[], AbstractContextManager[SegmentWorkers]]


class Cut(NamedTuple):
    """How an export is cut: its segments, entries of each, lines of each entry."""

    segments: int
    entries: int
    lines_each: int

    @property
    def lines(self) -> int:
        """How many lines make so many entries, and the tail."""
        return (self.segments * self.entries - network.FOUNDING_ENTRIES + TAIL) * self.lines_each


WHOLE = Cut(6, 512, LINES_EACH)
TRIED_OUT = Cut(2, 256, 2)


def _cut(place: Place) -> Cut:
    return WHOLE if place.scale == 1 else TRIED_OUT


def _export(place: Place) -> Path:
    cut = _cut(place)

    def make() -> Path:
        folder = place.kept_folder() / "export"
        with read_ledger(place.ledger(cut.lines, cut.lines_each)) as reader:
            export_tiles(reader, folder, states_every=cut.entries)
        return folder

    return place.once("export with states", make)


def _rate(place: Place, workers: Workers | None) -> float:
    """Return lines a second, the start of the processes included."""
    export, lines = _export(place), _cut(place).lines
    notices: list[str] = []
    begin = time.perf_counter()
    if workers is None:
        report = audit(export, POLICY, processes=1)
    else:
        with workers() as segments:
            report = audit(export, POLICY, processes=1, segments=segments, notice=notices.append)
    seconds = time.perf_counter() - begin
    assert report.is_clean, report.findings[:3]
    assert not notices, notices
    return lines / seconds


def measure(place: Place) -> dict[str, float]:
    """Lines of statements audited in segments by one process and by two, and in one piece."""
    return {
        "audit_segments_1_worker": _rate(place, lambda: SegmentProcesses(1)),
        "audit_segments_2_workers": _rate(place, lambda: SegmentProcesses(2)),
        "audit_in_one_piece": _rate(place, None),
    }


def measure_dask(place: Place) -> dict[str, float]:
    """The same by two Dask workers on this machine."""
    with place.folder() as where, cluster(where, 2) as running:
        return {"audit_segments_dask": _rate(place, lambda: dask_workers(running.address))}


PARTS = (Part("audit_segments", measure), Part("audit_dask", measure_dask, missing))
