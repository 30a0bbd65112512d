"""The layout of the Philly trace: when a job was submitted, for how long it ran in all, and how many GPUs it had.

    timestamp,duration,num_gpus,gpu_time,cluster

The trace has no name of a job, and rows that are equal are two jobs: a job is called by its line. It has no start
either; a job's interval begins when it was submitted and is as long as it ran, so that its GPU-time is right and its
place in time isn't. `cluster` is the virtual cluster, a tenant: the account. The kind of device is the mapping's, by
partition, of which a tenant is one.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli, seconds_held
from tallystick.metering.csv_rows import Cells, read_table, records_of
from tallystick.metering.instants import SECOND_US, instants, moment
from tallystick.metering.json_text import canonical
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, count_remark, note_untyped
from tallystick.metering.run import Device, Payer, Run, Skipped

_NEEDED: Final = ("timestamp", "duration", "num_gpus", "cluster")
_MAY_MISS: Final = ("gpu_time",)


def read_philly(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each row is.

    Raises:
        UsageFileError: it isn't such a file, or the mapping has no cluster, or no zone though times have no offset.
    """
    if mapping.cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, "the trace's clusters are tenants; say cluster in the mapping")
    table = read_table(chunks)
    places = table.columns(_NEEDED, may_miss=_MAY_MISS)
    yield from records_of(table, places, lambda line, cell: _record(line, cell, mapping, remarks))


def _record(line: int, cell: Cells, mapping: Mapping, remarks: Remarks) -> Run | Skipped:
    job, tenant = f"line-{line}", cell("cluster")
    count, lasted = amount(cell("num_gpus")), amount(cell("duration"))
    milli = None if count is None else count_milli(count)
    seconds = None if lasted is None else seconds_held(lasted)
    if milli is None or milli < 0 or seconds is None:
        return Skipped(SkipReason.NOT_A_NUMBER, line, job, 0, "num_gpus or duration", tenant)
    if seconds < 0:
        return Skipped(SkipReason.INTERVAL_INVALID, line, job, account=tenant)
    if milli == 0:
        return Skipped(SkipReason.NO_GPU, line, job, account=tenant)
    at = moment(cell("timestamp"))
    if at is None:
        return Skipped(SkipReason.UNREADABLE, line, job, milli * seconds, "timestamp", tenant)
    if at.offset is None and mapping.zone is None:
        raise UsageFileError(FileFault.ZONE_MISSING, "say time_zone in the mapping: its times have no offset")
    starts = instants(at, mapping.zone)
    if len(starts) != 1:
        reason = SkipReason.TIME_AMBIGUOUS if starts else SkipReason.UNREADABLE
        return Skipped(reason, line, job, milli * seconds, "timestamp", tenant)
    printed = amount(cell("gpu_time"))
    count_remark(remarks, "gpu_time_differs", int(printed is not None and printed * 1000 != milli * seconds))
    kind = mapping.kind_of(tenant)
    if not kind:
        note_untyped(remarks, milli * seconds, partition=tenant)
    record = canonical([line, *(cell(name) for name in (*_NEEDED, *_MAY_MISS))])
    devices, payer = (Device(kind, milli),), Payer(tenant, "", tenant)
    ends_at = starts[0] + seconds * SECOND_US
    return Run(job, starts[0], ends_at, seconds, devices, payer, line, record, mapping.cluster or "")
