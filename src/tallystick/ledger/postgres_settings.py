"""What a session of ours relies on, it sets: whatever server, database, role, URL or libpq's environment say.

Each of these changes what a statement means, how a value is written, or whether a statement ends:

    how values are written     DateStyle, IntervalStyle, TimeZone, bytea_output, extra_float_digits, client_encoding
    what statements mean       search_path, standard_conforming_strings, transform_null_equals, array_nulls
    what is seen               default_transaction_isolation and …_deferrable, row_security
    what is told               client_min_messages: a commit whose wait for a standby was cut off ends in a warning
    what ends a session        statement_timeout, lock_timeout, idle_…_timeout, transaction_timeout, exit_on_error

They are set by statements after connecting, and not by options of the connection, which poolers refuse; except for
client_encoding, which the library has to know before. A writer's lease and the barrier's synchronous_commit come later.

default_transaction_read_only isn't among them: who sets it for a database or a role wants no writer there.
"""

from typing import Any, Final

from psycopg import Connection

_SETTINGS: Final = (
    # First what could end this very statement.
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("default_transaction_isolation", "'read committed'"),
    ("default_transaction_deferrable", "off"),
    ("exit_on_error", "off"),
    ("client_min_messages", "notice"),
    ("quote_all_identifiers", "off"),
    ("search_path", "pg_catalog, pg_temp"),  # everything of ours is named with its schema
    ("row_security", "on"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    ("array_nulls", "on"),
    ("DateStyle", "'ISO, YMD'"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "'UTC'"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
)
_SET: Final = "; ".join(f"SET {name} = {value}" for name, value in _SETTINGS).encode()
_TRANSACTION_TIMEOUT_SINCE: Final = 170_000

OPTIONS: Final = {"client_encoding": "UTF8"}
"""What has to be said when connecting."""


def set_what_is_relied_on(connection: Connection[Any]) -> None:
    """Set it all, in a session in autocommit.

    Raises:
        psycopg.Error: the server refuses.
    """
    if connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        connection.execute("SET transaction_timeout = 0")
    connection.execute(_SET)
