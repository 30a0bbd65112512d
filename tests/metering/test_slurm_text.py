"""`sacct -P` is read: each record is a run or counted under a reason, and no user can make another one pay."""

import pytest

from support.usage_read import HEADING, gpus, read_texts
from tallystick.errors import UsageFileError

DAY = "2026-04-07T"
HOUR = f"{DAY}08:00:00|{DAY}09:00:00|3600"


def rows(*lines: str, heading: str = HEADING) -> str:
    """Return a file of a heading and lines."""
    return "\n".join((heading, *lines)) + "\n"


def test_a_run_is_a_line_of_its_account_and_kind_of_gpu() -> None:
    """Job, contract, item, GPUs, seconds and interval are the record's."""
    read = read_texts(rows(f"41|maple|COMPLETED|{HOUR}|{gpus('a800', 2)}"))
    assert read.lines == [
        "osprey/41 maple-bio/c-3 a800-80g 2000 3600 2026-04-07T08:00:00Z 2026-04-07T09:00:00Z",
    ]
    assert read.burned == {"maple-bio/c-3 a800-80g": 7_200_000}


def test_columns_are_read_by_their_names() -> None:
    """The order, small letters, and columns that aren't needed change nothing."""
    there = read_texts(
        rows(
            f"x|{gpus('l40', 1)}|{DAY}01:00:00|linden|7|COMPLETED|0:0|{DAY}00:59:00|60",
            heading="group|alloctres|END|account|jobid|state|exitcode|start|elapsedraw",
        )
    )
    assert there.lines == ["osprey/7 linden-vision/c-9 l40-48g 1000 60 2026-04-07T00:59:00Z 2026-04-07T01:00:00Z"]


@pytest.mark.parametrize("separator", ["|", "\x1f", "^|^", "\t", ";"])
def test_any_separator_is_taken_that_the_heading_has(separator: str) -> None:
    """`--delimiter` may have said another one."""
    text = rows(f"41|maple|COMPLETED|{HOUR}|{gpus('a800', 2)}").replace("|", separator)
    assert read_texts(text).burned == {"maple-bio/c-3 a800-80g": 7_200_000}


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_parsable_1_marks_windows_line_ends_and_repeated_headings(piece: int) -> None:
    """A separator at each line's end, CRLF, a byte order mark, empty lines and the heading once more are no records."""
    lines = [
        HEADING,
        f"1|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
        "",
        HEADING,
        f"2|maple|FAILED|{HOUR}|{gpus('a800', 1)}",
    ]
    text = "\ufeff" + "".join(f"{line}|\r\n" if line else "\r\n" for line in lines)
    read = read_texts(text, piece=piece)
    assert (read.counts["records"], read.burned) == (2, {"maple-bio/c-3 a800-80g": 7_200_000})
    # the last line may lack its end
    assert read_texts(text.rstrip("\r\n"), piece=piece).counts == read.counts


def test_the_untyped_number_is_the_total_of_the_typed_ones() -> None:
    """Two kinds are two lines of one job; what types don't explain is of no kind."""
    two = "cpu=1,gres/gpu:a800=1,gres/gpu:l40=3,gres/gpu=4,gres/gpumem=40G,gres/gpuutil=97,energy=-2"
    partly = "cpu=1,gres/gpu:a800=1,gres/gpu=2"
    read = read_texts(
        rows(
            f"1|maple|COMPLETED|{HOUR}|{two}",
            f"2|maple|COMPLETED|{HOUR}|{partly}",
            f"3|maple|COMPLETED|{HOUR}|gres/gpu=4",
            f"4|maple|COMPLETED|{HOUR}|gres/gpu:a800=0,gres/gpu=0",
            f"5|maple|COMPLETED|{HOUR}|gres/gpu:a800=3,gres/gpu=2",
            f"6|maple|COMPLETED|{HOUR}|gres/gpu=16?",
        )
    )
    assert read.burned == {"maple-bio/c-3 a800-80g": 3_600_000, "maple-bio/c-3 l40-48g": 10_800_000}
    assert read.skipped == {"untyped_gpu": 2, "no_gpu": 1, "unreadable": 2}
    assert read.counts["skipped_gpu_milliseconds"] == {"untyped_gpu": 6 * 3_600_000}


def test_a_partition_or_nodes_of_one_kind_say_what_untyped_gpus_are() -> None:
    """The partition is asked first; nodes say it only if all of them are of one kind."""
    heading = "JobID|Account|Partition|NodeList|State|Start|End|ElapsedRaw|AllocTRES"
    read = read_texts(
        rows(
            f"1|maple|gold|n1|COMPLETED|{HOUR}|gres/gpu=1",
            f"2|maple|mixed|n[1-2]|COMPLETED|{HOUR}|gres/gpu=1",
            f"3|maple|mixed|n[01-02,4],l1|COMPLETED|{HOUR}|gres/gpu=1",
            heading=heading,
        ),
        partition={"gold": "a800"},
        node={"n1": "l40", "n2": "l40", "n01": "l40", "n02": "l40", "n4": "l40", "l1": "a800"},
    )
    assert read.burned == {"maple-bio/c-3 a800-80g": 3_600_000, "maple-bio/c-3 l40-48g": 3_600_000}
    assert read.skipped == {"untyped_gpu": 1}


def test_other_devices_count_where_the_mapping_names_them() -> None:
    """Shards, and gres of other makers."""
    read = read_texts(
        rows(
            f"1|maple|COMPLETED|{HOUR}|gres/shard=2",
            f"2|maple|COMPLETED|{HOUR}|gres/npu:910b=8,gres/npu=8",
            f"3|maple|COMPLETED|{HOUR}|gres/nic=1",
        ),
        gpu=[{"source": "shard", "item": "a800-80g", "gpu_milli": 250}, {"source": "npu:910b", "item": "ascend-910b"}],
    )
    assert read.burned == {"maple-bio/c-3 a800-80g": 1_800_000, "maple-bio/c-3 ascend-910b": 28_800_000}
    assert read.skipped == {"no_gpu": 1}


def test_each_spell_of_a_requeued_job_counts_once() -> None:
    """Pasted and overlapping exports have the same records again, and a run that went on."""
    first = rows(
        f"5|maple|REQUEUED|{DAY}00:00:00|{DAY}00:10:00|600|{gpus('a800', 1)}",
        f"5|maple|RUNNING|{DAY}00:20:00|Unknown|300|{gpus('a800', 1)}",
    )
    second = rows(
        f"5|maple|REQUEUED|{DAY}00:00:00|{DAY}00:10:00|600|{gpus('a800', 1)}",
        f"5|maple|COMPLETED|{DAY}00:20:00|{DAY}00:40:00|1200|{gpus('a800', 1)}",
        f"5|linden|COMPLETED|{DAY}07:00:00|{DAY}07:01:00|60|{gpus('a800', 1)}",  # the counter began again
    )
    for files in ((first, second), (second, first), (first + second,), (second + first,)):
        read = read_texts(*files)
        assert read.burned == {"maple-bio/c-3 a800-80g": 1_800_000, "linden-vision/c-9 a800-80g": 60_000}
        assert read.skipped == {"duplicate": 1, "superseded": 1}


def test_records_of_one_run_that_differ_are_a_conflict() -> None:
    """Neither is burned; the difference is named."""
    one, other = (
        f"6|maple|COMPLETED|{DAY}00:00:00|{DAY}01:00:00|{seconds}|{gpus('a800', 1)}" for seconds in (3600, 3000)
    )
    read = read_texts(rows(one, other), rows(other, one))
    assert (read.lines, read.skipped) == ([], {"conflict": 4})
    assert "differ in seconds" in read.report["conflict"][0]["why"]


def test_times_decide_and_states_do_not() -> None:
    """What has a start, an end and seconds was allocated, whatever its state."""
    heading = "JobID|Account|State|Start|End|Elapsed|Suspended|AllocTRES"
    a = gpus("a800", 1)
    read = read_texts(
        rows(
            "1|maple|PENDING|Unknown|Unknown|00:00:00|00:00:00|",
            "2_[0-7%2]|maple|PENDING|Unknown|Unknown|00:00:00|00:00:00|",
            f"3|maple|CANCELLED by 1003|None|{DAY}00:00:30|00:00:00|00:00:00|",
            f"4|maple|CANCELLED by 1003|{DAY}00:00:30|{DAY}00:00:30|00:00:00|00:00:00|{a}",
            f"5|maple|CANCELLED by 1003|{DAY}00:00:00|{DAY}00:00:30|00:30|00:00:00|{a}",
            f"6|maple|RUNNING|{DAY}00:00:00|Unknown|01:00:00|00:10:00|{a}",
            f"7|maple|RUNNING|{DAY}00:00:00|{DAY}02:00:00|02:00:00|00:00:00|{a}",  # sacct -T
            f"8|maple|RESIZING|{DAY}00:00:00|{DAY}00:01:00|00:01:00|00:00:00|{a}",
            f"8|maple|COMPLETED|{DAY}00:01:00|{DAY}00:02:00|00:01:00|00:00:00|{gpus('a800', 2)}",
            f"9|maple|BAKED|{DAY}00:00:00|{DAY}00:00:01|00:00:01|00:00:00|{a}",
            f"10|maple|BOOT_FAIL|{DAY}00:00:00|{DAY}00:05:00|00:05:00|00:00:00|{a}",
            f"11|maple|COMPLETED|{DAY}00:05:00|{DAY}00:00:00|00:05:00|00:00:00|{a}",
            f"12|maple|REVOKED|Unknown|Unknown|00:00:00|00:00:00|{a}",
            heading=heading,
        ),
        free={"states": ["BOOT_FAIL"]},
    )
    assert read.skipped == {
        "not_started": 4,
        "zero_seconds": 1,
        "still_running": 2,
        "free_state": 1,
        "interval_invalid": 1,
    }
    assert read.burned == {"maple-bio/c-3 a800-80g": (30 + 60 + 120 + 1) * 1000}
    assert read.report["states_unknown"] == {"BAKED": 1}
    assert read.report["running_with_an_end"] == ["7"]


def test_running_jobs_are_burned_until_their_own_instant_if_asked() -> None:
    """That is start + elapsed + suspended, or the end of the window that cut them."""
    heading = "JobID|Account|State|Start|End|ElapsedRaw|Suspended|AllocTRES"
    text = rows(
        f"6|maple|SUSPENDED|{DAY}00:00:00|Unknown|3000|00:10:00|{gpus('a800', 1)}",
        f"7|maple|RUNNING|{DAY}00:00:00|{DAY}02:00:00|7200|00:00:00|{gpus('a800', 1)}",
        heading=heading,
    )
    assert read_texts(text, so_far=True).lines == [
        "osprey/6 maple-bio/c-3 a800-80g 1000 3000 2026-04-07T00:00:00Z 2026-04-07T01:00:00Z",
        "osprey/7 maple-bio/c-3 a800-80g 1000 7200 2026-04-07T00:00:00Z 2026-04-07T02:00:00Z",
    ]


@pytest.mark.parametrize(
    ("elapsed", "seconds"),
    [
        ("00:30", 30),
        ("05:30", 330),
        ("01:02:03", 3723),
        ("1-02:03:04", 93784),
        ("45-00:00:00", 3_888_000),
        ("10:00.5", 600),
    ],
)
def test_elapsed_as_text_is_read(elapsed: str, seconds: int) -> None:
    """Days, hours, minutes and seconds."""
    heading = "JobID|Account|State|Start|End|Elapsed|AllocTRES"
    text = rows(
        f"1|maple|COMPLETED|2026-01-01T00:00:00|2026-03-31T00:00:00|{elapsed}|{gpus('l40', 1)}", heading=heading
    )
    assert read_texts(text).burned == {"maple-bio/c-3 l40-48g": seconds * 1000}


def test_elapsed_that_does_not_fit_is_told() -> None:
    """Longer than the interval is unreadable; shorter without a suspension is taken, and named."""
    heading = "JobID|Account|State|Start|End|ElapsedRaw|Suspended|AllocTRES"
    times = f"{DAY}00:00:00|{DAY}01:00:00"
    read = read_texts(
        rows(
            f"1|maple|COMPLETED|{times}|3601|00:00:00|{gpus('l40', 1)}",
            f"2|maple|COMPLETED|{times}|3000|00:00:00|{gpus('l40', 1)}",
            f"3|maple|COMPLETED|{times}|3000|00:10:00|{gpus('l40', 1)}",
            f"4|maple|COMPLETED|{times}|0|01:00:00|{gpus('l40', 1)}",
            f"5|maple|COMPLETED|{times}|INVALID|INVALID|{gpus('l40', 1)}",
            heading=heading,
        )
    )
    assert read.skipped == {"unreadable": 2, "zero_seconds": 1}
    assert read.burned == {"maple-bio/c-3 l40-48g": 6_000_000}
    assert read.report["elapsed_differs"] == ["2"]


def test_steps_are_counted_and_never_burned() -> None:
    """They are inside their job; one whose job isn't there is named."""
    read = read_texts(
        rows(
            f"70_3|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
            f"70_3.batch|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
            f"70_3.0|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
            f"71+1.extern|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
            f"72.interactive|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
            f"71+1|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}",
        )
    )
    assert [line.split()[0] for line in read.lines] == ["osprey/70_3", "osprey/71+1"]
    assert (read.skipped, read.report["steps_without_their_job"]) == ({"step": 4}, ["72"])


# ------------------------------------------------------------------------------------------------------ wall times


def wall(start: str, end: str, elapsed: int) -> str:
    """Return a file of one job."""
    return rows(f"1|maple|COMPLETED|{start}|{end}|{elapsed}|{gpus('a800', 1)}")


@pytest.mark.parametrize(
    ("start", "end", "elapsed", "shown"),
    [
        ("2026-11-01T00:30:00", "2026-11-01T01:30:00", 3600, "04:30:00 05:30:00"),
        ("2026-11-01T00:30:00", "2026-11-01T01:30:00", 7200, "04:30:00 06:30:00"),
        ("2026-11-01T01:45:00", "2026-11-01T01:15:00", 1800, "05:45:00 06:15:00"),
        ("2026-11-01T01:50:00", "2026-11-01T02:10:00", 1200, "06:50:00 07:10:00"),
        ("2026-11-01T01:50:00", "2026-11-01T02:10:00", 4800, "05:50:00 07:10:00"),
        ("2026-03-08T01:50:00", "2026-03-08T03:10:00", 1200, "06:50:00 07:10:00"),
        ("2026-11-01T01:10:00", "2026-11-01T01:20:00", 600, "time_ambiguous"),
        ("2026-11-01T01:10:00", "2026-11-01T01:20:00", 500, "time_ambiguous"),
        ("2026-03-08T02:30:00", "2026-03-08T03:30:00", 1800, "unreadable"),
    ],
)
def test_elapsed_decides_between_two_readings_of_a_wall_time(start: str, end: str, elapsed: int, shown: str) -> None:
    """New York sets its clock back in November and forward in March."""
    read = read_texts(wall(start, end, elapsed), time_zone="America/New_York")
    if ":" in shown:
        assert [" ".join(part[11:19] for part in line.split()[-2:]) for line in read.lines] == [shown]
    else:
        assert read.skipped == {shown: 1}


def test_half_hours_are_set_back_too() -> None:
    """Lord Howe's clock moves by 30 minutes: within one hour of it some times are shown twice and some once."""
    text = wall("2026-04-05T01:40:00", "2026-04-05T01:50:00", 2400)
    assert read_texts(text, time_zone="Australia/Lord_Howe").burned == {"maple-bio/c-3 a800-80g": 2_400_000}
    text = wall("2026-04-05T01:10:00", "2026-04-05T01:20:00", 600)
    assert read_texts(text, time_zone="Australia/Lord_Howe").burned == {"maple-bio/c-3 a800-80g": 600_000}


def test_epochs_and_offsets_need_no_zone() -> None:
    """SLURM_TIME_FORMAT may be %s, or one with an offset."""
    for start, end in (("1775548800", "1775552400"), ("2026-04-07T16:00:00+0800", "2026-04-07T09:00:00Z")):
        read = read_texts(wall(start, end, 3600), time_zone=None)
        assert read.lines[0].endswith("3600 2026-04-07T08:00:00Z 2026-04-07T09:00:00Z")


# ------------------------------------------------------------------------------------------- what users may write

NAMED = "JobID|JobName|Account|State|Start|End|ElapsedRaw|AllocTRES"
OWN = f"maple|COMPLETED|{HOUR}|{gpus('a800', 1)}"
OTHERS = f"linden|COMPLETED|{HOUR}|{gpus('a800', 8)}"


@pytest.mark.parametrize(
    "name",
    ["a|b", "||", "x\ny", "x\n\n\ny|z", 'say "hi', " , ", "maple|COMPLETED", "41|x", "訓練|é", "a\rb", "a\x0bb\u2028c"],
)
def test_a_name_with_separators_and_line_breaks_is_cut_by_the_strict_columns(name: str) -> None:
    """There is one way to cut it."""
    read = read_texts(rows(f"9|a|{OWN}", f"10|{name}|{OWN}", f"11|b|{OWN}", heading=NAMED))
    assert [line.split()[0] for line in read.lines] == ["osprey/10", "osprey/11", "osprey/9"], read
    assert read.burned == {"maple-bio/c-3 a800-80g": 3 * 3_600_000}


def test_broken_characters_in_a_name_are_no_obstacle() -> None:
    """A user may name a job in any encoding, also in one in which a part of a character is a separator."""
    for name in (b"\xff\xfe", "训练".encode("gb18030"), b"\x81\x7c"):
        text = rows(f"10|NAME|{OWN}", heading=NAMED).encode().replace(b"NAME", name)
        assert read_texts(text).burned == {"maple-bio/c-3 a800-80g": 3_600_000}


FAKES = [
    f"x|{OTHERS}",
    f"x\n12|y|{OTHERS}",
    f"x\n12|y|{OTHERS}\nz",
    f"x\n12|y|{OTHERS}\n13|z",
    f"x\n12|y|{OTHERS}|z",
    f"x|{OTHERS}|z",
    f"x\n{NAMED}\n12|y|{OTHERS}\nz",
    f"x\n12|y|{OTHERS}\n13|y|{OTHERS}\nz",
    f"x\n12|y|{OTHERS}\n13|y|{OTHERS}\n14|z",
    f"x\n12|y|{OTHERS}\n13|y|{OTHERS}\n14|y|{OTHERS}\n15|z",
    f"x\n\n12|y|{OTHERS}\nz\n13|y|{OTHERS}\nz",
]


@pytest.mark.parametrize("name", FAKES)
@pytest.mark.parametrize("end", ["", "|", "|c", "|see\nnotes|page 2"])
def test_no_name_makes_another_account_pay(name: str, end: str) -> None:
    """Whatever is in it, either the owner pays or the record is unreadable; also with a comment at the end."""
    heading, fake = (f"{NAMED}|Comment", name.replace(OTHERS, f"{OTHERS}|")) if end else (NAMED, name)
    own = [f"{number}|{'b' * 80}|{OWN}{end}" for number in range(30, 60)]
    read = read_texts(rows(f"9|a|{OWN}{end}", f"10|{fake}|{OWN}{end}", *own, heading=heading))
    paid = {line.split()[0]: line.split()[1] for line in read.lines}
    assert paid["osprey/9"] == "maple-bio/c-3"
    assert set(paid.values()) == {"maple-bio/c-3"}, paid
    # nor are others' records lost, but some that follow
    assert {"osprey/55", "osprey/59"} <= set(paid)


def test_columns_that_users_write_are_named() -> None:
    """A line break can make two records of one, each as good as any; only an export without such columns is safe."""
    text = rows(f"10|x|{OTHERS}", f"12|y|{OWN}", heading=NAMED)
    assert read_texts(text).report["free_text_columns"] == ["JobName"]
    assert "free_text_columns" not in read_texts(rows(LINE)).report


def test_text_at_the_end_goes_on_over_lines() -> None:
    """A comment in the last column may be as long as it wants; lines that are records are records."""
    heading = f"{HEADING}|Comment"
    read = read_texts(
        rows(
            f"1|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}|see",
            "notes|page 2",
            "",
            "x|3",
            f"2|linden|COMPLETED|{HOUR}|{gpus('a800', 1)}|",
            heading=heading,
        )
    )
    assert [line.split()[0] for line in read.lines] == ["osprey/1", "osprey/2"]
    assert (read.skipped, read.report["free_text_columns"]) == ({}, ["Comment"])


def test_stray_and_truncated_lines_are_unreadable_alone() -> None:
    """What stands around them is read."""
    whole = f"2|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}"
    for broken in (
        "sacct: error: slurmdbd: gone",
        "9|map",
        "9|maple|COMPLETED|yesterday|today|3600|gres/gpu=1",
        "####",
    ):
        read = read_texts(rows(whole.replace("2", "1", 1), broken, whole))
        assert read.skipped == {"unreadable": 1}, broken
        assert len(read.lines) == 2, broken
    assert read_texts(rows(whole) + "9|map").skipped == {"unreadable": 1}


# --------------------------------------------------------------------------------------------------- whole files

LINE = f"1|maple|COMPLETED|{HOUR}|{gpus('a800', 1)}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "heading_missing"),
        ("\n\n", "heading_missing"),
        (LINE, "heading_missing"),
        ("hello\n", "heading_missing"),
        ('{"jobs": []}', "heading_missing"),
        ("JobID           JobName  Partition\n------------ ---------- ----------\n", "not_parsable_output"),
        (rows(LINE).replace("|", ","), "not_parsable_output"),
        (rows(LINE, heading=HEADING.replace("AllocTRES", "ReqTRES")), "column_missing"),
        (rows(LINE, heading="JobID|State"), "column_missing"),
        (rows(LINE, heading=HEADING.replace("|AllocTRES", "|Account|AllocTRES")), "column_twice"),
        (rows(LINE).encode("utf-16"), "encoding_unknown"),
        (rows(LINE).encode("utf-16-le"), "encoding_unknown"),
        (rows(LINE, HEADING.replace("Start|End", "End|Start")), "heading_changes"),
        (rows(LINE, "x" * (1 << 21)), "too_large"),
    ],
)
def test_a_file_is_refused_as_a_whole_for_a_named_reason(text: str | bytes, fault: str) -> None:
    """One line says what to do."""
    with pytest.raises(UsageFileError) as refused:
        read_texts(text)
    assert refused.value.fault == fault
    assert "\n" not in str(refused.value)


def test_a_cluster_and_a_zone_must_be_known() -> None:
    """From the file or from the mapping."""
    with pytest.raises(UsageFileError, match="cluster_unknown"):
        read_texts(rows(LINE), cluster=None)
    with pytest.raises(UsageFileError, match="zone_missing"):
        read_texts(rows(LINE), time_zone=None)
    read = read_texts(rows(f"heron|{LINE}", heading=f"Cluster|{HEADING}"), cluster=None)
    assert read.lines[0].startswith("heron/1 ")


def test_a_file_without_any_gpu_is_told() -> None:
    """Slurm doesn't count GPUs unless it is told to."""
    read = read_texts(rows(f"1|maple|COMPLETED|{HOUR}|cpu=4,mem=16G,node=1"))
    assert (read.skipped, read.report["files_without_gpus"]) == ({"no_gpu": 1}, 1)
    assert "files_without_gpus" not in read_texts(rows(LINE)).report
