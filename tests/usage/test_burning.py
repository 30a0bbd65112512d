"""What exports say is burned once, whatever is repeated, overlaps, was lost or was killed."""

import os
import random
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from support.clusters import CONTRACT, DAY, Cluster, Job, burned_once, export
from support.command_line import finish, start
from support.schedules import schedule

KILLS = int(os.environ.get("TALLYSTICK_KILLS", schedule(2, 40)))
JOBS = int(os.environ.get("TALLYSTICK_JOBS", schedule(120, 3_000)))
SLOWEST_SECONDS = 120


def some_jobs(count: int, seed: int = 3, days: int = 1) -> list[Job]:
    """Many jobs are short ones: together they cost what the reservation has."""
    chance = random.Random(seed)
    longest = min(3_600, 540_000 // count)
    jobs = []
    for number in range(count):
        begin = chance.randrange(days * DAY - 3_600)
        jobs.append(Job(str(1_000 + number), begin, begin + chance.randint(1, longest), chance.randint(1, 8)))
    return jobs


def test_an_export_is_burned_once_however_often_it_is_given(cluster: Cluster, tmp_path: Path) -> None:
    jobs = some_jobs(30)
    file = export(tmp_path / "day.psv", jobs, DAY)
    plan = cluster.plan(file, at=2 * DAY)
    assert (plan["records"], plan["records_to_burn"], plan["skipped"]) == (30, 30, {})
    assert [(one["contract"], one["lines"]) for one in plan["statements"]] == [(CONTRACT, 30)]
    assert plan["totals"][0]["gpu_milliseconds"] == sum(job.gpu_milliseconds for job in jobs)
    assert plan["totals"][0]["fee_fen"] == sum(one["fee_fen"] for one in plan["lines"]) > 0
    first = cluster.burn(file, at=2 * DAY)
    assert (first.status, first.err) == (0, ""), first
    assert first.out.splitlines()[-1] == "statements recorded: 1, refused: 0"
    burned_once(jobs, cluster.standing())
    size = cluster.desk.size
    again = cluster.burn(file, at=2 * DAY)
    assert (again.status, again.out.splitlines()[-1]) == (0, "nothing was to be sent")
    assert cluster.desk.size == size
    after = cluster.plan(file, at=2 * DAY)
    assert (after["records_to_burn"], after["skipped"]) == (0, {"already_burned": 30})


def test_two_exports_that_overlap_are_burned_once(cluster: Cluster, tmp_path: Path) -> None:
    jobs = some_jobs(40, days=2)
    first = export(tmp_path / "1.psv", jobs, DAY + 5_000)
    second = export(tmp_path / "2.psv", jobs, 2 * DAY, since=DAY - 5_000)
    assert cluster.burn(first, at=3 * DAY).status == 0
    assert cluster.burn(first, second, at=3 * DAY).status == 0
    assert cluster.burn(second, at=3 * DAY).status == 0
    burned_once(jobs, cluster.standing())


@pytest.mark.parametrize("lost", ["usage-outbox", "evidence.key", "receipts", "evidence"])
def test_whatever_was_lost_nothing_is_burned_twice(cluster: Cluster, tmp_path: Path, lost: str) -> None:
    """The log is what counts, not what lies beside the profile."""
    jobs = some_jobs(20)
    half, whole = export(tmp_path / "half.psv", jobs, DAY // 2), export(tmp_path / "whole.psv", jobs, DAY)
    assert cluster.burn(half, at=2 * DAY).status == 0
    path = tmp_path / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert cluster.burn(whole, at=2 * DAY).status == 0
    burned_once(jobs, cluster.standing())


@pytest.mark.parametrize("days", [2, 9], ids=["in time", "when it is too old"])
def test_what_was_signed_and_not_answered_is_sent_again_before_the_log_is_asked(
    cluster: Cluster, tmp_path: Path, days: int
) -> None:
    """The outbox of a run that was killed before it sent, and of one whose answers were lost."""
    jobs = some_jobs(20)
    file = export(tmp_path / "day.psv", jobs, DAY)
    shutil.copytree(cluster.desk.ledger, tmp_path / "before")
    assert cluster.burn(file, at=2 * DAY).status == 0
    (tmp_path / "usage-outbox" / "guian-cluster" / "answers.jsonl").unlink()
    size = cluster.desk.size
    answers_lost = cluster.burn(file, at=2 * DAY)
    assert "statements of an earlier run without an answer, sent again as they are: 1" in answers_lost.err
    assert (answers_lost.status, cluster.desk.size) == (0, size)
    (tmp_path / "usage-outbox" / "guian-cluster" / "answers.jsonl").unlink()
    shutil.rmtree(cluster.desk.ledger)
    shutil.move(tmp_path / "before", cluster.desk.ledger)
    unsent = cluster.burn(file, at=days * DAY)
    assert (unsent.status, cluster.desk.size) == (0, size), unsent
    assert ("its lines are planned anew" in unsent.err) == (days == 9)
    burned_once(jobs, cluster.standing())


def test_what_the_log_would_refuse_is_shown_and_not_sent(cluster: Cluster, tmp_path: Path) -> None:
    """Against one state: the reservation holds 10,000 yuan, and each of three jobs takes 4,320 of it."""
    jobs = [Job(str(number), number, number + 10 * DAY, 6) for number in range(3)]
    file = export(tmp_path / "u.psv", jobs, 11 * DAY)
    ran = cluster.burn(file, at=12 * DAY)
    assert ran.status == 1
    assert "exceeds_reservation" in ran.out
    assert "would be refused, and are left out" in ran.out
    there = cluster.standing()
    assert there.attempts == {}
    standing = [job for job in jobs if (f"guian/{job.job}", "ascend-910b") in there.lines]
    assert len(standing) == 2
    burned_once(standing, there)


def test_a_line_that_crosses_the_end_of_what_may_be_spent_is_cut_there(cluster: Cluster, tmp_path: Path) -> None:
    """The reservation ends on 31 March at 24:00: what is before is burned, the rest is named."""
    end = (31 + 28 + 31 - 5) * DAY - 8 * 3_600
    file = export(tmp_path / "u.psv", [Job("1", end - 100, end + 50)], end + 50)
    plan = cluster.plan(file, at=end + 100)
    assert [(one["seconds"], one["ends_at"]) for one in plan["lines"]] == [(100, "2026-03-31T16:00:00Z")]
    assert [(one["seconds"], one["reason"]) for one in plan["refused"]] == [(50, "outside_reservation")]


def test_what_stands_and_should_not_is_never_taken_back_unasked(cluster: Cluster, tmp_path: Path) -> None:
    """A re-export says less: the reversal is written apart; once it was signed, the rest is burned."""
    file = export(tmp_path / "u.psv", [Job("1", 0, 600)], DAY)
    assert cluster.burn(file, at=2 * DAY).status == 0
    size = cluster.desk.size
    export(file, [Job("1", 0, 400)], DAY)
    ran = cluster.burn(file, at=2 * DAY)
    assert (ran.status, cluster.desk.size) == (1, size)
    sheet = tmp_path / "reversals.csv"
    plan = cluster.plan(file, at=2 * DAY, more=["--reversals", sheet])
    ((reversal,), (line,)) = plan["reversals"], plan["lines_after_reversals"]
    assert (reversal["why"], reversal["would_be"], line["seconds"]) == ("outside_run", "accepted", 400)
    profile = ["--profile", tmp_path / "tallystick.toml", "--log-time", "2026-01-08T00:00:00Z", "--yes"]
    from support.command_line import done

    done("do", "burn.reverse", "--from", sheet, *profile)
    assert cluster.burn(file, at=2 * DAY).status == 0
    burned_once([Job("1", 0, 400)], cluster.standing())


def test_what_was_taken_back_by_mistake_is_burned_again(cluster: Cluster, tmp_path: Path) -> None:
    """The same lines as before have a reference of their own."""
    file = export(tmp_path / "u.psv", [Job("1", 0, 600)], DAY)
    for _ in range(3):
        assert cluster.burn(file, at=2 * DAY).status == 0
        ((line,),) = cluster.standing().lines.values()
        cluster.reverse(line.statement, line.number, at=2 * DAY)
    assert cluster.burn(file, at=2 * DAY).status == 0
    burned_once([Job("1", 0, 600)], cluster.standing())


@pytest.mark.long
def test_a_month_of_growing_daily_exports_is_burned_once(cluster: Cluster, tmp_path: Path) -> None:
    """As cron gives it: a day's export overlaps the days before, some days fail, jobs run across midnights."""
    chance = random.Random(11)
    days = 30
    jobs = some_jobs(schedule(150, 3_000), seed=5, days=days - 4)
    jobs += [Job(str(9_000 + number), number * DAY, (number + 3) * DAY + 1_234, 2) for number in range(0, days - 5, 5)]
    for day in range(1, days + 1):
        if chance.random() < 0.2 and day < days:
            continue
        at = day * DAY
        file = export(tmp_path / f"{day}.psv", jobs, at, since=max(0, at - 7 * DAY))
        ran = cluster.burn(file, at=at + 3_600, more=["--so-far"] if day % 2 else [])
        assert ran.status == 0, ran
    burned_once(jobs, cluster.standing())
    report = cluster.reconciled(export(tmp_path / "all.psv", jobs, days * DAY), at=days * DAY + 7_200)
    assert (report["open"], len(report["matched"])) == ([], len(jobs))
    sums = report["sums"]
    assert sums["usage_finished_gpu_milliseconds"] == sum(job.gpu_milliseconds for job in jobs)
    assert sums["ledger_standing_gpu_milliseconds"] == sums["usage_finished_gpu_milliseconds"]


@pytest.mark.long
def test_a_burn_that_is_killed_at_any_moment_is_taken_up_again(cluster: Cluster, tmp_path: Path) -> None:
    """Whatever the kill cut off: evidence, a note, the sending, an answer. Exports grow meanwhile."""
    jobs = some_jobs(JOBS, seed=9)
    chance = random.Random(5)
    killed = 0
    while killed < KILLS:
        file = export(tmp_path / "u.psv", jobs, DAY * (killed + 2) // (KILLS + 2))
        before = _files(tmp_path)
        words = cluster.words("burn", file, at=2 * DAY, more=["--yes"])
        running = start(*words)
        more = chance.randint(1, 4)
        while running.poll() is None and _files(tmp_path) < before + more:
            with suppress(TimeoutExpired):
                running.wait(0.001)
        if running.poll() is None:
            with suppress(TimeoutExpired):
                running.wait(chance.random() * 0.05)
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            killed += 1
        else:
            killed += 1  # it was through before; the next export is larger
        running.communicate(timeout=SLOWEST_SECONDS)
    file = export(tmp_path / "u.psv", jobs, DAY)
    ran = finish(start(*cluster.words("burn", file, at=2 * DAY, more=["--yes"])))
    assert ran.status == 0, ran
    burned_once(jobs, cluster.standing())


def _files(folder: Path) -> int:
    """How many files there are of evidence, notes and receipts."""
    patterns = ("usage-outbox/*/notes/*", "usage-outbox/*/answers.jsonl", "receipts/*", "evidence/*")
    return sum(len([*folder.glob(pattern)]) for pattern in patterns)
