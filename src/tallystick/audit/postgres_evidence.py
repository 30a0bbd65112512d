"""A ledger's PostgreSQL database, read in one transaction that can't write; no password is ever shown.

It takes a user that may SELECT from stored_events, tree, checkpoints and refs, and from sidecar what is named
checkpoint.cosigned: the role `<database>_auditor`. A standby will do. Nothing else is read: notification_id is the
library's and no position of ours, takeovers an operator's record.

    before        the four tables must be ordinary ones with their columns, types and keys, and hide no rows. What isn't
                  so is `store_damaged`. Where a key is gone, rows are read as they lie (store_evidence.py); one that
                  isn't ordinary, or has columns of other types, isn't read, since that could run code of its maker
    an error      about the data (a page that is damaged, a column that is gone) becomes `store_damaged`, and what
                  couldn't be read is missing
    anything else (a connection that is lost, a lock, a right that lacks) ends the audit: it says nothing about the log

Rows of tables that inherit from the four aren't theirs, and aren't read.
"""

import functools
import re
from collections.abc import Iterator, Set
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.adapt import Buffer, Loader
from psycopg.rows import TupleRow

from tallystick.audit.evidence import COSIGNED
from tallystick.audit.store_evidence import ROWS_AT_ONCE, SCANS, table_of
from tallystick.errors import NotALedgerError, SourceUnreadableError
from tallystick.findings import FindingCode, Findings
from tallystick.postgres_urls import parameters_of, said
from tallystick.sources import without_password
from tallystick.static.files import CHECKPOINT_SIZE_MAX

_NETWORK: Final = {
    "connect_timeout": 10,
    # A peer that vanished is noticed in half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
    "application_name": "tallystick audit",
}
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL search_path = pg_catalog",  # whatever somebody made in other schemas is not what is called here
    # An audit takes its time, and verifies between two reads.
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN "
    "('statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')",
    # A table that somebody holds locked doesn't hold the audit for ever.
    "SET LOCAL lock_timeout = '30s'",
    # Without statistics (after a restore) the planner may take few rows for granted, and sort all that are left of
    # a table for each page of it; in the order of its key it needs no sort.
    "SET LOCAL enable_sort = off",
    # An error ends a transaction, and with it the snapshot: each goes back to here instead.
    "SAVEPOINT audit",
)
_COLUMNS: Final = {
    ("stored_events", "originator_id"): "text",
    ("stored_events", "originator_version"): "bigint",
    ("stored_events", "topic"): "text",
    ("stored_events", "state"): "bytea",
    ("tree", "level"): "integer",
    ("tree", "position"): "bigint",
    ("tree", "hash"): "bytea",
    ("checkpoints", "number"): "bigint",
    ("checkpoints", "size"): "bigint",
    ("checkpoints", "note"): "bytea",
    ("refs", "leaf_index"): "bigint",
    ("refs", "party"): "text",
    ("refs", "ref"): "text",
    ("sidecar", "name"): "text",
    ("sidecar", "data"): "bytea",
}
_TABLES: Final = frozenset({"stored_events", "tree", "checkpoints", "refs"})
_KEYS: Final = (
    ("stored_events", ["originator_id", "originator_version"]),
    ("tree", ["level", "position"]),
    ("checkpoints", ["number"]),
    ("checkpoints", ["size"]),
    ("refs", ["leaf_index"]),
    ("refs", ["party", "ref"]),
)
# Of `sidecar`, rows are hidden from auditors: by the ledger's own policies, and by no other.
_READ_TABLES: Final = (
    "SELECT c.relname::text, c.relkind = 'r' AND a.amname = 'heap' AND CASE WHEN c.relname = 'sidecar' THEN NOT EXISTS "
    "(SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND pg_get_expr(p.polqual, p.polrelid) <> ALL(%s::text[])) "
    "ELSE NOT c.relrowsecurity END, "
    "EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid OR i.inhrelid = c.oid) "
    "FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.relnamespace = %s AND c.relname = ANY(%s::text[])"
)
_POLICIES: Final = ["true", f"(name = '{COSIGNED}'::text)"]
# A comparison that takes different bytes for equal would let rows pass for what they aren't.
_READ_COLUMNS: Final = (
    "SELECT c.relname::text, a.attname::text, CASE WHEN l.collisdeterministic IS FALSE THEN 'loosely compared' "
    "WHEN a.attgenerated <> '' THEN 'computed' ELSE format_type(a.atttypid, a.atttypmod) END FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_collation l ON l.oid = a.attcollation WHERE c.relnamespace = %s"
)
_READ_KEYS: Final = (
    "SELECT c.relname::text, array_agg(a.attname::text ORDER BY k.place) FROM pg_class c "
    "JOIN pg_index i ON i.indrelid = c.oid CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place) "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number WHERE c.relnamespace = %s AND i.indisunique "
    "AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts "
    "GROUP BY c.relname, i.indexrelid"
)
_READ_COSIGNED: Final = "SELECT substr(data, 1, CAST(? AS integer)) FROM sidecar WHERE name = ? LIMIT 1"
_FROM: Final = re.compile(r"(?<= FROM )\w+")
_TYPE: Final = re.compile(r"typeof\((\w+)\) = '\w+'")
_NO_TYPE: Final = re.compile(r"typeof\((\w+)\) <> '\w+'")
_BYTES_OF_TEXT: Final = re.compile(r"length\(CAST\((\w+) AS BLOB\)\)")
# What an SQLSTATE begins with that is about the data or the tables, and not about who asks or how the server fares:
# data, syntax and names, a file that the server hasn't any more, its own assertions.
_ABOUT_DATA: Final = ("22", "42", "58P", "XX")
_NO_RIGHT: Final = "42501"
_LOCKED: Final = "55P03"


class _LooseTextLoader(Loader):
    """Text that isn't UTF-8 must reach the comparison that finds it wrong, not raise."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> str:
        return str(data, "utf-8", "surrogateescape")


class PostgresDatabase:
    """The database of a URL, as one snapshot."""

    def __init__(self, url: str, findings: Findings) -> None:
        """Connect, and take the snapshot.

        Raises:
            UsageError: that is no URL of a database.
            NotALedgerError: no ledger is in it.
            SourceUnreadableError: it can't be reached, or the user has no right to read.
        """
        self.name = without_password(url)
        self._findings = findings
        self._unread: set[str] = set()
        self._disordered: set[str] = set()
        self._connection = self._connect(url)
        try:
            if self._connection.info.parameter_status("server_encoding") == "SQL_ASCII":
                # Such a server takes any bytes for text, and gives none that the client's encoding doesn't have.
                self._connection.execute("SET client_encoding = SQL_ASCII")
            self._cursor = self._connection.cursor(binary=True)
            for statement in _BEGIN:
                self._cursor.execute(statement)
            self._check_tables()
        except psycopg.Error as error:
            failure = self._gave_up(error)
            self.close()
            raise failure from None
        except BaseException:
            self.close()
            raise

    def check(self, *, thorough: bool) -> Set[str]:
        """Return the tables without their keys; pages and indexes are for the server's own tools."""
        return self._disordered

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement.

        Raises:
            SourceUnreadableError: the connection is lost, or the server won't answer.
        """
        if table_of(statement) in self._unread:
            return []
        try:
            return self._cursor.execute(_spelled(statement), parameters).fetchall()
        except psycopg.Error as error:
            self._failed(error)
            return []

    def scan(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Yield a table's rows as the server reads them."""
        try:
            # A cursor of the server's: no more than a few rows are here at a time.
            with psycopg.ServerCursor(self._connection, "audit", scrollable=False) as cursor:
                cursor.execute(_spelled(SCANS[table]), binary=True)
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    yield from rows
        except psycopg.Error as error:
            self._failed(error)

    def _failed(self, error: psycopg.Error) -> None:
        """Note an error about the data, and go back to before it.

        Raises:
            SourceUnreadableError: it is about something else.
        """
        if self._connection.closed or not _is_about_data(error):
            raise self._gave_up(error) from None
        self._damaged(said(error))
        try:
            self._cursor.execute("ROLLBACK TO SAVEPOINT audit")
        except psycopg.Error as second:
            raise self._gave_up(second) from None

    def cosigned(self) -> bytes | None:
        """Return the row's bytes."""
        rows = self.rows(_READ_COSIGNED, (CHECKPOINT_SIZE_MAX + 1, COSIGNED))
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else None

    def close(self) -> None:
        """Close the connection, which ends the transaction."""
        with suppress(psycopg.Error):
            self._connection.close()

    def _connect(self, url: str) -> psycopg.Connection[TupleRow]:
        parameters = {**parameters_of(url, _NETWORK), "client_encoding": "utf8"}
        try:
            # Nothing is prepared: a pooler between may give the session's names to others.
            connection = psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise SourceUnreadableError(f"{self.name} can't be reached: {said(error)}") from None
        connection.adapters.register_loader("text", _LooseTextLoader)
        return connection

    def _check_tables(self) -> None:
        """Note what isn't as the ledger makes it, and leave unread what isn't an ordinary table of its columns."""
        (schema,) = self._cursor.execute("SELECT to_regnamespace('tallystick')::oid").fetchone() or (None,)
        found = self._cursor.execute(_READ_TABLES, (_POLICIES, schema, [*_TABLES, "sidecar"])).fetchall()
        if not _TABLES & {table for table, _, _ in found}:
            raise NotALedgerError(
                f"{self.name} holds no ledger: it has no schema tallystick with its tables; nothing to audit"
            )
        for table in sorted(_TABLES - {table for table, _, _ in found}):
            self._leave(table, f"there is no table {table}")
        for table, is_read, is_related in found:
            if not is_read:
                self._leave(table, f"{table} is no ordinary table, or hides rows from some")
            if is_related:
                self._damaged(f"{table} inherits from another table, or another from it: of those nothing is read")
        columns = {(table, column): kind for table, column, kind in self._cursor.execute(_READ_COLUMNS, (schema,))}
        for (table, column), kind in _COLUMNS.items():
            there = columns.get((table, column), "missing")
            if there != kind and table in {one for one, _, _ in found}:
                self._leave(table, f"{table}.{column} is {there}, not {kind}")
        keys = self._cursor.execute(_READ_KEYS, (schema,)).fetchall()
        for table, key in _KEYS:
            if (table, key) not in keys and table not in self._unread:
                self._damaged(f"{table} has no unique key on {' and '.join(key)}: it is read without")
                self._disordered.add(table)

    def _leave(self, table: str, why: str) -> None:
        self._unread.add(table)
        self._damaged(f"{why}: {table} is not read")

    def _gave_up(self, error: psycopg.Error) -> SourceUnreadableError:
        if error.sqlstate == _NO_RIGHT:
            what = f"{said(error)}; the role that a ledger has for auditors may read it"
        elif error.sqlstate == _LOCKED:
            what = (
                "a table is locked by another session, and nothing is said about the log: audit again when it is free"
            )
        elif self._connection.closed:
            what = "the connection was lost, and nothing is said about the log: audit again"
        else:
            what = f"the server gave up, and nothing is said about the log: {said(error)}"
        return SourceUnreadableError(f"{self.name}: {what}")

    def _damaged(self, what: str) -> None:
        self._findings.add(FindingCode.STORE_DAMAGED, None, " ".join(what.split()))


@functools.cache
def _spelled(statement: str) -> bytes:
    """Return a statement in PostgreSQL's dialect."""
    # A column has one type, and its values are of that or NULL.
    spelled = _TYPE.sub(r"\1 IS NOT NULL", _FROM.sub(r"ONLY tallystick.\g<0>", statement))
    spelled = _NO_TYPE.sub(r"\1 IS NULL", spelled)
    spelled = _BYTES_OF_TEXT.sub(r"octet_length(\1)", spelled)
    return spelled.replace("?", "%s").encode()


def _is_about_data(error: psycopg.Error) -> bool:
    """Return whether an error is about what lies there; without an SQLSTATE it is a value that can't be read."""
    state = error.sqlstate
    return state is None or (state.startswith(_ABOUT_DATA) and state != _NO_RIGHT)
