"""`tallystick`, started ahead: imports are done once, and each command is a copy of the process that did them.

Documents run hundreds of short commands, and what starts them costs more than what they do. `StartedAhead` keeps a
process that has imported all of the program and forks for every command, which gets the caller's folder, environment,
umask and streams. So a command is a process of its own, with an exit status; it isn't in the caller's process group.
What stays and is ended by a signal (`serve`, `witness serve`) is the real program, and `make test-all` starts that for
every command.
"""

import array
import importlib
import marshal
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import tallystick

CALLER = """\
#!{python} -IS
import marshal, os, sys
if "serve" in sys.argv or "--serve" in sys.argv or any(name.startswith("PYTHON") for name in os.environ):
    os.execv({program!r}, [{program!r}, *sys.argv[1:]])
import array, socket
umask = os.umask(0o77)
os.umask(umask)
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    asked = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environ), umask))
    streams = array.array("i", [0, 1, 2])
    server.sendmsg([len(asked).to_bytes(8)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    server.sendall(asked)
    status = server.recv(1)
sys.exit(status[0] if status else "the process that runs commands went away")
"""


class StartedAhead:
    """A folder with a `tallystick` in it, for PATH, and the process behind that."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tallystick-started-")
        self.folder = Path(self._folder.name)
        caller = self.folder / "tallystick"
        program = Path(sys.executable).with_name("tallystick")
        name = str(self.folder / "socket")
        caller.write_text(CALLER.format(python=sys.executable, program=str(program), socket=name))
        caller.chmod(0o755)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.started_ahead", name],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def __enter__(self) -> "StartedAhead":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            self._process.terminate()
        self._folder.cleanup()


def serve(name: str) -> None:
    """Run commands for whoever connects to the socket of that name, until killed or until the parent is gone."""
    for module in pkgutil.walk_packages(tallystick.__path__, "tallystick."):
        if module.name != "tallystick.__main__":
            importlib.import_module(module.name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen(16)
        os.write(1, b"ready\n")
        running: set[int] = set()
        while True:
            caller, _ = server.accept()
            with caller:
                running.add(os.fork())
                if 0 in running:
                    server.close()
                    os._exit(_run_for(caller))
            running -= {pid for pid in running if os.waitpid(pid, os.WNOHANG)[0]}


def _run_for(caller: socket.socket) -> int:
    """Fork for a command and send the caller its exit status."""
    head, ancillary, _, _ = caller.recvmsg(8, socket.CMSG_SPACE(3 * 4))
    streams = array.array("i", ancillary[0][2])
    asked = b""
    while len(asked) < int.from_bytes(head):
        asked += caller.recv(65_536)
    command = os.fork()
    if command == 0:
        caller.close()
        os._exit(_command(streams, *marshal.loads(asked)))
    _, ended = os.waitpid(command, 0)
    status = os.waitstatus_to_exitcode(ended)
    caller.sendall(bytes([status if status >= 0 else 128 - status]))
    return 0


def _command(streams: Any, arguments: list[str], folder: str, environment: dict[str, str], umask: int) -> int:
    """Run one command, in the process that is there for it."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    from tallystick.cli import main

    try:
        status = main(arguments)
    except BaseException:  # the interpreter would do the same at its end
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
