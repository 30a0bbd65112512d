"""A process that may write: it opens the log or stands by, takes over, writes, loses its lock unknowingly, and dies.

What it runs is the package's own `Ledger` and `StandBy`; only the connection, the clock and the log's key are made so
that they can fail, or end the process, at any step.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from eventsourcing.persistence import PersistenceError

from simulation.chance import Crash
from simulation.connection import Connection, Record
from simulation.judge import Answered, BrokenError, as_text, require
from simulation.notes import LOG_KEY, Made
from tallystick.errors import LedgerBusyError, NotALedgerError, StoreFailedError, TallystickError, WriterFencedError
from tallystick.ledger import opening
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.pending import Admitted, NoteAnswer
from tallystick.ledger.standing_by import StandBy
from tallystick.ledger.submit import Ledger
from tallystick.ledger.tail import load_tail
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.transparency.receipt import Receipt

if TYPE_CHECKING:
    from simulation.world import World

RECEIPTS_TAKEN = 3


class _ShakyKey:
    """The log's key, in a process that may end before it has signed."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.verifier: VerifierKey = LOG_KEY.verifier
        self.name = LOG_KEY.name

    def sign(self, message: bytes) -> bytes:
        """Sign, or end."""
        if self._world.temper.hits("crash before signing"):
            raise Crash("before signing")
        return LOG_KEY.sign(message)


class Node:
    """One such process, and the machine's clock."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.clock_offset = 0
        self.paused_until = 0
        self.cut_off_until = 0
        self.ledger: Ledger | None = None
        self._standby: StandBy | None = None
        self._connection: Connection | None = None
        self._world = world
        self._told_at = 0
        self._locks_before = 0
        self._was_fenced = False
        self._is_busy = False

    # -- life ---------------------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether there is a process."""
        return self._connection is not None

    @property
    def has_lock(self) -> bool:
        """Whether it has the lock, and knows it."""
        holder = self._world.disk.holder
        return holder is not None and self._connection is not None and self._connection.session is holder

    def clock(self) -> int:
        """The machine's time, which may be any; the process may end here, before it decides anything."""
        if self._world.temper.hits("crash before deciding"):
            raise Crash("before deciding")
        self._told_at = self._world.now + self.clock_offset
        return self._told_at

    def tick(self) -> None:
        """Go on with whatever it does."""
        if self._world.now < self.paused_until or self._is_busy:
            return
        if self._connection is not None:
            self._connection.is_cut_off = self._world.now < self.cut_off_until
        self._is_busy = True
        try:
            if not self.is_up:
                self._start()
            elif self._standby is not None:
                self._stand_by()
            elif self._was_fenced and self._world.temper.one_in(3):
                self._close("stops, fenced")
        except Crash as crash:
            self.end(str(crash))
        except (PersistenceError, LedgerBusyError, OSError) as error:
            self._world.tell(f"{self.name}: {type(error).__name__}: {error}")
            if self._standby is None and self.ledger is None:
                self.end("gives up")
        except NotALedgerError as error:
            raise BrokenError(f"{self.name} takes the log for damaged: {error}") from error
        finally:
            self._is_busy = False

    def _start(self) -> None:
        connection = self._connection = Connection(self._world.disk, self.name, self._world)
        connection.is_cut_off = self._world.now < self.cut_off_until
        record = Record(connection)
        signer = LogSigner(cast(SigningKey, _ShakyKey(self._world)))
        self._locks_before = len(self._world.disk.lock_owners)
        if self._world.temper.one_in(3):
            self._became(opening._ledger(record, signer, self.clock, 0, None), "opens the log")
            return
        tail = load_tail(record.store, signer.verifiers)
        self._standby = StandBy(record, signer, tail, lambda warm: opening._ledger(record, signer, self.clock, 0, warm))
        self._world.tell(f"{self.name}: stands by at {tail.edge.size}")

    def _stand_by(self) -> None:
        assert self._standby is not None
        if self._world.temper.one_in(4):
            self._standby.follow()
            self._standby._save()
            return
        self._locks_before = len(self._world.disk.lock_owners)
        ledger = self._standby.take_over()
        if ledger is not None:
            self._became(ledger, "takes over")

    def _became(self, ledger: Ledger, how: str) -> None:
        self.ledger, self._standby, self._was_fenced = ledger, None, False
        self._world.tell(f"{self.name}: {how} at {ledger._tail.edge.size}")

    def end(self, why: str) -> None:
        """The process ends here: what it had in memory is gone, and the server has not noticed yet."""
        if self._connection is not None:
            self._world.tell(f"{self.name}: ends: {why}")
            self._connection.lose()
        self.ledger = self._standby = self._connection = None

    def close(self) -> None:
        """End in good order, as far as that goes."""
        if self._is_busy or self.ledger is None:
            return
        self._is_busy = True
        try:
            self._close("closes")
        except Crash as crash:
            self.end(str(crash))
        finally:
            self._is_busy = False

    def _close(self, how: str) -> None:
        assert self.ledger is not None
        self._world.tell(f"{self.name}: {how}")
        self.ledger.close()
        self.ledger = self._connection = None

    def lose_lease(self) -> None:
        """The server ends the writer's session, and nobody tells the writer."""
        if self._connection is not None and self._connection.session is not None:
            self._world.disk.end(self._connection.session)

    # -- work ---------------------------------------------------------------------------------------------------------

    def can_submit(self) -> bool:
        """Whether somebody can bring it notes now."""
        return self.ledger is not None and not self._is_busy and self._world.now >= self.paused_until

    def submit(self, notes: Sequence[Made], along: Sequence[Made]) -> list[tuple[Made, NoteAnswer]]:
        """Give it one submitter's notes, and those of another who waits already; return all answers.

        Raises:
            tallystick.errors.TallystickError: there are none.
        """
        assert self.ledger is not None
        ledger, commits = self.ledger, len(self._world.disk.commits)
        was_fenced, self._is_busy = self._was_fenced, True
        try:
            group = ledger._prepare([made.note for made in along]) if along else None
            if group is not None:
                ledger._group_commit._arrived.append(group)
            answers = [*ledger.submit([made.note for made in notes])]
            require(group is None or (group.done and group.error is None), "who was written along has no answer")
            answers = [*(group.answers if group is not None else ()), *answers]
        except Crash as crash:
            self.end(str(crash))
            raise StoreFailedError("the process ended") from crash
        except NotALedgerError as error:
            raise BrokenError(f"{self.name} takes the log for damaged: {error}") from error
        except WriterFencedError:
            self._check_fenced()
            raise
        except StoreFailedError as error:
            if "kept nothing" in str(error):
                self._check_kept_nothing(commits)
            raise
        finally:
            self._is_busy = False
        require(not was_fenced, f"{self.name} was fenced, and answers again")
        return self._answered([*along, *notes], answers)

    def _answered(self, notes: Sequence[Made], answers: Sequence[NoteAnswer]) -> list[tuple[Made, NoteAnswer]]:
        require(len(answers) == len(notes), f"{self.name} gives {len(answers)} answers to {len(notes)} notes")
        pairs = list(zip(notes, answers, strict=True))
        self._world.judge.hear(Answered(self.name, pairs, self._told_at, self._world.disk.image.size()))
        for made, answer in pairs:
            self._world.tell(f"{self.name}: {made.name} -> {as_text(answer)}")
        return pairs

    def take_receipts(self, pairs: Sequence[tuple[Made, NoteAnswer]]) -> None:
        """Ask for receipts of what it has answered."""
        admitted = [answer for _, answer in pairs if isinstance(answer, Admitted)]
        self._take_receipts([(answer.receipt, answer.entry) for answer in admitted[:RECEIPTS_TAKEN]])

    def take_receipt_of(self, index: int, entry: bytes) -> None:
        """Ask for another receipt of an entry, whoever has answered for it, if this one knows that there is one."""
        ledger = self.ledger
        if ledger is not None and ledger._published is not None and index < ledger._published.size:
            self._take_receipts([(lambda: ledger.receipt(index), entry)])

    def _take_receipts(self, receipts: Sequence[tuple[Callable[[], Receipt], bytes]]) -> None:
        """Keep receipts; a connection that fails or a process that ends gives none."""
        try:
            for receipt, entry in receipts:
                self._world.give_receipt(receipt(), entry)
        except StoreFailedError as error:
            self._world.tell(f"{self.name}: no receipt: {error}")
        except Crash as crash:
            self.end(str(crash))
        except (TallystickError, LookupError) as error:
            raise BrokenError(f"{self.name} gives a receipt that proves nothing: {error}") from error

    def _check_fenced(self) -> None:
        self._was_fenced = True
        others = [owner for owner in self._world.disk.lock_owners[self._locks_before :] if owner != self.name]
        require(bool(others), f"{self.name} says that it was fenced, and nobody else has had the lock since")

    def _check_kept_nothing(self, commits: int) -> None:
        """Who is told that nothing was kept may sign something else instead."""
        mine = [commit for commit in self._world.disk.commits[commits:] if commit.session.owner == self.name]
        known = [commit for commit in mine if commit.is_kept is False]
        require(known == mine, f"{self.name} says that nothing was kept, and something was or may yet be")

    def check(self) -> None:
        """If it has the lock, it has the log in mind."""
        if self.has_lock and self.ledger is not None and not self._is_busy:
            self._world.watch.check_writer(self.ledger, self.name)
