"""What each programme owes to each payee, since when, and what it has paid.

How old a claim is, in whole days of 24 hours, follows from the log's time of the last entry followed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.views.balances import log_instant
from tallystick.views.claims import claim_balances
from tallystick.views.contract_payments import payee_sums
from tallystick.views.library import SQLiteCursor
from tallystick.vouchers.quantities import DAY_US, parse_instant

_AGES: Final = ((30, "claimed_0_30_fen"), (60, "claimed_31_60_fen"), (90, "claimed_61_90_fen"))
_OLDER: Final = "claimed_over_90_fen"


@dataclass(frozen=True, slots=True)
class PayeeBalance:
    """What a programme owes to a payee, and what it has paid.

    Attributes:
        unclaimed_fen: burned and not claimed; not what either side of a contract may still claim.
        claims_open: how many claims aren't settled yet.
        claimed_0_30_fen, claimed_31_60_fen, claimed_61_90_fen, claimed_over_90_fen: what is claimed, by how many days
            ago that was; together `claimed_fen`.
        oldest_last_day, oldest_claimed_at: of the oldest of these; None if none is open.
        settled_fen: all that settlements paid, set off or not.
        paid_fen: what of that it may keep.
        receivable_fen: what of that is asked back.
    """

    payee: str
    programme: str
    unclaimed_fen: int
    withheld_fen: int
    claimed_fen: int
    claims_open: int
    claimed_0_30_fen: int
    claimed_31_60_fen: int
    claimed_61_90_fen: int
    claimed_over_90_fen: int
    oldest_last_day: str | None
    oldest_claimed_at: str | None
    settled_fen: int
    paid_fen: int
    receivable_fen: int


def payee_balances(
    c: SQLiteCursor, *, payee: str | None = None, programme: str | None = None
) -> tuple[PayeeBalance, ...]:
    """Return payees within programmes, in order of both ids, where they have to do with each other."""
    open_claims: Counter[tuple[str, str]] = Counter()
    ages_fen: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    oldest: dict[tuple[str, str], tuple[str, str]] = {}
    now = log_instant(c)
    for claim in claim_balances(c, programme=programme, claimant=payee):
        key = claim.claimant, claim.programme
        if claim.status == "open":
            open_claims[key] += 1
            ages_fen[key][_age(now - parse_instant(claim.claimed_at))] += claim.amount_fen
            oldest.setdefault(key, (claim.last_day, claim.claimed_at))
    return tuple(
        _balance(key, sums, open_claims[key], ages_fen[key], oldest.get(key))
        for key, sums in sorted(payee_sums(c, payee=payee, programme=programme).items())
    )


def _age(since_us: int) -> str:
    """Return which of the sums by age a claim of so many microseconds ago is counted to."""
    days = since_us // DAY_US
    return next((name for last_day, name in _AGES if days <= last_day), _OLDER)


def _balance(
    key: tuple[str, str],
    sums: Mapping[str, int],
    claims_open: int,
    ages_fen: Counter[str],
    oldest: tuple[str, str] | None,
) -> PayeeBalance:
    last_day, claimed_at = oldest or (None, None)
    return PayeeBalance(
        payee=key[0],
        programme=key[1],
        unclaimed_fen=sums["unclaimed_fen"],
        withheld_fen=sums["withheld_fen"],
        claimed_fen=sums["claimed_fen"],
        claims_open=claims_open,
        claimed_0_30_fen=ages_fen["claimed_0_30_fen"],
        claimed_31_60_fen=ages_fen["claimed_31_60_fen"],
        claimed_61_90_fen=ages_fen["claimed_61_90_fen"],
        claimed_over_90_fen=ages_fen["claimed_over_90_fen"],
        oldest_last_day=last_day,
        oldest_claimed_at=claimed_at,
        settled_fen=sums["settled_fen"],
        paid_fen=sums["paid_fen"],
        receivable_fen=sums["receivable_fen"],
    )
