"""A log as static files, as C2SP tlog-tiles says: any web server can serve them, any copy is as good as another.

    checkpoint            the newest signed checkpoint, written last
    tile/<L>/<N>[.p/<W>]  hashes
    tile/entries/<N>[.p/<W>]  entry bundles

Each file is written aside, made durable and renamed, so that a reader sees it whole or not at all; what is there
already is left as it is, so an export that was cut off is finished by running it again.
"""

import os
from collections.abc import Callable
from pathlib import Path

from tallystick.ledger.opening import Reader
from tallystick.transparency.tiles import TILE_WIDTH, bundle_path, bundle_to_bytes, tile_path, tiles_of


def export_tiles(reader: Reader, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the folder for the reader's checkpoint.

    Raises:
        OSError: a file can't be written; run it again.
    """
    for tile in tiles_of(reader.size):
        path = folder / tile_path(tile.level, tile.n, tile.width)
        if not path.exists():
            write_durably(path, reader.read_tile(tile.level, tile.n, tile.width))
        if tile.level == 0:
            path = folder / bundle_path(tile.n, tile.width)
            first = tile.n * TILE_WIDTH
            if not path.exists():
                write_durably(path, bundle_to_bytes(list(reader.entries(first, first + tile.width))))
            if progress is not None:
                progress(first + tile.width, reader.size)
    write_durably(folder / "checkpoint", reader.checkpoint_note())


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, also after a power cut, or isn't there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
