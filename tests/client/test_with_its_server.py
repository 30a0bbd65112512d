"""The client and the service together: what one says the other understands, login and rights included."""

import time as machine
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.actors import key_of
from support.log_server import Time
from support.serving import Running, service_in_thread
from support.small_ledger import HOLDER, LOG_KEY, POLICY, PROVIDER
from tallystick.client import Client, Patience, Recorded
from tallystick.errors import ProblemError
from tallystick.vouchers.refusals import Reason

PATIENCE = Patience(total_seconds=60)


@pytest.fixture
def serving(folder: Path, time: Time) -> Iterator[Running]:
    with service_in_thread(folder, LOG_KEY, clock=time) as running:
        yield running


@pytest.fixture
def asking(serving: Running) -> Iterator[Client]:
    with Client(serving.url, POLICY, patience=PATIENCE) as client:
        yield client


def test_notes_are_recorded_and_proved(asking: Client, time: Time) -> None:
    one = asking.submit(time.note())
    assert one.is_new
    notes = [time.note() for _ in range(300)]
    answers = asking.submit([*notes, one.note, b"nonsense"])
    recorded = [answer for answer in answers if isinstance(answer, Recorded)]
    assert [answer.note for answer in recorded] == [*notes, one.note]
    assert [answer.is_new for answer in recorded] == [True] * 300 + [False]
    assert asking.receipt(one.index).entry == one.entry
    assert asking.checkpoint().size == one.index + 301


def test_a_refusal_has_its_reason(asking: Client, time: Time) -> None:
    old = time.note()
    time.now += 8 * 86_400 * 1_000_000
    with pytest.raises(ProblemError) as refused:
        asking.submit(old)
    assert refused.value.reason is Reason.SIGNED_TOO_LONG_AGO
    assert asking.check(old).problem is not None


def test_what_would_be_decided(asking: Client, time: Time) -> None:
    note = time.note()
    first, again = asking.check([note, note])
    assert (first.accepted, first.answer["is_new"]) == (True, True)
    assert (again.accepted, again.answer["is_new"]) == (True, False)


def test_entries_are_followed(asking: Client, time: Time) -> None:
    size = asking.checkpoint().size
    followed = asking.follow(size - 300 if size > 300 else 0, wait_seconds=5)
    before = [next(followed) for _ in range(min(size, 300))]
    assert before[-1].index == size - 1
    recorded = asking.submit(time.note())
    assert next(followed).data == recorded.entry


def test_views_are_as_the_command_line_says_them(asking: Client) -> None:
    balances = asking.balances("voucher")
    assert balances["by"] == "voucher"
    voucher = balances["balances"][0]["voucher"]
    assert asking.show("voucher", voucher)["voucher"]["balance"]["voucher"] == voucher
    assert asking.info()["origin"] == asking.origin
    assert asking.ref("guian", "no-such-ref") is None
    with pytest.raises(ProblemError) as missing:
        asking.show("voucher", "nobody/v-0")
    assert missing.value.reason == "not_found"


def test_balances_come_in_pages_and_are_one_list(asking: Client) -> None:
    whole = asking.balances("voucher")["balances"]
    assert len(whole) > 1
    assert asking.balances("voucher", page_rows=1)["balances"] == whole


@contextmanager
def closed_to_strangers(folder: Path, time: Time) -> Iterator[Client]:
    """A client of a service at which each party reads its own, at this machine's time, which logins are signed at."""
    time.now = machine.time_ns() // 1_000
    with (
        service_in_thread(folder, LOG_KEY, clock=time, reading="own") as running,
        Client(running.url, POLICY, patience=PATIENCE) as client,
    ):
        yield client


def test_each_party_reads_its_own_after_a_login(folder: Path, time: Time) -> None:
    note = time.note()  # at the log's own time, which is ahead of this machine's
    with closed_to_strangers(folder, time) as client:
        with pytest.raises(ProblemError) as closed:
            client.show("holder", HOLDER.party)
        assert closed.value.reason == "login_required"
        assert isinstance(client.submit([note])[0], Recorded)  # writing needs no login
        client.login(key_of(HOLDER.key_names[0]))
        assert client.show("holder", HOLDER.party)
        with pytest.raises(ProblemError) as everything:
            client.entries(0)
        assert everything.value.reason == "may_not_read"
        client.logout()
        with pytest.raises(ProblemError):
            client.show("holder", HOLDER.party)


def test_a_session_that_ended_is_opened_again(folder: Path, time: Time) -> None:
    with closed_to_strangers(folder, time) as client:
        client.login(key_of(HOLDER.key_names[0]))
        client._connections.tokens[client.current_url] = "forgotten"
        assert client.show("holder", HOLDER.party)


def test_half_signed_notes_wait_for_the_others(folder: Path, time: Time) -> None:
    with closed_to_strangers(folder, time) as client:
        client.login(key_of(PROVIDER.key_names[0]))
        assert client.pending.list() == []
        assert client.pending.get("0" * 64) is None


def test_a_rehearsal_logs_in_at_its_own_time(folder: Path, time: Time) -> None:
    """The log's time is another than this machine's there."""
    with (
        service_in_thread(folder, LOG_KEY, clock=time, reading="own") as running,
        Client(running.url, POLICY, patience=PATIENCE) as client,
    ):
        with pytest.raises(ProblemError):
            client.login(key_of(HOLDER.key_names[0]))
        client.login(key_of(HOLDER.key_names[0]), clock=time)
        assert client.show("holder", HOLDER.party)
