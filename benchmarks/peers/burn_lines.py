"""The lines that peers keep: the fields of a burn line and what it came to, as JSON, the same bytes for each peer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

CONTRACT: Final = "holder/k1"


def burn_line(number: int) -> Mapping[str, Any]:
    """Return one line: an hour on eight cards, with who pays what for it."""
    return {
        "contract": CONTRACT,
        "item": "ascend-910b",
        "job": f"job-{number}",
        "gpu_milli": 8_000,
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2026-01-01T01:00:00Z",
        "seconds": 3_600,
        "fee_fen": 4_800,
        "reservation": "holder/r1",
        "paid_fen": 1_440,
    }


def encoded(count: int) -> list[bytes]:
    """Return so many lines as JSON."""
    return [json.dumps(burn_line(number), separators=(",", ":")).encode() for number in range(count)]


def write_lines(path: Path, count: int) -> Path:
    """Write so many lines into a file, one below the other, and return its path."""
    path.write_bytes(b"\n".join(encoded(count)) + b"\n")
    return path


def read_lines(path: Path) -> list[bytes]:
    """Return the lines of such a file."""
    return path.read_bytes().splitlines()
