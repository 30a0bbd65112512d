"""A state's bytes, a piece at a time, for who has no memory for a second state: `State.to_bytes` makes them at once.

Statements are nearly all of it, so they come a few hundred at a time, and the rest as a whole.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import islice
from typing import Final

from tallystick.vouchers.state import State

STATEMENTS_A_PIECE: Final = 256
_STATEMENTS: Final = "statements"


def pieces_of(state: State) -> Iterator[bytes]:
    """Yield the bytes of `state.to_bytes()`, in order; meanwhile the state mustn't change."""
    names = [field.name for field in fields(State)]
    place = names.index(_STATEMENTS)
    yield state.to_bytes({*names[:place]})[:-1]
    yield b',"%s":{' % _STATEMENTS.encode()
    for number, provider in enumerate(state.statements):
        yield from _statements_of(state, provider, is_first=number == 0)
    yield b"}," + state.to_bytes({*names[place + 1 :]})[1:]


def sha256_of(state: State) -> str:
    """Return the SHA-256 (hex) of a state's bytes."""
    digest = hashlib.sha256()
    for piece in pieces_of(state):
        digest.update(piece)
    return digest.hexdigest()


def _statements_of(state: State, provider: str, *, is_first: bool) -> Iterator[bytes]:
    """Yield `"<provider>":{"<ref>":{...},...}`, with a comma before it where it isn't the first."""
    outside = len(b'{"%s":{' % _STATEMENTS.encode())
    none = replace(state, statements={provider: {}}).to_bytes({_STATEMENTS})
    inside = len(none) - len(b"}}}")
    yield (b"" if is_first else b",") + none[outside:inside]
    statements, separator = iter(state.statements[provider].items()), b""
    while some := dict(islice(statements, STATEMENTS_A_PIECE)):
        piece = replace(state, statements={provider: some}).to_bytes({_STATEMENTS})
        yield separator + piece[inside : -len(b"}}}")]
        separator = b","
    yield b"}"
