"""Applications: what a holder asks for, what reviewers said, which gates that passes, and what was issued for it."""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.changes import Change, Commands
from tallystick.views.contract_payments import CONTRACTS
from tallystick.views.library import SQLiteCursor
from tallystick.views.reviews import GateStanding, ToldVerdict, gates_before, verdicts_on
from tallystick.views.view_tables import IndexKey, Key, Sum, Table
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.applications import ApplicationFile, ApplicationWithdraw
from tallystick.vouchers.rules.vouchers import VoucherIssue
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application as it was filed, and what became of it; what it says, `ApplicationBalance` says.

    Attributes:
        left_fen: what wasn't issued for it, also if it is withdrawn.
    """

    application: Key
    programme: str
    holder: str
    holder_class: str | None
    contract: str | None
    related_party: bool
    other_support_fen: int
    amount_fen: int
    evidence_hash: str
    filed_at: str
    filed_index: int
    withdrawn_at: str | None
    withdrawn_index: int | None
    left_fen: Sum


@dataclass(frozen=True, slots=True)
class IssueRow:
    """A voucher that was issued for an application."""

    application: Key
    entry_index: IndexKey
    at: int
    voucher: str
    face_fen: int


@dataclass(frozen=True, slots=True)
class ApplicationBalance:
    """An application as it stands.

    Attributes:
        holder_class: what kind of applicant the holder says that it is.
        contract: the one that it asks for, if it asks for one.
        related_party, other_support_fen: what the holder declares.
        status: `open`; `issued`, once all that is asked for is; or `withdrawn`.
        amount_fen, issued_fen, left_fen: what is asked for, what was issued for it, and what may still be.
        evidence_hash: of what the holder handed in.
        filed_at, filed_index, withdrawn_at, withdrawn_index: of the entries; None while it isn't withdrawn.
    """

    application: str
    programme: str
    holder: str
    holder_class: str | None
    contract: str | None
    related_party: bool
    other_support_fen: int
    status: str
    amount_fen: int
    issued_fen: int
    left_fen: int
    evidence_hash: str
    filed_at: str
    filed_index: int
    withdrawn_at: str | None
    withdrawn_index: int | None


@dataclass(frozen=True, slots=True)
class IssuedVoucher:
    """A voucher that was issued for an application, and the entry."""

    index: int
    at: str
    voucher: str
    face_fen: int


@dataclass(frozen=True, slots=True)
class ApplicationAccount:
    """An application's way: each verdict, each gate before its issue, and what was issued."""

    balance: ApplicationBalance
    verdicts: tuple[ToldVerdict, ...]
    gates: tuple[GateStanding, ...]
    issued: tuple[IssuedVoucher, ...]


IS_OPEN: Final = "left_fen > 0 AND withdrawn_index IS NULL"
"""Of an application."""
APPLICATIONS: Final = Table(
    "applications", ApplicationRow, lookups=("programme", "holder", "contract"), partial={"filed_index": IS_OPEN}
)
ISSUES: Final = Table("application_issues", IssueRow)


class Applications:
    """What a batch of entries changes for applications."""

    commands: ClassVar[Commands] = (ApplicationFile, ApplicationWithdraw, VoucherIssue)

    def __init__(self) -> None:
        self._filed: list[ApplicationRow] = []
        self._withdrawn: list[tuple[str, int, str]] = []
        self._issues: list[IssueRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        match event.command:
            case ApplicationFile() as command:
                self._add_filed(command, change)
            case ApplicationWithdraw(application=application):
                self._withdrawn.append((format_instant(event.at), event.index, application))
            case VoucherIssue(application=application) as command if application is not None:
                row = IssueRow(application, event.index, event.at, command.voucher, command.face_fen)
                self._issues.append(row)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; one may be withdrawn in its own batch."""
        APPLICATIONS.insert(c, self._filed)
        APPLICATIONS.change(c, self._withdrawn, "withdrawn_at", "withdrawn_index")
        APPLICATIONS.change(c, [(-row.face_fen, row.application) for row in self._issues], "left_fen")
        ISSUES.insert(c, self._issues)

    def _add_filed(self, command: ApplicationFile, change: Change) -> None:
        self._filed.append(
            ApplicationRow(
                application=command.application,
                programme=command.programme,
                holder=command.party,
                holder_class=command.holder_class,
                contract=command.contract,
                related_party=command.declarations.related_party,
                other_support_fen=command.declarations.other_support_fen,
                amount_fen=command.amount_fen,
                evidence_hash=command.evidence_hash,
                filed_at=format_instant(change.event.at),
                filed_index=change.event.index,
                withdrawn_at=None,
                withdrawn_index=None,
                left_fen=command.amount_fen,
            )
        )


# -- questions --------------------------------------------------------------------------------------------------------


def application_balances(
    c: SQLiteCursor, *, application: str | None = None, programme: str | None = None, holder: str | None = None
) -> tuple[ApplicationBalance, ...]:
    """Return applications in the order in which they were filed: all, one, or those of a programme or holder."""
    rows = APPLICATIONS.rows(c, in_order_of="filed_index", application=application, programme=programme, holder=holder)
    return tuple(_balance(c, row) for row in rows)


def _balance(c: SQLiteCursor, row: ApplicationRow) -> ApplicationBalance:
    issued_fen = sum(one.face_fen for one in ISSUES.rows(c, application=row.application))
    status = "open" if issued_fen < row.amount_fen else "issued"
    return ApplicationBalance(
        application=row.application,
        programme=row.programme,
        holder=row.holder,
        holder_class=row.holder_class,
        contract=row.contract,
        related_party=row.related_party,
        other_support_fen=row.other_support_fen,
        status=status if row.withdrawn_at is None else "withdrawn",
        amount_fen=row.amount_fen,
        issued_fen=issued_fen,
        left_fen=row.amount_fen - issued_fen if row.withdrawn_at is None else 0,
        evidence_hash=row.evidence_hash,
        filed_at=row.filed_at,
        filed_index=row.filed_index,
        withdrawn_at=row.withdrawn_at,
        withdrawn_index=row.withdrawn_index,
    )


def application_account(c: SQLiteCursor, application: str) -> ApplicationAccount:
    """Return all about an application.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = application_balances(c, application=application)
    if not balances:
        raise NotFoundError(f"there is no application {application}")
    (balance,) = balances
    subjects = {"application": [application], "holder": [balance.holder]}
    other_side = {}
    if balance.contract is not None:
        subjects["contract"] = [balance.contract]
        other_side = {row.contract: row.provider for row in CONTRACTS.rows(c, contract=balance.contract)}
    return ApplicationAccount(
        balance,
        verdicts_on(c, f"application {application}"),
        gates_before(c, balance.programme, "issue", subjects, other_side),
        tuple(
            IssuedVoucher(row.entry_index, format_instant(row.at), row.voucher, row.face_fen)
            for row in ISSUES.rows(c, application=application)
        ),
    )
