"""Since when what is claimed of a treasury or programme, or by a payee, hasn't been settled.

By whole days of 24 hours before the log's time of the last entry followed. What is read are claims that are open.
"""

from dataclasses import dataclass
from typing import Final, Literal

from tallystick.views.balances import log_instant, log_time
from tallystick.views.claims import CLAIMS, ClaimBalance
from tallystick.views.contract_payments import payee_sums
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import PROGRAMMES
from tallystick.vouchers.quantities import DAY_US, parse_instant

AgeingKind = Literal["treasury", "programme", "provider", "holder"]
"""Of what claims are told by age; a provider's and a holder's are those that it made."""
_CLASSES: Final[tuple[tuple[int, int | None], ...]] = ((0, 30), (31, 60), (61, 90), (91, None))


@dataclass(frozen=True, slots=True)
class AgeClass:
    """How many claims are open since so many days (None: and more), and of how much."""

    from_days: int
    to_days: int | None
    claims: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is owed, and of what is claimed since when; `owed_fen` is all three."""

    of: AgeingKind
    subject: str
    now: str
    classes: tuple[AgeClass, ...]
    unclaimed_fen: int
    withheld_fen: int
    claimed_fen: int
    owed_fen: int


def ageing(c: SQLiteCursor, of: AgeingKind, subject: str) -> Ageing:
    """Return what is owed by a treasury or of a programme, or to a payee, that is there."""
    claims = open_claims(c, of, subject)
    now = log_instant(c)
    ages = [(age_days(now, claim), claim.amount_fen) for claim in claims]
    classes = []
    for first, last in _CLASSES:
        amounts_fen = [fen for days, fen in ages if first <= days and (last is None or days <= last)]
        classes.append(AgeClass(first, last, len(amounts_fen), sum(amounts_fen)))
    unclaimed_fen, withheld_fen, claimed_fen = _owed(c, of, subject)
    owed_fen = unclaimed_fen + withheld_fen + claimed_fen
    return Ageing(of, subject, log_time(c), tuple(classes), unclaimed_fen, withheld_fen, claimed_fen, owed_fen)


def open_claims(c: SQLiteCursor, of: str, subject: str | None) -> list[ClaimBalance]:
    """Return the claims that are open, the oldest first: all, or those of a treasury, a programme or a payee."""
    equal = {"programme": "programme", "provider": "claimant", "holder": "claimant"}.get(of)
    narrowed = {} if equal is None else {equal: subject}
    found = CLAIMS.rows(c, in_order_of="claimed_index", status="open", **narrowed)
    if of != "treasury":
        return [*found]
    names = {row.programme for row in PROGRAMMES.rows(c) if row.treasury == subject}
    return [claim for claim in found if claim.programme in names]


def age_days(now: int, claim: ClaimBalance) -> int:
    """Return how many whole days ago (of the log's time, microseconds) something was claimed."""
    return (now - parse_instant(claim.claimed_at)) // DAY_US


def _owed(c: SQLiteCursor, of: AgeingKind, subject: str) -> tuple[int, int, int]:
    """Return what is unclaimed, withheld and claimed (fen)."""
    if of in ("treasury", "programme"):
        rows = [row for row in PROGRAMMES.rows(c) if subject in (row.programme, row.treasury)]
        return (
            sum(row.burned_fen for row in rows),
            sum(row.withheld_fen for row in rows),
            sum(row.claimed_fen for row in rows),
        )
    sums = payee_sums(c, payee=subject).values()
    unclaimed_fen, withheld_fen, claimed_fen = (
        sum(one[name] for one in sums) for name in ("unclaimed_fen", "withheld_fen", "claimed_fen")
    )
    return unclaimed_fen, withheld_fen, claimed_fen
