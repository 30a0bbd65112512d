"""Officers: what fewer than required signed of what lets money leave stays at or below a treasury's threshold.

The sum runs over all its holders, payees and programmes, and over the days of the rule's window; docs/rules.md,
"Parties".
"""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from tallystick.vouchers.fields import CLOSED, KEYS_MAX, Role
from tallystick.vouchers.parties import Officers
from tallystick.vouchers.quantities import FenOrZero
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import Event, Signers
from tallystick.vouchers.state import State

DAYS_KEPT: Final = 366
"""For so many days the state keeps what fewer officers signed than are required."""


class OfficersFields(BaseModel):
    """The rule of officers as commands say it; what the fields mean: `Officers`."""

    model_config = CLOSED

    threshold_fen: FenOrZero
    required: Annotated[int, Field(ge=2, le=KEYS_MAX)]
    window_days: Annotated[int, Field(ge=1, le=DAYS_KEPT)]

    def rule(self) -> Officers:
        """Return what the treasury keeps of it."""
        return Officers(self.threshold_fen, self.required, self.window_days)


def check_officers(role: Role, quorum: int | None, officers: OfficersFields | None) -> Refusal | None:
    """Refuse officers of a party that isn't a treasury, and more of them than its quorum, which could add some."""
    if officers is None:
        return None
    if role != "treasury":
        return Refusal(Reason.OFFICERS_INVALID, f"a {role} has no officers")
    if officers.required > (quorum or 1):
        return Refusal(Reason.OFFICERS_INVALID, f"{officers.required} are required, and the quorum is {quorum or 1}")
    return None


def officers_needed(state: State, treasury: str, amount_fen: int, at: int) -> int:
    """Return how many of a treasury's keys must sign an amount at a time (microseconds)."""
    officers = state.parties[treasury].officers
    if officers is None:
        return 1
    first_day = state.day_of(at) - officers.window_days + 1
    sums_fen = state.signed_by_few_fen.get(treasury, {})
    before_fen = sum([sum_fen for day, sum_fen in sums_fen.items() if day >= first_day])
    return officers.required if before_fen + amount_fen > officers.threshold_fen else 1


def officers_at_any_amount(state: State, treasury: str) -> Signers:
    """Ask for as many of a treasury's keys as its officers' rule requires; without one, for its quorum."""
    party = state.parties[treasury]
    return {treasury: party.quorum if party.officers is None else party.officers.required}


def count_signatures(state: State, event: Event, treasury: str, amount_fen: int) -> None:
    """Count an amount that fewer officers signed than are required, and forget what no window reaches any more."""
    officers = state.parties[treasury].officers
    if amount_fen == 0 or officers is None or event.signatures_of(treasury) >= officers.required:
        return
    today = state.day_of(event.at)
    sums_fen = state.signed_by_few_fen.setdefault(treasury, {})
    for day in [day for day in sums_fen if day <= today - DAYS_KEPT]:
        del sums_fen[day]
    sums_fen[today] = sums_fen.get(today, 0) + amount_fen
