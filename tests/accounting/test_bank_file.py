"""A bank's file is read to the fen, in the forms that banks write, or refused by line."""

import pytest

from tallystick.accounting.bank_file import BankPayment, read_bank_file
from tallystick.errors import UsageError

HEAD = "date,amount,account,payee,remittance,reference\n"
ROW = '2026-04-20,"1,234.50",6222 0202-0011,Gui\'an,TS 3F0A,B-17\n'
READ = BankPayment(2, "2026-04-20", 123_450, "622202020011", "Gui'an", "TS 3F0A", "B-17", True)


def test_a_plain_file_is_read_to_the_fen() -> None:
    file = read_bank_file((HEAD + ROW).encode())
    assert file.payments == (READ,)
    assert file.encoding == "utf-8"


@pytest.mark.parametrize(
    ("text", "encoding", "read_as"),
    [
        ("\ufeff" + HEAD + ROW, "utf-8", "utf-8"),
        (HEAD + ROW, "utf-16", "utf-16"),
        ((HEAD + ROW).replace("\n", "\r\n"), "utf-8", "utf-8"),
        (
            "企业网银交易明细,,,,,\n账号,622000,,,,\n"
            "交易日期,支出（元）,收款账号,收款户名,附言,流水号\n"
            "2026年4月20日,￥1234.5,\t6222 0202-0011,Gui'an,TS 3F0A,B-17\n合计,1234.5,,,,\n,共 1 笔,,,,\n",
            "gb18030",
            "gb18030",
        ),
        (HEAD.replace(",", "\t") + ROW.replace('"1,234.50"', "１２３４．５０").replace(",", "\t"), "utf-8", "utf-8"),
        (HEAD + ROW.replace("2026-04-20", "20260420"), "utf-8", "utf-8"),
        (HEAD + ROW.replace("2026-04-20", "2026/4/20 09:31:07"), "utf-8", "utf-8"),
        (HEAD + ROW.replace("6222 0202-0011", '"=""622202020011"""'), "utf-8", "utf-8"),
    ],
)
def test_what_banks_write_is_the_same_payment(text: str, encoding: str, read_as: str) -> None:
    file = read_bank_file(text.encode(encoding))
    (payment,) = file.payments
    said = (payment.day, payment.amount_fen, payment.account, payment.payee, payment.remittance, payment.reference)
    assert said == ("2026-04-20", 123_450, "622202020011", "Gui'an", "TS 3F0A", "B-17")
    assert (payment.is_carried_out, file.encoding) == (True, read_as)


def test_two_texts_of_ours_are_one_and_what_came_back_is_below_nothing() -> None:
    text = "日期,借方金额,贷方金额,摘要,附言,状态\n2026-04-20,10.00,,算力券,TS 1,成功\n"
    text += "2026-04-21,,10.00,退汇,TS 1,成功\n2026-04-22,0.00,5,x,y,失败\n"
    payments = read_bank_file(text.encode()).payments
    assert [(one.amount_fen, one.remittance, one.is_carried_out) for one in payments] == [
        (1_000, "算力券 TS 1", True),
        (-1_000, "退汇 TS 1", True),
        (-500, "x y", False),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no headings with a date, an amount and a remittance text"),
        ("a,b\n1,2\n", "no headings with a date"),
        (HEAD + ROW.replace("1,234.50", "1.234,50"), "line 2: '1.234,50' is no amount in yuan like 1,234.50"),
        (HEAD + ROW.replace('"1,234.50"', "1,234.50"), "line 2: it has 7 cells, and there are 6 headings"),
        (HEAD + ROW.replace("1,234.50", "12.345"), "line 2: '12.345' is no amount in yuan"),
        (HEAD + ROW.replace("1,234.50", "0.00"), "line 2: it has no amount"),
        (HEAD + ROW.replace("1,234.50", "1e5"), "line 2: '1e5' is no amount"),
        (HEAD + ROW.replace("1,234.50", "9" * 16), "is no amount"),
        (HEAD + ROW.replace("2026-04-20", "2026-02-30"), "line 2: '2026-02-30' is no day like 2026-04-20"),
        (HEAD + ROW.replace("2026-04-20", "202611"), "line 2: '202611' is no day"),
        (HEAD + ROW + ROW.replace("2026-04-20", ""), "line 3: '' is no day"),
        (HEAD.replace("account", "付款金额") + ROW, "line 1: amount and 付款金额 are both the amount"),
        (HEAD + 'x,"open', "line 2 is not CSV"),
        (HEAD + "共享算力公司,,,,,\n" * 5, "and 2 lines more"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused_by_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_bank_file(text.encode())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match="not text in UTF-8 or GB18030"):
        read_bank_file(HEAD.encode() + b"\xff\xfe\x00\x80\x00")
