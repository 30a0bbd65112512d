"""Our own plain CSV, and the layouts of two public traces."""

import csv
import io
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from support.recorded import recorded
from support.schedules import schedule
from support.usage_formats import MAPPING, read
from tallystick.errors import UsageFileError
from tallystick.metering.formats import read_usage
from tallystick.metering.mapping import Mapping
from tallystick.metering.reading import Reading

HEADING = "account,job,gpu,gpus,from,to,seconds,partition,cluster,state\n"


@pytest.mark.parametrize(
    ("row", "held"),
    [
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,", ("heron/j-1", 8000, 3600)),
        ("birch,j-1,a100,0.25,2026-01-01 08:00:00,2026-01-01 09:00:00,,,,", ("heron/j-1", 250, 3600)),
        ("birch,j-1,a100,8,1767225600,1767229200,,,,", ("heron/j-1", 8000, 3600)),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T09:00:00+08:00,1800,,,", ("heron/j-1", 8000, 1800)),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z,59.9,,,", ("heron/j-1", 8000, 59)),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z,59.9999999,,,", ("heron/j-1", 8000, 60)),
        ("birch,j-1,,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,gpu-a,,", ("heron/j-1", 8000, 3600)),
        ('birch,"j,1",a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,owl,', None),
    ],
)
def test_a_row_is_a_job(row: str, held: tuple[str, int, int] | None) -> None:
    """With times of any of three kinds."""
    result = read("csv", (HEADING + row).encode(), mapping=MAPPING)
    assert [one[1:] for one in result.held] == [(8000, 3600) if held is None else held[1:]]
    assert result.held[0][0].startswith("owl/j-1=" if held is None else "heron/j-1")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("birch,,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,", "unreadable"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,3601,,,", "unreadable"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,soon,,,,", "unreadable"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z", "unreadable"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,,,x", "unreadable"),
        ("birch,j-1,a100,eight,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,", "not_a_number"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,-1,,,", "not_a_number"),
        ("birch,j-1,a100,0,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,", "no_gpu"),
        ("birch,j-1,a100,8,,,,,,", "not_started"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,,,,,", "still_running"),
        ("birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,,,,", "zero_seconds"),
        ("birch,j-1,a100,8,2026-01-01T01:00:00Z,2026-01-01T00:00:00Z,,,,", "interval_invalid"),
        ("birch,j-1,,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,gpu-z,,", "untyped_gpu"),
        ("birch,j-1,b300,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,", "item_unmapped"),
        ("walnut,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,", "account_unmapped"),
    ],
)
def test_a_row_that_isnt_burned_has_its_reason(row: str, reason: str) -> None:
    """One row, one reason."""
    result = read("csv", (HEADING + row).encode(), mapping=MAPPING)
    assert (result.skipped, result.lines) == ({reason: 1}, [])


@pytest.mark.parametrize(
    ("data", "mapping", "message"),
    [
        (b"", MAPPING, "heading_missing"),
        (HEADING.replace("gpus", "cards").encode(), MAPPING, "column_missing: gpus"),
        (HEADING.replace("state", "job").encode(), MAPPING, "column_twice: 'job'"),
        (HEADING.encode("utf-16"), MAPPING, "encoding_unknown: it is UTF-16"),
        (HEADING.encode() + b"caf\xe9", MAPPING, "encoding_unknown: byte 66 or one just before it"),
        (HEADING.encode() + b'birch,"never closed', MAPPING, "not_parsable_output: line 2 is no CSV"),
        (HEADING.encode() + b'birch,"' + b"x" * 200_000, MAPPING, "too_large: the field that ends in or after line 2"),
        (HEADING.encode() + b"x" * 3_000_000, MAPPING, "too_large"),
        (HEADING.encode() + b'"a\nb",' * 400_000, MAPPING, "too_large: the row that ends in line"),
        (
            HEADING.encode() + b"birch,j,a100,8,2026-01-01 08:00,2026-01-01 09:00,,,,",
            MAPPING.replace('time_zone = "Asia/Shanghai"', ""),
            "zone_missing",
        ),
        (HEADING.replace(",cluster", "").encode(), MAPPING.replace('cluster = "heron"', ""), "cluster_unknown"),
    ],
)
def test_a_file_that_isnt_read_is_refused_by_name(data: bytes, mapping: str, message: str) -> None:
    """As a whole, in one line."""
    with pytest.raises(UsageFileError, match=message) as caught:
        read("csv", data, mapping=mapping, pieces=100_000)
    assert "\n" not in str(caught.value)


def test_any_number_of_rows_passes_through_flat_memory() -> None:
    """The reader asks for a piece only when it has yielded what it made of those before."""
    rows = schedule(3_000, 50_000)
    row = "birch,j-{},a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,\n"
    asked = 0

    def pieces() -> Iterator[bytes]:
        nonlocal asked
        yield HEADING.encode()
        for number in range(0, rows, 100):
            asked += 1
            yield "".join(row.format(number + more) for more in range(100)).encode()

    from tallystick.metering.plain_csv import read_plain_csv

    mapping = Mapping.model_validate({"cluster": "heron"})
    for number, _ in enumerate(read_plain_csv(pieces(), mapping, {})):
        assert asked - number // 100 <= 2
    assert asked * 100 == rows


def philly() -> bytes:
    """82,247 recorded jobs in `make test-all`, else 3,000 like them."""
    chance = random.Random(7)
    text = io.StringIO("timestamp,duration,num_gpus,gpu_time,cluster\n")
    text.seek(0, io.SEEK_END)
    for number in range(3_000):
        at = datetime(2017, 10, 9) + timedelta(seconds=number * 977)
        seconds, gpus = round(chance.lognormvariate(7, 2)) + 1, chance.choice((1, 2, 4, 8))
        row = f"{at},{seconds}.0,{gpus},{seconds * gpus}.0,{chance.choice(('11cb48', '6214e9'))}\n"
        text.write(row * (2 if number % 50 == 0 else 1))
    made = text.getvalue().encode()
    return schedule(made, recorded("philly/philly.csv", made))


TRACE = 'cluster = "philly"\ntime_zone = "{}"\n[[account]]\nname = "*"\ncontract = "a/c-1"\n'
TRACE += '[[gpu]]\nsource = "p100"\nitem = "p100-16g"\n[partition]\n"*" = "p100"\n'


def test_each_row_of_the_philly_trace_is_a_job_equal_ones_too() -> None:
    """The sum is that of the trace's own column."""
    data = philly()
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    result = read("philly", data, mapping=TRACE.format("UTC"))
    assert (result.skipped, result.remarks, len(result.lines)) == ({}, {}, len(rows))
    assert result.reading.gpu_milliseconds == round(1000 * sum(float(row["gpu_time"]) for row in rows))


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ("2017-10-07 01:11:39,193256.0,8,1546048.0,ee9e8c", (8000, 193_256)),
        ("2017-11-05 01:30:00,60.0,8,480.0,ee9e8c", "time_ambiguous"),
        ("2017-10-07 01:11:39,-5,8,0,ee9e8c", "interval_invalid"),
        ("2017-10-07 01:11:39,nan,8,0,ee9e8c", "not_a_number"),
        ("2017-10-07 01:11:39,5,0,0,ee9e8c", "no_gpu"),
        ("2017-10-07 01:11:39,0.0,1,0,ee9e8c", "zero_seconds"),
        ("someday,5,1,5,ee9e8c", "unreadable"),
    ],
)
def test_a_job_of_the_philly_trace_lasts_as_long_as_it_ran(row: str, outcome: tuple[int, int] | str) -> None:
    """From when it was submitted; the hour that came twice says nothing."""
    data = f"timestamp,duration,num_gpus,gpu_time,cluster\n{row}\n".encode()
    result = read("philly", data, mapping=TRACE.format("America/Los_Angeles"))
    found: list[Any] = [*result.held, *result.skipped]
    assert found == [("philly/line-2", *outcome) if isinstance(outcome, tuple) else outcome]


OPENB = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
)


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ("p-1,6000,12288,1,460,,LS,Running,427061,427161,427061", (460, 100)),
        ("p-1,6000,12288,4,1000,,LS,Running,0,60,0", (4000, 60)),
        ("p-1,6000,12288,1,500,p100,LS,Running,0,60,0", (500, 60)),
        ("p-1,6000,12288,1,500,V100M16|V100M32,LS,Running,0,60,0", (500, 60)),
        ("p-1,6000,12288,1,500,T4,LS,Running,0,60,0", "item_unmapped"),
        ("p-1,6000,12288,0,0,,LS,Running,0,60,0", "no_gpu"),
        ("p-1,6000,12288,1,1000,,LS,Pending,0,60,", "not_started"),
        ("p-1,6000,12288,1,1000,,LS,Running,0,,0", "still_running"),
        ("p-1,6000,12288,1,1000,,LS,Running,0,5,9", "interval_invalid"),
        ("p-1,6000,12288,1,x,,LS,Running,0,60,0", "not_a_number"),
        ("p-1,6000,12288,1,1000,,LS,Running,0,60,1e40", "unreadable"),
        (",6000,12288,1,1000,,LS,Running,0,60,0", "unreadable"),
    ],
)
def test_a_pod_of_the_openb_trace_holds_thousandths(row: str, outcome: tuple[int, int] | str) -> None:
    """From when it was scheduled until it was deleted; seconds count from the trace's start."""
    mapping = 'trace_start = "2023-01-01T00:00:00Z"\n' + TRACE.format("UTC").replace("philly", "openb")
    result = read("openb", (OPENB + row).encode(), mapping=mapping)
    found: list[Any] = [*result.held, *result.skipped]
    assert found == [("openb/p-1", *outcome) if isinstance(outcome, tuple) else outcome]
    assert all(line.starts_at >= 1_672_531_200_000_000 for line in result.lines)


def test_the_openb_trace_comes_to_what_its_columns_say() -> None:
    """Counted in another way: pods without GPUs, pods that never got a node, thousandths × seconds of the others."""
    made = OPENB + "".join(
        f"p-{at},1,1,{at % 3},{250 if at % 3 == 1 else 1000},,LS,Running,0,{at + 50},{at if at % 7 else ''}\n"
        for at in range(500)
    )
    data = recorded("openb/openb_pod_list_default.csv", made.encode())
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    with_gpus = [row for row in rows if row["num_gpu"] != "0"]
    held = [row for row in with_gpus if row["scheduled_time"]]
    lasted = [(row, int(row["deletion_time"]) - int(row["scheduled_time"])) for row in held]
    result = read("openb", data, mapping=TRACE.format("UTC").replace("philly", "openb"))
    assert (result.skipped["no_gpu"], result.skipped["not_started"]) == (
        len(rows) - len(with_gpus),
        len(with_gpus) - len(held),
    )
    assert len(result.lines) == sum(seconds > 0 for _, seconds in lasted)
    assert result.reading.gpu_milliseconds == sum(
        int(row["num_gpu"]) * int(row["gpu_milli"]) * seconds for row, seconds in lasted
    )


@pytest.mark.parametrize(
    ("rows", "held", "skipped"),
    [
        # an order of two kinds
        ((("a100", "8"), ("h100", "4")), [("a100-80g", 8000), ("h100-80g", 4000)], {}),
        ((("a100", "8"), ("h100", "4"), ("a100", "8")), [("a100-80g", 8000), ("h100-80g", 4000)], {"duplicate": 1}),
        # which number is right isn't known
        ((("a100", "8"), ("h100", "4"), ("a100", "2")), [], {"conflict": 3}),
        ((("a100", "8"), ("b300", "4")), [], {"item_unmapped": 2}),
    ],
)
@pytest.mark.parametrize("format_name", ["csv", "sheet"])
def test_rows_of_one_job_and_interval_are_parts_by_kind(
    format_name: str, rows: tuple[tuple[str, str], ...], held: list[tuple[str, int]], skipped: dict[str, int]
) -> None:
    """In one file; another file that has only one of them says otherwise."""
    row = "birch,j-1,{},{},2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,\n"
    data = (HEADING + "".join(row.format(*one) for one in rows)).encode()
    result = read(format_name, data, mapping=MAPPING)
    assert [(line.item, line.gpu_milli) for line in result.lines] == held
    assert result.skipped == skipped
    assert read(format_name, data, (HEADING + row.format("a100", 8)).encode(), mapping=MAPPING).lines == []


def test_runs_of_all_files_are_told_apart_together() -> None:
    """An export that overlaps the one before burns what is new."""
    one = HEADING + "birch,j-1,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,\n"
    two = one + "birch,j-2,a100,8,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,,,,\n"
    reading = Reading()
    mapping = Mapping.model_validate(
        {"cluster": "c", "account": [{"name": "*", "contract": "a/c"}], "gpu": [{"source": "a100", "item": "a"}]}
    )
    lines = list(read_usage([[one.encode()], [two.encode()]], "csv", mapping, reading))
    assert ([line.job for line in lines], reading.records) == (["c/j-1", "c/j-2"], 3)
