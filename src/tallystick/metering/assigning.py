"""From runs to burn lines, by the mapping: whose contract, which item, how much of a GPU."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Final

from tallystick.metering.mapping import AccountRule, Mapping
from tallystick.metering.naming import job_name
from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Device, Payer, Run, Skipped, UsageLine
from tallystick.metering.runs import skipped

SECOND_US: Final = 1_000_000
_SLOT_US: Final = 900 * SECOND_US
"""Local days begin at whole quarters of an hour, in every zone since 1972."""
_EVER: Final = date(1970, 1, 1)

_BATCH: Final = 256
_PLAIN_REMEMBERED: Final = 65_536
_NUMBER_DIGITS: Final = 20

Amounts = tuple[tuple[str, int], ...]
"""Thousandths of a GPU by item, in the items' order."""


def assign(
    records: Iterable[Run | Skipped], mapping: Mapping, *, so_far: bool = False
) -> Iterator[tuple[UsageLine, ...] | Skipped]:
    """Yield what becomes of each record: its lines, one for each item, or why it has none.

    Args:
        records: one run each, as `runs.one_each` leaves them.
        mapping: of the provider.
        so_far: whether a job that still runs is burned until its export.
    """
    rules = _Rules(mapping)
    records = iter(records)
    while batch := list(islice(records, _BATCH)):
        yield from [
            record
            if isinstance(record, Skipped)
            else rules.plain_lines(record) or _assigned(record, rules, so_far=so_far)
            for record in batch
        ]


class _Rules:
    """The mapping, with its answers remembered: a file has few accounts and few kinds of devices."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.cluster = mapping.cluster or ""
        self.has_free = bool(mapping.free.states or mapping.free.outages)
        self._free_states = frozenset(mapping.free.states)
        self._outages = [(_us(one.from_time), _us(one.until_time)) for one in mapping.free.outages]
        self._is_dated = any(rule.from_day or rule.until_day for rule in (*mapping.accounts, *mapping.gpus))
        self._days: dict[int, date] = {}
        self._accounts: dict[tuple[Payer, date], AccountRule | None] = {}
        self._amounts: dict[tuple[tuple[Device, ...], date], Amounts | str] = {}
        self._plain: dict[tuple[Payer, tuple[Device, ...]], tuple[str, str, str, int] | None] = {}
        self._before_numbers: dict[str, str] = {}

    def plain_lines(self, run: Run) -> tuple[UsageLine, ...]:
        """Return the line of a run as nearly all are: ended, of one kind of device, by rules that hold for ever.

        Empty for any other; what is returned is what `_assigned` returns.
        """
        job, starts_at, ends_at, seconds, devices, payer, line, record, cluster, _, _, records, file, *_ = run
        key = (payer, devices)
        rule = self._plain.get(key)
        if rule is None and key not in self._plain:
            rule = self._plain_rule(payer, devices)
        if rule is None or ends_at is None or not seconds:
            return ()
        contract, holder, item, amount = rule
        before = self._before_numbers.get(cluster or self.cluster)
        if before is None or not (job.isdecimal() and job.isascii() and len(job) <= _NUMBER_DIGITS):
            before, job = "", self.name_of(cluster or self.cluster, job)
        return (
            tuple.__new__(
                UsageLine,
                (
                    contract,
                    item,
                    before + job,
                    amount,
                    starts_at,
                    ends_at,
                    seconds,
                    line,
                    holder,
                    False,
                    record,
                    records,
                    file,
                ),
            ),
        )

    def _plain_rule(self, payer: Payer, devices: tuple[Device, ...]) -> tuple[str, str, str, int] | None:
        account, amounts = self.account_of(payer, _EVER), self.amounts_of(devices, _EVER)
        is_plain = not self.has_free and not self._is_dated and account is not None and not isinstance(amounts, str)
        if len(self._plain) >= _PLAIN_REMEMBERED:
            self._plain.clear()
        found = None
        if is_plain and account is not None and len(amounts) == 1 and amounts[0][1]:
            found = (account.contract, account.holder or "", str(amounts[0][0]), int(amounts[0][1]))
        self._plain[payer, devices] = found
        return found

    def name_of(self, cluster: str, job: str) -> str:
        """Return the ledger's name of a job, and take note of a cluster whose jobs' numbers need nothing else."""
        if job_name(cluster, "9" * _NUMBER_DIGITS) == f"{cluster}/{'9' * _NUMBER_DIGITS}":
            self._before_numbers[cluster] = f"{cluster}/"
        return job_name(cluster, job)

    def day_of(self, at: int) -> date:
        """Return the local day of an instant, if any rule asks for it."""
        if not self._is_dated:
            return _EVER
        slot = at // _SLOT_US
        if slot not in self._days:
            self._days[slot] = self.mapping.day_of(slot * _SLOT_US)
        return self._days[slot]

    def account_of(self, payer: Payer, day: date) -> AccountRule | None:
        """Return the account's rule, None if there is none."""
        key = (payer, day)
        if key not in self._accounts:
            self._accounts[key] = self.mapping.account_of(payer, day)
        return self._accounts[key]

    def amounts_of(self, devices: tuple[Device, ...], day: date) -> Amounts | str:
        """Return how much of which item devices are, or the kind of device that has no item."""
        key = (devices, day)
        if key not in self._amounts:
            self._amounts[key] = self._summed(devices, day)
        return self._amounts[key]

    def _summed(self, devices: tuple[Device, ...], day: date) -> Amounts | str:
        gpu_milli = defaultdict[str, int](int)
        for device in devices:
            rule = self.mapping.gpu_of(device.source, day)
            if rule is None:
                return device.source
            gpu_milli[rule.item] += device.count_milli * rule.gpu_milli // 1000
        return tuple(sorted(gpu_milli.items()))

    def is_free(self, run: Run, ends_at: int) -> bool:
        """Whether a run isn't paid for."""
        return run.state in self._free_states or any(
            begins_at <= run.starts_at and ends_at <= until for begins_at, until in self._outages
        )


def _assigned(run: Run, rules: _Rules, *, so_far: bool) -> tuple[UsageLine, ...] | Skipped:
    ends_at = run.ends_at
    if ends_at is None:
        if not so_far or run.seen_until is None:
            return skipped(run, SkipReason.STILL_RUNNING)
        ends_at = run.seen_until
    if run.seconds == 0:
        return skipped(run, SkipReason.ZERO_SECONDS)
    if rules.has_free and rules.is_free(run, ends_at):
        return skipped(run, SkipReason.FREE_STATE)
    day = rules.day_of(run.starts_at)
    account = rules.account_of(run.payer, day)
    amounts = rules.amounts_of(run.devices, day)
    if account is None:
        unmapped = skipped(run, SkipReason.ACCOUNT_UNMAPPED)
        if isinstance(amounts, str):
            return unmapped
        # one instance may be several GPUs, one device half of one
        return unmapped._replace(gpu_milliseconds=run.seconds * sum(amount for _, amount in amounts))
    if isinstance(amounts, str):
        return skipped(run, SkipReason.ITEM_UNMAPPED if amounts else SkipReason.UNTYPED_GPU, device=amounts)
    if not all(amount for _, amount in amounts):
        return skipped(run, SkipReason.UNREADABLE, "less than a thousandth of a GPU")
    return _lines(run, ends_at, account, amounts, rules.cluster)


def _lines(run: Run, ends_at: int, account: AccountRule, amounts: Amounts, cluster: str) -> tuple[UsageLine, ...]:
    job = job_name(run.cluster or cluster, run.job)
    return tuple(
        [
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
                run.records,
                run.file,
            )
            for item, amount in amounts
        ]
    )


def _us(at: datetime) -> int:
    return round(at.timestamp()) * SECOND_US


def held(devices: Iterable[Device]) -> tuple[Device, ...]:
    """Return devices with each kind once, in the order of their names."""
    counts = defaultdict[str, int](int)
    for source, count_milli in devices:
        counts[source] += count_milli
    return tuple(Device(source, count) for source, count in sorted(counts.items()) if count)
