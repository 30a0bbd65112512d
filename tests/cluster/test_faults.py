"""Under load, machines and writers fail in every way there is a name for; no promise that was made is broken."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.faults import Scene, default_schedule, read_schedule, run
from cluster.load import Load, Submitter
from cluster.machines import NODES, Cluster
from cluster.verdict import check_all
from cluster.writers import Writers
from support.burning import LOG_KEY, Clock, founding_notes
from tallystick.ledger import Admitted, create_ledger

SUBMITTERS = 4
BROUGHT_AGAIN = 200


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        yield cluster
    finally:
        if request.session.testsfailed:
            cluster.close()
            print(f"what the servers logged is in {cluster.folder}")
        else:
            cluster.remove()


def test_no_promise_is_broken_whatever_fails(cluster: Cluster, request: pytest.FixtureRequest) -> None:
    seed: int = request.config.getoption("--seed")
    told: str = request.config.getoption("--schedule")
    schedule = read_schedule(told) if told else default_schedule(seed)
    by_haproxy, in_order = cluster.urls
    hosts = [f"127.0.0.1:{cluster.client_port(node)}" for node in NODES]
    one_by_one = [in_order.replace(",".join(hosts), host).replace("read-write", "any") for host in hosts]
    in_reverse = in_order.replace(",".join(hosts), ",".join(reversed(hosts)))
    found_network(by_haproxy)
    with tempfile.TemporaryDirectory() as folder:
        writers = Writers([by_haproxy, in_order, in_reverse], Path(folder))
        load = Load(writers, SUBMITTERS, seed, [by_haproxy, in_order, *one_by_one])
        scene = Scene(cluster, writers, load)
        try:
            load.start()
            run(scene, schedule)
            load.finish()
            bring_again(writers, load)
        finally:
            load.stop()
            writers.close()
            report(scene)
    answers = load.all_answers()
    size = check_all(by_haproxy, answers, load.receipts, load.checkpoints, load.notes)
    print(
        f"{size:,} entries; {len(load.receipts):,} receipts more, {len(load.checkpoints):,} checkpoints were read",
        end="; ",
    )
    print(f"{len(answers) - len(load.answers)} answers came late; every promise was kept")


def found_network(url: str) -> None:
    genesis, *rest = founding_notes()
    with create_ledger(url, genesis, LOG_KEY, clock=Clock()) as ledger:
        answers = ledger.submit(rest)
    assert [answer.index for answer in answers if isinstance(answer, Admitted)] == list(range(1, len(rest) + 1))


def bring_again(writers: Writers, load: Load) -> None:
    """Whoever brings an old note again gets the original entry."""
    submitter = Submitter(writers, load.late)
    for answer in load.answers[:: len(load.answers) // BROUGHT_AGAIN + 1]:
        again = submitter.bring(answer.ref, load.notes[answer.ref])
        assert (again.index, again.entry) == (answer.index, answer.entry)
    submitter.close()


def report(scene: Scene) -> None:
    print()
    for what, seconds in scene.outages:
        print(f"{seconds:6.2f} s without an answer: {what}")
    print(f"{len(scene.writers.deaths)} writers died, at {len(scene.steps)} steps among them", end="; ")
    print(f"{len(scene.load.answers):,} notes were answered")
