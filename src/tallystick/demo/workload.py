"""Jobs for the year: each row of a recorded workload, or of a seeded invention, is exactly one job.

A recorded workload is a CSV file with the columns timestamp, duration, num_gpus, gpu_time, cluster:

    timestamp   `2017-10-09 07:01:55`, taken as the job's start and as UTC: files of this kind name no zone
    duration    whole seconds, 1 … 31,622,400, also written `66.0`; the job ends so much later, and all of it is burned
    num_gpus    more than 0 and at most 10,000, in thousandths at the finest
    gpu_time    must be there and isn't read: a total is computed, never trusted
    cluster     whose job it is: 1 to 32 of a–z, 0–9 and hyphens; it becomes the start-up `startup-<cluster>`

A file has no job ids and may repeat rows, so a job is called by its row (`row-1` is the first after the header). A
row that can't become a line of a statement is an error and names its line; nothing is skipped, rounded or mended but
empty lines.
"""

import csv
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tallystick.errors import UsageError
from tallystick.vouchers.quantities import DAY_US, SECOND_US

COLUMNS: Final = ("timestamp", "duration", "num_gpus", "gpu_time", "cluster")
JOBS_BY_DEFAULT: Final = 15_000
DUPLICATE, CORRECTION, TOO_LATE, PRIOR_PERIOD = 50, 60, 75, 25
"""Which of a hundred invented jobs is what."""
DAYS_TOO_LATE: Final = 100
"""More than the burn window: a provider that reports so late isn't paid."""
SEALED_DAYS_BEFORE: Final = 15
"""A seal of a quarter's books comes at most so many days after the quarter."""
SECONDS_MAX: Final = 31_622_400
GPUS_MAX: Final = 10_000

_TIMESTAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_DURATION: Final = re.compile(r"([0-9]{1,9})(?:\.0*)?")
_GPUS: Final = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,3})0*)?")
_CLUSTER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_YEARS: Final = range(2000, 2200)


@dataclass(frozen=True, slots=True)
class Job:
    """What a start-up had computed; times in microseconds.

    Attributes:
        id: the job's, by which its time is burned once.
        seconds: burned of the interval.
        pays_available: the provider takes what remains of reservations that are too short.
        days_late: how much later than the next day the provider reports it.
        is_correction: it stands for an earlier line of the same job, which is taken back.
    """

    id: str
    startup: str
    starts_at: int
    ends_at: int
    seconds: int
    gpu_milli: int
    pays_available: bool = False
    days_late: int = 0
    is_correction: bool = False


def read_jobs(path: Path, limit: int | None = None) -> list[Job]:
    """Return the jobs of a recorded workload, in the file's order.

    Args:
        path: the CSV file.
        limit: take the first so many rows.

    Raises:
        UsageError: it can't be read, lacks a column, holds no row, or a row isn't a job.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            jobs = list(_jobs(path, csv.reader(file, strict=True), limit))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a text file in UTF-8; --jobs takes a CSV file") from None
    except csv.Error as error:
        raise UsageError(f"{path} is not a CSV file: {error}") from None
    if not jobs:
        raise UsageError(f"{path} has a header and no rows; give a file with jobs")
    return jobs


def _jobs(path: Path, rows: Iterator[list[str]], limit: int | None) -> Iterator[Job]:
    header = next(rows, None)
    if header is None:
        raise UsageError(f"{path} is empty; its first line must be {','.join(COLUMNS)}")
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise UsageError(f"{path}, line 1: no column {' and no column '.join(missing)}; it needs {','.join(COLUMNS)}")
    places = [header.index(column) for column in COLUMNS]
    number = 0
    for line, row in enumerate(rows, start=2):
        if not row:
            continue  # an empty line is no row; files of this kind end in one
        number += 1
        if limit is not None and number > limit:
            return
        if len(row) != len(header):
            raise UsageError(f"{path}, line {line}: {len(row)} fields instead of {len(header)}; complete the row")
        try:
            yield _job(number, [row[place] for place in places])
        except ValueError as error:
            raise UsageError(f"{path}, line {line}: {error}") from None


def _job(number: int, fields: Sequence[str]) -> Job:
    """Return the job of a row; ValueError says what is wrong with it."""
    timestamp, duration, num_gpus, _, cluster = fields
    starts_at = _read_timestamp(timestamp)
    seconds = _read_duration(duration)
    if not _CLUSTER.fullmatch(cluster):
        raise ValueError(f"cluster {cluster[:40]!a} must be 1 to 32 lower-case letters, digits and hyphens")
    return Job(
        id=f"row-{number}",
        startup=f"startup-{cluster}",
        starts_at=starts_at,
        ends_at=starts_at + seconds * SECOND_US,
        seconds=seconds,
        gpu_milli=_read_gpu_milli(num_gpus),
    )


def _read_timestamp(text: str) -> int:
    try:
        if not _TIMESTAMP.fullmatch(text):
            raise ValueError
        instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
        if instant.year not in _YEARS:
            raise ValueError
    except ValueError:
        raise ValueError(f"timestamp {text[:40]!a} must be a time like 2017-10-09 07:01:55") from None
    return int(instant.timestamp()) * SECOND_US


def _read_duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if not match or not 1 <= int(match[1]) <= SECONDS_MAX:
        raise ValueError(f"duration {text[:40]!a} must be a whole number of seconds, 1 to {SECONDS_MAX}")
    return int(match[1])


def _read_gpu_milli(text: str) -> int:
    match = _GPUS.fullmatch(text)
    gpu_milli = int(match[1]) * 1_000 + int((match[2] or "0").ljust(3, "0")) if match else 0
    if not 1 <= gpu_milli <= GPUS_MAX * 1_000:
        raise ValueError(f"num_gpus {text[:40]!a} must be a number of GPUs, 0.001 to {GPUS_MAX}")
    return gpu_milli


def invent_jobs(
    startups: Sequence[str],
    starts_at: int,
    days: int,
    seed: int,
    limit: int | None = None,
    sealed_after: Sequence[int] = (),
) -> list[Job]:
    """Return a year of invented jobs; the same arguments give the same jobs.

    One in ten lets the provider take what remains of short reservations. Of a hundred, one is a correction of a job
    that had counted twice as long, one is reported only when the books of its day are sealed, and two are wrong on
    purpose: a job is reported a second time, and another months too late.

    Args:
        startups: whose jobs they are.
        starts_at: the first day's beginning (microseconds).
        days: none starts or ends outside of so many days.
        seed: of the generator.
        limit: how many jobs; JOBS_BY_DEFAULT if None.
        sealed_after: on which days, counted from the first, the books up to SEALED_DAYS_BEFORE are sealed, ascending.
    """
    random_source = random.Random(seed)  # noqa: S311 - a story, not a secret
    jobs: list[Job] = []
    for number in range(1, (limit or JOBS_BY_DEFAULT) + 1):
        if number % 100 == DUPLICATE:
            jobs.append(replace(jobs[-20], days_late=1))
            continue
        if number % 100 == CORRECTION:
            wrong = jobs[-5]
            jobs.append(replace(wrong, seconds=wrong.seconds // 2, days_late=1, is_correction=True))
            continue
        seconds = min(int(random_source.lognormvariate(10.6, 1.2)) + 60, 20 * 86_400)
        is_too_late = number % 100 == TOO_LATE
        start = random_source.randrange(86_400, (days - DAYS_TOO_LATE * is_too_late) * 86_400 - seconds)
        job = Job(
            id=f"job-{number}",
            startup=random_source.choice(startups),
            starts_at=starts_at + start * SECOND_US,
            ends_at=starts_at + (start + seconds) * SECOND_US,
            seconds=seconds,
            gpu_milli=1_000 * random_source.choice((1, 4, 8, 8, 16, 16, 32, 32, 64, 128)),
            pays_available=number % 10 == 0,
        )
        if is_too_late:
            job = replace(job, days_late=DAYS_TOO_LATE)
        if number % 100 == PRIOR_PERIOD:
            job = _reported_after_seal(job, starts_at, sealed_after)
        jobs.append(job)
    return jobs


def _reported_after_seal(job: Job, starts_at: int, sealed_after: Sequence[int]) -> Job:
    """Return the job, moved to before a seal and reported the day after it, if there is one: while it can be burned."""
    if not sealed_after:
        return job
    sealed_day = sealed_after[int(job.id.rpartition("-")[2]) // 100 % len(sealed_after)]
    ends_at = starts_at + (sealed_day - SEALED_DAYS_BEFORE - 1) * DAY_US
    begins_at = max(starts_at, ends_at - job.seconds * SECOND_US)
    seconds = (ends_at - begins_at) // SECOND_US
    return replace(job, starts_at=begins_at, ends_at=ends_at, seconds=seconds, days_late=SEALED_DAYS_BEFORE + 1)
