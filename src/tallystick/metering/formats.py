"""Which formats are read, and by what; a reader is imported when its format is asked for.

A reader is a generator. It takes the file's bytes in pieces of any size, the mapping, and a dict for remarks: what a
person must be told beside the counts, by name, as JSON would say it. It yields what becomes of each record of the
file: a `Run`, or `Skipped` with its reason. A file that it doesn't read at all raises `UsageFileError`.

Remarks are shared by all files that are read together: a reader adds to what is there.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple, cast

from tallystick.errors import UsageError
from tallystick.metering.assigning import assign
from tallystick.metering.mapping import Mapping
from tallystick.metering.reading import Reading
from tallystick.metering.run import Run, Skipped, UsageLine
from tallystick.metering.runs import Spool, one_each

Remarks = dict[str, Any]
Reader = Callable[[Iterable[bytes], Mapping, Remarks], Iterator[Run | Skipped]]


class Format(NamedTuple):
    """A format of usage records.

    Attributes:
        name: as it is typed.
        module: of this package.
        reader: the function in it.
        what: what is read, in a few words.
    """

    name: str
    module: str
    reader: str
    what: str


FORMATS: Final = (
    Format("slurm-psv", "slurm_text", "read_slurm_text", "Slurm: sacct -P or -p"),
    Format("slurm-json", "slurm_json", "read_slurm_json", "Slurm: sacct --json, slurmrestd"),
    Format("opencost", "opencost", "read_opencost", "OpenCost, Kubecost, ACK: /allocation"),
    Format("kubernetes-pods", "kubernetes_pods", "read_pods", "Kubernetes: kubectl get pods -o json"),
    Format("prometheus", "prometheus", "read_prometheus", "Prometheus: query_range of DCGM or kube-state-metrics"),
    Format("focus", "focus", "read_focus", "FOCUS 1.0 to 1.2: a bill as CSV"),
    Format("sheet", "sheet", "read_sheet", "an operator's own sheet, CSV or XLSX"),
    Format("csv", "plain_csv", "read_plain_csv", "CSV for all others: account, job, gpu, gpus, from, to"),
    Format("openb", "openb", "read_openb", "the openb trace of shared GPUs: its list of pods"),
    Format("philly", "philly", "read_philly", "the layout of the Philly trace: submission, duration, GPUs"),
)
NAMES: Final = tuple(one.name for one in FORMATS)


def reader_of(name: str) -> Reader:
    """Return the reader of a format.

    Raises:
        UsageError: there is no such format.
        ImportError: it needs a library that isn't installed.
    """
    listed = next((one for one in FORMATS if one.name == name), None)
    if listed is None:
        raise UsageError(f"{name[:80]!a} is no format of usage; there are {', '.join(NAMES)}")
    return cast("Reader", getattr(import_module(f"tallystick.metering.{listed.module}"), listed.reader))


def read_usage(
    files: Iterable[Iterable[bytes]],
    format_name: str,
    mapping: Mapping,
    reading: Reading,
    *,
    spool: Spool | None = None,
    so_far: bool = False,
) -> Iterator[UsageLine]:
    """Yield the lines that files of one format come to, in the order of their starts; `reading` has the counts then.

    Args:
        files: the bytes of each file, in pieces.
        format_name: one of `NAMES`.
        mapping: of the provider.
        reading: where everything is counted.
        spool: where runs lie that don't fit into memory (`runs.one_each`).
        so_far: whether a job that still runs is burned until its export.

    Raises:
        UsageError: there is no such format.
        UsageFileError: a file isn't read at all; lines that came before it say nothing.
    """
    records = _records(files, reader_of(format_name), mapping, reading.remarks)
    return reading.lines_of(assign(one_each(records, spool), mapping, so_far=so_far))


def _records(
    files: Iterable[Iterable[bytes]], reader: Reader, mapping: Mapping, remarks: Remarks
) -> Iterator[Run | Skipped]:
    for number, chunks in enumerate(files):
        if number == 0:
            yield from reader(chunks, mapping, remarks)
        else:
            for record in reader(chunks, mapping, remarks):
                yield record._replace(file=number)
