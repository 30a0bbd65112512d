"""The log in a PostgreSQL database: its schema, what refuses to change it, and who may do what.

    tallystick.stored_events  entries (docs/formats.md, 16); originator_id is the log's origin, originator_version the
                              index + 1; notification_id is the library's, and no position of ours
    tallystick.tree           complete tile-level hashes: level 0 are leaf hashes, each above is over 256 below
    tallystick.checkpoints    one for each group, numbered from 0 without gaps
    tallystick.refs           which entry a party's reference belongs to
    tallystick.sidecar        named bytes that are replaced as wholes: a saved state, the cosigned checkpoint
    tallystick.takeovers      when a writer began to write, and which; a record for the operator, not evidence
    tallystick.locks          rows that writers lock; the writer's has the key of its lock (`postgres_lock`)

Triggers refuse UPDATE, DELETE and TRUNCATE on the first four, also to the owner and to replication roles; whoever drops
them is caught by the audit. One database holds one ledger. Three roles, which can't log in themselves, are granted to
those who do; DB is the database's name:

    DB_writer    reads the log and adds to it; keeps what lies beside it
    DB_views     reads the log and what lies beside it
    DB_auditor   reads the log, and of what lies beside it the cosigned checkpoint only

The owner, who created the ledger, can drop its triggers: an operator's account, not the writer's. Where that user owns
the database too, PUBLIC may no longer connect to it, nor make temporary tables in it; the roles may connect.
"""

from typing import Final

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from tallystick.errors import LedgerError, UsageError
from tallystick.ledger.postgres import PostgresLogRecorder
from tallystick.ledger.postgres_session import SCHEMA, PostgresSession, connect
from tallystick.ledger.sidecar import COSIGNED
from tallystick.postgres_urls import said
from tallystick.sources import without_password

LOG_TABLES: Final = ("stored_events", "tree", "checkpoints", "refs")
_TABLES: Final = (
    "CREATE TABLE tallystick.tree (level integer, position bigint, hash bytea NOT NULL, PRIMARY KEY (level, position))",
    "CREATE TABLE tallystick.checkpoints (number bigint PRIMARY KEY, size bigint NOT NULL UNIQUE, note bytea NOT NULL)",
    "CREATE TABLE tallystick.refs (leaf_index bigint PRIMARY KEY, "
    'party text COLLATE "C" NOT NULL, ref text COLLATE "C" NOT NULL, UNIQUE (party, ref))',
    "CREATE TABLE tallystick.sidecar (name text PRIMARY KEY, data bytea NOT NULL)",
    "CREATE TABLE tallystick.takeovers (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "at timestamptz NOT NULL DEFAULT clock_timestamp(), who text NOT NULL)",
    "CREATE TABLE tallystick.locks (name text PRIMARY KEY, key bigint NOT NULL)",
    "INSERT INTO tallystick.locks VALUES ('writer', 0), ('sidecar', 0)",
    "CREATE FUNCTION tallystick.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$",
)
_TRIGGERS: Final = (
    "CREATE TRIGGER refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON tallystick.{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION tallystick.refuse_change()",
    "ALTER TABLE tallystick.{table} ENABLE ALWAYS TRIGGER refuses_change",
)
_GRANTS: Final = (
    "GRANT USAGE ON SCHEMA tallystick TO {writer}, {views}, {auditor}",
    "GRANT SELECT ON tallystick.stored_events, tallystick.tree, tallystick.checkpoints, tallystick.refs, "
    "tallystick.sidecar, tallystick.takeovers TO {writer}, {views}, {auditor}",
    "GRANT INSERT ON tallystick.stored_events, tallystick.tree, tallystick.checkpoints, tallystick.refs, "
    "tallystick.sidecar, tallystick.takeovers TO {writer}",
    "GRANT UPDATE ON tallystick.sidecar TO {writer}",
    "GRANT SELECT, UPDATE ON tallystick.locks TO {writer}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA tallystick TO {writer}",
    "ALTER TABLE tallystick.sidecar ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY writer ON tallystick.sidecar TO {writer} USING (true) WITH CHECK (true)",
    "CREATE POLICY views ON tallystick.sidecar FOR SELECT TO {views} USING (true)",
    "CREATE POLICY auditor ON tallystick.sidecar FOR SELECT TO {auditor} USING (name = {cosigned})",
)
_OWNS_DATABASE: Final = (
    "SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
)
_ACCESS: Final = (
    "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO {writer}, {views}, {auditor}",
)
_ROLE_SIZE_MAX: Final = 63


def create_schema(url: str) -> None:
    """Make the tables, triggers and roles of an empty ledger.

    Args:
        url: of a database, as a user that may create schemas in it, and roles unless they are there.

    Raises:
        UsageError: there is a ledger in it already.
        LedgerError: the database can't be reached, or the user may not do that; nothing is left behind but roles.
    """
    try:
        with connect(url) as connection:
            if connection.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone() != (None,):
                raise UsageError(f"{without_password(url)} holds a ledger already; choose another database")
            roles = _make_roles(connection)
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(SCHEMA)))
        try:
            _make_tables(url, roles)
        except BaseException:
            drop_schema(url)
            raise
    except psycopg.Error as error:
        raise LedgerError(f"{without_password(url)}: no ledger can be made there: {said(error)}") from None


def drop_schema(url: str) -> None:
    """Take back a ledger that was never answered for; its roles stay, for other objects may be granted to them.

    Raises:
        LedgerError: the database can't be reached.
    """
    try:
        with connect(url) as connection:
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(SCHEMA)))
    except psycopg.Error as error:
        raise LedgerError(f"{without_password(url)}: schema {SCHEMA} can't be dropped: {said(error)}") from None


def close_to_strangers(url: str) -> bool:
    """Let only the ledger's roles connect to its database, and return whether this user may say so: if he owns it.

    Raises:
        LedgerError: the database can't be reached.
    """
    try:
        with connect(url) as connection:
            if connection.execute(_OWNS_DATABASE).fetchone() != (True,):
                return False
            database = connection.info.dbname
            names = {purpose: Identifier(name) for purpose, name in role_names(database).items()}
            for text in _ACCESS:
                connection.execute(SQL(text).format(database=Identifier(database), **names))
            return True
    except psycopg.Error as error:
        raise LedgerError(f"{without_password(url)}: strangers may still connect: {said(error)}") from None


def role_names(database: str) -> dict[str, str]:
    """Return the roles of a database's ledger by what they are for: writer, views and auditor."""
    return {purpose: f"{database}_{purpose}" for purpose in ("writer", "views", "auditor")}


def _make_roles(connection: psycopg.Connection) -> dict[str, str]:
    """Make the roles that aren't there, and return their names by purpose."""
    roles = role_names(connection.info.dbname)
    for name in roles.values():
        if len(name.encode()) > _ROLE_SIZE_MAX:
            raise UsageError(f"the database's name is too long to name roles by it: {name} has more than 63 bytes")
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            connection.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(name)))
    return roles


def _make_tables(url: str, roles: dict[str, str]) -> None:
    """Make the library's table and ours, in one transaction but for the library's type."""
    recorder = PostgresLogRecorder(PostgresSession(url))
    try:
        names = {purpose: Identifier(name) for purpose, name in roles.items()} | {"cosigned": COSIGNED}
        recorder.sql_create_statements += [
            *[Composed([SQL(statement)]) for statement in _TABLES],
            *[SQL(text).format(table=Identifier(table)) for table in LOG_TABLES for text in _TRIGGERS],
            *[SQL(text).format(**names) for text in _GRANTS],
        ]
        recorder.create_table()
    finally:
        recorder.close()
