"""Some writer processes of which one writes and the others stand by; whoever dies is started again."""

import base64
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("writer_process.py")


@dataclass(slots=True)
class WriterProcess:
    """One life of a writer.

    Attributes:
        name: of the writer; its next life has another.
        url: the database's, as it was told.
        socket: where it takes notes.
        says: what it said last.
        said: all that it said, with the time (monotonic, s).
    """

    name: str
    url: str
    socket: Path
    process: subprocess.Popen[str]
    says: str = "starting"
    said: list[tuple[float, str]] = field(default_factory=list)


class Writers:
    """The writers; one thread each reads what it says, and starts it again when it dies."""

    def __init__(self, urls: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self._begin = time.monotonic_ns()
        self._changed = threading.Condition()
        self._closing = False
        self._numbers = itertools.count(1)
        self.living: list[WriterProcess] = []
        self.deaths: list[WriterProcess] = []
        self._threads = [threading.Thread(target=self._keep_alive, args=(url,), daemon=True) for url in urls]
        for thread in self._threads:
            thread.start()

    def standing_by(self, count: int = 1, seconds: float = 60.0) -> list[WriterProcess]:
        """Return the writers in waiting, when there are so many."""

        def found() -> list[WriterProcess]:
            return [writer for writer in self.living if writer.says == "standing-by"]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, seconds):
                raise TimeoutError(f"too few stand by: {[(writer.name, writer.says) for writer in self.living]}")
            return found()

    def await_fate(self, writer: WriterProcess, seconds: float = 30.0) -> tuple[float, str]:
        """Return when and how the fate of an armed writer ended: `died …` or `survived`."""

        def last_words() -> list[tuple[float, str]]:
            return [said for said in writer.said if said[1].startswith(("died", "survived"))]

        with self._changed:
            if not self._changed.wait_for(last_words, seconds):
                raise TimeoutError(f"{writer.name} neither died nor survived: {writer.said}")
            return last_words()[-1]

    def arm(self, writer: WriterProcess, die_at: int) -> None:
        """Tell a writer in waiting at which step of its take-over to die."""
        with contextlib.closing(Line(writer.socket)) as line:
            line.ask({"die_at": die_at}, 5.0)

    def kill(self, writer: WriterProcess) -> None:
        """Kill -9."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(writer.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill all, for good."""
        with self._changed:
            self._closing = True
            for writer in self.living:
                self.kill(writer)
        for thread in self._threads:
            thread.join()

    def _keep_alive(self, url: str) -> None:
        while True:
            with self._changed:
                if self._closing:
                    return
                writer = self._start(url)
                self.living.append(writer)
            assert writer.process.stdout is not None
            with writer.process:
                for line in writer.process.stdout:
                    with self._changed:
                        word = line.strip()
                        writer.said.append((time.monotonic(), word))
                        if not word.startswith(("died", "survived")):
                            writer.says = word
                        self._changed.notify_all()
            with self._changed:
                writer.says = "dead"
                self.living.remove(writer)
                self.deaths.append(writer)
                self._changed.notify_all()

    def _start(self, url: str) -> WriterProcess:
        name = f"w{next(self._numbers)}"
        socket_path = self._folder / f"{name}.sock"
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = subprocess.Popen(
            [sys.executable, PROGRAM, url, socket_path, str(self._begin)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        return WriterProcess(name, url, socket_path, process)


class Line:
    """A connection to a writer."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(1.0)
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._read = b""

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            OSError: there is none, for now or for ever.
        """
        self._socket.settimeout(seconds)
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        return self.read(seconds)

    def read(self, seconds: float) -> dict[str, Any]:
        """Return the answer that comes.

        Raises:
            OSError: there is none, for now or for ever.
        """
        self._socket.settimeout(seconds)
        while not self._read.endswith(b"\n"):
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the writer died")
            self._read += data
        line, self._read = self._read, b""
        answer: dict[str, Any] = json.loads(line)
        return answer

    def submit(self, note: bytes, seconds: float, **more: int) -> dict[str, Any]:
        """Return the answer to a note."""
        return self.ask({"note": base64.b64encode(note).decode(), **more}, seconds)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
