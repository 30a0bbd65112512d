"""A batch is killed at any moment and given again until it is through: each command is recorded exactly once.

To a ledger on this machine, and over HTTP to a service that goes on meanwhile: answers are lost on the way, too.
"""

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from support.command_line import ORIGIN, Desk, finish, start
from support.schedules import schedule
from support.serving import service_in_thread
from tallystick import keyfiles
from tallystick.publishing import read_ledger
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.rules.vouchers import VoucherIssue

ROWS = int(os.environ.get("TALLYSTICK_ROWS", schedule(200, 1_000)))
KILLS = {
    "ledger": int(os.environ.get("TALLYSTICK_KILLS", schedule(3, 40))),
    "service": int(os.environ.get("TALLYSTICK_KILLS", schedule(2, 100))),
}
KILLS_OF_BATCH = 10
"""Then it goes through, and another one is begun: once most of it is answered, a kill has little to cut off."""
TREASURY = "shanghai-treasury"
SLOWEST_SECONDS = 120


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A ledger with a programme."""
    made = Desk(tmp_path)
    made.found()
    made.open_programme()
    return made


@pytest.fixture(params=["ledger", "service"])
def kind(request: pytest.FixtureRequest) -> str:
    """What the commands go to."""
    return str(request.param)


@pytest.fixture
def source(kind: str, desk: Desk) -> Iterator[str]:
    """Where that is."""
    if kind == "ledger":
        yield str(desk.ledger)
        return
    at, log_key = parse_instant("2026-01-05T08:00:00.000000Z"), keyfiles.load(desk.key(ORIGIN), None)
    with service_in_thread(desk.ledger, log_key, clock=lambda: at, reading="own") as service:
        yield service.url


@pytest.mark.long
def test_each_command_of_a_killed_batch_is_recorded_once(desk: Desk, kind: str, source: str) -> None:
    """Whatever the kill cut off: a file, an answer, the sending itself."""
    before = desk.size
    _write_profile(desk, source)
    chance = random.Random(5)
    killed, batches = 0, 0
    while killed < KILLS[kind]:
        words = _batch(desk, batches)
        killed += _kill(words, desk.folder, chance, min(KILLS_OF_BATCH, KILLS[kind] - killed))
        ran = finish(start(*words))
        assert (ran.status, ran.err) == (0, ""), ran
        assert ran.out.splitlines()[-1] == f"{ROWS:,} of {ROWS:,} rows are recorded; 0 were refused"
        batches += 1
    with read_ledger(desk.ledger) as reader:
        issued = [Entry.from_bytes(data).event for data in reader.entries(before)]
    vouchers = Counter(event.command.voucher for event in issued if isinstance(event.command, VoucherIssue))
    assert vouchers == {f"{TREASURY}/b-{batch}-{number}": 1 for batch in range(batches) for number in range(ROWS)}
    receipts = sorted(
        int(path.stem) for path in (desk.folder / "receipts").glob("[0-9]*")
    )  # a kill may leave a hidden file
    assert receipts == [event.index for event in issued]


def _kill(words: list[object], folder: Path, chance: random.Random, kills: int) -> int:
    """Give a batch again and again and kill it each time; return how often, which is less if it went through."""
    begun = _files(folder)
    for killed in range(kills):
        # From when nothing is signed to when most is answered, whatever a machine takes for that.
        running = start(*words)
        files = begun + chance.randint(0, 2 * ROWS)
        while running.poll() is None and _files(folder) < files:
            with suppress(TimeoutExpired):
                running.wait(0.002)
        if running.poll() is not None:
            running.communicate(timeout=SLOWEST_SECONDS)
            return killed
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=SLOWEST_SECONDS)
    return kills


def _files(folder: Path) -> int:
    """How many files there are of notes and receipts."""
    return sum(len([*folder.glob(pattern)]) for pattern in ("outbox/*/notes/*", "receipts/*"))


def _write_profile(desk: Desk, source: str) -> None:
    said = {"source": source, "log": ORIGIN, "party": TREASURY, "key": str(desk.key(f"{TREASURY}/desk"))}
    said |= {"policy": str(desk.policy)}
    profile = desk.folder / "tallystick.toml"
    profile.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items()))


def _batch(desk: Desk, batch: int) -> list[object]:
    """Write a sheet of issues, and return the command that does them."""
    sheet = desk.folder / f"issues-{batch}.csv"
    rows = [f"{TREASURY}/b-{batch}-{number},{TREASURY}/compute-2026,acme-ai,10.00,2026-01-06" for number in range(ROWS)]
    sheet.write_text("\n".join(["voucher,programme,holder,face,valid-from", *rows]))
    profile = ("--profile", desk.folder / "tallystick.toml", "--log-time", "2026-01-05T16:00:00")
    return ["do", "voucher.issue", "--from", sheet, *profile, "--yes"]
