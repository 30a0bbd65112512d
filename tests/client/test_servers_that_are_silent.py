"""Of several servers one lets the time pass without a word: what that costs, and that it isn't paid again and again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client.test_servers_that_fail import free_url
from support.log_server import LogServer, Said, Time, serving_log
from tallystick.client import Client, Patience
from tallystick.client.connection import Connections
from tallystick.client.endpoint import Question
from tallystick.errors import UnreachableError
from tallystick.ledger import Ledger

MakeClient = Callable[..., Client]
SILENCE_SECONDS = 1.0
PATIENT = Patience(
    connect_seconds=5, silence_seconds=SILENCE_SECONDS, attempt_seconds=10, total_seconds=20, first_pause_seconds=0.01
)
STANDING_BY = Said(503, b'{"reason":"not_writing","detail":"another process writes"}', "application/problem+json")


class Hanging:
    """A server that takes some questions and answers none of them, while the block lasts; then it answers again."""

    def __init__(self, server: LogServer, questions: int) -> None:
        self.server = server
        self._left = questions
        self._over = threading.Event()
        server.twist = self._hang

    def _hang(self, _method: str, _target: str, _body: bytes, said: Said) -> Said | None:
        if self._left == 0:
            return said
        self._left -= 1
        self._over.wait(60)
        return None

    def let_go(self) -> None:
        """Hang up on those that wait."""
        self._over.set()


@contextmanager
def hanging(folder: Path, ledger: Ledger | None, questions: int = -1) -> Iterator[LogServer]:
    with serving_log(folder, ledger) as server:
        made = Hanging(server, questions)
        try:
            yield server
        finally:
            made.let_go()


@contextmanager
def standing_by(folder: Path, questions: int = -1, ledger: Ledger | None = None) -> Iterator[LogServer]:
    """A server that leaves so many questions to others, and writes from then on."""
    with serving_log(folder, ledger) as server:
        server.twist = lambda *asked: STANDING_BY if questions < 0 or server.count("POST") <= questions else asked[3]
        yield server


def test_one_that_hangs_is_not_asked_again_while_another_stands_by(
    impatient: MakeClient, folder: Path, ledger: Ledger, time: Time
) -> None:
    """The one that stands by takes over in its fourth round; waiting for the silent one in each would take longer."""
    with hanging(folder, ledger) as silent, standing_by(folder, 3, ledger) as other:
        with impatient([silent.url, other.url], patience=PATIENT) as client:
            client.submit(time.note())
            assert client.current_url == other.url
        assert (silent.count("POST"), other.count("POST")) == (1, 4)


def test_one_that_hung_is_asked_again_after_a_while_and_last(
    impatient: MakeClient, folder: Path, ledger: Ledger, time: Time
) -> None:
    patience = Patience(silence_seconds=0.5, total_seconds=20, first_pause_seconds=0.01, longest_pause_seconds=0.1)
    with hanging(folder, ledger, questions=1) as silent, standing_by(folder) as other:
        with impatient([silent.url, other.url], patience=patience) as client:
            client.submit(time.note())
            assert client.current_url == silent.url
            asked = other.count("POST")
            assert asked > 2, "the one that stands by is asked first, while the silent one is left alone"
            client.submit(time.note())  # it has answered, and is as good as before
        assert (silent.count("POST"), other.count("POST")) == (3, asked)


def test_one_that_hung_is_asked_after_those_that_answer(
    impatient: MakeClient, folder: Path, ledger: Ledger, time: Time
) -> None:
    """It hangs for good; what that costs is paid once, though it stands first in the list."""
    with (
        hanging(folder, ledger) as silent,
        serving_log(folder, ledger) as one,
        serving_log(folder, ledger) as other,
        impatient([silent.url, one.url, other.url], patience=PATIENT) as client,
    ):
        for writing, waiting in ((other, one), (one, other), (other, one)):
            writing.twist, waiting.twist = None, lambda *_: STANDING_BY
            client.submit(time.note())
            assert client.current_url == writing.url
        assert silent.count("POST") == 1


def test_one_that_hung_is_asked_at_once_where_no_other_answers(
    impatient: MakeClient, folder: Path, ledger: Ledger, time: Time
) -> None:
    """A connection that is refused is no answer: there is nobody else to leave the question to."""
    with (
        hanging(folder, ledger, questions=2) as silent,
        impatient([silent.url, free_url()], patience=PATIENT) as client,
    ):
        client.submit(time.note())
        assert silent.count("POST") == 3


def test_one_that_hangs_alone_is_asked_for_as_long_as_there_is_time(
    impatient: MakeClient, folder: Path, ledger: Ledger, time: Time
) -> None:
    with hanging(folder, ledger, questions=2) as silent:
        with impatient(silent.url, patience=PATIENT) as client:
            client.submit(time.note())
        assert silent.count("POST") == 3


def test_one_that_hangs_leaves_time_for_the_others(
    impatient: MakeClient, folder: Path, ledger: Ledger, server: LogServer, time: Time
) -> None:
    """Its silence alone would take all the time that there is."""
    patience = Patience(silence_seconds=60, total_seconds=4, first_pause_seconds=0.01)
    later = threading.Event()
    server.twist = lambda *asked: None if later.wait(0.3) else asked[3]
    with hanging(folder, ledger) as silent, impatient([silent.url, server.url], patience=patience) as client:
        client.submit(time.note())
        assert silent.count("POST") == 1
        with (
            impatient([silent.url, silent.url], patience=Patience(silence_seconds=60, total_seconds=1)) as none,
            pytest.raises(UnreachableError, match=r"no answer within 0\.\d+ seconds; "),
        ):
            none.checkpoint()


def test_one_that_was_asked_to_wait_is_given_that_time(folder: Path, server: LogServer) -> None:
    """A question that waits has the whole of its wait with each server: only the time beyond it is shared."""
    patience = Patience(silence_seconds=60, total_seconds=0.6)
    never = threading.Event()
    server.twist = lambda *asked: None if never.wait(1.15) else asked[3]
    with serving_log(folder, None) as other:
        connections = Connections([server.url, other.url], patience, None)
        answer = connections.ask(Question("v1/info", 1_000, wait_seconds=1.2))
        connections.close()
        assert (answer.url, other.asked) == (server.url, [])


def test_one_that_hung_is_begun_with_where_the_other_wont_do(folder: Path, server: LogServer) -> None:
    """A server that lags behind answers well, and would be asked for ever."""
    with hanging(folder, server.ledger, questions=1) as silent:
        connections = Connections([silent.url, server.url], Patience(silence_seconds=0.5), None)
        asked = [connections.ask(Question("v1/info", 1_000)).url]
        connections.turn_away()
        asked.append(connections.ask(Question("v1/info", 1_000)).url)
        connections.close()
        assert asked == [server.url, silent.url]
