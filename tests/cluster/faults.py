"""What can happen to a cluster under load; each is timed until somebody answers again, and cleared up.

A schedule is a list like `kill-primary, pause-primary 8, kill-writer`; the number is how many seconds it lasts.
"""

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Final

from cluster.load import Load
from cluster.machines import Cluster, wait_for
from cluster.replicas import Replica, Replicas

WRITER_REPLACED_SECONDS_MAX: Final = 5.0
PRIMARY_REPLACED_SECONDS_MAX: Final = 60.0
FAILOVER_SECONDS_MAX: Final = 30.0
SECONDS_TO_TAKE_EFFECT: Final = 1.0
"""An answer may be on its way when a fault begins; later than that, it comes after it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a schedule."""

    kind: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} {self.seconds:g}" if self.seconds else self.kind


@dataclass(slots=True)
class Scene:
    """Where faults happen.

    Attributes:
        outages: what happened, and how many seconds nobody was answered then.
        steps: at which steps writers died.
    """

    cluster: Cluster
    replicas: Replicas
    load: Load
    outages: list[tuple[str, float]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def wait_until_answered(
        self, what: str, since: float, *, after: float, not_by: str = "", seconds_max: float
    ) -> None:
        """Wait until notes are answered again after a fault, and see that nobody waited too long.

        Args:
            what: the fault.
            since: when it began (monotonic, s).
            after: the answer to wait for comes later than that.
            not_by: the writer whose answers don't count.
            seconds_max: the longest time without an answer that is allowed.
        """
        until = self.load.first_answer(after, not_by, seconds_max + 30.0).at
        mute = ("", not_by) if not_by else ()
        times = [since, *(one.at for one in self.load.answers if since < one.at <= until and one.service not in mute)]
        gap = max(later - earlier for earlier, later in itertools.pairwise(times))
        self.outages.append((what, gap))
        assert gap <= seconds_max, f"{what}: {gap:.1f} s without an answer, at most {seconds_max:.0f} s is allowed"

    def wait_until_one_replaces(self, writer: Replica, since: float, what: str) -> None:
        """Wait until another writer answers."""
        self.wait_until_answered(what, since, after=since, not_by=writer.name, seconds_max=WRITER_REPLACED_SECONDS_MAX)

    def wait_until_primary_answers(self, what: str, since: float, over: float | None = None) -> None:
        """Wait until there is a primary that commits, after a fault that began and, it may be, is over."""
        after = (since if over is None else over) + SECONDS_TO_TAKE_EFFECT
        self.wait_until_answered(what, since, after=after, seconds_max=PRIMARY_REPLACED_SECONDS_MAX)

    def active_writer(self) -> Replica:
        """Return the writer that answers now; another may believe to be the one, and not know yet that it isn't."""
        while True:
            name = self.load.first_answer(time.monotonic()).service
            for writer in self.replicas.living.copy():
                if writer.name == name:
                    return writer

    def wait_until_calm(self) -> None:
        """Wait until all is as if nothing had happened."""
        wait_for("a whole cluster", self.cluster.is_whole)
        self.load.first_answer(time.monotonic())
        self.replicas.standing_by(len(self.replicas.living) - 1)


def run(scene: Scene, schedule: list[Fault]) -> None:
    """Let one fault happen after another."""
    for fault in schedule:
        scene.wait_until_calm()
        begin = time.monotonic()
        print(f"{fault} ...", flush=True)
        _FAULTS[fault.kind][0](scene, fault.seconds)
        print(f"{fault}: over after {time.monotonic() - begin:.1f} s, {len(scene.load.answers):,} answers", flush=True)
    scene.wait_until_calm()


def read_schedule(text: str) -> list[Fault]:
    """Read a schedule.

    Raises:
        ValueError: there is no such fault.
    """
    return [_read_fault(item) for item in text.split(",")]


def default_schedule(seed: int) -> list[Fault]:
    """Return every fault once, in an order that the seed decides."""
    schedule = [Fault(kind, seconds) for kind, (_, seconds) in _FAULTS.items()]
    random.Random(seed).shuffle(schedule)
    return schedule


def _read_fault(item: str) -> Fault:
    kind, *seconds = item.split() or [""]
    if kind not in _FAULTS or len(seconds) > 1:
        raise ValueError(f"{item.strip()!r} is no fault; there are {', '.join(_FAULTS)}")
    return Fault(kind, float(seconds[0]) if seconds else _FAULTS[kind][1])


# -- PostgreSQL's machines --------------------------------------------------------------------------------------------


def _kill_primary(scene: Scene, _: float) -> None:
    """The machine is gone, and comes back when another has taken its place."""
    node = scene.cluster.leader()
    begin = time.monotonic()
    scene.cluster.signal(SIGKILL, node)
    scene.wait_until_primary_answers("kill-primary", begin)
    assert scene.cluster.leader() != node
    scene.cluster.start(node)


def _kill_postgres(scene: Scene, _: float) -> None:
    """Only PostgreSQL is killed: its Patroni sees that at once."""
    node = scene.cluster.leader()
    begin = time.monotonic()
    scene.cluster.signal_postgres(node, SIGKILL)
    scene.wait_until_primary_answers("kill-postgres", begin)


def _kill_standby(scene: Scene, _: float) -> None:
    """The synchronous standby is gone: nothing can be acknowledged until another is."""
    node = scene.cluster.roles().synchronous
    assert node is not None
    begin = time.monotonic()
    scene.cluster.signal(SIGKILL, node)
    scene.wait_until_primary_answers("kill-standby", begin)
    scene.cluster.start(node)


def _pause_primary(scene: Scene, seconds: float) -> None:
    """The machine hangs, and goes on afterwards as if nothing had happened."""
    node = scene.cluster.leader()
    _for_a_while(
        scene,
        f"pause-primary {seconds:g}",
        node,
        seconds,
        lambda: scene.cluster.signal(SIGSTOP, node),
        lambda: scene.cluster.signal(SIGCONT, node),
    )


def _hang_patroni(scene: Scene, seconds: float) -> None:
    """Patroni hangs, its PostgreSQL doesn't: for some time two servers believe that they are the primary."""
    node = scene.cluster.leader()
    _for_a_while(
        scene,
        f"hang-patroni {seconds:g}",
        node,
        seconds,
        lambda: scene.cluster.signal_patroni(node, SIGSTOP),
        lambda: scene.cluster.signal_patroni(node, SIGCONT),
    )


def _cut_off_primary(scene: Scene, seconds: float) -> None:
    """Nobody reaches the primary, nor it etcd."""
    node = scene.cluster.leader()
    _for_a_while(
        scene,
        f"cut-off-primary {seconds:g}",
        node,
        seconds,
        lambda: scene.cluster.cut_off(node),
        lambda: scene.cluster.mend(node),
    )


def _split_primary(scene: Scene, seconds: float) -> None:
    """The others and etcd don't reach the primary, but writers do."""
    node = scene.cluster.leader()
    _let_one_write_that_clings(scene)
    _for_a_while(
        scene,
        f"split-primary {seconds:g}",
        node,
        seconds,
        lambda: scene.cluster.cut_off(node, clients_too=False),
        lambda: scene.cluster.mend(node),
    )


def _let_one_write_that_clings(scene: Scene) -> None:
    """Let a writer write that knows all hosts, and of leader and synchronous standby comes to the leader first.

    HAProxy would take it away from a machine that is no primary any more; this one stays there as long as it can.
    """
    roles = scene.cluster.roles()
    assert roles.leader is not None
    assert roles.synchronous is not None
    ports = [scene.cluster.client_port(node) for node in (roles.leader, roles.synchronous)]
    while True:
        writer = scene.active_writer()
        leader_place, synchronous_place = (writer.database_url.find(f":{port}") for port in ports)
        if 0 <= leader_place < synchronous_place:
            return
        scene.replicas.kill(writer)
        scene.load.first_answer(time.monotonic(), writer.name)


def _for_a_while(
    scene: Scene, what: str, node: str, seconds: float, begin: Callable[[], None], end: Callable[[], None]
) -> None:
    since = time.monotonic()
    begin()
    try:
        if seconds > FAILOVER_SECONDS_MAX:
            wait_for("another primary", lambda: scene.cluster.roles().leader not in (None, node), FAILOVER_SECONDS_MAX)
        time.sleep(max(0.0, since + seconds - time.monotonic()))
    finally:
        end()
    scene.wait_until_primary_answers(what, since, time.monotonic())


def _restart_primary(scene: Scene, _: float) -> None:
    """An operator restarts the primary's PostgreSQL in its place."""
    node = scene.cluster.leader()
    begin = time.monotonic()
    scene.cluster.patronictl("restart", "--force", "tallystick", node)
    scene.wait_until_primary_answers("restart-primary", begin)


def _switch_over(scene: Scene, _: float) -> None:
    """An operator moves the primary to the synchronous standby."""
    roles = scene.cluster.roles()
    assert roles.leader is not None
    assert roles.synchronous is not None
    begin = time.monotonic()
    scene.cluster.patronictl("switchover", "--force", "--master", roles.leader, "--candidate", roles.synchronous)
    scene.wait_until_primary_answers("switch-over", begin)


def _kill_etcd(scene: Scene, _: float) -> None:
    """The etcd member that leads is gone."""
    member = scene.cluster.etcd_leader()
    assert member is not None
    begin = time.monotonic()
    scene.cluster.signal(SIGKILL, member)
    scene.wait_until_primary_answers("kill-etcd", begin)
    wait_for("another etcd leader", lambda: scene.cluster.etcd_leader() not in (None, member))
    scene.cluster.start(member)


def _cut_power(scene: Scene, _: float) -> None:
    """Everything but the writers is killed at once, and started again."""
    begin = time.monotonic()
    scene.cluster.signal(SIGKILL)
    scene.cluster.up()
    scene.wait_until_primary_answers("cut-power", begin)


# -- writers ----------------------------------------------------------------------------------------------------------


def _kill_writer(scene: Scene, _: float) -> None:
    writer = scene.active_writer()
    begin = time.monotonic()
    scene.replicas.kill(writer)
    scene.wait_until_one_replaces(writer, begin, "kill-writer")


def _pause_writer(scene: Scene, seconds: float) -> None:
    """A writer hangs; when it goes on, it doesn't know that another has its place."""
    writer = scene.active_writer()
    begin = time.monotonic()
    writer.process.send_signal(SIGSTOP)
    try:
        scene.wait_until_one_replaces(writer, begin, f"pause-writer {seconds:g}")
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
    finally:
        writer.process.send_signal(SIGCONT)


def _kill_writer_in_submit(scene: Scene, _: float) -> None:
    """A writer dies at the first step of a submit, the next one at the second, and so on."""
    words: list[str] = []
    for step in itertools.count(1):
        scene.replicas.standing_by()
        writer = scene.active_writer()
        since = scene.replicas.arm(writer, "submit", step)
        if scene.replicas.await_fate(writer, since)[1] == "survived":
            break
        words.append(_replaced(scene, writer, since, "submit"))
    _see_that_it_died_around(words, "INSERT INTO tallystick.stored_events")


def _kill_writer_in_take_over(scene: Scene, _: float) -> None:
    """Whoever takes over dies at the first step of that, the next one at the second, and so on."""
    words: list[str] = []
    for step in itertools.count(1):
        writer, *others = scene.replicas.standing_by(len(scene.replicas.living) - 1)
        since = scene.replicas.arm(writer, "take-over", step)
        for other in (scene.active_writer(), *others):
            scene.replicas.kill(other)
        if scene.replicas.await_fate(writer, since)[1] == "survived":
            break
        words.append(_replaced(scene, writer, since, "take-over"))
    _see_that_it_died_around(words, "INSERT INTO tallystick.takeovers")


def _replaced(scene: Scene, writer: Replica, since: float, what: str) -> str:
    """Wait until another writer answers, and return at which step the one that was armed at a time died."""
    at, word = scene.replicas.await_fate(writer, since)
    scene.steps.append(f"{what}: {word}")
    scene.wait_until_one_replaces(writer, at, f"{what}: {word}")
    return word


def _see_that_it_died_around(words: list[str], commit: str) -> None:
    for moment in ("before", "sent", "after"):
        assert any(word.startswith(f"died {moment} ") and commit in word for word in words), words


_FAULTS: Final[dict[str, tuple[Callable[[Scene, float], None], float]]] = {
    "kill-writer": (_kill_writer, 0.0),
    "pause-writer": (_pause_writer, 8.0),
    "kill-writer-in-submit": (_kill_writer_in_submit, 0.0),
    "kill-writer-in-take-over": (_kill_writer_in_take_over, 0.0),
    "kill-primary": (_kill_primary, 0.0),
    "kill-postgres": (_kill_postgres, 0.0),
    "kill-standby": (_kill_standby, 0.0),
    "pause-primary": (_pause_primary, 32.0),
    "hang-patroni": (_hang_patroni, 45.0),
    "cut-off-primary": (_cut_off_primary, 32.0),
    "split-primary": (_split_primary, 32.0),
    "restart-primary": (_restart_primary, 0.0),
    "switch-over": (_switch_over, 0.0),
    "kill-etcd": (_kill_etcd, 0.0),
    "cut-power": (_cut_power, 0.0),
}
