"""An object in one option: `name=value,name=value`, a list in it by repeating the name.

    --gate before=issue,subject-type=application,topic=kyc,passes=1,attester=bureau-1,attester=bureau-2
    --row 'contract=acme-ai/c-1,paid=1,500,000.00'
    --row 'contract=acme-ai/c-1,paid=0.00,withheld=9.00,reason=late, and by far'
    --row 'contract=acme-ai/c-1,paid=0.00,withheld=9.00,"reason=as a letter says,page=3"'

A comma ends a value only where a name and `=` follow it, so amounts and sentences keep theirs. What would be taken for
a name after all is put in double quotes, name and all, with a quotation mark in it doubled.
"""

import re
from collections.abc import Iterable
from typing import Final

_NEXT: Final = re.compile(r"\s*,\s*(?=\"?[a-z][a-z0-9.-]*=)", re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
_NAME: Final = re.compile(r"[a-z][a-z0-9.-]*(?==)", re.ASCII)


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Return the names and values of an object, in order.

    Raises:
        ValueError: in another notation.
    """
    pairs = []
    text, place = text.strip(), 0
    while place < len(text):
        quoted = _QUOTED.match(text, place)
        if quoted is not None:
            pair, place = quoted[1].replace('""', '"'), quoted.end()
            following = _NEXT.match(text, place)
            if following is None and place < len(text):
                raise ValueError(f"after {quoted[0][:40]} a comma, a name and = must follow")
        else:
            following = _NEXT.search(text, place)
            pair = text[place : following.start() if following else len(text)]
        place = following.end() if following else len(text)
        name = _NAME.match(pair)
        if name is None:
            raise ValueError(f"must be name=value,name=value, not {pair[:40]!a}")
        pairs.append((name[0], pair[name.end() + 1 :]))
    if not pairs:
        raise ValueError("must be name=value,name=value, and is empty")
    return pairs


def write_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the object of names and values, as `read_pairs` reads it."""
    return ",".join(_pair(name, value) for name, value in pairs)


def _pair(name: str, value: str) -> str:
    pair = f"{name}={value}"
    if _NEXT.search(pair) or '"' in value or value != value.strip() or value.endswith(","):
        doubled = pair.replace('"', '""')
        return f'"{doubled}"'
    return pair
