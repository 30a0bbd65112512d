"""The bytes of a tile or an entry bundle, as an export has them, read from a log's store when they are asked for.

Every width up to that of the newest tree can be had, so also each that an export has of an earlier one. Entries are
compared with their leaf hashes first: a damaged store isn't spread.
"""

from tallystick.errors import NotALedgerError, NotFoundError, TileMalformedError
from tallystick.publishing.reader import Reader
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH, leaf_hash
from tallystick.transparency.tiles import Bundle, Tile, bundle_to_bytes


def tile_bytes(reader: Reader, which: Tile | Bundle) -> bytes:
    """Return the bytes of a tile or a bundle of a log's tree.

    Raises:
        NotFoundError: the tree has none such yet.
        NotALedgerError: the log's tree or entries are damaged.
    """
    level = 0 if isinstance(which, Bundle) else which.level
    end = which.n * TILE_WIDTH + which.width
    if end > reader.size >> (TILE_HEIGHT * level):
        raise NotFoundError(f"the tree of {reader.size:,} entries has no such tile yet")
    hashes = reader.read_tile(level, which.n, which.width)
    if len(hashes) != which.width * HASH_SIZE:
        raise NotALedgerError("the log's tree is damaged: hashes are missing; `tallystick audit` says more")
    if isinstance(which, Tile):
        return hashes
    entries = list(reader.entries(end - which.width, end))
    if b"".join(map(leaf_hash, entries)) != hashes:
        raise NotALedgerError(
            f"entries from {end - which.width} on are missing or changed; `tallystick audit` says more"
        )
    try:
        return bundle_to_bytes(entries)
    except TileMalformedError as error:
        raise NotALedgerError(f"a bundle can't be made ({error}); `tallystick audit` says more") from None
