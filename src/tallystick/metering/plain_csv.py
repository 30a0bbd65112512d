"""Our own plain CSV, for all that no other reader reads: UTF-8, a heading, one row a job.

    account,job,gpu,gpus,from,to                           needed
    seconds,user,partition,cluster,state                   may be left out

`gpu` is the kind of device (empty: the mapping says it by partition), `gpus` how many, at most three decimals. Times
are ISO 8601 with an offset, or without in the mapping's zone, or seconds since 1970. `to` is empty while the job runs.
`seconds` are fewer than the interval has where devices weren't held all the time. Rows of one job and interval that
have different kinds of device are parts of one run. Columns that aren't named here are
ignored, and the order doesn't matter.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli, seconds_held
from tallystick.metering.csv_rows import Cells, read_table, records_of
from tallystick.metering.instants import SECOND_US, Interval, interval
from tallystick.metering.json_text import canonical
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, note_untyped
from tallystick.metering.run import Device, Payer, Run, Skipped
from tallystick.metering.sheet_cells import has_wall_time, times_of_cell

NEEDED: Final = ("account", "job", "gpu", "gpus", "from", "to")
MAY_MISS: Final = ("seconds", "user", "partition", "cluster", "state")


def read_plain_csv(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each row is.

    Raises:
        UsageFileError: it is no such CSV, or the cluster or the zone that it needs isn't said.
    """
    table = read_table(chunks)
    places = table.columns(NEEDED, may_miss=MAY_MISS)
    if mapping.cluster is None and places["cluster"] is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, "say cluster in the mapping, or add the column")
    yield from records_of(table, places, lambda line, cell: _record(line, cell, mapping, remarks))


def _record(line: int, cell: Cells, mapping: Mapping, remarks: Remarks) -> Run | Skipped:
    account, job = cell("account"), cell("job")
    count = amount(cell("gpus"))
    milli = None if count is None else count_milli(count)
    if not job:
        return Skipped(SkipReason.UNREADABLE, line, job, 0, "it has no job", account)
    if milli is None or milli < 0:
        return Skipped(SkipReason.NOT_A_NUMBER, line, job, 0, "gpus", account)
    if milli == 0:
        return Skipped(SkipReason.NO_GPU, line, job, account=account)
    if not cell("from"):
        return Skipped(SkipReason.NOT_STARTED, line, job, account=account)
    spell = _spell(cell, mapping)
    if isinstance(spell, Skipped):
        return spell._replace(line=line, job=job, account=account)
    starts_at, ends_at, seconds = spell
    kind = cell("gpu") or mapping.kind_of(cell("partition"))
    if not kind:
        note_untyped(remarks, milli * seconds, partition=cell("partition"))
    cluster = cell("cluster") or mapping.cluster
    if cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, f"line {line} names none; say cluster in the mapping")
    payer = Payer(account, cell("user"), cell("partition"))
    record = canonical({name: cell(name) for name in (*NEEDED, *MAY_MISS) if cell(name)})
    devices, state = (Device(kind, milli),), cell("state")
    return Run(job, starts_at, ends_at, seconds, devices, payer, line, record, cluster, state, is_part=True)


def _spell(cell: Cells, mapping: Mapping) -> tuple[int, int | None, int] | Skipped:
    """Return start, end and seconds; an end of None: it runs."""
    if mapping.zone is None and (has_wall_time(cell("from"), mapping) or has_wall_time(cell("to"), mapping)):
        raise UsageFileError(FileFault.ZONE_MISSING, "say time_zone in the mapping, or write times with an offset")
    seconds = None
    if cell("seconds"):
        exact = amount(cell("seconds"))
        if exact is None or exact < 0:
            return Skipped(SkipReason.NOT_A_NUMBER, 0, why="seconds")
        seconds = seconds_held(exact)
    starts = times_of_cell(cell("from"), mapping, is_end=False)
    if not cell("to"):
        if len(starts) != 1:
            return Skipped(SkipReason.TIME_AMBIGUOUS if starts else SkipReason.UNREADABLE, 0, why="from")
        return starts[0], None, seconds or 0
    found = interval(starts, times_of_cell(cell("to"), mapping, is_end=True), seconds)
    if not isinstance(found, Interval):
        return Skipped(found, 0, why="from or to")
    length = (found.ends_at - found.starts_at) // SECOND_US
    if seconds is not None and seconds > length:
        return Skipped(SkipReason.UNREADABLE, 0, why=f"{seconds:,} seconds in an interval of {length:,}")
    return *found, length if seconds is None else seconds
