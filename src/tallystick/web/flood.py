"""Who sends many notes that nobody signed is told to wait: a bucket for each address, which failures alone drain.

    answered before a signature was known to be good   one token       (`UNSIGNED`)
    recorded, or refused for what it asks               nothing: a party's key stands for it
    an empty bucket                                     429, before a body is read

What comes from the machine itself is never held up: a proxy there, which isn't trusted to say for whom it asks
(`serve --proxy`), would otherwise be one address for everybody. Addresses of IPv6 count by their /64. All of this runs
in the event loop.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from starlette.requests import Request

from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.web.problems import HttpProblem
from tallystick.wire.statuses import HttpReason

FAILURES_MAX: Final = 200
"""At once; also what a batch may leave the bucket in want of."""
FAILURES_A_SECOND: Final = 10
ADDRESSES_MAX: Final = 10_000
_IPV6_BITS: Final = 64

UNSIGNED: Final = frozenset(
    {
        Reason.NOTE_TOO_LARGE,
        Reason.NOTE_MALFORMED,
        Reason.COMMAND_NOT_CANONICAL,
        Reason.COMMAND_MALFORMED,
        Reason.COMMAND_FOR_ANOTHER_LOG,
        Reason.REF_REUSED_FOR_OTHER_CONTENT,
        Reason.NETWORK_NOT_FOUNDED,
        Reason.NETWORK_ALREADY_FOUNDED,
        Reason.SIGNED_IN_THE_FUTURE,
        Reason.SIGNED_TOO_LONG_AGO,
        Reason.PARTY_UNKNOWN,
        Reason.PARTY_SUSPENDED,
        Reason.ROLE_MAY_NOT,
        Reason.KEY_UNKNOWN,
        Reason.SIGNATURE_INVALID,
        Reason.SIGNATURES_MISSING,  # one by a key that the command brings anybody can make
    }
)
"""What is answered to anybody, before a signature is known to be good."""


class FailureBuckets:
    """How many failures each address has left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock (seconds)."""
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, request: Request) -> None:
        """Refuse a request from an address that has none left; before its body is read.

        Raises:
            HttpProblem: it has none left.
        """
        address = _address_of(request)
        if address is None or address not in self._buckets:
            return
        left = self._left(address)
        if left < 1:
            seconds = ceil((1 - left) / FAILURES_A_SECOND)
            headers = {
                "Retry-After": str(seconds),
                "RateLimit-Policy": f'"failures";q={FAILURES_MAX};w={FAILURES_MAX // FAILURES_A_SECOND}',
                "RateLimit": f'"failures";r=0;t={seconds}',
            }
            detail = "too many notes from there were nothing that a party had signed; wait, and sign them"
            raise HttpProblem(HttpReason.TOO_MANY_REQUESTS, detail, headers=headers)

    def count(self, request: Request, answers: Iterable[object]) -> None:
        """Count the answers to a request that are failures: refusals, or what is said of them."""
        failures = sum(_is_failure(answer) for answer in answers)
        address = _address_of(request) if failures else None
        if address is not None:
            left = max(self._left(address) - failures, -float(FAILURES_MAX))
            self._buckets.pop(address, None)
            self._make_room()
            self._buckets[address] = left, self._clock()

    def __len__(self) -> int:
        """Return of how many addresses something is remembered."""
        return len(self._buckets)

    def _left(self, address: str) -> float:
        left, at = self._buckets.get(address, (float(FAILURES_MAX), 0.0))
        return min(left + (self._clock() - at) * FAILURES_A_SECOND, float(FAILURES_MAX))

    def _make_room(self) -> None:
        """Forget the address that failed longest ago."""
        while len(self._buckets) >= ADDRESSES_MAX:
            del self._buckets[next(iter(self._buckets))]


def buckets_of(request: Request) -> FailureBuckets:
    """Return what a service counts its callers' failures in."""
    buckets: FailureBuckets = request.app.state.failures
    return buckets


def _is_failure(answer: object) -> bool:
    if isinstance(answer, Mapping):
        return answer.get("reason") in UNSIGNED
    return isinstance(answer, Refusal) and answer.reason in UNSIGNED


def _address_of(request: Request) -> str | None:
    return None if request.client is None else _counted_as(request.client.host)


@lru_cache(ADDRESSES_MAX)
def _counted_as(host: str) -> str | None:
    """Return what an address is counted as; None for this machine's own, and for what is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    return str(ip_network((address, _IPV6_BITS), strict=False)) if address.version == 6 else str(address)
