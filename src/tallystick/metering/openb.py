"""The list of pods of the openb trace (shared GPUs of a Kubernetes cluster): thousandths of a GPU, seconds of a trace.

    name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time

A pod holds `num_gpu` × `gpu_milli` from when it was scheduled until it was deleted. The trace has no tenant: the class
of service (`qos`) stands for the account and for the partition. Its seconds count from the mapping's `trace_start`,
from 1970 where there is none. A specification of several kinds (`V100M16|V100M32`) is a wish, not what was held.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli
from tallystick.metering.csv_rows import Cells, read_table, records_of
from tallystick.metering.instants import SECOND_US
from tallystick.metering.json_text import canonical
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, note_untyped
from tallystick.metering.run import Device, Payer, Run, Skipped

_NEEDED: Final = ("name", "num_gpu", "gpu_milli", "qos", "scheduled_time", "deletion_time")
_MAY_MISS: Final = ("gpu_spec", "pod_phase")
_SECONDS: Final = range(4_000_000_000)


def read_openb(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each pod is.

    Raises:
        UsageFileError: it isn't such a list, or the mapping has no cluster.
    """
    if mapping.cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, "the trace doesn't name one; say cluster in the mapping")
    table = read_table(chunks)
    places = table.columns(_NEEDED, may_miss=_MAY_MISS)
    yield from records_of(table, places, lambda line, cell: _record(line, cell, mapping, remarks))


def _record(line: int, cell: Cells, mapping: Mapping, remarks: Remarks) -> Run | Skipped:
    job, qos = cell("name"), cell("qos")
    count, share = amount(cell("num_gpu")), amount(cell("gpu_milli"))
    if not job:
        return Skipped(SkipReason.UNREADABLE, line, job, 0, "it has no name", qos)
    milli = None if count is None or share is None else count_milli(count * share / 1000)
    if milli is None or milli < 0:
        return Skipped(SkipReason.NOT_A_NUMBER, line, job, 0, "num_gpu or gpu_milli", qos)
    if milli == 0:
        return Skipped(SkipReason.NO_GPU, line, job, account=qos)
    if not cell("scheduled_time"):
        return Skipped(SkipReason.NOT_STARTED, line, job, account=qos)
    starts_at, ends_at = _second(cell("scheduled_time"), mapping), _second(cell("deletion_time"), mapping)
    if starts_at is None or (ends_at is None and cell("deletion_time")):
        return Skipped(SkipReason.UNREADABLE, line, job, 0, "scheduled_time or deletion_time", qos)
    if ends_at is not None and ends_at < starts_at:
        return Skipped(SkipReason.INTERVAL_INVALID, line, job, account=qos)
    seconds = 0 if ends_at is None else (ends_at - starts_at) // SECOND_US
    kind = _kind(cell("gpu_spec"), qos, mapping)
    if not kind:
        note_untyped(remarks, milli * seconds, partition=qos)
    record = canonical({name: cell(name) for name in (*_NEEDED, *_MAY_MISS)})
    return Run(
        job, starts_at, ends_at, seconds, (Device(kind, milli),), Payer(qos, "", qos), line, record,
        mapping.cluster or "", cell("pod_phase"),
    )  # fmt: skip


def _kind(spec: str, qos: str, mapping: Mapping) -> str:
    if spec and ("|" not in spec or mapping.has_kind(spec)):
        return spec
    return mapping.kind_of(qos)


def _second(text: str, mapping: Mapping) -> int | None:
    """Return the instant of a second of the trace, µs since the epoch."""
    second = amount(text)
    if second is None or round(second) not in _SECONDS:
        return None
    start = 0 if mapping.trace_start is None else round(mapping.trace_start.timestamp())
    return (start + round(second)) * SECOND_US
