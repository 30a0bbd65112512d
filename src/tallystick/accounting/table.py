"""A journal as a table: a row for each leg, under the same columns whatever it is written as.

A row of an opening balance has no entry. Amounts are in yuan with two decimals, GPU-time in GPU-hours with seven; a row
has one of both. The rows of an entry add up to nothing, and so do those of a table.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from tallystick.accounting.amounts import in_decimal
from tallystick.accounting.chart import ChartAccount
from tallystick.accounting.journal import Leg, MonthEnd, Opening, Part, Transaction
from tallystick.vouchers.quantities import format_instant

ColumnType = Literal["text", "whole", "yuan", "gpu_hours", "day"]
Cell = str | int | Decimal | None
"""A day is a whole number here: days since 1970."""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: in CSV and Parquet.
        chinese: its heading in a spreadsheet.
        type: of its cells, which may all be empty.
        width: in a spreadsheet, in characters.
    """

    name: str
    chinese: str
    type: ColumnType = "text"
    width: int = 18


_OF_ENTRIES: Final = (
    Column("entry", "账目序号", "whole", 10),
    Column("day", "日期", "day", 11),
    Column("booked_day", "记账日期", "day", 11),
    Column("at", "时间（UTC）", "text", 27),
    Column("kind", "事项", "text", 22),
    Column("party", "发起方", "text", 20),
    Column("ref", "单据号", "text", 16),
    Column("leaf_hash", "账目哈希", "text", 20),
)
_OF_ACCOUNTS: Final = (
    Column("account", "账户", "text", 60),
    Column("code", "科目编码", "text", 12),
    Column("name", "科目名称", "text", 20),
    Column("amount_yuan", "金额（元）", "yuan", 18),
    Column("gpu_hours", "GPU 时", "gpu_hours", 18),
)
_OF_LEGS: Final = (
    Column("programme", "计划"),
    Column("voucher", "券"),
    Column("reservation", "预留"),
    Column("contract", "合同"),
    Column("claim", "申领"),
    Column("demand", "追回"),
    Column("item", "项目"),
    Column("line", "行号", "whole", 8),
    Column("job", "作业", "text", 24),
)
COLUMNS: Final = (*_OF_ENTRIES, *_OF_ACCOUNTS, *_OF_LEGS)
BALANCE_COLUMNS: Final = _OF_ACCOUNTS
Row = tuple[Cell, ...]
"""A cell for each column."""

_DETAILS: Final = tuple(column.name for column in _OF_LEGS)


def rows_of(parts: Iterable[Part], balances: dict[ChartAccount, int] | None = None) -> Iterator[Row]:
    """Yield the rows of a journal.

    Args:
        parts: in order.
        balances: is given what lies in each account at the end, if it is wanted.
    """
    for part in parts:
        match part:
            case Transaction(entry, legs):
                command = entry.event.command
                at, hash_ = format_instant(entry.at), entry.leaf_hash.hex()
                for leg in legs:
                    of_entry = entry.index, entry.day, leg.day, at, entry.event.kind, command.party, command.ref, hash_
                    yield (*of_entry, *_account(leg.account, leg.amount), *_details(leg))
            case Opening(day, opening):
                if balances is not None:
                    balances.update(opening)
                for account, amount in opening:
                    of_opening = None, day, day, None, "opening balance", None, None, None
                    yield (*of_opening, *_account(account, amount), *[None for _ in _OF_LEGS])
            case MonthEnd(_, at_end):
                if balances is not None:
                    balances.update(at_end)


def balance_rows(balances: dict[ChartAccount, int]) -> list[Row]:
    """Return what lies in each account, in the order of their names."""
    return [_account(account, amount) for account, amount in sorted(balances.items(), key=lambda one: one[0].name)]


def _account(account: ChartAccount, amount: int) -> Row:
    number = in_decimal(amount, account.commodity)
    money, time = (number, None) if account.commodity == "CNY" else (None, number)
    return account.name, account.code or None, account.title or None, money, time


def _details(leg: Leg) -> Row:
    said: dict[str, Cell] = {"programme": leg.programme, "item": leg.item, **dict(leg.about.details)}
    line = said.get("line")
    said["line"] = None if line is None else int(line)
    return tuple([said.get(name) for name in _DETAILS])
