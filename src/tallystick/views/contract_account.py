"""All about one contract: its terms, the programmes that pay for it, its reservations and statements."""

from dataclasses import dataclass

from tallystick.errors import NotFoundError
from tallystick.views.balances import RESERVATIONS, ReservationBalance
from tallystick.views.contract_lines import ContractLine
from tallystick.views.contract_payments import CONTRACTS, PAYMENTS, ContractBalance, contract_balance
from tallystick.views.contract_terms import ContractPrice, ContractTerms, contract_prices, contract_terms
from tallystick.views.library import SQLiteCursor
from tallystick.views.provider_statement import StatementTotals, statements_of
from tallystick.views.rendered import Rendered, rendered_of
from tallystick.views.reviews import ToldVerdict, verdicts_on


@dataclass(frozen=True, slots=True)
class ContractPayment:
    """What a programme paid for a contract, and where that lies; of one that pays nothing yet, zeros.

    Attributes:
        payee: to whom it is owed; None as long as the contract says `either`.
        lines_paid, lines_reversed: of how many lines it paid something, and of these were taken back.
        settled_fen: what settlements paid of it, set off or not.
        forfeited_fen: what went back to the programme: disallowed, or not claimed in time.
    """

    programme: str
    payee: str | None
    lines_paid: int
    lines_reversed: int
    from_voucher_fen: int
    reversed_fen: int
    unclaimed_fen: int
    withheld_fen: int
    claimed_fen: int
    settled_fen: int
    forfeited_fen: int


@dataclass(frozen=True, slots=True)
class ContractAccount:
    """A contract, its document's SHA-256 (hex), its programmes in order of their ids, reservations and statements.

    Attributes:
        terms, prices: over time.
        verdicts: what attesters and its sides said of it.
        services: what those statements were of that aren't of GPU-time.
        lines: of the statements, one by one; read from the log.
    """

    balance: ContractBalance
    document_hash: str
    terms: tuple[ContractTerms, ...]
    prices: tuple[ContractPrice, ...]
    verdicts: tuple[ToldVerdict, ...]
    programmes: tuple[ContractPayment, ...]
    reservations: tuple[ReservationBalance, ...]
    statements: tuple[StatementTotals, ...]
    services: tuple[Rendered, ...]
    lines: tuple[ContractLine, ...] = ()


def contract_account(c: SQLiteCursor, contract: str) -> ContractAccount:
    """Return all about a contract.

    Raises:
        NotFoundError: there is none of that id.
    """
    rows = CONTRACTS.rows(c, contract=contract)
    if not rows:
        raise NotFoundError(f"there is no contract {contract}")
    return ContractAccount(
        contract_balance(rows[0]),
        rows[0].document_hash,
        contract_terms(c, contract),
        contract_prices(c, contract),
        verdicts_on(c, f"contract {contract}"),
        contract_payments(c, contract),
        RESERVATIONS.rows(c, contract=contract),
        statements_of(c, contract=contract),
        rendered_of(c, contract=contract),
    )


def contract_payments(c: SQLiteCursor, contract: str) -> tuple[ContractPayment, ...]:
    """Return what each programme paid for a contract, in order of their ids."""
    return tuple(
        ContractPayment(
            row.programme,
            row.payee,
            row.lines_paid,
            row.lines_reversed,
            row.from_voucher_fen,
            row.reversed_fen,
            row.unclaimed_fen,
            row.withheld_fen,
            row.claimed_fen,
            row.settled_fen,
            row.forfeited_fen,
        )
        for row in PAYMENTS.rows(c, contract=contract)
    )
