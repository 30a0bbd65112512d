"""What becomes of one Slurm record, whether it came as text or as JSON. Times decide, states don't.

a step                                      its time is the job's already
no start                                    it never started
no GPU                                      counted, never burned
a start and an end                          a run: allocated from start to end, for `elapsed` seconds
a start, and no end or a state that runs    it still runs, known until start + elapsed + suspended
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tallystick.errors import UsageFileError
from tallystick.metering.mapping import Mapping
from tallystick.metering.reading import EXAMPLES_MAX
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.run import Device, Payer, Run, Skipped
from tallystick.metering.slurm_times import Readings

_US: Final = 1_000_000
_STATES_TEXT: Final = (
    "BOOT_FAIL CANCELLED COMPLETED COMPLETING CONFIGURING DEADLINE EXPEDITING FAILED LAUNCH_FAILED NODE_FAIL "
    "OUT_OF_MEMORY PENDING POWER_UP_NODE PREEMPTED RECONFIG_FAIL REQUEUED REQUEUE_FED REQUEUE_HOLD RESIZING "
    "RESV_DEL_HOLD REVOKED RUNNING SIGNALING SPECIAL_EXIT STAGE_OUT STOPPED SUSPENDED TIMEOUT UPDATE_DB"
)
_STATES: Final = frozenset(_STATES_TEXT.split())
_RUN_STATES: Final = frozenset({"RUNNING", "SUSPENDED"})
"""A record with an end and one of these is of an export that cuts times at its window (`sacct -T`)."""
_JOBS_REMEMBERED: Final = 4_096
_PAYERS_REMEMBERED: Final = 65_536


class Facts(NamedTuple):
    """What a record says of a job.

    Attributes:
        job: its id as it is displayed.
        account: who pays.
        user: who ran it.
        partition: where.
        cluster: empty if the record doesn't say.
        state: the first word of it.
        starts: what its start may be, in seconds; None: it has none.
        ends: what its end may be, in seconds; None: it has none.
        elapsed: seconds, without those that it was suspended for.
        suspended: seconds.
    """

    job: str
    account: str
    user: str
    partition: str
    cluster: str
    state: str
    starts: Readings | None
    ends: Readings | None
    elapsed: int
    suspended: int


class SlurmRuns:
    """Makes runs of what records say, and remarks of what a person must be told.

    Attributes:
        has_cluster: whether the mapping names it.
        recent: the jobs whose records were met last.
        stepped: jobs of which only steps were met so far.
        jobs: more than 0 once a job was met.
        with_gpus: more than 0 once one was met that held GPUs.
    """

    def __init__(self, mapping: Mapping, remarks: dict[str, Any]) -> None:
        self._cluster = mapping.cluster or ""
        self._remarks = remarks
        self._payers: dict[tuple[str, str, str], Payer] = {}
        self.has_cluster = bool(mapping.cluster)
        self.recent: deque[str] = deque(maxlen=_JOBS_REMEMBERED)
        self.stepped: OrderedDict[str, None] = OrderedDict()
        self.jobs = 0
        self.with_gpus = 0

    def cluster_of(self, said: str) -> str:
        """Return the cluster's name.

        Raises:
            UsageFileError: neither the record nor the mapping has it.
        """
        cluster = said or self._cluster
        if not cluster:
            raise UsageFileError(
                FileFault.CLUSTER_UNKNOWN,
                'the file has no cluster; say cluster = "…" in the mapping, or export the column Cluster',
            )
        return cluster

    def is_of_an_end(self, state: str) -> bool:
        """Whether a state is known, and of a job that doesn't run."""
        return state in _STATES and state not in _RUN_STATES

    def met(self, job: str, state: str) -> None:
        """Take note of a job's record."""
        self.jobs += 1
        if state not in _STATES:
            states = self._remarks.setdefault("states_unknown", {})
            if state in states or len(states) < EXAMPLES_MAX:
                states[state[:80]] = states.get(state[:80], 0) + 1
        self.stepped.pop(job, None)
        self.recent.append(job)

    def took(self, jobs: Sequence[str], *, with_gpus: bool) -> None:
        """Take note of jobs whose states are known, and whether one of them held GPUs."""
        self.jobs += len(jobs)
        self.with_gpus += with_gpus
        self.recent.extend(jobs)
        if self.stepped:
            for job in jobs:
                self.stepped.pop(job, None)

    def step(self, job: str, line: int) -> Skipped:
        """Return that a record is of a step, and take note of whose."""
        if job not in self.stepped and not self._is_recent(job):
            self.stepped[job] = None
            if len(self.stepped) > _JOBS_REMEMBERED:
                self.stepped.popitem(last=False)
        return Skipped(SkipReason.STEP, line, job)

    def _is_recent(self, job: str) -> bool:
        return bool(self.recent) and (job == self.recent[-1] or job in self.recent)

    def finish(self) -> None:
        """Say what only the end of a file shows."""
        for job in self.stepped:
            self._remark("steps_without_their_job", job)
        if self.jobs and not self.with_gpus:
            self._remarks["files_without_gpus"] = self._remarks.get("files_without_gpus", 0) + 1

    def outcome(self, facts: Facts, devices: tuple[Device, ...], line: int, record: bytes) -> Run | Skipped:
        """Return what becomes of a record that has a start and devices."""
        self.with_gpus += 1
        ends = facts.ends
        if ends is not None and facts.state in _RUN_STATES:
            self._remark("running_with_an_end", facts.job)
            facts, ends = facts._replace(suspended=0), None
        if ends is None:
            return self._running(facts, devices, line, record)
        starts = facts.starts or ()
        decided = _decided(starts, ends, facts.elapsed, facts.suspended)
        if isinstance(decided, tuple):
            starts_at, ends_at = decided
            if ends_at - starts_at - facts.suspended != facts.elapsed:
                self._remark("elapsed_differs", facts.job)
            return self._run(facts, devices, line, record, starts_at, ends_at)
        reason, why = _WHYS[decided]
        count = sum(device.count_milli for device in devices)
        return Skipped(reason, line, facts.job, count * facts.elapsed, why, facts.account)

    def _running(self, facts: Facts, devices: tuple[Device, ...], line: int, record: bytes) -> Run | Skipped:
        starts = facts.starts or ()
        if len(starts) == 1:
            return self._run(facts, devices, line, record, starts[0], None)
        count = sum(device.count_milli for device in devices)
        if not starts:
            return Skipped(SkipReason.UNREADABLE, line, facts.job, 0, _NO_SUCH_TIME, facts.account)
        return Skipped(SkipReason.STILL_RUNNING, line, facts.job, count * facts.elapsed, "", facts.account)

    def _run(
        self,
        facts: Facts,
        devices: tuple[Device, ...],
        line: int,
        record: bytes,
        starts_at: int,
        ends_at: int | None,
    ) -> Run:
        said = (facts.account, facts.user, facts.partition)
        payer = self._payers.get(said)
        if payer is None:
            if len(self._payers) >= _PAYERS_REMEMBERED:
                self._payers.clear()
            payer = self._payers[said] = Payer(*said)
        return Run(
            facts.job,
            starts_at * _US,
            None if ends_at is None else ends_at * _US,
            facts.elapsed,
            devices,
            payer,
            line,
            record,
            facts.cluster,
            facts.state,
            (starts_at + facts.elapsed + facts.suspended) * _US if ends_at is None else None,
        )

    def _remark(self, name: str, job: str) -> None:
        jobs = self._remarks.setdefault(name, [])
        if len(jobs) < EXAMPLES_MAX:
            jobs.append(job)


_NO_SUCH_TIME: Final = "its wall time was skipped when the clock was set forward, or is no time"
_WHYS: Final = {
    "none": (SkipReason.UNREADABLE, _NO_SUCH_TIME),
    "before": (SkipReason.INTERVAL_INVALID, "its end is before its start"),
    "longer": (SkipReason.UNREADABLE, "its elapsed time is longer than its interval"),
    "either": (
        SkipReason.TIME_AMBIGUOUS,
        "its wall times have two readings, and its elapsed time doesn't choose one",
    ),
}


def _decided(starts: Readings, ends: Readings, elapsed: int, suspended: int) -> tuple[int, int] | str:
    """Return the start and end that the elapsed time decides for, or which of `_WHYS` it is."""
    if len(starts) == 1 == len(ends):
        took = ends[0] - starts[0]
        return (starts[0], ends[0]) if 0 <= elapsed <= took else "before" if took < 0 else "longer"
    if not starts or not ends:
        return "none"
    ordered = [(start, end) for start in starts for end in ends if start <= end]
    if not ordered:
        return "before"
    possible = [(start, end) for start, end in ordered if elapsed <= end - start]
    if not possible:
        return "longer"
    exact = [(start, end) for start, end in possible if end - start - suspended == elapsed]
    for found in (exact, possible):
        if len(found) == 1:
            return found[0]
        if found:
            return "either"
    return "longer"
