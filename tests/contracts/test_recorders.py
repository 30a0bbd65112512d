"""The library's own suites for event stores run on ours: what it promises of a recorder, these keep too.

They insert events of many originators and no group; a ledger never does, but then it wouldn't be the library's store.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventsourcing.sqlite import SQLiteDatastore
from eventsourcing.tests import persistence

from support.postgres import fresh_database
from tallystick.ledger.memory import MemoryLogRecorder
from tallystick.ledger.postgres import PostgresLogRecorder, PostgresPool
from tallystick.ledger.postgres_schema import create_schema
from tallystick.ledger.sqlite import SQLiteLogRecorder


class Originators:
    """Our originators have text for an id."""

    def new_originator_id(self) -> str:
        return str(uuid4())


def sqlite_recorder() -> SQLiteLogRecorder:
    folder = Path(tempfile.mkdtemp())
    recorder = SQLiteLogRecorder(SQLiteDatastore(str(folder / "ledger.db"), originator_id_type="text"), folder)
    recorder.create_table()
    return recorder


def postgres_recorder() -> PostgresLogRecorder:
    url = fresh_database()
    create_schema(url)
    return PostgresLogRecorder(PostgresPool(url, read_only=False))


class TestMemory(Originators, persistence.ApplicationRecorderTestCase[Any]):
    def create_recorder(self) -> MemoryLogRecorder:
        return MemoryLogRecorder()


class TestSQLite(Originators, persistence.ApplicationRecorderTestCase[Any]):
    def create_recorder(self) -> SQLiteLogRecorder:
        return sqlite_recorder()


class TestPostgreSQL(Originators, persistence.ApplicationRecorderTestCase[Any]):
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False

    def create_recorder(self) -> PostgresLogRecorder:
        return postgres_recorder()


class TestNotificationsInSQLite(Originators, persistence.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> SQLiteLogRecorder:
        return sqlite_recorder()


class TestNotificationsInPostgreSQL(Originators, persistence.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> PostgresLogRecorder:
        return postgres_recorder()


def test_the_suites_are_the_librarys() -> None:
    """A suite that lost its tests would pass."""
    counted = [
        name
        for suite in vars(sys.modules[__name__]).values()
        if isinstance(suite, type)
        for name in dir(suite)
        if name.startswith("test_") or name == "test"
    ]
    assert len(counted) >= 3 * 4 + 2
