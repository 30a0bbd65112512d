"""One seed, one history: every actor, fault and delay comes from one source of chance, on one thread, in virtual time.

    clients ──notes──► nodes (writer, fenced writers, writers in waiting) ──► connection ──► disk
       ▲                   │                                                     │
       └── answers ◄───────┘          mischief: kills, pauses, cuts, clocks, …   └──► views, witness

Actors are events in a heap. While one of them is in the midst of a call, others may come in between (`meanwhile`).
After every event the answers are judged and the invariants checked. In the end there is a calm, in which everything
must finish.
"""

import hashlib
import heapq
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unittest import mock

from properties.naive_ledger import DAY
from properties.test_against_naive_ledger import TIME_STEPS
from simulation.chance import HOUR, MINUTE, NO_RATES, SECOND, Temper
from simulation.clients import Client
from simulation.damage import Damage, audit
from simulation.disk import Commit, Disk, Session
from simulation.follower import Follower
from simulation.judge import BrokenError, Judge, require
from simulation.nodes import Node
from simulation.notes import START, NoteMaker, founding
from simulation.watch import Watch
from simulation.witness import Witness, place_strange_snapshot
from tallystick.ledger import opening, standing_by
from tallystick.transparency.receipt import Receipt
from tallystick.views import follower

STEPS: Final = 120
CALM_ROUNDS_MAX: Final = 60
NODES: Final = 3
CLIENTS: Final = 3
STEPS_BETWEEN_REBUILDS: Final = 30
LEASE: Final = 4 * SECOND
LONG_AFTER: Final = 30 * DAY
"""Longer than a state remembers references; the store's index remembers all of them."""


class SimulationError(AssertionError):
    """An invariant broke, or something was raised that nobody may see.

    Attributes:
        trace: what happened until then.
    """

    def __init__(self, seed: int, step: int, why: str, trace: list[str]) -> None:
        super().__init__(f"seed {seed}, step {step}: {why}")
        self.trace = trace


class World:
    """Everything there is in one seed."""

    def __init__(self, seed: int, steps: int = STEPS, rates: Mapping[str, int] = NO_RATES) -> None:
        founded = founding()
        self.seed = seed
        self.steps = steps
        self.step = 0
        self.now = START + HOUR
        self.temper = Temper(seed, rates)
        self.trace: list[str] = []
        self.is_down = False
        self.disk = Disk(founded.image.copy(), self.temper.chance, self.tell)
        model = founded.model_copy()
        self.maker = NoteMaker(model, self.temper.chance, founded.sent())
        self.judge = Judge(self.disk, model, self.maker, founded)
        self.watch = Watch(self.disk, model, self.temper.chance)
        self.nodes = [Node(self, f"node-{number}") for number in range(NODES)]
        self.clients = [Client(self, f"client-{number}") for number in range(CLIENTS)]
        self.witness = Witness(self)
        self.follower = Follower(self)
        self._events: list[tuple[int, int, str, Callable[[], None]]] = []
        self._events_made = 0
        self._is_within = False

    # -- the run ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Storm, then calm.

        Raises:
            SimulationError: something that must hold doesn't.
        """
        try:
            with self._small_limits():
                self._storm()
                self._calm()
        except Exception as error:
            raise SimulationError(self.seed, self.step, _told(error), self.trace) from error
        finally:
            self.follower.close()

    def tell(self, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{self.step:4d} {(self.now - START) / SECOND:14.6f}s  {what}")

    def digest(self) -> str:
        """What tells two runs apart: everything that happened, and everything that was kept."""
        kept = hashlib.sha256("\n".join(self.trace).encode())
        for data in self.disk.image.entries.values():
            kept.update(data)
        return kept.hexdigest()

    @contextmanager
    def _small_limits(self) -> Iterator[None]:
        """Save states after a few entries instead of thousands, and let views read the simulated log."""
        with (
            mock.patch.object(opening, "SNAPSHOT_AFTER_ENTRIES", 3),
            mock.patch.object(standing_by, "SNAPSHOT_AFTER_ENTRIES", 9),
            mock.patch.object(follower, "STATE_SAVED_AFTER_ENTRIES", 10),
            mock.patch.object(follower, "read_ledger", self.follower.read_ledger),
        ):
            yield

    def _storm(self) -> None:
        rates = " ".join(f"{name}={rate}" for name, rate in self.temper.rates.items() if rate)
        self.tell(f"seed {self.seed}: out of a thousand: {rates}")
        for node in self.nodes:
            self._every(node.name, 300_000, 1_800_000, node.tick)
        for client in self.clients:
            self._every(client.name, 200_000, 900_000, client.tick)
        self._every("views", SECOND, 4 * SECOND, self.follower.tick)
        self._every("witness", SECOND, 8 * SECOND, self.witness.tick)
        self._every("mischief", SECOND // 2, 2 * SECOND, self._mischief)
        while self.step < self.steps:
            at, _, _, act = heapq.heappop(self._events)
            # What two writers make of the same notes at the same microsecond nobody can tell apart: only within a step.
            self.now = max(self.now + 1, at)
            self.step += 1
            act()
            self._check()

    def _check(self) -> None:
        self.judge.judge()
        self.watch.check()
        for node in self.nodes:
            node.check()
        if self.step % STEPS_BETWEEN_REBUILDS == 0:
            self.follower.check()

    # -- time ---------------------------------------------------------------------------------------------------------

    def later(self, low: int, high: int, name: str, act: Callable[[], None]) -> None:
        """Let something happen in so many microseconds, from low to high."""
        self._events_made += 1
        heapq.heappush(self._events, (self.now + self.temper.between(low, high), self._events_made, name, act))

    def _every(self, name: str, low: int, high: int, act: Callable[[], None]) -> None:
        def again() -> None:
            act()
            self.later(low, high, name, again)

        self.later(low, high, name, again)

    def pass_time(self, microseconds: int) -> None:
        """Something takes long."""
        self.now += microseconds

    # -- what connections tell ----------------------------------------------------------------------------------------

    def notice_loss(self, session: Session) -> None:
        """The server will notice that nobody is at the other end any more."""
        self.later(0, LEASE, "lease", lambda: self.disk.end(session))

    def end_later(self, commit: Commit) -> None:
        """A commit under way gets through in a while, or doesn't."""
        is_kept = not self.temper.one_in(3)
        self.later(0, LEASE, "commit", lambda: self.disk.settle(commit, is_kept=is_kept))

    def give_receipt(self, receipt: Receipt, entry: bytes) -> None:
        """Somebody was given a receipt."""
        self.watch.give_receipt(receipt, entry)

    def meanwhile(self, owner: str, what: str) -> None:
        """Others come in between, in the midst of somebody's call."""
        if self._is_within:
            return
        self._is_within = True
        others = [node for node in self.nodes if node.name != owner]
        writers = [node for node in self.nodes if node.name == owner and node.has_lock]
        self.tell(f"{owner}: meanwhile, before {what} ...")
        try:
            match self.temper.between(0, 5):
                case 0 | 1 if writers:
                    writers[0].lose_lease()
                    for node in others:
                        node.tick()
                    self.temper.chance.choice(self.clients).tick()
                case 0 | 1 | 2:
                    self.temper.chance.choice(self.clients).tick()
                case 3:
                    self.follower.race()
                case 4 if self.temper.hits("fail over"):
                    self.fail_over()
                case _:
                    for commit in self.disk.under_way():
                        self.disk.settle(commit, is_kept=True)
        finally:
            self._is_within = False
        self.tell(f"{owner}: ... and goes on")

    # -- mischief -----------------------------------------------------------------------------------------------------

    def _mischief(self) -> None:
        temper = self.temper
        node = temper.chance.choice(self.nodes)
        if temper.hits("kill") and node.is_up:
            node.end("killed")
        if temper.hits("close"):
            node.close()
        if temper.hits("pause"):
            self._pause(node)
        if temper.hits("cut off"):
            node.cut_off_until = self.now + temper.between(1, 20) * SECOND
            self.tell(f"{node.name}: is cut off from the store")
        if temper.hits("lease"):
            node.lose_lease()
        if temper.hits("usurp"):
            self._usurp()
        if temper.hits("fail over"):
            self.lose_the_server()
        if temper.hits("clock"):
            self._set_clock(node)
        if temper.hits("full"):
            self._fill(is_full=True)
            self.later(SECOND, 10 * SECOND, "room", lambda: self._fill(is_full=False))
        if temper.hits("down"):
            self._go_down(is_down=True)
            self.later(SECOND, 10 * SECOND, "up", lambda: self._go_down(is_down=False))
        if temper.hits("leap"):
            self.pass_time(temper.chance.choice(TIME_STEPS))
        if temper.hits("snapshot"):
            place_strange_snapshot(self)
        if temper.hits("damage"):
            self._damage()

    def _pause(self, node: Node) -> None:
        """It hangs; its session ends for that; then it goes on as if nothing had happened."""
        node.paused_until = self.now + self.temper.between(1, 12) * SECOND
        self.tell(f"{node.name}: is paused")
        self.later(SECOND, LEASE, "lease", node.lose_lease)

    def _usurp(self) -> None:
        """The writer loses its lock and isn't told; another writes; then submitters come to the first again."""
        writer = next((node for node in self.nodes if node.has_lock and node.ledger is not None), None)
        if writer is None:
            return
        self.tell(f"{writer.name} loses the lock, and isn't told")
        writer.lose_lease()
        for node in [node for node in self.nodes if node is not writer] * 3:
            if self.disk.holder is None:
                node.tick()
        usurper = next((node for node in self.nodes if node.has_lock and node.ledger is not None), None)
        if usurper is not None:
            cause, consequence = self.temper.chance.sample(self.clients, 2)
            if self.temper.hits("fail over at a commit"):
                self.temper.due.add("crash after the commit")
                cause.bring(usurper, self.maker.make_cause)
                self.temper.due.clear()
                consequence.ask_for_receipt(writer)
                self.fail_over()
                return
            cause.bring(usurper, self.maker.make_cause)
            self.judge.judge()
            self.pass_time(1)
            if self.temper.one_in(3):
                usurper.close()
            consequence.bring(writer, self.maker.make_consequence)
            cause.bring(writer, self.maker.make_cause)

    def lose_the_server(self) -> None:
        """Everybody looks at what the server shows; then it is lost."""
        self.follower.tick()
        for client in self.clients:
            client.ask_for_receipt()
        if self.temper.one_in(2):  # a witness makes sure of what it is shown
            self.witness.tick()
        self.fail_over()

    def fail_over(self) -> None:
        """A standby server takes its place; what it had shown beyond what it had acknowledged may be lost with it."""
        shown = self.disk.image.size()
        size = self.disk.fail_over()
        self.tell(f"a failover: {shown} entries were shown, {size} are left")
        self.judge.forget(size)
        self.watch.forget(size)

    def _set_clock(self, node: Node) -> None:
        """A machine's clock goes wrong, or is set right."""
        offsets = (0, 0, SECOND, -SECOND, 4 * MINUTE, -4 * MINUTE, 10 * MINUTE, -HOUR, 3 * HOUR, -300 * HOUR)
        node.clock_offset = self.temper.chance.choice(offsets)
        self.tell(f"{node.name}: its clock is off by {node.clock_offset // SECOND}s")

    def _fill(self, *, is_full: bool) -> None:
        self.disk.is_full = is_full
        self.tell("the disk is full" if is_full else "the disk has room again")

    def _go_down(self, *, is_down: bool) -> None:
        self.is_down = is_down
        self.tell("the store is down" if is_down else "the store is back")
        if is_down and self.disk.holder is not None:
            self.disk.end(self.disk.holder)

    def _damage(self) -> None:
        """The server's machine goes down, and its disk is not what it was; the replica takes its place."""
        for node in self.nodes:
            node.end("the server went down")
        if self.disk.holder is not None:
            self.disk.end(self.disk.holder)
        for commit in self.disk.under_way():
            self.disk.settle(commit, is_kept=False)
        self.judge.judge()
        self.watch.check()
        found = audit(self.disk.image, self.watch.given_receipts)
        require(found == [], f"the audit of a sound log finds {found}")
        Damage(self).happen()
        self.tell("the replica is restored")

    # -- the calm -----------------------------------------------------------------------------------------------------

    def _calm(self) -> None:
        """Nothing fails any more: everything must finish."""
        self.tell("calm")
        self.temper.is_calm = True
        self.is_down = self.disk.is_full = False
        self._events = [event for event in self._events if event[2] in ("lease", "commit")]
        heapq.heapify(self._events)
        for node in self.nodes:
            node.paused_until = node.cut_off_until = node.clock_offset = 0
        self._calm_round()  # who was cut off finds out that it isn't any more
        rounds = 0
        while any(client.unanswered for client in self.clients) or not self._is_led():
            rounds += 1
            require(rounds < CALM_ROUNDS_MAX, f"in a calm, {self._unfinished()}")
            self._calm_round()
        if self.temper.one_in(2):
            self.pass_time(LONG_AFTER)
        self._ask_again()
        next(node for node in self.nodes if node.has_lock).close()
        self.follower.tick()
        self.follower.tick()
        require(self.follower.is_up_to_date(), "in a calm, views don't follow to the end")
        self.follower.check()
        self.watch.check_everything()
        found = audit(self.disk.image, self.watch.given_receipts)
        require(found == [], f"the audit finds {found}")
        if self.temper.one_in(2):
            self.witness.tick()
        Damage(self).happen()
        self.tell(f"{self.disk.image.size()} entries, {len(self.watch.given_receipts)} receipts")

    def _is_led(self) -> bool:
        return sum(node.has_lock and node.ledger is not None for node in self.nodes) == 1

    def _unfinished(self) -> str:
        unanswered = [made.name for client in self.clients for made in client.unanswered]
        return f"there is {'a' if self._is_led() else 'no'} writer, and these have no answer: {unanswered}"

    def _calm_round(self) -> None:
        self.step += 1
        self.pass_time(LEASE)
        while self._events and self._events[0][0] <= self.now:
            heapq.heappop(self._events)[3]()
        for node in self.nodes:
            node.tick()
        for client in self.clients:
            if client.unanswered:
                client.send(client.unanswered[:8])
        self._check()

    def _ask_again(self) -> None:
        """Whoever was answered asks again: the same entry for the same note, and a receipt under the newest tree."""
        node = next(node for node in self.nodes if node.has_lock)
        for client in self.clients:
            client.send(client.answered, node)
        self.judge.judge()
        self.watch.check()


def _told(error: Exception) -> str:
    """One line on what went wrong, and where if it doesn't say that itself."""
    if isinstance(error, BrokenError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(str(error).split())[:200]
    return f"{type(error).__name__} {said} ({Path(place.filename).name}:{place.lineno}: {place.line})"


def run_seed(seed: int, steps: int = STEPS, rates: Mapping[str, int] = NO_RATES) -> World:
    """Run one seed to its end, with some faults at rates of the caller's.

    Raises:
        SimulationError: something that must hold doesn't.
    """
    world = World(seed, steps, rates)
    world.run()
    return world
