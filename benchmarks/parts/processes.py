"""What a person waits for who asks once: whole processes, from their start to their end."""

import sys
from collections import defaultdict
from statistics import median

import apart
from places import Place
from rounds import Part

TURNS = 4
"""Of each in a round: 20 in five rounds."""
SMALL = 1_000
"""Lines of the small ledger."""


def measure(place: Place) -> dict[str, float]:
    """`python -c pass`, `tallystick --help` and `tallystick balances` on a small ledger, in turn."""
    words = {
        "python": ("-c", "pass"),
        "help": ("-m", "tallystick", "--help"),
        "balances": ("-m", "tallystick", "balances", str(place.ledger(SMALL))),
    }
    apart.program([sys.executable, *words["balances"]])  # the views have followed
    taken = defaultdict(list)
    for _ in range(place.count(TURNS)):
        for name, arguments in words.items():
            used = apart.program([sys.executable, *arguments])
            taken[f"process_{name}_ms"].append(used.cpu_seconds * 1e3)
            taken[f"process_{name}_wall_ms"].append(used.wall_seconds * 1e3)
    return {key: median(values) for key, values in taken.items()}


PART = Part("processes", measure)
