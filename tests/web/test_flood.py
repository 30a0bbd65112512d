"""Notes that nobody signed, in great number: their sender waits, and nobody else does."""

from pathlib import Path

import pytest
from starlette.requests import Request

from support.actors import note_of
from support.burning import NOW, burn_note
from support.serving import batch_of, service_in_thread
from tallystick.errors import RequestRefusedError
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import described
from tallystick.web import flood
from tallystick.web.flood import FAILURES_A_SECOND, FAILURES_MAX, UNSIGNED, FailureBuckets

BAD = Refusal(Reason.SIGNATURE_INVALID, "x")
NOT_BEFORE_SIGNATURES = {
    # of notes that are recorded already, or by what is wrong here
    Reason.ALREADY_RECORDED,
    Reason.DECISION_FAILED,
    Reason.LOG_KEY_MISSING,
    # of good signatures
    Reason.KEY_REVOKED,
    Reason.KEY_NOT_ACTIVE_YET,
    Reason.KEY_NOT_FOR_THIS_COMMAND,
    Reason.SIGNER_NOT_INVOLVED,
    Reason.ENTRY_TOO_LARGE,
}


class Clock:
    """Seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(clock: Clock) -> FailureBuckets:
    return FailureBuckets(clock)


def request_from(host: str | None) -> Request:
    client = None if host is None else (host, 4711)
    return Request({"type": "http", "client": client, "headers": [], "method": "POST", "path": "/v1/entries"})


def is_held_up(buckets: FailureBuckets, host: str | None) -> bool:
    try:
        buckets.check(request_from(host))
    except RequestRefusedError as error:
        return error.reason == "too_many_requests"
    return False


def fail(buckets: FailureBuckets, host: str | None, times: int = 1) -> None:
    buckets.count(request_from(host), [BAD] * times)


def test_an_address_may_fail_so_often_and_then_waits(buckets: FailureBuckets, clock: Clock) -> None:
    """A token comes back each tenth of a second; another address isn't touched."""
    fail(buckets, "203.0.113.7", FAILURES_MAX)
    assert is_held_up(buckets, "203.0.113.7")
    assert not is_held_up(buckets, "203.0.113.8")
    clock.now += 1 / FAILURES_A_SECOND
    assert not is_held_up(buckets, "203.0.113.7")
    fail(buckets, "203.0.113.7")
    assert is_held_up(buckets, "203.0.113.7")
    clock.now += 10_000
    fail(buckets, "203.0.113.7", FAILURES_MAX - 1)
    assert not is_held_up(buckets, "203.0.113.7")


def test_it_is_told_how_long(buckets: FailureBuckets) -> None:
    """As a number of seconds, in the usual headers; a batch of failures costs as many, up to a second bucket."""
    fail(buckets, "203.0.113.7", 10_000)
    with pytest.raises(RequestRefusedError) as refused:
        buckets.check(request_from("203.0.113.7"))
    seconds = (FAILURES_MAX + 1 + FAILURES_A_SECOND - 1) // FAILURES_A_SECOND
    assert refused.value.headers == {
        "Retry-After": str(seconds),
        "RateLimit-Policy": '"failures";q=200;w=20',
        "RateLimit": f'"failures";r=0;t={seconds}',
    }


def test_what_is_said_of_a_refusal_counts_like_it(buckets: FailureBuckets) -> None:
    """Checks answer with objects."""
    buckets.count(request_from("203.0.113.7"), [{"reason": "signature_invalid"}, {"reason": "exceeds_reservation"}])
    fail(buckets, "203.0.113.7", FAILURES_MAX - 2)
    assert not is_held_up(buckets, "203.0.113.7")
    fail(buckets, "203.0.113.7")
    assert is_held_up(buckets, "203.0.113.7")


def test_only_failures_count(buckets: FailureBuckets) -> None:
    """Not what was recorded, nor what a party signed and may not have."""
    for answer in (
        object(),
        Refusal(Reason.EXCEEDS_RESERVATION, "x"),
        Refusal(Reason.ALREADY_RECORDED, "x"),
        {"index": 1},
    ):
        buckets.count(request_from("203.0.113.7"), [answer] * 10 * FAILURES_MAX)
    assert len(buckets) == 0
    assert not is_held_up(buckets, "203.0.113.7")


def test_addresses_of_one_network_are_one(buckets: FailureBuckets) -> None:
    """A /64 is one customer's; an IPv4 address in IPv6's form is itself."""
    fail(buckets, "2001:db8:1:2:3::4", FAILURES_MAX)
    assert is_held_up(buckets, "2001:db8:1:2:ffff::1")
    assert not is_held_up(buckets, "2001:db8:1:3::4")
    fail(buckets, "::ffff:203.0.113.9", FAILURES_MAX)
    assert is_held_up(buckets, "203.0.113.9")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.8.8.8", "::ffff:127.0.0.1", None, "testclient", ""])
def test_this_machine_is_never_held_up(buckets: FailureBuckets, host: str | None) -> None:
    """A proxy there would be everybody; what has no address is there too."""
    fail(buckets, host, 10 * FAILURES_MAX)
    assert not is_held_up(buckets, host)
    assert len(buckets) == 0


def test_so_many_addresses_are_remembered(buckets: FailureBuckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one more, the one that failed longest ago is forgotten."""
    monkeypatch.setattr(flood, "ADDRESSES_MAX", 3)
    for number in (1, 2, 3, 1, 4):
        fail(buckets, f"203.0.113.{number}", FAILURES_MAX)
    assert len(buckets) == 3
    assert [is_held_up(buckets, f"203.0.113.{number}") for number in (1, 2, 3, 4)] == [True, False, True, True]


def test_the_list_of_what_is_answered_to_anybody_is_whole() -> None:
    """Each reason that no rule of its own gives is on it, or comes once signatures are good."""
    common = {Reason.from_code(one) for one in described()["every_command"]["refusals"]}
    assert common == UNSIGNED | NOT_BEFORE_SIGNATURES
    assert not UNSIGNED & NOT_BEFORE_SIGNATURES


def test_a_flood_through_a_proxy_holds_up_its_sender_alone(folder: Path) -> None:
    """Every route that takes notes counts, and none lets it through; a good note from elsewhere is recorded."""
    bad = note_of({"kind": "time.burn/1"}, "nobody/key-1")
    flooding, other = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
    with service_in_thread(folder, clock=lambda: NOW, proxies=("127.0.0.1",)) as serving:
        for path in ("/v1/entries", "/v1/check", "/v1/sessions", "/v1/pending"):
            assert serving.post(bad, path, **flooding).json()["reason"] == "command_malformed", path
        for path, times in (("/v1/check:batch", FAILURES_MAX // 2), ("/v1/entries:batch", 500)):
            answer = serving.http.post(path, content=batch_of([bad] * times), headers=flooding)
            assert answer.status_code == 200, path
        for path in ("/v1/entries", "/v1/check", "/v1/entries:batch", "/v1/check:batch", "/v1/sessions", "/v1/pending"):
            answer = serving.post(burn_note("s-1"), path, **flooding)
            assert (answer.status_code, answer.json()["reason"]) == (429, "too_many_requests"), path
            assert int(answer.headers["retry-after"]) > 0
        assert serving.post(burn_note("s-1"), **other).status_code == 201
        assert serving.http.get("/v1/entries/0", headers=flooding).status_code == 200


def test_without_a_proxy_that_is_believed_nobody_says_who_asks(folder: Path) -> None:
    """What stands in X-Forwarded-For is anybody's word."""
    bad = batch_of([note_of({"kind": "time.burn/1"}, "nobody/key-1")] * 300)
    with service_in_thread(folder, clock=lambda: NOW) as serving:
        for _ in range(2):
            answer = serving.http.post("/v1/check:batch", content=bad, headers={"X-Forwarded-For": "203.0.113.7"})
            assert answer.status_code == 200
