"""Answers from the log that can be thrown away and built again: balances, statements, histories.

    follow.py               `Views`: open, follow, ask; as of now, of an entry, or of a time
    follower.py             the tables are written from the log's entries
    questions.py            and read
    schema.py               all tables in a list, and what writes to them
    changes.py              what one entry comes to for all of them
    balances.py             by voucher, reservation and holder
    contract_payments.py    contracts, and what each programme paid for them, to whom it is owed
    contract_account.py     all about one of them
    voucher_history.py      all that ever happened to a voucher
    provider_statement.py   what a provider burned, what was refused it and why
    programme_balances.py   where a programme's envelope is
    rendered.py             what a provider rendered that isn't GPU-time
    mandates.py             what an operator may do for a treasury, and did
    claims.py               what is claimed of it, and what became of that
    demands.py              what is asked back, and what each payee was paid
    payees.py               what is owed to each
    programme_book.py       all about a programme
    entry_index.py          which entries concern whom, and the leaves of every seal
    view_tables.py          a table is declared once, by what its rows are
    view_store.py           the file, DIR/views.db
    library.py              the only door to eventsourcing

Views believe the log; the audit doesn't.
"""

from tallystick.views.balances import HolderAccount, HolderBalance, ReservationBalance, VoucherBalance
from tallystick.views.claims import ClaimAccount, ClaimBalance, ClaimRow, SetOff
from tallystick.views.contract_account import ContractAccount, ContractPayment
from tallystick.views.contract_payments import ContractBalance
from tallystick.views.demands import DemandAccount, DemandAct, DemandBalance
from tallystick.views.follow import Views, followed_views
from tallystick.views.mandates import MandateAccount, MandateAct, MandateBalance
from tallystick.views.payees import PayeeBalance
from tallystick.views.programme_balances import ProgrammeBalance
from tallystick.views.programme_book import ProgrammeBook
from tallystick.views.provider_statement import (
    ProviderBalance,
    ProviderBurns,
    ProviderStatement,
    RefusedLines,
    StatementTotals,
)
from tallystick.views.questions import Balance, By
from tallystick.views.rendered import Rendered
from tallystick.views.voucher_history import HistoryLine, VoucherHistory

__all__ = [
    "Balance",
    "By",
    "ClaimAccount",
    "ClaimBalance",
    "ClaimRow",
    "ContractAccount",
    "ContractBalance",
    "ContractPayment",
    "DemandAccount",
    "DemandAct",
    "DemandBalance",
    "HistoryLine",
    "HolderAccount",
    "HolderBalance",
    "MandateAccount",
    "MandateAct",
    "MandateBalance",
    "PayeeBalance",
    "ProgrammeBalance",
    "ProgrammeBook",
    "ProviderBalance",
    "ProviderBurns",
    "ProviderStatement",
    "RefusedLines",
    "ReservationBalance",
    "Rendered",
    "SetOff",
    "StatementTotals",
    "Views",
    "VoucherBalance",
    "VoucherHistory",
    "followed_views",
]
