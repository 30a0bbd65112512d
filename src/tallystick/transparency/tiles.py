"""The tree and the entries are files that never change once they are full, each with one path (C2SP tlog-tiles v0.1.0).

    tile/<level>/<n>[.p/<width>]     `width` hashes of 32 bytes; 256 if it is full
    tile/entries/<n>[.p/<width>]     a bundle: for each entry its length, 2 bytes big-endian, and its bytes

Hash i of tile n at level l is the root over the 256^l leaves from (n * 256 + i) * 256^l on, so level 0 holds leaf
hashes, and a level holds one hash for each full tile below it. `<n>` is written in groups of three digits, all but
the last behind an x: 1234067 is x001/x234/067. A partial tile is the first `width` hashes of the full one; it belongs
to trees that end inside it.

This names files and reads their bytes; it neither stores nor fetches. Hashes in tiles prove nothing until a root was
derived from them and compared with a signed checkpoint.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tallystick.errors import TileMalformedError
from tallystick.transparency.encoding import SIZE_MAX
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH, ReadTile, root_of_tile

__all__ = [
    "BUNDLE_SIZE_MAX",
    "ENTRY_SIZE_MAX",
    "LEVEL_MAX",
    "TILE_WIDTH",
    "Bundle",
    "ReadTile",
    "Tile",
    "bundle_from_bytes",
    "bundle_leaf_hashes",
    "bundle_path",
    "bundle_to_bytes",
    "node_from_tiles",
    "parse_tile_path",
    "tile_path",
    "tiles_between",
    "tiles_of",
]

ENTRY_SIZE_MAX: Final = 65_535
BUNDLE_SIZE_MAX: Final = TILE_WIDTH * (2 + ENTRY_SIZE_MAX)
LEVEL_MAX: Final = 63

_PATH_LENGTH_MAX: Final = 64
_PATH: Final = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class Tile(NamedTuple):
    """Which tile: its level, its place `n` along that level, and how many hashes it has (1 to 256)."""

    level: int
    n: int
    width: int


class Bundle(NamedTuple):
    """Which entry bundle: its place `n`, and how many entries it has (1 to 256)."""

    n: int
    width: int


def tile_path(level: int, n: int, width: int) -> str:
    """Return a tile's path.

    Raises:
        ValueError: a level beyond 0 to 63, a width beyond 1 to 256, or an `n` beyond 0 to 2^63 - 1.
    """
    if not 0 <= level <= LEVEL_MAX:
        raise ValueError(f"tiles have levels 0 to {LEVEL_MAX}, and not {level}")
    return f"tile/{level}/{_place(n, width)}"


def bundle_path(n: int, width: int) -> str:
    """Return an entry bundle's path.

    Raises:
        ValueError: a width beyond 1 to 256, or an `n` beyond 0 to 2^63 - 1.
    """
    return f"tile/entries/{_place(n, width)}"


def parse_tile_path(path: str) -> Tile | Bundle:
    """Return which tile or bundle a path names.

    Raises:
        TileMalformedError: not a tile's or a bundle's path in its canonical encoding.
    """
    found = _PATH.fullmatch(path) if len(path) <= _PATH_LENGTH_MAX else None
    if found is not None:
        level, digits, width_digits = found.groups()
        n = int(digits.replace("x", "").replace("/", ""))
        width = int(width_digits or TILE_WIDTH)
        which = Bundle(n, width) if level == "entries" else Tile(int(level), n, width)
        try:
            again = bundle_path(*which) if isinstance(which, Bundle) else tile_path(*which)
        except ValueError:
            again = ""
        if again == path:  # leading zeros and groups, and .p/256, would be second names of one file
            return which
    raise TileMalformedError(f"{path[:_PATH_LENGTH_MAX]!a} is not the path of a tile or an entry bundle")


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield the tiles of a tree of `size` leaves, by level; its bundles have the `n` and width of those at level 0."""
    return tiles_between(0, size)


def tiles_between(old_size: int, new_size: int) -> Iterator[Tile]:
    """Yield the tiles that the tree of `new_size` leaves has and that of `old_size` has not, or has narrower.

    Raises:
        ValueError: sizes that aren't 0 <= old <= new.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {old_size} leaves doesn't grow to {new_size}")
    level = 0
    while old_size != new_size:  # sizes along the level; once they are equal, they are so above too
        full = new_size // TILE_WIDTH
        for n in range(old_size // TILE_WIDTH, full):
            yield Tile(level, n, TILE_WIDTH)
        if new_size % TILE_WIDTH:
            yield Tile(level, full, new_size % TILE_WIDTH)
        old_size, new_size, level = old_size // TILE_WIDTH, full, level + 1


def bundle_to_bytes(entries: Sequence[bytes]) -> bytes:
    """Return the bundle of these entries.

    Raises:
        ValueError: not 1 to 256 entries.
        TileMalformedError: an entry of more than 65,535 bytes, whose length two bytes can't say.
    """
    _check_width(len(entries))
    if max(map(len, entries)) > ENTRY_SIZE_MAX:
        raise TileMalformedError(f"an entry in a bundle has at most {ENTRY_SIZE_MAX} bytes")
    return b"".join([part for entry in entries for part in (len(entry).to_bytes(2), entry)])


def bundle_from_bytes(data: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle of `width` entries.

    Raises:
        ValueError: a width beyond 1 to 256.
        TileMalformedError: more, less or other bytes than `width` entries.
    """
    _check_width(width)
    entries = []
    end = 0
    for _ in range(width):
        start = end + 2
        end = start + int.from_bytes(data[start - 2 : start])
        entries.append(data[start:end])
    # Slices never fail, but `end` only grows: where anything was cut short it lies beyond the last byte for good.
    if end != len(data):
        raise TileMalformedError(f"a bundle of {len(data)} bytes does not hold exactly {width} entries")
    return entries


def bundle_leaf_hashes(data: bytes, width: int) -> bytes:
    """Return the leaf hashes of the entries of a bundle of `width` entries, joined: the bytes of its tile.

    Raises:
        ValueError: a width beyond 1 to 256.
        TileMalformedError: more, less or other bytes than `width` entries.
    """
    _check_width(width)
    # As `leaf_hash` does it, without copying an entry: of a statement that would be an eighth of the time.
    hashes, sha256, view = [], hashlib.sha256, memoryview(data)
    end = 0
    try:
        for _ in range(width):
            start = end + 2
            end = start + (data[end] << 8 | data[end + 1])
            leaf = sha256(b"\x00")
            leaf.update(view[start:end])
            hashes.append(leaf.digest())
    except IndexError:
        end = -1
    if end != len(data):
        raise TileMalformedError(f"a bundle of {len(data)} bytes does not hold exactly {width} entries")
    return b"".join(hashes)


def node_from_tiles(height: int, position: int, size: int, read_tile: ReadTile) -> bytes:
    """Return the root over the 2^height leaves from `position * 2^height` on, read from one tile of a tree of `size`.

    Raises:
        ValueError: a subtree that isn't wholly inside the tree.
        TileMalformedError: a tile of another length than asked for.
    """
    if height < 0 or position < 0 or (position + 1) << height > size:
        raise ValueError(f"no perfect subtree {position} of 2^{height} leaves in a tree of {size}")
    level, rest = divmod(height, TILE_HEIGHT)
    n, start = divmod(position << rest, TILE_WIDTH)
    width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH)
    return root_of_tile(read_tile(level, n, width), width, start, 1 << rest)


def _place(n: int, width: int) -> str:
    if not 0 <= n <= SIZE_MAX:
        raise ValueError(f"tiles are counted from 0, below 2^63, and not {n}")
    _check_width(width)
    groups = f"{n:,}".split(",")  # 1,234,067
    groups[0] = groups[0].zfill(3)
    groups[:-1] = [f"x{group}" for group in groups[:-1]]
    return "/".join(groups) + ("" if width == TILE_WIDTH else f".p/{width}")


def _check_width(width: int) -> None:
    if not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"a tile holds 1 to {TILE_WIDTH} and not {width}")
