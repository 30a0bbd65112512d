"""From runs to burn lines, by the mapping: whose contract, which item, how much of a GPU."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tallystick.metering.mapping import AccountRule, Mapping
from tallystick.metering.naming import job_name
from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Device, Run, Skipped, UsageLine
from tallystick.vouchers.quantities import GPU_MILLI_MAX, SECONDS_BURNED_MAX

SECOND_US = 1_000_000


def assign(
    records: Iterable[Run | Skipped], mapping: Mapping, *, so_far: bool = False
) -> Iterator[tuple[UsageLine, ...] | Skipped]:
    """Yield what becomes of each record: its lines, one for each item, or why it has none.

    Args:
        records: one run each, as `runs.one_each` leaves them.
        mapping: of the provider.
        so_far: whether a job that still runs is burned until its export.
    """
    for record in records:
        yield record if isinstance(record, Skipped) else _assigned(record, mapping, so_far=so_far)


def skipped(run: Run, reason: SkipReason, why: str = "", device: str = "") -> Skipped:
    """Return that a run isn't burned, with all that is known of it."""
    return Skipped(reason, run.line, run.job, run.gpu_milliseconds, why, run.payer.account, device)


def _assigned(run: Run, mapping: Mapping, *, so_far: bool) -> tuple[UsageLine, ...] | Skipped:
    ends_at = run.ends_at
    if ends_at is None:
        if not so_far or run.seen_until is None:
            return skipped(run, SkipReason.STILL_RUNNING)
        ends_at = run.seen_until
    if run.seconds == 0:
        return skipped(run, SkipReason.ZERO_SECONDS)
    if _is_free(run, ends_at, mapping):
        return skipped(run, SkipReason.FREE_STATE)
    day = mapping.day_of(run.starts_at)
    account = mapping.account_of(run.payer, day)
    if account is None:
        return skipped(run, SkipReason.ACCOUNT_UNMAPPED)
    gpu_milli = defaultdict[str, int](int)
    for device in run.devices:
        rule = mapping.gpu_of(device.source, day)
        if rule is None:
            return skipped(run, SkipReason.ITEM_UNMAPPED, device=device.source)
        gpu_milli[rule.item] += device.count_milli * rule.gpu_milli // 1000
    return _lines(run, ends_at, account, gpu_milli, mapping)


def _lines(
    run: Run, ends_at: int, account: AccountRule, gpu_milli: dict[str, int], mapping: Mapping
) -> tuple[UsageLine, ...] | Skipped:
    most = max(gpu_milli.values())
    if most > GPU_MILLI_MAX or run.seconds > SECONDS_BURNED_MAX or min(gpu_milli.values()) < 1:
        return skipped(run, SkipReason.UNREADABLE, "more than a line of a statement holds, or nothing")
    job = job_name(run.cluster or mapping.cluster or "", run.job)
    return tuple(
        UsageLine(
            account.contract,
            item,
            job,
            amount,
            run.starts_at,
            ends_at,
            run.seconds,
            run.line,
            account.holder or "",
            run.ends_at is None,
            run.record,
        )
        for item, amount in sorted(gpu_milli.items())
    )


def _is_free(run: Run, ends_at: int, mapping: Mapping) -> bool:
    return run.state in mapping.free.states or any(
        _us(one.from_time.timestamp()) <= run.starts_at and ends_at <= _us(one.until_time.timestamp())
        for one in mapping.free.outages
    )


def _us(seconds: float) -> int:
    return round(seconds) * SECOND_US


def held(devices: Iterable[Device]) -> tuple[Device, ...]:
    """Return devices with each kind once, in the order of their names."""
    counts = defaultdict[str, int](int)
    for source, count_milli in devices:
        counts[source] += count_milli
    return tuple(Device(source, count) for source, count in sorted(counts.items()) if count)
