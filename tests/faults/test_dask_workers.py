"""An audit by workers of Dask, real ones in processes over TLS: what is lost, missing, or of another version.

The report is that of an audit in one piece, to the byte, or a line says why there is none.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import CancelledError, KilledWorker

from support.command_line import Ran, failed, finish, start, the_line
from support.dask_cluster import DaskCluster, dask_cluster
from support.small_ledger import POLICY, export_small_ledger, write_small_ledger
from support.web_server import serving
from tallystick.audit import audit, dask_workers
from tallystick.audit.dask_workers import DaskPending, DaskWorkers, Unfit, other_version, unfit_here
from tallystick.audit.segments import SegmentOrder, SegmentResult
from tallystick.errors import SourceUnreadableError, UsageError
from tallystick.sources import StaticFolder
from tallystick.vouchers.saved_state import SCHEMA_SHA256

ORDER = SegmentOrder(StaticFolder(Path("/nowhere")), "log.example/a", 9, 3, ())


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with states."""
    folder = tmp_path_factory.mktemp("log")
    write_small_ledger(folder / "ledger", more=190)
    export_small_ledger(folder / "ledger", folder / "export", states_every=64)
    (folder / "trust.policy").write_bytes(POLICY.to_text())
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler without workers."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


def audit_started(log: Path, source: object, cluster: DaskCluster, **options: Any) -> subprocess.Popen[str]:
    """The command line auditing by the workers of a cluster, into `dask.json`."""
    words = ("audit", source, "--trust", log / "trust.policy", "--segments", "--dask", cluster.address)
    return start(*words, "--report", log / "dask.json", env_more=cluster.settings, **options)


def test_a_worker_is_killed_in_the_middle_and_the_report_is_the_same(
    log: Path, cluster: DaskCluster, tmp_path: Path
) -> None:
    """The first worker has a segment that it can't read to the end; the second one comes, and the first is killed."""
    with serving(log / "export") as server:
        assert audit(server.url, POLICY, report_file=tmp_path / "alone.json", processes=1).is_clean
        first = cluster.add_worker()
        server.held = "/tile/entries/000"
        auditing = audit_started(log, server.url, cluster)
        server.wait_until_held(1)
        second = cluster.add_worker()
        first.kill()
        server.released.set()
        ran = finish(auditing)
        second.kill()
    assert (ran.status, ran.err) == (0, "")
    assert (log / "dask.json").read_bytes() == (tmp_path / "alone.json").read_bytes()


def refused(ran: Ran) -> str:
    """The line that an audit ended with, and no report."""
    assert (ran.status, ran.out) == (2, "")
    return the_line(ran.err)


def test_there_is_no_worker(log: Path, cluster: DaskCluster) -> None:
    line = refused(finish(audit_started(log, log / "export", cluster)))
    assert line == f"the scheduler has no workers at {cluster.address}: nothing is said about the log"


def test_a_worker_of_another_version_is_named(log: Path, cluster: DaskCluster, tmp_path: Path) -> None:
    said = tmp_path / "tallystick-9.9.dist-info"
    said.mkdir()
    (said / "METADATA").write_text("Metadata-Version: 2.1\nName: tallystick\nVersion: 9.9\n")
    worker = cluster.add_worker({"PYTHONPATH": str(tmp_path)})
    line = refused(finish(audit_started(log, log / "export", cluster)))
    worker.kill()
    assert "worker tls://127.0.0.1:" in line
    assert "has tallystick 9.9, and here is 0.1.0: install the same everywhere" in line


def test_a_worker_without_the_folder_is_named(log: Path, cluster: DaskCluster) -> None:
    """The path that is given leads every process to its own working folder."""
    worker = cluster.add_worker()
    line = refused(finish(audit_started(log, "/proc/self/cwd/export", cluster, cwd=log)))
    worker.kill()
    assert "worker tls://127.0.0.1:" in line
    assert "can't read /proc/self/cwd/export: no saved states are there; give every worker the same folder" in line


def test_the_scheduler_is_gone_in_the_middle(log: Path, tmp_path: Path) -> None:
    with dask_cluster(tmp_path) as cluster, serving(log / "export") as server:
        cluster.add_worker()
        server.held = "/tile/entries/000"
        auditing = audit_started(log, server.url, cluster)
        server.wait_until_held(1)
        cluster.kill_scheduler()
        line = refused(finish(auditing))
        server.released.set()
    assert line == f"the scheduler is gone at {cluster.address}: nothing is said about the log"


# ----------------------------------------------------------------------------------- what no process is needed for


class Given:
    """What Dask has of a segment: a result, or what it raises."""

    def __init__(self, came: object) -> None:
        self._came = came

    def result(self, timeout: float) -> object:
        """Give it at once."""
        assert timeout > 0
        if isinstance(self._came, BaseException):
            raise self._came
        return self._came


class Workers(DaskWorkers):
    """A scheduler that isn't there."""

    def __init__(self, *, answers: bool = True) -> None:
        super().__init__("tcp://127.0.0.1:1")
        self._answers = answers

    def has_workers(self) -> bool:
        if not self._answers:
            raise OSError("in <TCP>: connection refused")
        return super().has_workers()


def test_a_segment_that_workers_are_lost_with_is_given_up() -> None:
    """Dask tries it four times; then the audit goes on from there by itself."""
    given = Given(KilledWorker("segment", 4, {}))
    result = DaskPending(ORDER, given, Workers()).result()
    assert result == SegmentResult(3, trouble="four workers were lost with it, one after another")


def test_a_worker_that_came_later_and_is_unfit_is_named() -> None:
    given = Given(Unfit("tcp://10.0.0.9:1", "can't read the export"))
    with pytest.raises(SourceUnreadableError, match=r"^worker tcp://10.0.0.9:1 can't read the export$"):
        DaskPending(ORDER, given, Workers()).result()


@pytest.mark.parametrize(
    ("came", "answers", "why"),
    [
        (CancelledError(), True, "the scheduler is gone at tcp://127.0.0.1:1"),
        (TimeoutError(), False, "the scheduler is gone at tcp://127.0.0.1:1"),
        (TimeoutError(), True, "there is no worker any more at tcp://127.0.0.1:1"),
    ],
)
def test_nobody_is_left(came: Exception, answers: bool, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "WORKERLESS_SECONDS_MAX", -1)
    with pytest.raises(SourceUnreadableError, match=why):
        DaskPending(ORDER, Given(came), Workers(answers=answers)).result()


def test_another_program_of_the_same_version_is_refused(log: Path) -> None:
    source = StaticFolder(log / "export")
    assert unfit_here(source, SCHEMA_SHA256) is None
    assert "other states" in str(unfit_here(source, "0" * 64))


def found(**packages: str | None) -> dict[str, Any]:
    """What Dask finds of a process."""
    return {"packages": {"python": "3.11.7.final.0", "distributed": "2026.8.0", "tallystick": "0.1.0", **packages}}


@pytest.mark.parametrize(
    ("scheduler", "worker", "why"),
    [
        (found(), found(python="3.11.9.final.0"), None),
        (found(), found(tallystick=None), "worker tcp://w has tallystick not installed, and here is 0.1.0"),
        (found(distributed="2026.9.0"), found(), "the scheduler has distributed 2026.9.0, and here is 2026.8.0"),
        (found(), found(python="3.12.1.final.0"), "worker tcp://w has python 3.12, and here is 3.11"),
    ],
)
def test_versions_are_compared(scheduler: dict[str, Any], worker: dict[str, Any], why: str | None) -> None:
    said = other_version({"client": found(), "scheduler": scheduler, "workers": {"tcp://w": worker}})
    assert (said and said.partition(":  ")[0].removesuffix(": install the same everywhere")) == why


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:8786", "http://a:1", "tcp://a", "tcp://a:b", "ws://a:1", "tcp://u@a:1"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a Dask scheduler"):
        DaskWorkers(address)


@pytest.mark.parametrize("options", [(), ("--segments", "--workers", "2")])
def test_it_goes_with_segments_and_without_own_workers(log: Path, options: tuple[str, ...]) -> None:
    words = ("audit", log / "export", "--trust", log / "trust.policy", "--dask", "tcp://127.0.0.1:1")
    assert failed(*words, *options).startswith("--dask has its own workers and audits segments")


def test_without_certificates_there_is_no_tls() -> None:
    with pytest.raises(UsageError, match=r"^tls://127.0.0.1:1 needs certificates, which Dask's own settings name$"):
        DaskWorkers("tls://127.0.0.1:1").submit(ORDER)


def test_there_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "CONNECT_SECONDS_MAX", 0.2)
    with pytest.raises(SourceUnreadableError, match=r"^no Dask scheduler answers at tcp://127.0.0.1:1: Timed out"):
        DaskWorkers("tcp://127.0.0.1:1").submit(ORDER)
