"""A holder's page: what it has left, what it reserved, what was used of it line by line, and until when."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final

from tallystick.web.pages.cells import table_of
from tallystick.web.pages.lists_beside import ROWS_BESIDE, list_beside
from tallystick.web.pages.page import Asked, Page, PageRoute, Table
from tallystick.web.pages.provider_pages import A_YEAR_DAYS, owed_fen
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen
from tallystick.wire.resources import rows

SOON_DAYS: Final = 30
LINES_SHOWN: Final = 50
"""Of a statement that has more; its CSV has all of them."""
_LINE: Final = (
    *("index", "line", "day", "provider", "contract", "item", "job", "gpu_milliseconds", "quantity", "fee_fen"),
    *("from_voucher_fen", "refused", "reversed"),
)
_ALWAYS: Final = frozenset({"index", "line", "day", "provider", "contract", "item", "fee_fen", "from_voucher_fen"})


def _holder(seen: Seen, asked: Asked) -> Page:
    id_ = asked.path["id"]
    said: Mapping[str, Any] = seen.summary("holder", id_)["holder"]
    balance = said["balance"]
    sees_all = seen.sees_all_of("holder", id_)
    values: dict[str, Any] = {"id": id_, "balance": balance, "sees_all": sees_all, "soon_days": SOON_DAYS}
    tables: list[Table] = []
    if sees_all:
        words = asked.words
        values |= holder_values(seen, id_, balance)
        tables = [*holder_tables(seen, asked, id_)]
        tables += [
            list_beside(seen, asked, "contract", "contracts", words.gettext("Contracts"), holder=id_),
            list_beside(seen, asked, "application", "applications", words.gettext("Applications"), holder=id_),
            list_beside(seen, asked, "claim", "claims", words.gettext("Claims"), claimant=id_),
        ]
    return Page(balance["name"] or id_, values, tables)


def holder_values(seen: Seen, holder: str, balance: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a holder is told first: what ends soon, and what is owed to itself."""
    ending = [row for row in seen.waiting("holder", holder, SOON_DAYS).vouchers.rows if row.available_fen]
    soonest = min((row.days_left for row in ending), default=None)
    ending_fen = sum(row.available_fen for row in ending)
    return {"ending": len(ending), "ending_fen": ending_fen, "soonest": soonest, "owed_fen": owed_fen(balance)}


def holder_tables(seen: Seen, asked: Asked, holder: str) -> list[Table]:
    """Return the tables of what a holder has and used."""
    words = asked.words
    return [
        list_beside(seen, asked, "voucher", "vouchers", words.gettext("Vouchers"), holder=holder),
        _ending(seen, holder, words),
        _reservations(seen, holder, words),
        lines_beside(seen, asked, holder),
    ]


def _ending(seen: Seen, holder: str, words: Words) -> Table:
    found = rows(seen.waiting("holder", holder, SOON_DAYS).vouchers.rows)
    columns = ("voucher", "programme", "valid_until", "days_left", "available_fen", "reserved_fen")
    none = words.gettext("None ends soon with something left.")
    caption = words.gettext("Vouchers that end within %(days)s days", days=SOON_DAYS)
    return table_of("ending", caption, found, words, columns=columns, empty=none)


def _reservations(seen: Seen, holder: str, words: Words) -> Table:
    found = rows(seen.waiting("holder", holder, A_YEAR_DAYS).reservations.rows)
    columns = ("reservation", "contract", "provider", "until", "days_left", "remaining_fen")
    none = words.gettext("Nothing is reserved.")
    return table_of("reservations", words.gettext("Open reservations"), found, words, columns=columns, empty=none)


def lines_beside(seen: Seen, asked: Asked, holder: str) -> Table:
    """Return a holder's lines, the newest statement's first."""
    words, name = asked.words, "lines"
    limit = asked.rows_of(name) if asked.query.get("csv") == name else ROWS_BESIDE
    found = seen.lines("holder", holder, limit, asked.before(name))
    cut = found.lines[: max(limit, LINES_SHOWN)]
    shown = rows(cut)
    may = may_object(seen, asked, holder)
    for row in shown:
        row["objection"] = f"{row['index']} {row['line']}" if may and row["unclaimed_fen"] else None
    columns = [one for one in (*_LINE, "objection") if one in _ALWAYS or any(map(itemgetter(one), shown))]
    caption = words.gettext("Usage, line by line, the newest first")
    if len(cut) < len(found.lines):
        caption = words.gettext("Usage, line by line; an entry's page has all lines of a large statement")
    none = words.gettext("Nothing was used yet.")
    return table_of(name, caption, shown, words, columns=columns, empty=none).going_on(found.next)


def may_object(seen: Seen, asked: Asked, holder: str) -> bool:
    """Return whether the reader is the holder, which can object to a line as long as no claim took it."""
    return not asked.place.is_read_only and seen.reader.name == holder


PAGES: Final = (PageRoute("/holders/{id}", "holder.html", _holder),)
