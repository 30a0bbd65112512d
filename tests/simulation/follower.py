"""Views that follow a log that is being written, in a process that dies now and then: live views equal rebuilt ones."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import PersistenceError, Tracking
from eventsourcing.sqlite import SQLiteCursor

from simulation.chance import Crash
from simulation.connection import Connection, quiet
from simulation.judge import require
from support.actors import ORIGIN
from tallystick.errors import LedgerError
from tallystick.publishing.reader import Reader
from tallystick.views.follower import LogFollower, leads_to
from tallystick.views.schema import TABLES
from tallystick.views.view_store import ViewStore

if TYPE_CHECKING:
    from simulation.world import World

NAME = "views"


class _ShakyStore(ViewStore):
    """The views' own store, in which a process may end in the midst of a transaction, or right after it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._is_made = False
        super().__init__(None, ORIGIN, TABLES)
        self._is_made = True

    def _insert_tracking(self, c: SQLiteCursor, tracking: Tracking) -> None:
        if self._is_made and self._world.temper.hits("views crash"):
            raise Crash("the views' process, in a transaction")
        super()._insert_tracking(c, tracking)


class _ShakyFollower(LogFollower):
    """Views whose file is kept in memory, by who outlives them."""

    def __init__(self, follower: "Follower") -> None:
        super().__init__(NAME, ORIGIN, None)
        self._follower = follower

    def _start_anew(self, origin: str) -> None:
        self._store = self._follower.make_store()
        self._state, self._saved_size = None, 0


class Follower:
    """The views' process; its file outlives it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._store = _ShakyStore(world)
        self._removed: list[ViewStore] = []
        self._views = self._begin()

    def _begin(self) -> LogFollower:
        """A new process over the file."""
        views = _ShakyFollower(self)
        views._store.close()
        views._store = self._store
        views._path = Path(NAME)  # they are those of the ledger, not of the past, so they may follow
        return views

    def make_store(self) -> ViewStore:
        """Another file, because the log isn't what was followed."""
        self._world.tell(f"{NAME}: begin anew: a failover lost what they had followed")
        self._removed.append(self._store)  # another process may be at work on it; removed, it is open all the same
        self._store = _ShakyStore(self._world)
        return self._store

    def read_ledger(self, _: object) -> Reader:
        """Open the log for reading, as views do."""
        return Reader(Connection(self._world.disk, NAME, self._world, only_reads=True), "the simulated ledger")

    def tick(self) -> None:
        """Follow the log, or die on the way."""
        try:
            followed = self._views.follow()
            if followed:
                self._world.tell(f"{NAME}: followed {followed}")
            if self._world.temper.hits("views crash"):
                raise Crash("the views' process, after a transaction")
        except Crash as crash:
            self._world.tell(f"{NAME}: ends: {crash}")
            self._views = self._begin()
        except (PersistenceError, LedgerError) as error:
            self._world.tell(f"{NAME}: {type(error).__name__}: {error}")
        if self._views._store is not self._store:  # another process has begun a file anew meanwhile
            self._views = self._begin()

    def race(self) -> None:
        """Another process follows into the same file."""
        ours, self._views = self._views, self._begin()
        self.tick()
        if ours._store is self._store:  # else the other has begun a file anew, and so must this one
            self._views = ours

    def check(self) -> None:
        """The live rows are those of views made anew from the same entries, unless a failover has lost some of them."""
        with closing(Reader(quiet(self._world.disk), "the simulated ledger")) as reader:
            if not leads_to(reader, self._store.place(), ORIGIN):
                return
        rebuilt = LogFollower(NAME, ORIGIN, None)
        try:
            size = self._views.place.size
            if size:
                rebuilt.follow_to(Reader(quiet(self._world.disk), "the simulated ledger"), size)
            live, fresh = rows_of(self._store), rows_of(rebuilt._store)
            wrong = [table for table in fresh if live[table] != fresh[table]]
            require(not wrong, f"at {size} entries, live views differ from rebuilt ones in {wrong}")
        finally:
            rebuilt.close()

    def is_up_to_date(self) -> bool:
        """Whether all was followed."""
        return self._views.place.size == self._world.disk.image.size()

    def close(self) -> None:
        """Let go of the memory."""
        for store in (self._store, *self._removed):
            store.close()


def rows_of(store: ViewStore) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the views' tables, sorted."""
    rows = {}
    with store.reading() as c:
        c.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        names = [row[0] for row in c.fetchall()]
        for name in names:
            if name not in ("saved_state", "tracking") and not name.startswith("sqlite_"):
                c.execute(f"SELECT * FROM {name}")
                rows[name] = sorted([tuple(row) for row in c.fetchall()], key=repr)
    return rows
