"""Views are opened, made to follow the log, and asked: of now, of an entry, or of a time.

follower.py writes the tables, questions.py reads them; rows that turn out not to be what was written are made again.
Whoever wants the past asks the same tables in memory, up to an entry or a time.
"""

import hashlib
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final, Self

from tallystick.errors import MalformedError, NotALedgerError, NotFoundError, ViewsDamagedError, ViewsUnusableError
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader, read_ledger
from tallystick.sources import AnySource, LedgerDatabase, LedgerFolder, Source, StaticFolder, folder_of, parse_source
from tallystick.views.figure_questions import Found
from tallystick.views.follower import LogFollower
from tallystick.views.library import SQLiteCursor
from tallystick.views.questions import Questions
from tallystick.views.view_store import Place, files_of
from tallystick.vouchers.entry import Header, split_entry
from tallystick.vouchers.quantities import format_day, start_of_day

NAME: Final = "views.db"
CACHE: Final = "tallystick"
"""In the user's own cache folder: views of ledgers that have no folder."""


class Views(Questions):
    """Answers about one log, as of its last entry followed."""

    def __init__(self, follower: LogFollower) -> None:
        """Use `open` or `as_of` to make one."""
        self._follower = follower

    @classmethod
    def open(cls, source: AnySource, path: Path | None = None) -> Self:
        """Open the views that are kept of a ledger; they are as old as when they were last followed.

        Args:
            source: a ledger folder, or the URL of a PostgreSQL ledger.
            path: where they are kept; for a folder, `views.db` in it if not given.

        Raises:
            NotALedgerError: there is no ledger.
            ViewsUnusableError: the views' file can't be opened or made.
        """
        place = parse_source(source)
        folder = folder_of(place)
        if path is None and folder is None:
            raise ValueError(f"say where the views of {place} are kept")
        with read_ledger(place) as reader:
            return cls(LogFollower(place, reader.origin, path or (folder or Path()) / NAME))

    @classmethod
    def as_of(
        cls,
        source: AnySource,
        *,
        index: int | None = None,
        at: int | None = None,
        day: int | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Return the views as they were, in memory: in the order of the log, by day, or both.

        Args:
            source: a ledger's folder or database, an export, or its URL.
            index: of the last entry that counts.
            at: or else the last time that counts (microseconds).
            day: the last day (days since 1970) that counts of what these entries say: lines count on the day that they
                are booked on, all else on the day of its entry.
            progress: told how far it is.

        Raises:
            NotALedgerError: there is no ledger, or an entry can't be read.
            NotFoundError: there is no such entry.
        """
        if (index is not None and at is not None) or (index, at, day) == (None, None, None):
            raise ValueError("give an index or a time, or a day")
        place = parse_source(source)
        with read_ledger(place) as reader:
            if index is not None and not 0 <= index < reader.size:
                raise NotFoundError(f"there is no entry {index}: the log has {reader.size}, counted from 0")
            size = reader.size if index is None else index + 1
            return cls.of_past(place, reader, size if at is None else size_at(reader, at), day, progress)

    @classmethod
    def of_past(
        cls, source: Source, reader: Reader, size: int, day: int | None = None, progress: Progress | None = None
    ) -> Self:
        """Return the views after so many entries, in memory; with a day, of what these entries say up to it.

        Raises:
            NotALedgerError: an entry can't be read.
        """
        views = cls(LogFollower(source, reader.origin, None))
        views.last_day = None if day is None else format_day(day)
        try:
            then = size if day is None else min(size, size_at(reader, _end_of(reader, day)))
            views._follower.follow_to(reader, then, progress)
            if day is not None and then < size:
                views._follower.follow_late(reader, size, day)
        except BaseException:
            views.close()
            raise
        return views

    def follow(self, progress: Progress | None = None) -> int:
        """Take in what the log has more, and return how many entries that were.

        Raises:
            NotALedgerError: the ledger or an entry can't be read.
            ViewsUnusableError: the views' file can't be written; what was followed before stays.
            UsageError: these are views of the past.
        """
        return self._follower.follow(progress)

    @property
    def size(self) -> int:
        """How many entries were followed."""
        return self._follower.place.size

    @property
    def at(self) -> int:
        """The log's time of the last of them (microseconds), 0 if there is none."""
        return self._follower.place.at

    def ask(self, question: Callable[[SQLiteCursor], Found]) -> Found:
        """Answer a question from the rows; from others, if those of the file turn out not to be what was written."""
        try:
            with self._follower.reading() as c:
                return question(c)
        except ViewsUnusableError as error:
            if self._follower.is_in_memory:
                raise
            self._follower.make_again(is_damaged=isinstance(error, ViewsDamagedError))
        with self._follower.reading() as c:
            return question(c)

    @contextmanager
    def reading(self) -> Iterator[tuple[SQLiteCursor, Place]]:
        """Give a cursor that reads rows of one moment, and how far these followed the log.

        Raises:
            ViewsUnusableError: the file can't be read, or what was read isn't what was written.
        """
        with self._follower.reading() as c:
            yield c, self._follower.store.place_in(c)

    def memory_bytes(self) -> int:
        """Return how large the rows are, in bytes."""
        return self._follower.store.memory_bytes()

    def entries(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Yield entries of the log.

        Raises:
            NotALedgerError: one can't be read.
        """
        with read_ledger(self._follower.source) as reader:
            for index in indices:
                yield from islice(reader.entries(index, index + 1), 1)

    def close(self) -> None:
        """Let go of the file."""
        self._follower.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def followed_views(source: AnySource, progress: Progress | None = None, *, is_fresh: bool = False) -> Iterator[Views]:
    """Give views that have followed a log up to now.

    They are kept in a ledger's folder, and those of a PostgreSQL ledger in the user's cache. Where nothing can be
    read or written, and of an export, they are made in memory.

    Args:
        source: a ledger folder, the URL of a PostgreSQL ledger, an exported folder, or the URL of one.
        progress: told how far it is.
        is_fresh: worked out from the log alone, in memory: no file of earlier answers is looked at.

    Raises:
        NotALedgerError: there is no log, or an entry can't be read.
    """
    parsed = parse_source(source)
    path = None if is_fresh else _place(parsed)
    views = None if path is None else _kept_views(parsed, path, progress)
    if views is None:
        with read_ledger(parsed) as reader:
            newest = reader.size - 1
        views = Views.as_of(parsed, index=newest, progress=progress)
    with views:
        yield views


def _kept_views(source: Source, path: Path, progress: Progress | None) -> Views | None:
    """Return the views of a file, followed; None if that can't be used here."""
    try:
        views = Views.open(source, path)
    except ViewsUnusableError:
        return None
    try:
        views.follow(progress)
    except BaseException as error:
        views.close()
        if isinstance(error, ViewsUnusableError):
            return None
        raise
    return views


def _place(source: Source) -> Path | None:
    """Return where a log's views are kept; None if nowhere."""
    if isinstance(source, LedgerDatabase):
        path = place_in_cache(source)
        folder = path.parent
    elif isinstance(source, LedgerFolder):
        folder = source.folder
        path = folder / NAME
    else:
        return None
    # A file of another user's is left to him: it may be of use to him.
    there = [file for file in files_of(path) if file.exists()]
    return path if os.access(folder, os.W_OK) and all(os.access(file, os.R_OK | os.W_OK) for file in there) else None


def place_in_cache(source: Source) -> Path:
    """Return where views of a source are kept that can't lie beside it: in the user's cache, by what it is called."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / CACHE
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder_or_url = source.folder.resolve() if isinstance(source, LedgerFolder | StaticFolder) else source
    name = hashlib.sha256(str(folder_or_url).encode(errors="surrogateescape")).hexdigest()[:16]
    return folder / f"views-{name}.db"


def place_of_views(source: Source) -> Path:
    """Return where the views of a ledger are kept.

    Raises:
        ViewsUnusableError: there is no such place that can be written.
    """
    path = _place(source)
    if path is None:
        raise ViewsUnusableError(f"the views of {source} can't be kept beside it: say where they are kept")
    return path


def _end_of(reader: Reader, day: int) -> int:
    """Return the last microsecond of a day of the network's."""
    return start_of_day(day + 1, reader.utc_offset_seconds()) - 1


def size_at(reader: Reader, at: int) -> int:
    """Return how many entries there were at a time (microseconds); the log's time never goes backwards.

    Raises:
        NotALedgerError: an entry can't be read.
    """

    def time_of(index: int) -> int:
        return Header.from_bytes(split_entry(next(reader.entries(index, index + 1)))[0]).at

    try:
        return bisect_right(range(reader.size), at, key=time_of)
    except (MalformedError, StopIteration) as error:
        raise NotALedgerError(f"an entry can't be read ({error}); `tallystick audit` says more") from None
