"""What a log uploads to a mirror: entries in packages that can each be verified alone (C2SP tlog-mirror, add-entries).

    u16 origin's length, origin
    u64 start, u64 end            entries from `start` to before `end`, which is the size of a pending checkpoint
    u16 ticket's length, ticket   opaque, from the mirror
    packages

Packages part at multiples of 256. A package is its entries, each behind its length in two bytes, then one byte with
the number of hashes, and the hashes that prove these leaves, from the multiple of 256 on, in the tree of `end` leaves.
A request may hold fewer packages than there are, from the first on.

The mirror answers 409 and 202 with three lines: a pending checkpoint's size, the next entry that it lacks, a ticket.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from tallystick.errors import MalformedError
from tallystick.transparency.encoding import (
    HASH_SIZE,
    SIZE_MAX,
    base64_from_text,
    base64_to_text,
    decimal_from_text,
)
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.transparency.receipt import PROOF_LENGTH_MAX
from tallystick.transparency.tiles import ENTRY_SIZE_MAX

PACKAGES_MAX: Final = 32
"""In one request: 8,192 entries, as the specification recommends."""
PACKAGE_SIZE_MAX: Final = TILE_WIDTH * (2 + ENTRY_SIZE_MAX) + 1 + PROOF_LENGTH_MAX * HASH_SIZE
TICKET_SIZE_MAX: Final = 0xFFFF
MIRROR_INFO: Final = "text/x.tlog.mirror-info"
INFO_SIZE_MAX: Final = 2 * 20 + 4 * (TICKET_SIZE_MAX + 2) // 3 + 2


class Interval(NamedTuple):
    """The entries of a package, `first` to before `stop`; the subtree that it proves begins at `aligned`."""

    aligned: int
    first: int
    stop: int


class Package(NamedTuple):
    """Entries, and the hashes that prove them."""

    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return the package as it is uploaded."""
        parts = [part for entry in self.entries for part in (len(entry).to_bytes(2), entry)]
        return b"".join([*parts, len(self.proof).to_bytes(1), *self.proof])


def intervals(start: int, end: int) -> Iterator[Interval]:
    """Yield the intervals of the packages for entries `start` to before `end`."""
    for aligned in range(start - start % TILE_WIDTH, end, TILE_WIDTH):
        if start < end:
            yield Interval(aligned, max(start, aligned), min(end, aligned + TILE_WIDTH))


def package_from_bytes(data: bytes, at: int, interval: Interval) -> tuple[Package, int] | None:
    """Return the package that begins at a place of a body, and where it ends; None if the body ends before.

    Raises:
        MalformedError: more hashes than a proof has.
    """
    entries = []
    for _ in range(interval.stop - interval.first):
        length = int.from_bytes(data[at : at + 2])
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at >= len(data):
        return None
    count = data[at]
    if count > PROOF_LENGTH_MAX:
        raise MalformedError(f"a package has at most {PROOF_LENGTH_MAX} hashes, and this one {count}")
    at += 1
    end = at + count * HASH_SIZE
    if end > len(data):
        return None
    return Package(tuple(entries), tuple([data[place : place + HASH_SIZE] for place in range(at, end, HASH_SIZE)])), end


@dataclass(frozen=True, slots=True)
class AddEntries:
    """The head of an upload: entries `start` to before `end` of a log, and a ticket.

    Raises:
        MalformedError: sizes that aren't 0 <= start <= end < 2^63, or an origin or ticket beyond 65,535 bytes.
    """

    origin: str
    start: int
    end: int
    ticket: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end <= SIZE_MAX:
            raise MalformedError(f"no log has entries from {self.start} to before {self.end}")
        if len(self.origin.encode()) > 0xFFFF or len(self.ticket) > TICKET_SIZE_MAX:
            raise MalformedError("origin and ticket have at most 65,535 bytes each")

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple[Self, int]:
        """Return the head of a body, and where its packages begin.

        Raises:
            MalformedError: not the head of an upload.
        """
        at = 2 + int.from_bytes(data[:2])
        origin = data[2:at]
        start, end = int.from_bytes(data[at : at + 8]), int.from_bytes(data[at + 8 : at + 16])
        ticket_at = at + 18
        packages_at = ticket_at + int.from_bytes(data[at + 16 : ticket_at])
        if len(data) < max(packages_at, ticket_at):
            raise MalformedError("the body ends within its head")
        try:
            return cls(origin.decode(), start, end, data[ticket_at:packages_at]), packages_at
        except UnicodeDecodeError:
            raise MalformedError("an origin is UTF-8") from None

    def to_bytes(self) -> bytes:
        """Return the head as it is uploaded."""
        origin = self.origin.encode()
        sizes = self.start.to_bytes(8) + self.end.to_bytes(8)
        return len(origin).to_bytes(2) + origin + sizes + len(self.ticket).to_bytes(2) + self.ticket


@dataclass(frozen=True, slots=True)
class MirrorInfo:
    """What a mirror says of itself: the size to upload to, the first entry that it lacks, and a ticket to bring."""

    size: int
    next_entry: int
    ticket: bytes = b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what three lines say.

        Raises:
            MalformedError: other lines.
        """
        lines = data.split(b"\n")
        if len(lines) != 4 or lines[3]:
            raise MalformedError("a mirror says of itself three lines")
        try:
            return cls(decimal_from_text(lines[0]), decimal_from_text(lines[1]), base64_from_text(lines[2]))
        except ValueError as error:
            raise MalformedError(f"of a mirror's three lines, {error}") from None

    def to_bytes(self) -> bytes:
        """Return the three lines."""
        return b"%d\n%d\n%s\n" % (self.size, self.next_entry, base64_to_text(self.ticket))
