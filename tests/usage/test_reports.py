"""A reconciliation as it is given out: text, JSON, CSV, a workbook, a signed note; the status is 1 while it is open."""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from support.clusters import BEGIN, DAY, Cluster, Job, export
from support.command_line import failed, run
from tallystick.signing.algorithms import SHA256
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import open_note
from tallystick.vouchers.quantities import SECOND_US, format_second

AT = 2 * DAY


def time(second: int) -> str:
    return format_second((BEGIN + second) * SECOND_US)


@pytest.fixture(scope="module")
def cluster(founded: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A log in which job 1 stands in two parts, 3 with fewer seconds, 5 without usage, 7 twice, 8 so far."""
    made = Cluster(tmp_path_factory.mktemp("desk"), founded)
    lines = [
        ("guian/1", 2, time(0), time(400), 400),
        ("guian/1", 2, time(400), time(1_000), 600),
        ("guian/3", 4, time(0), time(600), 540),
        ("guian/5", 1, time(0), time(250), 250),
        ("guian/7", 1, time(0), time(600), 600),
        ("guian/7", 1, time(3_600), time(4_200), 600),
        ("guian/8", 1, time(0), time(300), 300),
    ]
    made.desk.at = time(AT)
    made.desk.submit(made.desk.statement(*lines, ref="s-1"))
    return made


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    jobs = [
        Job("1", 0, 1_000, 2),
        Job("2", 0, 500),
        Job("3", 0, 600, 4),
        Job("7", 0, 600),
        Job("8", 0, 9 * DAY),
        Job("9", 0, 60, account="nobody"),
    ]
    return export(tmp_path / "usage.psv", jobs, 900 + 200)


def test_all_lists_and_sums(cluster: Cluster, usage: Path) -> None:
    ran = cluster.usage("reconcile", usage, at=AT, more=["--json"])
    assert ran.status == 1
    found: dict[str, Any] = ran.json["reconciliation"]
    assert [(one["job"], len(one["lines"])) for one in found["matched"]] == [("guian/1", 2)]
    assert [one["job"] for one in found["missing_in_ledger"]] == ["guian/2"]
    assert [one["job"] for one in found["missing_in_usage"]] == ["guian/5"]
    ((differing,), (more,)) = found["differs"], found["burned_more_than_used"]
    assert [differing[name] for name in ("job", "field", "usage", "ledger")] == ["guian/3", "seconds", 600, 540]
    assert (differing["fee_fen"], differing["usage_fee_fen_at_its_price"]) == (360, 400)
    assert [(one["statement"], one["line"]) for one in more["extra"]] == [("s-1", 5)]
    assert [(one["job"], one["burned_so_far_gpu_milliseconds"]) for one in found["still_running"]] == [
        ("guian/8", 300_000)
    ]
    assert found["accounts_unmapped"] == {"nobody": 60_000}
    assert found["skipped"] == {"account_unmapped": 1, "still_running": 1}
    assert found["open"] == [
        *("missing_in_ledger", "missing_in_usage", "differs", "burned_more_than_used", "account_unmapped")
    ]
    sums = found["sums"]
    assert sums["usage_finished_gpu_milliseconds"] == 2_000_000 + 500_000 + 2_400_000 + 600_000
    assert sums["ledger_standing_gpu_milliseconds"] == 2_000_000 + 2_160_000 + 250_000 + 1_200_000 + 300_000
    assert sums["matched_gpu_milliseconds"] == 2_000_000
    assert (found["files"][0]["sha256"], found["files"][0]["bytes"]) == (
        hashlib.sha256(usage.read_bytes()).hexdigest(),
        len(usage.read_bytes()),
    )
    assert found["window"] == {"from": None, "until": None}


def test_as_text(cluster: Cluster, usage: Path) -> None:
    out = cluster.usage("reconcile", usage, at=AT).out
    assert "1 missing in the ledger" in out
    assert out.splitlines()[-1].startswith("open: missing_in_ledger, missing_in_usage, differs, burned_more_than_used")


def test_a_window_without_what_is_wrong_is_in_order(cluster: Cluster, tmp_path: Path) -> None:
    """By the day of each end; the exports that are named must cover it."""
    file = export(tmp_path / "u.psv", [], DAY)
    ran = cluster.usage("reconcile", file, at=AT, more=["--from", "2026-01-10", "--until", "2026-01-20"])
    assert (ran.status, ran.out.splitlines()[-1]) == (0, "nothing is open")
    windows = ["--window", "2026-01-11..2026-01-20"]
    words = ["--from", "2026-01-10", "--until", "2026-01-20", *windows, "--json"]
    found = cluster.usage("reconcile", file, at=AT, more=words).json["reconciliation"]
    assert (found["open"], found["gaps"]) == (
        ["gaps"],
        [{"from": "2026-01-09T16:00:00.000000Z", "until": "2026-01-10T16:00:00.000000Z"}],
    )


@pytest.mark.parametrize("ending", [".json", ".csv", ".xlsx"])
def test_a_file_has_the_same_bytes_each_time_and_a_note_of_its_hash(
    cluster: Cluster, usage: Path, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"report{ending}"
    key = cluster.desk.key("guian-cluster/desk")
    written = []
    for _ in range(2):
        assert cluster.usage("reconcile", usage, at=AT, more=["-o", out, "--sign", key]).status == 1
        written.append(out.read_bytes())
        out.unlink()
    data, again = written
    assert data == again
    verifier = VerifierKey.from_text(cluster.desk.vkey("guian-cluster/desk"))
    note, _ = open_note((tmp_path / f"report{ending}.note").read_bytes(), [verifier])
    said = json.loads(note.text)
    assert said["kind"] == "note/reconciliation/1"
    assert said["report_hash"] == SHA256.of(data)
    if ending == ".csv":
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        assert [row["job"] for row in rows if row["list"] == "missing_in_usage"] == ["guian/5"]
    if ending == ".xlsx":
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        assert book.sheet_names[:3] == ["summary", "sums", "totals"]
        (heading, row) = book.get_sheet_by_name("differs").to_python()
        assert dict(zip(heading, row, strict=True))["ledger GPU-hours"] == 2_160_000 / 3_600_000


def test_what_is_asked_wrongly_is_said_in_a_line(cluster: Cluster, usage: Path, tmp_path: Path) -> None:
    words = cluster.words("reconcile", usage, at=AT)
    assert "one of .json, .csv, .xlsx" in failed(*words, "-o", tmp_path / "x.pdf")
    assert "say which with -o FILE" in failed(*words, "--sign", tmp_path / "key.pem")
    assert "is given 2 times for 1 files" in failed(*words, "--window", "2026-01-01..2026-01-02", "--window", "x..y")
    assert "is not TIME..TIME" in failed(*words, "--window", "2026-01-01")
    assert "no format of usage" in failed(*["xls" if word == "slurm-psv" else word for word in words])
    assert "No such file" in failed(*words, "--payments", tmp_path / "nothing.csv")


def test_an_export_of_the_log_does_as_well(cluster: Cluster, usage: Path, tmp_path: Path) -> None:
    """For an auditor, who has no key."""
    assert run("export", cluster.desk.ledger, tmp_path / "public").status == 0
    words = cluster.words("reconcile", usage, at=AT, more=["--json"])
    found = run(*words, "--source", tmp_path / "public").json["reconciliation"]
    assert found["open"] == run(*words).json["reconciliation"]["open"]
