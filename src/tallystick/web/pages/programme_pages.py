"""The page of a programme: where its envelope is, how fast it is used, what it owes, its rules, and all beside it."""

from typing import Any, Final

from tallystick.web.charts import Chart
from tallystick.web.pages.by_day import ByDay, days_of
from tallystick.web.pages.cells import table_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.envelopes import basis_points, envelope_of, issued_of, owed_of, used_of
from tallystick.web.pages.lists_beside import list_beside
from tallystick.web.pages.page import Asked, Page, PageRoute, Table
from tallystick.web.pages.treasury_pages import ages_chart
from tallystick.web.pages.usage_tables import domestic_of, items_table
from tallystick.web.pages.windows import Window
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen

_QUARTER: Final = (
    *("quarter", "issued_fen", "burned_fen", "reversed_fen", "claimed_fen", "paid_fen", "withheld_fen"),
    *("expired_fen", "revoked_fen", "forfeited_fen", "demanded_fen", "cancelled_fen", "received_fen"),
)
ENTRIES_SHOWN: Final = 10
WELL_USED_BP: Final = 8_000
"""From this share of an envelope on, a page says that little is left."""


def programme(seen: Seen, asked: Asked) -> Page:
    """Return the page of a programme: all of it, or its terms."""
    id_ = asked.owned_id
    said = seen.summary("programme", id_)["programme"]
    balance = said["balance"]
    window = Window.of(seen, said["versions"][0]["first_day"], balance["closes_at"])
    values: dict[str, Any] = {
        "id": id_,
        "balance": balance,
        "versions": said["versions"],
        "window": window,
        "sees_all": seen.sees_all_of("programme", id_),
    }
    if not values["sees_all"]:
        return Page(balance["name"], values)
    by_day = ByDay.of(seen.days("programme", id_, *days_of(window)), window.last)
    values |= _standing(seen, balance, values["window"]) | {
        "charts": _charts(seen, asked.words, balance, by_day, values["window"])
    }
    caption = asked.words.gettext("The programme's money at each day's end")
    days = by_day.table("days", caption, asked.words)
    usage = seen.usage_by_item("programme", id_)
    values["domestic"] = domestic_of(usage.origins)
    tables = (
        items_table(usage, asked.words),
        *_money(balance, asked),
        *_beside(seen, asked, id_),
        _quarters(said["quarters"], asked),
        days,
    )
    return Page(balance["name"], values, tables)


def _standing(seen: Seen, balance: dict[str, Any], window: Window) -> dict[str, Any]:
    """Return where the money is, in figures."""
    envelope = envelope_of(balance)
    return {
        "envelope": envelope,
        "issued": issued_of(balance),
        "owed_fen": owed_of(balance),
        "used_fen": used_of(balance),
        "used_bp": basis_points(used_of(balance), envelope.amount_fen),
        "gone_bp": basis_points(window.gone, window.days),
        "even_fen": window.evenly(envelope.amount_fen),
        "issued_bp": basis_points(envelope.amount_fen - balance["unissued_fen"], envelope.amount_fen),
        "well_used_bp": WELL_USED_BP,
        "asked_for_fen": seen.waiting("programme", balance["programme"]).applications.amount_fen,
    }


def _charts(seen: Seen, words: Words, balance: dict[str, Any], by_day: ByDay, window: Window) -> dict[str, Chart]:
    drawn, gettext = Drawn(words), words.gettext
    charts = {
        "left": by_day.left(words, gettext("What is left of the envelope"), window, balance["envelope_fen"]),
        "issued": ByDay(by_day.rows, by_day.first, by_day.today, by_day.today).issued(
            words, gettext("What was issued, day by day")
        ),
        "shares": drawn.shares(
            gettext("What was issued, by its parts"),
            gettext("The parts of the envelope but what isn't issued."),
            envelope_of(balance).charted(words, without="unissued_fen"),
        ),
    }
    if balance["claimed_fen"]:
        charts["ages"] = ages_chart(seen, "programme", balance["programme"], words)
    return charts


def _money(balance: dict[str, Any], asked: Asked) -> tuple[Table, ...]:
    words = asked.words
    leads = {
        **dict.fromkeys(("available_fen", "reserved_fen"), "#vouchers"),
        **dict.fromkeys(("burned_fen", "withheld_fen", "paid_fen"), "#payees"),
        "claimed_fen": "#open_claims",
        "receivable_fen": "#demands",
    }
    return (
        envelope_of(balance).table(words.gettext("The envelope, part by part"), words, leads),
        issued_of(balance).table(words.gettext("All that was ever issued, and where it went"), words, {}),
    )


def _beside(seen: Seen, asked: Asked, id_: str) -> tuple[Table, ...]:
    gettext = asked.words.gettext
    recorded = seen.recorded(ENTRIES_SHOWN, concerning=f"programme {id_}").as_json()
    shown = ("index", "at", "kind", "party", "ref")
    return (
        list_beside(seen, asked, "payee", "payees", gettext("What it owes, and to whom"), programme=id_),
        list_beside(seen, asked, "claim", "open_claims", gettext("Claims to decide"), programme=id_, status="open"),
        list_beside(seen, asked, "claim", "claims", gettext("Claims settled"), programme=id_, status="settled"),
        list_beside(seen, asked, "application", "applications", gettext("Applications"), programme=id_),
        list_beside(seen, asked, "voucher", "vouchers", gettext("Vouchers"), programme=id_),
        list_beside(seen, asked, "accreditation", "providers", gettext("Providers that it pays for"), programme=id_),
        list_beside(seen, asked, "demand", "demands", gettext("What it asks back"), programme=id_),
        table_of("entries", gettext("Its newest entries"), recorded, asked.words, columns=shown),
    )


def _quarters(quarters: list[dict[str, Any]], asked: Asked) -> Table:
    caption = asked.words.gettext("What moved, by quarter")
    return table_of("quarters", caption, quarters, asked.words, columns=_QUARTER)


PAGES: Final = (PageRoute("/programmes/{owner}/{number}", "programme.html", programme),)
