"""Notes that nobody signed, in great number: their sender waits, and nobody else does."""

import pytest
from starlette.requests import Request

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
