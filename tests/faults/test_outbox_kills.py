"""A batch is killed at any moment and given again until it is through: each command is recorded exactly once."""

import json
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from support.command_line import ORIGIN, Desk, finish, start
from support.schedules import schedule
from tallystick.publishing import read_ledger
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rules.vouchers import VoucherIssue

ROWS = int(os.environ.get("TALLYSTICK_ROWS", schedule(200, 1_000)))
KILLS = int(os.environ.get("TALLYSTICK_KILLS", schedule(3, 40)))
TREASURY = "shanghai-treasury"
SLOWEST_SECONDS = 120


@pytest.mark.long
def test_each_command_of_a_killed_batch_is_recorded_once(tmp_path: Path) -> None:
    """Whatever the kill cut off: a file, an answer, the sending itself."""
    desk = Desk(tmp_path)
    desk.found()
    desk.open_programme()
    before = desk.size
    words = _batch(desk)
    chance = random.Random(5)
    killed = 0
    while killed < KILLS:
        # From when nothing is signed to when most is answered, whatever a machine takes for that.
        running = start(*words)
        files = chance.randint(0, 2 * ROWS)
        while running.poll() is None and _files(tmp_path) < files:
            with suppress(TimeoutExpired):
                running.wait(0.002)
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            killed += 1
        running.communicate(timeout=SLOWEST_SECONDS)
    ran = finish(start(*words))
    assert (ran.status, ran.err) == (0, ""), ran
    assert ran.out.splitlines()[-1] == f"{ROWS:,} of {ROWS:,} rows are recorded; 0 were refused"
    with read_ledger(desk.ledger) as reader:
        issued = [Entry.from_bytes(data).event for data in reader.entries(before)]
    vouchers = Counter(event.command.voucher for event in issued if isinstance(event.command, VoucherIssue))
    assert vouchers == {f"{TREASURY}/b-{number}": 1 for number in range(ROWS)}
    receipts = sorted(
        int(path.stem) for path in (tmp_path / "receipts").glob("[0-9]*")
    )  # a kill may leave a hidden file
    assert receipts == [event.index for event in issued]


def _files(folder: Path) -> int:
    """How many files there are of notes and receipts."""
    return sum(len([*folder.glob(pattern)]) for pattern in ("outbox/*/notes/*", "receipts/*"))


def _batch(desk: Desk) -> list[object]:
    """Write a sheet of issues and the treasury's profile, and return the command that does them."""
    said = {"source": str(desk.ledger), "log": ORIGIN, "party": TREASURY, "key": str(desk.key(f"{TREASURY}/desk"))}
    profile = desk.folder / "tallystick.toml"
    profile.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items()))
    sheet = desk.folder / "issues.csv"
    rows = [f"{TREASURY}/b-{number},{TREASURY}/compute-2026,acme-ai,10.00,2026-01-06" for number in range(ROWS)]
    sheet.write_text("\n".join(["voucher,programme,holder,face,valid-from", *rows]))
    return ["do", "voucher.issue", "--from", sheet, "--profile", profile, "--log-time", "2026-01-05T16:00:00", "--yes"]
