"""Remarks of readers: what a person must be told beside the counts. Readers of several files add to the same ones."""

from typing import Any, Final

from tallystick.metering.mapping import ANY

REMARKS_MAX: Final = 1_000
"""Things that one remark names one by one."""

Remarks = dict[str, Any]
"""By name, a count, a list, or sums by name."""


def count_remark(remarks: Remarks, name: str, count: int = 1) -> None:
    """Add to a count; one that stays 0 isn't said."""
    if count:
        remarks[name] = remarks.get(name, 0) + count


def sum_remark(remarks: Remarks, name: str, of: str, amount: int) -> None:
    """Add to the sum of one thing among many."""
    sums = remarks.setdefault(name, {})
    if of in sums or len(sums) < REMARKS_MAX:
        sums[of] = sums.get(of, 0) + amount


def list_remark(remarks: Remarks, name: str, one: object) -> None:
    """Add to a list; the one after the last that is named is only counted."""
    listed = remarks.setdefault(name, [])
    if len(listed) < REMARKS_MAX:
        listed.append(one)
    else:
        count_remark(remarks, f"{name}_not_listed")


def note_untyped(remarks: Remarks, gpu_milliseconds: int, *, partition: str, node: str = "") -> None:
    """Say that neither the records nor the mapping say which kind of GPU a node, or a partition, has."""
    if node:
        sum_remark(remarks, "nodes_without_kind", node, gpu_milliseconds)
    else:
        sum_remark(remarks, "partitions_without_kind", partition or ANY, gpu_milliseconds)
