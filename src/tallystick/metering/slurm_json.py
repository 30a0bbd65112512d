"""Slurm's accounting as JSON: `sacct --json` and slurmrestd's `/slurmdb/…/jobs`, data versions 0.0.37 to 0.0.46.

Nothing depends on the version. A number is one, or `{"set", "infinite", "number"}`; a state is a word, or a list that
is asked whether it holds one; what isn't set is none, not 0.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from tallystick.errors import MalformedError, UsageFileError
from tallystick.metering.json_jobs import jobs_of
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.run import Run, Skipped
from tallystick.metering.slurm_devices import SlurmDevices
from tallystick.metering.slurm_runs import Facts, SlurmRuns
from tallystick.metering.slurm_times import EPOCH_END

_NOT_SET: Final = (0xFFFFFFFE, 0xFFFFFFFF)
_SPELLS: Final = ("REQUEUED", "RESIZING")
"""Said beside another state: how this spell of the job ended."""
_NO_DEVICES: Final[tuple[object, ...]] = (None, {}, [])

_EVIDENCE_TEXT: Final = (
    "account array association cluster het job_id nodes original_sluid partition restart_cnt sluid state time tres user"
)
_EVIDENCE: Final = tuple(_EVIDENCE_TEXT.split())
_NOT_ACCOUNTING: Final = (
    "its first job has no times, or no tres; export it with sacct --json, not with squeue or scontrol"
)

Job = dict[str, Any]


def read_slurm_json(chunks: Iterable[bytes], mapping: Mapping, remarks: dict[str, Any]) -> Iterator[Run | Skipped]:
    """Yield what becomes of each job of `sacct --json`; steps lie within their jobs and are no records.

    Args:
        chunks: the file's bytes, in pieces of any size.
        mapping: of the provider.
        remarks: takes what a person must be told.

    Raises:
        UsageFileError: the file isn't read at all.
    """
    runs = SlurmRuns(mapping, remarks)
    outcomes = _Outcomes(runs, mapping)
    for number, job in enumerate(jobs_of(chunks), 1):
        yield outcomes.of(job, number)
    runs.finish()


class _Outcomes:
    def __init__(self, runs: SlurmRuns, mapping: Mapping) -> None:
        self._runs = runs
        self._devices = SlurmDevices(mapping)

    def of(self, job: object, number: int) -> Run | Skipped:
        """Return what becomes of a job."""
        if not isinstance(job, dict):
            return Skipped(SkipReason.UNREADABLE, number, why="it is no object")
        name, waits = _name(job)
        if not name:
            return Skipped(SkipReason.UNREADABLE, number, why="it has no job_id")
        if not isinstance(job.get("time"), dict) or "tres" not in job:
            if number == 1:
                raise UsageFileError(FileFault.COLUMN_MISSING, _NOT_ACCOUNTING)
            return Skipped(SkipReason.UNREADABLE, number, name, why="it has no times, or no tres")
        state = _state(job)
        self._runs.met(name, state)
        association = _object(job, "association")
        account = _text(job, "account") or _text(association, "account")
        times = _object(job, "time")
        starts_at, ends_at = _instant(times.get("start")), _instant(times.get("end"))
        elapsed, suspended = number_of(times.get("elapsed")), number_of(times.get("suspended")) or 0
        allocated = _object(job, "tres").get("allocated")
        if waits or (starts_at is None and (not elapsed or allocated in _NO_DEVICES)):
            return Skipped(SkipReason.NOT_STARTED, number, name, account=account)
        partition = _text(job, "partition")
        try:
            if starts_at is None:
                raise MalformedError("it ran, and has no start")
            devices = self._devices.of_counts(_counts(allocated), partition, _text(job, "nodes"))
            if devices and (elapsed is None or elapsed < 0 or suspended < 0):
                raise MalformedError("its elapsed or suspended time is no number of seconds")
        except MalformedError as error:
            self._runs.with_gpus += 1
            return Skipped(SkipReason.UNREADABLE, number, name, 0, str(error), account)
        if not devices:
            return Skipped(SkipReason.NO_GPU, number, name, account=account)
        cluster = self._runs.cluster_of(_text(job, "cluster") or _text(association, "cluster"))
        user = _text(job, "user") or _text(association, "user")
        ends = None if ends_at is None else (ends_at,)
        facts = Facts(name, account, user, partition, cluster, state, (starts_at,), ends, elapsed or 0, suspended)
        return self._runs.outcome(facts, devices, number, _record(job))


def number_of(value: object) -> int | None:
    """Return a number in any of its spellings; None if it isn't set, is infinite, or is no whole number."""
    if isinstance(value, dict):
        if value.get("set") is not True or value.get("infinite") is True:
            return None
        value = value.get("number")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= len(str(EPOCH_END)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value in _NOT_SET or abs(value) > EPOCH_END:
        return None
    return value


def _instant(value: object) -> int | None:
    number = number_of(value)
    return number if number and number > 0 else None


def _name(job: Job) -> tuple[str, bool]:
    """Return a job's id as sacct displays it, and whether it stands for tasks of an array that wait."""
    own = number_of(job.get("job_id"))
    array, het = _object(job, "array"), _object(job, "het")
    of_array, of_het = number_of(array.get("job_id")), number_of(het.get("job_id"))
    task, offset = number_of(array.get("task_id")), number_of(het.get("job_offset"))
    if own is None or own <= 0:
        return "", False
    if of_array and task is not None:
        return f"{of_array}_{task}", False
    if of_array and _text(array, "task"):
        return f"{of_array}_[{_text(array, 'task')[:60]}]", True
    if of_het and offset is not None:
        return f"{of_het}+{offset}", False
    return str(own), False


def _state(job: Job) -> str:
    said = job.get("state")
    if isinstance(said, dict):
        said = said.get("current")
    words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    states = [word.partition(" ")[0] for word in words if isinstance(word, str) and word]
    return next((word for word in _SPELLS if word in states), states[0] if states else "")


def _counts(allocated: object) -> Iterator[tuple[str, int]]:
    """Yield the generic resources of a job.

    Raises:
        MalformedError: a count isn't a number of devices.
    """
    for one in allocated if isinstance(allocated, list) else ():
        if not isinstance(one, dict) or one.get("type") != "gres":
            continue
        name = _text(one, "name").removeprefix("gres/")
        if name in {"gpumem", "gpuutil"}:
            continue
        count = number_of(one.get("count"))
        if count is None or count < 0:
            raise MalformedError(f"gres/{name[:60]} has a count that is no number of devices")
        yield name, count


def _object(value: Job, name: str) -> Job:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Job, name: str) -> str:
    part = value.get(name)
    return part if isinstance(part, str) else ""


def _record(job: Job) -> bytes:
    """Return what a job says of its run, as it was read; names and comments aren't among it."""
    own = {name: job[name] for name in _EVIDENCE if name in job}
    try:
        return orjson.dumps(own)
    except TypeError:  # half a character, which UTF-8 doesn't have
        return json.dumps(own, separators=(",", ":")).encode()
