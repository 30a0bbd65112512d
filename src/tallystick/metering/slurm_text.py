r"""Slurm's accounting as text: `sacct -P` or `-p`, with any columns in any order.

    sacct -a -X -D -P --noconvert -o cluster,jobid,account,user,partition,state,start,end,elapsedraw,suspended,alloctres

Bytes that aren't UTF-8 are read as `\xff`, for a user may name a job so. What is no record is counted as unreadable.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from tallystick.errors import MalformedError, UsageFileError
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.run import Run, Skipped
from tallystick.metering.slurm_devices import SlurmDevices
from tallystick.metering.slurm_doubt import without_doubtful
from tallystick.metering.slurm_layout import JOB, SPAN, STATE, TIME, TRES, Layout, Used, layout_of
from tallystick.metering.slurm_plain import PlainRecords
from tallystick.metering.slurm_records import Batch, Found, Lost, Values, cut_into_records, job_shown
from tallystick.metering.slurm_runs import Facts, SlurmRuns
from tallystick.metering.slurm_times import NO_TIMES, Instants, Readings, span_seconds
from tallystick.metering.utf8_pieces import utf8_pieces

LINE_BYTES_MAX: Final = 1024 * 1024
"""Of a line; sacct writes some hundred."""
_ZONE_MISSING: Final = (
    'its times have no offset; say time_zone = "…" in the mapping, or export with SLURM_TIME_FORMAT=%s'
)
_NOT_SUSPENDED: Final = frozenset({"", "00:00:00", "00:00", "0"})
_JOB_PARTS: Final = re.compile(r"([^.\[]*)(\[.*?\])?(\..*)?", re.DOTALL)
_NUMBER_DIGITS: Final = 12
_REMEMBERED: Final = 65_536
_BATCH: Final = 256


def read_slurm_text(chunks: Iterable[bytes], mapping: Mapping, remarks: dict[str, Any]) -> Iterator[Run | Skipped]:
    """Yield what becomes of each record of `sacct -P` or `-p`.

    Args:
        chunks: the file's bytes, in pieces of any size.
        mapping: of the provider.
        remarks: takes what a person must be told.

    Raises:
        UsageFileError: the file isn't read at all.
    """
    batches = _batches(chunks)
    layout, rest = yield from _heading(batches)
    for name in layout.free_text:
        named = remarks.setdefault("free_text_columns", [])
        if name not in named:
            named.append(name)
    runs, devices, instants = SlurmRuns(mapping, remarks), SlurmDevices(mapping), Instants(mapping.zone)
    outcomes = _Outcomes(runs, devices, instants)
    plain = PlainRecords(layout, runs, devices, instants)
    cut = cut_into_records(chain([rest], batches), layout, _Forms().are_of_a_record, plain)
    for one in without_doubtful(cut, layout):
        if isinstance(one, list):
            yield from one
        else:
            yield outcomes.of(one) if isinstance(one, Found) else _lost(one, layout)
    runs.finish()


def _heading(batches: Iterator[Batch]) -> Generator[Skipped, None, tuple[Layout, Batch]]:
    """Yield what stands before the heading; return it, and the lines of its batch that follow it."""
    for first, texts in batches:
        for at, text in enumerate(texts):
            if text.startswith(("sacct:", "slurm", "Warning")):
                yield Skipped(SkipReason.UNREADABLE, first + at, why="it stands before the heading")
            elif text.strip():
                return layout_of(text), (first + at + 1, texts[at + 1 :])
    raise UsageFileError(FileFault.HEADING_MISSING, "the file has no heading; export it with sacct -P")


def _lost(lost: Lost, layout: Layout) -> Skipped:
    if layout.is_another(lost.text):
        raise UsageFileError(
            FileFault.HEADING_CHANGES, f"line {lost.line} names other columns than the first; read the parts as files"
        )
    return Skipped(SkipReason.UNREADABLE, lost.line, job_shown(lost.text), why=lost.why, records=lost.records)


class _Forms:
    """Tells values that have the forms of a record; what passed is remembered, for columns repeat themselves."""

    def __init__(self) -> None:
        self._passed: set[str] = set()
        self._job = re.compile(JOB, re.ASCII).fullmatch
        self._rest = tuple(re.compile(form, re.ASCII).fullmatch for form in (STATE, TRES))
        self._time = re.compile(TIME, re.ASCII).fullmatch
        self._span = re.compile(SPAN, re.ASCII).fullmatch

    def are_of_a_record(self, values: Values) -> bool:
        """Whether these may be the values of `Used`, with nothing out of place."""
        job, state, start, end, elapsed_raw, tres, _account, _user, _partition, _cluster, suspended, elapsed, _ = values
        if not (job.isdecimal() and job.isascii() and len(job) <= _NUMBER_DIGITS) and self._job(job) is None:
            return False
        passed = self._passed
        if state not in passed or tres not in passed:
            if self._rest[0](state) is None or self._rest[1](tres) is None:
                return False
            if len(passed) >= _REMEMBERED:
                passed.clear()
            passed.update((state, tres))
        if self._time(start) is None or self._time(end) is None:
            return False
        if suspended != "00:00:00" and self._span(suspended) is None:
            return False
        return bool(elapsed_raw) or self._span(elapsed) is not None


class _Outcomes:
    """What becomes of a record that was found."""

    def __init__(self, runs: SlurmRuns, devices: SlurmDevices, instants: Instants) -> None:
        self._runs = runs
        self._devices = devices
        self._instants = instants

    def of(self, found: Found) -> Run | Skipped:
        """Return a run, or why there is none."""
        used, line, text = found
        job, state = used.job, used.state.partition(" ")[0]
        if not job.isdecimal() and (early := self._of_part(used, line, state)) is not None:
            return early
        self._runs.met(job, state)
        elapsed = _seconds(used.elapsed_raw or used.elapsed)
        if used.start in NO_TIMES:
            if not elapsed or not used.tres:
                return Skipped(SkipReason.NOT_STARTED, line, job, account=used.account)
            return self._unreadable(used, line, "it ran, and has no start")
        try:
            devices = self._devices.of_text(used.tres, used.partition, used.nodes)
        except MalformedError as error:
            self._runs.with_gpus += 1
            return self._unreadable(used, line, str(error))
        if not devices:
            return Skipped(SkipReason.NO_GPU, line, job, account=used.account)
        suspended = 0 if used.suspended in _NOT_SUSPENDED else span_seconds(used.suspended)
        if elapsed is None or suspended is None:
            self._runs.with_gpus += 1
            name, text = (
                ("Suspended", used.suspended) if elapsed is not None else ("Elapsed", used.elapsed_raw or used.elapsed)
            )
            return self._unreadable(used, line, f"{name} is {text[:40]!a}, which is no span of time")
        starts = self._readings(used.start)
        ends = None if used.end in NO_TIMES else self._readings(used.end)
        facts = Facts(
            job, used.account, used.user, used.partition, self._runs.cluster_of(used.cluster), state, starts, ends,
            elapsed, suspended,
        )  # fmt: skip
        return self._runs.outcome(facts, devices, line, text.encode())

    def _of_part(self, used: Used, line: int, state: str) -> Skipped | None:
        """Return that a record is of a step, or of an array's tasks that wait; None if it is of a job."""
        parts = _JOB_PARTS.fullmatch(used.job)
        if parts is None:
            return None
        if parts[3] is not None:
            return self._runs.step(parts[1], line)
        if parts[2] is not None:
            self._runs.met(used.job, state)
            return Skipped(SkipReason.NOT_STARTED, line, used.job, account=used.account)
        return None

    def _readings(self, text: str) -> Readings:
        readings = self._instants.readings(text)
        if readings is None and self._instants.lacks_zone:
            raise UsageFileError(FileFault.ZONE_MISSING, _ZONE_MISSING)
        return readings or ()

    def _unreadable(self, used: Used, line: int, why: str) -> Skipped:
        return Skipped(SkipReason.UNREADABLE, line, used.job, 0, why, used.account)


def _seconds(text: str) -> int | None:
    """Return the seconds of ElapsedRaw or Elapsed."""
    if text.isdecimal() and text.isascii() and len(text) <= _NUMBER_DIGITS:
        return int(text)
    return span_seconds(text)


def _batches(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """Yield the lines of a file, without their ends and the byte order mark.

    Raises:
        UsageFileError: it is in an encoding that sacct doesn't write, or a line is too long.
    """
    number = 1
    rest = b""
    for chunk in utf8_pieces(chunks):
        whole, end, rest = (rest + chunk).rpartition(b"\n")
        texts = _text(whole).split("\n") if end else []
        if len(rest) > LINE_BYTES_MAX or max(map(len, texts), default=0) > LINE_BYTES_MAX:
            raise UsageFileError(
                FileFault.TOO_LARGE, f"after line {number - 1} is a line of more than {LINE_BYTES_MAX:,} bytes"
            )
        for at in range(0, len(texts), _BATCH):
            yield number + at, texts[at : at + _BATCH]
        number += len(texts)
    if rest:
        yield number, [_text(rest)]


def _text(data: bytes) -> str:
    return f"{data.decode('utf-8', 'backslashreplace')}\n".replace("\r\n", "\n")[:-1]
