"""Web servers on loopback: one that serves a folder as any does, and one that answers by a script, however wrongly."""

import http.server
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

Answer = bytes | Callable[[socket.socket], None]


class FolderServer(http.server.ThreadingHTTPServer):
    """Serves a folder; `asked` counts paths, and `troubles` has how often to answer 503 first.

    From the second time on, what is `held` isn't answered before it is `released`.
    With `denies` it answers 403 for what isn't there, as object stores do that let nobody list.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.asked: Counter[str] = Counter()
        self.troubles = 0
        self.held: str | None = None
        self.released = threading.Event()
        self._waiting = threading.Semaphore(0)
        self.denies = False
        super().__init__(("127.0.0.1", 0), partial(_Answering, directory=str(folder)))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def hold(self) -> None:
        """Keep an answer back until the test releases it."""
        self._waiting.release()
        self.released.wait()

    def wait_until_held(self, count: int) -> None:
        """Wait until so many answers are kept back; not for ever, if who should ask has failed."""
        for _ in range(count):
            assert self._waiting.acquire(timeout=300), self.asked


class _Answering(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FolderServer

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        if self.server.troubles:
            self.server.troubles -= 1
            self.send_error(503)
            return
        if self.path == self.server.held and self.server.asked[self.path] > 1:
            self.server.hold()
        super().do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        super().send_error(403 if code == 404 and self.server.denies else code, message, explain)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        pass


@contextmanager
def serving(folder: Path) -> Iterator[FolderServer]:
    """Serve a folder until the block ends."""
    with FolderServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class ScriptedServer:
    """Answers one connection after another by a list, the last one again and again; `targets` has what was asked."""

    def __init__(self, *answers: Answer, before_reading: bool = False) -> None:
        self._answers = list(answers)
        self._before_reading = before_reading  # the answer reads for itself, and may begin with a handshake
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._over = threading.Event()
        self.targets: list[str] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError), socket.create_connection(self._listening.getsockname()):
            pass
        self._thread.join()
        self._listening.close()

    def wait(self, seconds: float) -> bool:
        """Wait, and return whether the test is over."""
        return self._over.wait(seconds)

    def _serve(self) -> None:
        turn = 0
        while True:
            connection, _ = self._listening.accept()
            with connection, suppress(OSError):
                if self._over.is_set():
                    return
                connection.settimeout(10)
                head = b""
                while not self._before_reading and b"\r\n\r\n" not in head and (more := connection.recv(65_536)):
                    head += more
                if not head and not self._before_reading:
                    continue
                self.targets.append(head.split(b" ")[1].decode() if head else "")
                answer = self._answers[min(turn, len(self._answers) - 1)]
                turn += 1
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)
