"""Names put together out of others' records, headings and scraps: whoever wrote one pays, or no one does.

Some can't be told from honest records, and aren't tried: those of which a later line makes the rest of the real record
look like one, and those whose rest may be a comment in the last column (docs/usage-slurm.md says what to do).
"""

import random
import re

import pytest

from support.usage_read import gpus, read_texts
from tallystick.metering.slurm_doubt import IN_DOUBT
from tallystick.metering.slurm_records import NO_WAY

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


def padded(job: int) -> str:
    return f"{job}|{'b' * 60}|maple|{TAIL}"


def test_a_first_line_that_is_a_record_of_another_account() -> None:
    """What is left of the real record ends one that none before it left open: records near it are in doubt."""
    heading = f"JobID|JobName|{COLUMNS}"
    tried = 0
    for seed in range(300):
        name = name_of(random.Random(seed), heading, "")
        first, *others = name.split("\n")
        if TAIL not in first or any(re.match(r"\d+\|", other) for other in others):
            continue
        tried += 1
        lines = [heading, *map(padded, range(100, 140)), f"10|{name}|maple|{TAIL}", *map(padded, range(30, 50))]
        paid = {line.split()[0]: line.split()[1] for line in read_texts("\n".join(lines)).lines}
        assert set(paid.values()) == {"maple-bio/c-3"}, (seed, name)
        assert {"osprey/100", "osprey/49"} <= set(paid), (seed, name)
    assert tried > 20


@pytest.mark.parametrize("between", [0, 1, 15])
def test_records_between_a_false_end_and_the_real_one(between: int) -> None:
    """None of them is burned, and none of the honest ones that are nearer than a name is long; the others are."""
    false = [f"{900 + number}|f|linden|{TAIL}" for number in range(between)]
    hostile = [f"10|x|linden|{TAIL}", *false, f"z|maple|{TAIL}"]
    texts = [f"JobID|JobName|{COLUMNS}", *map(padded, range(100, 140)), *hostile, *map(padded, range(30, 33))]
    result = read_texts("\n".join(texts))
    jobs = {line.split()[0] for line in result.lines}
    assert {"osprey/100", "osprey/30", "osprey/32"} <= jobs
    assert not jobs & {"osprey/10", *(f"osprey/{900 + number}" for number in range(between))}
    assert len(result.lines) + sum(result.skipped.values()) == result.counts["records"] == 45 + between
    assert {one["why"] for one in result.report["unreadable"]} == {IN_DOUBT, NO_WAY}
