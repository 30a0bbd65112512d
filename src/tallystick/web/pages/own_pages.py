"""`/me`: what the reader itself has to look at, by its role; who hasn't logged in is told how."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.web.pages.cells import columns_of, table_of
from tallystick.web.pages.holder_pages import SOON_DAYS, holder_tables, holder_values
from tallystick.web.pages.lists_beside import ROWS_BESIDE
from tallystick.web.pages.page import Asked, Page, PageRoute, Table
from tallystick.web.pages.provider_pages import owed_fen, provider_tables
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen
from tallystick.wire.resources import rows

_SEALED: Final = "book.sealed/1"
_ENTRY: Final = ("index", "at", "kind", "party", "ref")

Part = tuple[dict[str, Any], list[Table]]


def _me(seen: Seen, asked: Asked) -> Page:
    words, reader = asked.words, seen.reader.reader
    title = words.gettext("Your page")
    if reader is None:
        return Page(title, {"party": "", "role": ""})
    values, tables = _BY_ROLE.get(reader.role, _others)(seen, asked, reader.party)
    own = seen.recorded(ROWS_BESIDE, before=asked.before("own"), party=reader.party)
    caption = words.gettext("Commands that you gave, the newest first")
    none = words.gettext("You have given no command yet.")
    columns = columns_of(("index", "at", "kind", "ref"), words)
    tables.append(Table("own", caption, columns, own.as_json(), own.before, none))
    return Page(title, {"party": reader.party, "role": reader.role, **values}, tables)


def _holder(seen: Seen, asked: Asked, party: str) -> Part:
    balance = seen.summary("holder", party)["holder"]["balance"]
    values = {"balance": balance, "soon_days": SOON_DAYS, **holder_values(seen, party, balance)}
    return values, holder_tables(seen, asked, party)


def _provider(seen: Seen, asked: Asked, party: str) -> Part:
    said: Mapping[str, Any] = seen.summary("provider", party)["provider"]
    values = {"balance": said["balance"], "owed_fen": owed_fen(said["balance"])}
    return values, provider_tables(seen, asked, party, said)


def _treasury(seen: Seen, asked: Asked, party: str) -> Part:
    waiting = seen.waiting("treasury", party, SOON_DAYS)
    return {"waiting": waiting, "soon_days": SOON_DAYS}, _waiting_tables(waiting, asked.words)


def _reads_all(seen: Seen, asked: Asked, _: str) -> Part:
    words = asked.words
    waiting = seen.waiting("network", None, SOON_DAYS)
    sealed = seen.recorded(ROWS_BESIDE, before=asked.before("seals"), kind=_SEALED)
    none = words.gettext("The books were never sealed.")
    caption = words.gettext("Seals of the books, the newest first")
    seals = Table("seals", caption, columns_of(_ENTRY, words), sealed.as_json(), sealed.before, none)
    return {"waiting": waiting, "size": seen.size, "root": seen.root.hex()}, [seals, *_waiting_tables(waiting, words)]


def _others(_seen: Seen, _asked: Asked, _party: str) -> Part:
    return {}, []


def _waiting_tables(waiting: Any, words: Words) -> list[Table]:  # noqa: ANN401 - as `Seen.waiting` gives it
    """Return what waits for a decision, the oldest first, and what ends soon."""
    captions = {
        "claims": words.gettext("Claims that wait for settlement, the oldest first"),
        "applications": words.gettext("Open applications, the oldest first"),
        "vouchers": words.gettext("Vouchers that end soon with something left"),
        "mandates": words.gettext("Mandates that end soon"),
        "programmes": words.gettext("Programmes that close soon"),
    }
    none = words.gettext("There are none.")
    found = {name: rows(getattr(waiting, name).rows) for name in captions}
    return [table_of(name, caption, found[name], words, empty=none) for name, caption in captions.items()]


_BY_ROLE: Final[Mapping[str, Callable[[Seen, Asked, str], Part]]] = {
    "holder": _holder,
    "provider": _provider,
    "treasury": _treasury,
    "auditor": _reads_all,
    "network": _reads_all,
    "operator": _reads_all,
}

PAGES: Final = (PageRoute("/me", "me.html", _me, "m"),)
