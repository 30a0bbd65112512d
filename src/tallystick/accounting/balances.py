"""What lies in each account of a journal, under the names that it has in journals: to compare the two."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.accounting.accounts import Commodity
from tallystick.accounting.amounts import gpu_milliseconds_of, in_text
from tallystick.accounting.chart import Chart
from tallystick.accounting.journal import RunningBalances
from tallystick.accounting.postings import BookedEntry


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account of a journal.

    Attributes:
        account: its name, as hledger has it.
        beancount_account: its name in beancount.
        commodity: what is counted there: CNY (yuan) or GPUH (GPU-hours).
        balance: as journals write it.
        balance_fen: the same of money, in fen; None of GPU-time.
        gpu_milliseconds: the same of GPU-time; None of money.
    """

    account: str
    beancount_account: str
    commodity: Commodity
    balance: str
    balance_fen: int | None
    gpu_milliseconds: int | None


def balances_by_account(entries: Iterable[BookedEntry], last_day: int | None = None) -> list[AccountBalance]:
    """Return the balance of each account in which anything ever lay, in the order of their names.

    Args:
        entries: of a log, from the first on.
        last_day: the last day that counts (days since 1970) by what is booked; None: all do.
    """
    running = RunningBalances(Chart())
    for entry in entries:
        running.add(entry, only_by=last_day)
    return [
        AccountBalance(
            account.name,
            account.beancount_name,
            account.commodity,
            in_text(amount, account.commodity),
            amount if account.commodity == "CNY" else None,
            None if account.commodity == "CNY" else gpu_milliseconds_of(amount),
        )
        for account, amount in sorted(running.amounts.items(), key=lambda one: one[0].name)
    ]
