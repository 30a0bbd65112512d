"""The whole demo: it leaves a folder that anybody can audit, and says whether the audit found what it should.

    DIR/ledger.db …   the ledger as its writer leaves it
    DIR/keys/         every party's keys
    DIR/trust.policy  what an auditor obtains out of band
    DIR/tiles/        the log as static files
    DIR/audit.json    the report of the first audit
    DIR/balances.csv  every programme's balances

The second audit is of a copy elsewhere, with one byte changed, that is gone afterwards.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from tallystick.audit import audit
from tallystick.audit.report import Report
from tallystick.demo import cast, tables
from tallystick.demo.dishonest import Fraud, Frauds
from tallystick.demo.founding import Founding
from tallystick.demo.keyring import Keyring
from tallystick.demo.stage import Stage, Tally
from tallystick.demo.story import Story
from tallystick.demo.tampering import Change, copy_with_one_byte_changed
from tallystick.demo.workload import Job, invent_jobs, read_jobs
from tallystick.demo.year import Year, instant
from tallystick.errors import UsageError
from tallystick.patterns import Watch
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.publishing.verify_page import verify_page
from tallystick.transparency.policy import Policy

KEYS: Final = "keys"
TILES: Final = "tiles"
POLICY: Final = "trust.policy"
REPORT: Final = "audit.json"
BALANCES: Final = "balances.csv"
AUDIT_PROCESSES: Final = 1  # a story's audit takes seconds; starting processes isn't worth it


Step = Callable[[int, int], None]


def run_demo(
    folder: Path,
    *,
    jobs: Path | None = None,
    limit: int | None = None,
    seed: int = 1,
    dishonest: bool = False,
    console: Console,
) -> bool:
    """Play the year into a folder, audit it, audit a changed copy, and show the figures.

    Args:
        folder: where it all goes; not there yet, or empty.
        jobs: a recorded workload (workload.py); an invented one, if None.
        limit: how many jobs at most.
        seed: of everything that is drawn but keys.
        dishonest: hide five frauds in the year, and look for patterns.
        console: where it is shown.

    Returns:
        Whether the first audit was clean, the second was not, and every fraud was seen.

    Raises:
        UsageError: the folder is in use, or the workload can't be read.
        OSError: no room. Whatever it is that ends it, the folder is as it was.
    """
    _check(folder, limit)
    if jobs is not None:
        work = read_jobs(jobs, limit)
        year = Year.of_jobs(work)
        startups = sorted({job.startup for job in work})
    else:
        year = Year.of_story()
        startups = list(cast.STARTUPS)
        days = year.end_day - year.first_day
        work = invent_jobs(startups, instant(year.first_day), days, seed, limit, year.seals)
    with _progress(console) as step, _all_or_nothing(folder):
        tally, frauds = _play(folder, year, startups, work, seed, dishonest, step("a year passes"))
        with read_ledger(folder) as reader:
            export_tiles(reader, folder / TILES, step("tiles are written"), verify_page())
        policy = Policy.from_text((folder / POLICY).read_bytes())
        watch = Watch() if dishonest else None
        report = audit(folder, policy, processes=AUDIT_PROCESSES, progress=step("the audit replays it"), observer=watch)
        (folder / REPORT).write_bytes(report.to_bytes())
        tables.write_balances(folder / BALANCES, report)
        second, change = _audit_changed_copy(folder, policy, step("and a copy with one byte changed"))
    tables.show_narrative(console, tally)
    tables.show_balances(console, report, tally)
    tables.show_burns(console, tally)
    tables.show_refusals(console, tally)
    tables.show_commands(console, tally)
    tables.show_conservation(console, report)
    tables.show_audit(console, report)
    tables.show_tampered_audit(console, second, change)
    seen = () if watch is None else watch.seen()
    if watch is not None:
        tables.show_frauds(console, frauds, seen)
    return report.is_clean and not second.is_clean and all(fraud.seen_in(seen) for fraud in frauds)


def _check(folder: Path, limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} leaves no job to play; give 1 or more")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; choose a folder that isn't there yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; choose another folder, or remove it")


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[None]:
    """Empty the folder again if the demo doesn't come to its end: half a year would be in the next one's way."""
    was_there = folder.exists()
    try:
        yield
    except BaseException:
        for made in folder.iterdir() if folder.exists() else ():
            shutil.rmtree(made) if made.is_dir() and not made.is_symlink() else made.unlink()
        if folder.exists() and not was_there:
            folder.rmdir()
        raise


def _play(
    folder: Path, year: Year, startups: list[str], jobs: list[Job], seed: int, dishonest: bool, step: Step
) -> tuple[Tally, tuple[Fraud, ...]]:
    """Make keys and ledger, play the story, and close the ledger; return also the frauds that are hidden in it."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(cast.ORIGIN, folder, Keyring(folder / KEYS), instant(year.first_day))
    with closing(stage):
        network = Founding(stage, year, seed).play(startups)
        frauds = [Frauds(stage, year, network, seed)] if dishonest else []
        Story(stage, year, network, jobs, seed, frauds).play(step)
    return stage.tally, tuple([fraud for one in frauds for fraud in one.hidden])


def _audit_changed_copy(folder: Path, policy: Policy, step: Step) -> tuple[Report, Change]:
    """Audit a changed copy; the copy is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tallystick-") as name:
        copy = Path(name)
        change = copy_with_one_byte_changed(folder, copy)
        return audit(copy, policy, processes=AUDIT_PROCESSES, progress=step), change


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], Step]]:
    """Give a function that starts a bar and returns how to move it; nothing is shown where stderr is no terminal."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    is_watched = console.is_terminal and not console.is_dumb_terminal
    with Progress(*columns, console=console, disable=not is_watched) as progress:

        def start(description: str) -> Step:
            task = progress.add_task(description, total=None)

            def step(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            return step

        yield start
