"""What a text leads to: at once to one thing that matches exactly, else all that was found; else what can be found."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tallystick.errors import NotFoundError
from tallystick.web.pages.addresses import address_of
from tallystick.web.pages.page import Asked, Page, PageRoute
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import QUERY_MAX, Hit, Seen

_BY: Final[Mapping[str, str]] = {
    "id": N_("its id"),
    "index": N_("its index"),
    "ref": N_("its reference"),
    "name": N_("its name"),
    "uscc": N_("its credit code"),
    "key": N_("its key"),
    "hash": N_("a hash"),
    "job": N_("a job in it"),
    "item": N_("its item"),
    "checkpoint": N_("a checkpoint's root"),
    "beginning": N_("begins like that"),
}
_FOUND_BY: Final = (
    (N_("An id"), "shanghai-treasury/v-1"),
    (N_("An entry's index"), "7711"),
    (N_("A party's reference"), "doc-00012"),
    (N_("A party's name or credit code"), "91310000MA1FL0XX0X"),
    (N_("A key"), "amber-loom/finance-1+0ebb39de"),
    (N_("A hash of an entry or a document"), "sha256:45f5bf92…"),
    (N_("A job"), "job-10116"),
)
_NOT_EXACT: Final = frozenset({"beginning", "name"})
_ROLES: Final = frozenset({"holder", "provider", "treasury"})
"""Of parties, those that have a page by their role."""


class Found(NamedTuple):
    """A hit as it is shown: what it is, its id, where it is, and what of it matches."""

    kind: str
    id: str
    path: str
    by: str


def _search(seen: Seen, asked: Asked) -> Page:
    words, text = asked.words, asked.query.get("q", "").strip()
    is_too_long = len(text) > QUERY_MAX
    hits = [] if is_too_long or not text else seen.search(text)
    found = [_found(seen, hit, words) for hit in hits]
    exact = [one for one, hit in zip(found, hits, strict=True) if hit.by not in _NOT_EXACT]
    title = words.gettext("Search")
    if len(exact) == 1:
        return Page(title, leads_to=asked.to(exact[0].path))
    values: dict[str, Any] = {
        "q": text,
        "hits": found,
        "is_too_long": is_too_long,
        "length_max": QUERY_MAX,
        "can_be_found": [(words.gettext(what), example) for what, example in _FOUND_BY],
    }
    return Page(title, values)


def _found(seen: Seen, hit: Hit, words: Words) -> Found:
    kind = hit.kind
    if kind == "party":
        kind = _role_in(seen, hit.id)
    by = _BY.get(hit.by)
    return Found(kind, hit.id, address_of(kind, hit.id), words.gettext(by) if by else hit.by)


def _role_in(seen: Seen, party: str) -> str:
    """Return the kind of the page that a party is best shown by."""
    try:
        role: str = seen.one("party", party)["party"]["balance"]["role"]
    except NotFoundError:
        return "party"
    return role if role in _ROLES else "party"


PAGES: Final = (PageRoute("/search", "search.html", _search),)
