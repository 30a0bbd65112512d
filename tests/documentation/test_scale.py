"""docs/scale.md has the tables that its arithmetic gives, and the arithmetic begins with what is so."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.several_logs import NATIONAL, write_several_logs
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.publishing import read_ledger

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPT = DOCS / "site" / "scale_tables.py"
PAGE = (DOCS / "scale.md").read_text("utf-8")


def loaded() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("scale_tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


scale = loaded()


def run(script: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run([sys.executable, str(script), *options], capture_output=True, text=True, check=False)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with one provider, whose clock stands where its statements are of the window."""
    first, *others = founding_notes()
    clock = Clock()
    with closing(create_ledger(tmp_path / "ledger", first, LOG_KEY, clock=clock)) as made:
        assert all(isinstance(answer, Admitted) for answer in made.submit(others))
        clock.at = NOW
        yield made


def test_the_tables_are_those_of_the_arithmetic() -> None:
    assert scale.written(PAGE) == PAGE
    done = run(SCRIPT, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_table_that_differs_is_said_and_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "site").mkdir(parents=True)
    script = Path(shutil.copy(SCRIPT, folder / "site"))
    (folder / "scale.md").write_text(PAGE.replace("| entries a year | 2.2 million |", "| entries a year | 3 |"))
    done = run(script, "--check")
    assert done.returncode == 1
    assert done.stderr == f"{folder / 'scale.md'}: a table isn't what the arithmetic says; run `make docs-tables`\n"
    assert run(script).returncode == 0
    assert (folder / "scale.md").read_text("utf-8") == PAGE


def test_every_table_is_in_the_page() -> None:
    for name in scale.TABLES:
        assert PAGE.count(f"<!-- from the arithmetic: {name} -->\n|") == 1
    assert PAGE.count("<!-- end -->") == len(scale.TABLES)


def test_lines_and_states_are_as_large_as_is_given(ledger: Ledger, tmp_path: Path) -> None:
    """What a format says to the byte; names of jobs and references differ by some bytes."""
    before = len(ledger.state.to_bytes())
    for note in (burn_note("single"), burn_note("many", 600)):
        assert isinstance(ledger.submit([note])[0], Admitted)
    state = len(ledger.state.to_bytes()) - before
    with read_ledger(tmp_path / "ledger") as reader:
        single, many = (len(reader.entry(reader.size - back)) for back in (2, 1))
    assert single == pytest.approx(scale.SINGLE_ENTRY_BYTES, rel=0.05)
    assert many / 600 == pytest.approx(scale.LINE_BYTES, rel=0.15)  # names of 9 letters, not of 16
    assert state / 601 == pytest.approx(scale.STATE_BYTES, rel=0.2)


def test_an_entry_of_the_networks_log_is_as_large_as_is_given(tmp_path: Path) -> None:
    write_several_logs(tmp_path)
    with read_ledger(tmp_path / NATIONAL) as reader:
        assert len(reader.entry(reader.size - 1)) == pytest.approx(scale.RECORDED_BYTES, rel=0.05)


def test_a_receipt_has_a_hash_for_each_level() -> None:
    assert scale.receipt_size(2**19) - scale.receipt_size(2**18) == 45
    for entries in (2, 256, 257, 10**9):
        assert scale.receipt_size(entries) > 45 * (entries - 1).bit_length()


def test_the_sentences_say_what_the_tables_have() -> None:
    """Numbers that stand in a sentence too."""
    largest = scale.LARGEST
    states = largest.lines / scale.interval(largest) * largest.state
    assert f"their bytes a year are {states / largest.size:.1f} times the log's own" in PAGE
    partial = 525_600 / 2 * largest.size / largest.bundles
    (times,) = re.findall(r"publishing it each minute writes (\d+) times as much", PAGE)
    assert min(partial, largest.entries / 525_600 * partial) / largest.size == pytest.approx(int(times), rel=0.05)
    assert f"lines × {scale.AUDIT_US} µs ÷ (machines × {scale.CORES} cores × {100 * scale.EFFICIENCY:.0f} %)" in PAGE
    (tenth,) = re.findall(r"a receipt \(([\d.]+) kB after ten years of everything in one log\)", PAGE)
    assert scale.receipt_size(round(10 * scale.ONE.entries)) == pytest.approx(1_000 * float(tenth), rel=0.05)
