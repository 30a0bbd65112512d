"""One file at a time over HTTP: bounded in bytes, in time and in attempts, and from the one server that was named.

    attempt      connect, ask, read: `TIMEOUT_SECONDS` for each wait, `ATTEMPT_SECONDS` for all of it, so that a
                 server that drips a byte now and then ends as one that hangs
    answers      200 is the file, 404 and 410 say that there is none, 403 that there may be none; 408, 425, 429 and
                 5xx are asked again, anything else is final
    length       what the server states serves to see that its answer was cut short; reading stops at the limit
    redirects    a few, to the same scheme, host and port; elsewhere a person decides
    post         the same for a question that may be asked twice; redirects and other answers are the asker's matter
    encoding     none or gzip (gzip_stream.py), whichever the server likes; the limit is on what comes out

Nothing is believed of what comes: it is judged as a file from a stranger's disk would be. TLS certificates are
verified as the system does. Proxies, cookies and passwords aren't used.
"""

import contextlib
import http.client
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from tallystick.errors import AccessDeniedError, LedgerError, MalformedError, UsageError
from tallystick.sources import without_password
from tallystick.static.gzip_stream import gunzip

TIMEOUT_SECONDS: Final = 10.0
ATTEMPT_SECONDS: Final = 60.0
PAUSES_SECONDS: Final = (0.25, 1.0, 3.0)
"""Before the second, third and fourth attempt, at most; half is left to chance, so that many readers spread out."""

_REDIRECTS_MAX: Final = 3
_OTHER_BODY_MAX: Final = 65_536  # of an answer that isn't the file: read only to keep the connection
_PIECE: Final = 65_536
_PORTS: Final = {"http": 80, "https": 443}
_LOGIN: Final = 401
_DENIED: Final = 403
_MISSING: Final = frozenset({404, 410})
_PLAIN: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({408, 425, 429})
_T = TypeVar("_T")
_HEADERS: Final = {"User-Agent": "tallystick"}
_ENCODINGS: Final = {"Accept-Encoding": "gzip, identity"}


class HttpAnswer(NamedTuple):
    """What a server said: status, where to go instead, and bytes, decoded, up to the limit and one more."""

    status: int
    location: str | None
    data: bytes


class WebFiles:
    """The files below a URL; for one thread."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempt_seconds: float = ATTEMPT_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take a URL apart; nothing is fetched yet.

        Args:
            url: `http(s)://host[:port][/path]`.
            token: of a session, sent with each request; None reads as nobody.
            timeout_seconds: for connecting, and for each wait for bytes.
            attempt_seconds: for one whole answer.
            pause: called with the seconds between two attempts.

        Raises:
            UsageError: not such a URL.
        """
        self._base = _split(url)
        self.name = url.rstrip("/")
        self._headers = _HEADERS | ({} if token is None else {"Authorization": f"Bearer {token}"})
        self._timeout_seconds = timeout_seconds
        self._attempt_seconds = attempt_seconds
        self._pause = pause
        self._connection: http.client.HTTPConnection | None = None

    def read(self, path: str, size_max: int) -> bytes | None:
        """Return a file's bytes, at most one more than `size_max`; None if the server has none.

        Raises:
            LedgerError: no usable answer after all attempts, or one that no further attempt would change.
        """
        return self._insist(path, lambda: self._fetch(path, size_max))

    def names(self, folder: str) -> list[str]:
        """Return none: a web server isn't asked what lies in a folder."""
        return []

    def post(
        self, path: str, body: bytes, size_max: int, headers: Mapping[str, str] = MappingProxyType({})
    ) -> HttpAnswer:
        """Return what the server answers to a body; it may get it more than once. No redirect is followed.

        Args:
            path: below the URL.
            body: what is sent.
            size_max: bytes of the answer, of which one more may be returned.
            headers: header fields that say what the body is.

        Raises:
            LedgerError: no answer after all attempts, or only that the server is in trouble.
        """
        return self._insist(path, lambda: self._attempt(f"{self.name}/{path}", size_max, body, headers))

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _insist(self, path: str, ask: Callable[[], _T]) -> _T:
        """Ask until there is an answer, or no hope of one.

        Raises:
            LedgerError: no usable answer after all attempts, or one that no further attempt would change.
        """
        trouble = ""
        for pause_seconds in (0.0, *PAUSES_SECONDS):
            if pause_seconds:
                self._pause(pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            try:
                return ask()
            except ConnectionError as error:
                trouble = str(error)
                self.close()
        raise LedgerError(f"{self.name}/{path} can't be fetched: {trouble}")

    def _fetch(self, path: str, size_max: int) -> bytes | None:
        """Ask once, following redirects.

        Raises:
            ConnectionError: this attempt came to nothing; another may not.
            LedgerError: another attempt would neither.
        """
        url = f"{self.name}/{path}"
        for _ in range(1 + _REDIRECTS_MAX):
            answer = self._attempt(url, size_max)
            if answer.status in _MOVED and answer.location is not None:
                url = self._followed(url, answer.location)
                continue
            if answer.status == 200:
                return answer.data
            if answer.status in _MISSING:
                return None
            if answer.status == _LOGIN:
                raise AccessDeniedError(f"{url} can't be fetched: it is shown to parties that log in, by --key (401)")
            if answer.status == _DENIED:
                raise AccessDeniedError(f"{url} can't be fetched: access is denied, or it is missing (403)")
            raise LedgerError(f"{url} can't be fetched: the server answers {answer.status}")
        raise LedgerError(f"{self.name}/{path} can't be fetched: more than {_REDIRECTS_MAX} redirects")

    def _attempt(
        self,
        url: str,
        size_max: int,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> HttpAnswer:
        """Ask for one URL on our server, or give it a body.

        Raises:
            ConnectionError: it hung, hung up, spoke no HTTP, cut its answer short, or is in trouble that may pass.
            LedgerError: it isn't the server that it should be.
        """
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = self._connected()
            with _limited(connection.sock, self._attempt_seconds) as expired:
                try:
                    if body is None:
                        connection.request("GET", target, headers=self._headers | _ENCODINGS)
                    else:
                        connection.request("POST", target, body, {**self._headers, **headers})
                    answer = self._receive(connection, url, size_max)
                finally:
                    if expired.is_set():  # whatever the cut connection looked like from here
                        raise ConnectionError(f"no whole answer within {self._attempt_seconds:g} seconds")
            if answer.status in _PASSING or answer.status >= 500:
                raise ConnectionError(f"the server answers {answer.status}")
            return answer
        except LedgerError:
            self.close()  # the rest of the answer would be taken for the next one
            raise
        except ssl.SSLCertVerificationError as error:
            raise LedgerError(f"{self.name}: {error.verify_message or 'its certificate is not valid'}") from None
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:
                raise LedgerError(f"{self.name}: {error.strerror}") from None
            raise ConnectionError(error.strerror) from None
        except TimeoutError:
            raise ConnectionError(f"no answer within {self._timeout_seconds:g} seconds") from None
        except OSError as error:
            raise ConnectionError(error.strerror or str(error)) from None
        except (http.client.HTTPException, ValueError) as error:  # ValueError: a chunk's size that is no number
            raise ConnectionError(f"the server's answer is no whole HTTP answer ({type(error).__name__})") from None

    def _receive(self, connection: http.client.HTTPConnection, url: str, size_max: int) -> HttpAnswer:
        """Return the answer to what was asked; the connection is kept only if nothing of it is left over.

        Raises:
            ConnectionError: it was cut short.
            LedgerError: it comes in an encoding that isn't known, or not in the one that it says.
        """
        with connection.getresponse() as response:
            limit = size_max + 1 if response.status == 200 else _OTHER_BODY_MAX
            encoding = response.getheader("Content-Encoding", "").strip().lower()
            if encoding in _GZIP and response.status == 200:
                try:
                    data = gunzip(response.read, limit)
                except MalformedError as error:
                    raise LedgerError(f"{url} can't be fetched: {error}") from None
            elif encoding in _PLAIN or response.status != 200:
                data = _read_up_to(response.read, limit)
            else:
                raise LedgerError(f"{url} can't be fetched: it comes encoded ({encoding!a:.40}), unasked")
            if len(data) < limit and response.length:
                raise ConnectionError(f"the answer ends {response.length} bytes too early")
            answer = HttpAnswer(response.status, response.getheader("Location"), data)
        if len(data) == limit:
            self.close()
        return answer

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._base.scheme == "https" else http.client.HTTPConnection
            assert self._base.hostname is not None
            self._connection = kind(self._base.hostname, self._base.port, timeout=self._timeout_seconds)
        if self._connection.sock is None:
            self._connection.connect()
        return self._connection

    def _followed(self, url: str, location: str) -> str:
        """Return where a redirect leads.

        Raises:
            LedgerError: to a place that was not named.
        """
        try:
            there = urljoin(url, location)
            same = _place(urlsplit(there)) == _place(self._base) and there.isascii() and there.isprintable()
        except ValueError:
            same = False
        if not same or " " in there:
            raise LedgerError(f"{url} is said to be at {location!a:.200}: if you trust that place, give its URL")
        return there


@contextlib.contextmanager
def _limited(connected: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Cut a connection after so many seconds, and say so by the event that is given."""
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def _read_up_to(read: Callable[[int], bytes], limit: int) -> bytes:
    pieces = []
    while limit and (piece := read(min(limit, _PIECE))):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _split(url: str) -> SplitResult:
    """Return a URL's parts.

    Raises:
        UsageError: not a URL that files can lie below.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in _PORTS and parts.hostname and parts.port != 0
        (parts.hostname or "").encode("idna")  # as connecting will, and then it would be no error about the URL
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{without_password(url)!a} is not a URL like https://log.example/public")
    if parts.username is not None or "?" in url or "#" in url:
        raise UsageError(f"{without_password(url)!a}: give a URL without a user, a question mark or a #")
    return parts
