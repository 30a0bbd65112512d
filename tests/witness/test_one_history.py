"""Whoever asks, and however many at once, and however often it is killed: a witness cosigns one history of a log."""

import contextlib
import http.client
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from support.command_line import finish, start
from support.schedules import schedule
from support.witnesses import (
    CLOCK_S,
    History,
    Replied,
    ask,
    checkpoint_path,
    make_witness,
    post,
    reopened,
    serving,
    verified,
)
from tallystick.errors import ProofInvalidError
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.proofs import verify_consistency
from tallystick.witness.cosigner import open_witness

SIZE = 400
HONEST = History(SIZE)
FORKS = [History(SIZE, forked_at=10, mark="a"), History(SIZE, forked_at=10, mark="b"), History(SIZE, forked_at=60)]
HISTORIES = [HONEST, *FORKS]


class Cosigned(NamedTuple):
    """A checkpoint that a witness gave its cosignature for."""

    size: int
    root: bytes


class Collected:
    """Every cosignature that was ever given, each verified, by any number of threads."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._lock = threading.Condition()
        self.given: set[Cosigned] = set()
        self.statuses: set[int] = set()

    @property
    def largest(self) -> int:
        """The largest size that was cosigned."""
        return max((size for size, _ in self.given), default=0)

    def take(self, history: History, size: int, replied: Replied) -> None:
        """Note what came of asking for a size of a history."""
        with self._lock:
            self.statuses.add(replied.status)
            if replied.status == 200:
                verified(replied.body, history.note(size), self._key)
                self.given.add(Cosigned(size, history.roots[size]))
                self._lock.notify_all()

    def wait_for(self, count: int) -> None:
        """Wait until so many different trees were cosigned, or all that there can be."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.given) >= count or self.largest == SIZE, timeout=20)

    def check(self) -> Cosigned:
        """Assert that all of it is one history, each tree an extension of the one before; return the largest."""
        chain = sorted(self.given)
        assert len({size for size, _ in chain}) == len(chain)
        owners = [history for history in HISTORIES if all(history.roots[size] == root for size, root in chain)]
        assert owners
        for old, new in pairwise(chain):
            if old.size:
                proof = owners[0].proof(old.size, new.size)
                verify_consistency(old.size, new.size, proof, old.root, new.root)
        return chain[-1]


def in_threads(work: Sequence[Callable[[], None]]) -> None:
    """Run all of these at once, and raise what any raised."""
    barrier = threading.Barrier(len(work))
    raised: list[BaseException] = []

    def run(one: Callable[[], None]) -> None:
        barrier.wait()
        try:
            one()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


@pytest.mark.parametrize("round_", range(5))
def test_two_roots_of_one_size_race_and_one_wins(round_: int, tmp_path: Path) -> None:
    """Thirty-two threads, four histories, one size: every cosignature given is of the same root."""
    key = make_witness(tmp_path / "w")
    collected = Collected(key)
    with reopened(tmp_path / "w") as witness, serving(witness) as url:

        def race(history: History) -> Callable[[], None]:
            return lambda: collected.take(history, SIZE, post(url, history.request(0, SIZE)))

        in_threads([race(HISTORIES[(number + round_) % 4]) for number in range(32)])
        shown = Checkpoint.from_text(Note.from_bytes(ask(url, "GET", checkpoint_path()).body).text)
    assert {(shown.size, shown.root)} == collected.given
    assert collected.statuses == {200, 409}


@pytest.mark.parametrize("other_process", [False, True], ids=["one opened", "opened twice"])
@pytest.mark.parametrize(("old_size", "size"), [(0, 20), (10, 20), (10, 30)])
def test_who_comes_between_check_and_commit_waits(
    old_size: int, size: int, other_process: bool, tmp_path: Path
) -> None:
    """Held just before it signs, the first request keeps the second from being decided, in this process or another."""
    key = make_witness(tmp_path / "w")
    collected = Collected(key)
    with reopened(tmp_path / "w") as early:
        assert old_size == 0 or early.add_checkpoint(HONEST.request(0, old_size)).status == 200
    answers: list[int] = []
    second = threading.Thread(
        target=lambda: answers.append(other.add_checkpoint(FORKS[1].request(old_size, size)).status)
    )

    def clock() -> int:
        if not second.ident:
            second.start()
            second.join(timeout=0.2)
            assert second.is_alive()
        return CLOCK_S

    with (
        open_witness(tmp_path / "w", key, clock) as witness,
        open_witness(tmp_path / "w", key, lambda: CLOCK_S) as another,
    ):
        other = another if other_process else witness
        answer = witness.add_checkpoint(FORKS[0].request(old_size, 20))
        second.join()
    collected.take(FORKS[0], 20, Replied(answer.status, answer.content_type, answer.body))
    assert (answer.status, answers) == (200, [409])
    assert collected.check() == (20, FORKS[0].roots[20])


def test_two_extensions_race_and_one_wins(tmp_path: Path) -> None:
    """From a tree that both share: exactly one of them is ever cosigned again."""
    key = make_witness(tmp_path / "w")
    collected = Collected(key)
    with reopened(tmp_path / "w") as witness, serving(witness) as url:
        collected.take(HONEST, 10, post(url, HONEST.request(0, 10)))

        def race(history: History, size: int) -> Callable[[], None]:
            return lambda: collected.take(history, size, post(url, history.request(10, size)))

        in_threads([race(FORKS[number % 2], 20 + number // 2) for number in range(24)])
    assert len(collected.given) == 2
    collected.check()
    assert collected.statuses == {200, 409}


def test_persistent_clients_of_four_histories_get_one(tmp_path: Path) -> None:
    """Each learns from 409 where the witness is, and pushes its own history on from there."""
    key = make_witness(tmp_path / "w")
    collected = Collected(key)
    with reopened(tmp_path / "w") as witness, serving(witness) as url:
        in_threads([lambda one=number: push(url, HISTORIES[one % 4], collected, 60, one) for number in range(12)])  # type: ignore[misc]
    assert collected.statuses == {200, 409, 422}
    assert collected.check().size > 10
    with reopened(tmp_path / "w") as witness:
        latest = witness.latest(HONEST.origin)
    assert latest is not None
    assert Cosigned(latest.size, latest.root) == collected.check()


def test_two_processes_of_one_witness_are_one_witness(tmp_path: Path) -> None:
    """The state's lock is in the file: even a witness that is served twice doesn't sign twice."""
    key = make_witness(tmp_path / "w")
    collected = Collected(key)
    with served(tmp_path / "w") as (_, one), served(tmp_path / "w") as (_, other):
        urls = [one, other]
        in_threads(
            [
                lambda number=number: push(urls[number % 2], HISTORIES[number // 2 % 4], collected, 40, number)  # type: ignore[misc]
                for number in range(8)
            ]
        )
    collected.check()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(schedule(1, 6)))
def test_killed_under_load_it_never_goes_back(seed: int, tmp_path: Path) -> None:
    """kill -9 again and again: what was given before a kill holds after it, for ever."""
    folder = tmp_path / "w"
    collected = Collected(make_witness(folder))
    chance = random.Random(seed)
    for turn in range(5):
        with served(folder) as (process, url):
            if collected.given:  # all that was seen is still there, before anybody asks for more
                shown = Checkpoint.from_text(Note.from_bytes(ask(url, "GET", checkpoint_path()).body).text)
                assert shown.size >= collected.largest
                collected.given.add(Cosigned(shown.size, shown.root))
                collected.check()
            work = [(HISTORIES[number % 4], 1_000 * seed + 10 * turn + number) for number in range(6)]
            load = [threading.Thread(target=push_until_dead, args=(url, collected, *one)) for one in work]
            for thread in load:
                thread.start()
            collected.wait_for(len(collected.given) + chance.randint(2, 8))
            process.send_signal(signal.SIGKILL)
            process.wait()
            for thread in load:
                thread.join()
        collected.check()
    assert len(collected.given) >= 10
    with reopened(folder) as witness:
        latest = witness.latest(HONEST.origin)
        assert latest is not None
        # One more may have been kept than an answer was seen for; never one less.
        assert latest.size >= collected.largest
        collected.given.add(Cosigned(latest.size, latest.root))
        for history in HISTORIES:
            for size in range(latest.size, SIZE + 1, 7):
                answer = witness.add_checkpoint(history.request(latest.size, size))
                collected.take(history, size, Replied(answer.status, answer.content_type, answer.body))
    collected.check()


def test_a_chain_of_two_histories_is_seen(tmp_path: Path) -> None:
    """The checks above can fail."""
    collected = Collected(make_witness(tmp_path / "w"))
    collected.given = {Cosigned(20, FORKS[0].roots[20]), Cosigned(30, FORKS[1].roots[30])}
    with pytest.raises(AssertionError):
        collected.check()
    with pytest.raises(ProofInvalidError):
        verify_consistency(20, 30, FORKS[0].proof(20, 30), FORKS[0].roots[20], FORKS[1].roots[30])


def push_until_dead(url: str, collected: Collected, history: History, seed: int) -> None:
    """Push a history on until the witness is gone."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        push(url, history, collected, 10_000, seed)


def push(url: str, history: History, collected: Collected, times: int, seed: int) -> None:
    """Ask again and again for a larger tree, from wherever the witness says that it is."""
    chance = random.Random(seed)
    at = 0
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    with contextlib.closing(connection):
        for _ in range(times):
            size = min(SIZE, at + chance.randint(0, 3))
            connection.request("POST", "/add-checkpoint", history.request(at, size))
            response = connection.getresponse()
            replied = Replied(response.status, response.getheader("Content-Type"), response.read())
            collected.take(history, size, replied)
            if replied.status == 409:
                at = int(replied.body)
            elif replied.status == 200:
                at = size


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple["Popen[str]", str]]:
    """Serve a witness from a process of its own; it is stopped when the block ends, if it still runs."""
    process = start("witness", "serve", folder)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        yield process, url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        ran = finish(process)
        assert "Traceback" not in ran.err
        assert ran.status in (0, -signal.SIGKILL), ran
