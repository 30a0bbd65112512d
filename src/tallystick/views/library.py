"""All that the views use of `eventsourcing`, which no other module of the views imports."""

from eventsourcing.persistence import IntegrityError, PersistenceError, Tracking
from eventsourcing.sqlite import SQLiteCursor, SQLiteTrackingRecorder

__all__ = ["IntegrityError", "PersistenceError", "SQLiteCursor", "SQLiteTrackingRecorder", "Tracking"]
