"""OpenCost's and Kubecost's `/allocation`, and ACK's: who held how many GPUs, cut at the edges of each step.

    {"code": 200, "data": [{name: allocation, …}, …]}      one object a step

An allocation is burned as its GPUs × its interval where that is what its GPU-hours say; where it isn't (GPUs that came
and went within the step) the GPU-hours decide. Idle, unmounted and shared capacity belongs to no tenant. What kind of
GPU it was is said by the mapping, by node or by namespace: never by a label that a tenant sets.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil
from typing import Any, Final

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli
from tallystick.metering.instants import SECOND_US, Interval, instant
from tallystick.metering.json_text import canonical, mapping_of, read_json, text_of
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, note_untyped
from tallystick.metering.run import Device, Payer, Run, Skipped

_NOBODYS: Final = {
    "__idle__": SkipReason.IDLE,
    "__unmounted__": SkipReason.UNMOUNTED,
    "__shared__": SkipReason.SHARED,
    "__undistributable_idle__": SkipReason.IDLE,
}
_ROUNDING_HOURS: Final = Fraction(5, 1_000_000)
"""GPU-hours are printed with five decimals."""
_HOUR: Final = 3600


def read_opencost(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each allocation of an answer of `/allocation` is.

    Raises:
        UsageFileError: it isn't such an answer, or an error of the server's, or nothing names the cluster.
    """
    line = 0
    for step in _steps(read_json(chunks)):
        for name, allocation in step.items():
            line += 1
            yield _record(name, mapping_of(allocation), line, mapping, remarks)


def _steps(answer: object) -> list[dict[str, Any]]:
    whole = mapping_of(answer)
    if whole.get("code", 200) != 200:
        said = f"{whole.get('code')!r:.20} {text_of(whole.get('message'))[:80]!a}"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"the server answered with an error: {said}")
    data = whole.get("data")
    if isinstance(data, dict) and isinstance(data.get("sets"), list):
        data = [mapping_of(one).get("allocations") for one in data["sets"]]
    if not isinstance(data, list) or not all(step is None or isinstance(step, dict) for step in data):
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "no answer of /allocation: data must be a list of objects")
    return [step for step in data if step]


def _record(name: str, allocation: dict[str, Any], line: int, mapping: Mapping, remarks: Remarks) -> Run | Skipped:
    properties = mapping_of(allocation.get("properties"))
    cluster = text_of(properties.get("cluster")) or mapping.cluster
    if cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, f"allocation {line} names none; say cluster in the mapping")
    parts = [text_of(properties.get(part)) for part in ("namespace", "pod", "container")]
    unclustered = name.removeprefix(f"{cluster}/")
    account = parts[0] or unclustered
    job = "/".join(part for part in parts if part) or unclustered
    reason = next((_NOBODYS[part] for part in name.split("/") if part in _NOBODYS), None)
    count, hours = amount(allocation.get("gpuCount")), amount(allocation.get("gpuHours"))
    if "gpuCount" not in allocation and hours is not None:
        count = Fraction(0)
    if reason is not None:
        known = round(hours * _HOUR * 1000) if hours is not None and hours > 0 else 0
        return Skipped(reason, line, job, known)
    if count is None or hours is None or count < 0:
        return Skipped(SkipReason.NOT_A_NUMBER, line, job, 0, "gpuCount or gpuHours", account)
    if not count and not hours:
        return Skipped(SkipReason.NO_GPU, line, job, account=account)
    starts_at, ends_at = instant(allocation.get("start")), instant(allocation.get("end"))
    if starts_at is None or ends_at is None:
        return Skipped(SkipReason.UNREADABLE, line, job, 0, "start or end is no time", account)
    if ends_at < starts_at or hours < 0:
        return Skipped(SkipReason.INTERVAL_INVALID, line, job, 0, "", account)
    held_milli, seconds = _held(count, hours, Interval(starts_at, ends_at))
    if not held_milli or not seconds:
        return Skipped(SkipReason.ZERO_SECONDS, line, job, account=account)
    node = text_of(properties.get("node"))
    kind = mapping.kind_of(parts[0], node)
    if not kind:
        note_untyped(remarks, held_milli * seconds, partition=parts[0], node=node)
    return Run(
        job,
        starts_at,
        ends_at,
        seconds,
        (Device(kind, held_milli),),
        Payer(account),
        line,
        canonical(allocation),
        cluster,
    )


def _held(count: Fraction, hours: Fraction, spell: Interval) -> tuple[int, int]:
    """Return thousandths of GPUs and seconds: the count over the interval, if that is what the hours say."""
    length = (spell.ends_at - spell.starts_at) // SECOND_US
    milli = count_milli(count)
    if milli is not None and abs(count * length / _HOUR - hours) <= _ROUNDING_HOURS:
        return milli, length
    if not length:
        return 0, 0
    gpu_seconds = hours * _HOUR
    gpus = max(1, ceil((gpu_seconds - _ROUNDING_HOURS * _HOUR) / length))
    return gpus * 1000, min(round(gpu_seconds / gpus), length)
