"""Something is done in a process of its own, so that its processor time and its memory are its own.

A small process lies between: what the system says a program had at most also counts whoever started it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

OPERATIONS: Final = Path(__file__).resolve().with_name("operations.py")
_LAUNCHER: Final = """
import os, sys, time
begin = time.perf_counter()
child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
took = time.perf_counter() - begin
sys.stdout.write(f"\\n{os.waitstatus_to_exitcode(status)} {used.ru_utime + used.ru_stime} {took} {used.ru_maxrss}\\n")
"""


class Used(NamedTuple):
    """What a program took, all processes that it started and waited for included.

    Attributes:
        cpu_seconds: processor time of all of them.
        wall_seconds: until it ended.
        mb: the most memory that one of them had (10⁶ bytes).
        output: what it wrote to standard output.
    """

    cpu_seconds: float
    wall_seconds: float
    mb: float
    output: str


def program(words: Sequence[str]) -> Used:
    """Run a program to its end, as a person does: Python keeps bytecode, whatever this machine's environment says.

    Raises:
        RuntimeError: it failed.
    """
    launched = [sys.executable, "-S", "-c", _LAUNCHER, *words]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(launched, check=True, capture_output=True, text=True, env=environment)
    output, _, last = ran.stdout.rstrip("\n").rpartition("\n")
    status, cpu_seconds, wall_seconds, kilobytes = last.split()
    if status != "0":
        raise RuntimeError(f"{' '.join(words)} ended with status {status}: {ran.stderr[-2_000:]}")
    return Used(float(cpu_seconds), float(wall_seconds), int(kilobytes) * 1_024 / 1e6, output)


def run(operation: str, **arguments: str | int) -> dict[str, float]:
    """Do one of `operations.py`, and return what it measured of itself, `mb` included."""
    used = program([sys.executable, str(OPERATIONS), operation, json.dumps(arguments)])
    measured: dict[str, float] = json.loads(used.output.rstrip("\n").rpartition("\n")[2])
    return measured | {"mb": used.mb}
