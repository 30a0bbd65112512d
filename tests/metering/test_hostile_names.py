"""Names put together out of others' records, headings and scraps: whoever wrote one pays, or no one does.

Some can't be told from honest records, and aren't tried: those whose first line is a record already, or whose last line
makes the rest of the real record look like one (docs/usage-slurm.md says what to do).
"""

import random
import re

import pytest

from support.usage_read import gpus, read_texts

TAIL = f"COMPLETED|1775548800|1775552400|3600|{gpus('a800', 8)}"
COLUMNS = "Account|State|Start|End|ElapsedRaw|AllocTRES"


def name_of(made_up: random.Random, heading: str, end: str) -> str:
    """Return a name that a user may give."""
    whole = f"{made_up.randrange(12, 20)}|q|linden|{TAIL}{end}"
    scraps = ["x", "z", "\n", "\n", "|", "||", "\n14|", "12", f"linden|{TAIL}", whole, f"{whole}k", f"\n{heading}\n"]
    return "".join(made_up.choice(scraps) for _ in range(made_up.randrange(1, 9)))


@pytest.mark.parametrize("end", ["", "|"])
@pytest.mark.parametrize("part", range(4))
def test_no_one_else_pays(end: str, part: int) -> None:
    """With and without a comment in the last column; honest records before and after stay what they are."""
    heading = f"JobID|JobName|{COLUMNS}{'|Comment' if end else ''}"
    tried = 0
    for seed in range(part * 100, part * 100 + 100):
        name = name_of(random.Random(seed), heading, end)
        first, *others = name.split("\n")
        if TAIL in first or (others and re.match(r"\d+\|", others[-1])):
            continue
        tried += 1
        honest = [f"{number}|{'b' * 60}|maple|{TAIL}{end}" for number in range(30, 50)]
        lines = [heading, f"9|a|maple|{TAIL}{end}", f"10|{name}|maple|{TAIL}{end}", *honest]
        paid = {line.split()[0]: line.split()[1] for line in read_texts("\n".join(lines)).lines}
        assert set(paid.values()) == {"maple-bio/c-3"}, (seed, name)
        assert {"osprey/9", "osprey/49"} <= set(paid), (seed, name)
    assert tried > 30
