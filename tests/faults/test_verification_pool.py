"""Processes only save work: whatever becomes of them, each batch has its own answer, and nothing waits for ever."""

import os
import signal
import threading
from collections.abc import Iterator
from typing import IO

import pytest

from support.small_ledger import LOG_KEY
from tallystick.transparency.merkle import leaf_hash
from tallystick.verifying import GOOD, UNTOLD, Batch, BatchResult, VerificationPool, is_good, pool, process, result_of
from tallystick.verifying.process import BAD

TEXT = b"signed\n"
SIGNATURE = LOG_KEY.sign(TEXT)
SPOILED = SIGNATURE[:-1] + b"\x00"
VKEY = LOG_KEY.verifier.to_text()


@pytest.fixture
def two() -> Iterator[VerificationPool]:
    with VerificationPool(2) as processes:
        yield processes


def batch_of(number: int) -> Batch:
    """One leaf, and a signature that is good if the number is even."""
    return ([b"leaf %d" % number, TEXT], 1, [(1, 0, len(TEXT), VKEY, SPOILED if number % 2 else SIGNATURE)])


def answer_of(number: int) -> BatchResult:
    return leaf_hash(b"leaf %d" % number), bytes([BAD if number % 2 else GOOD])


def workers_of(processes: VerificationPool) -> list[pool._Worker]:
    return [worker for worker in processes._workers if worker is not None]


# ---------------------------------------------------------------------------------------------------------- an answer


def test_an_answer_is_leaf_hashes_and_verdicts() -> None:
    """Of the blobs that are leaves, and of every signature."""
    other = b"." + TEXT
    jobs = [(1, 1, 8, VKEY, SIGNATURE), (1, 1, 8, VKEY, SPOILED), (2, 0, 8, VKEY, SIGNATURE)]
    hashes, verdicts = result_of(([b""], 1, []))
    assert hashes.hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert verdicts == b""
    assert result_of(([b"", other, other], 0, jobs)) == (b"", bytes([1, 0, 0]))


def test_after_a_bad_signature_no_more_of_its_text_are_looked_at() -> None:
    """Nor after one that can't be told; of the next text they are."""
    jobs = [
        *((0, 0, len(TEXT), VKEY, one) for one in (SIGNATURE, SPOILED, SIGNATURE, SPOILED)),
        (1, 0, len(TEXT), "no vkey", SIGNATURE),
        (1, 0, len(TEXT), VKEY, SIGNATURE),
        (2, 0, len(TEXT), VKEY, SIGNATURE),
    ]
    expected = [GOOD, BAD, UNTOLD, UNTOLD, UNTOLD, UNTOLD, GOOD]
    assert result_of(([TEXT] * 3, 0, jobs)) == (b"", bytes(expected))


def test_what_is_untold_is_verified_where_it_is_needed() -> None:
    assert is_good(GOOD, b"", VKEY, b"")
    assert not is_good(BAD, TEXT, VKEY, SIGNATURE)
    assert is_good(UNTOLD, TEXT, VKEY, SIGNATURE)
    assert not is_good(UNTOLD, TEXT, VKEY, SPOILED)


# ------------------------------------------------------------------------------------------------------ the processes


@pytest.mark.parametrize("processes", [0, 1, 3])
def test_each_batch_has_its_own_answer(processes: int) -> None:
    """In whatever order they are asked for."""
    with VerificationPool(processes) as some:
        pending = [some.submit(batch_of(number)) for number in range(20)]
        assert [one.result() for one in reversed(pending)] == [answer_of(number) for number in reversed(range(20))]


def test_many_threads_share_the_processes(two: VerificationPool) -> None:
    found: dict[int, BatchResult] = {}

    def ask(first: int) -> None:
        pending = [(number, two.submit(batch_of(number))) for number in range(first, first + 25)]
        found.update({number: one.result() for number, one in pending})

    threads = [threading.Thread(target=ask, args=(25 * place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: answer_of(number) for number in range(200)}
    assert len(workers_of(two)) == 2


def test_answers_that_are_not_asked_for_hold_up_nothing(two: VerificationPool) -> None:
    """Ten megabytes of them, where a pipe holds one."""
    large: Batch = ([b"leaf"] * 20_000, 20_000, [])
    pending = [two.submit(large) for _ in range(16)]
    expected = (leaf_hash(b"leaf") * 20_000, b"")
    assert all(one.result() == expected for one in pending)


def test_a_process_that_dies_owes_nothing(two: VerificationPool) -> None:
    """What it had is computed here, and the next batch has another process."""
    assert two.submit(batch_of(0)).result() == answer_of(0)
    before = workers_of(two)
    os.kill(before[0]._process.pid, signal.SIGSTOP)  # so that it has something when it dies
    pending = [two.submit(batch_of(number)) for number in range(8)]
    before[0]._process.kill()
    assert [one.result() for one in pending] == [answer_of(number) for number in range(8)]
    before[0]._reader.join()
    assert [two.submit(batch_of(number)).result() for number in range(4)] == [answer_of(number) for number in range(4)]
    assert before[0] not in workers_of(two)
    assert before[0]._process.poll() == -signal.SIGKILL


def test_what_comes_half_spoils_one_process_alone(two: VerificationPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the midst of giving: the process would take the next batch for the rest of this one."""
    early = two.submit(batch_of(0))

    def interrupted(stream: IO[bytes], message: object) -> None:
        stream.write(b"\x00\x00\xff\xff")
        stream.flush()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(process, "send", interrupted)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                two.submit(batch_of(1))
    assert early.result() == answer_of(0)
    assert [two.submit(batch_of(number)).result() for number in range(6)] == [answer_of(number) for number in range(6)]


def test_ctrl_c_is_the_callers(two: VerificationPool) -> None:
    """A process isn't in the terminal's group, and lets the signal pass besides."""
    assert [two.submit(batch_of(number)).result() for number in range(2)] == [answer_of(0), answer_of(1)]
    before = workers_of(two)
    for worker in before:
        assert os.getpgid(worker._process.pid) != os.getpgid(0)
        os.kill(worker._process.pid, signal.SIGINT)
    assert [two.submit(batch_of(number)).result() for number in range(2)] == [answer_of(0), answer_of(1)]
    assert workers_of(two) == before


def test_a_machine_that_gives_no_process_gives_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(pool, "_start", refused)
    with VerificationPool(2) as none:
        assert none.submit(batch_of(3)).result() == answer_of(3)
        monkeypatch.undo()
        assert none.submit(batch_of(4)).result() == answer_of(4)
        assert len(workers_of(none)) == 1


def test_a_closed_pool_has_no_processes_and_every_answer() -> None:
    processes = VerificationPool(2)
    early = [processes.submit(batch_of(number)) for number in range(8)]
    workers = workers_of(processes)
    processes.close()
    assert [worker._process.poll() is not None for worker in workers] == [True, True]
    assert [worker._reader.is_alive() for worker in workers] == [False, False]
    assert [one.result() for one in early] == [answer_of(number) for number in range(8)]
    assert processes.submit(batch_of(9)).result() == answer_of(9)
    assert workers_of(processes) == []
