"""An audit on the command line goes on from a report, and says so; what can't be gone on from is one line."""

import json
import shutil
from pathlib import Path

import pytest

from support.command_line import Desk, done, failed, run
from support.earlier_audits import cut_back
from tallystick.publishing import read_ledger


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a small ledger, and a clean report on it."""
    made = Desk(tmp_path)
    made.found()
    done("audit", made.ledger, "--trust", made.policy, "--report", tmp_path / "one.json")
    return made


def test_an_audit_goes_on_and_ends_as_a_whole_one(desk: Desk) -> None:
    """Over the ledger and over its export; the state is the same."""
    size = desk.size
    desk.open_programme()
    done("export", desk.ledger, desk.folder / "tiles")
    done("audit", desk.ledger, "--trust", desk.policy, "--report", desk.folder / "whole.json")
    whole = json.loads((desk.folder / "whole.json").read_bytes())
    for source in (desk.ledger, desk.folder / "tiles"):
        since = ("--since", desk.folder / "one.json", "--report", desk.folder / "next.json")
        said = done("audit", source, "--trust", desk.policy, *since)
        assert said.startswith("verdict: clean\n")
        assert f"from entry {size} on" in said
        report = json.loads((desk.folder / "next.json").read_bytes())
        assert report.pop("since")["size"] == size
        assert report == whole
        assert (desk.folder / "next.state").read_bytes() == (desk.folder / "whole.state").read_bytes()


def test_a_log_that_was_cut_back_is_named(desk: Desk) -> None:
    """With status 1."""
    with read_ledger(desk.ledger) as reader:
        assert reader.size > 1
    cut_back(desk.ledger, 1)
    ran = run("audit", desk.ledger, "--trust", desk.policy, "--since", desk.folder / "one.json")
    assert ran.status == 1
    assert "history_rewritten: the earlier report has" in ran.out
    assert ran.err == ""


def test_what_can_not_be_gone_on_from_is_one_line(desk: Desk) -> None:
    """No report, half of one, one without its state: status 2, and what to do."""
    ask = ("audit", desk.ledger, "--trust", desk.policy, "--since")
    assert "can't be read" in failed(*ask, desk.folder / "missing.json")
    half = desk.folder / "half.json"
    half.write_bytes((desk.folder / "one.json").read_bytes()[:-20])
    assert "no report to go on from" in failed(*ask, half)
    shutil.move(desk.folder / "one.state", desk.folder / "elsewhere")
    assert "audit in full" in failed(*ask, desk.folder / "one.json")
    assert "can't be read" in failed(*ask, desk.folder)
