"""Files of usage in the formats that providers have, read with a mapping written in TOML."""

from dataclasses import dataclass
from typing import Any

from tallystick.metering.formats import read_usage
from tallystick.metering.mapping import read_mapping
from tallystick.metering.reading import Reading
from tallystick.metering.run import UsageLine

MAPPING = """
cluster = "heron"
time_zone = "Asia/Shanghai"
step_seconds = 60
[[account]]
name = "birch"
contract = "birch-ai/c-1"
[[account]]
name = "cedar"
contract = "cedar-vision/c-7"
[[gpu]]
source = "a100"
item = "a100-80g"
[[gpu]]
source = "h100"
item = "h100-80g"
[node]
n1 = "h100"
n2 = "a100"
[partition]
gpu-a = "a100"
"""


@dataclass(frozen=True)
class Read:
    """What came of a file.

    Attributes:
        reading: the counts.
        lines: all lines.
    """

    reading: Reading
    lines: list[UsageLine]

    @property
    def skipped(self) -> dict[str, int]:
        """Records by reason."""
        return {reason.value: count for reason, count in self.reading.skipped.items()}

    @property
    def remarks(self) -> dict[str, Any]:
        """What a person is told beside the counts."""
        return self.reading.remarks

    @property
    def held(self) -> list[tuple[str, int, int]]:
        """Job, thousandths of GPUs and seconds of each line, in order."""
        return [(line.job, line.gpu_milli, line.seconds) for line in self.lines]


def read(format_name: str, *files: bytes, mapping: str = MAPPING, pieces: int | None = None) -> Read:
    """Return what comes of files, after checking that each record is burned or skipped, once.

    Args:
        format_name: one of the formats' names.
        files: their bytes.
        mapping: in TOML.
        pieces: how many bytes a reader is handed at once; None: all.
    """
    reading = Reading()
    parts = [_in_pieces(data, pieces or len(data) or 1) for data in files]
    lines = list(read_usage(parts, format_name, read_mapping(mapping.encode(), "mapping.toml"), reading))
    assert reading.records == reading.records_burned + sum(reading.skipped.values())
    assert reading.gpu_milliseconds == sum(line.gpu_milliseconds for line in lines)
    return Read(reading, lines)


def _in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
