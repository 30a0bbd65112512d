"""What a treasury has given out, what it owes to whom and since when, and what is owed to it.

For each treasury, and each of its programmes,

    unclaimed = what is owed to payees + what is of either side of a contract
    claimed   = what is open since 0–30, 31–60, 61–90 and more days
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from tallystick.errors import NotFoundError
from tallystick.views.balances import PARTIES
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.contract_payments import either_sums
from tallystick.views.demands import DemandBalance, demand_balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.mandates import MandateBalance, mandate_balances
from tallystick.views.payees import PayeeBalance, payee_balances
from tallystick.views.programme_balances import ProgrammeBalance, programme_balances


@dataclass(frozen=True, slots=True)
class TreasuryBalance:
    """A treasury over all its programmes; what the sums mean, `ProgrammeBalance` says.

    Attributes:
        programmes: how many it has opened.
        burned_fen: used and not claimed: what payees may still claim.
        either_fen: how much of that is of contracts that leave to either side who claims.
        owed_fen: burned, withheld and claimed: the most that it may have to pay for what was used.
    """

    treasury: str
    name: str
    suspended: bool
    programmes: int
    envelope_fen: int
    unissued_fen: int
    available_fen: int
    reserved_fen: int
    burned_fen: int
    either_fen: int
    withheld_fen: int
    claimed_fen: int
    owed_fen: int
    paid_fen: int
    carried_over_fen: int
    receivable_fen: int


@dataclass(frozen=True, slots=True)
class TreasuryAccount:
    """A treasury, its programmes, what each owes to whom, the claims and demands that are open, and its mandates."""

    balance: TreasuryBalance
    programmes: tuple[ProgrammeBalance, ...]
    owed: tuple[PayeeBalance, ...]
    claims: tuple[ClaimBalance, ...]
    demands: tuple[DemandBalance, ...]
    mandates: tuple[MandateBalance, ...]


_SUMS: Final = (
    "envelope_fen",
    "unissued_fen",
    "available_fen",
    "reserved_fen",
    "burned_fen",
    "withheld_fen",
    "claimed_fen",
    "paid_fen",
    "carried_over_fen",
    "receivable_fen",
)


def treasury_balances(c: SQLiteCursor, *, treasury: str | None = None) -> tuple[TreasuryBalance, ...]:
    """Return treasuries that were admitted, in order of their ids: all, or one."""
    sums: dict[str, Counter[str]] = {
        one.party: Counter(programmes=0) for one in PARTIES.rows(c, party=treasury, role="treasury")
    }
    either = either_sums(c)
    for programme in programme_balances(c):
        if programme.treasury in sums:
            of_treasury = sums[programme.treasury]
            of_treasury["programmes"] += 1
            of_treasury["either_fen"] += either[programme.programme]
            for name in _SUMS:
                of_treasury[name] += getattr(programme, name)
    return tuple(
        TreasuryBalance(
            treasury=one.party,
            name=one.name,
            suspended=one.suspended,
            programmes=sums[one.party]["programmes"],
            either_fen=sums[one.party]["either_fen"],
            owed_fen=sum(sums[one.party][name] for name in ("burned_fen", "withheld_fen", "claimed_fen")),
            **{name: sums[one.party][name] for name in _SUMS},
        )
        for one in PARTIES.rows(c, party=treasury, role="treasury")
    )


def treasury_account(c: SQLiteCursor, treasury: str) -> TreasuryAccount:
    """Return all about a treasury.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = treasury_balances(c, treasury=treasury)
    if not balances:
        raise NotFoundError(f"there is no treasury {treasury}")
    programmes = tuple(one for one in programme_balances(c) if one.treasury == treasury)
    names = {one.programme for one in programmes}
    return TreasuryAccount(
        balances[0],
        programmes,
        tuple(one for one in payee_balances(c) if one.programme in names),
        tuple(one for one in claim_balances(c) if one.programme in names and one.status == "open"),
        tuple(one for one in demand_balances(c) if one.programme in names and one.left_fen),
        tuple(one for one in mandate_balances(c) if one.treasury == treasury),
    )
