"""The same through a log's server, which shows a provider what is its own."""

import json
from pathlib import Path

import pytest

from support.clusters import BEGIN, DAY, PROVIDER, Cluster, Job, burned_once, export
from support.command_line import ORIGIN
from support.losing_relay import losing_answers
from support.serving import service_in_thread
from tallystick import keyfiles
from tallystick.cli import remote_place
from tallystick.vouchers.quantities import SECOND_US

AT = 2 * DAY


def clock() -> int:
    return (BEGIN + AT) * SECOND_US


def served_by(cluster: Cluster, url: str) -> None:
    """Write a profile that names a server."""
    said = {"source": url, "log": ORIGIN, "party": PROVIDER, "policy": str(cluster.desk.policy), "zone": "+08:00"}
    said |= {"key": str(cluster.desk.key(f"{PROVIDER}/desk"))}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items())
    (cluster.folder / "tallystick.toml").write_text(text)


def test_plan_burn_and_reconcile_through_a_server(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are lost once; then with a login, entries proved, and the same as from the ledger's folder."""
    jobs = [Job(str(number), number, 600 + number) for number in range(10)]
    half, whole = export(tmp_path / "half.psv", jobs, 600), export(tmp_path / "whole.psv", jobs, DAY)
    log_key = keyfiles.load(cluster.desk.key(ORIGIN), None)
    with service_in_thread(cluster.desk.ledger, log_key, clock=clock) as service:
        with losing_answers(service.url) as url, monkeypatch.context() as impatient:
            impatient.setattr(remote_place, "PATIENCE_SECONDS", 3.0)
            served_by(cluster, url)
            lost = cluster.burn(half, at=AT, more=["--so-far"])
        assert (lost.status, "may be recorded: submit the same again" in lost.err) == (2, True), lost
        size = cluster.desk.size
        served_by(cluster, service.url)
        again = cluster.burn(half, at=AT, more=["--so-far"])
        assert "sent again as they are: 1" in again.err
        assert (again.status, again.out.splitlines()[-1]) == (0, "statements recorded: 1, refused: 0"), again
        assert cluster.desk.size == size
    with service_in_thread(cluster.desk.ledger, log_key, clock=clock, reading="own") as service:
        served_by(cluster, service.url)
        rest = cluster.burn(whole, at=AT)
        assert (rest.status, rest.err) == (0, ""), rest
        nothing = cluster.burn(half, whole, at=AT)
        assert nothing.out.splitlines()[-1] == "nothing was to be sent"
        served = cluster.reconciled(whole, at=AT)
    assert (served["open"], len(served["matched"])) == ([], 10)
    burned_once(jobs, cluster.standing())
    cluster.profile(tmp_path)
    here = cluster.reconciled(whole, at=AT)
    assert {**here, "command": ""} == {**served, "command": ""}
