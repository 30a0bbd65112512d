"""A segment of an export is audited by itself: from a state that lies beside it to the next one that is true.

    begins     with nothing, or with the state after so many entries: its bytes must be those of its header, and the
               header's root that of the stored tiles. Whether it is the true one, only the segment before can say.
    goes       through the entries as every audit does (walk.py)
    ends       where the entries come, byte for byte, to a state that lies there. One that lies is named and passed by,
               so a segment runs on over the next ones until there is a true one.

What comes of it is small: two headers, sums, and the states that lie. It counts only as a link of the chain that
begins with nothing (chain.py). A segment that begins with a lie can come to anything, and never counts.
"""

import resource
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from tallystick.audit.evidence import Evidence
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.joining import tile_reader
from tallystick.audit.prior_checkpoints import PriorCheckpoint, PriorCheckpoints
from tallystick.audit.replay import LineSums, Replay
from tallystick.audit.series import CheckpointSeries
from tallystick.audit.stored_states import StoredStates
from tallystick.audit.walk import Held, Walk
from tallystick.cycle_collection import paused_collection
from tallystick.errors import MalformedError
from tallystick.findings import Finding, Findings
from tallystick.signing.keys import VerifierKey
from tallystick.sources import StaticFolder, StaticUrl
from tallystick.static.states import SIZE_MAX, state_path
from tallystick.transparency.merkle import ReadTile, RightEdge
from tallystick.verifying import VerificationPool
from tallystick.vouchers.editions import require_known
from tallystick.vouchers.saved_state import StateHeader, split_saved
from tallystick.vouchers.state import State

NO_SUMS: Final = LineSums(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class SegmentOrder:
    """What a worker is told; all of it is small, and can be pickled.

    Attributes:
        source: of the export, as the worker finds it too.
        origin: the log's.
        size: of the log, as its newest checkpoint says.
        start: after how many entries the segment begins.
        priors: what the log signed before of trees that are as large or larger.
    """

    source: StaticFolder | StaticUrl
    origin: str
    size: int
    start: int
    priors: tuple[PriorCheckpoint, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What a segment came to.

    Attributes:
        start: after how many entries it began.
        begin: the header of the state that it began with; None if with nothing, or not at all.
        end: the header of the state that it arrived at; None if at none, or if anything but lying states was found.
        findings: the states on the way that lie.
        sums: over its entries.
        trouble: what kept it from beginning or going on, for a person.
        cpu_seconds: of the worker, for it.
        memory_kib: of the worker at most, so far.
    """

    start: int
    begin: StateHeader | None = None
    end: StateHeader | None = None
    findings: tuple[Finding, ...] = ()
    sums: LineSums = NO_SUMS
    trouble: str = ""
    cpu_seconds: float = 0.0
    memory_kib: int = 0


class Pending(Protocol):
    """A segment that is being audited: the future of `concurrent.futures`, as far as it is used."""

    def result(self) -> SegmentResult:
        """Wait for it.

        Raises:
            OSError: the worker is gone; another may be asked.
        """

    def cancel(self) -> object:
        """Say that nobody waits for it any more."""


class SegmentWorkers(Protocol):
    """Where segments are audited: here, in processes (segment_processes.py), or on other machines."""

    def submit(self, order: SegmentOrder) -> Pending:
        """Have `audit_segment(order)` done somewhere; those that were submitted first are waited for first."""


class InTurn:
    """Segments are audited here, each when its result is asked for."""

    def submit(self, order: SegmentOrder) -> Pending:
        """Take a segment."""
        return _Later(lambda: audit_segment(order))


class _Later:
    def __init__(self, audit_it: Callable[[], SegmentResult]) -> None:
        self.result = audit_it

    def cancel(self) -> None:
        """Nothing was begun."""


class Begin(NamedTuple):
    """A state that lies there, and a reader of the tiles of its tree, which have its root."""

    header: StateHeader
    state: State
    read_tile: ReadTile


def begin_at(evidence: Evidence, origin: str, size: int, start: int) -> Begin:
    """Return the state that lies there after `start` of the `size` entries of a log.

    Raises:
        MalformedError: it isn't there, or isn't what its name, its header and the stored tiles say.
        NotAFileError: what is there is no file.
        EditionUnknownError: it is of rules that this version doesn't know.
        SourceUnreadableError: this machine can't read it.
    """
    saved = evidence.state(start, SIZE_MAX)
    if saved is None or len(saved) > SIZE_MAX:
        raise MalformedError(f"{state_path(start)} isn't there, or is too large")
    text, place = split_saved(saved)
    header = StateHeader.from_text(text)
    if (header.origin, header.size) != (origin, start):
        raise MalformedError(f"{state_path(start)} is the state of {header.origin} after {header.size} entries")
    read_tile = tile_reader(size, evidence)
    if RightEdge.from_tiles(start, read_tile).root() != header.root:
        raise MalformedError(f"{state_path(start)} has another root than the stored tiles")
    data = saved[place:]
    del saved  # before the state is made of the other
    state = header.state(data)
    for key in state.keys.values():
        VerifierKey.from_text(key.vkey)  # entries are verified by it
    if state.network is not None:
        require_known(state.network.edition)
    return Begin(header, state, read_tile)


def audit_segment(order: SegmentOrder) -> SegmentResult:
    """Audit a segment, wherever this runs; whatever goes wrong is in the result."""
    findings = Findings()
    started = time.process_time()
    try:
        with closing(open_evidence(order.source, findings, order.start)) as evidence, paused_collection():
            result = _audit(order, evidence, findings)
    except MemoryError:
        raise  # this machine's; another may have more
    except Exception as error:  # of a state that lies anything can follow; of a true one, the audit itself meets it
        return SegmentResult(order.start, trouble=f"{type(error).__name__}: {error}")
    begin, end, walk = result
    return SegmentResult(
        order.start,
        begin,
        end,
        findings.by_entry(),
        _sums_of(walk),
        "",
        time.process_time() - started,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    )


def _audit(
    order: SegmentOrder, evidence: Evidence, findings: Findings
) -> tuple[StateHeader | None, StateHeader | None, Walk]:
    """Return the headers of the states from which and to which it came, and the walk between them."""
    replay = Replay(order.origin, findings)
    series = CheckpointSeries(evidence.checkpoints(), order.origin, order.size, (), findings, replay.signing_vkeys)
    states = StoredStates(evidence, findings, order.start, order.size)
    walk = Walk(evidence, findings, replay, Held(series, PriorCheckpoints(order.priors, 0), states), order.size)
    header = None
    if order.start:
        begin = begin_at(evidence, order.origin, order.size, order.start)
        header = begin.header
        walk.resume(order.start, begin.read_tile)
        replay.resume(begin.state, NO_SUMS)
        del begin
    with VerificationPool(0) as pool:
        end = walk.to_next_state(pool)
    replay.check_own_books()
    return header, end if walk.is_sound else None, walk


def _sums_of(walk: Walk) -> LineSums:
    return walk.replay.sums
