"""The servers of one log, asked for one answer: each in turn, again and again where that is harmless, for so long.

    round     each URL once, the one that answered last first: a pair of servers is one server that moves
    rounds    until there is an answer, for `total_seconds` at most; `Retry-After` is respected where it fits in
    silent    a URL that let its time go by is asked after the others until it answers, and is left out for twice as
              long as it was silent, if another says at least that it may answer later: one that hangs doesn't hold up
              each round, and the one that takes over is found at once. Nobody's silence takes the time of all

What is sent again is the same bytes: a note is recorded once, however often it comes.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import stamina
import stamina.instrumentation
from stamina.instrumentation import RetryDetails
from stamina.typing import RetryHook

from tallystick.client.endpoint import Answer, Endpoint, Patience, Question, passing
from tallystick.errors import ProblemError, ServerError, UnreachableError, UsageError
from tallystick.sources import without_password

_SCHEMES: Final = ("http", "https")
_LEFT_OUT_SECONDS: Final = 10.0
"""A URL that was silent is left out no longer than this: it may be the only one that writes."""
_T = TypeVar("_T")


class Connections:
    """The URLs of one log's servers; for one thread at a time.

    Attributes:
        urls: in the order given, without a slash at their ends.
        current: the one that answered last.
        tokens: of sessions, by the URL that gave them; each is sent to that URL alone.
    """

    def __init__(self, urls: Sequence[str], patience: Patience, ca_file: Path | None) -> None:
        """Take the URLs apart; nothing is asked yet.

        Args:
            urls: `http(s)://host[:port][/path]`, one or several.
            patience: how long to wait.
            ca_file: certificates of the authorities that count instead of the system's, PEM.

        Raises:
            UsageError: not such a URL, or a file without certificates.
            OSError: the file can't be read.
        """
        self.urls: Final = tuple([_checked(url) for url in urls])
        if not self.urls:
            raise UsageError("a client needs the URL of a service")
        self._patience = patience
        context = _tls(ca_file) if any(url.startswith("https:") for url in self.urls) else False
        self._endpoints = [Endpoint(url, patience, context) for url in self.urls]
        self.current = self.urls[0]
        self.tokens: dict[str, str] = {}

    def ask(self, question: Question, *, only: str | None = None) -> Answer:
        """Return the answer: a status below 300, or 304.

        Args:
            question: what is asked.
            only: of this URL alone.

        Raises:
            UnreachableError: none came in time.
            UntrustedServerError: the certificate isn't one for this URL, or it sends elsewhere.
            AnswerMalformedError: the answer is longer than it may be.
            ProblemError: the server refuses.
        """
        return self.insist(lambda until: self.ask_once(question, until, only=only), question.wait_seconds)

    def insist(self, attempt: Callable[[float], _T], wait_seconds: float = 0.0) -> _T:
        """Return what an attempt returns, which is made again as long as it may pass and there is time.

        Args:
            attempt: is given when its time is over (`time.monotonic`).
            wait_seconds: how long the server was asked to wait.

        Raises:
            ServerError: as the last attempt.
        """
        seconds = self._patience.total_seconds + wait_seconds
        until = time.monotonic() + seconds

        def pause_after(error: Exception) -> bool | float:
            left_seconds = until - time.monotonic()
            if not isinstance(error, ServerError) or not error.may_pass or left_seconds <= 0:
                return False
            _keep_quiet()
            if error.retry_after_seconds is None:
                return True
            return error.retry_after_seconds if error.retry_after_seconds < left_seconds else False

        rounds = stamina.retry_context(
            on=pause_after,
            attempts=None,
            timeout=seconds,
            wait_initial=self._patience.first_pause_seconds,
            wait_max=self._patience.longest_pause_seconds,
            wait_jitter=self._patience.first_pause_seconds,
        )
        for one_round in rounds:
            with one_round:
                return attempt(until)
        raise AssertionError("rounds end with an answer or an error")

    def short_pauses(self) -> tuple[float, ...]:
        """Return for how long to wait, in seconds, before something is looked for again that should be there soon."""
        return tuple([self._patience.first_pause_seconds * times for times in (1, 2, 4, 8)])

    def turn_away(self) -> None:
        """Begin with another URL from now on, if there is one, though it was silent."""
        place = (self.urls.index(self.current) + 1) % len(self.urls)
        self.current = self.urls[place]
        self._endpoints[place].is_silent = False

    def ask_once(self, question: Question, until: float, *, only: str | None = None) -> Answer:
        """Ask each URL once, beginning with the one that answered last; those that were silent come last, if at all.

        Raises:
            ServerError: none answered, or the request is refused; `may_pass` says whether one may later.
        """
        endpoints = [one for one in self._in_order() if only in (None, one.url)]
        troubles: list[ServerError] = []
        for place, endpoint in enumerate(endpoints):
            if _is_left_out(endpoint) and any(isinstance(one, ProblemError) for one in troubles):
                continue
            try:
                share = 1 / (len(endpoints) - place)
                answer = endpoint.attempt(question, until, self.tokens.get(endpoint.url), share)
            except ProblemError as error:
                if not error.may_pass:
                    self.current = endpoint.url
                    raise
                troubles.append(error)
            except ServerError as error:
                troubles.append(error)
            else:
                self.current = endpoint.url
                return answer
        raise _joined(troubles)

    def _in_order(self) -> list[Endpoint]:
        """Return whom to ask, one after another."""
        return sorted(self._endpoints, key=lambda one: (one.is_silent, one.url != self.current))

    def close(self) -> None:
        """Hang up."""
        for endpoint in self._endpoints:
            endpoint.close()


class _OfOthers:
    """A hook of stamina's that hears of other code's retries, and not of ours."""

    def __init__(self, hook: RetryHook) -> None:
        self._hook = hook

    def __call__(self, details: RetryDetails) -> AbstractContextManager[None] | None:
        return None if isinstance(details.caused_by, ServerError) else self._hook(details)


def _keep_quiet() -> None:
    """See that no retry of ours is printed: stamina's hooks are the process's, and one of them writes to stdout."""
    hooks = stamina.instrumentation.get_on_retry_hooks()
    if not all(isinstance(hook, _OfOthers) for hook in hooks):
        quiet = [hook if isinstance(hook, _OfOthers) else _OfOthers(hook) for hook in hooks]
        stamina.instrumentation.set_on_retry_hooks(quiet)


def _is_left_out(endpoint: Endpoint) -> bool:
    """Whether a URL was silent lately; it is asked nevertheless where no other one answers."""
    left_out_seconds = min(2 * endpoint.silent_seconds, _LEFT_OUT_SECONDS)
    return endpoint.is_silent and time.monotonic() < endpoint.silent_at + left_out_seconds


def _joined(troubles: Sequence[ServerError]) -> ServerError:
    """Return one error of what several URLs came to; a server that says why knows more than one that is silent."""
    problems = [one for one in troubles if isinstance(one, ProblemError)]
    may_pass = [one for one in troubles if one.may_pass]
    if len(troubles) == 1 or not may_pass:
        return troubles[0]
    error = problems[0] if problems else UnreachableError("; ".join(str(one) for one in troubles))
    pauses = [one.retry_after_seconds for one in may_pass if one.retry_after_seconds is not None]
    error.retry_after_seconds = min(pauses, default=None)
    return passing(error)


def _checked(url: str) -> str:
    """Return a URL without a slash at its end.

    Raises:
        UsageError: not a URL that a service can be at.
    """
    shown = f"{without_password(url)!a:.200}"
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{shown} is not a URL like https://log.example")
    if parts.username is not None or "?" in url or "#" in url:
        raise UsageError(f"{shown}: give a URL without a user, a question mark or a #")
    return url.rstrip("/")


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        raise UsageError(f"{ca_file} holds no certificate: give a file of authorities, PEM") from None
