"""Where things are below a service's URL, and what its answers about them look like; nothing here proves them."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, quote, urlencode

from tallystick.client.endpoint import Answer
from tallystick.client.problems import read_json
from tallystick.errors import AnswerMalformedError, UsageError
from tallystick.vouchers.entry import ENTRY_SIZE_MAX
from tallystick.wire import JsonObject

COLLECTIONS: Final = {
    "voucher": "vouchers",
    "holder": "holders",
    "programme": "programmes",
    "provider": "providers",
    "contract": "contracts",
    "application": "applications",
    "claim": "claims",
    "demand": "demands",
    "mandate": "mandates",
    "reservation": "reservations",
    "item": "items",
    "tariff": "tariffs",
    "party": "parties",
    "key": "keys",
    "treasury": "treasuries",
}
"""What can be shown, and where it is below `/v1`."""
LISTED_ALONE: Final = {"accreditation": "accreditations", "capacity": "capacities", "payee": "payees"}
"""What can be listed, and not shown one by one."""

_NEXT: Final = re.compile(r'<[^<>]*\?([^<>?#]{1,2000})>\s*;\s*rel="?next"?')


def path_of(id_: str) -> str:
    """Return an id, or a reference, as part of a path; a slash in it stays one.

    Raises:
        UsageError: it can't be an id: a path would lead elsewhere.
    """
    if any(part in ("", ".", "..") for part in id_.split("/")):
        raise UsageError(f"{id_!a:.80} is no id")
    return quote(id_, safe="/")


def query_of(parameters: Mapping[str, int | str | None]) -> str:
    """Return a query with its question mark; nothing where no parameter is given."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def next_query(link: str) -> str | None:
    """Return the query of the next page by a `Link` header (RFC 8288), None if there is none."""
    found = _NEXT.search(link[:4_096])
    return found[1] if found else None


def next_value(link: str, name: str) -> str | None:
    """Return a parameter of the next page by a `Link` header, None if there is no next page."""
    following = next_query(link)
    found = parse_qs(following or "").get(name)
    return found[0] if found else None


def object_in(answer: Answer) -> JsonObject:
    """Return the JSON object of an answer.

    Raises:
        AnswerMalformedError: it is none.
    """
    said = read_json(answer.body)
    if not isinstance(said, dict):
        raise AnswerMalformedError(f"{answer.url}: the answer is no JSON object")
    return said


def rows_in(answer: Answer, said: JsonObject, member: str = "balances") -> list[JsonObject]:
    """Return the rows of a page of balances, or of another list, which are a member of it.

    Raises:
        AnswerMalformedError: it has none.
    """
    rows = said.get(member)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise AnswerMalformedError(f"{answer.url}: the answer is no list of {member}")
    return rows


def entries_in(where: str, body: bytes, start: int, limit: int) -> list[tuple[int, bytes]]:
    """Return the entries of a page of JSON lines, each with its index: those from `start` on, none left out.

    Raises:
        AnswerMalformedError: it is no such page.
    """
    entries: list[tuple[int, bytes]] = []
    for line in body.removesuffix(b"\n").split(b"\n"):
        said = read_json(line)
        index, data = entry_in(where, said if isinstance(said, dict) else {})
        if data is None or index != start + len(entries) or len(entries) == limit:
            raise AnswerMalformedError(f"{where}: the page doesn't have the entries from {start} on, one after another")
        entries.append((index, data))
    return entries


def entry_in(where: str, said: JsonObject) -> tuple[int, bytes | None]:
    """Return the index that an object has, and the entry's bytes, if it has them.

    Raises:
        AnswerMalformedError: no index, or an entry that can't be one.
    """
    index, text = said.get("index"), said.get("entry")
    if type(index) is not int or not 0 <= index < 2**63:
        raise AnswerMalformedError(f"{where}: an answer has no index")
    if text is None:
        return index, None
    try:
        data = text.encode() if isinstance(text, str) else b""
    except UnicodeEncodeError:
        data = b""
    if not 0 < len(data) <= ENTRY_SIZE_MAX:
        raise AnswerMalformedError(f"{where}: what it gives as entry {index} can't be one")
    return index, data
