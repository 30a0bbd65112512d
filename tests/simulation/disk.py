"""What the simulated store keeps, and who may write to it: one durable image, seen through sessions.

    image     entries, tree, checkpoints, references, and what lies beside: changed by whole commits
    sure      what a standby server has too: all that was acknowledged, and what stood before a commit that was; what is
              beyond can be seen, and the next failover may lose it
    session   what a connection is to the server; one at a time holds the writer's lock
    commit    under way until it is kept or lost; the end of its session settles which

It is PostgreSQL as a writer sees it: a client that lost its connection doesn't know what became of its commit, and the
server doesn't know that the client is gone until it notices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from eventsourcing.persistence import IntegrityError, StoredEvent

from tallystick.ledger.store import CheckpointRow, Group
from tallystick.transparency.merkle import TILE_WIDTH


@dataclass(slots=True)
class Image:
    """The durable contents; dicts are in the order of their keys' coming, and every value is immutable."""

    entries: dict[int, bytes] = field(default_factory=dict)
    tree: dict[tuple[int, int], bytes] = field(default_factory=dict)
    checkpoints: dict[int, CheckpointRow] = field(default_factory=dict)
    references: dict[tuple[str, str], int] = field(default_factory=dict)
    sidecar: dict[str, bytes] = field(default_factory=dict)

    def copy(self) -> "Image":
        """Another image with the same contents."""
        return Image(
            self.entries.copy(),
            self.tree.copy(),
            self.checkpoints.copy(),
            self.references.copy(),
            self.sidecar.copy(),
        )

    def size(self) -> int:
        """The highest index + 1."""
        return next(reversed(self.entries), -1) + 1

    def newest_checkpoint(self) -> CheckpointRow | None:
        """The checkpoint with the highest number."""
        return next(reversed(self.checkpoints.values()), None)

    def is_taken(self, events: Sequence[StoredEvent], group: Group) -> bool:
        """Whether a primary key or a unique index refuses this."""
        return (
            any(event.originator_version - 1 in self.entries for event in events)
            or any((level, position) in self.tree for level, position, _ in group.tree_hashes)
            or any((party, ref) in self.references for _, party, ref in group.references)
            or group.checkpoint.number in self.checkpoints
        )

    def cut_back(self, number: int) -> None:
        """Lose every group after a checkpoint's, with all that belongs to it."""
        size = self.checkpoints[number].size
        self.checkpoints = {one: row for one, row in self.checkpoints.items() if one <= number}
        self.entries = {index: data for index, data in self.entries.items() if index < size}
        self.references = {key: index for key, index in self.references.items() if index < size}
        self.tree = {
            (level, position): value
            for (level, position), value in self.tree.items()
            if (position + 1) * TILE_WIDTH**level <= size
        }

    def keep(self, events: Sequence[StoredEvent], group: Group) -> None:
        """Keep all of it, or nothing.

        Raises:
            eventsourcing.persistence.IntegrityError: a key is taken.
        """
        if self.is_taken(events, group):
            raise IntegrityError("a key is taken")
        for event in events:
            self.entries[event.originator_version - 1] = event.state
        for level, position, tree_hash in group.tree_hashes:
            self.tree[level, position] = tree_hash
        for index, party, ref in group.references:
            self.references[party, ref] = index
        self.checkpoints[group.checkpoint.number] = group.checkpoint


@dataclass(slots=True, eq=False)
class Session:
    """A connection, from the server's side."""

    owner: str
    is_alive: bool = True


@dataclass(slots=True, eq=False)
class Commit:
    """What a session asked to be kept; `is_kept` is None while nobody knows."""

    session: Session
    events: Sequence[StoredEvent]
    group: Group
    is_kept: bool | None = None


class Disk:
    """An image, and the server in front of it."""

    def __init__(self, image: Image, chance: Random, tell: Callable[[str], None]) -> None:
        self.image = image
        self.is_full = False
        self.holder: Session | None = None
        self.lock_owners: list[str] = []
        self.commits: list[Commit] = []
        self.sure_number = max(image.checkpoints, default=-1)
        self._chance = chance
        self._tell = tell

    @property
    def sure_size(self) -> int:
        """How many entries no failover loses."""
        return self.image.checkpoints[self.sure_number].size

    def make_sure(self) -> None:
        """Something was committed for good, and with it all that was there before."""
        self.sure_number = max(self.image.checkpoints, default=-1)

    def fail_over(self) -> int:
        """The server is lost; a standby server takes its place, with what is sure and perhaps more; return the size."""
        if self.holder is not None:
            self.end(self.holder)
        for commit in self.under_way():
            self.settle(commit, is_kept=False)
        newest = max(self.image.checkpoints)
        if self._chance.random() < 0.3:
            self.sure_number = self._chance.randint(self.sure_number, newest)
        self.image.cut_back(self.sure_number)
        for commit in self.commits[-50:]:
            if commit.group.checkpoint.number > self.sure_number:
                commit.is_kept = False
        return self.image.size()

    def take_lock(self, owner: str) -> Session:
        """Begin a session that holds the lock, which must be free."""
        assert self.holder is None
        self.holder = Session(owner)
        self.lock_owners.append(owner)
        self._tell(f"{owner} has the lock")
        return self.holder

    def end(self, session: Session) -> None:
        """End a session: its commits got through or they didn't, and the lock is free."""
        if not session.is_alive:
            return
        session.is_alive = False
        for commit in self.under_way(session):
            self.settle(commit, is_kept=self._chance.random() < 0.5)
        if self.holder is session:
            self.holder = None
            self._tell(f"the session of {session.owner} ends, the lock is free")

    def under_way(self, session: Session | None = None) -> list[Commit]:
        """The commits, of one session or all, that nobody knows the end of."""
        commits = [commit for commit in self.commits[-50:] if commit.is_kept is None]
        return [commit for commit in commits if session is None or commit.session is session]

    def settle(self, commit: Commit, *, is_kept: bool) -> None:
        """Decide what became of a commit under way."""
        if commit.is_kept is not None:
            return
        commit.is_kept = False
        if is_kept:
            try:
                self.image.keep(commit.events, commit.group)
                commit.is_kept = True
            except IntegrityError:
                pass
        first = commit.events[0].originator_version - 1
        what = "kept" if commit.is_kept else "lost"
        self._tell(f"what {commit.session.owner} committed at {first} (+{len(commit.events)}) is {what}")

    def keep(self, commit: Commit) -> None:
        """Keep a commit at once.

        Raises:
            eventsourcing.persistence.IntegrityError: a key is taken; nothing is kept.
        """
        self.commits.append(commit)
        commit.is_kept = False
        self.image.keep(commit.events, commit.group)
        commit.is_kept = True
