"""What programmes, accreditations and contracts of tests say where it doesn't matter, as JSON."""

from typing import Any

from support.actors import Json
from tallystick.signing.algorithms import SHA256


def rules_of(**changes: Any) -> Json:
    """A programme's rules: 30 % of domestic items, 20 % of others, at most half of a fee, a wide cap."""
    rules: Json = {
        "shares": [{"origin": "domestic", "share_bp": 3_000}, {"share_bp": 2_000}],
        "ceiling_bp": 5_000,
        "rank": 1,
        "cap": {"group": "compute", "holder_fen": 2_000_000_000, "floor_fen": 0},
        "validity_days": 60,
        "transfer": "forbidden",
        "payee": "provider",
        "basis": "metered",
        "rounding_fen": 1,
        "claims": {"cycle": "month", "cut_off_days": 90},
    }
    return rules | changes


def founding_of(*root_vkeys: str, **changes: Any) -> Json:
    """A network's fields: one root key signs, and nothing has to wait."""
    fields: Json = {
        "edition": 1,
        "name": "Network",
        "currency": "CNY",
        "root_keys": list(root_vkeys),
        "root_quorum": 1,
        "clock_skew_seconds": 60,
        "freshness_seconds": 86_400,
        "burn_window_seconds": 45 * 86_400,
        "release_grace_seconds": 0,
        "tariff_notice_seconds": 0,
        "takeover_seconds": 0,
        "sealing_grace_seconds": 0,
        "utc_offset_seconds": 28_800,
    }
    return fields | changes


def limits_of(*items: str, price_limit_fen: int = 10_000_000) -> list[Json]:
    """The items of an accreditation, each up to the same price."""
    return [{"item": item, "price_limit_fen": price_limit_fen} for item in sorted(items)]


def prices_of(**prices_fen: int) -> list[Json]:
    """The items of a contract; `_` stands for `-`, which Python's names can't have."""
    prices = {item.replace("_", "-"): price_fen for item, price_fen in prices_fen.items()}
    return [{"item": item, "price_fen": prices[item]} for item in sorted(prices)]


def contract_of(contract: str, holder: str, provider: str, first_day: str, last_day: str, **changes: Any) -> Json:
    """A contract's fields: metered, wide, of a document of its own."""
    fields: Json = {
        "contract": contract,
        "holder": holder,
        "provider": provider,
        "document_hash": SHA256.of(contract.encode()),
        "amount_fen": 10**14,
        "first_day": first_day,
        "last_day": last_day,
        "items": prices_of(ascend_910b=600),
        "basis": "metered",
        "claimant": "provider",
        "related_party": False,
        "other_support_fen": 0,
    }
    return fields | changes
