"""A store that fails in every way that a store may: before, during or after it kept something, late, twice, or full.

It fulfils the contract of `LogStore`, and nothing more: whatever a call that fails leaves open stays open here.
A connection without a world (`quiet`) never fails: checks read through it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    OperationalError,
    StoredEvent,
    Subscription,
)

from simulation.chance import SECOND, Crash
from simulation.disk import Commit, Disk, Session
from tallystick.errors import LedgerBusyError
from tallystick.ledger.memory import memory_environment
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.store import CheckpointRow, Group, Sidecar

if TYPE_CHECKING:
    from simulation.world import World

COMMIT_FAULTS = (
    "crash before the commit",
    "crash during the commit",
    "crash after the commit",
    "refused before the commit",
    "lost before the commit",
    "lost during the commit",
    "lost after the commit",
    "answered twice",
)


class Connection(ApplicationRecorder):
    """One process's connection to the disk."""

    def __init__(self, disk: Disk, owner: str, world: "World | None", *, only_reads: bool = False) -> None:
        """Connect; without a world nothing fails."""
        self.disk = disk
        self.owner = owner
        self._only_reads = only_reads
        self._has_settled = False
        self._shown: CheckpointRow | None = None
        self.is_cut_off = False
        self.session: Session | None = None
        self._past: Session | None = None
        self._world = world
        self._sidecar = ConnectionSidecar(self)

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def call(self, what: str) -> None:
        """A call sets out for the server; it may not get there, or late, or its process may end.

        Raises:
            eventsourcing.persistence.OperationalError: it didn't get there.
        """
        world = self._world
        if world is None:
            return
        temper = world.temper
        if temper.hits("crash at a call"):
            raise Crash(f"before {what}")
        if self.is_cut_off or world.is_down or temper.hits("unreachable at a call"):
            self.lose()
            world.tell(f"{self.owner}: {what} doesn't get through")
            raise OperationalError(f"{what}: the connection was lost")
        if temper.hits("late at a call"):
            world.pass_time(temper.between(1, 20) * SECOND)
        if temper.hits("meanwhile at a call"):
            world.meanwhile(self.owner, what)

    def read(self, what: str) -> None:
        """A writer reads in the session that has its lock, and in no other, which might show what doesn't stay.

        Raises:
            eventsourcing.persistence.OperationalError: it didn't get there, or the session is lost.
        """
        self.call(what)
        if self._has_settled and (self.session is None or not self.session.is_alive):
            raise OperationalError(f"{what}: the session that held the lock is lost")

    def lose(self) -> None:
        """The client's end of the connection is gone; the server's session lives on until the server notices."""
        session, self.session = self.session, None
        if session is not None and session.is_alive:
            self._past = session
            if self._world is not None:
                self._world.notice_loss(session)

    # -- the writer's part --------------------------------------------------------------------------------------------

    def acquire(self) -> None:
        """Have the lock, with no commit of an earlier session under way, and all that is there to stay."""
        self.call("acquire")
        if self.session is not None and self.session.is_alive:
            self.disk.make_sure()
            return
        if self._past is not None:
            self.disk.end(self._past)  # cut off here, the server may not know yet
            self._past = None
        if self.disk.holder is not None:
            raise LedgerBusyError(f"{self.disk.holder.owner} has the lock")
        self.session = self.disk.take_lock(self.owner)
        self._has_settled = True
        self.disk.make_sure()

    def wait_replicated(self) -> None:
        """Ask through the session that has the lock; who only reads makes sure of what it was shown."""
        self.call("wait_replicated")
        if self._only_reads:
            if self._shown not in self.disk.image.checkpoints.values():
                raise OperationalError("it isn't there any more")
            self.disk.make_sure()
            return
        if self.session is None or not self.session.is_alive:
            raise OperationalError("the session that held the lock is lost")

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> Sequence[int] | None:
        """Keep a group, or fail in one of many ways."""
        group = cast(Group, kwargs["group"])
        self.call("commit")
        if self.session is None or not self.session.is_alive:
            # A connection that a pooler has silently made anew gets as far as the primary key.
            if self.session is not None and self.disk.image.is_taken(stored_events, group):
                raise IntegrityError("a key is taken")
            raise OperationalError("the session that held the lock is lost")
        commit = Commit(self.session, tuple(stored_events), group)
        fault = self._fault()
        if fault.startswith("crash"):
            self._begin(commit, fault)
            self._fail_over(is_seen=True)
            raise Crash(fault)
        if fault == "refused before the commit" or self.disk.is_full:
            raise OperationalError("no room" if self.disk.is_full else "refused")
        self._begin(commit, fault)
        if fault:  # who made it asks at once what became of it, and with that makes it sure
            self._fail_over(is_seen=False)
        if fault == "answered twice":  # a layer between has sent it again
            raise IntegrityError("a key is taken")
        if fault:
            self.lose()
            raise OperationalError(fault)
        self.disk.make_sure()
        if self._world is not None and self._world.temper.hits("meanwhile after the commit"):
            self._world.meanwhile(self.owner, "answer of a commit")
        return None

    def _fault(self) -> str:
        world = self._world
        if world is None:
            return ""
        fault = next((name for name in COMMIT_FAULTS if world.temper.hits(name)), "")
        if fault:
            world.tell(f"{self.owner}: {fault}")
        return fault

    def _fail_over(self, *, is_seen: bool) -> None:
        """The commit may have failed because the server is lost, or is about to be, when others have seen it."""
        world = self._world
        if world is None or not world.temper.hits("fail over at a commit"):
            return
        if is_seen:
            world.later(0, SECOND // 2, "failover", world.lose_the_server)
        else:
            world.fail_over()

    def _begin(self, commit: Commit, fault: str) -> None:
        """Keep a commit now, later, or not."""
        if "during" in fault:
            self.disk.commits.append(commit)
            if self._world is not None:
                self._world.end_later(commit)
        elif "before" not in fault and not self.disk.is_full:
            self.disk.keep(commit)

    def close(self) -> None:
        """Give the lock back, if the server can be told."""
        if self.is_cut_off or self.session is None:
            self.lose()
            return
        self.disk.end(self.session)
        self.session = None

    # -- reads --------------------------------------------------------------------------------------------------------

    @property
    def sidecar(self) -> Sidecar:
        """What lies beside the log."""
        return self._sidecar

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries in order, as far as they are there."""
        self.read("read of entries")
        for index in range(start, stop):
            if index in self.disk.image.entries:
                yield self.disk.image.entries[index]

    def entry_count(self) -> int:
        """Return the highest index + 1."""
        self.read("count of entries")
        return self.disk.image.size()

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes of one tile level."""
        self.read("read of hashes")
        tree = self.disk.image.tree
        return [tree[level, position] for position in range(start, stop) if (level, position) in tree]

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the checkpoint with the highest number."""
        self.read("read of the checkpoint")
        self._shown = self.disk.image.newest_checkpoint()
        return self._shown

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        """Yield checkpoints in order."""
        self.read("read of checkpoints")
        yield from [row for row in self.disk.image.checkpoints.values() if row.number >= start]

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used."""
        self.read("look for references")
        references = self.disk.image.references
        return {key: references[key] for key in keys if key in references}

    # -- what the library asks of a recorder, and a ledger never does -------------------------------------------------

    def select_events(
        self,
        originator_id: object,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Not used."""
        raise NotImplementedError

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Not used."""
        raise NotImplementedError

    def max_notification_id(self) -> int | None:
        """Not used."""
        raise NotImplementedError

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Not used."""
        raise NotImplementedError


class ConnectionSidecar:
    """What lies beside the log, through a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, name: str, size_max: int) -> bytes | None:
        """Return what is kept."""
        self._connection.read(f"read of {name}")
        data = self._connection.disk.image.sidecar.get(name)
        return None if data is None else data[: size_max + 1]

    def write(self, name: str, data: bytes) -> None:
        """Replace the whole of it, or fail before."""
        self._connection.call(f"write of {name}")
        world = self._connection._world
        if world is not None and (world.temper.hits("sidecar fails") or self._connection.disk.is_full):
            raise OSError(28, "No space left on device")
        self._connection.disk.image.sidecar[name] = data
        if world is not None:
            world.tell(f"{self._connection.owner} wrote {name}")
            if world.temper.hits("crash at a call"):
                raise Crash(f"after the write of {name}")

    @contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Somebody else may be at it."""
        world = self._connection._world
        if world is not None and world.temper.hits("sidecar fails"):
            raise LedgerBusyError("another process writes beside this log")
        yield


class Record(LedgerRecord):
    """The library's application over a connection that is there already."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        super().__init__(env=memory_environment())

    def construct_recorder(self) -> ApplicationRecorder:
        """The connection."""
        return self._connection


def quiet(disk: Disk) -> Connection:
    """A connection that never fails."""
    return Connection(disk, "the auditor", None)
