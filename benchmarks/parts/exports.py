"""An export's hashes verified from the signed root down, against SHA-256 of its files and nothing else.

Both read every file from the disk. SHA-256 alone gets each file at once, as `sha256sum` would; what is verified hashes
each entry by itself, and the tree.
"""

import hashlib
import time
from contextlib import closing
from pathlib import Path

from parts.auditing import POLICY, SINGLE_ENTRIES, STATEMENT_LINES
from places import LINES_EACH, Place
from rounds import Part

from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.sources import TILES, StaticFolder
from tallystick.static.files import open_files
from tallystick.static.hashes import verify_hashes


def _exported(place: Place, ledger: Path) -> Path:
    folder = place.kept_folder() / "export"
    with read_ledger(ledger) as reader:
        export_tiles(reader, folder)
    return folder


def _rates(folder: Path) -> tuple[float, float]:
    """Return megabytes a second of CPU time: verified, and hashed alone."""
    begin = time.process_time()
    with closing(open_files(StaticFolder(folder))) as files:
        size = verify_hashes(files, POLICY).size_bytes
    between = time.process_time()
    hashed = 0
    for path in (folder / TILES).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            hashlib.sha256(data).digest()
            hashed += len(data)
    end = time.process_time()
    return size / (between - begin) / 1e6, hashed / (end - between) / 1e6


def measure(place: Place) -> dict[str, float]:
    """All hashes of an export verified, and SHA-256 of its files alone."""
    statements = place.ledger(place.count(STATEMENT_LINES, least=LINES_EACH))
    single = place.ledger(place.count(SINGLE_ENTRIES, least=1_000), 1)
    verified, hashed = _rates(place.once("export of statements", lambda: _exported(place, statements)))
    verified_single, hashed_single = _rates(place.once("export of single lines", lambda: _exported(place, single)))
    return {
        "export_hashes_mb": verified,
        "export_sha256_mb": hashed,
        "export_single_hashes_mb": verified_single,
        "export_single_sha256_mb": hashed_single,
    }


PART = Part("export_hashes", measure)
