"""The writer is killed at any moment: what it answered is there, and the ledger opens.

Every store that lasts is tried, `TALLYSTICK_KILLS` times if that is set.
"""

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.postgres import fresh_database
from support.schedules import schedule
from tallystick.audit import audit
from tallystick.ledger import create_ledger, open_ledger
from tallystick.transparency.policy import Policy

WRITER = """
import sys
from itertools import count
from support.burning import LOG_KEY, NOW, Clock, burn_note
from tallystick.ledger import open_ledger
with open_ledger(sys.argv[1], LOG_KEY, clock=Clock(NOW)) as ledger:
    for number in count():
        refs = [f"{sys.argv[2]}-{number}-{place}" for place in range(7)]
        answers = ledger.submit([burn_note(ref) for ref in refs])
        for ref, answer in zip(refs, answers, strict=True):
            print(ref, answer.index, flush=True)
"""
ROUNDS = int(os.environ.get("TALLYSTICK_KILLS", schedule(4, 24)))


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return tmp_path if request.param == "sqlite" else fresh_database()


@pytest.mark.long
def test_what_was_answered_survives_kill_9(source: Path | str) -> None:
    chance = random.Random(1)
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(source, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
    answered: dict[str, int] = {}
    for turn in range(ROUNDS):
        answered |= _write_until_killed(source, turn, chance.randint(1, 150))
        with open_ledger(source, LOG_KEY, clock=Clock(NOW)) as ledger:
            assert ledger.state.size >= 11 + len(answered)
            found = {ref: ledger.state.references[f"provider {ref}"].index for ref in answered}
            assert found == answered
            ledger.submit([burn_note(f"after-{turn}")])
    report = audit(source, Policy.for_log(LOG_KEY.verifier), processes=1)
    assert report.verdict == "clean"


def _write_until_killed(source: Path | str, turn: int, answers: int) -> dict[str, int]:
    """Let a writer give so many answers, kill it in the middle of whatever it does, and read them."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(source), str(turn)], stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(answers)]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        while select.select([writer.stdout], [], [], 0)[0] and (line := writer.stdout.readline()):
            lines.append(line)
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    assert len(whole) >= answers
    return {ref.decode(): int(index) for ref, index in whole}
