"""What the demo shows at its end: figures of the audit, and what clients counted from their own answers."""

import csv
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tallystick.audit.report import FindingRow, ProgrammeTotals, Report
from tallystick.demo import cast
from tallystick.demo.stage import Burns, Tally
from tallystick.demo.tampering import Change
from tallystick.vouchers.refusals import Reason

FINDINGS_SHOWN = 5
_GPU_MILLISECONDS_PER_GPU_HOUR = 3_600_000
_PLACES = ("unissued_fen", "available_fen", "reserved_fen", "burned_fen", "claimed_fen", "paid_fen")


def write_balances(path: Path, report: Report) -> None:
    """Write every programme's balances in fen as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["city", "programme", "envelope_fen", *_PLACES])
        for city in cast.CITIES:
            for terms in city.programmes:
                totals = report.totals.programmes[city.programme(terms)]
                amounts = [getattr(totals, place) for place in ("envelope_fen", *_PLACES)]
                writer.writerow([city.slug, city.programme(terms), *amounts])


def show_balances(console: Console, report: Report) -> None:
    """Show, by city, where the money is."""
    table = _table("Balances by city, CNY", "city", "unissued", "available", "reserved", "owed", "paid")
    for city in cast.CITIES:
        books = [report.totals.programmes[city.programme(terms)] for terms in city.programmes]
        table.add_row(
            city.slug,
            _yuan(sum(book.unissued_fen for book in books)),
            _yuan(sum(book.available_fen for book in books)),
            _yuan(sum(book.reserved_fen for book in books)),
            _yuan(sum(book.burned_fen + book.claimed_fen for book in books)),
            _yuan(sum(book.paid_fen for book in books)),
        )
    console.print(table)


def show_burns(console: Console, tally: Tally) -> None:
    """Show what each provider burned."""
    table = _table("Burned by provider", "cluster", "lines", "GPU-hours", "fees, CNY", "from vouchers, CNY")
    for cluster in cast.CLUSTERS:
        burns = tally.burns.get(cluster.party, Burns())
        table.add_row(
            cluster.slug,
            f"{burns.lines:,}",
            f"{burns.gpu_milliseconds // _GPU_MILLISECONDS_PER_GPU_HOUR:,}",
            _yuan(burns.fee_fen),
            _yuan(burns.from_voucher_fen),
        )
    table.add_section()
    table.add_row(
        "all",
        f"{tally.lines_accepted:,}",
        f"{sum(burns.gpu_milliseconds for burns in tally.burns.values()) // _GPU_MILLISECONDS_PER_GPU_HOUR:,}",
        _yuan(sum(burns.fee_fen for burns in tally.burns.values())),
        _yuan(sum(burns.from_voucher_fen for burns in tally.burns.values())),
    )
    console.print(table)


def show_refusals(console: Console, tally: Tally) -> None:
    """Show how many lines and commands were refused, by reason."""
    table = _table("Refused, by reason", "reason", "lines", "commands")
    for reason in Reason:
        lines, commands = tally.lines_refused[reason], tally.commands_refused[reason]
        if lines or commands:
            table.add_row(reason.value, f"{lines:,}" if lines else "", f"{commands:,}" if commands else "")
    table.add_section()
    table.add_row("all", f"{tally.lines_refused.total():,}", f"{tally.commands_refused.total():,}")
    console.print(table)


def show_conservation(console: Console, report: Report) -> None:
    """Show for each programme that what became of its envelope adds up to it."""
    # Not every terminal's encoding has the marks.
    adds_up, does_not = ("✓", "✗") if console.encoding.startswith("utf") else ("yes", "NO")
    table = _table("Conservation, CNY", "programme", "envelope", "where it is, added up", "")
    for programme, totals in sorted(report.totals.programmes.items()):
        added_up_fen = sum_of_places(totals)
        mark = adds_up if added_up_fen == totals.envelope_fen else does_not
        table.add_row(programme, _yuan(totals.envelope_fen), _yuan(added_up_fen), mark)
    console.print(table)


def show_audit(console: Console, report: Report) -> None:
    """Show the verdict, and what was audited."""
    totals = report.totals
    lines = totals.burn_lines_accepted + totals.burn_lines_refused
    _say(console, f"Audit: {report.verdict}, {report.entries:,} entries")
    _say(
        console,
        f"  {lines:,} burn lines, {totals.burn_lines_accepted:,} accepted and {totals.burn_lines_refused:,} refused",
    )
    if report.checkpoint is not None:
        _say(console, f"  root {report.checkpoint.root}")
    _show_findings(console, report.findings)


def show_tampered_audit(console: Console, report: Report, change: Change) -> None:
    """Show what the audit says of the copy."""
    before, after = change.before.decode(), change.after.decode()
    _say(console, f"A copy, in which byte {change.place} of entry {change.index} is {after} instead of {before}")
    _say(console, f"Audit of the copy: {report.verdict}")
    # What names the entry itself comes before what follows from it for the tree and the checkpoints.
    _show_findings(console, sorted(report.findings, key=lambda row: row.index != change.index))


def sum_of_places(totals: ProgrammeTotals) -> int:
    """Return, in fen, all that became of an envelope."""
    return sum(getattr(totals, place) for place in _PLACES)


def _show_findings(console: Console, findings: Sequence[FindingRow]) -> None:
    for row in findings[:FINDINGS_SHOWN]:
        place = "" if row.index is None else f" at entry {row.index}"
        _say(console, f"  {row.code}{place}: {row.detail}")
    if len(findings) > FINDINGS_SHOWN:
        _say(console, f"  and {len(findings) - FINDINGS_SHOWN} more")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _yuan(fen: int) -> str:
    """Return an amount in CNY, to the yuan; the exact ones are in balances.csv and audit.json."""
    return f"{fen // 100:,}"
