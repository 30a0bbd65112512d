"""A reconciliation as programs read it, and as rows for a sheet; the same input gives the same report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import UsageLine
from tallystick.usage.matching import Matched
from tallystick.usage.payments import PaymentsCompared
from tallystick.usage.reconciling import Reconciliation
from tallystick.usage.standing import LoggedLine, said_of
from tallystick.vouchers.quantities import format_second
from tallystick.wire import JsonObject

OPEN_REASONS: Final = frozenset(
    {
        SkipReason.CONFLICT,
        SkipReason.ACCOUNT_UNMAPPED,
        SkipReason.ITEM_UNMAPPED,
        SkipReason.UNTYPED_GPU,
        SkipReason.TIME_AMBIGUOUS,
        SkipReason.INTERVAL_INVALID,
        SkipReason.NOT_A_NUMBER,
        SkipReason.UNREADABLE,
        SkipReason.CORRECTION,
        SkipReason.EXCEEDS_PERIOD,
        SkipReason.NO_POD,
    }
)
"""Why a record that isn't compared is something to mend: it may have held GPUs that somebody should pay for."""
LISTS: Final = (
    "missing_in_ledger",
    "missing_in_usage",
    "differs",
    "burned_more_than_used",
    "still_running",
    "matched",
)
PAYMENT_LISTS: Final = ("unpaid", "paid_twice", "wrong_amount", "paid")
COLUMNS: Final = (
    *("list", "job", "item", "contract", "holder", "starts_at", "ends_at", "field", "usage", "ledger"),
    *("usage_gpu_milliseconds", "ledger_gpu_milliseconds", "fee_fen", "statement", "line"),
)


class Gap(NamedTuple):
    """A time that no export has."""

    starts_at: int
    ends_at: int


def gaps_between(windows: Sequence[tuple[int, int]], starts_at: int | None, ends_at: int | None) -> list[Gap]:
    """Return the times that no window has, between the first and the last, and within an outer one if there is one.

    Args:
        windows: of exports, from and until (µs).
        starts_at: from when on there should be usage.
        ends_at: until when.
    """
    found = []
    reached = starts_at
    for begin, end in sorted(windows):
        if reached is not None and begin > reached:
            found.append(Gap(reached, begin))
        reached = end if reached is None else max(reached, end)
    if windows and ends_at is not None and reached is not None and reached < ends_at:
        found.append(Gap(reached, ends_at))
    return found


def lists_of(found: Reconciliation) -> JsonObject:
    """Return the lists, their sums, and the control totals by contract and item."""
    lists: dict[str, list[JsonObject]] = {
        "matched": [_run_said(one.usage) | {"lines": _places(one.lines)} for one in found.matched],
        "missing_in_ledger": [_run_said(usage) for usage in found.missing_in_ledger],
        "missing_in_usage": [said_of(line) for line in found.missing_in_usage],
        "differs": [_difference_said(differs.one, one) for differs in found.differs for one in differs.differences],
        "burned_more_than_used": [
            {
                "job": more.job,
                "item": more.item,
                "usage_gpu_milliseconds": more.usage_gpu_milliseconds,
                "ledger_gpu_milliseconds": more.ledger_gpu_milliseconds,
                "extra_fee_fen": sum(line.fee_fen for line in more.extra),
                "extra": [said_of(line) for line in more.extra],
            }
            for more in found.burned_more_than_used
        ],
        "still_running": [
            _run_said(one.usage)
            | {"burned_so_far_gpu_milliseconds": sum(line.gpu_milliseconds for line in one.lines)}
            | {"lines": _places(one.lines)}
            for one in found.still_running
        ],
    }
    totals = [
        {
            "contract": contract,
            "item": item,
            "usage_gpu_milliseconds": one.usage,
            "ledger_gpu_milliseconds": one.ledger,
            "fee_fen": one.fee_fen,
            "from_voucher_fen": one.from_voucher_fen,
        }
        for (contract, item), one in sorted(found.by.items())
    ]
    return lists | {
        "sums": _sums(found),
        "totals": totals,
        "outside_window": dict(sorted(found.outside_window.items())),
    }


def open_in(report: Mapping[str, Any]) -> list[str]:
    """Return what is open in a report: the names of lists with something to mend, in order."""
    lists = [name for name in LISTS[:4] if report[name]]
    records = [reason for reason in report["skipped"] if SkipReason.from_code(reason) in OPEN_REASONS]
    payments = [name for name in PAYMENT_LISTS[:3] if report.get("payments", {}).get(name)]
    return [*lists, *records, *(["gaps"] if report["gaps"] else []), *payments]


def payments_said(found: PaymentsCompared) -> JsonObject:
    """Return what came of claims and payments."""
    lists = {
        "unpaid": found.unpaid,
        "paid_twice": found.paid_twice,
        "wrong_amount": found.wrong_amount,
        "paid": found.paid,
    }
    said: JsonObject = {
        name: [
            {
                **one.claim._asdict(),
                "paid_fen": one.paid_fen,
                "payments": [
                    {"line": payment.line, "day": payment.day, "amount_fen": payment.amount_fen}
                    for payment in one.payments
                ],
            }
            for one in some
        ]
        for name, some in lists.items()
    }
    return said | {"others": [payment._asdict() for payment in found.others]}


def rows_of(report: Mapping[str, Any]) -> Iterator[JsonObject]:
    """Yield the rows of all lists of usage and ledger, each with every column of `COLUMNS`."""
    for name in LISTS:
        for one in report[name]:
            for row in _rows(name, one):
                yield (
                    dict.fromkeys(COLUMNS)
                    | {"list": name}
                    | {column: value for column, value in row.items() if column in COLUMNS}
                )


def _rows(name: str, one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if name == "burned_more_than_used":
        for line in one["extra"]:
            yield {**line, **one, "ledger_gpu_milliseconds": line["gpu_milliseconds"], "fee_fen": line["fee_fen"]}
    elif name == "missing_in_usage":
        yield {**one, "ledger_gpu_milliseconds": one["gpu_milliseconds"]}
    elif name == "still_running":
        yield {**one, "ledger_gpu_milliseconds": one["burned_so_far_gpu_milliseconds"], "usage_gpu_milliseconds": None}
    elif name == "matched":
        for place in one["lines"]:
            yield {**one, **place}
    else:
        yield one


def _sums(found: Reconciliation) -> JsonObject:
    return {
        "usage_finished_gpu_milliseconds": sum(one.usage for one in found.by.values()),
        "ledger_standing_gpu_milliseconds": sum(one.ledger for one in found.by.values()),
        "matched_gpu_milliseconds": sum(one.usage.gpu_milliseconds for one in found.matched),
        "missing_in_ledger_gpu_milliseconds": sum(usage.gpu_milliseconds for usage in found.missing_in_ledger),
        "missing_in_usage_gpu_milliseconds": sum(line.gpu_milliseconds for line in found.missing_in_usage),
        "differs_usage_gpu_milliseconds": sum(one.one.usage.gpu_milliseconds for one in found.differs),
        "differs_ledger_gpu_milliseconds": sum(
            line.gpu_milliseconds for one in found.differs for line in one.one.lines
        ),
        "burned_more_than_used_gpu_milliseconds": sum(
            line.gpu_milliseconds for more in found.burned_more_than_used for line in more.extra
        ),
        "agreeing_beside_them_gpu_milliseconds": sum(
            one.usage.gpu_milliseconds for more in found.burned_more_than_used for one in more.runs
        ),
        "still_running_burned_gpu_milliseconds": sum(
            line.gpu_milliseconds for one in found.still_running for line in one.lines
        ),
        "fee_fen": sum(one.fee_fen for one in found.by.values()),
        "from_voucher_fen": sum(one.from_voucher_fen for one in found.by.values()),
    }


def _run_said(usage: UsageLine) -> JsonObject:
    return {
        "job": usage.job,
        "item": usage.item,
        "contract": usage.contract,
        "holder": usage.holder,
        "gpu_milli": usage.gpu_milli,
        "starts_at": format_second(usage.starts_at),
        "ends_at": format_second(usage.ends_at),
        "seconds": usage.seconds,
        "usage_gpu_milliseconds": usage.gpu_milliseconds,
        "record_line": usage.line,
        "file": usage.file,
    }


def _difference_said(one: Matched, difference: tuple[str, str | int, str | int]) -> JsonObject:
    """Return a difference, with the GPU-time of both sides, and what the usage would cost at the lines' price."""
    usage, lines = one
    ledger = sum(line.gpu_milliseconds for line in lines)
    fee_fen = sum(line.fee_fen for line in lines)
    field, ours, theirs = difference
    return _run_said(usage) | {
        "field": field,
        "usage": ours,
        "ledger": theirs,
        "ledger_gpu_milliseconds": ledger,
        "fee_fen": fee_fen,
        "usage_fee_fen_at_its_price": fee_fen * usage.gpu_milliseconds // ledger if ledger else 0,
        "lines": _places(lines),
    }


def _places(lines: Sequence[LoggedLine]) -> list[JsonObject]:
    return [{"statement": line.statement, "line": line.number, "fee_fen": line.fee_fen} for line in lines]
