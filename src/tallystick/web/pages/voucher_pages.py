"""The page of a voucher: what is left of it and until when, where the rest went, and what happened to it."""

from dataclasses import asdict
from datetime import date
from typing import Any, Final, NamedTuple

from tallystick.web.charts import Chart, Event, Mark
from tallystick.web.pages.by_day import ByDay, days_of
from tallystick.web.pages.cells import table_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.envelopes import MoneyPart, Whole
from tallystick.web.pages.lists_beside import list_beside
from tallystick.web.pages.page import Asked, Column, Page, PageRoute, Table
from tallystick.web.pages.timelines import happened
from tallystick.web.pages.windows import Window, local_day
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import Seen

FACE: Final = (
    MoneyPart("available_fen", N_("Available"), N_("Can be reserved or transferred."), "available"),
    MoneyPart("reserved_fen", N_("Reserved"), N_("Set aside for a provider; use is burned of it."), "reserved"),
    MoneyPart("burned_fen", N_("Burned"), N_("Paid for use; it becomes a claim on the treasury."), "burned"),
    MoneyPart("transferred_fen", N_("Passed on"), N_("Became vouchers of other holders."), "issued"),
    MoneyPart("returned_fen", N_("Returned"), N_("Went back to the programme when the voucher ended."), "other"),
)
"""Where a voucher's face value is."""
EVENTS_SHOWN: Final = 20
_PART: Final = ("voucher", "holder", "status", "face_fen", "available_fen", "burned_fen")
_ENDED: Final = ("revoked", "expired")


class Next(NamedTuple):
    """What happens next to a voucher: a sentence, and when, as RFC 3339; empty if no time is set."""

    sentence: str
    at: str = ""


def voucher(seen: Seen, asked: Asked) -> Page:
    """Return the page of a voucher: all of it, or its terms."""
    id_ = asked.owned_id
    said = seen.summary("voucher", id_)["voucher"]
    balance = said["balance"]
    values: dict[str, Any] = {
        "id": id_,
        "balance": balance,
        "window": Window.of(seen, local_day(seen, balance["valid_from"]), balance["valid_until"]),
        "sees_all": seen.sees_all_of("voucher", id_),
    }
    if not values["sees_all"]:
        return Page(id_, values)
    words, face = asked.words, Whole("face", balance["face_fen"], [(part, balance[part.member]) for part in FACE])
    leads = {"reserved_fen": "#reservations", "burned_fen": "#life", "transferred_fen": "#parts"}
    timeline = seen.timeline("voucher", id_, asked.rows_of("events", EVENTS_SHOWN), asked.before("events"))
    events = [asdict(line) for line in timeline.lines]
    window: Window = values["window"]
    by_day = ByDay.of(seen.days("voucher", id_, *days_of(window)), window.last)
    newest = by_day.rows[-1]
    values |= {
        "face": face,
        "owed_fen": newest["owed_fen"],
        "paid_fen": newest["paid_fen"],
        "days": by_day.issued(words, words.gettext("The voucher, day by day")) if window.gone else "",
        "next": _next(balance, words),
        "events": happened(seen, events[:EVENTS_SHOWN], id_, words),
        "events_before": timeline.next,
        "life": _life(seen, events, window, words) if timeline.next is None and asked.before("events") is None else "",
    }
    tables = (
        face.table(words.gettext("The face value, part by part"), words, leads),
        list_beside(seen, asked, "reservation", "reservations", words.gettext("Reservations"), voucher=id_),
        table_of("parts", words.gettext("Vouchers that it was passed on as"), said["parts"], words, columns=_PART),
        _events_table(events, words),
        by_day.table("days", words.gettext("The voucher at each day's end"), words),
    )
    return Page(id_, values, tables)


def _next(balance: dict[str, Any], words: Words) -> Next:
    """Return what happens next, by the state that the voucher is in."""
    status = balance["status"]
    if status in _ENDED:
        return Next(words.gettext("It has ended; nothing more happens to it."))
    if status == "over":
        return Next(words.gettext("Its validity is over; what is left goes back to the programme when that is booked."))
    if status == "not_yet_valid":
        return Next(words.gettext("It becomes valid"), balance["valid_from"])
    if status == "suspended":
        return Next(words.gettext("It is suspended; if it isn't resumed, its validity ends"), balance["valid_until"])
    return Next(words.gettext("Its validity ends, and what isn't used goes back"), balance["valid_until"])


def _life(seen: Seen, events: list[dict[str, Any]], window: Window, words: Words) -> Chart:
    """Return what happened to a voucher on a strip: of one whose events are all on the page."""
    days = [(date.fromisoformat(local_day(seen, event["at"])), words.kind(event["kind"])) for event in reversed(events)]
    since, until = min([window.first, *(day for day, _ in days)]), max([window.last, *(day for day, _ in days)])
    return Drawn(words).life(
        words.gettext("What happened to the voucher"),
        words.gettext("A lane for each kind of event; the list below has them one by one."),
        [Event(day, label) for day, label in days],
        since=since,
        until=until,
        today=Mark(words.gettext("Today"), window.today),
    )


def _events_table(events: list[dict[str, Any]], words: Words) -> Table:
    """Return the events as CSV has them."""
    columns = (
        Column("index", words.member("index"), "entry"),
        Column("at", words.member("at"), "instant"),
        Column("kind", words.member("kind"), "event_kind"),
        Column("party", words.member("party"), "party"),
        Column("ref", words.member("ref")),
        Column("amount_fen", words.member("amount_fen"), "yuan"),
        Column("available_fen", words.member("available_fen"), "yuan"),
    )
    return Table("events", words.gettext("What happened to it, newest first"), columns, events)


PAGES: Final = (PageRoute("/vouchers/{owner}/{number}", "voucher.html", voucher),)
