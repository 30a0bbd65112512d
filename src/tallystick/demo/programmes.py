"""Programmes as treasuries open and amend them: the cast's terms in the log's units."""

from typing import Any, Final

from tallystick.demo import cast
from tallystick.demo.contracts import FEN
from tallystick.demo.year import Year, instant
from tallystick.vouchers.quantities import format_day, format_instant

_APPLICATION_REVIEWED: Final[list[dict[str, Any]]] = [
    {"before": "issue", "subject_type": "application", "topic": topic, "attesters": [attester], "passes": 1}
    for topic, attester, _ in sorted(cast.REVIEWS)
]
_CLAIM_REVIEWED: Final = {
    "before": "settle",
    "subject_type": "claim",
    "topic": cast.REVIEWED,
    "attesters": [cast.BUREAU],
    "passes": 1,
}
_RECEIVED: Final = {
    "before": "settle",
    "subject_type": "contract",
    "topic": cast.RECEIVED,
    "other_side": True,
    "passes": 1,
}


def programme_fields(programme: str, terms: cast.Terms, year: Year) -> dict[str, Any]:
    """Return what a treasury says when it opens a programme."""
    return {
        "programme": programme,
        "name": terms.name,
        "voucher_kind": terms.voucher_kind,
        "fiscal_year": int(year.month_name(0)[:4]),
        "envelope_fen": terms.envelope_yuan * FEN,
        "opens_at": format_instant(instant(year.first_day - terms.days_before_log)),
        "closes_at": format_instant(instant(year.window_end_day)),
        "rules": programme_rules(terms, year),
    }


def programme_rules(terms: cast.Terms, year: Year) -> dict[str, Any]:
    """Return a programme's rules."""
    ceiling = max(share.per_cent for share in terms.shares) if terms.ceiling is None else terms.ceiling
    rules = {
        "shares": [_share(share) for share in terms.shares],
        "ceiling_bp": ceiling * 100,
        "rank": terms.rank,
        "cap": {
            "group": terms.voucher_kind,
            "holder_fen": terms.cap_yuan * FEN,
            "floor_fen": terms.floor_yuan * FEN,
        },
        "validity_days": cast.VALIDITY_DAYS,
        "transfer": terms.transfer,
        "payee": terms.payee,
        "basis": terms.basis,
        "rounding_fen": terms.rounding_fen,
        "claims": {"cycle": year.claim_cycle, "cut_off_days": cast.CUT_OFF_DAYS},
    }
    if terms.is_prorated:
        rules["proration"] = {
            "first_day": format_day(year.first_day),
            "last_day": format_day(year.window_end_day - 1),
            "day_count": "end_minus_start",
            "truncate_fen": terms.rounding_fen,
        }
    gates = _gates(terms)
    if gates:
        rules["gates"] = gates
    return rules


def _gates(terms: cast.Terms) -> list[dict[str, Any]]:
    """Return who is asked before an issue, and, where invoices say their own price, before a payment.

    Of a cluster that claims, the start-up that it delivered to; of a start-up, the district bureau.
    """
    gates: list[dict[str, Any]] = [*_APPLICATION_REVIEWED] if terms.reviewed else []
    if terms.basis != "metered":
        gates.append(_RECEIVED if terms.payee == "provider" else _CLAIM_REVIEWED)
    return gates


def _share(share: cast.Share) -> dict[str, Any]:
    """Return a row of a programme's shares."""
    row: dict[str, Any] = {"share_bp": share.per_cent * 100}
    if share.items:
        row["items"] = sorted(share.items)
    if share.origin is not None:
        row["origin"] = share.origin
    if share.is_filed:
        row["filed"] = True
    return row
