"""The network at a glance: where the money of every city is, which clusters gave how much, what waits, what is new.

Who may read all sees the network; who may read its own sees that, and is told so. A network without a programme says
what is there, and what comes next.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tallystick.web.charts import Bar, Chart, Part
from tallystick.web.pages.by_day import ByDay
from tallystick.web.pages.cells import columns_of, table_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.envelopes import ENVELOPE, added_up, basis_points, envelope_of, owed_of, used_of
from tallystick.web.pages.page import Asked, Column, Page, PageRoute, Table
from tallystick.web.pages.usage_tables import domestic_of_rows, providers_chart, providers_table
from tallystick.web.pages.waiting_lists import waiting_tables, waits_of
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import ListKind, Seen

CITIES_SHOWN: Final = 200
PROVIDERS_SHOWN: Final = 200
BARS_SHOWN: Final = 10
"""Of treasuries, those with the most; the table has all."""
ENTRIES_SHOWN: Final = 10
WAITING_SHOWN: Final = 5
"""Of each list of what waits; the page of a treasury has more of its own."""
_WAIT: Final = ("treasury", "provider", "holder")
_STEPS: Final[tuple[tuple[ListKind, str, str], ...]] = (
    ("treasury", N_("Treasuries are admitted"), "/treasuries"),
    ("provider", N_("Providers are admitted"), "/providers"),
    ("holder", N_("Holders are admitted"), "/holders"),
    ("item", N_("Items are registered: what is metered and paid for"), "/items"),
    ("tariff", N_("Providers publish tariffs"), "/tariffs"),
    ("programme", N_("A treasury opens a programme with its envelope and rules"), "/programmes"),
    ("accreditation", N_("It accredits providers"), "/accreditations"),
    ("contract", N_("Holders and providers sign contracts"), "/contracts"),
    ("voucher", N_("Vouchers are issued to holders"), "/vouchers"),
)
"""What a network needs until something can be burned, in its order: the list, what is said, its page."""


class Step(NamedTuple):
    """A step of a network's beginning: what is said, where it leads, whether it is done."""

    sentence: str
    path: str
    is_done: bool


def network(seen: Seen, asked: Asked) -> Page:
    """Return the network at a glance, or what of it the reader may see."""
    words, reader = asked.words, seen.reader
    cities = seen.balances("treasury", CITIES_SHOWN).as_json()
    total = added_up(cities)
    has_programme = bool(seen.listed("programme", 1).rows)
    values: dict[str, Any] = {
        "reads_all": reader.reads_all,
        "name": reader.name,
        "role": reader.reader.role if reader.reader else "",
        "total": total,
        "cities": len(cities),
        "has_programme": has_programme,
        "steps": [] if has_programme else _steps(seen, words),
    }
    tables = [_entries(seen, words)]
    if cities and total["envelope_fen"]:
        values |= {"envelope": envelope_of(total), "owed_fen": owed_of(total), "used_fen": used_of(total)}
        values["bars"] = _bars(cities, words)
        caption = words.gettext("All envelopes, part by part")
        tables += [_by_city(cities, words), values["envelope"].table(caption, words, {})]
    if reader.reads_all and has_programme:
        by_day = ByDay.of(seen.days("network"))
        values["year"] = by_day.issued(words, words.gettext("What all have issued, day by day"))
        tables.append(by_day.table("days", words.gettext("The network's money at each day's end"), words))
    usage = seen.usage_rows("provider")
    values["domestic"] = domestic_of_rows(usage)
    values["clusters"] = providers_chart(usage, words, BARS_SHOWN)
    tables.append(providers_table(seen.balances("provider", PROVIDERS_SHOWN).as_json(), usage, words))
    waiting = _waiting(seen)
    if waiting is not None:
        values |= {"waits": waits_of(waiting, words), "seals": waiting.seals}
        tables += waiting_tables(waiting, words, WAITING_SHOWN)
    tables += _own(seen, words)
    title = words.gettext("The network at a glance") if reader.reads_all else words.gettext("What concerns you")
    return Page(title, values, tables)


def _steps(seen: Seen, words: Words) -> list[Step]:
    return [Step(words.gettext(said), path, bool(seen.listed(kind, 1).rows)) for kind, said, path in _STEPS]


def _bars(cities: Sequence[Mapping[str, Any]], words: Words) -> Chart:
    """Return a bar for each city that has issued anything, the largest first: where that is now."""
    parts = [part for part in ENVELOPE if part.member != "unissued_fen"]
    rows = [
        Bar(city["name"], tuple(Part(words.gettext(part.name), part.tone, city[part.member]) for part in parts))
        for city in cities
    ]
    rows = sorted((bar for bar in rows if bar.value), key=lambda bar: -bar.value)[:BARS_SHOWN]
    title = words.gettext("What each city has issued, and where it is")
    return Drawn(words).bars(title, words.gettext("A bar for each treasury; the table has the figures."), rows)


def _by_city(cities: Sequence[Mapping[str, Any]], words: Words) -> Table:
    rows = [
        {
            **city,
            "issued_fen": city["envelope_fen"] - city["unissued_fen"],
            "used_fen": used_of(city),
            "issued_bp": basis_points(city["envelope_fen"] - city["unissued_fen"], city["envelope_fen"]),
        }
        for city in cities
    ]
    columns = (
        *columns_of(("treasury", "name", "envelope_fen"), words),
        Column("issued_fen", words.gettext("Issued, net"), "yuan"),
        Column("issued_bp", words.gettext("Share issued"), "share"),
        Column("used_fen", words.gettext("Burned"), "yuan"),
        *columns_of(("owed_fen", "paid_fen", "receivable_fen"), words),
    )
    return Table("cities", words.gettext("By treasury"), columns, rows)


def _waiting(seen: Seen) -> Any:  # noqa: ANN401 - what waits, or None
    """Return what waits: of all, or of who is logged in; None of who has nothing to wait for."""
    if seen.reader.reads_all:
        return seen.waiting("network")
    reader = seen.reader.reader
    return seen.waiting(reader.role, reader.party) if reader and reader.role in _WAIT else None


def _own(seen: Seen, words: Words) -> list[Table]:
    """Return the vouchers that a reader sees that doesn't see all."""
    if seen.reader.reads_all:
        return []
    found = seen.balances("voucher", ENTRIES_SHOWN).as_json()
    columns = (
        "voucher",
        "programme",
        "status",
        "valid_until",
        "face_fen",
        "available_fen",
        "reserved_fen",
        "burned_fen",
    )
    return [table_of("vouchers", words.gettext("Vouchers that you may see"), found, words, columns=columns)]


def _entries(seen: Seen, words: Words) -> Table:
    """Return the newest entries; of who doesn't see all, those that it commanded itself."""
    own = None if seen.reader.reads_all else seen.reader.name
    caption = words.gettext("The newest entries") if seen.reader.reads_all else words.gettext("Your newest entries")
    found = seen.recorded(ENTRIES_SHOWN, party=own).as_json()
    return Table("entries", caption, columns_of(("index", "at", "kind", "party", "ref"), words), found)


PAGES: Final = (PageRoute("/", "network.html", network, "n"),)
