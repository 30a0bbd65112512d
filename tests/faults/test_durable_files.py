"""A file alone is whole and durable, or what was there before, and nothing is left beside it."""

import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tallystick.durable_files import whole_file


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full, or says no to the last step."""

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises(OSError, match="No space left") as error, whole_file(path) as file:
        file.write(b"new")
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_gives_up_leaves_the_old_file(tmp_path: Path) -> None:
    """Nothing of what was written so far can be seen, then or later."""
    path = tmp_path / "report.json"
    path.write_bytes(b"old")

    def give_up(file: BinaryIO) -> None:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"old"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), whole_file(path) as file:
        give_up(file)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"old"]


def test_a_file_and_its_name_are_durable_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes before it has its name, its name before anybody is told; others may read it."""
    path = tmp_path / "report.json"
    synced: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((os.path.isdir(f"/proc/self/fd/{descriptor}"), path.exists()))  # noqa: PTH112
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with whole_file(path) as file:
        file.write(b"new")
    assert synced == [(False, False), (True, True)]
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)
