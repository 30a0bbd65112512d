"""All tables of the views, and all that writes to them: what is declared in the other modules, in one list."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, Protocol

from tallystick.views.applications import APPLICATIONS, ISSUES, Applications
from tallystick.views.balances import PARTIES, RESERVATIONS, VOUCHERS, Balances
from tallystick.views.catalogue import ACCREDITATIONS, CAPACITIES, ITEMS, TARIFFS, TODAY, Catalogue
from tallystick.views.changes import Change, Commands
from tallystick.views.claim_lines import CLAIM_LOTS, REVERSED_LINES, STATEMENT_LOTS, LinesOfClaims
from tallystick.views.claims import CLAIM_OFFSETS, CLAIMED_CONTRACTS, CLAIMS, Claims
from tallystick.views.contract_payments import CONTRACTS, PAYMENTS, ContractPayments
from tallystick.views.contract_terms import CONTRACT_PRICES, CONTRACT_TERMS, ContractsTerms
from tallystick.views.days import DAYS, Days
from tallystick.views.demands import DEMAND_ACTS, DEMANDS, PAYEES, Demands
from tallystick.views.entry_index import CONCERNING, INDEXED_NAMES, RECORDED, SEAL_LEAVES, SEALS, EntryIndex
from tallystick.views.library import SQLiteCursor
from tallystick.views.mandates import MANDATE_ACTS, MANDATES, Mandates
from tallystick.views.parties import ACTS, KEYS, PARTY_TERMS, Parties
from tallystick.views.programme_balances import PROGRAMMES, ProgrammeBooks
from tallystick.views.programme_rules import RULES_VERSIONS, RulesVersions
from tallystick.views.provider_statement import REFUSALS, STATEMENTS, ProviderStatements
from tallystick.views.rendered import RENDERED, RenderedItems
from tallystick.views.reviews import VERDICTS, VERDICTS_ENDS, Verdicts
from tallystick.views.view_store import statements_for
from tallystick.views.view_tables import Table
from tallystick.views.voucher_history import HISTORIES, VoucherHistories
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.state import State

TABLES: Final[tuple[Table[Any], ...]] = (
    *(PARTIES, VOUCHERS, RESERVATIONS),
    *(PARTY_TERMS, KEYS, ACTS),
    *(CONTRACTS, PAYMENTS),
    *(CONTRACT_TERMS, CONTRACT_PRICES),
    *(APPLICATIONS, ISSUES, VERDICTS, VERDICTS_ENDS),
    HISTORIES,
    *(STATEMENTS, REFUSALS, RENDERED),
    *(CLAIMS, CLAIMED_CONTRACTS, CLAIM_OFFSETS),
    *(DEMANDS, DEMAND_ACTS, PAYEES),
    *(STATEMENT_LOTS, CLAIM_LOTS, REVERSED_LINES),
    *(PROGRAMMES, RULES_VERSIONS, DAYS),
    *(MANDATES, MANDATE_ACTS),
    *(ITEMS, TARIFFS, ACCREDITATIONS, CAPACITIES, TODAY),
    *(INDEXED_NAMES, CONCERNING, RECORDED, SEAL_LEAVES, SEALS),
)


class Projection(Protocol):
    """What a batch of entries changes in some tables, of entries of some commands."""

    commands: ClassVar[Commands]

    def add(self, change: Change, /) -> None:
        """Take in one entry."""

    def write(self, c: SQLiteCursor, state: State, /) -> None:
        """Write the batch; `state` is the one after its last entry."""


PROJECTIONS: Final[tuple[type[Projection], ...]] = (
    Balances,
    Parties,
    ContractPayments,
    ContractsTerms,
    Applications,
    Verdicts,
    VoucherHistories,
    ProviderStatements,
    RenderedItems,
    Claims,
    Demands,
    LinesOfClaims,
    ProgrammeBooks,
    RulesVersions,
    Days,
    Mandates,
    Catalogue,
    EntryIndex,
)


class BatchOfAll:
    """What a batch of entries changes in all tables."""

    def __init__(self) -> None:
        """Start with none."""
        self._projections = [one() for one in PROJECTIONS]
        self._takers: dict[type[Rule], list[Callable[[Change], None]]] = {}

    def add(self, change: Change) -> None:
        """Take in one entry."""
        command = type(change.event.command)
        takers = self._takers.get(command)
        if takers is None:
            takers = [one.add for one in self._projections if one.commands is None or command in one.commands]
            self._takers[command] = takers
        for take in takers:
            take(change)

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        for projection in self._projections:
            projection.write(c, state)


def schema_text() -> str:
    """Return the statements that make a views file: another text means that another file is needed."""
    return ";\n".join(statements_for(TABLES))
