"""A command in a process of its own that may do less: as another user, without room on any disk, without memory.

The command runs once before as we are, on a rehearsal source, because the other user may be unable to read Python, and
because what loads the program isn't what is tested.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from support.command_line import Ran

NOBODY: Final = 65_534

_MAIN: Final = """
import os, resource, sys
from tallystick.cli import main
rehearsal, *arguments = sys.argv[1:]
rehearsed = main([rehearsal if word == arguments[1] else word for word in arguments])
print("--- rehearsed", flush=True)
print("--- rehearsed", file=sys.stderr, flush=True)
{less}
sys.exit(main(arguments))
"""
AS_NOBODY: Final = """
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""
WITHOUT_ROOM: Final = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
WITHOUT_MEMORY: Final = """
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, used + 2**20))
"""


def run_with_less(less: str, rehearsal: Path, command: str, source: Path, *arguments: object) -> Ran:
    """Run a command on a source where something is denied to it."""
    words = [str(word) for word in (command, source, *arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "NO_COLOR": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", _MAIN.format(less=less), str(rehearsal), *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    out, err = (text.partition("--- rehearsed\n")[2] for text in (ran.stdout, ran.stderr))
    return Ran(ran.returncode, out, err)


def give_away(folder: Path) -> None:
    """Make a folder an ordinary user's, where we can."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
