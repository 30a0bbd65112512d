"""A bank's list of payments is read whole or refused: CSV as banks write it, every amount exact, nothing guessed.

    date,amount,account,payee,remittance,reference
    2026-04-20,"1,234.50",6222020200112233445,Gui'an cluster,TS 3F0A…,2026042000017

Headings are English or Chinese (`HEADINGS`), in any order; lines above them and the bank's sums below are passed over.
The text is UTF-8 with or without a byte order mark, or GB18030; the cells are apart by commas, semicolons or tabs.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.errors import UsageError
from tallystick.vouchers.quantities import parse_day

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("date", "day", "payment date", "日期", "交易日期", "记账日期", "入账日期", "付款日期", "交易时间"),
    "amount": ("amount", "金额", "交易金额", "付款金额", "转账金额", "支付金额"),
    "debit": ("debit", "paid out", "借方", "借方金额", "借方发生额", "支出", "支出金额"),
    "credit": ("credit", "paid in", "贷方", "贷方金额", "贷方发生额", "收入", "收入金额"),
    "account": ("account", "payee account", "收款账号", "收款人账号", "收款账户", "对方账号", "对方账户"),
    "payee": ("payee", "payee name", "收款人", "收款人名称", "收款户名", "收款单位", "对方户名", "对方名称"),
    "remittance": ("remittance", "remittance text", "purpose", "附言", "用途", "摘要", "备注"),
    "reference": ("reference", "bank reference", "流水号", "交易流水号", "业务流水号", "回单编号", "凭证号"),
    "status": ("status", "状态", "交易状态", "处理状态"),
}
"""By what a column holds, the headings that it may have; small and capital letters are alike, `(元)` doesn't count."""
CARRIED_OUT: Final = frozenset(
    {"", "success", "succeeded", "completed", "paid", "ok", "成功", "交易成功", "支付成功", "已完成"}
)
"""What a status says of a payment that was made; any other says that it wasn't."""
HEADING_WITHIN_LINES: Final = 30
PAYMENTS_MAX: Final = 100_000
FILE_SIZE_MAX: Final = 33_554_432
_FAULTS_SHOWN: Final = 3
_SEVERAL: Final = "remittance"  # a bank may have more than one text of ours
_SUM: Final = re.compile(r"(?:合计|总计|小计|共 ?[0-9,]+ ?笔|(?:grand )?total\b|sum\b)[^0-9]*", re.IGNORECASE)
_AMOUNT: Final = re.compile(
    r"([+-]?)[¥￥]?([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.([0-9]{1,2})0*)?(?:元|CNY)?", re.ASCII
)
_DAY: Final = re.compile(
    r"(?:([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?)(?:[ T].*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class BankPayment:
    """A payment as the bank tells it.

    Attributes:
        line: of the file, counted from 1.
        day: as the bank says it, `2026-04-20`.
        amount_fen: paid out; below 0: it came back.
        account, payee: to which it went.
        remittance: the text that was given with it.
        reference: the bank's own.
        is_carried_out: it was made; else the bank says that it wasn't.
    """

    line: int
    day: str
    amount_fen: int
    account: str
    payee: str
    remittance: str
    reference: str
    is_carried_out: bool


@dataclass(frozen=True, slots=True)
class BankFile:
    """The payments of a bank's file in its order, and the file's encoding."""

    payments: tuple[BankPayment, ...]
    encoding: str


def read_bank_file(data: bytes) -> BankFile:
    """Return the payments of a bank's file.

    Args:
        data: the whole file.

    Raises:
        UsageError: it can't be read as one without guessing: the text names the first lines that are wrong.
    """
    text, encoding = decoded(data)
    rows = _rows(text)
    heading = _heading(rows)
    if heading is None:
        raise UsageError(
            f"its first {HEADING_WITHIN_LINES} lines have no headings with a date, an amount and a remittance text; "
            "docs/treasury.md lists what they may be called"
        )
    place, columns, width = heading
    payments: list[BankPayment] = []
    faults: list[str] = []
    for line, cells in rows[place + 1 :]:
        if not any(cells) or _is_sum(cells, columns["day"][0]):
            continue
        try:
            if any(cells[width:]):
                raise ValueError(f"it has {len(cells)} cells, and there are {width} headings")
            payments.append(_payment(line, columns, cells))
        except ValueError as error:
            faults.append(f"line {line}: {error}")
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN:,} lines more" if len(faults) > _FAULTS_SHOWN else ""
        raise UsageError("; ".join(faults[:_FAULTS_SHOWN]) + more)
    if len(payments) > PAYMENTS_MAX:
        raise UsageError(f"it has more than {PAYMENTS_MAX:,} payments: make several files of it")
    return BankFile(tuple(payments), encoding)


def decoded(data: bytes) -> tuple[str, str]:
    """Return a sheet's text and its encoding: that of its byte order mark, else UTF-8, else GB18030.

    Raises:
        UsageError: it is in none of these.
    """
    candidates = ["utf-16"] if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding.removesuffix("-sig")
    raise UsageError("it is not text in UTF-8 or GB18030: save it as CSV UTF-8")


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each line, cleaned, with the line's number."""
    separator = max(",;\t", key=text[:10_000].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [(reader.line_num, [_cleaned(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise UsageError(f"line {reader.line_num} is not CSV: {error}") from None


def _cleaned(cell: str) -> str:
    """Return a cell without what banks put around it, so that a spreadsheet keeps its digits."""
    text = unicodedata.normalize("NFKC", cell).strip().strip("\ufeff")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return " ".join(text.removeprefix("'").split())


def _is_sum(cells: Sequence[str], day: int) -> bool:
    """Return whether a line is the bank's sum of others: it is of no day, and says so."""
    first = next(cell for cell in cells if cell)
    return _SUM.match(first) is not None and "".join(cells[day : day + 1]) in ("", first)


def _heading(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, dict[str, list[int]], int] | None:
    """Return where the headings are, the places of the columns that each name has, and how many cells there are.

    It is None if there are no headings.

    Raises:
        UsageError: a name that one column can have stands over two.
    """
    known = {heading: name for name, headings in HEADINGS.items() for heading in headings}
    for place, (line, cells) in enumerate(rows[:HEADING_WITHIN_LINES]):
        columns: dict[str, list[int]] = {}
        for at, cell in enumerate(cells):
            name = known.get(re.sub(r" ?\((?:元|cny|yuan)\)$", "", cell.lower()))
            if name is not None:
                columns.setdefault(name, []).append(at)
        if {"day", "remittance"} <= columns.keys() and ("amount" in columns or "debit" in columns):
            twice = [name for name, found in columns.items() if len(found) > 1 and name != _SEVERAL]
            if twice:
                heads = " and ".join(cells[at] for at in columns[twice[0]])
                raise UsageError(f"line {line}: {heads} are both the {twice[0]}: leave one of the columns out")
            return place, columns, len(cells)
    return None


def _payment(line: int, columns: Mapping[str, Sequence[int]], cells: Sequence[str]) -> BankPayment:
    said = {name: " ".join(_cells_at(cells, places)) for name, places in columns.items()}
    return BankPayment(
        line,
        _day(said["day"]),
        _amount_fen(said),
        re.sub(r"[ -]", "", said.get("account", "")),
        said.get("payee", ""),
        said["remittance"],
        said.get("reference", ""),
        said.get("status", "").lower() in CARRIED_OUT,
    )


def _cells_at(cells: Sequence[str], places: Sequence[int]) -> Iterator[str]:
    for place in places:
        if place < len(cells) and cells[place]:
            yield cells[place]


def _amount_fen(said: Mapping[str, str]) -> int:
    """Return what was paid out: the amount, or what is debited less what is credited."""
    given = {name: said[name] for name in ("amount", "debit", "credit") if said.get(name)}
    amounts_fen = {name: _fen(text) for name, text in given.items()}
    paid_fen = amounts_fen.get("amount", 0) + amounts_fen.get("debit", 0) - amounts_fen.get("credit", 0)
    stated = [name for name, fen in amounts_fen.items() if fen]
    if len(stated) != 1:
        raise ValueError("it has no amount" if not stated else f"it has an amount as {' and as '.join(stated)}")
    return paid_fen


def _fen(text: str) -> int:
    found = _AMOUNT.fullmatch(text.replace(" ", ""))
    if found is None:
        raise ValueError(f"{text[:40]!a} is no amount in yuan like 1,234.50")
    sign, whole, decimals = found.groups()
    fen = int(whole.replace(",", "")) * 100 + int((decimals or "").ljust(2, "0"))
    return -fen if sign == "-" else fen


def _day(text: str) -> str:
    """Return a day as the log writes it."""
    found = _DAY.fullmatch(text)
    try:
        year, month, day = [one for one in found.groups() if one] if found else ("", "", "")
        written = f"{year}-{month:0>2}-{day:0>2}"
        parse_day(written)
    except ValueError:
        raise ValueError(f"{text[:40]!a} is no day like 2026-04-20") from None
    return written
