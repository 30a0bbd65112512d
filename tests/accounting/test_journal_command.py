"""`tallystick journal` and `balances --by account`: programs that others wrote read the first, and find the second."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import data, realization

from support.command_line import done, failed, finish, run, start
from tallystick.publishing import read_ledger

TEXTS = ("hledger", "beancount")

CHART = """
[default]
code = "1999"
name = "Other"

[accounts]
"assets:unissued" = { code = "1002.01", name = "未发放额度" }
"assets:vouchers" = { code = "1132", name = "Vouchers" }
"assets:vouchers:reserved:shanghai:compute-2026:maker-a" = { code = "1132.07", name = "Reserved, maker a" }
"""


@pytest.fixture(scope="session")
def journals(small_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small ledger's journal, in each format."""
    folder = tmp_path_factory.mktemp("journals")
    made = {}
    for name in TEXTS:
        made[name] = folder / f"j.{name}"
        said = done("journal", small_ledger, "--format", name, "-o", made[name])
        assert " transactions, after " in said
    return made


def balances(ledger: Path, *arguments: object) -> dict[str, dict[str, str]]:
    """Rows by account, as CSV has them."""
    text = done("balances", ledger, "--by", "account", "--csv", *arguments)
    rows = {row["account"]: row for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}
    assert rows
    return rows


def read_by_beancount(path: Path) -> tuple[dict[str, Decimal], list[Any]]:
    """Balances by account, and the directives; it must find nothing to complain about."""
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    found = {}
    for account in realization.iter_children(realization.realize(entries)):  # type: ignore[no-untyped-call]
        amounts = [position.units.number for position in account.balance]
        assert len(amounts) <= 1
        if account.txn_postings:
            found[account.account] = amounts[0] if amounts else Decimal(0)
    return found, entries


def test_beancount_finds_the_balances(small_ledger: Path, journals: dict[str, Path]) -> None:
    """Every account, to the fen and the GPU-millisecond; and its own checks pass."""
    found, entries = read_by_beancount(journals["beancount"])
    said = balances(small_ledger)
    assert {row["beancount_account"]: Decimal(row["balance"]) for row in said.values()} == found
    for row in said.values():
        if row["commodity"] == "CNY":
            assert Decimal(row["balance"]) * 100 == int(row["balance_fen"])
        else:
            assert round(Decimal(row["balance"]) * 3_600_000) == int(row["gpu_milliseconds"])
    checked = {one.account for one in entries if isinstance(one, data.Balance)}
    assert checked == set(found)


def test_a_transaction_says_which_entry_it_is(small_ledger: Path, journals: dict[str, Path]) -> None:
    """Its index, reference and hash, its day in the network's zone, and when a line is booked."""
    _, entries = read_by_beancount(journals["beancount"])
    transactions = [one for one in entries if isinstance(one, data.Transaction)]
    assert len(transactions) > 20
    with read_ledger(small_ledger) as reader:
        for one in transactions:
            index = int(one.meta["entry"])
            event = reader.parsed_entry(index).event
            assert one.meta["hash"] == reader.leaf_hashes(index, index + 1)[0].hex()
            assert (one.payee, one.meta["ref"], one.narration) == (event.command.party, event.command.ref, event.kind)
            local = datetime.fromisoformat(one.meta["at"]) + timedelta(seconds=reader.utc_offset_seconds())
            assert one.date == local.date()
    vouchers = {p.meta.get("voucher") for one in transactions for p in one.postings if p.meta is not None}
    assert {"shanghai/v1", "maker-a/part-1", "shanghai/v6"} < vouchers
    booked = [p.meta for one in transactions for p in one.postings if p.meta is not None and "booked" in p.meta]
    assert booked
    text = journals["hledger"].read_text()
    assert f"date2:{booked[0]['booked']}" in text


def test_what_is_asserted_can_fail(journals: dict[str, Path], tmp_path: Path) -> None:
    """A balance that is a fen off is found."""
    text = journals["beancount"].read_text()
    changed = tmp_path / "changed.beancount"
    lines = text.splitlines()
    place = next(place for place, line in enumerate(lines) if " balance " in line and "CNY" in line)
    lines[place] = lines[place].replace(" ~ 0 CNY", "1 ~ 0 CNY")
    changed.write_text("\n".join(lines))
    _, errors, _ = loader.load_file(str(changed))
    assert len(errors) == 1


def test_a_period_begins_with_what_lay_there(small_ledger: Path, journals: dict[str, Path], tmp_path: Path) -> None:
    """Of each day: the balances at the end are those of the whole journal up to it."""
    _, entries = read_by_beancount(journals["beancount"])
    days = sorted({one.date for one in entries if isinstance(one, data.Transaction)})
    for first, last in ((days[2], days[-3]), (days[0], days[0]), (days[-1] + timedelta(days=9), date(2099, 1, 1))):
        path = tmp_path / f"{first}.beancount"
        done("journal", small_ledger, "--format", "beancount", "-o", path, "--from", first, "--until", last)
        found, of_period = read_by_beancount(path)
        said = balances(small_ledger, "--as-of", last)
        expected = {row["beancount_account"]: Decimal(row["balance"]) for row in said.values()}
        assert {name: amount for name, amount in found.items() if amount} == {k: v for k, v in expected.items() if v}
        assert all(one.date >= first for one in of_period if not isinstance(one, data.Commodity))


def test_balances_are_of_then(small_ledger: Path) -> None:
    """By an entry's index, by a day that lines are booked on; as JSON and as a table."""
    early = balances(small_ledger, "--as-of", 60)
    late = balances(small_ledger)
    assert early != late
    assert set(early) < set(late)
    said = run("balances", small_ledger, "--by", "account", "--as-of", 60, "--json").json
    assert (said["by"], said["entries"]) == ("account", 61)
    assert [row["account"] for row in said["balances"]] == list(early)
    assert sum(row["balance_fen"] or 0 for row in said["balances"]) == 0
    table = done("balances", small_ledger, "--by", "account", "--wide")
    assert f"{late['assets:unissued:shanghai:compute-2026']['balance']}  CNY" in table
    for day in ("2026-01-06", "2026-01-20"):
        programmes = json.loads(run("balances", small_ledger, "--day", day, "--json").out)["balances"]
        by_day = json.loads(run("balances", small_ledger, "--by", "account", "--day", day, "--json").out)["balances"]
        for place, name in (("expenses:used:unclaimed:", "burned_fen"), ("assets:vouchers:reserved:", "reserved_fen")):
            assert sum(row["balance_fen"] for row in by_day if row["account"].startswith(place)) == sum(
                row[name] for row in programmes
            )


def test_lines_have_their_jobs(small_ledger: Path, tmp_path: Path, journals: dict[str, Path]) -> None:
    """GPU-time by line: the same balances, and each job's own."""
    path = tmp_path / "summed.beancount"
    done("journal", small_ledger, "--format", "beancount", "-o", path, "--summed")
    by_line, entries = read_by_beancount(journals["beancount"])
    assert by_line == read_by_beancount(path)[0]
    assert "job:" not in path.read_text()
    jobs = [
        (posting.meta["job"], int(posting.meta["gpu_ms"]), posting.units.number or Decimal(0))
        for one in entries
        if isinstance(one, data.Transaction)
        for posting in one.postings
        if posting.units and posting.meta and "job" in posting.meta and posting.account.startswith("Expenses")
    ]
    assert len({job for job, _, _ in jobs}) > 2
    assert any(gpu_ms < 0 for _, gpu_ms, _ in jobs)
    assert all(abs(hours * 3_600_000 - gpu_ms) < 1 for _, gpu_ms, hours in jobs)


def test_a_chart_of_accounts_names_them(small_ledger: Path, tmp_path: Path) -> None:
    """The longest line that fits counts; what several accounts have is summed under their code."""
    chart = tmp_path / "chart.toml"
    chart.write_text(CHART)
    path = tmp_path / "j.beancount"
    done("journal", small_ledger, "--format", "beancount", "-o", path, "--accounts", chart)
    found, _ = read_by_beancount(path)
    said = balances(small_ledger)

    def sum_of(beginning: str) -> Decimal:
        return sum((Decimal(row["balance"]) for name, row in said.items() if name.startswith(beginning)), Decimal(0))

    reserved = "assets:vouchers:reserved:shanghai:compute-2026:maker-a"
    assert found["Assets:1002-01"] == sum_of("assets:unissued:")
    assert found["Assets:1132-07"] == Decimal(said[reserved]["balance"])
    assert found["Assets:1132"] == sum_of("assets:vouchers:") - found["Assets:1132-07"]
    assert found["Expenses:1999"] == sum_of("expenses:used:")
    assert found["Equity:1999"] == sum_of("equity:envelope:")
    assert {name for name in found if "1" not in name} == {
        row["beancount_account"] for row in said.values() if row["commodity"] == "GPUH" and "1" not in row["account"]
    }
    text = run("journal", small_ledger, "--format", "hledger", "--accounts", chart).out
    assert "    assets:1002.01 未发放额度  " in text


def test_gpu_time_is_kept_apart_from_money(small_ledger: Path, tmp_path: Path) -> None:
    """A line of a whole kind of account is of its money alone; one that names GPU-time sums that."""
    chart, path = tmp_path / "chart.toml", tmp_path / "j.beancount"
    chart.write_text(
        '[default]\ncode = "1"\nname = "Other"\n[accounts]\nequity = { code = "3", name = "Equity" }\n'
        'expenses = { code = "5", name = "Expenses" }\n"expenses:gpu-time" = { code = "7", name = "GPU-hours" }\n'
    )
    done("journal", small_ledger, "--format", "beancount", "-o", path, "--accounts", chart)
    found, _ = read_by_beancount(path)
    said = balances(small_ledger)
    time = sum(Decimal(row["balance"]) for name, row in said.items() if name.startswith("expenses:gpu-time"))
    money = sum(Decimal(row["balance"]) for name, row in said.items() if name.startswith("expenses:used"))
    assert (found["Expenses:7"], found["Expenses:5"]) == (time, money)
    assert {name for name in found if name.startswith("Equity:Gpu-time:")}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[accounts", "is no TOML file in UTF-8"),
        ("", "has no [accounts]"),
        ("[other]", "unknown key 'other'"),
        ('[accounts]\n"assets:unissued" = "1"', "an account has a code and a name"),
        ('[accounts]\n"assets:unissued" = {code="1", name="a", type="b"}', "unknown key 'type'"),
        ('[accounts]\n"assets:unissued" = {code="1"}', "both texts"),
        ('[accounts]\n"assets:unissued" = {code=1, name="a"}', "both texts"),
        ('[accounts]\n"assets:unissued" = {code="a1", name="a"}', "begins with a digit"),
        ('[accounts]\n"assets:unissued" = {code="1:2", name="a"}', "begins with a digit"),
        ('[accounts]\n"assets:unissued" = {code="1", name="a  b"}', "single blanks"),
        ('[accounts]\n"assets:unissued" = {code="1", name="a;b"}', "none of"),
        ('[accounts]\n"assets:unissued" = {code="1", name="a\\nb"}', "single blanks"),
        ('[accounts]\n"assets:unisued" = {code="1", name="a"}', "there is no account 'assets:unisued'"),
        ('[accounts]\n"assets:unissued:a:b:c" = {code="1", name="a"}', "there is no account"),
        ('[accounts]\n"assets:unissued:" = {code="1", name="a"}', "there is no account"),
        (
            '[accounts]\n"assets:unissued" = {code="1", name="a"}\nequity = {code="1", name="b"}',
            "the code 1 has two names: a, b",
        ),
        (
            '[default]\ncode="9"\nname="z"\n[accounts]\n"expenses:gpu-time" = {code="9", name="z"}',
            "the code 9 is of money and of GPU-time",
        ),
        (
            '[accounts]\n"assets:unissued" = {code="1.2", name="a"}\nequity = {code="1-2", name="a"}',
            "the codes 1.2 and 1-2 can't be told apart",
        ),
        ('[accounts]\n"assets:unissued" = {code="1", name="a"}', "has no line for equity:envelope:shanghai:"),
        (
            '[default]\ncode="9"\nname="z"\n[accounts]\n"assets:unissued:shangai" = {code="1", name="a"}',
            "names shangai, which isn't in the log",
        ),
        (
            '[default]\ncode="9"\nname="z"\n[accounts]\n"assets:unissued:shanghai:x" = {code="1", name="a"}',
            "names shanghai/x, which isn't in the log",
        ),
        (
            '[default]\ncode="9"\nname="z"\n[accounts]\n"expenses:gpu-time:guyan" = {code="1", name="a"}',
            "names guyan, which isn't in the log",
        ),
    ],
)
def test_a_chart_with_a_fault_is_refused(small_ledger: Path, tmp_path: Path, text: str, complaint: str) -> None:
    """In one line, and no journal is left behind."""
    chart, path = tmp_path / "chart.toml", tmp_path / "j"
    chart.write_text(text)
    said = failed("journal", small_ledger, "--format", "hledger", "-o", path, "--accounts", chart)
    assert complaint in said
    assert str(chart) in said
    assert [one.name for one in tmp_path.iterdir()] == ["chart.toml"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["{ledger}", "--format", "ledger-cli"], "ledger-cli"),
        (["{ledger}"], "--format"),
        (["{ledger}", "--format", "hledger", "--from", "2026-13-01"], "is not a day"),
        (["{ledger}", "--format", "hledger", "--from", "2026-02-02", "--until", "2026-02-01"], "is after --until"),
        (["{ledger}", "--format", "hledger", "--as-of", "100000"], "there is no entry 100000"),
        (["{ledger}", "--format", "hledger", "--accounts", "{folder}/none"], "none"),
        (["{folder}", "--format", "hledger"], "is not a ledger"),
        (["{ledger}", "--format", "hledger", "-o", "{folder}/no/such"], "there is no folder"),
        (
            ["{ledger}", "--format", "hledger", "-o", "{folder}/other"],
            "holds something else than a journal for hledger",
        ),
        (["{ledger}", "--format", "hledger", "--key", "{folder}/other"], "is no service"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    small_ledger: Path, tmp_path: Path, words: list[str], complaint: str
) -> None:
    """What lies there stays."""
    (tmp_path / "other").write_text("mine")
    assert complaint in failed("journal", *[word.format(ledger=small_ledger, folder=tmp_path) for word in words])
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"other": "mine"}


def test_a_journal_replaces_its_own_kind(small_ledger: Path, tmp_path: Path) -> None:
    """A journal of the same format is replaced, any other file with --force alone."""
    path = tmp_path / "j"
    done("journal", small_ledger, "--format", "hledger", "-o", path, "--as-of", 60)
    done("journal", small_ledger, "--format", "hledger", "-o", path)
    failed("journal", small_ledger, "--format", "beancount", "-o", path)
    done("journal", small_ledger, "--format", "beancount", "-o", path, "--force")


@pytest.mark.parametrize("name", TEXTS)
def test_two_processes_write_the_same_bytes(small_ledger: Path, journals: dict[str, Path], name: str) -> None:
    """Nothing in it is of the machine, the clock or the order of a set."""
    again = finish(
        start("journal", small_ledger, "--format", name, env_more={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    )
    assert (again.status, again.out) == (0, journals[name].read_text())
    assert "transactions, after" in again.err


def test_an_export_gives_the_same_journal(small_ledger: Path, journals: dict[str, Path], tmp_path: Path) -> None:
    """What is published is enough."""
    done("export", small_ledger, tmp_path / "public")
    assert run("journal", tmp_path / "public", "--format", "hledger").out == journals["hledger"].read_text()


def test_a_journal_of_little(small_ledger: Path) -> None:
    """Of entries that move nothing there is a heading, which the programs read."""
    for name in TEXTS:
        text = run("journal", small_ledger, "--format", name, "--as-of", 0).out
        assert text.count("CNY") == (1 if name == "hledger" else 2)
    assert done("balances", small_ledger, "--by", "account", "--csv", "--as-of", 0).count("\n") == 1
