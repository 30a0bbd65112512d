"""What has ended leaves the books with a seal, counted the simple way: from all that ever was.

Written from docs/rules.md, "What has ended leaves".
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from properties.naive_ledger import NaiveLedger

KINDS: Final = ("application", "claim", "contract", "demand", "mandate", "reservation", "voucher")
_SECOND: Final = 1_000_000

Left = dict[str, set[str]]


def leaving(ledger: "NaiveLedger", left: Left, at: int) -> Left:
    """What leaves by a seal at an instant, of each kind, beside what has left before."""
    new: Left = {kind: set() for kind in KINDS}
    there = {
        kind: getattr(ledger, f"{kind}s").keys() - left[kind] for kind in KINDS if kind not in ("application", "claim")
    }
    new["voucher"] = _vouchers(ledger, there["voucher"], at)
    vouchers = there["voucher"] - new["voucher"]
    new["reservation"] = {
        name for name in there["reservation"] if ledger.reservations[name]["voucher"] in new["voucher"]
    }
    named = {_application_of(ledger, voucher) for voucher in vouchers}
    for name in ledger.applications.keys() - left["application"]:
        is_over = ledger.applications[name]["withdrawn"] or ledger.is_closed(ledger.applications[name]["programme"], at)
        if is_over and name not in named:
            new["application"].add(name)
    applications = ledger.applications.keys() - left["application"] - new["application"]
    stay = {ledger.vouchers[name]["contract"] for name in vouchers}
    stay |= {ledger.applications[name].get("contract") for name in applications}
    stay |= {ledger.reservations[name]["contract"] for name in there["reservation"] - new["reservation"]}
    stay |= {command["contract"] for command in _remembered(ledger, at)}
    stay |= {account[-2] if account[0] == "burned" else account[-1] for account in _lots_with_money(ledger)}
    for name in there["contract"]:
        is_over = at >= ledger.end_of_contract(name) + ledger.network["burn_window_seconds"] * _SECOND
        if is_over and name not in stay:
            new["contract"].add(name)
    programmes = {ledger.vouchers[name]["programme"] for name in vouchers}
    for name, claim in ledger.claims.items():
        if name not in left["claim"] and claim["status"] == "settled" and claim["programme"] not in programmes:
            new["claim"].add(name)
    new["demand"] = {name for name in there["demand"] if not ledger.balance("receivable", name)}
    new["mandate"] = {name for name in there["mandate"] if ledger.is_mandate_over(ledger.mandates[name], at)}
    return new


def _remembered(ledger: "NaiveLedger", at: int) -> Iterator[dict[str, str]]:
    """The commands of the statements that are remembered at an instant."""
    for statement in ledger.statements.values():
        if statement["at"] + ledger.network["burn_window_seconds"] * _SECOND >= at:
            yield ledger.entries[statement["index"]]["command"]


def _lots_with_money(ledger: "NaiveLedger") -> Iterator[tuple[str, ...]]:
    for account, amount_fen in ledger.balances().items():
        if amount_fen and account[0] in ("burned", "claimed", "withheld"):
            yield account


def _vouchers(ledger: "NaiveLedger", there: set[str], at: int) -> set[str]:
    """The vouchers that are at rest, with all that came out of one another."""
    busy = {name for name in there if not ledger.vouchers[name]["ended"]}
    recent = {statement["index"] for statement in ledger.statements.values()} & {
        ledger.statements[command["party"], command["ref"]]["index"] for command in _remembered(ledger, at)
    }
    for line in ledger.lines:
        if line["index"] in recent:
            busy |= {ledger.reservations[name]["voucher"] for name, _ in line["paid"]}
    for account, amount_fen in ledger.balances().items():
        if amount_fen and account[0] == "available":
            busy.add(account[1])
        if amount_fen and account[0] == "reserved":
            busy.add(ledger.reservations[account[1]]["voucher"])
    busy |= {account[2 if account[0] == "claimed" else 1] for account in _lots_with_money(ledger)}
    commands = [entry["command"] for entry in ledger.entries if entry["kind"] == "voucher.transferred/1"]
    pairs = [(command["voucher"], command["into"]) for command in commands]
    while not (family := {name for pair in pairs if {*pair} & busy for name in pair}) <= busy:
        busy |= family
    return there - busy


def _application_of(ledger: "NaiveLedger", voucher: str) -> str | None:
    for entry in ledger.entries:
        if entry["kind"] == "voucher.issued/1" and entry["command"]["voucher"] == voucher:
            application: str | None = entry["command"].get("application")
            return application
    return None
