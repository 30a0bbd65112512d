"""How long tests go on: `make test` is to end within minutes, `make test-all` looks further.

A test whose schedule depends on it is marked `long`, so that `make test-all PYTEST_FLAGS='-m long'` runs what
`make test` has only begun.
"""

import os
from typing import TypeVar

Amount = TypeVar("Amount")

_WANTED = os.environ.get("TALLYSTICK_TESTS", "short")
if _WANTED not in ("short", "long"):
    raise ValueError(f"TALLYSTICK_TESTS is 'short' (as if it weren't set) or 'long', not {_WANTED!r}")


def schedule(short: Amount, long: Amount) -> Amount:
    """Return which of two there is time for: counts, lists of cases, ranges of seeds."""
    return long if _WANTED == "long" else short
