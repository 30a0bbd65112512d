"""A writer's session: one connection, through which it reads and commits, and whose lock says that it is alone.

    lock      A writer's session holds a lock (`postgres_lock`), and everything that the writer reads or commits goes
              through that very session. Its holder knows that no commit of the one before is under way.
    lease     The session ends itself when it is idle for some seconds (idle_session_timeout); the lease heartbeat
              keeps it. A writer that hangs, or whose machine is cut off, so loses the lock, though nothing told it.
    barrier   A commit that was cut off while it waited for a synchronous standby is visible, and a failover may still
              lose it. `acquire` therefore commits a row of its own first, which waits for the standby too, and with it
              for everything before it in the write-ahead log: what is read then, stays.
    deadline  A server that stopped without closing its connections is given up after some seconds.

A pooler between must keep sessions (PgBouncer: pool_mode=session).
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, TupleRow, dict_row

from tallystick.errors import LedgerBusyError
from tallystick.ledger.library import PostgresDatastore
from tallystick.ledger.postgres_lock import try_writer_lock
from tallystick.ledger.postgres_settings import OPTIONS, set_what_is_relied_on
from tallystick.postgres_urls import parameters_of

SCHEMA: Final = "tallystick"
CONNECT_SECONDS: Final = 3
LEASE_SECONDS: Final = 3.0
HEARTBEAT_SECONDS: Final = 0.5
DEADLINE_SECONDS: Final = 8.0
RECONNECT_SECONDS: Final = 30.0

_NETWORK: Final = {
    "connect_timeout": CONNECT_SECONDS,
    # A peer that vanished is noticed by the system in some five seconds instead of two hours.
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
    "application_name": "tallystick",
}
# What is answered is at least on this server's disk and, where there are synchronous standbys, on one of theirs,
# whatever a database or role was set to.
WAITS_FOR_STANDBY: Final = (
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
)
_SERVER_NOTICES_LOSS: Final = (
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 5000",
)
_LEASE: Final = (
    f"SET idle_session_timeout = '{LEASE_SECONDS:.0f}s'",
    f"SET idle_in_transaction_session_timeout = '{LEASE_SECONDS:.0f}s'",
)


def connection_parameters(url: str) -> dict[str, Any]:
    """Return what a connection of the ledger's is made with.

    Raises:
        UsageError: the URL isn't one.
    """
    return {**parameters_of(url, _NETWORK), **OPTIONS}


def connect(url: str) -> Connection[TupleRow]:
    """Return one connection for one transaction.

    Raises:
        psycopg.Error: the database can't be reached, or refuses.
        UsageError: the URL isn't one.
    """
    connection = psycopg.connect(**connection_parameters(url), autocommit=True)
    try:
        set_what_is_relied_on(connection)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


class PostgresSession(PostgresDatastore):
    """One connection, through which a writer reads and commits, and which holds the lock once it is acquired."""

    def __init__(self, url: str) -> None:
        parameters = connection_parameters(url)
        super().__init__("", "", "", "", "", schema=SCHEMA, originator_id_type="text")
        self.session: Final = _Session(lambda: psycopg.connect(**parameters, autocommit=True, row_factory=dict_row))
        # The library opens a pool, borrows connections from it, and translates their errors: this one has just one.
        self.pool = cast(Any, self.session)


class _Session:
    """The connection, in the place of the library's pool.

    Every use holds `_use`. The lease heartbeat comes between uses, the deadline watchdog limits how long one takes.
    """

    def __init__(self, make: Callable[[], Connection[DictRow]]) -> None:
        self._make = make
        self._connection: Connection[DictRow] | None = None
        self._holds_lock = False
        self._has_held_lock = False
        self._is_acquiring = False
        self._backend: tuple[int, object] | None = None
        self._use = threading.RLock()
        self._busy_since: float | None = None
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    # -- what the library asks of a pool ------------------------------------------------------------------------------

    def open(self, wait: bool = False, timeout: float = 0.0) -> None:
        """Nothing is opened before it is used."""

    @contextmanager
    def connection(self) -> Iterator[Connection[DictRow]]:
        """Give the connection, to one caller at a time."""
        with self._use:
            outer, self._busy_since = self._busy_since, time.monotonic()
            try:
                yield self._connected()
            finally:
                self._busy_since = outer

    def close(self) -> None:
        """End the session, and with it the lock."""
        with self._use:  # the deadline watchdog still sees to it that this doesn't take for ever
            self._drop()
        self._closing.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._threads.clear()

    # -- the lock -----------------------------------------------------------------------------------------------------

    @property
    def holds_lock(self) -> bool:
        """Whether this very connection holds the writer's lock."""
        return self._holds_lock and self._connection is not None and not self._connection.closed

    def acquire(self) -> None:
        """Hold the lock, with no commit of an earlier session under way, and everything visible here to stay.

        Raises:
            LedgerBusyError: another session holds the lock.
            psycopg.Error: the database can't be reached, or refuses to be written.
        """
        until = time.monotonic() + (RECONNECT_SECONDS if self._has_held_lock else 0.0)
        while True:
            try:
                with self._use:
                    self._is_acquiring = True
                    try:
                        with self.connection() as connection:
                            if not self.holds_lock:
                                self._take_lock(connection)
                            self._commit_barrier(connection)
                            return
                    finally:
                        self._is_acquiring = False
            except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction):
                # The last is what a server says that is no primary any more: now it may be another host of the URL.
                with self._use:
                    self._drop()
                if time.monotonic() >= until or self._closing.wait(HEARTBEAT_SECONDS):
                    raise

    def _connected(self) -> Connection[DictRow]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._has_held_lock and not self._is_acquiring:
            # What a new session shows may be what a failover is about to lose; a writer acquires the lock first.
            raise psycopg.OperationalError("the session that held the writer's lock is lost")
        self._drop()
        connection = self._connection = self._make()
        self._live()
        try:
            set_what_is_relied_on(connection)
            for statement in (WAITS_FOR_STANDBY, *_SERVER_NOTICES_LOSS):
                connection.execute(statement)
        except BaseException:
            self._drop()
            raise
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        self._holds_lock = False

    def _take_lock(self, connection: Connection[DictRow]) -> None:
        for statement in _LEASE:  # first: who hangs while it takes the lock keeps all others from it
            connection.execute(statement)
        patience = time.monotonic() + DEADLINE_SECONDS / 2
        while True:
            was_there = self._end_own_past(connection)
            if try_writer_lock(connection):
                break
            if not was_there:
                raise LedgerBusyError("another writer has this ledger; try again when it is done, or stand by")
            if time.monotonic() > patience:
                raise psycopg.OperationalError("the server has not ended this writer's earlier session, which was lost")
        row = connection.execute(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert row is not None
        self._backend = (row["pid"], row["backend_start"])
        self._holds_lock = self._has_held_lock = True

    def _end_own_past(self, connection: Connection[DictRow]) -> bool:
        """Tell the server to end this writer's earlier session; return whether it was there to be ended.

        Cut off here, the server may not know yet, and keep the lock for it.
        """
        if self._backend is None:
            return False
        row = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s",
            self._backend,
        ).fetchone()
        return row is not None

    def _commit_barrier(self, connection: Connection[DictRow]) -> None:
        with without_warnings(connection):
            who = f"{socket.gethostname()} process {os.getpid()}"
            connection.execute("INSERT INTO tallystick.takeovers (who) VALUES (%s)", (who,))

    # -- lease heartbeat and deadline watchdog ------------------------------------------------------------------------

    def _live(self) -> None:
        if not self._threads:
            for what in (self._lease_heartbeat, self._deadline_watchdog):
                thread = threading.Thread(target=what, name=f"tallystick{what.__name__}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _lease_heartbeat(self) -> None:
        """Keep the lease while nothing else is said to the server."""
        while not self._closing.wait(HEARTBEAT_SECONDS):
            if not self._use.acquire(blocking=False):
                continue  # the session isn't idle
            try:
                # If the connection is gone, the next commit finds out, and acquires the lock again.
                with suppress(psycopg.Error):
                    if self.holds_lock:
                        with self.connection() as connection:
                            connection.execute("SELECT 1")
            finally:
                self._use.release()

    def _deadline_watchdog(self) -> None:
        """Cut the connection when the server hasn't answered for too long; who waits for it is told that it is lost."""
        while not self._closing.wait(HEARTBEAT_SECONDS):
            since, connection = self._busy_since, self._connection
            if since is not None and connection is not None and time.monotonic() - since > DEADLINE_SECONDS:
                with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


@contextmanager
def without_warnings(connection: Connection[Any]) -> Iterator[None]:
    """Commit something, and take it for uncertain if the server warns.

    A wait for a synchronous standby that is cancelled ends in success and a warning: committed here, perhaps nowhere
    else (PostgreSQL, "Synchronous Replication").
    """
    warnings: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary or "a warning")

    connection.add_notice_handler(listen)
    try:
        yield
    finally:
        connection.remove_notice_handler(listen)
    if warnings:
        raise psycopg.OperationalError(f"the server warns: {warnings[0]}")


@contextmanager
def deadline(connection: Connection[Any]) -> Iterator[None]:
    """Cancel what the server does if it takes too long; a timeout of its own would not end a wait for a standby."""

    def cancel() -> None:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=CONNECT_SECONDS)

    timer = threading.Timer(DEADLINE_SECONDS, cancel)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # or it would cancel whatever the connection does next
