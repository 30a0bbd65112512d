"""Usage is read as `usage read` reads it, from texts, with the mapping of an invented provider."""

from dataclasses import dataclass
from typing import Any

from tallystick.metering.formats import read_usage
from tallystick.metering.mapping import Mapping
from tallystick.metering.reading import Reading, said
from tallystick.vouchers.quantities import format_second

HEADING = "JobID|Account|State|Start|End|ElapsedRaw|AllocTRES"
MAPPING: dict[str, Any] = {
    "cluster": "osprey",
    "time_zone": "UTC",
    "account": [
        {"name": "maple", "contract": "maple-bio/c-3"},
        {"name": "linden", "contract": "linden-vision/c-9"},
    ],
    "gpu": [{"source": "a800", "item": "a800-80g"}, {"source": "l40", "item": "l40-48g"}],
}


@dataclass(frozen=True)
class WasRead:
    """What files came to.

    Attributes:
        lines: as `job contract item gpu_milli seconds from to`, sorted.
        counts: as `--json` says them.
        report: likewise.
    """

    lines: list[str]
    counts: dict[str, Any]
    report: dict[str, Any]

    @property
    def burned(self) -> dict[str, int]:
        """GPU-milliseconds by contract and item."""
        return dict(self.counts["gpu_milliseconds_by"])

    @property
    def skipped(self) -> dict[str, int]:
        """Records by reason."""
        return dict(self.counts["skipped"])


def read_texts(
    *files: str | bytes, format_name: str = "slurm-psv", so_far: bool = False, piece: int = 1 << 20, **mapping: Any
) -> WasRead:
    """Read files of one format.

    Args:
        files: what is in each.
        format_name: of all.
        so_far: whether jobs that run are burned until their export.
        piece: bytes that are read at once.
        mapping: parts of the mapping that differ from `MAPPING`.
    """
    whole = [one.encode() if isinstance(one, str) else one for one in files]
    chunks = [[one[at : at + piece] for at in range(0, len(one), piece)] for one in whole]
    reading = Reading()
    rules = Mapping.model_validate({name: value for name, value in (MAPPING | mapping).items() if value is not None})
    lines = [
        f"{one.job} {one.contract} {one.item} {one.gpu_milli} {one.seconds} "
        f"{format_second(one.starts_at)} {format_second(one.ends_at)}"
        for one in read_usage(chunks, format_name, rules, reading, so_far=so_far)
    ]
    told = said(reading, [f"file-{number}" for number in range(len(files))])
    assert told["records"] == told["records_burned"] + sum(told["skipped"].values())
    assert reading.gpu_milliseconds == sum(reading.gpu_milliseconds_by.values())
    return WasRead(sorted(lines), told, told["report"])


def gpus(of_type: str, count: int) -> str:
    """Return an AllocTRES with GPUs of one type."""
    return f"billing=9,cpu=4,gres/gpu:{of_type}={count},gres/gpu={count},mem=16G,node=1"
