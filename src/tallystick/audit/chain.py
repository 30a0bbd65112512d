"""Segments that were audited by themselves prove an export from nothing up to a place, link by link; none is believed.

A link counts if the one before it ended, byte for byte, with the state and the root that it began with, and if nothing
was found but states that lie, which are named. The first begins with nothing. So the last place of the chain is what a
sequential audit would have come to there, with the same findings, and the audit goes on from it by itself: to the end,
or from where something else is wrong. What it can't take up there, it takes up at the place before, or begins anew.

A lost worker's segment is submitted again. Segments that began with a lie aren't waited for.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final, NamedTuple

from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.prior_checkpoints import PriorCheckpoint
from tallystick.audit.replay import LineSums
from tallystick.audit.segments import (
    NO_SUMS,
    Begin,
    Pending,
    SegmentOrder,
    SegmentResult,
    SegmentWorkers,
    begin_at,
)
from tallystick.errors import MalformedError, NotAFileError
from tallystick.findings import Finding, Findings
from tallystick.progress import Progress
from tallystick.sources import StaticFolder, StaticUrl
from tallystick.vouchers.saved_state import StateHeader

ATTEMPTS_MAX: Final = 4
Notice = Callable[[str], None]
"""Told in a sentence why the rest is audited in one piece."""


class Place(NamedTuple):
    """A place up to which all is proven.

    Attributes:
        header: of the state that lies there.
        sums: over the entries before it.
        findings: the states before it that lie.
    """

    header: StateHeader
    sums: LineSums
    findings: tuple[Finding, ...]


class Export(NamedTuple):
    """The export that is audited in segments.

    Attributes:
        source: where it is.
        origin: the log's.
        size: of the log, as its newest checkpoint says.
        sizes: after how many entries states lie there, ascending.
        priors: what the log signed before.
    """

    source: StaticFolder | StaticUrl
    origin: str
    size: int
    sizes: Sequence[int]
    priors: Sequence[PriorCheckpoint]

    def order(self, start: int) -> SegmentOrder:
        """Return the order of the segment that begins after so many entries."""
        priors = tuple([prior for prior in self.priors if prior.checkpoint.size >= start])
        return SegmentOrder(self.source, self.origin, self.size, start, priors)


def prove(export: Export, workers: SegmentWorkers, progress: Progress | None, notice: Notice) -> list[Place]:
    """Return the places up to which the segments prove the export, from the beginning on.

    What comes after the last state is for the audit itself.
    """
    starts = [0, *export.sizes][: len(export.sizes)]
    pending = {start: workers.submit(export.order(start)) for start in starts}
    places: list[Place] = []
    at: StateHeader | None = None
    sums = NO_SUMS
    findings: tuple[Finding, ...] = ()
    try:
        while (start := 0 if at is None else at.size) in pending:
            result = _result(pending[start], export.order(start), workers)
            if result.end is None or result.begin != at or result.end.size <= start:
                _say_why(start, at, result, notice)
                break
            at = result.end
            sums = LineSums(*map(sum, zip(sums, result.sums, strict=True)))
            findings = (*findings, *result.findings)
            places.append(Place(at, sums, findings))
            if progress is not None:
                progress(at.size, export.size)
    finally:
        for one in pending.values():
            one.cancel()
    return places


def take_up(export: Export, places: Sequence[Place]) -> tuple[Place, Begin] | None:
    """Return the last place that an audit can go on from, and its state; None if it must begin anew."""
    for place in reversed(places):
        found = Findings()
        start = place.header.size
        with closing(open_evidence(export.source, found, start)) as evidence:
            try:
                begin = begin_at(evidence, export.origin, export.size, start)
            except (MalformedError, NotAFileError):
                continue  # its tiles are damaged, which the audit names if it begins before
            if begin.header == place.header and not found:
                return place, begin
    return None


def _result(pending: Pending, order: SegmentOrder, workers: SegmentWorkers) -> SegmentResult:
    """Wait for a segment; if its worker is lost, have another do it."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return pending.result()
        except OSError:
            pending = workers.submit(order)
    try:
        return pending.result()
    except OSError as error:
        return SegmentResult(order.start, trouble=f"{ATTEMPTS_MAX} workers were lost with it: {error}")


def _say_why(start: int, at: StateHeader | None, result: SegmentResult, notice: Notice) -> None:
    """Say why the chain ends here, unless that is something in the log, which the report says."""
    is_apart = result.begin is not None and result.begin != at
    why = "it began with another state than the one before it ended with" if is_apart else result.trouble
    if why:
        notice(f"the segment from entry {start} on: {why}; from there on the log is audited in one piece")
