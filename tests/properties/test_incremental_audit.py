"""An audit that goes on from an earlier one comes to what a whole audit comes to, wherever the earlier one ended."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.earlier_audits import begin_of, report_on
from support.small_ledger import POLICY, SIZES, export_small_ledger, write_small_ledger
from support.web_server import serving
from tallystick.audit import Report, audit

SIZE = 289


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `ledger`, `tiles`, and `whole.json`, the report on all of it."""
    folder = tmp_path_factory.mktemp("whole")
    assert write_small_ledger(folder / "ledger", up_to=SIZES) == SIZE
    export_small_ledger(folder / "ledger", folder / "tiles")
    report_on(folder / "ledger", folder / "whole.json")
    yield folder
    shutil.rmtree(folder)


def earlier_report(whole: Path, size: int, folder: Path) -> Path:
    """The report on the first `size` entries."""
    report_on(begin_of(whole / "ledger", size, folder / "begin"), folder / "earlier.json")
    return folder / "earlier.json"


def same(report: Report, whole: Path, file: Path, size: int) -> None:
    """Check that an audit from `size` on came to the whole one's report and state."""
    expected = Report.from_bytes((whole / "whole.json").read_bytes())
    assert report.since is not None
    assert report.since.size == size
    assert report.model_copy(update={"since": None}) == expected
    assert file.with_suffix(".state").read_bytes() == (whole / "whole.state").read_bytes()
    assert Report.from_bytes(file.read_bytes()) == report


@settings(max_examples=12)
@given(size=st.integers(1, SIZE))
@example(size=1)
@example(size=255)
@example(size=256)
@example(size=257)
@example(size=SIZE)
def test_a_report_of_any_size_can_be_gone_on_from(whole: Path, size: int) -> None:
    """In the ledger and in its export: same totals, same checkpoint, same saved state to the byte."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        since = earlier_report(whole, size, folder)
        for source in ("ledger", "tiles"):
            file = folder / f"{source}.json"
            same(audit(whole / source, POLICY, since=since, report_file=file), whole, file, size)


def test_a_chain_of_audits(whole: Path, tmp_path: Path) -> None:
    """Each goes on from the one before, over its own files."""
    file = earlier_report(whole, 20, tmp_path)
    for size in (40, 41, 257):
        audit(begin_of(whole / "ledger", size, tmp_path / str(size)), POLICY, since=file, report_file=file)
    same(audit(whole / "ledger", POLICY, since=file, report_file=file), whole, file, 257)


def test_only_what_is_new_is_fetched(whole: Path, tmp_path: Path) -> None:
    """From a web server: the last bundle, and a few tiles."""
    since = earlier_report(whole, 270, tmp_path)
    with serving(whole / "tiles") as server:
        report = audit(server.url, POLICY, since=since)
    assert report.is_clean
    assert set(server.asked) == {
        "/checkpoint",
        "/states/index",
        "/tile/0/001.p/33",
        "/tile/1/000.p/1",
        "/tile/entries/001.p/33",
    }
