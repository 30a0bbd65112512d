"""An audit shows what it replayed, and nothing of its verdict depends on who looks."""

from pathlib import Path
from typing import Any

import pytest

from support.small_ledger import POLICY
from support.tampering import edited, entries_of, put_entry
from tallystick.audit import audit
from tallystick.patterns import Watch
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State


class Counting:
    """Keeps the indices of what it is shown; fails at one of them, if asked to."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.indices: list[int] = []
        self.fails_at = fails_at

    def take(self, event: Event, state: State) -> None:
        assert state.size == event.index + 1  # it is the state after the event
        self.indices.append(event.index)
        if event.index == self.fails_at:
            raise KeyError(event.index)

    def to_json(self) -> dict[str, Any]:
        return {"events": len(self.indices)}


def test_every_event_is_shown_once_and_in_order(pristine: Path) -> None:
    """And the report is that of an audit without observer, but for what it says."""
    observer = Counting()
    report = audit(pristine / "ledger", POLICY, processes=1, observer=observer)
    assert observer.indices == list(range(289))
    assert report.patterns == {"events": 289}
    plain = audit(pristine / "ledger", POLICY, processes=1)
    assert plain.patterns is None
    assert report.model_copy(update={"patterns": None}) == plain
    assert report.to_bytes() != plain.to_bytes()


def test_a_fault_in_an_observer_is_no_finding(pristine: Path) -> None:
    """It ends the audit: nothing is said about the log."""
    with pytest.raises(KeyError):
        audit(pristine / "ledger", POLICY, processes=1, observer=Counting(fails_at=100))


def test_nothing_is_shown_after_the_replay_stops(ledger: Path) -> None:
    """What can't be decided is no event; the verdict is as without observer, with real patterns too."""
    data = entries_of(ledger)[150]
    put_entry(ledger, 150, edited(data, r'"ref":"', '"ref":"x'))
    observer = Counting()
    report = audit(ledger, POLICY, processes=1, observer=observer)
    assert observer.indices == list(range(150))
    plain = audit(ledger, POLICY, processes=1)
    watched = audit(ledger, POLICY, processes=1, observer=Watch())
    assert report.verdict == plain.verdict == "findings"
    assert report.findings == plain.findings == watched.findings
    assert report.totals == plain.totals == watched.totals


def test_an_audit_that_goes_on_shows_what_is_new(pristine: Path, tmp_path: Path) -> None:
    """A report with patterns is gone on from like any other."""
    first = tmp_path / "first.json"
    audit(pristine / "ledger", POLICY, processes=1, report_file=first, observer=Watch())
    observer = Counting()
    report = audit(pristine / "ledger", POLICY, processes=1, since=first, observer=observer)
    assert (report.is_clean, report.patterns, observer.indices) == (True, {"events": 0}, [])
