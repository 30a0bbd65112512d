"""The same through a log's server, which shows a provider what is its own."""

import json
from pathlib import Path

from support.clusters import BEGIN, DAY, PROVIDER, Cluster, Job, burned_once, export
from support.command_line import ORIGIN
from support.serving import service_in_thread
from tallystick import keyfiles
from tallystick.vouchers.quantities import SECOND_US

AT = 2 * DAY


def test_plan_burn_and_reconcile_through_a_server(tmp_path: Path) -> None:
    """A login by the profile's key, entries proved, the same answers as from the ledger's folder."""
    cluster = Cluster(tmp_path)
    jobs = [Job(str(number), number, 600 + number) for number in range(10)]
    half, whole = export(tmp_path / "half.psv", jobs, 600), export(tmp_path / "whole.psv", jobs, DAY)
    log_key = keyfiles.load(cluster.desk.key(ORIGIN), None)
    at_us = (BEGIN + AT) * SECOND_US
    with service_in_thread(cluster.desk.ledger, log_key, clock=lambda: at_us, reading="own") as service:
        said = {"source": service.url, "log": ORIGIN, "party": PROVIDER, "policy": str(cluster.desk.policy)}
        said |= {"key": str(cluster.desk.key(f"{PROVIDER}/desk")), "zone": "+08:00"}
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items())
        (tmp_path / "tallystick.toml").write_text(text)
        first = cluster.burn(half, at=AT, more=["--so-far"])
        assert (first.status, first.err) == (0, ""), first
        second = cluster.burn(whole, at=AT)
        assert (second.status, second.err) == (0, ""), second
        again = cluster.burn(half, whole, at=AT)
        assert again.out.splitlines()[-1] == "nothing was to be sent"
        served = cluster.reconciled(whole, at=AT)
    assert (served["open"], len(served["matched"])) == ([], 10)
    burned_once(jobs, cluster.standing())
    cluster.profile(tmp_path)
    here = cluster.reconciled(whole, at=AT)
    assert {**here, "command": ""} == {**served, "command": ""}
