"""What is done to a ledger in a process of its own: `operations.py NAME ARGUMENTS` prints what it measured (JSON).

figures.py says what each is (`CURVE`). A measured stretch says what processor time it took, of this process and those
that it started and waited for, and how long it was (seconds). What is only prepared, such as signing the notes that
are submitted, isn't in it.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import network
from parts.dask_cluster import dask_workers

from support.burning import LOG_KEY, NOW, Clock
from tallystick.audit import audit
from tallystick.audit.segment_processes import SegmentProcesses
from tallystick.audit.segments import SegmentWorkers
from tallystick.dossiers.writing import write_dossier
from tallystick.ledger import Ledger, open_ledger
from tallystick.ledger.sidecar import SNAPSHOT, FolderSidecar
from tallystick.ledger.snapshots import write_snapshot
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.transparency.policy import Policy
from tallystick.views import followed_views

SUBMITTED_AT_ONCE: Final = 50
"""Statements in a group."""
RECEIPTS: Final = 100
POLICY: Final = Policy.for_log(LOG_KEY.verifier)


class Stopwatch:
    """Adds up stretches of work."""

    def __init__(self) -> None:
        self.cpu_seconds = 0.0
        self.wall_seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done within."""
        cpu, wall = _cpu_seconds(), time.perf_counter()
        yield
        self.cpu_seconds += _cpu_seconds() - cpu
        self.wall_seconds += time.perf_counter() - wall

    def shares(self, parts: int = 1) -> dict[str, float]:
        """Return what each of equal parts took."""
        return {"cpu_seconds": self.cpu_seconds / parts, "wall_seconds": self.wall_seconds / parts}


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def append(folder: str, lines: int, lines_each: int = 200, first: int = 0, of: int = 0) -> dict[str, float]:
    """Write so many lines to a new ledger, or to one that has `first` of them; leave a snapshot of all of it.

    Time passes from line to line of a log that will have `of`; where that is 0, all are of one day.
    """
    watch, place, statements, clock = Stopwatch(), Path(folder), max(1, lines // lines_each), Clock()
    network.skip(first // lines_each, first)
    with _new_ledger(place, lines_each, clock) if first == 0 else open_ledger(place, LOG_KEY, clock=clock) as ledger:
        size = ledger.state.size
        at_once = SUBMITTED_AT_ONCE if lines_each > 1 else 512
        for number in range(0, statements, at_once):
            at = network.instant_of(first + number * lines_each, of) if of else None
            notes = network.statements(min(at_once, statements - number), lines_each, at)
            clock.at = NOW if at is None else at
            with watch.running():
                ledger.submit(notes)
        assert ledger.state.size == size + statements
        write_snapshot(FolderSidecar(place), ledger.state, ledger.root, LOG_KEY)
    return watch.shares()


def _new_ledger(folder: Path, lines_each: int, clock: Clock) -> Ledger:
    return network.founded_ledger(folder, verify_processes=2 if lines_each == 1 else 0, clock=clock)


def views(folder: str) -> dict[str, float]:
    """Make the views anew, and let them follow."""
    watch = Stopwatch()
    for path in Path(folder).glob("views.db*"):
        path.unlink()
    with watch.running(), followed_views(Path(folder)):
        pass
    return watch.shares()


def receipt(folder: str) -> dict[str, float]:
    """Prove receipts of entries from all over the log."""
    watch = Stopwatch()
    with read_ledger(Path(folder)) as reader:
        indices = [number * reader.size // RECEIPTS for number in range(RECEIPTS)]
        with watch.running():
            for index in indices:
                reader.receipt(index).to_bytes()
    return watch.shares(RECEIPTS)


def balance(folder: str) -> dict[str, float]:
    """Answer with the balances by voucher, from views that have followed."""
    watch = Stopwatch()
    with watch.running(), followed_views(Path(folder)) as followed:
        assert followed.balances("voucher")
    return watch.shares()


def open_(folder: str) -> dict[str, float]:
    """Open a ledger that has a snapshot of all of it."""
    return _opened(folder, with_snapshot=True)


def replay(folder: str) -> dict[str, float]:
    """Open a ledger that has no snapshot."""
    return _opened(folder, with_snapshot=False)


def _opened(folder: str, *, with_snapshot: bool) -> dict[str, float]:
    watch = Stopwatch()
    snapshot = Path(folder) / SNAPSHOT
    aside = snapshot.with_name(f"{SNAPSHOT}.aside")
    if not with_snapshot:
        snapshot.rename(aside)
    with watch.running():
        ledger = open_ledger(Path(folder), LOG_KEY, clock=Clock(NOW))
    measured = watch.shares()
    ledger.close()
    if not with_snapshot:
        aside.replace(snapshot)
    return measured


def audit_(folder: str, report: str) -> dict[str, float]:
    """Audit all of it, and write the report, the state beside it."""
    watch = Stopwatch()
    with watch.running():
        found = audit(Path(folder), POLICY, report_file=Path(report))
    assert found.is_clean, found.findings[:3]
    return watch.shares()


def audit_since(folder: str, since: str, report: str) -> dict[str, float]:
    """Audit what is new since a report."""
    watch = Stopwatch()
    with watch.running():
        found = audit(Path(folder), POLICY, since=Path(since), report_file=Path(report))
    assert found.is_clean, found.findings[:3]
    return watch.shares()


def dossier(folder: str, to: str) -> dict[str, float]:
    """Write the dossier of the one voucher, from views that have followed."""
    watch = Stopwatch()
    with watch.running(), Path(to).open("wb") as out:
        write_dossier(Path(folder), "voucher treasury/v1", out)
    return watch.shares()


def export(folder: str, to: str, states_every: int = 0) -> dict[str, float]:
    """Export to a new folder, with a saved state every so many entries."""
    watch = Stopwatch()
    with watch.running(), read_ledger(Path(folder)) as reader:
        export_tiles(reader, Path(to), states_every=states_every or None)
    return watch.shares()


def audit_segments(folder: str, report: str, workers: int) -> dict[str, float]:
    """Audit an export in segments, by processes of this machine."""
    return _audited_in(SegmentProcesses(workers), folder, report)


def audit_dask(folder: str, report: str, address: str) -> dict[str, float]:
    """Audit an export in segments, by the workers of a Dask scheduler; what these used isn't in it."""
    return _audited_in(dask_workers(address), folder, report)


def _audited_in(workers: AbstractContextManager[SegmentWorkers], folder: str, report: str) -> dict[str, float]:
    watch, notices = Stopwatch(), list[str]()
    with watch.running(), workers as segments:  # ended within: only then is known what time they took
        found = audit(Path(folder), POLICY, report_file=Path(report), segments=segments, notice=notices.append)
    assert found.is_clean, found.findings[:3]
    assert not notices, notices
    return watch.shares()


BY_NAME: Final[dict[str, Callable[..., dict[str, float]]]] = {
    "append": append,
    "views": views,
    "receipt": receipt,
    "balance": balance,
    "open": open_,
    "replay": replay,
    "audit": audit_,
    "audit_since": audit_since,
    "dossier": dossier,
    "export": export,
    "audit_segments": audit_segments,
    "audit_dask": audit_dask,
}


if __name__ == "__main__":
    print(json.dumps(BY_NAME[sys.argv[1]](**json.loads(sys.argv[2]))))
