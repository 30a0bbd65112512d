"""hledger, as Debian has it, checks the journals strictly and finds the balances that `tallystick balances` says."""

import csv
import io
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from support.command_line import done
from support.small_ledger import write_small_ledger

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small ledger, and beside it the demo's year with some of its jobs."""
    folder = tmp_path_factory.mktemp("hledger")
    write_small_ledger(folder / "small")
    done("demo", folder / "demo", "--limit", 2000)  # jobs; `make bench` has a large journal
    return folder


def hledger(path: Path, *words: str) -> str:
    """Run hledger on a journal; it must be content."""
    command = ["hledger", "-f", str(path), *words]
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, env={"LANG": "C.UTF-8", "PATH": "/usr/bin"}
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr[:2_000]
    return ran.stdout


@pytest.mark.parametrize(
    ("name", "options"),
    [("small", ()), ("small", ("--summed",)), ("small", ("--from", "2026-01-07")), ("demo", ("--from", "2025-12-01"))],
)
def test_every_balance_is_the_ledgers(ledger: Path, name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """Account by account, to the fen and the GPU-millisecond."""
    path = tmp_path / "j.journal"
    done("journal", ledger / name, "--format", "hledger", "-o", path, *options)
    hledger(path, "check", "--strict")
    rows = csv.DictReader(io.StringIO(hledger(path, "balance", "--flat", "--empty", "--no-total", "-O", "csv")))
    found = {row["account"]: Decimal(row["balance"].split()[0]) for row in rows}
    text = done("balances", ledger / name, "--by", "account", "--csv").removeprefix("\ufeff")
    said = {row["account"]: Decimal(row["balance"]) for row in csv.DictReader(io.StringIO(text))}
    assert {account: amount for account, amount in found.items() if amount} == {k: v for k, v in said.items() if v}


def test_what_is_asserted_can_fail(ledger: Path, tmp_path: Path) -> None:
    """A balance that is a fen off is found; and an account that isn't declared."""
    path = tmp_path / "j.journal"
    done("journal", ledger / "small", "--format", "hledger", "-o", path)
    text = path.read_text()
    for old, new in ((" = -", " = -1"), ("\naccount ", "\n; account ")):
        path.write_text(text.replace(old, new, 1))
        ran = subprocess.run(["hledger", "-f", str(path), "check", "--strict"], check=False, capture_output=True)
        assert ran.returncode != 0


def test_gpu_time_is_virtual(ledger: Path, tmp_path: Path) -> None:
    """`--real` has money alone, and `--date2` goes by the day on which lines are booked."""
    path = tmp_path / "j.journal"
    done("journal", ledger / "small", "--format", "hledger", "-o", path)
    assert "GPUH" in hledger(path, "balance")
    assert "GPUH" not in hledger(path, "balance", "--real")
    assert hledger(path, "print", "--date2") != ""
