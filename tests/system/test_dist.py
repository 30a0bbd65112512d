"""What `make dist` and `make wheelhouse` build: the same bytes everywhere, all named, installed without a network."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.fresh_clone import ROOT, copy_of_the_project
from tallystick import __version__

pytestmark = pytest.mark.system

SECONDS_MAX = 600
EPOCH = "1767225600"
VENV = Path(sys.prefix)
LOCKED = dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", (ROOT / "deploy" / "requirements.lock").read_text(), re.M))


def make(folder: Path, *targets: str, umask: int = 0o022) -> None:
    """Build in a copy of the project, with the tools that are installed already."""
    command = ["make", "--silent", f"VENV={VENV}", f"SOURCE_DATE_EPOCH={EPOCH}", *targets]
    subprocess.run(command, cwd=folder, check=True, timeout=SECONDS_MAX, umask=umask, stdin=subprocess.DEVNULL)


def ran(words: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run a program, and return its exit status and what it wrote."""
    process = subprocess.run(words, check=False, cwd=cwd, env=env, capture_output=True, text=True, timeout=SECONDS_MAX)
    return process.returncode, process.stdout, process.stderr


def digests_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `dist` of a copy of the project, with a wheelhouse in it."""
    project = copy_of_the_project(tmp_path_factory.mktemp("dist") / "project")
    make(project, "wheelhouse")
    return project / "dist"


def test_another_copy_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """In another folder, with other times and modes of files: who doubts a release builds it again."""
    other = copy_of_the_project(tmp_path / "elsewhere")
    for path in (other / "src").rglob("*"):
        os.utime(path, (0, 1_000_000_000))
    (other / "src" / "tallystick" / "errors.py").chmod(0o600)
    make(other, "dist", umask=0o077)
    assert digests_of(other / "dist") == digests_of(built)


def test_the_archives_hold_the_project_and_nothing_made_here(built: Path) -> None:
    with zipfile.ZipFile(built / f"tallystick-{__version__}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    assert {"tallystick/py.typed", f"tallystick-{__version__}.dist-info/licenses/LICENSE"} < names
    modules = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "tallystick").rglob("*.py")}
    assert modules == {name for name in names if name.endswith(".py")}
    with tarfile.open(built / f"tallystick-{__version__}.tar.gz") as archive:
        parts = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "requirements.lock", "deploy/release/install", "docs/rules.md", "tests/conftest.py"} < parts
    assert not [
        name
        for name in parts
        if re.search(r"(^|/)(build|dist|\.venv|__pycache__)(/|$)", name.replace("deploy/release", ""))
    ]


def test_the_bill_of_materials_names_all_that_is_locked(built: Path) -> None:
    """With the hashes of the files, for every system; and whose bill it is."""
    bill = json.loads((built / "tallystick.cdx.json").read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", __version__)
    assert {one["name"]: one["version"] for one in bill["components"]} == LOCKED
    for component in bill["components"]:
        (reference,) = component["externalReferences"]
        assert {one["alg"] for one in reference["hashes"]} == {"SHA-256"}


def test_the_wheelhouse_installs_and_runs_without_a_network(built: Path, tmp_path: Path) -> None:
    """In a namespace without any: the demo, its audit, and a service on loopback that answers."""
    house = built / "wheelhouse"
    installed = tmp_path / "venv"
    python = Path(sys.executable).resolve()

    def offline(script: str) -> str:
        """Run a script where there is no network but loopback."""
        whole = f"ip link set lo up 2>/dev/null || true\nset -eu\n{script}"
        words = ["unshare", "--map-root-user", "--net", "sh", "-c", whole]
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(python), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        status, out, err = ran(words, cwd=tmp_path, env=environment)
        assert status == 0, err
        return out

    version, verified_by = offline(f"{house}/install {installed}").splitlines()
    assert version == f"tallystick {__version__}"
    assert verified_by.startswith("signatures verified by libsodium")  # the extra `fast` is in it
    tallystick = installed / "bin" / "tallystick"
    offline(f"{tallystick} demo demo --limit 40")
    assert "clean" in offline(f"{tallystick} audit demo --trust demo/trust.policy")
    assert "--log-key" in offline(f"{tallystick} serve --help")
    offline(f"{installed}/bin/python -c 'import fastapi, uvicorn, psycopg, pkcs11, tallystick.web.application'")


def test_the_wheelhouse_is_checked_before_it_is_used(built: Path, tmp_path: Path) -> None:
    """A file that was changed on the way installs nothing; neither does a folder that is taken."""
    house = tmp_path / "house"
    subprocess.run(["cp", "-r", built / "wheelhouse", house], check=True)
    wheel = next(house.glob("rich-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    assert ran([house / "install", "venv"], cwd=tmp_path)[:2] == (1, f"{wheel.name}: FAILED\n")
    assert not (tmp_path / "venv").exists()
    (tmp_path / "venv").mkdir()
    complaint = f"install: {tmp_path}/venv exists already: name a new folder\n"
    assert ran([house / "install", "venv"], cwd=tmp_path) == (2, "", complaint)
