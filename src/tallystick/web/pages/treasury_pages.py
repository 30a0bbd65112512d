"""The page of a treasury: what it has given out, what it owes to whom and since when, what waits for it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from tallystick.web.charts import Bar, Chart, Part
from tallystick.web.pages.by_day import ByDay
from tallystick.web.pages.cells import table_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.envelopes import ENVELOPE, envelope_of, owed_of, used_of
from tallystick.web.pages.lists_beside import COLUMNS, list_beside
from tallystick.web.pages.page import Asked, Page, PageRoute, Table
from tallystick.web.pages.waiting_lists import waiting_tables, waits_of
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen

OWED_SHOWN: Final = 50
"""Of payees to whom it owes something, those to whom it owes most."""


def treasury(seen: Seen, asked: Asked) -> Page:
    """Return the page of a treasury: all of it, or its terms."""
    id_, words = asked.path["id"], asked.words
    said = seen.one("treasury", id_)["treasury"]
    balance = said["balance"]
    title = balance["name"] or id_
    values: dict[str, Any] = {"id": id_, "balance": balance, "sees_all": seen.sees_all_of("treasury", id_)}
    if not values["sees_all"]:
        programmes = list_beside(seen, asked, "programme", "programmes", words.gettext("Programmes"), treasury=id_)
        return Page(title, values, (programmes,))
    waiting = seen.waiting("treasury", id_)
    by_day = ByDay.of(seen.days("treasury", id_))
    values |= {
        "envelope": envelope_of(balance),
        "owed_fen": owed_of(balance),
        "used_fen": used_of(balance),
        "open_claims": waiting.claims,
        "waits": waits_of(waiting, words),
        "ages": ages_chart(seen, "treasury", id_, words) if balance["claimed_fen"] else "",
        "year": by_day.issued(words, words.gettext("What was issued, day by day")),
        "bars": _bars(said["programmes"], words),
    }
    days = by_day.table("days", words.gettext("Its money at each day's end"), words)
    waits = waiting_tables(waiting, words, without=("treasury",))
    return Page(title, values, (*_tables(seen, asked, said, id_), days, *waits))


def owing(row: Mapping[str, Any]) -> int:
    """Return what is owed to a payee."""
    return int(row["unclaimed_fen"]) + int(row["withheld_fen"]) + int(row["claimed_fen"])


def ages_chart(seen: Seen, of: Literal["treasury", "programme"], id_: str, words: Words) -> Chart:
    """Return what is claimed of a treasury or programme, by how long ago that was."""
    classes = [
        Part(_age(one.from_days, one.to_days, words), "owed", one.amount_fen) for one in seen.ageing(of, id_).classes
    ]
    title = words.gettext("What is claimed, by how long ago")
    return Drawn(words).ages(title, words.gettext("A bar for each age; old claims are the lowest."), classes)


def _age(from_days: int, to_days: int | None, words: Words) -> str:
    if to_days is None:
        return words.gettext("%(days)s days and more", days=from_days)
    return words.gettext("%(first)s to %(last)s days", first=from_days, last=to_days)


def _bars(programmes: Sequence[Mapping[str, Any]], words: Words) -> Chart:
    parts = [part for part in ENVELOPE if part.member != "unissued_fen"]
    rows = [
        Bar(one["name"], tuple(Part(words.gettext(part.name), part.tone, one[part.member]) for part in parts))
        for one in programmes
    ]
    title = words.gettext("What each programme has issued, and where it is")
    return Drawn(words).bars(title, words.gettext("A bar for each programme; the table has the figures."), rows)


def _tables(seen: Seen, asked: Asked, said: Mapping[str, Any], id_: str) -> tuple[Table, ...]:
    words = asked.words
    leads = {
        **dict.fromkeys(("unissued_fen", "available_fen", "reserved_fen", "paid_fen"), "#programmes"),
        **dict.fromkeys(("burned_fen", "withheld_fen"), "#owed"),
        "claimed_fen": "#waiting_claims",
        "receivable_fen": "#demands",
    }
    owed = sorted((row for row in said["owed"] if owing(row)), key=owing, reverse=True)[:OWED_SHOWN]
    owed_columns = (
        *("payee", "programme", "unclaimed_fen", "withheld_fen", "claimed_fen", "claims_open", "oldest_claimed_at"),
    )
    demands = said["demands"][:OWED_SHOWN]
    return (
        envelope_of(said["balance"]).table(words.gettext("All its envelopes, part by part"), words, leads),
        table_of("owed", words.gettext("To whom it owes, most first"), owed, words, columns=owed_columns),
        table_of("demands", words.gettext("What it asks back"), demands, words, columns=COLUMNS["demand"]),
        list_beside(seen, asked, "programme", "programmes", words.gettext("Its programmes"), treasury=id_),
        list_beside(seen, asked, "mandate", "mandates", words.gettext("What others may do for it"), treasury=id_),
    )


PAGES: Final = (PageRoute("/treasuries/{id}", "treasury.html", treasury),)
