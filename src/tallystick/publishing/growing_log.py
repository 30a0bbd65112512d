"""A log that is read for as long as it is served: the newest snapshot of it that stays, whoever writes it.

A snapshot is a `Reader` that a failover can't take back (`wait_replicated`). `refresh` looks for a newer one; it is
called when the writer has committed, and now and then where another process writes. Any thread may ask; none waits for
another but in `refresh`.

A log that is smaller than it was, or has another root at the size that it had, was cut back, replaced or restored from
an older copy. Nothing of it is shown: the last snapshot stands, until someone who operates it has looked.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Self, TypeVar

from tallystick.errors import MalformedError, NotALedgerError, ProofInvalidError, StoreFailedError
from tallystick.ledger.library import PersistenceError
from tallystick.publishing.reader import Reader, open_store
from tallystick.publishing.static_store import AnyStore
from tallystick.sources import DATABASE, AnySource, LedgerFolder, Source, parse_source
from tallystick.transparency.merkle import RightEdge

Found = TypeVar("Found")
GrownTo = Callable[[int], None]
"""Told the log's size whenever that is larger than it was."""


class GrowingLog:
    """The newest snapshot of a log, which any thread may ask for."""

    def __init__(self, source: AnySource) -> None:
        """Open a log.

        Args:
            source: a ledger folder, the URL of a PostgreSQL ledger, an exported folder, or the URL of one.

        Raises:
            NotALedgerError: there is none, or it can't be read.
            StoreFailedError: a failover may lose what is there.
        """
        self.source: Final[Source] = parse_source(source)
        self._name: Final = str(self.source).rstrip("/") or str(self.source)
        self._lock = threading.Lock()
        self._listeners: list[GrownTo] = []
        self._file = _file_of(self.source)
        self._store = self._opened()
        try:
            self._newest = self._snapshot(self._store)
        except BaseException:
            self._store.close()
            raise

    @property
    def newest(self) -> Reader:
        """The newest snapshot; it isn't closed by who asks it."""
        return self._newest

    def ask(self, question: Callable[[Reader], Found]) -> Found:
        """Answer a question from the newest snapshot.

        Raises:
            StoreFailedError: the store can't be read.
        """
        with self.as_ledger_errors():
            return question(self._newest)

    @contextmanager
    def as_ledger_errors(self) -> Iterator[None]:
        """Raise what the store raises as an error that says which log can't be read."""
        try:
            yield
        except (PersistenceError, sqlite3.Error, OSError) as error:
            raise StoreFailedError(f"{self._name} can't be read: {error}") from None

    def listen(self, grown_to: GrownTo) -> None:
        """Have the log's size told whenever it has grown, in the thread that found it."""
        self._listeners.append(grown_to)

    def refresh(self) -> Reader:
        """Return the newest snapshot, after looking for a newer one.

        Raises:
            NotALedgerError: the log can't be read, or isn't what it was; the last snapshot stands.
            ProofInvalidError: its past is another; the last snapshot stands.
            StoreFailedError: a failover may lose what is there; the last snapshot stands.
        """
        with self._lock:
            before = self._newest
            file = _file_of(self.source)
            is_replaced = file != self._file
            store = self._opened() if is_replaced else self._store
            try:
                reader = self._snapshot(store)
                if not is_replaced and reader.note_bytes == before.note_bytes:
                    return before
                self._check_past(before, reader, is_reopened=is_replaced)
            except BaseException:
                if is_replaced:
                    store.close()
                raise
            self._store, self._file, self._newest = store, file, reader
        if reader.size > before.size:
            for grown_to in self._listeners:
                grown_to(reader.size)
        return reader

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> AnyStore:
        with self.as_ledger_errors():
            return open_store(self.source)

    def _snapshot(self, store: AnyStore) -> Reader:
        """Return a snapshot that stays."""
        with self.as_ledger_errors():
            reader = Reader(store, self._name)
            reader.wait_replicated()
            return reader

    def _check_past(self, before: Reader, now: Reader, *, is_reopened: bool) -> None:
        if now.origin != before.origin:
            raise NotALedgerError(f"{self._name} is another log now, {now.origin}: it was {before.origin}")
        if now.size < before.size:
            raise ProofInvalidError(
                f"{self._name} had {before.size:,} entries and has {now.size:,}: it was cut back, or is an older copy"
            )
        if now.size == before.size or is_reopened:
            try:
                root = RightEdge.from_tiles(before.size, now.read_tile).root()
            except MalformedError as error:
                raise NotALedgerError(f"the tree of {self._name} is damaged ({error})") from None
            if root != before.checkpoint.root:
                raise ProofInvalidError(f"history_rewritten: the first {before.size:,} entries of {self._name} changed")


def _file_of(source: Source) -> tuple[int, int] | None:
    """Return which file a ledger's folder holds, None of what has none."""
    if isinstance(source, LedgerFolder):
        with suppress(OSError):
            status = (source.folder / DATABASE).stat()
            return status.st_dev, status.st_ino
    return None
