"""Answers from the log that can be thrown away and built again: balances, statements, histories.

    follow.py               `Views`: open, follow, ask; as of now, of an entry, or of a time
    follower.py             the tables are written from the log's entries
    questions.py            and read
    schema.py               all tables in a list, and what writes to them
    changes.py              what one entry comes to for all of them
    balances.py             by voucher, reservation and holder
    contract_payments.py    contracts, and what each programme paid for them, to whom it is owed
    contract_account.py     all about one of them
    contract_terms.py       its terms and prices over time
    contract_lines.py       its lines, one by one
    applications.py         what was applied for, and what was issued for it
    reviews.py              verdicts, and which gates they pass
    voucher_history.py      all that ever happened to a voucher
    provider_statement.py   what a provider burned, what was refused it and why
    programme_balances.py   where a programme's envelope is
    rendered.py             what a provider rendered that isn't GPU-time
    mandates.py             what an operator may do for a treasury, and did
    claims.py               what is claimed of it, and what became of that
    claim_lines.py          of which lots and lines
    demands.py              what is asked back, and what each payee was paid
    payees.py               what is owed to each
    programme_rules.py      its rules, version by version
    line_usage.py           what a statement's lines used, of which item, and who paid
    days.py                 what moved day by day
    daily.py                by names, and what it came to
    usage.py                what was used of which item
    ageing.py               since when claims are open
    waiting.py              what waits, and what is about to end
    recent.py               what is newest about a thing, page by page
    things.py               whether there is a thing
    figure_questions.py     the questions about all these
    programme_quarters.py   what moved of it in each quarter
    programme_book.py       all about a programme
    treasuries.py           a treasury over all its programmes: what it owes to whom
    parties.py              what a party is, its keys, what it commanded
    effective.py            on which day what an entry says is booked
    concerned.py            which parties a thing concerns
    entry_index.py          which entries concern whom, and the leaves of every seal
    view_tables.py          a table is declared once, by what its rows are
    view_store.py           the file, DIR/views.db
    library.py              the only door to eventsourcing

Views believe the log; the audit doesn't.
"""

from tallystick.views.applications import ApplicationAccount, ApplicationBalance, IssuedVoucher
from tallystick.views.balances import HolderAccount, HolderBalance, ReservationBalance, VoucherBalance
from tallystick.views.claim_lines import ClaimLine, ClaimLot
from tallystick.views.claims import ClaimAccount, ClaimBalance, ClaimRow, SetOff
from tallystick.views.contract_account import ContractAccount, ContractPayment
from tallystick.views.contract_lines import ContractLine
from tallystick.views.contract_payments import ContractBalance
from tallystick.views.contract_terms import ContractPrice, ContractTerms
from tallystick.views.demands import DemandAccount, DemandAct, DemandBalance
from tallystick.views.follow import Views, followed_views
from tallystick.views.lists import By
from tallystick.views.mandates import MandateAccount, MandateAct, MandateBalance
from tallystick.views.parties import PartyAccount, PartyAct, PartyBalance, PartyKey
from tallystick.views.payees import PayeeBalance
from tallystick.views.programme_balances import ProgrammeBalance
from tallystick.views.programme_book import ProgrammeBook
from tallystick.views.programme_quarters import Quarter
from tallystick.views.programme_rules import RulesVersion
from tallystick.views.provider_statement import (
    ProviderBalance,
    ProviderBurns,
    ProviderStatement,
    RefusedLines,
    StatementTotals,
)
from tallystick.views.questions import Balance
from tallystick.views.rendered import Rendered
from tallystick.views.reviews import GateStanding, ToldVerdict
from tallystick.views.treasuries import TreasuryAccount, TreasuryBalance
from tallystick.views.voucher_history import HistoryLine, VoucherHistory

__all__ = [
    "ApplicationAccount",
    "ApplicationBalance",
    "Balance",
    "By",
    "ClaimAccount",
    "ClaimBalance",
    "ClaimLine",
    "ClaimLot",
    "ClaimRow",
    "ContractAccount",
    "ContractBalance",
    "ContractLine",
    "ContractPayment",
    "ContractPrice",
    "ContractTerms",
    "DemandAccount",
    "DemandAct",
    "DemandBalance",
    "GateStanding",
    "HistoryLine",
    "HolderAccount",
    "HolderBalance",
    "IssuedVoucher",
    "MandateAccount",
    "MandateAct",
    "MandateBalance",
    "PartyAccount",
    "PartyAct",
    "PartyBalance",
    "PartyKey",
    "PayeeBalance",
    "ProgrammeBalance",
    "ProgrammeBook",
    "ProviderBalance",
    "ProviderBurns",
    "ProviderStatement",
    "Quarter",
    "RefusedLines",
    "Rendered",
    "ReservationBalance",
    "RulesVersion",
    "SetOff",
    "StatementTotals",
    "ToldVerdict",
    "TreasuryAccount",
    "TreasuryBalance",
    "Views",
    "VoucherBalance",
    "VoucherHistory",
    "followed_views",
]
