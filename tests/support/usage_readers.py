"""Readers of usage records: what each is tried with, and what must hold of whatever it reads.

tests/metering/test_bad_usage.py spoils the examples in ways that somebody thought of, fuzz/run.py in others.
"""

import json
from typing import NamedTuple

from support.usage_formats import MAPPING as OF_SAMPLES
from support.usage_read import HEADING, MAPPING, gpus
from support.usage_samples import SAMPLES
from tallystick.errors import UsageFileError
from tallystick.metering.formats import read_usage
from tallystick.metering.mapping import Mapping, read_mapping
from tallystick.metering.reading import Reading

_ROWS = (
    f"1|maple|COMPLETED|2026-04-07T08:00:00|2026-04-07T09:00:00|3600|{gpus('a800', 2)}",
    f"2_3|linden|CANCELLED by 7|1775548800|1775552400|3600|{gpus('l40', 1)}",
    f"2_3.batch|linden|COMPLETED|1775548800|1775552400|3600|{gpus('l40', 1)}",
    "3|maple|PENDING|Unknown|Unknown|0|",
)
_NAMED = "\n".join([HEADING.replace("|", "|JobName|", 1), *[row.replace("|", "|a|b\nc|", 1) for row in _ROWS], "999|x"])
_JOB = {
    "job_id": 7,
    "account": "maple",
    "state": {"current": ["COMPLETED"]},
    "array": {"job_id": 7, "task_id": {"set": True, "infinite": False, "number": 1}},
    "time": {"start": 1_775_548_800, "end": {"set": False, "number": 0}, "elapsed": 3600},
    "tres": {"allocated": [{"type": "gres", "name": "gpu:a800", "count": 2}]},
}


class UsageReader(NamedTuple):
    """A format, good examples of it, and the mapping that they are read with."""

    format_name: str
    seeds: tuple[bytes, ...]
    mapping: Mapping = Mapping.model_validate(MAPPING)


READERS = {
    "usage: sacct -P": UsageReader(
        "slurm-psv",
        ("\n".join((HEADING, *_ROWS)).encode(), "|\r\n".join((HEADING, *_ROWS, "")).encode(), _NAMED.encode()),
    ),
    "usage: sacct --json": UsageReader("slurm-json", (json.dumps({"jobs": [_JOB, _JOB]}).encode(),)),
} | {
    f"usage: {name}": UsageReader(name, (sample,), read_mapping(OF_SAMPLES.encode(), "mapping.toml"))
    for name, sample in SAMPLES.items()
}


def check(name: str, data: bytes) -> None:
    """Assert that a reader refuses the bytes in one line, or counts each record once; in pieces as it does whole."""
    assert _came_to(name, [data]) == _came_to(name, [data[:5], b"", data[5:]])


def _came_to(name: str, chunks: list[bytes]) -> tuple[object, ...]:
    reading = Reading()
    try:
        lines = list(read_usage([chunks], READERS[name].format_name, READERS[name].mapping, reading))
    except UsageFileError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert "\n" not in refused, f"{name} is refused in more than one line"
        return (refused,)
    assert reading.records == reading.records_burned + reading.skipped.total()
    assert len(lines) == reading.lines
    assert sum(line.gpu_milliseconds for line in lines) == reading.gpu_milliseconds
    assert all(0 < line.seconds * 1_000_000 <= line.ends_at - line.starts_at for line in lines)
    return (sorted(map(repr, lines)), dict(reading.skipped))
