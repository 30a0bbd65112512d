"""benchmarks/peers: each peer is one file that says what it measures and why it can't, and its programs are stopped."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
DOWNLOADED = ("eventsourcing_on_umadb", "hledger", "hypercore", "umadb")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package of peers."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import peers

    return peers


def test_every_peer_says_what_its_figures_are(peers: ModuleType) -> None:
    """Under keys that no other peer has; its docstring says how, and what it doesn't check."""
    found = peers.peers()
    assert {*DOWNLOADED, "beancount", "pymerkle"} <= set(found)
    keys = [key for peer in found.values() for key in peer.FIGURES]
    assert len(keys) == len(set(keys))
    assert all(unit and says for peer in found.values() for unit, says in peer.FIGURES.values())
    assert [name for name, peer in found.items() if "How: " not in (peer.__doc__ or "")] == []


def test_one_more_peer_is_one_file(peers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is called, and where no list has its name."""
    (tmp_path / "built_from_source.py").write_text("def measure(): ...")
    (tmp_path / "no_peer.py").write_text("")
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    monkeypatch.setattr(peers, "__path__", [str(tmp_path)])
    assert list(peers.peers()) == ["built_from_source"]


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_peer_that_is_not_installed_says_so(
    name: str, peers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with no look at a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    why = peers.peers()[name].available()
    assert re.fullmatch(r".* isn't (in build/peers: make bench-peers|installed.*)", why)


def test_a_peer_is_measured(peers: ModuleType, tmp_path: Path) -> None:
    """The one that comes with the tests, at a scale that means nothing: its tree is ours."""
    peer = peers.peers()["pymerkle"]
    assert peer.available() is None
    figures = peer.measure(tmp_path, 0.01)
    assert figures.keys() == peer.FIGURES.keys()
    assert min(figures.values()) > 0


def test_a_server_is_stopped_whatever_happens(peers: ModuleType) -> None:
    """It takes connections within the block, and is gone after it."""
    from peers.programs import cpu_seconds_of, free_port, serving

    port = free_port()
    started: list[int] = []

    def interrupted() -> None:
        with serving([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], port) as server:
            started.append(server)
            assert cpu_seconds_of(server) > 0
            raise LookupError("in the block")

    with pytest.raises(LookupError, match="in the block"):
        interrupted()
    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds_of(started[0])


def test_a_server_that_ends_at_once_is_an_error(peers: ModuleType) -> None:
    """And nothing is waited for."""
    from peers.programs import free_port, serving

    with pytest.raises(RuntimeError, match="takes no connections"), serving([sys.executable, "-c", ""], free_port()):
        pytest.fail("it takes connections")


def test_figures_are_what_a_program_tells_last(peers: ModuleType) -> None:
    """A program that fails is an error, with what it wrote about that."""
    from peers.programs import told_by

    told = "from peers.programs import tell; print('more'); tell({'lines': 2.5})"
    assert told_by([sys.executable, "-c", told]) == {"lines": 2.5}
    with pytest.raises(RuntimeError, match="ended with status 1: no disk"):
        told_by([sys.executable, "-c", "raise SystemExit('no disk')"])
