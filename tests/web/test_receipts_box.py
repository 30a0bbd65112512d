"""An auditor's box: receipts come over HTTP, are proved and kept durably, and an audit names a log that forks."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from support.command_line import done, finish, start
from support.log_server import Time, serving_log
from support.small_ledger import LOG_KEY, POLICY, write_small_ledger
from tallystick.audit import FindingCode, audit
from tallystick.client import Client
from tallystick.client.auditors import Auditors
from tallystick.ledger import open_ledger
from tallystick.publishing import read_ledger
from tallystick.serving.server import Place, running
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt
from tallystick.vouchers.quantities import SECOND_US
from tallystick.web.receipts_box import ReceiptsBox, body_limit, receipts_app

TYPE = {"Content-Type": "text/x.tlog-proof"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "ledger"
    write_small_ledger(folder)
    return folder


@contextmanager
def box_at(folder: Path, policy: Policy | None = POLICY, **room: int) -> Iterator[str]:
    """Serve a box until the block ends, and give its URL."""
    with running(receipts_app(ReceiptsBox(folder, policy, **room)), body_limit=body_limit) as server:
        yield server.url


def receipt_of(ledger: Path, index: int) -> Receipt:
    with read_ledger(ledger) as reader:
        return reader.receipt(index)


def post(url: str, data: bytes, **headers: str) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/receipts", content=data, headers=TYPE | headers)


def test_a_log_that_forks_is_named_from_receipts_that_came_by_http_alone(written: Path, tmp_path: Path) -> None:
    """Two parties submit, each to another history of one log; neither knows, nor does anything for it."""
    one, other = (Path(shutil.copytree(written, tmp_path / name)) for name in ("one", "other"))
    with read_ledger(one) as reader:
        time = Time(reader.state().at + SECOND_US)
    with box_at(tmp_path / "box") as auditor:
        for folder in (one, other):
            with (
                open_ledger(folder, LOG_KEY, clock=time) as ledger,
                serving_log(folder, ledger, time) as service,
                Client(service.url, POLICY, auditor_urls=[auditor]) as client,
            ):
                client.submit([time.note() for _ in range(3)])
                client.submit(time.note())
                assert client.auditor_troubles == ()
    assert len([*(tmp_path / "box").iterdir()]) == 4
    for folder in (one, other):
        report = audit(folder, POLICY, receipts=[tmp_path / "box"])
        assert {finding.code for finding in report.findings} == {FindingCode.RECEIPT_CONTRADICTED}
    assert audit(one, POLICY).is_clean


def test_a_receipt_is_kept_once_as_it_came(written: Path, tmp_path: Path) -> None:
    receipt = receipt_of(written, 3).to_bytes()
    with box_at(tmp_path / "box") as url:
        first, again = post(url, receipt), post(url, receipt)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["kept"] == again.json()["kept"]
    assert (first.json()["is_new"], again.json()["is_new"]) == (True, False)
    [kept] = (tmp_path / "box").iterdir()
    assert kept.read_bytes() == receipt
    with box_at(tmp_path / "box") as url:  # after a restart
        assert post(url, receipt).status_code == 200


def test_what_proves_nothing_is_not_kept(written: Path, tmp_path: Path) -> None:
    receipt = receipt_of(written, 3)
    other = receipt_of(written, 4)
    without = Receipt(receipt.index, receipt.proof, receipt.checkpoint_note)
    moved = Receipt(receipt.index, receipt.proof, receipt.checkpoint_note, other.entry)
    unsigned = receipt.to_bytes()[:-8] + b"AAAA" + receipt.to_bytes()[-4:]
    sent = [b"", b"nonsense", b"\xff" * 100, without.to_bytes(), moved.to_bytes(), unsigned, receipt.to_bytes()[:-1]]
    with box_at(tmp_path / "box") as url:
        for data in sent:
            answer = post(url, data)
            assert answer.status_code in (400, 422), data
            assert answer.headers["Content-Type"] == "application/problem+json"
        assert post(url, bytes(RECEIPT_SIZE_MAX + 1)).status_code == 413
        assert httpx2.get(f"{url}/v1/receipts").status_code == 405
        assert httpx2.get(f"{url}/elsewhere").status_code == 404
        assert httpx2.get(f"{url}/livez").status_code == 200
    assert [*(tmp_path / "box").iterdir()] == []


def test_without_a_policy_any_receipt_is_kept_and_nothing_else(written: Path, tmp_path: Path) -> None:
    receipt = receipt_of(written, 3)
    without = Receipt(receipt.index, receipt.proof, receipt.checkpoint_note)
    with box_at(tmp_path / "box", None) as url:
        assert post(url, without.to_bytes()).status_code == 201
        assert post(url, b"nonsense").status_code == 400


def test_a_box_that_is_full_says_so_and_the_receipt_waits_with_the_client(written: Path, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with box_at(tmp_path / "box", receipts_max=1) as url:
        assert post(url, receipt_of(written, 3).to_bytes()).status_code == 201
        full = post(url, receipt_of(written, 4).to_bytes())
        assert (full.status_code, full.json()["reason"]) == (503, "service_busy")
        assert "Retry-After" in full.headers
        auditors = Auditors([url], outbox, None)
        auditors.post(receipt_of(written, 4))
        assert "the box holds 1 receipts" in auditors.troubles[0]
        assert auditors.send_outbox() == 1
        auditors.close()
    with box_at(tmp_path / "full", disk_bytes_left=2**62) as url:
        assert "the disk of the box is nearly full" in post(url, receipt_of(written, 4).to_bytes()).text
    [waiting] = outbox.glob("*/*.tlog-proof")
    assert waiting.read_bytes() == receipt_of(written, 4).to_bytes()


def test_what_waited_is_posted_when_the_auditor_is_back(written: Path, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with box_at(tmp_path / "box") as url:
        port = int(url.rpartition(":")[2])
    auditors = Auditors([url], outbox, None)
    for index in (3, 4):
        auditors.post(receipt_of(written, index))
    troubles = auditors.troubles
    assert len(troubles) == 1
    assert len([*outbox.glob("*/*")]) == 2
    box = ReceiptsBox(tmp_path / "box", POLICY)
    with running(receipts_app(box), Place(port=port), body_limit=body_limit):
        assert auditors.send_outbox() == 0
        assert not auditors.troubles
    auditors.close()
    assert [*outbox.glob("*/*")] == []
    assert {path.read_bytes() for path in (tmp_path / "box").iterdir()} == {
        receipt_of(written, index).to_bytes() for index in (3, 4)
    }


def test_an_auditor_that_is_gone_fails_no_submit(written: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(written, tmp_path / "ledger"))
    with read_ledger(folder) as reader:
        time = Time(reader.state().at + SECOND_US)
    with box_at(tmp_path / "box") as gone:
        pass
    with (
        open_ledger(folder, LOG_KEY, clock=time) as ledger,
        serving_log(folder, ledger, time) as service,
        Client(service.url, POLICY, auditor_urls=[gone], outbox=tmp_path / "outbox") as client,
    ):
        assert client.submit(time.note()).is_new
        assert "Connection refused" in client.auditor_troubles[0]
        assert client.send_outbox() == 1


def test_the_command_serves_a_folder_until_it_is_told_to_stop(written: Path, tmp_path: Path) -> None:
    box, policy = tmp_path / "box", tmp_path / "trust.policy"
    policy.write_bytes(POLICY.to_text())
    process = start("receipts", "serve", box, "--trust", policy, "--port", "0")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert post(url, receipt_of(written, 3).to_bytes()).status_code == 201
    process.send_signal(signal.SIGTERM)
    ended = finish(process)
    assert ended.status == 0
    assert "POST /v1/receipts 201" in ended.err
    assert "clean" in done("audit", written, "--trust", policy, "--receipts", box)
