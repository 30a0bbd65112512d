"""A process that runs one of our scripts and is spoken to through pipes: no process is forked from one with threads.

It is in a process group of its own, so that Ctrl-C on a terminal reaches the caller alone.
"""

import os
import subprocess
import sys
from contextlib import suppress


def start_script(script: str) -> "subprocess.Popen[bytes]":
    """Start a script by its path, with pipes to its standard input and from its standard output.

    Raises:
        OSError: there is no interpreter, or the machine gives no process.
    """
    if not sys.executable:
        raise OSError("no interpreter to start")
    # The child finds the same modules as this process, wherever they came from.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-P", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        process_group=0,
    )


def end_script(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, close its pipes and wait until it is gone."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # it had something left to write for a process that is gone
                pipe.close()
    process.wait()
