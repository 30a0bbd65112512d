"""The follower writes the views' tables from the log's entries: nothing is lost and nothing doubled.

    position ──► entries after it ──► evolve ──► changes ──► rows + tracking
                 believed, not verified          │           one transaction a batch
                 read here, or by the writer     └─ the projections of schema.py

The library's ProjectionRunner needs a recorder that can be subscribed to, and its projections take an event a
transaction; so the log is pulled here, and the place kept with the library's tracking recorder.
The state that `evolve` needs is kept in the file too, now and then; what lies between it and the position is replayed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from tallystick.cycle_collection import paused_collection
from tallystick.errors import (
    EntryMalformedError,
    MalformedError,
    NotALedgerError,
    UsageError,
    ViewsDamagedError,
    ViewsUnusableError,
)
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader, read_ledger
from tallystick.sources import AnySource, parse_source
from tallystick.views.changes import change_of, sealed_leaves
from tallystick.views.effective import booked_by, completed
from tallystick.views.fresh_entries import FreshEntries
from tallystick.views.library import SQLiteCursor
from tallystick.views.schema import TABLES, BatchOfAll
from tallystick.views.view_store import Place, ViewStore, remove
from tallystick.vouchers.editions import check_first_edition
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.state import State

ENTRIES_A_BATCH: Final = 512
STATE_SAVED_AFTER_ENTRIES: Final = 1_000


class LogFollower:
    """Takes in what a log has more, into a file or into memory."""

    def __init__(
        self,
        source: AnySource,
        origin: str,
        path: Path | None,
        *,
        read: Callable[[], AbstractContextManager[Reader]] | None = None,
        fresh: FreshEntries | None = None,
        state_saved_after: int = STATE_SAVED_AFTER_ENTRIES,
    ) -> None:
        """Open the rows, where they are.

        Args:
            source: where the log is.
            origin: the log's.
            path: the file; None for memory, whose rows are of the past and follow nothing.
            read: gives the log as it is now, if not by opening the source.
            fresh: entries that this process wrote itself, as far as it has them.
            state_saved_after: how many entries are followed before the state is kept in the file again.

        Raises:
            ViewsUnusableError: the file can't be opened or made.
        """
        self.source: Final = parse_source(source)
        self._origin = origin
        self._path = path
        self._store = ViewStore(path, origin, TABLES)
        self._state: State | None = None
        self._saved_size = 0
        self._read = read or (lambda: read_ledger(self.source))
        self._fresh: Final = FreshEntries() if fresh is None else fresh
        self._state_saved_after: Final = state_saved_after

    @property
    def store(self) -> ViewStore:
        """The rows; another one, once they had to be made again."""
        return self._store

    @property
    def place(self) -> Place:
        """How far the log was followed."""
        return self._store.place()

    @property
    def is_in_memory(self) -> bool:
        """Whether no file keeps the rows."""
        return self._path is None

    @contextmanager
    def reading(self) -> Iterator[SQLiteCursor]:
        """Give a cursor that reads rows of one moment, which are checked before this ends.

        Raises:
            ViewsDamagedError: what was read isn't what was written.
            ViewsUnusableError: the file can't be read.
        """
        with self._store.reading() as c:
            yield c

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def follow(self, progress: Progress | None = None) -> int:
        """Take in what the log has more, and return how many entries that were.

        Raises:
            NotALedgerError: the ledger or an entry can't be read.
            ViewsUnusableError: the views' file can't be written; what was followed before stays.
            UsageError: these are views of the past.
        """
        if self._path is None:
            raise UsageError("views of the past don't follow; open those of the ledger")
        try:
            return self._follow_file(progress)
        except ViewsDamagedError:
            self._start_anew(self._origin)
            return self._follow_file(progress)

    def _follow_file(self, progress: Progress | None) -> int:
        # First the place, then the log: the other way round, another's place could be beyond the log that is seen here.
        place = self._store.place()
        with self._read() as reader:
            if not leads_to(reader, place, self._origin):
                self._start_anew(reader.origin)
            followed = self.follow_to(reader, reader.size, progress)
        self.save_state(self._state_saved_after)
        return followed

    def state(self) -> State:
        """Return the state after the last entry followed; whoever changes it, spoils the rows.

        Raises:
            NotALedgerError: the ledger or an entry can't be read.
            ViewsUnusableError: the file can't be read.
        """
        place = self._store.place()
        try:
            with self._read() as reader:
                self._state = self._state_at(reader, place.size)
        except (MalformedError, ValueError, LookupError) as error:
            raise _cannot_be_followed(place.size, error) from None
        return self._state

    def save_state(self, after: int = 1) -> None:
        """Keep the state in the file if so many entries were followed since it was kept.

        Raises:
            ViewsUnusableError: the file can't be written.
        """
        if self._state is not None and self._state.size - self._saved_size >= after:
            self._store.save_state(self._state.size, self._state.to_bytes())
            self._saved_size = self._state.size

    def follow_to(self, reader: Reader, stop: int, progress: Progress | None = None) -> int:
        """Follow up to a size, batch by batch, and return how many entries that were.

        Raises:
            NotALedgerError: an entry can't be read or followed.
            ViewsUnusableError: the rows can't be written; what was followed before stays.
        """
        check_first_edition(reader.entries(0, min(stop, 1)))  # before rows that were kept speak for it
        followed = 0
        place = self._store.place()
        while place.size < stop:
            try:
                state = self._state_at(reader, place.size)
                self._state = None  # until the batch is kept, the state in memory is ahead of the rows
                with paused_collection():
                    after = self._follow_batch(reader, place, min(place.size + ENTRIES_A_BATCH, stop), state)
            except (MalformedError, ValueError, LookupError) as error:
                raise _cannot_be_followed(place.size, error) from None
            if after is None:
                # Another process follows too and was faster: its rows stand, ours were rolled back.
                place = self._store.place()
                continue
            self._state = state
            followed += after.size - place.size
            place = after
            if progress is not None:
                progress(place.size, stop)
        return followed

    def follow_late(self, reader: Reader, stop: int, day: int) -> None:
        """Take in, of the entries from here up to a size, what is booked on a day (days since 1970) or before.

        What is said of things, and the log's time, stay those of the day's end; things that are newer are told as they
        are now.

        Raises:
            NotALedgerError: an entry can't be read or followed.
        """
        place = self._store.place()
        try:
            state = self._state_at(reader, place.size)
            then = State.from_bytes(state.to_bytes())
            self._state = None
            batch = BatchOfAll()
            for data in reader.entries(place.size, stop):
                event = Entry.from_bytes(data).event
                if isinstance(event.command, BookSeal):  # what has ended leaves with it
                    then = completed(then, state)
                part = booked_by(change_of(event, evolve(state, event), state), day)
                if part is not None:
                    batch.add(part)
        except (MalformedError, ValueError, LookupError) as error:
            raise _cannot_be_followed(place.size, error) from None
        told = completed(then, state)
        end = Place(stop, min(state.at, state.start_of(day + 1) - 1), "")
        self._store.keep(place, end, lambda c: batch.write(c, told))

    def _follow_batch(self, reader: Reader, place: Place, stop: int, state: State) -> Place | None:
        """Fold the next entries into rows and keep them; None if another process did.

        A batch ends before a seal: what has ended leaves with it, and rows are written from the state after a batch.
        """
        batch = BatchOfAll()
        data = b""
        for next_data in reader.entries(place.size, stop):
            event = self._fresh.entry(state.size, next_data).event
            if isinstance(event.command, BookSeal) and state.size > place.size:
                stop = state.size
                break
            data = next_data
            leaves = sealed_leaves(event, state)
            change = change_of(event, evolve(state, event), state, leaves)
            batch.add(change)
        if state.size != stop:
            raise EntryMalformedError(f"entry {state.size} is missing")
        after = Place(stop, state.at, hashlib.sha256(data).hexdigest())
        return after if self._store.keep(place, after, lambda c: batch.write(c, state)) else None

    def _state_at(self, reader: Reader, size: int) -> State:
        """Return the state at a size: the one in memory, or the saved one and the entries after it."""
        if self._state is not None and self._state.size == size:
            return self._state
        state = None
        saved = self._store.saved_state()
        if saved is not None and saved[0] <= size:
            with suppress(MalformedError):
                state = State.from_bytes(saved[1])
                self._saved_size = saved[0]
        if state is None:
            return reader.state(size)
        for data in islice(reader.entries(state.size, size), size - state.size):
            evolve(state, Entry.from_bytes(data).event)
        return state

    def make_again(self, *, is_damaged: bool) -> None:
        """Make the rows anew from the log: instead of a damaged file in another, or in memory where that can't be."""
        if is_damaged:
            with suppress(ViewsUnusableError):
                self._start_anew(self._origin)
                self._follow_file(None)
                with self._store.reading():
                    return
        self._store.close()
        self._path, self._state = None, None
        self._store = ViewStore(None, self._origin, TABLES)
        with read_ledger(self.source) as reader:
            self.follow_to(reader, reader.size)

    def start_anew(self) -> None:
        """Throw the rows away; what follows makes them again."""
        self._start_anew(self._origin)

    def _start_anew(self, origin: str) -> None:
        """Throw the file away: it is of another history than the log."""
        assert self._path is not None
        self._store.close()
        remove(self._path)
        self._origin = origin
        self._state = None
        self._saved_size = 0
        self._store = ViewStore(self._path, origin, TABLES)


def _cannot_be_followed(size: int, error: Exception) -> NotALedgerError:
    return NotALedgerError(f"the log can't be followed from entry {size} ({error}); `tallystick audit` says more")


def leads_to(reader: Reader, place: Place, origin: str) -> bool:
    """Return whether the log still has, at its place, the entry that was followed last."""
    if reader.origin != origin or place.size > reader.size:
        return False
    newest: Iterable[bytes] = reader.entries(place.size - 1, place.size) if place.size else ()
    return [hashlib.sha256(data).hexdigest() for data in newest] == ([place.entry_sha256] if place.size else [])
