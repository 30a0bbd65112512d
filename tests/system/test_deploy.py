"""What stands in deploy/ fits the program and the systems that it names, as far as these can be asked here."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.command_line import done
from support.fresh_clone import ROOT

SYSTEMD = ROOT / "deploy" / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.iterdir())
SERVICES = [name for name in UNITS if name.endswith(".service")]
PROGRAM = Path(sys.executable).with_name("tallystick")
INSTALLED = "/opt/tallystick/bin/tallystick"
EXPOSURE_MAX = 1.6  # of 10, as `systemd-analyze security` counts


def values_of(unit: str, name: str) -> list[str]:
    """What a unit says under a name."""
    return re.findall(rf"^{name}=(.*)$", (SYSTEMD / unit).read_text(), re.MULTILINE)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A folder with the units, which start the program where it is installed here."""
    for name in UNITS:
        text = (SYSTEMD / name).read_text().replace(INSTALLED, str(PROGRAM))
        (tmp_path / name).write_text(re.sub("^Documentation=.*\n", "", text, flags=re.MULTILINE))
    return tmp_path


def analyze(*words: str | Path) -> str:
    ran = subprocess.run(["systemd-analyze", *words], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.system
def test_systemd_finds_nothing_wrong(units: Path) -> None:
    """Not a word about any of them."""
    assert analyze("verify", "--man=no", *[units / name for name in UNITS]) == ""


@pytest.mark.system
@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_may_do_little(name: str, units: Path) -> None:
    """What it can reach and call is measured; a line that is dropped raises the number."""
    said = analyze("security", "--offline=true", "--no-pager", f"--threshold={round(EXPOSURE_MAX * 10)}", units / name)
    (exposure,) = re.findall(r"exposure level for \S+: ([0-9.]+)", said)
    assert 0 < float(exposure) <= EXPOSURE_MAX


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_starts_what_the_program_knows(name: str) -> None:
    """Each option that stands in it is one of the command's; no secret does."""
    (line,) = values_of(name, "ExecStart")
    program, *words = shlex.split(line)
    assert program == INSTALLED
    depth = next(number for number, word in enumerate(words) if word.startswith("$"))
    said = done(*words[:depth], "--help")
    options = [word for word in words if word.startswith("--")]
    assert options
    assert [option for option in options if f"{option} " not in said] == []


def test_the_timer_starts_the_backup() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(SYSTEMD / "tallystick-backup.timer")
    assert parser["Timer"]["Unit"] in UNITS
    assert parser["Timer"]["Persistent"] == "yes"


def test_the_image_is_made_of_what_is_built_and_starts_what_the_program_knows() -> None:
    """The image itself can't be built here, and says so."""
    text = (ROOT / "deploy" / "container" / "Containerfile").read_text()
    assert "UNTESTED" in text
    copied = [words.split()[0] for words in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)]
    assert copied == ["dist/wheelhouse"]
    assert "\nwheelhouse:" in (ROOT / "Makefile").read_text()
    (command,) = re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)
    words = re.findall(r'"([^"]*)"', command)
    said = done(words[0], "--help")
    assert [word for word in words if word.startswith("--") and f"{word} " not in said] == []
