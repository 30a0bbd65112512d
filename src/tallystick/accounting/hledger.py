"""A journal as hledger reads it: strictly checked, every account and commodity declared, balances asserted.

    2026-01-06 * (45) guian | time.burned/1
        ; entry:45, ref:s-1, hash:9d3c…, at:2026-01-06T08:00:11.000000Z
        assets:vouchers:reserved:shanghai:compute:maker-a  -12.50 CNY  ; voucher:shanghai/v-1, date2:2026-01-05
        expenses:used:unclaimed:shanghai:compute:guian      12.50 CNY  ; …
        [expenses:gpu-time:guian:maker-a:h100]           8.0000000 GPUH  ; …
        [equity:gpu-time:guian:maker-a:h100]            -8.0000000 GPUH  ; …

The code in parentheses is the entry's index. GPU-time is in virtual postings that are balanced: `--real` leaves it out.
`date2` is the day on which something is booked, where that is another than the entry's; `--date2` goes by it.
At a month's end a transaction of nothing asserts what lies in each account that changed.
"""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from tallystick.accounting.accounts import Commodity, Root
from tallystick.accounting.amounts import in_text
from tallystick.accounting.chart import ChartAccount
from tallystick.accounting.journal import Leg, MonthEnd, Opening, Part, Transaction
from tallystick.accounting.postings import BookedEntry
from tallystick.vouchers.quantities import format_day, format_instant

_TYPES: Final[dict[Root, str]] = {"assets": "A", "equity": "E", "expenses": "X"}
_HEADER: Final = """\
; Journal of the log {origin}, in yuan; every figure is a posting of the log.
decimal-mark .
commodity 1000.00 CNY
commodity 1000.0000000 GPUH
"""


def hledger_journal(parts: Iterable[Part], origin: str) -> Iterator[str]:
    """Yield the text of a journal, piece by piece.

    Args:
        parts: in order.
        origin: of the log.
    """
    yield _HEADER.format(origin=origin)
    declared: set[str] = set()
    for part in parts:
        match part:
            case Transaction(entry, legs):
                yield "".join([*_declarations([leg.account for leg in legs], declared), *_transaction(entry, legs)])
            case Opening(day, balances):
                yield "".join(_declarations([account for account, _ in balances], declared))
                yield f"\n{format_day(day)} * opening balances\n"
                yield "".join([f"    {_called(one)}  {_amount(one, amount)}\n" for one, amount in balances])
            case MonthEnd(day, balances):
                yield f"\n{format_day(day)} * balances at the end of this day\n"
                yield "".join(
                    [f"    {_called(one)}  {_amount(one, 0)} = {_amount(one, amount)}\n" for one, amount in balances]
                )


def _declarations(accounts: Iterable[ChartAccount], declared: set[str]) -> Iterator[str]:
    """Yield what declares accounts that weren't yet."""
    for account in accounts:
        if account.name not in declared:
            declared.add(account.name)
            yield f"\naccount {account.name}  ; type:{_TYPES[account.root]}\n"


def _transaction(entry: BookedEntry, legs: Iterable[Leg]) -> Iterator[str]:
    day, command, event = entry.day, entry.event.command, entry.event
    yield (
        f"\n{_day_text(day)} * ({entry.index}) {command.party} | {event.kind}\n"
        f"    ; entry:{entry.index}, ref:{command.ref}, hash:{entry.leaf_hash.hex()}, at:{format_instant(entry.at)}\n"
    )
    for account, amount, booked, about, _, _ in legs:
        called, commodity = _written(account)
        tags = about.tags
        if booked != day:
            tags = f"{tags}, date2:{_day_text(booked)}" if tags else f"date2:{_day_text(booked)}"
        comment = f"  ; {tags}\n" if tags else "\n"
        yield f"    {called}  {in_text(amount, commodity)} {commodity}{comment}"


_day_text: Final = lru_cache(maxsize=512)(format_day)


@cache
def _written(account: ChartAccount) -> tuple[str, Commodity]:
    return _called(account), account.commodity


def _called(account: ChartAccount) -> str:
    """Return an account's name in a posting: in brackets where it isn't of money."""
    return account.name if account.commodity == "CNY" else f"[{account.name}]"


def _amount(account: ChartAccount, amount: int) -> str:
    return f"{in_text(amount, account.commodity)} {account.commodity}"
