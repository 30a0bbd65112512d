"""Entries: the newest in short; and one with who signed what, what it came to, and its way up to a signed root.

The page of one is made of the log alone, so it is there where the views aren't: an entry that can't be read is shown as
it lies there. What the views know of it besides, who its keys are and what else was recorded of the same things, is
said where they can be asked.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tallystick.errors import LedgerError, MalformedError, NotFoundError, VerificationError
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.web.charts import Chart, Fold, ProofWords, Told, proof_path
from tallystick.web.pages.addresses import PLURALS
from tallystick.web.pages.cells import columns_of, kind_of, table_of
from tallystick.web.pages.page import Asked, CellKind, Column, Page, PageRoute, Table
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import Seen
from tallystick.web.seen_log import SeenLog, SeenProof

OTHERS_SHOWN: Final = 10
_SHOWN_APART: Final = frozenset({"kind", "log", "party", "ref", "signed_at", "groups"})
_CLASSES: Final = frozenset({"provider", "holder", "either", "contract"})
_BURNS: Final = frozenset({"time.burned/1", "service.burned/1"})
_MAIN_THINGS: Final = ("demand", "claim", "reservation", "application", "voucher", "contract", "mandate", "programme")
"""Of what an entry names, what it is mostly about, the most special first."""
_ROWS_OF: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("burn.reversed/1", "returned"): ("reservation", "returned_fen", "to"),
    ("book.expired/1", "rows"): ("what", "id", "left_fen", "to"),
    ("redemption.claimed/1", "rows"): ("contract", "amount_fen"),
}
"""The columns of an outcome's rows, which have no names of their own."""

_LINE: Final = (
    *("line", "day", "item", "job", "starts_at", "ends_at", "gpu_milliseconds", "quantity", "fee_fen"),
    *("absorbed_fen", "from_voucher_fen", "refused", "reversed"),
)

_SIGNATURES: Final = N_("Keys that signed")
_FOLDS: Final = N_("The proof, hash by hash")


class Fact(NamedTuple):
    """A member of a command or an outcome: its name's parts, how it is shown, its value."""

    names: tuple[str, ...]
    kind: CellKind
    value: Any


# -- the list ---------------------------------------------------------------------------------------------------------


def _entries(seen: Seen, asked: Asked) -> Page:
    words, query = asked.words, asked.query
    wanted = {name: query.get(name, "").strip() or None for name in ("kind", "party", "ref", "account")}
    concerning = wanted.pop("account")
    found = seen.recorded(asked.rows_of("entries"), before=asked.before("entries"), concerning=concerning, **wanted)
    title = words.gettext("Entries")
    columns = columns_of(("index", "at", "kind", "party", "ref"), words)
    none = words.gettext("No entry that you may read is like that.")
    table = Table("entries", title, columns, found.as_json(), after=found.before, empty=none)
    narrowed = {**wanted, "account": concerning}
    return Page(
        title,
        {"narrowed": narrowed, "is_narrowed": any(narrowed.values()), "kinds": event_kinds(words), "size": seen.size},
        (table,),
    )


def event_kinds(words: Words) -> list[tuple[str, str]]:
    """Return every kind of event with its words, in the order of these."""
    return sorted([(kind, words.kind(kind)) for kind in EVENT_KINDS.values()], key=lambda one: one[1])


# -- one entry --------------------------------------------------------------------------------------------------------


def _entry(seen: SeenLog, asked: Asked) -> Page:
    index = index_in(asked.path["index"], seen)
    data, entry = seen.entry_bytes(index)
    words = asked.words
    values: dict[str, Any] = {
        "index": index,
        "size": seen.size,
        "signed": signed_parts(data),
        "neighbours": _neighbours(seen, index),
        "is_readable": entry is not None,
        "others_of": None,
    }
    tables: list[Table] = []
    if entry is not None:
        values |= _said_values(seen, entry, data, words)
        said, came_to = _said_tables(entry, data, words), [*_outcome_tables(seen, entry, data, asked)]
        values |= {"said_tables": said, "outcome_tables": came_to}
        tables += [*said, *came_to]
        tables.append(_signatures(seen, entry, words))
        tables += _others(seen, entry, values, words)
    proof, fault = _proof(seen, index)
    values |= {"proof": proof, "proof_fault": fault, "drawn": None}
    if proof is not None:
        tables.append(folds_table(proof, words))
        values["drawn"] = draw(proof, index, words)
    title = words.gettext("Entry %(index)s", index=f"{index:,}")
    return Page(title, values, tables)


def index_in(text: str, seen: SeenLog) -> int:
    """Return the index that a path says.

    Raises:
        NotFoundError: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 16) or text != str(int(text)):
        raise NotFoundError(f"there is no entry {text!a:.40}")
    return int(text)


def signed_parts(data: bytes) -> tuple[str, str]:
    """Return an entry's header line and the note under it, as text to be shown; what isn't UTF-8 is replaced."""
    try:
        header, note = split_entry(data)
    except MalformedError:
        header, note = b"", data
    return header.decode("utf-8", "replace"), note.decode("utf-8", "replace")


def _neighbours(seen: SeenLog, index: int) -> tuple[int | None, int | None]:
    """Return the entries before and after; for a reader of some entries these may be others'."""
    if not seen.reader.reads_all:
        return None, None
    return (index - 1 if index else None), (index + 1 if index + 1 < seen.size else None)


# -- what it says, and what it came to --------------------------------------------------------------------------------


def _said_values(seen: SeenLog, entry: Entry, data: bytes, words: Words) -> dict[str, Any]:
    header, command = _json_of(entry, data)
    facts = [fact for fact in facts_of(command) if fact.names[0] not in _SHOWN_APART]
    outcome = [] if entry.event.kind in _BURNS else facts_of(header["outcome"])
    return {
        "kind": entry.event.kind,
        "at": header["at"],
        "command": command,
        "sentence": words.command(_without_lines(command), seen.utc_offset_seconds).sentence,
        "facts": facts,
        "outcome": outcome,
        "about": things_named(command),
    }


def _json_of(entry: Entry, data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON values of an entry's header and of its command."""
    header, note = split_entry(data)
    # The command was read before, so its text is JSON; its last line is the last before the signatures.
    text = note[: note.rindex(b"\n\n")]
    return json.loads(header), json.loads(text)


def facts_of(said: Mapping[str, Any], names: tuple[str, ...] = ()) -> list[Fact]:
    """Return the members of a JSON object that are no tables, those of objects within it too."""
    facts: list[Fact] = []
    for name, value in said.items():
        path = (*names, name)
        if isinstance(value, Mapping):
            facts += facts_of(value, path)
        elif isinstance(value, list):
            if value and all(isinstance(one, str | int) for one in value):
                facts.append(Fact(path, "text", ", ".join(map(str, value))))
        else:
            facts.append(Fact(path, _kind_of(name, value), value))
    return facts


def _kind_of(name: str, value: object) -> CellKind:
    if isinstance(value, bool):
        return "yes_no"
    if name in ("claimant", "payee") and value in _CLASSES:  # in a contract and a programme's rules
        return "payee_class"
    return kind_of(name)


def things_named(command: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the things that a command names, kind and id, once each, and the party that gave it last."""
    named = [
        (kind, str(fact.value))
        for fact in facts_of(command)
        if (kind := fact.kind) in PLURALS and kind != "entry" and fact.names[0] != "party" and fact.value
    ]
    return [*dict.fromkeys([*named, ("party", command["party"])])]


def _without_lines(command: Mapping[str, Any]) -> dict[str, Any]:
    """Return a command without what no sentence says of it: the lines of a statement, which may be many."""
    return {**command, "groups": []} if "groups" in command else dict(command)


def _said_tables(entry: Entry, data: bytes, words: Words) -> list[Table]:
    """Return a table of each list of objects in a command."""
    _, command = _json_of(entry, data)
    return [
        table_of(f"said-{name}", words.member(name), rows, words)
        for name, rows in command.items()
        if name != "groups" and isinstance(rows, list) and rows and all(isinstance(one, Mapping) for one in rows)
    ]


def _outcome_tables(seen: SeenLog, entry: Entry, data: bytes, asked: Asked) -> Iterable[Table]:
    (header, _), words = _json_of(entry, data), asked.words
    event_kind = entry.event.kind
    if event_kind in _BURNS:
        yield asked.part_of(_lines(seen, entry, words))
    for name, rows in header["outcome"].items():
        columns = _ROWS_OF.get((event_kind, name))
        if columns is not None and rows:
            named = [dict(zip(columns, row, strict=True)) for row in rows]
            yield asked.part_of(
                table_of(f"outcome-{name}", words.gettext("What it came to"), named, words, columns=columns)
            )


def _lines(seen: SeenLog, entry: Entry, words: Words) -> Table:
    rows = seen.lines(entry)
    shown = [name for name in _LINE if name == "line" or any(row[name] not in (None, 0, False) for row in rows)]
    refused = sum(row["refused"] is not None for row in rows)
    caption = words.ngettext("%(num)s line", "%(num)s lines", len(rows))
    if refused:
        caption = words.gettext("%(lines)s, of them %(refused)s refused", lines=caption, refused=f"{refused:,}")
    return table_of("lines", caption, rows, words, columns=shown)


# -- who signed -------------------------------------------------------------------------------------------------------


def _signatures(seen: SeenLog, entry: Entry, words: Words) -> Table:
    labels = [one.label for one in Note.from_bytes(split_entry(entry.data)[1]).signatures]
    known = seen.in_views(lambda views: {label: _key_in(views, label) for label in labels}) or {}
    rows = [{"key": label} | _standing(known.get(label), entry, seen.size, words) for label in labels]
    columns = (
        Column("key", words.gettext("Key"), "key"),
        Column("party", words.gettext("Party"), "party"),
        Column("purpose", words.gettext("For")),
        Column("then", words.gettext("When it signed")),
        Column("now", words.gettext("Now"), "status"),
    )
    return Table("signatures", words.gettext(_SIGNATURES), columns, rows)


def _key_in(views: Seen, label: str) -> Mapping[str, Any] | None:
    try:
        balance: Mapping[str, Any] = views.one("key", label)["key"]["balance"]
    except NotFoundError:
        return None
    return balance


def _standing(key: Mapping[str, Any] | None, entry: Entry, size: int, words: Words) -> dict[str, Any]:
    if key is None:
        return {"then": words.gettext("not known here")}
    index, at = entry.event.index, entry.event.at
    revoked = key["revoked_index"]
    if key["added_index"] > index:
        then = words.gettext("not added yet")
    elif revoked is not None and revoked < index:
        then = words.gettext("revoked before, by entry %(index)s", index=f"{revoked:,}")
    elif parse_instant(key["counts_from"]) > at:
        then = words.gettext("added with this entry, or before it counted")
    elif key["compromised_since"] is not None and parse_instant(key["compromised_since"]) <= at:
        then = words.gettext("active; later said to be compromised at that time")
    else:
        then = words.gettext("active")
    now = "active" if revoked is not None and revoked >= size else key["status"]  # of an earlier time
    return {"party": key["party"], "purpose": words.purpose(key["purpose"]), "then": then, "now": now}


# -- others -----------------------------------------------------------------------------------------------------------


def _others(seen: SeenLog, entry: Entry, values: dict[str, Any], words: Words) -> Iterable[Table]:
    things = dict(reversed(values["about"]))
    kind = next((kind for kind in _MAIN_THINGS if kind in things), None)
    name = f"party {entry.event.command.party}" if kind is None else f"{kind} {things[kind]}"
    by_party = kind is None

    def ask(views: Seen) -> list[dict[str, Any]]:
        if by_party:
            return views.recorded(OTHERS_SHOWN, before=seen.size, party=entry.event.command.party).as_json()
        return views.recorded(OTHERS_SHOWN, before=seen.size, concerning=name).as_json()

    rows = [row for row in seen.in_views(ask) or [] if row["index"] != entry.event.index]
    if not rows:
        return
    values["others_of"] = None if by_party else name
    caption = words.gettext("Newest entries of %(thing)s", thing=name.partition(" ")[2])
    yield Table("others", caption, columns_of(("index", "at", "kind", "party", "ref"), words), rows)


# -- its proof --------------------------------------------------------------------------------------------------------


def _proof(seen: SeenLog, index: int) -> tuple[SeenProof | None, str]:
    """Return the proof, or why there is none, in words."""
    try:
        return seen.proof(index), ""
    except (LedgerError, MalformedError, VerificationError) as error:
        return None, str(error)


def draw(proof: SeenProof, index: int, words: Words) -> Chart:
    """Draw the way from an entry's hash up to the root."""
    size = f"{proof.size:,}"
    folds = [Fold(one.sibling.hex(), "left" if one.is_left else "right", one.result.hex()) for one in proof.folds]
    told = Told(
        words.gettext("The proof of entry %(index)s", index=f"{index:,}"),
        words.ngettext(
            "Hashed with %(num)s other hash, the entry's hash gives the root of the tree of %(size)s entries.",
            "Hashed with %(num)s other hashes, one after the other, the entry's hash gives the root of the tree of "
            "%(size)s entries.",
            len(folds),
            size=size,
        ),
    )
    said = ProofWords(
        words.gettext("Hash of entry %(index)s", index=f"{index:,}"),
        words.gettext("Root of %(size)s entries", size=size),
    )
    return proof_path(told, leaf=proof.leaf.hex(), folds=folds, root=proof.root.hex(), words=said)


def folds_table(proof: SeenProof, words: Words) -> Table:
    """Return the steps of a proof as a table."""
    sides = {True: words.gettext("on the left"), False: words.gettext("on the right")}
    rows = [
        {"level": level, "sibling_hash": one.sibling.hex(), "side": sides[one.is_left], "result_hash": one.result.hex()}
        for level, one in enumerate(proof.folds, start=1)
    ]
    columns = (
        Column("level", words.gettext("Step")),
        Column("sibling_hash", words.gettext("Hash beside"), "hash"),
        Column("side", words.gettext("Where it stands")),
        Column("result_hash", words.gettext("Hash over both"), "hash"),
    )
    none = words.gettext("The tree has this one entry alone: its hash is the root.")
    return Table("proof", words.gettext(_FOLDS), columns, rows, empty=none)


PAGES: Final[Sequence[PageRoute]] = (
    PageRoute("/entries", "entries.html", _entries, "e"),
    PageRoute("/entries/{index}", "entry.html", _entry, is_log_alone=True, asks_views=True),
)
