"""One answer from one URL: bounded in bytes and in time, and told apart by whether another attempt may help.

    attempt     connect, ask, read: `silence_seconds` for each wait, `attempt_seconds` for all of it, so that a server
                that drips a byte now and then ends as one that hangs
    silent      an attempt whose time went by without an answer; a connection that is refused costs no time
    length      reading stops at the limit of what was asked for; a stated length counts for nothing
    may pass    no connection, no whole answer, 408, 425, 429 and 5xx. A refusal of the rules is final, whatever its
                status, and so is a certificate that isn't for this URL

TLS certificates are verified as the system does, or by a file of authorities that is given. Redirects aren't followed;
proxies, cookies and passwords aren't used, and no encoding is asked for.
"""

import contextlib
import email.utils
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

import httpx2

from tallystick.client.problems import PROBLEM_SIZE_MAX, problem_of
from tallystick.errors import AnswerMalformedError, ProblemError, ServerError, UnreachableError, UntrustedServerError
from tallystick.vouchers.refusals import Reason

PIECE: Final = 65_536
CLOCK_DIFFERENCE_SECONDS: Final = 120
"""So much may this machine's clock and the server's differ before it is said; a command may be signed ahead less."""

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_SECONDS: Final = re.compile("[0-9]{1,6}")
_Error = TypeVar("_Error", bound=ServerError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits, in seconds.

    Attributes:
        connect_seconds: for a connection.
        silence_seconds: for the next bytes of an answer.
        attempt_seconds: for one whole answer; what the server was asked to wait comes on top.
        total_seconds: for an answer, however often it is asked for.
        first_pause_seconds: before the second round; it is doubled from round to round, and chance is added.
        longest_pause_seconds: between two rounds, unless the server asks for a longer one.
    """

    connect_seconds: float = 10.0
    silence_seconds: float = 20.0
    attempt_seconds: float = 60.0
    total_seconds: float = 120.0
    first_pause_seconds: float = 0.25
    longest_pause_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of whichever URL answers.

    Attributes:
        path: below the URL, with its query.
        size_max: of the answer, in bytes.
        method: GET, POST or DELETE.
        body: what is sent, if anything.
        headers: beside those that every request has.
        wait_seconds: how long the server was asked to wait before it answers.
    """

    path: str
    size_max: int
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0


class Answer(NamedTuple):
    """What a server said: which URL it was, status, headers, body."""

    url: str
    status: int
    headers: httpx2.Headers
    body: bytes


class Endpoint:
    """One URL, and the connection to it.

    Attributes:
        url: where it is.
        is_silent: the last attempt took its time and came to no answer.
        silent_seconds: how long that was.
        silent_at: when it ended (`time.monotonic`).
    """

    def __init__(self, url: str, patience: Patience, context: ssl.SSLContext | bool) -> None:
        self.url = url
        self.is_silent = False
        self.silent_seconds = 0.0
        self.silent_at = 0.0
        self._patience = patience
        self._socket: socket.socket | None = None
        self._http = httpx2.Client(
            transport=httpx2.HTTPTransport(
                verify=context, trust_env=False, limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1)
            ),
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": "tallystick", "Accept-Encoding": "identity", "Accept": "*/*"},
        )

    def attempt(self, question: Question, until: float, token: str | None, share: float = 1.0) -> Answer:
        """Ask once.

        Args:
            question: what is asked.
            until: when the time is over (`time.monotonic`).
            token: of a session.
            share: of the time that is left, beyond what the server was asked to wait, so much may go by in silence.

        Raises:
            ServerError: it came to nothing; `may_pass` says whether another attempt may not.
        """
        begun = time.monotonic()
        seconds = min(self._patience.attempt_seconds + question.wait_seconds, max(0.1, until - begun))
        longest = question.wait_seconds + max(0.1, until - begun - question.wait_seconds) * share
        times = httpx2.Timeout(
            min(self._patience.silence_seconds + question.wait_seconds, longest, seconds),
            connect=min(self._patience.connect_seconds, longest, seconds),
        )
        self.is_silent = False
        with self._limited(seconds) as expired:
            try:
                return self._answer(self._sent(question, times, token), question)
            except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
                self.is_silent = expired.is_set() or isinstance(error, httpx2.TimeoutException)
                self.silent_at = time.monotonic()
                self.silent_seconds = self.silent_at - begun
                if expired.is_set():  # whatever the cut connection looked like from here
                    trouble = f"no whole answer within {seconds:.3g} seconds"
                    raise passing(UnreachableError(f"{self.url}: {trouble}")) from None
                raise self._in_words(error, times) from None
            finally:
                self._http.cookies.clear()

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _sent(self, question: Question, times: httpx2.Timeout, token: str | None) -> httpx2.Response:
        request = self._http.build_request(
            question.method,
            f"{self.url}/{question.path}",
            content=question.body,
            headers={**question.headers, **({} if token is None else {"Authorization": f"Bearer {token}"})},
            timeout=times,
            extensions={"trace": self._trace},
        )
        return self._http.send(request, stream=True)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket that is in use, so that it can be cut."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    @contextlib.contextmanager
    def _limited(self, seconds: float) -> Iterator[threading.Event]:
        """Cut the connection after so many seconds, and say so by the event that is given."""
        expired = threading.Event()

        def cut() -> None:
            expired.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield expired
        finally:
            timer.cancel()

    def _answer(self, response: httpx2.Response, question: Question) -> Answer:
        """Return a whole answer that is no refusal.

        Raises:
            ServerError: it refuses, is in trouble, sends elsewhere, or answers in a form that wasn't asked for.
        """
        with contextlib.closing(response):
            is_answer = response.status_code < 300 or response.status_code == 304
            size_max = question.size_max if is_answer else PROBLEM_SIZE_MAX
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise AnswerMalformedError(f"{self.url}/{question.path} comes encoded, unasked")
            body = bytearray()
            for piece in response.iter_raw(PIECE):
                body += piece
                if len(body) > size_max:
                    raise AnswerMalformedError(f"{self.url}/{question.path} is longer than {size_max:,} bytes")
        if is_answer:
            return Answer(self.url, response.status_code, response.headers, bytes(body))
        if 300 <= response.status_code < 400:
            place = response.headers.get("Location", "")
            raise UntrustedServerError(
                f"{self.url} is said to be at {place!a:.200}: if you trust that place, give its URL"
            )
        raise self._refused(response, bytes(body))

    def _refused(self, response: httpx2.Response, body: bytes) -> ProblemError:
        status = response.status_code
        problem = problem_of(self.url, status, response.headers.get("Content-Type", ""), body)
        if isinstance(problem.reason, Reason):
            if problem.reason in (Reason.SIGNED_IN_THE_FUTURE, Reason.SIGNED_TOO_LONG_AGO):
                problem.args = (f"{problem}{_about_clocks(response.headers)}",)
            return problem
        if status in PASSING:
            problem.retry_after_seconds = _pause_asked_for(response.headers.get("Retry-After", ""))
            return passing(problem)
        return problem

    def _in_words(self, error: Exception, times: httpx2.Timeout) -> UnreachableError | UntrustedServerError:
        """Return what to raise for an attempt that came to nothing."""
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                what = cause.verify_message or "it is not valid"
                return UntrustedServerError(
                    f"{self.url}: its certificate is not to be trusted ({what}): see that the URL is right, and this "
                    "machine's clock; a certificate of your own authority needs a file of authorities"
                )
            if isinstance(cause, ssl.SSLError):
                return UntrustedServerError(f"{self.url}: it speaks no TLS ({cause.reason}): is it an http:// URL?")
            if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
                return UntrustedServerError(f"{self.url}: {cause.strerror}: see that the URL is right")
        if isinstance(error, httpx2.ConnectTimeout):
            trouble = f"no connection within {times.connect:.3g} seconds"
        elif isinstance(error, httpx2.TimeoutException):
            trouble = f"no answer within {times.read:.3g} seconds"
        elif isinstance(error, httpx2.ProtocolError):
            trouble = "its answer is no whole HTTP answer"
        else:
            system = next((one for one in _causes(error) if isinstance(one, OSError) and one.strerror), None)
            trouble = (system.strerror if system is not None else None) or str(error) or type(error).__name__
        return passing(UnreachableError(f"{self.url}: {trouble}"))


def passing(error: _Error) -> _Error:
    """Return an error as one that may pass."""
    error.may_pass = True
    return error


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _pause_asked_for(header: str) -> float | None:
    """Return the seconds of a `Retry-After` (RFC 9110 §10.2.3), None if it has none."""
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _about_clocks(headers: httpx2.Headers) -> str:
    """Return what to do if the server's clock and this machine's differ, else nothing."""
    try:
        seconds = time.time() - email.utils.parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return ""
    if abs(seconds) < CLOCK_DIFFERENCE_SECONDS:
        return ""
    which = "ahead of" if seconds > 0 else "behind"
    return f"; this machine's clock is {abs(seconds) / 60:,.0f} minutes {which} the server's: set it, and sign again"
