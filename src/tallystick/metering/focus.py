"""FOCUS 1.0 to 1.2 as CSV: a bill's usage rows, summed by resource, SKU and period.

A row has no id in FOCUS. That two rows are equal makes neither a copy: the rows of one sub-account, resource, SKU and
charge period are added up. If the hours of an instance come to more than the period has, the file was delivered twice,
and they aren't burned. Times without an offset are UTC, ends are exclusive, and NULL, null and nothing are the same.

A SKU is counted in hours of the instance, which has as many GPUs as the mapping says, or in GPU-hours. GPU-hours are
spread over the period if that makes whole thousandths of a GPU; else they are whole GPUs for fewer seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli, seconds_held
from tallystick.metering.csv_rows import Cells, read_table, records_of
from tallystick.metering.instants import SECOND_US, Interval, instants, interval, moment
from tallystick.metering.json_text import canonical
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, count_remark
from tallystick.metering.run import Device, Payer, Run, Skipped

_NEEDED: Final = (
    "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd", "ConsumedQuantity", "ConsumedUnit", "ResourceId", "SkuId",
)  # fmt: skip
_ACCOUNTS: Final = ("SubAccountId", "BillingAccountId")
_MAY_MISS: Final = (*_ACCOUNTS, "ChargeClass", "CommitmentDiscountStatus", "ServiceCategory")
_UTC: Final = ZoneInfo("UTC")
_SECONDS_OF: Final = {"second": 1, "minute": 60, "hour": 3600, "hr": 3600, "day": 86_400}
_GPU_WORDS: Final = ("gpu", "card", "accelerator")
_WITHOUT_GPUS: Final = frozenset(
    {
        "analytics", "business applications", "databases", "developer tools", "identity", "integration",
        "internet of things", "management and governance", "media", "migration", "mobile", "multicloud", "networking",
        "security", "storage", "web",
    }
)  # fmt: skip
"""Service categories of FOCUS whose hours are no instance's that has GPUs."""


class _Unit(NamedTuple):
    """What a quantity counts.

    Attributes:
        seconds: of one.
        is_gpu_time: it counts GPUs × time, not an instance's time.
    """

    seconds: int
    is_gpu_time: bool


class _Key(NamedTuple):
    account: str
    resource: str
    sku: str
    period: Interval


@dataclass(slots=True)
class _Sum:
    """The rows of one key."""

    unit: _Unit
    line: int
    quantity: Fraction = Fraction(0)
    written: list[str] = field(default_factory=list)


def read_focus(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what the rows of a bill are; rows that are added up come at the end.

    Raises:
        UsageFileError: a column is missing or stands twice, it is no UTF-8 or no CSV, or the mapping has no cluster.
    """
    if mapping.cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, "FOCUS doesn't name one; say cluster in the mapping")
    table = read_table(chunks)
    places = table.columns(_NEEDED, may_miss=_MAY_MISS)
    if all(places[name] is None for name in _ACCOUNTS):
        raise UsageFileError(FileFault.COLUMN_MISSING, f"{' or '.join(_ACCOUNTS)}: export the file with one of them")
    sums: dict[_Key, _Sum] = {}
    outcomes = records_of(table, places, lambda line, cell: _taken(line, cell, mapping, sums), nothing="null")
    yield from (outcome for outcome in outcomes if outcome is not None)
    yield from _runs(sums, mapping, remarks)


def _taken(line: int, cell: Cells, mapping: Mapping, sums: dict[_Key, _Sum]) -> Skipped | None:
    """Add a row to the sums, or return why it isn't usage of a GPU."""
    account = cell("SubAccountId") or cell("BillingAccountId")
    reason = _other_charge(cell)
    unit = _unit(cell("ConsumedUnit"))
    sku = cell("SkuId")
    if reason is None and not mapping.has_kind(sku):
        reason = _unmapped(sku, unit, cell("ServiceCategory"), mapping)
    quantity = amount(cell("ConsumedQuantity"))
    if reason is not None:
        why = f"quantity {cell('ConsumedQuantity')[:40]!a}" if reason is SkipReason.CORRECTION else ""
        return Skipped(reason, line, cell("ResourceId"), 0, why, account, sku)
    if quantity is None:
        return Skipped(SkipReason.NOT_A_NUMBER, line, cell("ResourceId"), 0, "ConsumedQuantity", account, sku)
    period = _period(cell("ChargePeriodStart"), cell("ChargePeriodEnd"))
    if isinstance(period, SkipReason):
        return Skipped(period, line, cell("ResourceId"), 0, "its charge period", account, sku)
    if not cell("ResourceId") or unit is None:
        why = "it has no ResourceId" if unit else f"the unit {cell('ConsumedUnit')[:40]!a} is no time"
        return Skipped(SkipReason.UNREADABLE, line, cell("ResourceId"), 0, why, account, sku)
    rule = mapping.gpu_of(sku, mapping.day_of(period.starts_at))
    if rule is not None and rule.unit == "gpu-hours":
        unit = unit._replace(is_gpu_time=True)
    one = sums.setdefault(_Key(account, cell("ResourceId"), sku, period), _Sum(unit, line))
    one.quantity += quantity * unit.seconds / one.unit.seconds
    one.written.append(cell("ConsumedQuantity"))
    return None


def _other_charge(cell: Cells) -> SkipReason | None:
    """Return why a row isn't a charge for usage in its own period."""
    category = cell("ChargeCategory").lower()
    if category != "usage":
        return SkipReason.NOT_USAGE if category else SkipReason.UNREADABLE
    if cell("CommitmentDiscountStatus").lower() == "unused":
        return SkipReason.COMMITMENT_UNUSED
    return SkipReason.CORRECTION if cell("ChargeClass").lower() == "correction" else None


def _unmapped(sku: str, unit: _Unit | None, category: str, mapping: Mapping) -> SkipReason | None:
    """Return what a row is whose SKU the mapping doesn't have; None: it is time of GPUs."""
    if unit is not None and unit.is_gpu_time:
        return None if sku else SkipReason.UNTYPED_GPU
    if unit is None or mapping.is_no_gpu(sku) or category.lower() in _WITHOUT_GPUS:
        return SkipReason.NO_GPU
    return SkipReason.ITEM_UNMAPPED


def _unit(text: str) -> _Unit | None:
    """Return what a unit counts: `Hours`, `GPU-Hours`, `GPU Seconds`; None if it is no such time."""
    words = text.lower().replace("-", " ").replace("_", " ").split()
    seconds = _SECONDS_OF.get(words[-1].removesuffix("s")) if words else None
    if seconds is None or (len(words) > 1 and words[:-1] not in ([one] for one in (*_GPU_WORDS, "instance", "vm"))):
        return None
    return _Unit(seconds, words[0] in _GPU_WORDS)


def _period(start: str, end: str) -> Interval | SkipReason:
    starts, ends = moment(start), moment(end)
    if starts is None or ends is None:
        return SkipReason.UNREADABLE
    period = interval(instants(starts, _UTC), instants(ends, _UTC))
    is_empty = isinstance(period, Interval) and period.starts_at == period.ends_at
    return SkipReason.INTERVAL_INVALID if is_empty else period


def _runs(sums: dict[_Key, _Sum], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    beside = Counter((key.resource, key.period.starts_at) for key in sums)
    accounts = Counter(key[1:] for key in sums)
    overlapping = _overlapping(sums)
    rounded = 0
    for key, one in sums.items():
        job = key.resource
        if beside[key.resource, key.period.starts_at] > 1:
            job = "/".join((key.resource, key.sku, key.account)[: 2 if accounts[key[1:]] == 1 else 3])
        gpu_seconds = one.quantity * one.unit.seconds
        held, seconds = _held(gpu_seconds, key.period, one.unit)
        known = floor(gpu_seconds * 1000 * _gpus_of_one(key, mapping))
        reason, why = _impossible(gpu_seconds, seconds, key, is_overlapping=key in overlapping)
        if reason is not None:
            yield Skipped(reason, one.line, job, max(known, 0), why, key.account, key.sku, len(one.written))
            continue
        rounded += held * seconds != round(gpu_seconds * 1000)
        record = canonical([*key[:3], *key.period, one.unit, sorted(one.written)])
        devices = (Device(key.sku, held),)
        yield Run(
            job,
            *key.period,
            seconds,
            devices,
            Payer(key.account),
            one.line,
            record,
            mapping.cluster or "",
            records=len(one.written),
        )
    count_remark(remarks, "quantities_rounded_down", rounded)


def _gpus_of_one(key: _Key, mapping: Mapping) -> Fraction:
    """Return how many GPUs one instance, or one GPU-hour, stands for."""
    rule = mapping.gpu_of(key.sku, mapping.day_of(key.period.starts_at))
    return Fraction(1) if rule is None else Fraction(rule.gpu_milli, 1000)


def _impossible(
    seconds_exact: Fraction, seconds: int, key: _Key, *, is_overlapping: bool
) -> tuple[SkipReason | None, str]:
    length = (key.period.ends_at - key.period.starts_at) // SECOND_US
    if seconds_exact < 0:
        return SkipReason.CORRECTION, "the rows of the period add up to less than nothing"
    if seconds > length:
        return SkipReason.EXCEEDS_PERIOD, f"{float(seconds_exact / 3600):.6g} hours in a period of {length / 3600:.6g}"
    if is_overlapping:
        return SkipReason.CONFLICT, "another charge period of this resource and SKU overlaps this one"
    return (SkipReason.ZERO_SECONDS, "") if seconds == 0 else (None, "")


def _held(exact: Fraction, period: Interval, unit: _Unit) -> tuple[int, int]:
    """Return thousandths of devices, and for how many whole seconds."""
    if not unit.is_gpu_time:
        return 1000, seconds_held(exact)
    length = (period.ends_at - period.starts_at) // SECOND_US
    milli = count_milli(exact / length)
    if milli is not None or exact <= 0:
        return milli or 0, length if exact > 0 else 0
    gpus = ceil(exact / length)
    return gpus * 1000, seconds_held(exact / gpus)


def _overlapping(sums: dict[_Key, _Sum]) -> set[_Key]:
    """Return the keys of one sub-account, resource and SKU whose periods overlap."""
    by_resource = defaultdict[tuple[str, str, str], list[_Key]](list)
    for key in sums:
        by_resource[key[:3]].append(key)
    found = set[_Key]()
    for keys in by_resource.values():
        keys.sort(key=lambda key: key.period)
        widest = keys[0]
        for key in keys[1:]:
            if key.period.starts_at < widest.period.ends_at:
                found |= {key, widest}
            if key.period.ends_at > widest.period.ends_at:
                widest = key
    return found
