"""What the demo shows at its end: figures of the audit, and what clients counted from their own answers."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tallystick.audit.report import ProgrammeTotals, Report
from tallystick.demo import cast, market
from tallystick.demo.dishonest import Fraud
from tallystick.demo.stage import Burns, Tally
from tallystick.demo.tampering import Change
from tallystick.findings import Finding
from tallystick.forms.amounts import yuan
from tallystick.patterns import Seen
from tallystick.printing.csv_bytes import csv_bytes
from tallystick.printing.tables import Column, table
from tallystick.printing.text import escaped, gpu_hours
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import EVENT_KINDS

FINDINGS_SHOWN = 5
_PLACES = (
    "unissued_fen",
    "available_fen",
    "reserved_fen",
    "burned_fen",
    "withheld_fen",
    "claimed_fen",
    "paid_fen",
    "receivable_fen",
)


def write_balances(path: Path, report: Report) -> None:
    """Write every programme's balances in fen as CSV."""
    columns = ["programme", "city", "envelope_fen", *_PLACES]
    rows = [
        {"programme": city.programme(terms), "city": city.slug}
        | report.totals.programmes[city.programme(terms)].model_dump()
        for city in cast.TREASURIES
        for terms in city.programmes
    ]
    path.write_bytes(csv_bytes(columns, rows))


def show_narrative(console: Console, tally: Tally) -> None:
    """Show what was played: how often, how much, and the entry that was the first of it."""
    rows = [
        [
            what.value,
            f"{told.times:,}",
            yuan(told.amount_fen) if told.amount_fen else "",
            "" if told.first_index is None else str(told.first_index),
        ]
        for what, told in tally.narrative.told.items()
    ]
    _show(console, "What was played, in yuan", ("what",), ("times", "amount", "first entry"), rows)


def show_balances(console: Console, report: Report, tally: Tally) -> None:
    """Show, by city or district, where the money is: the envelope is what stands after it, added up.

    What imported vouchers had been used for is paid, too, but by no entry of the log: it stands by itself.
    """
    amounts = {}
    for city in cast.TREASURIES:
        *others, receivable_fen, paid_fen = [sum(column) for column in zip(*_amounts(city, report), strict=True)]
        carried_over_fen = tally.carried_over_fen[city.treasury]
        amounts[city.slug] = [*others, paid_fen - carried_over_fen, receivable_fen, carried_over_fen]
    amounts["all"] = [sum(column) for column in zip(*amounts.values(), strict=True)]
    rows = [[slug, *map(yuan, row)] for slug, row in amounts.items()]
    numbers = ("envelope", "unissued", "with holders", "owed", "paid", "asked back", "paid before the log")
    _show(console, "Balances by city, in yuan: the envelope is the rest added up", ("city",), numbers, rows)


def _amounts(city: cast.City, report: Report) -> list[tuple[int, ...]]:
    """Return for each programme of a city its envelope, and where it is, in fen."""
    books = [report.totals.programmes[city.programme(terms)] for terms in city.programmes]
    return [
        (
            book.envelope_fen,
            book.unissued_fen,
            book.available_fen + book.reserved_fen,
            book.burned_fen + book.withheld_fen + book.claimed_fen,
            book.receivable_fen,
            book.paid_fen,
        )
        for book in books
    ]


def show_burns(console: Console, tally: Tally) -> None:
    """Show what each provider burned."""
    burns = {cluster.slug: tally.burns.get(cluster.party, Burns()) for cluster in market.CLUSTERS}
    burns["all"] = Burns(
        lines=tally.lines_accepted,
        services=sum(one.services for one in burns.values()),
        gpu_milliseconds=sum(one.gpu_milliseconds for one in burns.values()),
        fee_fen=sum(one.fee_fen for one in burns.values()),
        from_voucher_fen=sum(one.from_voucher_fen for one in burns.values()),
    )
    rows = [
        [
            slug,
            f"{one.lines:,}",
            gpu_hours(one.gpu_milliseconds),
            f"{one.services:,}",
            yuan(one.fee_fen),
            yuan(one.from_voucher_fen),
        ]
        for slug, one in burns.items()
    ]
    numbers = ("lines", "GPU-hours", "services", "fees", "from vouchers")
    title = "Burned by provider, in yuan and GPU-hours (cut off after three decimals)"
    _show(console, title, ("cluster",), numbers, rows)


def show_refusals(console: Console, tally: Tally) -> None:
    """Show how many lines and commands were refused, by reason."""
    rows = [
        [reason.value, f"{tally.lines_refused[reason]:,}", f"{tally.commands_refused[reason]:,}"]
        for reason in Reason
        if tally.lines_refused[reason] or tally.commands_refused[reason]
    ]
    rows.append(["all", f"{tally.lines_refused.total():,}", f"{tally.commands_refused.total():,}"])
    _show(console, "Refused, by reason", ("reason",), ("lines", "commands"), rows)


def show_commands(console: Console, tally: Tally) -> None:
    """Show how many commands of each kind were recorded, in the order of the rulebook."""
    rows = [
        [kind, f"{tally.commands_recorded[event_kind]:,}"]
        for kind, event_kind in EVENT_KINDS.items()
        if tally.commands_recorded[event_kind]
    ]
    rows.append(["all", f"{tally.commands_recorded.total():,}"])
    _show(console, "Recorded, by command", ("command",), ("entries",), rows)


def show_conservation(console: Console, report: Report) -> None:
    """Show for each programme that what became of its envelope adds up to it."""
    rows = []
    for programme, totals in sorted(report.totals.programmes.items()):
        added_up_fen = sum_of_places(totals)
        adds_up = "yes" if added_up_fen == totals.envelope_fen else "NO"
        rows.append([programme, adds_up, yuan(totals.envelope_fen), yuan(added_up_fen)])
    numbers = ("envelope", "where it is, added up")
    _show(console, "Conservation, in yuan", ("programme", "adds up"), numbers, rows)


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


def show_frauds(console: Console, frauds: Sequence[Fraud], seen: Sequence[Seen]) -> None:
    """Show each fraud that was hidden, and what was seen of it; then all patterns that were seen."""
    rows = []
    for fraud in frauds:
        one = fraud.seen_in(tuple(seen))
        first = "" if one is None else str(one.entries[0])
        rows.append([fraud.what, fraud.pattern.value, "NOT SEEN" if one is None else one.severity.value, first])
    _show(console, "Frauds that no rule refuses", ("fraud", "pattern", "seen as"), ("first entry",), rows)
    for one in seen:
        _say(console, f"  {one}")


def sum_of_places(totals: ProgrammeTotals) -> int:
    """Return, in fen, all that became of an envelope."""
    return sum(getattr(totals, place) for place in _PLACES)


def _show_findings(console: Console, findings: Sequence[Finding]) -> None:
    for row in findings[:FINDINGS_SHOWN]:
        _say(console, f"  {row}")
    if len(findings) > FINDINGS_SHOWN:
        _say(console, f"  and {len(findings) - FINDINGS_SHOWN} more")


def _say(console: Console, line: str) -> None:
    console.print(escaped(line, console.encoding), markup=False, highlight=False, soft_wrap=True)


def _show(
    console: Console, title: str, texts: Sequence[str], numbers: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    columns = [*map(Column, texts), *[Column(name, is_number=True) for name in numbers]]
    rule = "─" if escaped("─", console.encoding) == "─" else "-"
    shown = table(columns, rows, console.width, rule)
    console.print(f"\n{title}\n{shown}", end="", markup=False, highlight=False, soft_wrap=True)
