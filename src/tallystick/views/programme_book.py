"""All about one programme: where its envelope is, whose it is, who burned of it, what is claimed and asked back."""

from dataclasses import dataclass

from tallystick.errors import NotFoundError
from tallystick.views.applications import ApplicationBalance, application_balances
from tallystick.views.balances import HolderBalance, holder_balances
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.demands import DemandBalance, demand_balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import ProgrammeBalance, programme_balances
from tallystick.views.programme_quarters import Quarter, programme_quarters
from tallystick.views.programme_rules import RulesVersion, rules_versions
from tallystick.views.provider_statement import ProviderBurns, provider_burns


@dataclass(frozen=True, slots=True)
class ProgrammeBook:
    """A programme, its rules and its year, its holders and providers with what concerns it, its claims and so on.

    Attributes:
        versions: of its rules, in words and as fields, each with its first day.
        quarters: what moved in each, by the day on which it is booked.
    """

    balance: ProgrammeBalance
    versions: tuple[RulesVersion, ...]
    quarters: tuple[Quarter, ...]
    applications: tuple[ApplicationBalance, ...]
    holders: tuple[HolderBalance, ...]
    providers: tuple[ProviderBurns, ...]
    claims: tuple[ClaimBalance, ...]
    demands: tuple[DemandBalance, ...]


def programme_book(c: SQLiteCursor, programme: str) -> ProgrammeBook:
    """Return all about a programme.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = programme_balances(c, programme=programme)
    if not balances:
        raise NotFoundError(f"there is no programme {programme}")
    return ProgrammeBook(
        balances[0],
        rules_versions(c, programme),
        programme_quarters(c, programme),
        application_balances(c, programme=programme),
        holder_balances(c, programme=programme),
        provider_burns(c, programme=programme),
        claim_balances(c, programme=programme),
        demand_balances(c, programme=programme),
    )
