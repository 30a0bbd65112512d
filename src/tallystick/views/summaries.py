"""All about a thing but what lies beside it in long lists, which are had page by page: what a page begins with."""

from dataclasses import dataclass
from typing import Final, Literal

from tallystick.errors import NotFoundError
from tallystick.views.balances import VOUCHERS, HolderBalance, VoucherBalance, holder_balances
from tallystick.views.contract_account import ContractPayment, contract_payments
from tallystick.views.contract_payments import CONTRACTS, ContractBalance, contract_balance
from tallystick.views.contract_terms import ContractPrice, ContractTerms, contract_prices, contract_terms
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import ProgrammeBalance, programme_balances
from tallystick.views.programme_quarters import Quarter, programme_quarters
from tallystick.views.programme_rules import RulesVersion, rules_versions
from tallystick.views.provider_statement import (
    ProviderBalance,
    ProviderBurns,
    RefusedLines,
    provider_balances,
    provider_burns,
    refused_lines,
)
from tallystick.views.reviews import ToldVerdict, verdicts_on

SummaryKind = Literal["programme", "contract", "voucher", "provider", "holder"]
PARTS_TOLD: Final = 50
"""Of a voucher, those that come first by their ids."""


@dataclass(frozen=True, slots=True)
class ProgrammeSummary:
    """A programme's envelope, its rules and its year; what they mean, `ProgrammeBook` says."""

    balance: ProgrammeBalance
    versions: tuple[RulesVersion, ...]
    quarters: tuple[Quarter, ...]


@dataclass(frozen=True, slots=True)
class ContractSummary:
    """A contract, its terms and prices, what was said of it, and who pays; what they mean, `ContractAccount` says."""

    balance: ContractBalance
    document_hash: str
    terms: tuple[ContractTerms, ...]
    prices: tuple[ContractPrice, ...]
    verdicts: tuple[ToldVerdict, ...]
    programmes: tuple[ContractPayment, ...]


@dataclass(frozen=True, slots=True)
class VoucherSummary:
    """A voucher, and the first of those that it was passed on as."""

    balance: VoucherBalance
    parts: tuple[VoucherBalance, ...]


@dataclass(frozen=True, slots=True)
class ProviderSummary:
    """A provider, its sums by programme, and what was refused it; what they mean, `ProviderStatement` says."""

    balance: ProviderBalance
    programmes: tuple[ProviderBurns, ...]
    refusals: tuple[RefusedLines, ...]


@dataclass(frozen=True, slots=True)
class HolderSummary:
    """A holder over its vouchers."""

    balance: HolderBalance


Summary = ProgrammeSummary | ContractSummary | VoucherSummary | ProviderSummary | HolderSummary


def summary_of(c: SQLiteCursor, kind: SummaryKind, id_: str) -> Summary:
    """Return a thing without the lists beside it.

    Raises:
        NotFoundError: there is none of that id.
    """
    match kind:
        case "programme":
            return _programme(c, id_)
        case "contract":
            return _contract(c, id_)
        case "voucher":
            return _voucher(c, id_)
        case "provider":
            return _provider(c, id_)
        case "holder":
            return _holder(c, id_)


def _programme(c: SQLiteCursor, programme: str) -> ProgrammeSummary:
    balances = programme_balances(c, programme=programme)
    if not balances:
        raise NotFoundError(f"there is no programme {programme}")
    return ProgrammeSummary(balances[0], rules_versions(c, programme), programme_quarters(c, programme))


def _provider(c: SQLiteCursor, provider: str) -> ProviderSummary:
    balances = provider_balances(c, provider=provider)
    if not balances:
        raise NotFoundError(f"there is no provider {provider}")
    return ProviderSummary(balances[0], provider_burns(c, provider=provider), refused_lines(c, provider=provider))


def _holder(c: SQLiteCursor, holder: str) -> HolderSummary:
    balances = holder_balances(c, holder=holder)
    if not balances:
        raise NotFoundError(f"there is no holder {holder}")
    return HolderSummary(balances[0])


def _contract(c: SQLiteCursor, contract: str) -> ContractSummary:
    rows = CONTRACTS.rows(c, contract=contract)
    if not rows:
        raise NotFoundError(f"there is no contract {contract}")
    (row,) = rows
    return ContractSummary(
        contract_balance(row),
        row.document_hash,
        contract_terms(c, contract),
        contract_prices(c, contract),
        verdicts_on(c, f"contract {contract}"),
        contract_payments(c, contract),
    )


def _voucher(c: SQLiteCursor, voucher: str) -> VoucherSummary:
    balances = VOUCHERS.rows(c, voucher=voucher)
    if not balances:
        raise NotFoundError(f"there is no voucher {voucher}")
    return VoucherSummary(balances[0], VOUCHERS.page(c, PARTS_TOLD, None, None, parent=voucher))
