"""Who may write a ledger in PostgreSQL: the session that holds the lock of the newest key, which it made itself.

    key     `tallystick.locks` has one row for the writer, with a number that each writer draws anew. Only members of
            the writer's role may read or change it, and one after another (FOR UPDATE).
    lock    A writer holds an advisory lock of its number for as long as its session lives.
    free    A lock is free if no session holds it whose user may write the log.

An advisory lock needs no right, so anybody who may connect could hold one of a known number for ever; and the numbers
that are held can be read in pg_locks by everybody. Who holds it is therefore looked up, and a stranger's doesn't count:
the next writer draws another number. Waiting for a writer's end is only waiting: it decides nothing.

PostgreSQL shows a session until its transaction has ended, kept or rolled back. So a writer that finds the lock free
knows that no commit of the one before is under way.
"""

import secrets
from typing import Any, Final

import psycopg
from psycopg import Connection

_WAIT_SECONDS: Final = 1.0
_KEY_BITS: Final = 63

_READ_KEY: Final = "SELECT key FROM tallystick.locks WHERE name = 'writer' FOR UPDATE"
_WRITE_KEY: Final = "UPDATE tallystick.locks SET key = %s WHERE name = 'writer'"
_PATIENCE: Final = f"SET LOCAL lock_timeout = '{_WAIT_SECONDS:.0f}s'"
# Of whose rights nothing is known, because the session is just ending or the server's own, is taken for a writer.
_HELD_BY_A_WRITER: Final = """
    SELECT l.pid
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid::bigint = %(key)s >> 32 AND l.objid::bigint = %(key)s & 4294967295 AND l.objsubid = 1
        AND (
            a.usesysid IS NULL
            OR has_table_privilege(a.usesysid, 'tallystick.stored_events', 'INSERT')
            OR EXISTS (
                SELECT FROM pg_class c, aclexplode(c.relacl) g
                WHERE c.oid = 'tallystick.stored_events'::regclass AND g.privilege_type = 'INSERT'
                    AND g.grantee <> 0 AND pg_has_role(a.usesysid, g.grantee, 'MEMBER')
            )
        )
"""


def try_writer_lock(connection: Connection[Any]) -> bool:
    """Take the writer's lock for this session, and return whether it was free; another's is waited for a moment.

    Raises:
        psycopg.Error: the database can't be reached, or this user may not write.
    """
    key = _take(connection)
    if key is None:
        return True
    # In the lock's queue, not asking now and then: the moment that it is free, this goes on.
    try:
        with connection.transaction():
            connection.execute(_PATIENCE)
            connection.execute("SELECT pg_advisory_xact_lock_shared(%s::bigint)", (key,))
    except psycopg.errors.LockNotAvailable:
        pass
    return _take(connection) is None


def _take(connection: Connection[Any]) -> int | None:
    """Take the lock, and return None; or return the key under which another writer has it."""
    try:
        with connection.transaction():
            connection.execute(_PATIENCE)
            row = connection.execute(_READ_KEY).fetchone()
            if row is None:
                raise psycopg.OperationalError("tallystick.locks has no row for the writer")
            key = int(row["key"])
            if connection.execute(_HELD_BY_A_WRITER, {"key": key}).fetchone() is not None:
                return key
            fresh = secrets.randbits(_KEY_BITS)
            connection.execute("SELECT pg_advisory_unlock_all()")
            connection.execute("SELECT pg_advisory_lock(%s::bigint)", (fresh,))
            connection.execute(_WRITE_KEY, (fresh,))
    except psycopg.errors.LockNotAvailable:
        return 0  # another is just taking it
    return None


def hold_others_off(connection: Connection[Any]) -> bool:
    """Keep others who write beside the log out until this transaction ends; return whether none was at work.

    A row's lock, which needs a right: anybody may hold an advisory one.

    Raises:
        psycopg.Error: the database can't be reached, or this user may not write.
    """
    row = "SELECT FROM tallystick.locks WHERE name = 'sidecar' FOR UPDATE SKIP LOCKED"
    return connection.execute(row).fetchone() is not None
