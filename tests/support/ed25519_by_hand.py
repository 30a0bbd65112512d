"""Ed25519 in plain integers, from RFC 8032: what the two libraries are compared with. Slow, and for tests alone.

It verifies by the equation without the cofactor, with R compared by its bytes and S below the order of the group, and
says what the cofactor would have changed. Points are affine, computed from the curve's equation alone.
"""

import hashlib
from typing import Final

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int, int, int]
"""X, Y, Z and T of extended coordinates: x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 section 5.1.4)."""

NEUTRAL: Final[Point] = (0, 1, 1, 0)


def add(one: Point, other: Point) -> Point:
    """Their sum."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    """A multiple, of a scalar that isn't negative."""
    total = NEUTRAL
    for bit in bin(scalar)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def negative(point: Point) -> Point:
    """The point with which the sum is neutral."""
    x, y, z, t = point
    return -x % P, y, z, -t % P


def encoded(point: Point) -> bytes:
    """The canonical encoding: y, and the sign of x."""
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def decoded(data: bytes) -> Point | None:
    """The point of 32 bytes, y >= p taken modulo p and either sign of x = 0; None if they are no point."""
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255 % P, number >> 255
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if v * x * x % P != u:
        return None
    if x & 1 != sign:
        x = -x % P
    return x, y, 1, x * y % P


def _base() -> Point:
    y = 4 * pow(5, -1, P) % P
    point = decoded(y.to_bytes(32, "little"))
    assert point is not None
    return point


BASE: Final = _base()


def of_order_8() -> Point:
    """A point of order 8: L times a point that isn't in the group of the base."""
    for y in range(2, 100):
        point = decoded(y.to_bytes(32, "little"))
        if point is not None and encoded(times(4 * L, point)) != encoded(NEUTRAL):
            return times(L, point)
    raise AssertionError("there are such points")


def challenge(r: bytes, public_key: bytes, message: bytes) -> int:
    """What RFC 8032 calls k."""
    return int.from_bytes(hashlib.sha512(r + public_key + message).digest(), "little") % L


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether R is the encoding of S·B - k·A, and S below L."""
    point = decoded(public_key)
    if point is None or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = challenge(r, public_key, message)
    return encoded(add(times(s, BASE), times(k, negative(point)))) == r


def has_small_order(data: bytes) -> bool:
    """Whether 32 bytes are a point whose order divides 8, in whatever encoding."""
    point = decoded(data)
    return point is not None and encoded(times(8, point)) == encoded(NEUTRAL)


def is_canonical(data: bytes) -> bool:
    """Whether y is below p."""
    return int.from_bytes(data, "little") % 2**255 < P


def is_documented_as_good(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """The whole rule (docs/decisions/0027): key and R neither of small order nor misencoded, and it fits."""
    return all(is_canonical(half) and not has_small_order(half) for half in (public_key, signature[:32])) and verifies(
        public_key, signature, message
    )
