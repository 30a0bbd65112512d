"""What a text that somebody has may be: an id, a name, a credit code, a key, a reference, an index, a hash, a job.

What matches exactly comes first, then ids and names that begin so. The views find most of it by their indexes. Two
things are too many to be indexed and are looked for in the log itself: an entry's leaf hash among all of them, a job in
the newest statements.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from tallystick.publishing.reader import Reader
from tallystick.signing.canonical_json import encode
from tallystick.signing.keys import VerifierKey
from tallystick.transparency.encoding import hash_from_text
from tallystick.views.applications import APPLICATIONS
from tallystick.views.balances import PARTIES, RESERVATIONS, VOUCHERS
from tallystick.views.catalogue import ITEMS
from tallystick.views.claims import CLAIMS
from tallystick.views.contract_payments import CONTRACTS
from tallystick.views.demands import DEMANDS
from tallystick.views.entry_index import RECORDED, entries_concerning
from tallystick.views.library import SQLiteCursor
from tallystick.views.mandates import MANDATES
from tallystick.views.parties import KEYS, PARTY_TERMS
from tallystick.views.programme_balances import PROGRAMMES
from tallystick.views.provider_statement import STATEMENTS
from tallystick.views.view_tables import Table

HITS_MAX: Final = 20
QUERY_MAX: Final = 200
STATEMENTS_LOOKED_AT_MAX: Final = 2_000
LINES_LOOKED_AT_MAX: Final = 20_000
HASHES_LOOKED_AT_MAX: Final = 2_000_000
_HASHES_AT_ONCE: Final = 65_536
_HEX: Final = re.compile("[0-9a-f]{64}")

_BY_ID: Final[tuple[tuple[str, Table[Any], str], ...]] = (
    ("party", PARTIES, "party"),
    ("programme", PROGRAMMES, "programme"),
    ("voucher", VOUCHERS, "voucher"),
    ("contract", CONTRACTS, "contract"),
    ("claim", CLAIMS, "claim"),
    ("application", APPLICATIONS, "application"),
    ("reservation", RESERVATIONS, "reservation"),
    ("demand", DEMANDS, "demand"),
    ("mandate", MANDATES, "mandate"),
    ("item", ITEMS, "item"),
    ("key", KEYS, "label"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a text leads to.

    Attributes:
        kind: of the thing, or `entry`.
        id: of the thing, or the entry's index.
        by: what of it matches: `id`, `index`, `ref`, `name`, `uscc`, `key`, `hash`, `job`, or `beginning`.
    """

    kind: str
    id: str
    by: str


def hits_in_views(c: SQLiteCursor, text: str, size: int) -> Iterator[Hit]:
    """Yield what a text leads to by the views' indexes, what matches exactly first.

    Args:
        c: reads the views.
        text: what somebody has.
        size: how many entries the views are of.
    """
    for kind, table, column in _BY_ID:
        if table.rows(c, **{column: text}):
            yield Hit(kind, text, "id")
    if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < size:
        yield Hit("entry", str(int(text)), "index")
    for row in islice(reversed(RECORDED.rows(c, ref=text)), HITS_MAX):
        yield Hit("entry", str(row.entry_index), "ref")
    yield from _by_who_it_is(c, text)
    for index in islice(reversed(entries_concerning(c, f"document {text}")), HITS_MAX):
        yield Hit("entry", str(index), "hash")
    for kind, table, column in _BY_ID:
        for found in _beginning(c, table, column, text):
            yield Hit(kind, found, "beginning")


def statement_with_job(
    c: SQLiteCursor, text: str, entries: Callable[[Iterable[int]], Iterator[bytes]]
) -> Iterator[Hit]:
    """Yield the newest statements that have a job, of those that are looked at.

    Args:
        c: reads the views.
        text: the job.
        entries: reads entries of the log.

    Raises:
        NotALedgerError: one can't be read.
    """
    c.execute(
        f"SELECT entry_index, lines_accepted + lines_refused FROM {STATEMENTS.name} ORDER BY entry_index DESC LIMIT ?",  # noqa: S608 - our own name
        (STATEMENTS_LOOKED_AT_MAX,),
    )
    job = encode(text)
    looked_at = 0
    for index, lines in c.fetchall():
        looked_at += lines
        if looked_at > LINES_LOOKED_AT_MAX:
            break
        if job in next(entries([index])):
            yield Hit("entry", str(index), "job")


def entry_with_leaf_hash(text: str, log: Reader) -> Iterator[Hit]:
    """Yield the entry that has a leaf hash, in base64 or hexadecimal, of the newest that are looked at."""
    wanted, size = hash_in(text), log.size
    if wanted is None:
        return
    for stop in range(size, max(0, size - HASHES_LOOKED_AT_MAX), -_HASHES_AT_ONCE):
        first = max(0, stop - _HASHES_AT_ONCE)
        for place, value in enumerate(log.leaf_hashes(first, stop)):
            if value == wanted:
                yield Hit("entry", str(first + place), "hash")


def hash_in(text: str) -> bytes | None:
    """Return the hash of 32 bytes that a text is, None if it is none."""
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    try:
        return hash_from_text(text.encode())
    except ValueError:
        return None


def _by_who_it_is(c: SQLiteCursor, text: str) -> Iterator[Hit]:
    for row in PARTIES.rows(c):
        if row.name == text:
            yield Hit("party", row.party, "name")
    for terms in PARTY_TERMS.rows(c):
        if terms.uscc == text:
            yield Hit("party", terms.party, "uscc")
        if terms.profile_hash == text:
            yield Hit("party", terms.party, "hash")
    if "+" in text or len(text) == 8:
        for key in KEYS.rows(c):
            if text in (key.vkey, f"{key.label}", f"{VerifierKey.from_text(key.vkey).key_id.hex()}"):
                yield Hit("key", key.label, "key")
    for row in PARTIES.rows(c):
        if row.name != text and row.name.casefold().startswith(text.casefold()):
            yield Hit("party", row.party, "name")


def _beginning(c: SQLiteCursor, table: Table[Any], column: str, text: str) -> list[str]:
    """Return a few values of a key that begin with a text, and aren't it."""
    c.execute(
        f"SELECT {column} FROM {table.name} WHERE {column} > ? AND substr({column}, 1, ?) = ? "  # noqa: S608 - our own names
        f"AND {column} < ? ORDER BY {column} LIMIT ?",
        (text, len(text), text, f"{text}\U0010ffff", HITS_MAX),
    )
    return [row[0] for row in c.fetchall()]
