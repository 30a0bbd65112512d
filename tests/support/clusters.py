"""A provider's desk: a network with its contract, a profile, a mapping, and exports of a cluster's jobs."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from support.command_line import ORIGIN, Desk, Ran, run
from tallystick.publishing import read_ledger
from tallystick.usage.standing import Standing, standing_of
from tallystick.vouchers.quantities import SECOND_US, parse_instant

PROVIDER = "guian-cluster"
CONTRACT = "acme-ai/k-1"
BEGIN = parse_instant("2026-01-06T00:00:00.000000Z") // SECOND_US
"""The first second that jobs run (since the epoch)."""
DAY = 86_400
HEADING = "JobID|Account|State|Start|End|ElapsedRaw|Suspended|AllocTRES"
MAPPING = """
cluster = "guian"

[[account]]
name = "acme"
contract = "acme-ai/k-1"
holder = "acme-ai"

[[gpu]]
source = "ascend"
item = "ascend-910b"
"""


class Job(NamedTuple):
    """A run of a job, in seconds after `BEGIN`; it ends later than an export, or before."""

    job: str
    begin: int
    end: int
    gpus: int = 1
    account: str = "acme"

    @property
    def gpu_milliseconds(self) -> int:
        return (self.end - self.begin) * self.gpus * 1_000

    def record(self, at: int) -> str:
        """What an export says of it that is made at a second."""
        end = self.end if self.end <= at else None
        elapsed = (at if end is None else end) - self.begin
        state = "RUNNING" if end is None else "COMPLETED"
        said_end = "Unknown" if end is None else str(BEGIN + end)
        tres = f"billing=1,cpu=1,gres/gpu:ascend={self.gpus},gres/gpu={self.gpus},node=1"
        return f"{self.job}|{self.account}|{state}|{BEGIN + self.begin}|{said_end}|{elapsed}|00:00:00|{tres}"


def export(path: Path, jobs: Iterable[Job], at: int, since: int = 0) -> Path:
    """Write what `sacct` says at a second of the jobs that overlap the time since another."""
    records = [job.record(at) for job in jobs if job.begin < at and job.end > since]
    path.write_text("\n".join([HEADING, *records]) + "\n")
    return path


class Cluster:
    """A desk with a profile of the provider, which burns what exports say."""

    def __init__(self, folder: Path, like: "Cluster | None" = None) -> None:
        """Found a network; or copy one, which is much quicker."""
        self.folder = folder
        self.desk = Desk(folder)
        if like is None:
            self.desk.found()
            self.desk.open_programme()
        else:
            shutil.copytree(like.folder, folder, dirs_exist_ok=True)
            self.desk.written = like.desk.written
        self.profile(folder)

    def profile(self, folder: Path) -> Path:
        """Write the provider's profile and mapping into a folder."""
        key = self.desk.key(f"{PROVIDER}/desk")
        said = {"source": str(self.desk.ledger), "log": ORIGIN, "party": PROVIDER, "key": str(key)}
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items())
        (folder / "tallystick.toml").write_text(text)
        (folder / "mapping.toml").write_text(MAPPING)
        return folder / "tallystick.toml"

    def words(self, command: str, *files: Path, at: int, more: Iterable[object] = ()) -> list[object]:
        """Return a command of `usage` on exports, given at a second."""
        from tallystick.vouchers.quantities import format_second

        given = ["usage", command, *files, "--format", "slurm-psv", "--mapping", self.folder / "mapping.toml"]
        given += ["--profile", self.folder / "tallystick.toml"]
        return [*given, "--log-time", format_second((BEGIN + at) * SECOND_US), *more]

    def usage(self, command: str, *files: Path, at: int, more: Iterable[object] = ()) -> Ran:
        """Run a command of `usage`."""
        return run(*self.words(command, *files, at=at, more=more))

    def burn(self, *files: Path, at: int, more: Iterable[object] = ()) -> Ran:
        return self.usage("burn", *files, at=at, more=["--yes", *more])

    def plan(self, *files: Path, at: int, more: Iterable[object] = ()) -> Any:
        """Return the plan, as JSON."""
        ran = self.usage("plan", *files, at=at, more=["--json", *more])
        return ran.json["plan"]

    def reconciled(self, *files: Path, at: int, more: Iterable[object] = ()) -> Any:
        """Return the reconciliation, as JSON."""
        return self.usage("reconcile", *files, at=at, more=["--json", *more]).json["reconciliation"]

    def standing(self) -> Standing:
        """What the log has of the provider's jobs."""
        with read_ledger(self.desk.ledger) as reader:
            return standing_of(reader.entries(), PROVIDER, None)

    def reverse(self, statement: str, line: int, *, at: int) -> None:
        """Take a line back."""
        from tallystick.vouchers.quantities import format_second

        self.desk.at = format_second((BEGIN + at) * SECOND_US)
        self.desk.do("burn.reverse", PROVIDER, statement=statement, line=line, reason="wrong")


def burned_once(jobs: Iterable[Job], there: Standing) -> None:
    """Assert that each run is burned exactly once: its lines lie end to end and fill it, and nothing else stands."""
    left = {spell: list(lines) for spell, lines in there.lines.items()}
    for job in jobs:
        spell = f"guian/{job.job}", "ascend-910b"
        begin, end = (BEGIN + job.begin) * SECOND_US, (BEGIN + job.end) * SECOND_US
        lines = [line for line in left[spell] if begin <= line.starts_at and line.ends_at <= end]
        left[spell] = [line for line in left[spell] if line not in lines]
        ends = [begin, *[line.ends_at for line in lines]]
        assert ends == [*[line.starts_at for line in lines], end], (job, lines)
        assert sum(line.gpu_milliseconds for line in lines) == job.gpu_milliseconds
    assert [line for lines in left.values() for line in lines] == []
