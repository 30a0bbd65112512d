"""Notes go in, and what comes back is proved; asking again is harmless, and a refusal is final."""

import threading
import time as machine

import pytest
import stamina.instrumentation

from support.log_server import LogServer, Said, Time
from support.small_ledger import POLICY
from tallystick.client import Client, Patience, Recorded
from tallystick.errors import ProblemError, UnreachableError
from tallystick.transparency.receipt import verify_receipt
from tallystick.vouchers.refusals import Reason


def test_a_note_is_recorded_and_its_receipt_verifies(client: Client, time: Time) -> None:
    note = time.note()
    recorded = client.submit(note)
    assert recorded.is_new
    assert recorded.is_witnessed
    assert recorded.note == note
    assert verify_receipt(recorded.receipt, recorded.entry, POLICY).size == recorded.index + 1
    assert recorded.answer["kind"] == "tariff.published/1"


def test_the_same_note_again_is_its_entry(client: Client, time: Time) -> None:
    note = time.note()
    first, again = client.submit(note), client.submit(note)
    assert (again.index, again.is_new) == (first.index, False)
    assert client.submit([note])[0] == again


def test_a_refusal_is_raised_with_its_reason_and_never_asked_again(
    client: Client, server: LogServer, time: Time
) -> None:
    note = time.note()
    client.submit(note)
    time.now -= 1
    other = time.note().replace(b'"ref":"client-2"', b'"ref":"client-1"')
    asked = len(server.asked)
    with pytest.raises(ProblemError) as refused:
        client.submit(other)
    assert refused.value.reason is Reason.REF_REUSED_FOR_OTHER_CONTENT
    assert not refused.value.transient
    assert len(server.asked) == asked + 1


def test_many_notes_are_answered_in_order(client: Client, server: LogServer, time: Time) -> None:
    notes = [time.note() for _ in range(5)]
    notes[1:1] = [b"nonsense", b"x" * 70_000]
    answers = client.submit(notes)
    assert [type(answer) for answer in answers] == [Recorded, ProblemError, ProblemError, *[Recorded] * 4]
    reasons = [answer.reason for answer in answers if isinstance(answer, ProblemError)]
    assert reasons == [Reason.NOTE_MALFORMED, Reason.NOTE_TOO_LARGE]
    recorded = [answer for answer in answers if isinstance(answer, Recorded)]
    assert [one.note for one in recorded] == [notes[0], *notes[3:]]
    for one in recorded:
        verify_receipt(one.receipt, one.entry, POLICY)
    assert server.count("POST") == 1


def test_more_notes_than_fit_are_several_requests(client: Client, server: LogServer, time: Time) -> None:
    notes = [time.note() for _ in range(513)]
    answers = client.submit(notes)
    assert all(isinstance(answer, Recorded) for answer in answers)
    assert server.count("POST /v1/entries:batch") == 2
    assert client.submit([]) == []


def test_a_check_decides_and_writes_nothing(client: Client, time: Time) -> None:
    note = time.note()
    size = client.checkpoint().size
    assert client.check(note).accepted
    assert client.check(note).accepted
    first, again, nonsense = client.check([note, note, b"nonsense"])
    assert (first.accepted, again.accepted, nonsense.accepted) == (True, False, False)
    assert nonsense.problem is not None
    assert nonsense.problem.reason is Reason.NOTE_MALFORMED
    assert client.checkpoint().size == size


def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(client: Client, server: LogServer, time: Time) -> None:
    lost: list[bytes] = []

    def lose_once(method: str, target: str, body: bytes, said: Said) -> Said | None:
        if method == "POST" and not lost:
            lost.append(body)
            return None
        return said

    server.twist = lose_once
    note = time.note()
    recorded = client.submit(note)
    assert recorded.note == note
    assert not recorded.is_new  # by the first attempt, whose answer was lost
    assert [body for body in server.bodies if body] == [note, note]


def test_undecided_notes_of_a_batch_are_sent_again_alone(client: Client, server: LogServer, time: Time) -> None:
    """A group that the store couldn't keep is answered note by note; the others are decided already."""
    turns: list[str] = []

    def fail_one(method: str, target: str, body: bytes, said: Said) -> Said:
        if target.startswith("/v1/entries:batch") and not turns:
            turns.append(target)
            lines = said.body.splitlines(keepends=True)
            lines[1] = b'{"reason":"store_failed","detail":"full","status":503,"transient":true}\n'
            return said._replace(body=b"".join(lines))
        return said

    server.twist = fail_one
    notes = [time.note() for _ in range(3)]
    answers = client.submit(notes)
    assert [one.note for one in answers if isinstance(one, Recorded)] == notes
    sent = [len(body.splitlines()) for body in server.bodies if body]
    assert sent == [3, 1]


def test_a_server_that_asks_for_a_pause_is_given_it(client: Client, server: LogServer, time: Time) -> None:
    turns: list[str] = []

    def busy(method: str, target: str, body: bytes, said: Said) -> Said:
        turns.append(target)
        if len(turns) == 1:
            problem = b'{"reason":"service_busy","detail":"as much as is taken at once"}'
            return Said(503, problem, "application/problem+json", (("Retry-After", "1"),))
        return said

    server.twist = busy
    begun = machine.monotonic()
    client.submit(time.note())
    assert machine.monotonic() - begun >= 1


def test_a_pause_that_is_longer_than_there_is_time_ends_at_once(client: Client, server: LogServer, time: Time) -> None:
    problem = b'{"reason":"draining","detail":"the service is about to end"}'
    server.twist = lambda *_: Said(503, problem, "application/problem+json", (("Retry-After", "3600"),))
    with pytest.raises(ProblemError, match="draining") as refused:
        client.submit(time.note())
    assert refused.value.reason == "draining"
    assert len(server.asked) == 1


def test_entries_are_followed_and_each_is_proved(client: Client, ledger: object, time: Time) -> None:
    recorded = client.submit(time.note())
    followed = client.follow(recorded.index - 2)
    first = [next(followed) for _ in range(3)]
    assert [one.index for one in first] == [recorded.index - 2, recorded.index - 1, recorded.index]
    assert first[-1].data == recorded.entry
    more = client.submit(time.note())
    assert next(followed).data == more.entry
    assert client.entries(more.index + 1) == []


def test_a_receipt_of_an_entry_is_fetched_and_verified(client: Client, time: Time) -> None:
    receipt = client.receipt(5)
    assert receipt.index == 5
    with pytest.raises(ProblemError) as missing:
        client.receipt(10_000)
    assert (missing.value.reason, missing.value.status) == ("not_found", 404)


def test_a_retry_prints_nothing_and_other_hooks_hear_of_others_alone(
    client: Client, server: LogServer, time: Time, capfd: pytest.CaptureFixture[str]
) -> None:
    """What retries is a library whose hooks are the process's; one of the usual ones writes to standard output."""
    before, heard = stamina.instrumentation.get_on_retry_hooks(), []
    stamina.instrumentation.set_on_retry_hooks([*before, lambda details: heard.append(details.name)])
    try:
        lost: list[bytes] = []
        server.twist = lambda method, target, body, said: said if lost else lost.append(body)
        client.submit(time.note())
        assert heard == []
        for attempt in stamina.retry_context(on=ValueError, wait_initial=0, wait_jitter=0):
            with attempt:
                if attempt.num == 1:
                    raise ValueError
        assert len(heard) == 1
    finally:
        stamina.instrumentation.set_on_retry_hooks(before)
    assert lost
    assert "UnreachableError" not in "".join(capfd.readouterr())


def test_a_service_that_is_gone_leaves_no_doubt_about_what_to_do(server: LogServer, time: Time) -> None:
    server.twist = lambda *_: None
    with (
        Client(server.url, POLICY, patience=Patience(total_seconds=0.3, first_pause_seconds=0.01)) as client,
        pytest.raises(UnreachableError, match="may be recorded: submit the same again"),
    ):
        client.submit(time.note())


def test_a_server_that_never_waits_is_not_asked_at_once(client: Client, server: LogServer) -> None:
    """One that answers that there is nothing new as soon as it is asked would keep the follower busy for nothing."""
    followed = client.follow(client.checkpoint().size)
    asked = len(server.asked)
    over = threading.Timer(1.5, lambda: setattr(server, "twist", lambda *_: Said(403, b"")))
    over.start()
    with pytest.raises(ProblemError):
        next(followed)
    over.join()
    assert len(server.asked) - asked <= 4
