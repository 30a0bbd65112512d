"""Usage that was cut off, spoiled or put together wrongly is refused in one line, or every record of it is counted."""

import random

import pytest

from support.usage_readers import READERS, check

SPOILS = (
    b"",
    b"|",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"]",
    b"9" * 30,
    "１".encode(),
    b"-1",
    b"1e9",
    b"null",
)


@pytest.mark.parametrize("name", READERS)
def test_what_is_good_is_counted(name: str) -> None:
    """So that what follows spoils something."""
    for seed in READERS[name].seeds:
        check(name, seed)


@pytest.mark.parametrize("name", READERS)
def test_cut_and_spoiled_anywhere(name: str) -> None:
    """A piece is cut off, taken out, doubled or put in."""
    made_up = random.Random(11)
    for seed in READERS[name].seeds:
        for _ in range(150):
            first, second = sorted(made_up.randrange(len(seed) + 1) for _ in range(2))
            part = seed[first:second]
            check(name, seed[:first])
            check(name, seed[:first] + made_up.choice(SPOILS) + seed[second:])
            check(name, seed[:first] + part + part + seed[second:])
            check(name, seed[:first] + made_up.choice(SPOILS) + seed[first:])
