"""What a real cluster printed comes to the same sums in every form. Where it is from: slurm_22_05/PROVENANCE.md."""

from pathlib import Path
from typing import Any

import pytest

from support.usage_read import WasRead, read_texts

HERE = Path(__file__).parent / "slurm_22_05"
SETTINGS: dict[str, Any] = {
    "cluster": "voltage",
    "account": [
        {"name": account, "user": user, "contract": f"{account.replace('_', '-')}/c-{number}"}
        for number, (account, user) in enumerate(
            (
                ("acme_lab", "vtana"),
                ("acme_lab", "vtbo"),
                ("borealis", "vtchi"),
                ("cobalt", "vtana"),
                ("cobalt", "vtdee"),
            )
        )
    ],
    "gpu": [{"source": source, "item": source} for source in ("a100", "h100", "shard")],
}
BY_USER = {"acme-lab/c-0": 79, "acme-lab/c-1": 95, "borealis/c-2": 221, "cobalt/c-3": 21, "cobalt/c-4": 134 + 11}
BY_TYPE = {
    ("acme-lab", "a100"): 95,
    ("acme-lab", "h100"): 79,
    ("borealis", "h100"): 221,
    ("cobalt", "a100"): 94,
    ("cobalt", "h100"): 61,
    ("cobalt", "shard"): 11,
}


def read(*names: str, **settings: Any) -> WasRead:
    """Read some of the files together."""
    format_name = "slurm-json" if names[0].endswith("json") else "slurm-psv"
    return read_texts(*[(HERE / name).read_bytes() for name in names], format_name=format_name, **SETTINGS | settings)


def sums(was: WasRead, part: int) -> dict[Any, int]:
    """Return GPU-seconds by contract, or by account and kind of GPU."""
    found: dict[Any, int] = {}
    for name, amount in was.burned.items():
        contract, item = name.split()
        key = contract if part == 0 else (contract.partition("/")[0], item)
        found[key] = found.get(key, 0) + amount // 1000
    return found


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        (["allocations.psv"], "UTC"),
        (["steps.psv"], "UTC"),
        (["truncated.psv"], "UTC"),
        (["allocations_new_york.psv"], "America/New_York"),
        (["jobs.json"], "UTC"),
        (["steps.psv", "allocations.psv", "truncated.psv"], "UTC"),
        (["truncated.psv", "allocations.psv", "steps.psv"], "UTC"),
    ],
)
def test_all_exports_come_to_the_same_sums(names: list[str], zone: str) -> None:
    """Names with separators and line breaks, requeued and preempted runs, parts of heterogeneous jobs, shards."""
    was = read(*names, time_zone=zone)
    assert sums(was, 0) == BY_USER
    assert sums(was, 1) == BY_TYPE
    assert was.skipped.get("unreadable", 0) + was.skipped.get("conflict", 0) == 0


def test_records_are_counted() -> None:
    """33 of 34 lines, for a name has a line break; two run and aren't burned, one held no GPU, two never started."""
    was = read("allocations.psv")
    assert was.counts["records"] == 33
    assert was.skipped == {"no_gpu": 1, "not_started": 2, "still_running": 2, "zero_seconds": 1}
    assert read("truncated.psv").report["running_with_an_end"] == ["29", "34"]
