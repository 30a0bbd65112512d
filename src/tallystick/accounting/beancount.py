"""A journal as beancount reads it: every account opened, balances checked to the fen.

    2026-01-06 * "guian" "time.burned/1"
      entry: 45
      ref: "s-1"
      hash: "9d3c…"
      at: "2026-01-06T08:00:11.000000Z"
      Assets:Vouchers:Reserved:Shanghai:Compute:Maker-a  -12.50 CNY
        voucher: "shanghai/v-1"
        booked: 2026-01-05

How an account is called here, accounts.py says. A balance at a month's end is that at the beginning of the next day.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.accounting.amounts import in_text
from tallystick.accounting.chart import ChartAccount
from tallystick.accounting.journal import Leg, MonthEnd, Opening, Part, Transaction
from tallystick.vouchers.quantities import format_day, format_instant

_HEADER: Final = """\
option "title" "Journal of the log {origin}"
option "operating_currency" "CNY"

1970-01-01 commodity CNY
1970-01-01 commodity GPUH
"""


def beancount_journal(parts: Iterable[Part], origin: str) -> Iterator[str]:
    """Yield the text of a journal, piece by piece.

    Args:
        parts: in order.
        origin: of the log.
    """
    yield _HEADER.format(origin=origin)
    opened: set[str] = set()
    for part in parts:
        match part:
            case Transaction(entry, legs):
                day, command = format_day(entry.day), entry.event.command
                yield "".join(_openings([leg.account for leg in legs], opened, day))
                yield (
                    f'\n{day} * "{command.party}" "{entry.event.kind}"\n'
                    f'  entry: {entry.index}\n  ref: "{command.ref}"\n  hash: "{entry.leaf_hash.hex()}"\n'
                    f'  at: "{format_instant(entry.at)}"\n'
                )
                yield "".join([_posting(leg, entry.day) for leg in legs])
            case Opening(first_day, balances):
                day = format_day(first_day)
                yield "".join(_openings([account for account, _ in balances], opened, day))
                yield f'\n{day} * "opening balances"\n'
                yield "".join([f"  {one.beancount_name}  {_amount(one, amount)}\n" for one, amount in balances])
            case MonthEnd(last_day, balances):
                day = format_day(last_day + 1)
                yield "\n"
                yield "".join([_balance(day, one, amount) for one, amount in balances])


def _openings(accounts: Iterable[ChartAccount], opened: set[str], day: str) -> Iterator[str]:
    """Yield what opens accounts that weren't yet."""
    for account in accounts:
        if account.beancount_name not in opened:
            opened.add(account.beancount_name)
            yield f"\n{day} open {account.beancount_name} {account.commodity}\n"
            yield f'  account: "{account.name}"\n'


def _posting(leg: Leg, day: int) -> str:
    said = [f"  {leg.account.beancount_name}  {_amount(leg.account, leg.amount)}\n"]
    said += [f'    {name}: "{value}"\n' for name, value in leg.about.details]
    if leg.day != day:
        said.append(f"    booked: {format_day(leg.day)}\n")
    return "".join(said)


def _balance(day: str, account: ChartAccount, amount: int) -> str:
    value = in_text(amount, account.commodity)
    return f"{day} balance {account.beancount_name}  {value} ~ 0 {account.commodity}\n"


def _amount(account: ChartAccount, amount: int) -> str:
    return f"{in_text(amount, account.commodity)} {account.commodity}"
