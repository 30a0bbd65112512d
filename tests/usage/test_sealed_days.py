"""Usage of sealed days: growth and what came late is booked late, what shrank is corrected, each once."""

from pathlib import Path

from support.clusters import BEGIN, DAY, PROVIDER, Cluster, Job, burned_once, export
from tallystick.vouchers.quantities import SECOND_US, format_second

AT = 20 * DAY


def seal(cluster: Cluster, last_day: str) -> None:
    """Admit an operator, and seal the days up to one."""
    cluster.desk.at = format_second((BEGIN + AT) * SECOND_US)
    cluster.desk.admit("registry", "operator", "national")
    cluster.desk.do("book.seal", "registry", seal="registry/s-1", last_day=last_day)


def test_late_usage_growth_and_corrections_after_a_seal(cluster: Cluster, tmp_path: Path) -> None:
    jobs = [Job("1", 0, 600), Job("2", 0, 600), Job("3", 0, 600)]
    assert cluster.burn(export(tmp_path / "u.psv", jobs, 500), at=AT, more=["--so-far"]).status == 0
    assert cluster.burn(export(tmp_path / "u.psv", [jobs[0], jobs[2]], DAY), at=AT).status == 0
    seal(cluster, "2026-01-10")
    # Job 2 grew by a hundred seconds, job 3 was shorter than it was said, job 4 wasn't exported before.
    now = [jobs[0], jobs[1], Job("3", 0, 550), Job("4", 0, 60)]
    file = export(tmp_path / "u.psv", now, DAY)
    ran = cluster.burn(file, at=AT)
    assert ran.status == 1  # a reversal is proposed
    plan = cluster.plan(file, at=AT, more=["--reversals", tmp_path / "r.csv"])
    # What of job 3 stands from its first export is right; the rest, of a hundred seconds, is fifty too long.
    assert [(one["job"], one["seconds"], one["would_be"]) for one in plan["reversals"]] == [
        ("guian/3", 100, "accepted")
    ]
    (corrected,) = plan["lines_after_reversals"]
    assert (corrected["seconds"], corrected["corrects"]["line"]) == (50, plan["reversals"][0]["line"])
    lines = {line.job: line for some in cluster.standing().lines.values() for line in some}
    assert lines["guian/2"].is_late
    assert lines["guian/4"].is_late
    cluster.reverse(plan["reversals"][0]["statement"], plan["reversals"][0]["line"], at=AT)
    assert cluster.burn(file, at=AT).status == 0
    burned_once(now, cluster.standing())
    there = cluster.standing()
    assert there.corrected == {(plan["reversals"][0]["statement"], plan["reversals"][0]["line"])}
    assert cluster.burn(file, at=AT).out.splitlines()[-1] == "nothing was to be sent"
    assert cluster.reconciled(file, at=AT)["open"] == []
    assert there.provider == PROVIDER
