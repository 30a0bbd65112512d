"""Every row is one job, or an error that names its line; an invented workload is its seed's."""

from pathlib import Path

import pytest

from tallystick.demo.workload import invent_jobs, read_jobs
from tallystick.errors import UsageError
from tallystick.vouchers.quantities import DAY_US, SECOND_US, parse_instant

HEADER = "timestamp,duration,num_gpus,gpu_time,cluster"
ROW = "2017-10-09 07:01:55,66.0,1,66.0,11cb48"
STARTS_AT = parse_instant("2026-01-01T00:00:00.000000Z")


def csv_file(folder: Path, *lines: str) -> Path:
    """Write lines to a file."""
    path = folder / "jobs.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def row_with(column: str, value: str) -> str:
    """The good row with one field changed."""
    fields = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {column: value}
    return ",".join(fields.values())


def test_a_row_becomes_a_job(tmp_path: Path) -> None:
    """The times are UTC, the interval is as long as the duration."""
    (job,) = read_jobs(csv_file(tmp_path, HEADER, ROW))
    assert job.id == "row-1"
    assert job.startup == "startup-11cb48"
    assert job.starts_at == parse_instant("2017-10-09T07:01:55.000000Z")
    assert job.ends_at - job.starts_at == 66 * SECOND_US
    assert (job.seconds, job.gpu_milli) == (66, 1_000)


def test_equal_rows_are_separate_jobs(tmp_path: Path) -> None:
    """The row number is the job's id."""
    assert [job.id for job in read_jobs(csv_file(tmp_path, HEADER, ROW, ROW, ROW))] == ["row-1", "row-2", "row-3"]


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    """They neither count nor shift ids."""
    assert [job.id for job in read_jobs(csv_file(tmp_path, HEADER, "", ROW, "", ROW, ""))] == ["row-1", "row-2"]


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    """In another order, with one more, and behind the mark that spreadsheets put first."""
    path = csv_file(tmp_path, "\ufeffcluster,x,gpu_time,num_gpus,duration,timestamp", "ab,y,1,2,3,2017-10-09 07:01:55")
    (job,) = read_jobs(path)
    assert (job.startup, job.gpu_milli, job.seconds) == ("startup-ab", 2_000, 3)


def test_a_limit_takes_the_first_rows(tmp_path: Path) -> None:
    """What comes after is not even looked at."""
    assert len(read_jobs(csv_file(tmp_path, HEADER, ROW, ROW, "nonsense"), limit=2)) == 2


@pytest.mark.parametrize(("text", "gpu_milli"), [("8", 8_000), ("8.0", 8_000), ("0.5", 500), ("0.125", 125)])
def test_gpus_are_exact(text: str, gpu_milli: int, tmp_path: Path) -> None:
    """Thousandths are kept to the last."""
    assert read_jobs(csv_file(tmp_path, HEADER, row_with("num_gpus", text)))[0].gpu_milli == gpu_milli


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("duration", text) for text in ("", "0", "0.0", "-1", "1.5", "1e3", "nan", "٣", " 66", "31622401")),
        *(("num_gpus", text) for text in ("", "0", "0.0001", "-1", "one", "1e1", "10001", "10000.001")),
        *(("timestamp", text) for text in ("", "2017-10-09", "2017-10-09T07:01:55", "2017-10-09 07:01:55Z")),
        *(("timestamp", text) for text in ("2017-02-30 00:00:00", "2017-01-01 24:00:00", "0001-01-01 00:00:00")),
        *(("cluster", text) for text in ("", "A", "a b", "a/b", "a" * 33, "-a", "é")),
    ],
)
def test_a_bad_value_is_named_with_its_line(column: str, value: str, tmp_path: Path) -> None:
    """One line that says file, line, column, and what it must be."""
    with pytest.raises(UsageError, match=rf"jobs\.csv, line 3: {column} .* must be ") as error:
        read_jobs(csv_file(tmp_path, HEADER, ROW, row_with(column, value)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("column", HEADER.split(","))
def test_a_missing_column_is_named(column: str, tmp_path: Path) -> None:
    """Also one that isn't read."""
    with pytest.raises(UsageError, match=rf"line 1: no column {column}; it needs {HEADER}"):
        read_jobs(csv_file(tmp_path, HEADER.replace(column, "other"), ROW))


def test_a_row_that_is_cut_off_is_named(tmp_path: Path) -> None:
    """A field less is no job."""
    with pytest.raises(UsageError, match="line 3: 4 fields instead of 5"):
        read_jobs(csv_file(tmp_path, HEADER, ROW, ROW.rpartition(",")[0]))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (HEADER.encode() + b"\n", "no rows"),
        (b"\xff\xfe\x00", "not a text file in UTF-8"),
        (f'{HEADER}\n"unclosed'.encode(), "not a CSV file"),
        (f"{HEADER}\n{ROW}\0\n".encode(), "line"),
    ],
)
def test_what_is_no_workload_is_one_clear_line(data: bytes, what: str, tmp_path: Path) -> None:
    """Empty, cut off, binary."""
    path = tmp_path / "jobs.csv"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=what) as error:
        read_jobs(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """As is a folder."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UsageError, match="can't be read"):
            read_jobs(path)


def test_an_invented_workload_is_its_seeds() -> None:
    """The same seed the same jobs, another seed others."""
    first = invent_jobs(["a", "b"], STARTS_AT, 365, 1, 500)
    assert first == invent_jobs(["a", "b"], STARTS_AT, 365, 1, 500)
    assert first != invent_jobs(["a", "b"], STARTS_AT, 365, 2, 500)


def test_invented_jobs_lie_within_the_year() -> None:
    """However long they are."""
    jobs = invent_jobs(["a", "b"], STARTS_AT, 365, 3, 2_000)
    assert len(jobs) == 2_000
    assert min(job.starts_at for job in jobs) >= STARTS_AT
    assert max(job.ends_at for job in jobs) <= STARTS_AT + 365 * DAY_US
    for job in jobs:
        seconds = (job.ends_at - job.starts_at) // SECOND_US
        assert job.seconds == (seconds // 2 if job.is_correction else seconds) > 0


def test_invented_jobs_have_their_incidents() -> None:
    """Each of a hundred that has one is what it says, and job names differ by more than their case."""
    seals = (102, 193, 285)
    jobs = invent_jobs(["a", "b"], STARTS_AT, 365, 4, 1_000, seals)
    (wrong,) = [job for job in jobs if job.id == "job-55" and not job.is_correction]
    (right,) = [job for job in jobs if job.id == "job-55" and job.is_correction]
    assert (right.starts_at, right.ends_at) == (wrong.starts_at, wrong.ends_at)
    assert right.seconds == wrong.seconds // 2 > 0
    late = [job for job in jobs if int(job.id.removeprefix("job-")) % 100 == 25]
    assert len(late) == 10
    for job in late:
        ended, reported = (job.ends_at - STARTS_AT) // DAY_US, (job.ends_at - STARTS_AT) // DAY_US + 1 + job.days_late
        seal = min(seal for seal in seals if seal > ended)
        assert ended < seal - 12 < seal < reported
        assert reported - (job.starts_at - STARTS_AT) // DAY_US < 92
    names = {job.id for job in jobs}
    assert len(names) == len({name.lower() for name in names}) == 980
    assert all(name == name.lower() for name in names)
