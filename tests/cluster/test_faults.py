"""Under load, machines and writers fail in every way there is a name for; no promise that was made is broken."""

from collections.abc import Iterator

import pytest

from cluster.faults import Scene, default_schedule, read_schedule, run
from cluster.load import Load
from cluster.machines import NODES, Cluster
from cluster.replicas import Replicas
from cluster.verdict import check_all
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
    replicas = Replicas([by_haproxy, in_order, in_reverse])
    load = Load(replicas, SUBMITTERS, seed, [by_haproxy, in_order, *one_by_one])
    scene = Scene(cluster, replicas, load)
    try:
        load.start()
        run(scene, schedule)
        load.finish()
        bring_again(load)
    finally:
        load.stop()
        replicas.close()
        report(scene)
    size = check_all(by_haproxy, load)
    print(f"{size:,} entries; {len(load.receipts):,} receipts more, {len(load.checkpoints):,} checkpoints", end=", ")
    print(f"{len(load.clung):,} answers to those that cling; every promise was kept")


def found_network(url: str) -> None:
    genesis, *rest = founding_notes()
    with create_ledger(url, genesis, LOG_KEY, clock=Clock()) as ledger:
        answers = ledger.submit(rest)
    assert [answer.index for answer in answers if isinstance(answer, Admitted)] == list(range(1, len(rest) + 1))


def bring_again(load: Load) -> None:
    """An old note that is brought again is answered with the original entry."""
    some = load.answers[:: len(load.answers) // BROUGHT_AGAIN + 1]
    for answer, again in zip(some, load.bring_again([answer.ref for answer in some]), strict=True):
        assert (again.index, again.entry) == (answer.index, answer.entry)


def report(scene: Scene) -> None:
    print()
    for what, seconds in scene.outages:
        print(f"{seconds:6.2f} s without an answer: {what}")
    print(f"{len(scene.replicas.deaths)} services died, at {len(scene.steps)} steps among them", end="; ")
    print(f"{len(scene.load.answers):,} notes were answered")
