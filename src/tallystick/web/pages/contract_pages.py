"""The page of a contract: between whom, at what prices, how much of it is charged, who pays, and its statements."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from tallystick.web.charts import Chart, Part
from tallystick.web.pages.application_pages import verdicts_table
from tallystick.web.pages.cells import columns_of, table_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.envelopes import MoneyPart, Whole
from tallystick.web.pages.lists_beside import list_beside
from tallystick.web.pages.page import Asked, Column, Page, PageRoute, Table
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import Seen

ENTRIES_SHOWN: Final = 20
_STATEMENT: Final = (
    *("index", "at", "ref", "lines_accepted", "lines_refused", "lines_reversed", "gpu_milliseconds", "fee_fen"),
    *("from_voucher_fen", "reversed_fen"),
)
AMOUNT: Final = (
    MoneyPart("charged_fen", N_("Charged"), N_("Fees of accepted lines, those taken back left out."), "burned"),
    MoneyPart("chargeable_fen", N_("Can still be charged"), N_("The rest of the contract's amount."), "available"),
)
"""Where a contract's amount is."""


def contract(seen: Seen, asked: Asked) -> Page:
    """Return the page of a contract."""
    id_, words = asked.owned_id, asked.words
    said = seen.summary("contract", id_)["contract"]
    balance = said["balance"]
    amount = Whole("amount", balance["amount_fen"], [(part, balance[part.member]) for part in AMOUNT])
    values: dict[str, Any] = {
        "id": id_,
        "balance": balance,
        "document_hash": said["document_hash"],
        "terms": said["terms"],
        "amount": amount,
        "shares": _charged(amount, words),
        "from_vouchers_fen": sum(row["from_voucher_fen"] - row["reversed_fen"] for row in said["programmes"]),
    }
    return Page(id_, values, _tables(seen, asked, said, id_))


def _charged(amount: Whole, words: Words) -> Chart:
    title = words.gettext("What is charged of the contract")
    parts: list[Part] = amount.charted(words)
    return Drawn(words).shares(title, words.gettext("What is charged, and what can still be."), parts)


def _tables(seen: Seen, asked: Asked, said: Mapping[str, Any], id_: str) -> tuple[Table, ...]:
    words = asked.words
    gettext = words.gettext
    prices = columns_of(("item", "first_day", "price_fen", "index"), words)
    programmes = [{**row, "net_fen": row["from_voucher_fen"] - row["reversed_fen"]} for row in said["programmes"]]
    paid = (
        *columns_of(("programme", "payee", "lines_paid", "lines_reversed"), words),
        Column("net_fen", gettext("Paid by vouchers, net"), "yuan"),
        *columns_of(("unclaimed_fen", "claimed_fen", "withheld_fen", "settled_fen", "forfeited_fen"), words),
    )
    terms = ("at", "index", "amount_fen", "last_day", "other_support_fen")
    rows = asked.rows_of("statements", ENTRIES_SHOWN)
    stated = seen.statements("contract", id_, rows, asked.before("statements"))
    statements = table_of(
        *("statements", gettext("Statements, newest first"), [asdict(one) for one in stated.rows], words),
        columns=_STATEMENT,
    )
    found = seen.recorded(
        asked.rows_of("entries", ENTRIES_SHOWN), concerning=f"contract {id_}", before=asked.before("entries")
    )
    entries = table_of(
        *("entries", gettext("Entries that concern it, newest first"), found.as_json(), words),
        columns=("index", "at", "kind", "party", "ref"),
    )
    return (
        Table("prices", gettext("Items and prices; GPU-time by the GPU-hour"), prices, said["prices"]),
        table_of("terms", gettext("Its terms over time"), said["terms"], words, columns=terms),
        Table("programmes", gettext("Programmes that pay for it"), paid, programmes),
        list_beside(seen, asked, "reservation", "reservations", gettext("Reservations under it"), contract=id_),
        verdicts_table(said["verdicts"], gettext("What was said of it"), words),
        statements.going_on(stated.next),
        entries.going_on(found.before),
    )


PAGES: Final = (PageRoute("/contracts/{owner}/{number}", "contract.html", contract),)
