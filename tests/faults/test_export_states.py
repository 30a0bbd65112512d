"""An export with saved states fails at any call: what is there then is right, and the same export again finishes it."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from faults.test_export import every_call, files_of
from support.planted_states import read_state
from support.small_ledger import POLICY, export_small_ledger, write_small_ledger
from tallystick.audit import audit
from tallystick.errors import UsageError
from tallystick.static import states


def test_any_call_fails_and_the_same_export_again_finishes(tmp_path: Path) -> None:
    """No checkpoint is there before its states and their list are."""
    size = write_small_ledger(tmp_path / "ledger")
    export_small_ledger(tmp_path / "ledger", tmp_path / "whole", states_every=16)
    expected = files_of(tmp_path / "whole")
    assert f"states/{size // 16 * 16}" in expected
    folder = tmp_path / "log"
    for failing in range(1, 1_000, 3):
        calls: list[str] = []

        def fail(name: str, arguments: tuple[Any, ...], calls: list[str] = calls, failing: int = failing) -> None:
            calls.append(name)
            if len(calls) == failing:
                raise OSError(28, "No space left on device")

        with every_call(fail), suppress(OSError):
            export_small_ledger(tmp_path / "ledger", folder, states_every=16)
        there = files_of(folder) if folder.exists() else {}
        assert "checkpoint" not in there or there == expected
        for path in there.keys() & {f"states/{number}" for number in range(16, size, 16)}:
            assert there[path] == expected[path]
        export_small_ledger(tmp_path / "ledger", folder, states_every=16)
        assert files_of(folder) == expected
        shutil.rmtree(folder)
        if len(calls) < failing:  # it got through
            break
    assert failing > 30


def test_states_are_written_beside_what_was_published_before(tmp_path: Path) -> None:
    """They are no part of the log: its files stay, and an audit finds nothing."""
    write_small_ledger(tmp_path / "ledger")
    export_small_ledger(tmp_path / "ledger", tmp_path / "log")
    before = files_of(tmp_path / "log")
    export_small_ledger(tmp_path / "ledger", tmp_path / "log", states_every=32)
    after = files_of(tmp_path / "log")
    assert {path: after[path] for path in before} == before
    assert sorted(after.keys() - before.keys())[:2] == ["states/32", "states/64"]
    assert read_state(tmp_path / "log/states/32")[0].size == 32
    assert audit(tmp_path / "log", POLICY).is_clean


def test_more_states_than_may_lie_there_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    write_small_ledger(tmp_path / "ledger")
    monkeypatch.setattr("tallystick.publishing.saved_states.STATES_MAX", 3)
    assert states.STATES_MAX > 3
    with pytest.raises(UsageError, match="with a state every 16 would be more than 3 states: give a larger number"):
        export_small_ledger(tmp_path / "ledger", tmp_path / "log", states_every=16)
    assert files_of(tmp_path / "log") == {}
