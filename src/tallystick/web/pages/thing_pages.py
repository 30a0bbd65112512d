"""A page of any one thing: its balance, and the lists beside it as tables. Kinds with more have a page of theirs."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from tallystick.web.pages.addresses import PLURALS
from tallystick.web.pages.cells import OF_THINGS, kind_of, table_of
from tallystick.web.pages.page import Asked, CellKind, Page, PageRoute, Table
from tallystick.web.resources import RESOURCES
from tallystick.web.seen import Seen

_HEAD: Final = "balance"


def thing_route(kind: str) -> PageRoute:
    """Return the page of one thing of a kind."""
    is_owned = next(of.is_owned for of in RESOURCES if of.kind == kind)

    def make(seen: Seen, asked: Asked) -> Page:
        id_ = asked.owned_id if is_owned else asked.path["id"]
        return page_of_thing(kind, id_, seen.one(kind, id_)[kind], asked)

    return PageRoute(f"/{PLURALS[kind]}/" + ("{owner}/{number}" if is_owned else "{id}"), "thing.html", make)


def page_of_thing(kind: str, id_: str, said: Mapping[str, Any], asked: Asked) -> Page:
    """Return the page of what a thing's JSON says."""
    facts = [
        (name, _how(kind, name), value) for name, value in said[_HEAD].items() if name != kind and _is_plain(value)
    ]
    name = said[_HEAD].get("name")
    return Page(name or id_, {"kind": kind, "id": id_, "facts": facts}, tables_of(said, asked))


def tables_of(said: Mapping[str, Any], asked: Asked, without: Collection[str] = ()) -> tuple[Table, ...]:
    """Return a table of each list of a thing's JSON."""
    return tuple(
        [
            table_of(name, asked.words.member(name), rows, asked.words, kinds=OF_THINGS.get(name.removesuffix("s"), {}))
            for name, rows in said.items()
            if isinstance(rows, list | tuple) and name not in without and rows and isinstance(rows[0], Mapping)
        ]
    )


def _how(kind: str, name: str) -> CellKind:
    return OF_THINGS.get(kind, {}).get(name) or kind_of(name)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int)


PAGES: Final = tuple([thing_route(of.kind) for of in RESOURCES])
