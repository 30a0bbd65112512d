"""`usage read`: a table for people, one object for programs, lines for others, and one line where nothing is read."""

import hashlib
import json
from pathlib import Path

import pytest

from support.command_line import run
from support.usage_read import HEADING, gpus
from tallystick.metering import runs

MAPPING = """
cluster = "osprey"
time_zone = "UTC"
[[account]]
name = "maple"
contract = "maple-bio/c-3"
holder = "maple-bio"
[[gpu]]
source = "a800"
item = "a800-80g"
"""
ROWS = "\n".join(
    (
        HEADING,
        f"1|maple|COMPLETED|2026-04-07T08:00:00|2026-04-07T09:00:00|3600|{gpus('a800', 2)}",
        f"1.batch|maple|COMPLETED|2026-04-07T08:00:00|2026-04-07T09:00:00|3600|{gpus('a800', 2)}",
        f"2|oak|COMPLETED|2026-04-07T08:00:00|2026-04-07T09:00:00|3600|{gpus('a800', 1)}",
        f"3|maple|RUNNING|2026-04-07T08:00:00|Unknown|60|{gpus('a800', 1)}",
        "4|maple",
    )
)


@pytest.fixture
def given(tmp_path: Path) -> list[object]:
    """A file, its format and its mapping, as they are typed."""
    usage, mapping = tmp_path / "april.psv", tmp_path / "map.toml"
    usage.write_text(ROWS, "utf-8")
    mapping.write_text(MAPPING, "utf-8")
    return ["usage", "read", usage, "--format", "slurm-psv", "--mapping", mapping]


def test_json_has_counts_that_add_up_the_lines_and_the_report(given: list[object]) -> None:
    """And what was read, by hash."""
    said = run(*given, "--json").json
    assert said["records"] == 5 == said["records_burned"] + sum(said["skipped"].values())
    assert said["skipped"] == {"account_unmapped": 1, "step": 1, "still_running": 1, "unreadable": 1}
    assert said["gpu_milliseconds"] == 7_200_000
    assert said["gpu_milliseconds_by"] == {"maple-bio/c-3 a800-80g": 7_200_000}
    assert said["lines"] == [
        {
            "contract": "maple-bio/c-3",
            "item": "a800-80g",
            "holder": "maple-bio",
            "job": "osprey/1",
            "gpu_milli": 2000,
            "seconds": 3600,
            "from": "2026-04-07T08:00:00Z",
            "to": "2026-04-07T09:00:00Z",
        }
    ]
    assert said["report"] == {
        "accounts_unmapped": {"oak": 3_600_000},
        "unreadable": [{"job": "4", "line": 6, "why": "its text doesn't fit the heading's columns"}],
    }
    assert said["files"][0]["sha256"] == hashlib.sha256(ROWS.encode()).hexdigest()
    assert said["mapping"]["sha256"] == hashlib.sha256(MAPPING.encode()).hexdigest()
    assert "lines" not in run(*given, "--json", "--no-lines").json
    assert len(run(*given, "--json", "--so-far").json["lines"]) == 2


def test_people_get_tables_and_lines_go_where_they_are_asked_to(given: list[object], tmp_path: Path) -> None:
    """The lines' file is replaced by lines only."""
    out = tmp_path / "lines.jsonl"
    ran = run(*given, "-o", out)
    assert (ran.status, ran.err) == (0, "")
    assert "5 records: 1 to burn in 1 lines, 2.000 GPU-hours; 4 not" in ran.out
    assert "no contract for account oak: 1.000 GPU-hours" in ran.out
    assert [json.loads(line)["job"] for line in out.read_text().splitlines()] == ["osprey/1"]
    assert run(*given, "-o", out).status == 0
    out.write_text("my thesis\n")
    assert run(*given, "-o", out).status == 2
    assert out.read_text() == "my thesis\n"


def test_runs_that_do_not_fit_lie_in_a_temporary_file(given: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """And come back as they were, each once, with the file that they are of."""
    rows = [HEADING]
    for number in [*range(40), *range(20)]:
        start = 1_775_548_800 + (number * 7919) % 4_000
        rows.append(f"{number}|maple|COMPLETED|{start}|{start + 60}|60|{gpus('a800', 1)}")
    usage = Path(str(given[2]))
    usage.write_text("\n".join(rows), "utf-8")
    held = run(*given, "--json").json
    monkeypatch.setattr(runs, "RUNS_IN_MEMORY_MAX", 8)
    monkeypatch.setattr(runs, "_BATCH", 4)
    spooled = run(*given, "--json").json
    assert spooled == held
    assert (held["records_burned"], held["skipped"]) == (40, {"duplicate": 20})
    assert len({line["job"] for line in held["lines"]}) == 40


def test_standard_input_is_read_too(given: list[object]) -> None:
    """As -."""
    given[2] = "-"
    assert run(*given, "--json", stdin=ROWS.encode()).json["records"] == 5


def test_of_several_files_the_one_is_named_that_is_not_read(given: list[object], tmp_path: Path) -> None:
    """The others aren't burned without it."""
    other = tmp_path / "may.psv"
    other.write_text("JobID|Account\n", "utf-8")
    ran = run(*given[:3], other, *given[3:])
    assert (ran.status, ran.out) == (2, "")
    assert f"column_missing: {other}: the heading lacks" in ran.err


def test_a_file_without_a_gpu_is_said_loudly(given: list[object]) -> None:
    """Whatever is asked for."""
    Path(str(given[2])).write_text(ROWS.replace("gres/", "fs/"), "utf-8")
    for options in ([], ["--json"]):
        assert "NO RECORD OF A FILE HAS A GPU" in run(*given, *options).err


def test_what_is_wrong_is_said_in_one_line(given: list[object], tmp_path: Path) -> None:
    """Nothing is printed or written then."""
    out = tmp_path / "lines.jsonl"
    Path(str(given[2])).write_text(ROWS.replace("AllocTRES", "ReqTRES"), "utf-8")
    wrong = [
        ([*given, "-o", out], "column_missing"),
        ([*given, "--json"], "column_missing"),
        ([*given[:4], "slurm", *given[5:]], "slurm-psv, slurm-json"),
        ([*given[:2], tmp_path / "none", *given[3:]], "No such file"),
        ([*given[:2], given[2], *given[2:]], "named twice"),
        ([*given[:6], tmp_path / "none.toml"], "No such file"),
        ([*given, "--json", "-o", "-"], "exclude each other"),
    ]
    for arguments, expected in wrong:
        ran = run(*arguments)
        assert (ran.status, ran.out) == (2, ""), ran
        assert expected in ran.err, ran
        assert ran.err.count("\n") == 1, ran
    assert not out.exists()
    mapping = Path(str(given[6]))
    for text, expected in (("cluster = 7", "cluster"), ("a = [", "not TOML"), ("[[gpu]]\nsource = 'x'", "item")):
        mapping.write_text(text)
        ran = run(*given)
        assert (ran.status, ran.err.count("\n")) == (2, 1), ran
        assert expected in ran.err, ran
