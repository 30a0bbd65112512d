"""How long a journal takes to write, against how long `hledger` takes to check it, and how much memory it needs.

Both are programs of their own, started anew; what counts is their time on a core. Where hledger isn't installed, its
ratio is left out, and that is said.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import network

LINES_EACH = 200
RATIO = "a journal of lines against hledger's check"
MEMORY = "megabytes for a journal of ten times as many lines"


def measure(folder: Callable[[], AbstractContextManager[Path]], scale: float) -> dict[str, float]:
    """A journal of 100,000 burned lines in statements, and hledger's check of it; the memory for ten times as many."""
    figures: dict[str, float] = {}
    hledger = shutil.which("hledger")
    for name, lines in (("journal", 100_000), ("ten_times", 1_000_000)):
        with folder() as where:
            with network.founded_ledger(where / "ledger", verify_processes=os.cpu_count() or 1) as ledger:
                for _ in range(0, max(1, int(lines * scale) // LINES_EACH), 50):
                    ledger.submit(network.statements(min(50, max(1, int(lines * scale) // LINES_EACH)), LINES_EACH))
            written = where / "j.journal"
            words = ["-m", "tallystick", "journal", str(where / "ledger"), "--format", "hledger"]
            seconds, megabytes = _run(sys.executable, *words, "-o", str(written))
            figures |= {f"{name}_cpu_seconds": seconds, f"{name}_megabytes": megabytes}
            if name == "journal" and hledger is not None:
                seconds, megabytes = _run(hledger, "-f", str(written), "check", "--strict")
                figures |= {"hledger_cpu_seconds": seconds, "hledger_megabytes": megabytes}
    return figures


_LAUNCHER = """
import os, sys
child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(status, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
"""A small process between: what a program is said to have used at most counts also whoever started it."""


def _run(*words: str) -> tuple[float, float]:
    """Return the seconds on a core that a program took, and the megabytes that it had at most."""
    launched = [sys.executable, "-S", "-c", _LAUNCHER, *words]
    ran = subprocess.run(launched, check=True, capture_output=True, text=True)
    status, seconds, megabytes = ran.stdout.split()[-3:]
    if status != "0":
        raise RuntimeError(f"{' '.join(words)} ended with status {status}: {ran.stderr}")
    return float(seconds), float(megabytes)


def compared(figures: dict[str, float]) -> dict[str, float]:
    """Return the ratio that counts, if hledger is there, and the memory."""
    ratios = {MEMORY: figures["ten_times_megabytes"]}
    if "hledger_cpu_seconds" in figures:
        ratios[RATIO] = figures["journal_cpu_seconds"] / figures["hledger_cpu_seconds"]
    return ratios
