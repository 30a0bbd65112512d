"""The short way for plain records says what the long way says."""

import random
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from support.usage_read import WasRead, gpus, read_texts
from tallystick.metering.slurm_plain import Made, PlainRecords

HEADING = "JobID|Account|User|NodeList|State|Start|End|ElapsedRaw|Elapsed|Suspended|AllocTRES"
STATES = ["COMPLETED"] * 6 + ["RUNNING", "CANCELLED by 9", "PENDING", "WEIRD"]
TRES = [gpus("a800", 2), gpus("l40", 1), "cpu=1", "gres/gpu=3", "", "gres/gpu=1?"]


def row(made_up: random.Random, number: int) -> str:
    """Return a row as odd as they come, most of them plain."""
    suspended = made_up.choice([0, 0, 0, 10])
    start = 1_775_548_800 + made_up.randrange(100_000)
    end = start + made_up.choice([0, 1, 3600, 86_400, -5])
    elapsed = max(0, end - start - suspended + made_up.choice([0, 0, 0, 0, -3, 5]))
    is_epoch = made_up.random() < 0.5
    said = [str(at) if is_epoch else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}" for at in (start, end)]
    job = made_up.choice([*[f"{number}"] * 4, f"{number}_2", f"{number}+1", f"{number}.0", f"{number}_[1-3]"])
    columns = (
        *(job, made_up.choice(["maple", "linden", "oak"]), "u", made_up.choice(["n1", "n2", "n[1-2]"])),
        *(
            made_up.choice(STATES),
            made_up.choice([said[0]] * 9 + ["Unknown"]),
            made_up.choice([said[1]] * 9 + ["None"]),
        ),
        *(str(elapsed), "00:00:01", f"00:00:{suspended:02d}", made_up.choice(TRES)),
    )
    return "|".join(columns)


def told(was: WasRead) -> tuple[Any, ...]:
    """Everything but the order in which jobs are named."""
    report = {name: sorted(map(str, said)) if isinstance(said, list) else said for name, said in was.report.items()}
    return was.lines, was.burned, was.skipped, report


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_the_short_way_and_the_long_way_say_the_same(zone: str) -> None:
    """Of rows that are plain and of such that aren't, in one file."""
    made_up = random.Random(zone)
    text = "\n".join((HEADING, *(row(made_up, number) for number in range(1_000))))
    settings: dict[str, Any] = {"time_zone": zone, "node": {"n1": "a800", "n2": "a800"}}
    short = read_texts(text, **settings)
    with mock.patch.object(PlainRecords, "made_of", return_value=None):
        long = read_texts(text, **settings)
    assert told(short) == told(long)
    assert len(short.lines) > 50
    assert _made(text) > 100


def _made(text: str) -> int:
    """Return how many records went the short way."""
    made = []
    usual = PlainRecords.made_of

    def counted(self: PlainRecords, texts: list[str], first: int) -> Made | None:
        made.append(usual(self, texts, first))
        return made[-1]

    with mock.patch.object(PlainRecords, "made_of", counted):
        read_texts(text)
    return sum(len(one.plain) for one in made if one is not None)
