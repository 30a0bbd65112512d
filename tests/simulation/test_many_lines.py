"""A state keeps its lines packed: so many bytes each, however many there are, and none of lines beyond the window."""

import pytest

from simulation.many_lines import BURN_WINDOW_DAYS, ManyLines, memory_of_lines
from tallystick.vouchers import job_times

BYTES_A_LINE = 70
"""Of Python's objects: 35 of numbers, 12 of who paid, the job's name of 19 and a blank; and what a statement adds."""
SAVED_BYTES_A_LINE = 86
"""The numbers are in base64 there."""


def test_a_line_costs_its_numbers_and_its_jobs_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_times, "JOBS_BETWEEN_CLOSINGS", 500)
    lines = ManyLines()
    before, saved_before = memory_of_lines(lines.state), len(lines.state.to_bytes())
    assert before.lines == 0
    for _ in range(BURN_WINDOW_DAYS):
        lines.play_day(2, 100)
        assert memory_of_lines(lines.state).names_found < 100_000, "more than the jobs between two closings"
    kept, saved = memory_of_lines(lines.state), len(lines.state.to_bytes())
    assert kept.lines == lines.lines == 200 * BURN_WINDOW_DAYS
    assert kept.packed + kept.payments + kept.names < BYTES_A_LINE * kept.lines
    assert saved - saved_before < SAVED_BYTES_A_LINE * kept.lines + 500 * 2 * BURN_WINDOW_DAYS
    for _ in range(BURN_WINDOW_DAYS + 1):
        lines.play_day(1, 1)
    left = memory_of_lines(lines.state)
    assert left.lines == BURN_WINDOW_DAYS + 1, "lines are kept beyond the burn window"
    assert len(lines.state.to_bytes()) < saved_before + 700 * left.lines
