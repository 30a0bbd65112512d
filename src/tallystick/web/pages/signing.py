"""What is signed in the browser: what waits for the reader's signature, a reservation, a claim; and an objection.

The server makes nothing to sign. It shows what waits in plain words, and the fields of a form; the page's script
(static/sign) builds the command's text, shows what that very text says, and signs it with a key that never leaves the
page. What the server shows may be wrong, the text that is signed isn't: docs/sign-in-a-browser.md.

An objection is no command: it is a letter, and stands nowhere in the log.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from tallystick.errors import NotFoundError
from tallystick.forms.amounts import yuan
from tallystick.forms.form import forms
from tallystick.forms.leaves import ENDS, Leaf
from tallystick.forms.times import zone_name
from tallystick.forms.words import Words, fields_of
from tallystick.vouchers.refusals import Reason
from tallystick.web.pages.page import Asked, Page, PageRoute
from tallystick.web.pages.words import N_
from tallystick.web.seen import ListKind, Seen
from tallystick.wire.statuses import HttpReason

CANDIDATES_MAX: Final = 200
"""Of things that a field may name."""
RESERVE: Final = "voucher.reserve/1"
CLAIM: Final = "redemption.claim/1"

_HINTS: Final[Mapping[str, str]] = {
    "YUAN": N_("An amount in yuan, like 1,500,000.00."),
    "TIME": N_("A time like 2026-12-31T18:00, or a day: its end. In the network's time, %(zone)s."),
    "DAY": N_("A day like 2026-01-31."),
    "FILE|HASH": N_("The hash of a document, if there is one: sha256: and 64 digits."),
}
_REASONS: Final = tuple([one.value for one in (*Reason, *HttpReason)])
"""Why a note isn't taken: what each means, the page's script says in the reader's language."""
_NEW: Final = frozenset({"reservation", "claim"})
"""What the party makes by the command: its id begins with the party's own."""


class Field(NamedTuple):
    """A field of a form.

    Attributes:
        name: of the command's member.
        metavar: what it holds, as static/sign/values.mjs knows it.
        is_end: whether a day means its end.
        is_required: whether it can't be left out.
        is_new: whether it is the id of what is made.
        hint: how it is written, in the reader's language.
        value: what it is filled with.
        candidates: ids that it may be, each with a few words.
    """

    name: str
    metavar: str
    is_end: bool
    is_required: bool
    is_new: bool
    hint: str
    value: str
    candidates: Sequence[tuple[str, str]]


class Waiting(NamedTuple):
    """A note that waits: what the API says of it, and its command in plain words; None if it can't be read."""

    said: Mapping[str, Any]
    words: Words | None


def waiting_page(seen: Seen, asked: Asked) -> Page:
    """Return what waits for the reader's signature."""
    title = asked.words.gettext("To be signed")
    return Page(title, _values(seen, asked) | {"waiting": [_in_words(seen, asked, one) for one in asked.waiting]})


def reserve_page(seen: Seen, asked: Asked) -> Page:
    """Return the form of a holder's reservation."""
    return _form_page(seen, asked, RESERVE, asked.words.gettext("Reserve of a voucher"), ("holder",))


def claim_page(seen: Seen, asked: Asked) -> Page:
    """Return the form of a payee's claim."""
    return _form_page(seen, asked, CLAIM, asked.words.gettext("Claim what was burned"), ("provider", "holder"))


def object_page(seen: Seen, asked: Asked) -> Page:
    """Return a letter by which a holder objects to a line, to be finished and sent by hand."""
    words, about = asked.words, {name: asked.query.get(name, "").strip() for name in ("entry", "line")}
    letter, statement = "", None
    if about["entry"].isascii() and about["entry"].isdecimal() and len(about["entry"]) <= _DIGITS_MAX:
        statement = _statement(seen, int(about["entry"]))
        line = about["line"] if about["line"].isascii() and about["line"].isdecimal() else "…"
        letter = _letter(seen, asked, statement, line)
    return Page(words.gettext("Object to a line"), {"about": about, "letter": letter, "statement": statement})


def _form_page(seen: Seen, asked: Asked, kind: str, title: str, roles: tuple[str, ...]) -> Page:
    party, role = _reader_of(seen)
    fields = [_field(seen, asked, name, leaf, is_required) for name, leaf, is_required in _leaves(kind)]
    return Page(title, _values(seen, asked) | {"kind": kind, "fields": fields, "may": bool(party) and role in roles})


def _values(seen: Seen, asked: Asked) -> dict[str, Any]:
    """Return what every page of these tells its script."""
    party, role = _reader_of(seen)
    zone, is_read_only = seen.utc_offset_seconds, asked.place.is_read_only
    return {"party": party, "role": role, "zone": zone, "is_read_only": is_read_only, "reasons": _REASONS}


def _reader_of(seen: Seen) -> tuple[str, str]:
    reader = seen.reader.reader
    return ("", "") if reader is None else (reader.party, reader.role)


@cache
def _leaves(kind: str) -> tuple[tuple[str, Leaf, bool], ...]:
    """Return the fields of a command that has no lists and no objects: name, what it holds, whether it is required."""
    options = forms()[kind].options
    return tuple(
        [
            (one.path[-1], one.shape, one.is_required)
            for one in options
            if isinstance(one.shape, Leaf) and not one.is_list
        ]
    )


def _field(seen: Seen, asked: Asked, name: str, leaf: Leaf, is_required: bool) -> Field:
    hint = _HINTS.get(leaf.metavar, "")
    return Field(
        name,
        leaf.metavar if leaf.metavar in ("YUAN", "TIME", "DAY") else "TEXT",
        name in ENDS,
        is_required,
        name in _NEW,
        asked.words.gettext(hint, zone=zone_name(seen.utc_offset_seconds)) if hint else "",
        asked.query.get(name, ""),
        _candidates(seen, name),
    )


def _candidates(seen: Seen, name: str) -> list[tuple[str, str]]:
    """Return what a field may name, as far as the reader sees it."""
    party, _ = _reader_of(seen)
    if not party:
        return []
    if name == "voucher":
        rows = seen.listed("voucher", CANDIDATES_MAX, holder=party).as_json()
        return [
            (row["voucher"], f"¥{yuan(row['available_fen'])} · {row['programme']}") for row in rows if _has_some(row)
        ]
    if name == "contract":
        rows = seen.listed("contract", CANDIDATES_MAX, holder=party).as_json()
        return [(row["contract"], row["provider"]) for row in rows]
    if name == "programme":
        kind: ListKind = "programme"
        return [(row["programme"], row.get("name") or "") for row in seen.listed(kind, CANDIDATES_MAX).as_json()]
    return []


def _has_some(voucher: Mapping[str, Any]) -> bool:
    return bool(voucher.get("available_fen"))


# -- plain words ------------------------------------------------------------------------------------------------------


def _in_words(seen: Seen, asked: Asked, said: Mapping[str, Any]) -> Waiting:
    fields = fields_of(str(said["text"]).encode())
    if fields is None:
        return Waiting(said, None)
    known: dict[tuple[str, str], str | None] = {}

    def name_of(kind: str, id_: str) -> str | None:
        if (kind, id_) not in known:
            known[kind, id_] = _name_of(seen, kind, id_)
        return known[kind, id_]

    return Waiting(said, asked.words.command(fields, seen.utc_offset_seconds, name_of))


def _name_of(seen: Seen, kind: str, id_: str) -> str | None:
    try:
        return seen.one(kind, id_)[kind]["balance"].get("name") or None
    except NotFoundError:
        return None


# -- an objection -----------------------------------------------------------------------------------------------------

_DIGITS_MAX: Final = 16
_STATEMENTS: Final = frozenset({"time.burned/1", "service.burned/1"})


class Statement(NamedTuple):
    """A provider's statement: its entry, who made it under which reference, and between whom the contract is."""

    entry: int
    provider: str
    ref: str
    contract: str
    holder: str


def _statement(seen: Seen, index: int) -> Statement:
    """Return the statement that an entry is.

    Raises:
        NotFoundError: there is none that the reader may read.
    """
    event = seen.entry(index).event
    command = event.command
    if event.kind not in _STATEMENTS:
        raise NotFoundError(f"entry {index} is no statement of what was burned")
    contract: str = getattr(command, "contract")  # noqa: B009 - both kinds have it
    holder = seen.one("contract", contract)["contract"]["balance"].get("holder", "")
    return Statement(index, command.party, command.ref, contract, holder)


def _letter(seen: Seen, asked: Asked, statement: Statement, line: str) -> str:
    """Return the letter, which is no note: what it is about, and where the reason is to be written."""
    said = asked.words.gettext
    about = {"provider": statement.provider, "contract": statement.contract, "ref": statement.ref, "line": line}
    about |= {"holder": statement.holder or seen.reader.name, "origin": seen.origin}
    lines = (
        said("To %(provider)s, and to the treasuries that pay under contract %(contract)s", **about),
        "",
        said(
            "%(holder)s objects to line %(line)s of statement %(ref)s (entry %(index)s of the log %(origin)s).",
            index=statement.entry,
            **about,
        ),
        "",
        said("Reason:"),
        "",
        "",
        said(
            "We ask the provider to take the line back (burn.reverse of statement %(ref)s, line %(line)s), and the "
            "treasuries to withhold what is claimed for it until this is settled.",
            **about,
        ),
        "",
        said("Read from the log at %(size)s entries, root %(root)s.", size=seen.size, root=seen.root.hex()),
        said("This letter is not recorded in the log."),
    )
    return "\n".join(lines) + "\n"


PAGES: Final = (
    PageRoute("/sign", "sign.html", waiting_page, "s", is_of_log=False, shows_waiting=True),
    PageRoute("/sign/reserve", "sign-command.html", reserve_page, is_of_log=False),
    PageRoute("/sign/claim", "sign-command.html", claim_page, is_of_log=False),
    PageRoute("/sign/object", "sign-object.html", object_page, is_of_log=False),
)
