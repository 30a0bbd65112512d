"""`up` gives secrets to nobody, and `down` stops everything that it started and nothing else, twice if asked."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.machines import SCRIPTS


@pytest.fixture
def scripts() -> Iterator[Path]:
    top = Path(tempfile.mkdtemp(prefix="tallystick-scripts-", dir="/tmp"))
    top.chmod(0o755)
    shutil.copytree(SCRIPTS, top / "scripts")
    try:
        yield top / "scripts"
    finally:
        subprocess.run([top / "scripts" / "down", top / "cluster"], check=True)
        shutil.rmtree(top)


def test_up_keeps_secrets_and_down_stops_what_up_started(scripts: Path) -> None:
    folder = scripts.parent / "cluster"
    urls = run(scripts / "up", folder).split()
    passwords = [path.read_text() for path in (folder / "passwords").iterdir()]
    assert len(set(passwords)) == 4
    assert not [password for password in passwords if password in " ".join([*urls, *command_lines()])]
    assert readable_by_others(folder) == []
    with subprocess.Popen(["sleep", "60"], cwd=folder / "n1") as somebody:
        os.kill(processes(scripts, folder, "n1")[0], signal.SIGSTOP)
        for pid in processes(scripts, folder, "n2"):
            os.kill(pid, signal.SIGKILL)
        run(scripts / "down", folder)
        assert processes(scripts, folder) == []
        assert somebody.poll() is None
        run(scripts / "down", folder)
        somebody.kill()
    run(scripts / "up", folder)
    assert len(processes(scripts, folder)) > 3 * 4
    run(scripts / "down", "--delete", folder)
    assert processes(scripts, folder) == []
    assert not folder.exists() or not any(folder.iterdir())


def test_a_folder_that_sockets_or_settings_could_not_name_is_refused(scripts: Path) -> None:
    for name in ("with blank", "x" * 90, "quote'd"):
        done = subprocess.run([scripts / "up", Path("/tmp") / name], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "plain characters" in done.stderr


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def processes(scripts: Path, folder: Path, *part: str) -> list[int]:
    return [int(pid) for pid in run(scripts / "processes", folder, *part).split()]


def command_lines() -> list[str]:
    return run("ps", "-eo", "args").split("\n")


def readable_by_others(folder: Path) -> list[Path]:
    """Return which of a cluster's secrets others could read."""
    secrets = [folder, *folder.glob("passwords/*"), folder / "pgpass", folder / "urls", *folder.glob("n?/patroni.yml")]
    return [path for path in secrets if stat.S_IMODE(path.stat().st_mode) & 0o077]
