"""A plan as people and programs read it."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tallystick.cli import output

if TYPE_CHECKING:
    from tallystick.cli.usage_planning import PreviewedPlan
    from tallystick.metering.reading import Reading
    from tallystick.usage.planning import PlannedLine
    from tallystick.usage.preview import Amounts, Preview
    from tallystick.wire import JsonObject

SHOWN_MAX: Final = 20
"""Rows of a table; the others are counted, and `--json` has them all."""


def counts_of(reading: "Reading") -> "JsonObject":
    """Return what became of records: how many there are, and how many are skipped for which reason."""
    return {
        "records": reading.records,
        "skipped": {reason.value: count for reason, count in sorted(reading.skipped.items())},
        "skipped_gpu_milliseconds": {
            reason.value: amount for reason, amount in sorted(reading.skipped_gpu_milliseconds.items()) if amount
        },
        "accounts_unmapped": dict(sorted(reading.accounts_unmapped.items())),
        "items_unmapped": dict(sorted(reading.items_unmapped.items())),
        "named": [
            {"reason": one.reason.value, "line": one.line, "job": one.job, "why": one.why} for one in reading.named
        ],
        "remarks": reading.remarks,
    }


def plan_said(found: "PreviewedPlan") -> "JsonObject":
    """Return a plan as `--json` says it."""
    from tallystick.usage.standing import said_of

    plan, preview = found.plan, found.preview
    counts = counts_of(found.usage.reading)
    if plan.records_already_burned:
        counts["skipped"]["already_burned"] = plan.records_already_burned
        counts["skipped_gpu_milliseconds"]["already_burned"] = plan.already_burned_gpu_milliseconds
    counts["records_to_burn"] = found.usage.reading.records_burned - plan.records_already_burned
    reversals = []
    for number, reversal in enumerate(plan.reversals):
        said: JsonObject = said_of(reversal.line) | {"why": reversal.why.value}
        if found.reversal_answers:
            answer = found.reversal_answers[number]
            said["would_be"] = "accepted" if answer["accepted"] else answer["reason"]
        reversals.append(said)
    lines = _lines_said(plan.burns, None) if preview is None else _accepted_said(preview)
    after = _lines_said(plan.awaiting, None) if found.awaiting is None else _accepted_said(found.awaiting)
    return (
        found.usage.said()
        | counts
        | {
            "is_previewed": preview is not None,
            "lines": lines,
            "statements": [] if preview is None else _statements_said(preview),
            "refused": [*_refused_said(preview), *_refused_said(found.awaiting)],
            "reversals": reversals,
            "lines_after_reversals": after,
            "unsplit": _lines_said(plan.unsplit, None),
            "totals": totals_of(found),
        }
    )


def totals_of(found: "PreviewedPlan") -> "list[JsonObject]":
    """Return what is to be burned by contract and item; amounts are 0 where the log wasn't asked."""
    from tallystick.usage.preview import Amounts

    gpu_milliseconds, lines = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    fee_fen, paid_fen = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    rows = [(line, Amounts(0, 0)) for line in found.plan.burns] if found.preview is None else found.preview.lines()
    for line, amounts in rows:
        key = line.usage.contract, line.usage.item
        lines[key] += 1
        gpu_milliseconds[key] += line.gpu_milliseconds
        fee_fen[key] += amounts.fee_fen
        paid_fen[key] += amounts.paid_fen
    return [
        {
            "contract": key[0],
            "item": key[1],
            "lines": lines[key],
            "gpu_milliseconds": gpu_milliseconds[key],
            "fee_fen": fee_fen[key],
            "from_voucher_fen": paid_fen[key],
        }
        for key in sorted(lines)
    ]


def show_plan(found: "PreviewedPlan") -> None:
    """Print a plan for a person."""
    said, plan = plan_said(found), found.plan
    show_records(said)
    if said["totals"]:
        output.rows("to burn, in yuan and GPU-hours", said["totals"])
    statements, lines = len(said["statements"]), len(said["lines"])
    made = f", statements: {statements:,}" if found.preview is not None else "; without a key the log can't be asked"
    output.line(f"lines to burn: {lines:,}{made}")
    late = sum("prior_period" in one or "corrects" in one for one in said["lines"])
    if late:
        output.line(f"of them of sealed days, which they say: {late:,}")
    if plan.unsplit:
        output.line(
            f"lines that aren't cut, since it isn't known when their runs were suspended: {len(plan.unsplit):,}"
        )
    _show_some("would be refused, and are left out", said["refused"], ("job", "item", "starts_at", "reason", "detail"))
    columns = ("statement", "line", "job", "item", "gpu_milliseconds", "fee_fen", "why", "would_be")
    _show_some("stand in the log, and shouldn't", said["reversals"], columns)
    if plan.reversals:
        output.line(
            f"lines that await these reversals: {len(plan.awaiting):,}; a person decides: `usage plan --reversals "
            "FILE.csv` writes them, `tallystick do burn.reverse --from FILE.csv` signs them"
        )


def show_records(said: "JsonObject") -> None:
    """Print what became of records."""
    rows = [
        {"reason": reason, "records": count, "gpu_milliseconds": said["skipped_gpu_milliseconds"].get(reason, 0)}
        for reason, count in said["skipped"].items()
    ]
    output.line(f"records: {said['records']:,}, of which count: {said['records'] - sum(said['skipped'].values()):,}")
    if rows:
        output.rows("the others, in GPU-hours", rows)
    for what, name in (("account", "accounts_unmapped"), ("kind of GPU", "items_unmapped")):
        if said[name]:
            rows = [{what: one, "gpu_milliseconds": amount} for one, amount in said[name].items()]
            output.rows("not in the mapping, in GPU-hours", rows)
    _show_some("records that a person must look at", said["named"], ("line", "job", "reason", "why"))


def _show_some(title: str, rows: "Sequence[JsonObject]", columns: Sequence[str]) -> None:
    if not rows:
        return
    shown = [{name: one.get(name) for name in columns} for one in rows[:SHOWN_MAX]]
    more = f"; {len(rows) - SHOWN_MAX:,} more with --json" if len(rows) > SHOWN_MAX else ""
    output.rows(f"{len(rows):,} {title}{more}", shown)


def line_said(line: "PlannedLine") -> "JsonObject":
    """Return a line as `--json` says it."""
    from tallystick.vouchers.quantities import format_second

    usage = line.usage
    said: JsonObject = {
        "contract": usage.contract,
        "item": usage.item,
        "job": usage.job,
        "gpu_milli": usage.gpu_milli,
        "starts_at": format_second(line.starts_at),
        "ends_at": format_second(line.ends_at),
        "seconds": line.seconds,
        "gpu_milliseconds": line.gpu_milliseconds,
    }
    if line.corrects is not None:
        said["corrects"] = {"statement": line.corrects[0], "line": line.corrects[1]}
    if line.is_late:
        said["prior_period"] = True
    if line.awaits:
        said["awaits"] = [{"statement": statement, "line": number} for statement, number in line.awaits]
    return said


def _lines_said(lines: "Sequence[PlannedLine]", amounts: "Sequence[Amounts] | None") -> "list[JsonObject]":
    if amounts is None:
        return [line_said(line) for line in lines]
    return [
        line_said(line) | {"fee_fen": one.fee_fen, "from_voucher_fen": one.paid_fen}
        for line, one in zip(lines, amounts, strict=True)
    ]


def _accepted_said(preview: "Preview") -> "list[JsonObject]":
    return _lines_said([line for line, _ in preview.lines()], preview.amounts)


def _statements_said(preview: "Preview") -> "list[JsonObject]":
    return [
        {
            "ref": one.ref,
            "contract": one.contract,
            "lines": len(one.lines),
            "gpu_milliseconds": sum(line.gpu_milliseconds for line in one.lines),
        }
        for one in preview.statements
    ]


def _refused_said(preview: "Preview | None") -> "list[JsonObject]":
    if preview is None:
        return []
    return [
        line_said(one.line) | {"reason": one.reason, "detail": one.detail, "transient": one.is_transient}
        for one in preview.refused
    ]


def show_reconciliation(report: "JsonObject") -> None:
    """Print a reconciliation for a person."""
    show_records(report)
    if report["totals"]:
        output.rows("totals, in yuan and GPU-hours", report["totals"])
    output.line(f"runs that are burned as they ran: {len(report['matched']):,}")
    run = ("job", "item", "contract", "starts_at", "ends_at", "usage_gpu_milliseconds")
    _show_some("missing in the ledger", report["missing_in_ledger"], run)
    _show_some(
        "missing in the usage",
        report["missing_in_usage"],
        ("statement", "line", "job", "item", "contract", "starts_at", "gpu_milliseconds", "fee_fen"),
    )
    _show_some(
        "differ",
        report["differs"],
        ("job", "field", "usage", "ledger", "usage_gpu_milliseconds", "ledger_gpu_milliseconds", "fee_fen"),
    )
    extra = [line for one in report["burned_more_than_used"] for line in one["extra"]]
    _show_some("burned more than used", extra, ("statement", "line", "job", "item", "gpu_milliseconds", "fee_fen"))
    _show_some("still running", report["still_running"], ("job", "item", "burned_so_far_gpu_milliseconds"))
    _show_some("times that no export covers", report["gaps"], ("from", "until"))
    for name in ("unpaid", "paid_twice", "wrong_amount") if "payments" in report else ():
        columns = ("claim", "payment_reference", "payment_day", "payment_fen", "paid_fen")
        _show_some(name.replace("_", " "), report["payments"][name], columns)
    output.line(f"open: {', '.join(report['open'])}" if report["open"] else "nothing is open")
