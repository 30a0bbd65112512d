"""`usage map`: a mapping to fill in, and what files that aren't read are refused with."""

import tomllib
from pathlib import Path

import pytest

from support.command_line import run
from support.usage_samples import SAMPLES

HEADING = "account,job,gpu,gpus,from,to\n"
ROWS = (
    HEADING + "birch,j-1,a100,8,2026-01-01 08:00,2026-01-01 09:00\ncedar,j-2,a100,1,2026-01-01 08:00,2026-01-01 09:00\n"
)


@pytest.fixture
def january(tmp_path: Path) -> Path:
    path = tmp_path / "january.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_a_proposal_is_printed_or_written_and_refused_until_it_is_filled_in(january: Path) -> None:
    """As its first line says."""
    ran = run("usage", "map", january, "--format", "csv")
    found = tomllib.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert [one["name"] for one in found["account"]] == ["birch", "cedar"]
    assert (found["cluster"], found["time_zone"], found["gpu"][0]["source"]) == ("FILL-IN", "FILL-IN", "a100")
    mapping = january.with_name("m.toml")
    options = ("--format", "csv", "--cluster", "heron", "--time-zone", "Asia/Shanghai", "-o", mapping)
    assert run("usage", "map", january, *options).status == 0
    ran = run("usage", "read", january, "--format", "csv", "--mapping", mapping)
    line = f"tallystick: {mapping}: account 'birch' still has FILL-IN as its contract: replace it\n"
    assert (ran.status, ran.out, ran.err) == (2, "", line)


def test_a_mapping_goes_on_and_is_not_overwritten(january: Path) -> None:
    """A month later: what is new."""
    mapping = january.with_name("m.toml")
    mapping.write_text('cluster = "heron"\n[[account]]\nname = "birch"\ncontract = "a/c-1"\n', encoding="utf-8")
    ran = run("usage", "map", january, "--format", "csv", "--mapping", mapping, "--time-zone", "UTC")
    found = tomllib.loads(ran.out)
    assert (found["cluster"], [one["name"] for one in found["account"]]) == ("heron", ["cedar"])
    before = mapping.read_bytes()
    ran = run("usage", "map", january, "--format", "csv", "-o", mapping)
    assert (ran.status, mapping.read_bytes()) == (2, before)
    assert str(mapping) in ran.err


def test_all_files_are_looked_at_and_standard_input(january: Path) -> None:
    """As of every command on usage."""
    more = HEADING.encode() + b"dune,j-3,h100,8,2026-01-01 08:00,2026-01-01 09:00\n"
    ran = run("usage", "map", january, "-", "--format", "csv", stdin=more)
    assert [one["name"] for one in tomllib.loads(ran.out)["account"]] == ["birch", "dune", "cedar"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--format", "cvs"), "'cvs' is no format of usage; there are slurm-psv, "),
        (("--format", "csv", "--time-zone", "Mars"), "time_zone: must be a time zone like Asia/Shanghai or UTC"),
        (("--format", "csv", "--cluster", "A B"), "cluster: "),
        (("--format", "csv", "--step-seconds", "0"), "step_seconds: "),
        (("--format", "focus"), "column_missing: ChargeCategory"),
        (("--format", "opencost"), "not_parsable_output: not JSON"),
    ],
)
def test_what_cant_be_done_is_said_in_one_line(january: Path, options: tuple[str, ...], line: str) -> None:
    """And nothing is written."""
    place = january.with_name("m.toml")
    ran = run("usage", "map", january, *options, "-o", place)
    assert (ran.status, ran.out, ran.err.count("\n"), place.exists()) == (2, "", 1, False)
    assert ran.err.startswith("tallystick: ")
    assert line in ran.err


@pytest.mark.parametrize("format_name", SAMPLES)
def test_each_format_is_known_to_the_commands(format_name: str, tmp_path: Path) -> None:
    """`--format` takes all names of the table."""
    path = tmp_path / "usage"
    path.write_bytes(SAMPLES[format_name])
    ran = run("usage", "map", path, "--format", format_name, "--cluster", "heron", "--step-seconds", "60")
    assert ran.status == 0
    assert [one["name"] for one in tomllib.loads(ran.out)["account"]] == ["birch"]
