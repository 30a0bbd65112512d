"""Slurm's accounting as JSON: `sacct --json` and slurmrestd's `/slurmdb/…/jobs`, data versions 0.0.37 to 0.0.46.

Nothing depends on the version. A number is one, or `{"set", "infinite", "number"}`; a state is a word, or a list that
is asked whether it holds one; what isn't set is none, not 0.
"""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from tallystick.errors import UsageFileError
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.run import Run, Skipped
from tallystick.metering.slurm_devices import CountError, SlurmDevices
from tallystick.metering.slurm_runs import Facts, SlurmRuns
from tallystick.metering.slurm_times import EPOCH_MAX

JSON_WHOLE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of a file that is parsed at once; of a larger one a job at a time is in memory."""
JSON_STRING_BYTES_MAX: Final = 1024 * 1024
"""Bytes without a quotation mark."""
_NOT_SET: Final = (0xFFFFFFFE, 0xFFFFFFFF)
_SPELLS: Final = ("REQUEUED", "RESIZING")
"""Said beside another state: how this spell of the job ended."""
_NO_DEVICES: Final[tuple[object, ...]] = (None, {}, [])

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
        ImportError: it is large, and ijson isn't installed.
    """
    runs = SlurmRuns(mapping, remarks)
    outcomes = _Outcomes(runs, mapping)
    for number, job in enumerate(_jobs(chunks), 1):
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
                raise CountError("it ran, and has no start")
            devices = self._devices.of_counts(_counts(allocated), partition, _text(job, "nodes"))
            if devices and (elapsed is None or elapsed < 0 or suspended < 0):
                raise CountError("its elapsed or suspended time is no number of seconds")
        except CountError as error:
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
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= len(str(EPOCH_MAX)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value in _NOT_SET or abs(value) > EPOCH_MAX:
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
        CountError: a count isn't a number of devices.
    """
    for one in allocated if isinstance(allocated, list) else ():
        if not isinstance(one, dict) or one.get("type") != "gres":
            continue
        name = _text(one, "name").removeprefix("gres/")
        if name in {"gpumem", "gpuutil"}:
            continue
        count = number_of(one.get("count"))
        if count is None or count < 0:
            raise CountError(f"gres/{name[:60]} has a count that is no number of devices")
        yield name, count


def _object(value: Job, name: str) -> Job:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Job, name: str) -> str:
    part = value.get(name)
    return part if isinstance(part, str) else ""


def _record(job: Job) -> bytes:
    """Return a job as it was read, without its steps."""
    import orjson  # noqa: PLC0415 - only where JSON is read

    own = {name: value for name, value in job.items() if name != "steps"}
    try:
        return orjson.dumps(own, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a character, which UTF-8 doesn't have
        return json.dumps(own, sort_keys=True, separators=(",", ":")).encode()


# ------------------------------------------------------------------------------------------------------- parsing


def _jobs(chunks: Iterable[bytes]) -> Iterator[object]:
    pieces = _checked(chunks)
    first: list[bytes] = []
    length = 0
    for piece in pieces:
        first.append(piece)
        length += len(piece)
        if length > JSON_WHOLE_BYTES_MAX:
            return _streamed(first, pieces)
    return iter(_parsed(b"".join(first)))


def _checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces as they come, none of which belongs to a string that is longer than any of Slurm's.

    Raises:
        UsageFileError: a string is, or the file is in another encoding than JSON's.
    """
    without = 0
    is_first = True
    for piece in chunks:
        chunk = piece
        if is_first and chunk:
            is_first = False
            if chunk.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in chunk[:4]:
                raise UsageFileError(FileFault.ENCODING_UNKNOWN, "it isn't UTF-8 text; save it as UTF-8")
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        last = chunk.rfind(b'"')
        without = without + len(chunk) if last < 0 else len(chunk) - last
        if without > JSON_STRING_BYTES_MAX:
            raise UsageFileError(
                FileFault.TOO_LARGE, f"it has more than {JSON_STRING_BYTES_MAX:,} bytes without a quotation mark"
            )
        yield chunk


def _parsed(data: bytes) -> list[object]:
    import orjson  # noqa: PLC0415

    try:
        whole = orjson.loads(data)
    except orjson.JSONDecodeError:
        whole = _parsed_patiently(data)
    if not isinstance(whole, dict) or not isinstance(whole.get("jobs"), list):
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, 'it has no list "jobs"; export it with sacct --json')
    return cast("list[object]", whole["jobs"])


def _parsed_patiently(data: bytes) -> object:
    """Return what JSON says in which names have broken characters, which users can bring about.

    Raises:
        UsageFileError: it is no JSON either way.
    """
    try:
        return json.loads(data.decode("utf-8", "replace"), strict=False)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
        what = "the file may be cut off" if error.pos >= len(error.doc.rstrip()) - 1 else "it isn't JSON"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"{what} ({where}); export it again") from None
    except RecursionError:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "its JSON is nested too deep") from None


class _Stream:
    """The pieces as something to read from; broken characters are replaced."""

    def __init__(self, first: list[bytes], rest: Iterator[bytes]) -> None:
        self._first = first[::-1]
        self._rest = rest
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self, size: int) -> bytes:
        """Return the next piece, whatever its size; empty at the end."""
        while size:
            piece = self._first.pop() if self._first else next(self._rest, b"")
            text = self._decoder.decode(piece, final=not piece)
            if text or not piece:
                return text.encode()
        return b""


def _streamed(first: list[bytes], rest: Iterator[bytes]) -> Iterator[object]:
    import ijson  # noqa: PLC0415 - an extra

    found = False
    try:
        for job in ijson.items(_Stream(first, rest), "jobs.item", use_float=True):
            found = True
            yield job
    except (ijson.JSONError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())[:80]
        raise UsageFileError(
            FileFault.NOT_PARSABLE_OUTPUT, f"it isn't JSON, or is cut off ({what}); export it again"
        ) from None
    if not found:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, 'it has no list "jobs"; export it with sacct --json')
