"""Views follow the log, a batch's rows and their place in one transaction: nothing is lost and nothing doubled.

    position ──► entries after it ──► evolve ──► changes ──► rows + tracking
                 believed, not verified          │           one transaction a batch
                                                 └─ balances, voucher_history, provider_statement, programme_book,
                                                    entry_index

The library's ProjectionRunner needs a recorder that can be subscribed to, and its projections take an event a
transaction; so the log is pulled here, and the place kept with the library's tracking recorder.
The state that `evolve` needs is kept in the file too, now and then; what lies between it and the position is replayed.

Whoever wants the past asks for the same tables in memory, up to an entry or a time.
"""

import hashlib
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

from tallystick.errors import (
    EntryMalformedError,
    MalformedError,
    NotALedgerError,
    UsageError,
    ViewsDamagedError,
    ViewsUnusableError,
)
from tallystick.publishing.reader import Reader, read_ledger
from tallystick.sources import AnySource, LedgerDatabase, LedgerFolder, Source, folder_of, parse_source
from tallystick.views import balances, claims, entry_index, programme_book, provider_statement, voucher_history
from tallystick.views.balances import HolderAccount, HolderBalance, VoucherBalance
from tallystick.views.changes import change_of
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_book import ProgrammeBalance, ProgrammeBook
from tallystick.views.provider_statement import ProviderBalance, ProviderStatement, RefusedLines
from tallystick.views.store import Place, ViewStore, files_of, remove
from tallystick.views.voucher_history import VoucherHistory
from tallystick.vouchers.editions import check_first_edition
from tallystick.vouchers.entry import Entry, Header, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State

NAME: Final = "views.db"
ENTRIES_A_BATCH: Final = 512
STATE_SAVED_AFTER_ENTRIES: Final = 1_000
TABLES: Final = (
    *balances.TABLES,
    *voucher_history.TABLES,
    *provider_statement.TABLES,
    *claims.TABLES,
    *programme_book.TABLES,
    *entry_index.TABLES,
)

CACHE: Final = "tallystick"
"""In the user's own cache folder: views of ledgers that have no folder."""

By = Literal["programme", "holder", "provider", "voucher"]
Balance = ProgrammeBalance | HolderBalance | ProviderBalance | VoucherBalance
_Found = TypeVar("_Found")
Progress = Callable[[int, int], None]
"""Called with how many entries are followed and how many there are."""


class Views:
    """Answers about one log, as of its last entry followed."""

    def __init__(self, source: AnySource, origin: str, path: Path | None) -> None:
        """Use `open` or `as_of` to make one."""
        self._source = parse_source(source)
        self._origin = origin
        self._path = path
        self._store = ViewStore(path, origin, TABLES)
        self._state: State | None = None
        self._saved_size = 0

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
            return cls(place, reader.origin, path or (folder or Path()) / NAME)

    @classmethod
    def as_of(
        cls, source: AnySource, *, index: int | None = None, at: int | None = None, progress: Progress | None = None
    ) -> Self:
        """Return the views as they were, in memory.

        Args:
            source: a ledger's folder or database, an export, or its URL.
            index: of the last entry that counts.
            at: or else the last time that counts (microseconds).
            progress: told how far it is.

        Raises:
            NotALedgerError: there is no ledger, or an entry can't be read.
            UsageError: there is no such entry.
        """
        if (index is None) == (at is None):
            raise ValueError("give an index or a time")
        place = parse_source(source)
        with read_ledger(place) as reader:
            if index is not None and not 0 <= index < reader.size:
                raise UsageError(f"there is no entry {index}: the log has {reader.size}, counted from 0")
            size = _size_at(reader, at) if at is not None else (index or 0) + 1
            views = cls(place, reader.origin, None)
            try:
                views._follow(reader, size, progress)
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
        with read_ledger(self._source) as reader:
            if not _leads_to(reader, place, self._origin):
                self._start_anew(reader.origin)
            followed = self._follow(reader, reader.size, progress)
        if self._state is not None and self._state.size - self._saved_size >= STATE_SAVED_AFTER_ENTRIES:
            self._store.save_state(self._state.size, self._state.to_bytes())
            self._saved_size = self._state.size
        return followed

    @property
    def size(self) -> int:
        """How many entries were followed."""
        return self._store.place().size

    @property
    def at(self) -> int:
        """The log's time of the last of them (microseconds), 0 if there is none."""
        return self._store.place().at

    # -- questions ----------------------------------------------------------------------------------------------------

    def balances(self, by: By) -> list[Balance]:
        """Return a row for each programme, holder, provider or voucher, in order of their ids."""
        match by:
            case "programme":
                return [*self._ask(programme_book.programme_balances)]
            case "holder":
                return [*self._ask(balances.holder_balances)]
            case "provider":
                return [*self._ask(provider_statement.provider_balances)]
            case "voucher":
                return [*self._ask(balances.voucher_balances)]

    def voucher(self, voucher: str) -> VoucherHistory:
        """Return a voucher and its history.

        Raises:
            UsageError: there is none of that id.
        """
        return self._ask(lambda c: voucher_history.voucher_history(c, voucher))

    def holder(self, holder: str) -> HolderAccount:
        """Return a holder's balance, vouchers and reservations.

        Raises:
            UsageError: there is none of that id.
        """
        return self._ask(lambda c: balances.holder_account(c, holder))

    def provider(self, provider: str) -> ProviderStatement:
        """Return a provider's statement.

        Raises:
            UsageError: there is none of that id.
        """
        return self._ask(lambda c: provider_statement.provider_statement(c, provider))

    def programme(self, programme: str) -> ProgrammeBook:
        """Return a programme's book.

        Raises:
            UsageError: there is none of that id.
        """
        return self._ask(lambda c: programme_book.programme_book(c, programme))

    def refusals_by_reason(self) -> list[RefusedLines]:
        """Return the refused lines of statements, by provider and reason."""
        return self._ask(provider_statement.refused_lines)

    def entries_concerning(self, name: str) -> list[int]:
        """Return the indices, ascending, of the entries that concern an account or a thing (`entry_index`)."""
        return self._ask(lambda c: entry_index.entries_concerning(c, name))

    def statement_entry(self, provider: str, ref: str, before: int) -> int | None:
        """Return the index of a provider's newest statement of this reference before an entry, if there is one."""
        return self._ask(lambda c: entry_index.statement_entry(c, provider, ref, before))

    def seal_leaves(self, seal_index: int) -> list[tuple[str, bytes]]:
        """Return every account and its leaf, in the order of a seal's tree; nothing if that entry is no seal."""
        return self._ask(lambda c: entry_index.seal_leaves(c, seal_index))

    def _ask(self, question: Callable[[SQLiteCursor], _Found]) -> _Found:
        """Answer a question from the rows; from others, if those of the file turn out not to be what was written."""
        try:
            with self._store.reading() as c:
                return question(c)
        except ViewsUnusableError as error:
            if self._path is None:
                raise
            self._make_again(is_damaged=isinstance(error, ViewsDamagedError))
        with self._store.reading() as c:
            return question(c)

    def _make_again(self, *, is_damaged: bool) -> None:
        """Work the rows out from the log once more: in a new file, or in memory where that can't be."""
        if is_damaged:
            with suppress(ViewsUnusableError):
                self._start_anew(self._origin)
                self._follow_file(None)
                with self._store.reading():
                    return
        self._store.close()
        self._path, self._state = None, None
        self._store = ViewStore(None, self._origin, TABLES)
        with read_ledger(self._source) as reader:
            self._follow(reader, reader.size, None)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- following ----------------------------------------------------------------------------------------------------

    def _follow(self, reader: Reader, stop: int, progress: Progress | None) -> int:
        """Follow up to a size, batch by batch."""
        check_first_edition(reader.entries(0, min(stop, 1)))  # before rows that were kept speak for it
        followed = 0
        place = self._store.place()
        while place.size < stop:
            try:
                state = self._state_at(reader, place.size)
                self._state = None  # until the batch is kept, the state in memory is ahead of the rows
                after = self._follow_batch(reader, place, min(place.size + ENTRIES_A_BATCH, stop), state)
            except (MalformedError, ValueError, LookupError) as error:
                raise NotALedgerError(
                    f"the log can't be followed from entry {place.size} ({error}); `tallystick audit` says more"
                ) from None
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

    def _follow_batch(self, reader: Reader, place: Place, stop: int, state: State) -> Place | None:
        """Fold the next entries into rows and keep them; None if somebody else did."""
        projections = (
            balances.Balances(),
            voucher_history.VoucherHistories(),
            provider_statement.ProviderStatements(),
            claims.Claims(),
            programme_book.ProgrammeBooks(),
            entry_index.EntryIndex(),
        )
        data = b""
        for data in reader.entries(place.size, stop):
            event = Entry.from_bytes(data).event
            change = change_of(event, evolve(state, event), state)
            for projection in projections:
                projection.add(change)
        if state.size != stop:
            raise EntryMalformedError(f"entry {state.size} is missing")
        after = Place(stop, state.at, hashlib.sha256(data).hexdigest())

        def write(c: SQLiteCursor) -> None:
            for projection in projections:
                projection.write(c, state)

        return after if self._store.keep(place, after, write) else None

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

    def _start_anew(self, origin: str) -> None:
        """Throw the file away: it is of another history than the log."""
        assert self._path is not None
        self._store.close()
        remove(self._path)
        self._origin = origin
        self._state = None
        self._saved_size = 0
        self._store = ViewStore(self._path, origin, TABLES)


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
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / CACHE
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = hashlib.sha256(str(source).encode()).hexdigest()[:16]
        path = folder / f"views-{name}.db"
    elif isinstance(source, LedgerFolder):
        folder = source.folder
        path = folder / NAME
    else:
        return None
    # A file of another user's is left to him: it may be of use to him.
    there = [file for file in files_of(path) if file.exists()]
    return path if os.access(folder, os.W_OK) and all(os.access(file, os.R_OK | os.W_OK) for file in there) else None


def _leads_to(reader: Reader, place: Place, origin: str) -> bool:
    """Return whether the log still has, at its place, the entry that was followed last."""
    if reader.origin != origin or place.size > reader.size:
        return False
    newest: Iterable[bytes] = reader.entries(place.size - 1, place.size) if place.size else ()
    return [hashlib.sha256(data).hexdigest() for data in newest] == ([place.entry_sha256] if place.size else [])


def _size_at(reader: Reader, at: int) -> int:
    """Return how many entries there were at a time; the log's time never goes backwards."""

    def time_of(index: int) -> int:
        return Header.from_bytes(split_entry(next(reader.entries(index, index + 1)))[0]).at

    try:
        return bisect_right(range(reader.size), at, key=time_of)
    except (MalformedError, StopIteration) as error:
        raise NotALedgerError(f"an entry can't be read ({error}); `tallystick audit` says more") from None
