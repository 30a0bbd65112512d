"""Lists of everything that a command names, page by page, narrowed by some of its members."""

from collections.abc import Mapping
from typing import Final

from tallystick.web.pages.cells import OF_THINGS, table_of
from tallystick.web.pages.page import Asked, Page, PageRoute
from tallystick.web.pages.words import N_
from tallystick.web.resources import LISTED_ALONE, RESOURCES
from tallystick.web.seen import LISTS, ListKind, Seen

_TITLES: Final[Mapping[ListKind, str]] = {
    "voucher": N_("Vouchers"),
    "holder": N_("Holders"),
    "programme": N_("Programmes"),
    "provider": N_("Providers"),
    "contract": N_("Contracts"),
    "application": N_("Applications"),
    "claim": N_("Claims"),
    "demand": N_("Demands"),
    "mandate": N_("Mandates"),
    "reservation": N_("Reservations"),
    "treasury": N_("Treasuries"),
    "party": N_("Parties"),
    "key": N_("Keys"),
    "item": N_("Items"),
    "tariff": N_("Tariffs"),
    "accreditation": N_("Accreditations"),
    "capacity": N_("Capacities"),
    "payee": N_("Payees"),
}
_LETTERS: Final[Mapping[str, str]] = {
    "treasuries": "t",
    "programmes": "p",
    "vouchers": "v",
    "holders": "h",
    "providers": "d",
    "claims": "c",
}


def _list_page(kind: ListKind, plural: str) -> PageRoute:
    def make(seen: Seen, asked: Asked) -> Page:
        title = asked.words.gettext(_TITLES[kind])
        narrowed = {name: asked.query[name] for name in LISTS[kind].filters if asked.query.get(name)}
        equal = {name: value == "true" if name == "closed" else value for name, value in narrowed.items()}
        found = seen.listed(kind, asked.rows_of(plural), after=asked.after(plural), **equal)
        none = asked.words.gettext("There are none that you may read.")
        kinds = OF_THINGS.get(kind, {})
        columns = LISTS[kind].columns
        table = table_of(plural, title, found.as_json(), asked.words, columns=columns, kinds=kinds, empty=none)
        return Page(title, {"list": plural, "narrowed": narrowed}, (table.going_on(found.after),))

    return PageRoute(f"/{plural}", "list.html", make, _LETTERS.get(plural, ""))


PAGES: Final = (
    *[_list_page(of.kind, of.plural) for of in RESOURCES],
    *[_list_page(kind, plural) for kind, plural in LISTED_ALONE],
)
