"""A log as static files, as C2SP tlog-tiles says; a checkpoint there comes after every file that it implies.

    tile/entries/<N>[.p/<W>]      entry bundles
    tile/<L>/<N>[.p/<W>]          hashes
    states/<size>, states/index   saved states, where they are asked for (saved_states.py), and no part of the log
    verify.html                   the verifier's page, where it is given: for people, and no part of the log
    checkpoint                    the newest signed checkpoint, written last

An export starts from the folder's own checkpoint, which must be of this log's past, and writes what came after it:

    (1) each file aside, made durable; then renamed, so that it is there whole or not at all   once a batch
    (2) every folder that got one, made durable                                                  once
    (3) the checkpoint, in the same way

Killed before (3), the folder is as it was, with some files that no checkpoint speaks of; the next export writes those
anew. Nothing below a published checkpoint is ever written again or deleted: its partial tiles stay. The page is: each
version writes its own.

Leaf hashes are computed from the entries, the tree from them, and the checkpoint is only published if it has that root:
a damaged store isn't spread. That the entries are right isn't checked, that is the audit's work.
"""

from pathlib import Path

from tallystick.durable_files import ASIDE, DurableFiles, exclusive_lock
from tallystick.errors import MalformedError, NotALedgerError, ProofInvalidError, UsageError
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader
from tallystick.publishing.saved_states import states_due, write_states
from tallystick.publishing.verify_page import PAGE, read_page
from tallystick.signing.note import Note
from tallystick.sources import CHECKPOINT, TILES
from tallystick.static.files import CHECKPOINT_SIZE_MAX, FolderFiles
from tallystick.static.states import STATES
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merging import merge_notes
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH, leaf_hash
from tallystick.transparency.tiles import bundle_path, bundle_to_bytes, tile_path


def export_tiles(
    reader: Reader,
    folder: Path,
    progress: Progress | None = None,
    page: bytes | None = None,
    states_every: int | None = None,
) -> int:
    """Write the folder for the reader's checkpoint, and return how many entries were new.

    Args:
        reader: of the log.
        folder: made if it isn't there.
        progress: is told of entries.
        page: the verifier's (`verify_page`), to be put beside the checkpoint.
        states_every: how many entries lie between two saved states; None: none is written.

    Raises:
        UsageError: the folder holds something else, another log, or another page of that name; or it would have too
            many states.
        ProofInvalidError: its checkpoint isn't of this log's past: history was rewritten, here or there.
        NotALedgerError: entries, tree and checkpoint of the log don't belong together; nothing was published.
        LedgerBusyError: another process exports to it.
        OSError: a file can't be written; the same export again finishes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(folder):
        published = _published(folder)
        _check_past(reader, folder, published)
        old_size = published[1].size if published else 0
        note = reader.checkpoint_note()
        if published is not None and old_size == reader.size:
            note = merge_notes(published[0], note)  # what was published stays
        is_new = published is None or note != published[0]
        writes_page = page is not None and page != read_page(folder)
        states = states_due(reader, folder, states_every) if states_every is not None else None
        if not is_new and not writes_page and states is None:
            return 0
        with DurableFiles(folder) as files:
            if old_size < reader.size:
                _write_tiles(reader, old_size, files, progress)
            if states is not None:
                write_states(reader, states, files, progress)
            if page is not None and writes_page:
                files.write(PAGE, page)
            files.sync()
            if is_new:
                files.write(CHECKPOINT, note)
                files.sync()
        return reader.size - old_size


def _published(folder: Path) -> tuple[bytes, Checkpoint] | None:
    """Return the folder's own checkpoint, as bytes and read; None if nothing was published there.

    Raises:
        UsageError: the folder is in use for something else, or its checkpoint can't be read.
    """
    note = FolderFiles(folder).read(CHECKPOINT, CHECKPOINT_SIZE_MAX)
    if note is None:
        read_page(folder)
        if any(path.name not in (TILES, STATES, ASIDE, PAGE) for path in folder.iterdir()):
            raise UsageError(f"{folder} is not empty and not an export: choose another folder")
        return None
    try:
        return note, Checkpoint.from_text(Note.from_bytes(note).text)
    except MalformedError as error:
        raise UsageError(
            f"{folder / CHECKPOINT} can't be read ({error}): choose another folder, or delete that file to export anew"
        ) from None


def _check_past(reader: Reader, folder: Path, published: tuple[bytes, Checkpoint] | None) -> None:
    """Raise unless what the folder holds is how this log was."""
    if published is None:
        return
    old = published[1]
    if old.origin != reader.origin:
        raise UsageError(f"{folder} holds another log, {old.origin}: choose another folder")
    if old.size > reader.size:
        raise ProofInvalidError(
            f"{folder} was published with {old.size:,} entries and this log has {reader.size:,}: it is an older copy, "
            "or it was cut back; nothing was written"
        )
    if reader.edge(old.size).root() != old.root:
        raise ProofInvalidError(
            f"history_rewritten: the first {old.size:,} entries of this log are not those that {folder} was published "
            f"with; keep {folder / CHECKPOINT}, which is evidence; nothing was written"
        )


def _write_tiles(reader: Reader, old_size: int, files: DurableFiles, progress: Progress | None) -> None:
    """Write each bundle and tile that the reader's tree has and the tree of the old size hasn't.

    Raises:
        NotALedgerError: the entries don't give the checkpoint's root.
    """
    edge = reader.edge(old_size)
    rows = _Rows(reader, old_size, files)
    for n in range(old_size // TILE_WIDTH, -(-reader.size // TILE_WIDTH)):
        first = n * TILE_WIDTH
        stop = min(first + TILE_WIDTH, reader.size)
        entries = list(reader.entries(first, stop))
        leaves = [leaf_hash(entry) for entry in entries]
        known = rows.waiting(0)
        if len(entries) != stop - first or leaves[: len(known)] != known:
            raise NotALedgerError(f"entries from {first} on are missing or changed; `tallystick audit` says more")
        files.write(bundle_path(n, len(entries)), bundle_to_bytes(entries))
        for level, _, value in edge.extend(leaves[len(known) :]):
            rows.add(level, value)
        if progress is not None:
            progress(stop, reader.size)
    rows.finish()
    if edge.root() != reader.checkpoint.root:
        raise NotALedgerError(
            "entries and checkpoint of the log don't belong together, and nothing was published; `tallystick audit` "
            "says more"
        )


class _Rows:
    """By tile level, the hashes of the tile that isn't full yet; one that becomes full is written."""

    def __init__(self, reader: Reader, size: int, files: DurableFiles) -> None:
        """Begin with the partial tiles of a tree."""
        self._files = files
        self._hashes: list[list[bytes]] = []
        self._tiles: list[int] = []  # how many full ones there are
        self._grown: set[int] = set()
        while size:
            n, width = divmod(size, TILE_WIDTH)
            tile = reader.read_tile(len(self._hashes), n, width) if width else b""
            self._hashes.append([tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)])
            self._tiles.append(n)
            size >>= TILE_HEIGHT

    def waiting(self, level: int) -> list[bytes]:
        """Return the hashes of a level's unfinished tile."""
        return list(self._hashes[level]) if level < len(self._hashes) else []

    def add(self, level: int, value: bytes) -> None:
        """Take in the next hash along a level."""
        if level == len(self._hashes):
            self._hashes.append([])
            self._tiles.append(0)
        row = self._hashes[level]
        row.append(value)
        self._grown.add(level)
        if len(row) == TILE_WIDTH:
            self._write(level)
            self._tiles[level] += 1
            row.clear()

    def finish(self) -> None:
        """Write the partial tiles that have grown."""
        for level, row in enumerate(self._hashes):
            if row and level in self._grown:
                self._write(level)

    def _write(self, level: int) -> None:
        row = self._hashes[level]
        self._files.write(tile_path(level, self._tiles[level], len(row)), b"".join(row))
