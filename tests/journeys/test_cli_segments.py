"""An audit in segments on the command line: the same report, and one line for what can't be."""

from pathlib import Path

import pytest

from support.command_line import Desk, done, failed, run
from support.planted_states import change_header


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a small ledger, and an export of it with states."""
    made = Desk(tmp_path)
    made.found()
    done("export", made.ledger, tmp_path / "public", "--states-every", "4")
    return made


def test_both_reports_are_the_same(desk: Desk) -> None:
    """A lie is named in both, with its segment, and nobody is sent to look at an entry."""
    public, one, many = (desk.folder / name for name in ("public", "one.json", "many.json"))
    ask = ("audit", public, "--trust", desk.policy)
    for status in (0, 1):
        ran = run(*ask, "--workers", "1", "--report", one)
        assert ran.status == status
        segmented = run(*ask, "--segments", "--workers", "2", "--report", many, "--force")
        assert (segmented.status, segmented.out, segmented.err) == (status, ran.out, "")
        assert many.read_bytes() == one.read_bytes()
        change_header(public / "states/4", state_sha256="0" * 64)
    assert "state_differs at entry 3: states/4, after the segment of entries 0 to 3: the entries come to " in ran.out
    assert "to see entry" not in ran.out


def test_an_export_gets_states_afterwards_and_goes_on_from_them(desk: Desk) -> None:
    public = desk.folder / "public"
    sizes = [*range(4, desk.size + 1, 4)]
    assert (public / "states/index").read_text() == "".join(f"{size}\n" for size in sizes)
    first = (public / "states/4").stat().st_ino
    desk.open_programme()
    done("export", desk.ledger, public, "--states-every", "2")
    more = [*range(sizes[-1] + 2, desk.size + 1, 2)]
    assert more
    assert (public / "states/index").read_text() == "".join(f"{size}\n" for size in [*sizes, *more])
    assert (public / "states/4").stat().st_ino == first
    done("audit", public, "--trust", desk.policy, "--segments")


def test_what_can_not_be_is_one_line(desk: Desk) -> None:
    ask = ("audit", "--trust", desk.policy, "--segments")
    assert "is no export, and only exports have segments" in failed(*ask, desk.ledger)
    assert "neither an earlier report nor patterns" in failed(*ask, desk.folder / "public", "--patterns")
    many = failed("export", desk.ledger, desk.folder / "public", "--states-every", "0")
    assert "states-every" in many
