"""A client of tlog-tiles that we didn't write, Go's sumdb, reads the log over HTTP, from a service and an export."""

import os
import subprocess
from pathlib import Path

import pytest

from support.serving import service_in_thread
from support.small_ledger import LOG_KEY, SIZES, START, export_small_ledger, write_small_ledger
from support.web_server import serving as serving_folder
from tallystick.signing.keys import SigningKey
from tallystick.transparency.policy import Policy

pytestmark = pytest.mark.system

PROGRAM = Path(__file__).with_name("sumdb_client.go")
GO_PACKAGES = "/usr/share/gocode"  # where Debian puts them
VKEY = LOG_KEY.verifier.to_text()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built from Debian's packages alone."""
    folder = tmp_path_factory.mktemp("go")
    built = folder / "sumdb_client"
    environment = {
        "PATH": os.environ["PATH"],
        "GOPATH": GO_PACKAGES,
        "GO111MODULE": "off",
        "GOCACHE": str(folder / "c"),
    }
    words: list[str | Path] = ["go", "build", "-o", built, PROGRAM]
    ran = subprocess.run(words, check=False, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return built


def said_by(client: Path, url: str, vkey: str) -> tuple[int, str, str]:
    ran = subprocess.run([client, url, vkey], check=False, capture_output=True, text=True)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of two tiles, `ledger`, and an export of it, `public`."""
    folder = tmp_path_factory.mktemp("log")
    assert write_small_ledger(folder / "ledger", up_to=SIZES) == SIZES[-1] > 256
    export_small_ledger(folder / "ledger", folder / "public")
    return folder


def told(log: Path) -> str:
    """What the client says of the log when all is well."""
    checkpoint = Policy.for_log(LOG_KEY.verifier).open_checkpoint((log / "public" / "checkpoint").read_bytes())
    root = (log / "public" / "checkpoint").read_text().splitlines()[2]
    return f"{checkpoint.origin} {checkpoint.size} {root}\n"


def test_it_reads_a_service(client: Path, log: Path) -> None:
    """Every entry is proved to be in the tree that the log's key signed, and smaller trees to be its beginnings."""
    with service_in_thread(log / "ledger", LOG_KEY, clock=lambda: START, reading="open") as serving:
        assert said_by(client, serving.url, VKEY) == (0, told(log), "")


def test_it_reads_an_export(client: Path, log: Path) -> None:
    with serving_folder(log / "public") as server:
        assert said_by(client, server.url, VKEY) == (0, told(log), "")


def test_it_would_notice(client: Path, log: Path, tmp_path: Path) -> None:
    """Another key, a changed entry, a changed hash: each is refused, so the client does look."""
    other = SigningKey.from_seed(LOG_KEY.name, bytes(32)).verifier.to_text()
    public = tmp_path / "public"
    subprocess.run(["cp", "-r", log / "public", public], check=True)
    with serving_folder(public) as server:
        assert "no verifiable signatures" in said_by(client, server.url, other)[2]
        for name in ("tile/entries/000", "tile/0/000"):
            path = public / name
            kept = path.read_bytes()
            path.write_bytes(kept[:40] + bytes([kept[40] ^ 1]) + kept[41:])
            status, out, err = said_by(client, server.url, VKEY)
            assert (status, out) == (1, "")
            assert "invalid" in err or "inconsistent" in err
            path.write_bytes(kept)
        assert said_by(client, server.url, VKEY)[0] == 0
