"""All that the writer and its stores use of `eventsourcing`, which no other module of the ledger imports.

Version 10 of the library moves most of these names and adds columns to its tables; the four columns of a log's entries
are ours (docs/formats.md, 16) and stay. What needs psycopg is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    DatabaseError,
    InfrastructureFactory,
    IntegrityError,
    InterfaceError,
    Mapper,
    OperationalError,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.popo import POPOApplicationRecorder, POPOFactory
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)
from eventsourcing.utils import Environment, EnvType, get_topic

if TYPE_CHECKING:
    from eventsourcing.postgres import (
        BasePostgresFactory,
        PostgresApplicationRecorder,
        PostgresDatastore,
        PostgresFactory,
    )

__all__ = [
    "Application",
    "BasePostgresFactory",
    "DatabaseError",
    "DomainEventProtocol",
    "EnvType",
    "Environment",
    "InfrastructureFactory",
    "IntegrityError",
    "InterfaceError",
    "Mapper",
    "OperationalError",
    "POPOApplicationRecorder",
    "POPOFactory",
    "PersistenceError",
    "PostgresApplicationRecorder",
    "PostgresDatastore",
    "PostgresFactory",
    "SQLiteAggregateRecorder",
    "SQLiteApplicationRecorder",
    "SQLiteConnection",
    "SQLiteConnectionPool",
    "SQLiteCursor",
    "SQLiteDatastore",
    "SQLiteFactory",
    "StoredEvent",
    "get_topic",
]

_NEEDS_PSYCOPG: Final = frozenset(
    {"BasePostgresFactory", "PostgresApplicationRecorder", "PostgresDatastore", "PostgresFactory"}
)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _NEEDS_PSYCOPG:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("eventsourcing.postgres"), name)
