"""A story told with the command line alone: from the founding of a network to a claim paid, audited and proven."""

from pathlib import Path
from typing import Any

import pytest

from support.command_line import ORIGIN, Desk, done, failed, run

VOUCHER = "shanghai-treasury/v-1"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The desk at the end of the story; what is on the way is asserted on the way."""
    desk = Desk(tmp_path_factory.mktemp("story"))
    desk.found()
    desk.open_programme()
    burn(desk)
    claim_and_pay(desk)
    return desk


def burn(desk: Desk) -> None:
    """The provider checks before it runs a job, and burns when it has."""
    morning = ("2026-01-06T01:00:00Z", "2026-01-06T09:00:00Z", 28_800)
    desk.at = "2026-01-06T09:00:00Z"
    planned = desk.statement(("job-1", 8, *morning), ("job-2", 2_000, *morning), ref="stmt-1")

    early = run("check", desk.ledger, planned, "--log-time", "2026-01-06T08:56:00Z")
    assert early.status == 0
    assert early.out.count("refused: job_time_in_the_future") == 2

    size = desk.size
    checked = run("check", desk.ledger, planned, "--log-time", desk.at, "--json").json
    assert desk.size == size
    submitted = run(
        "submit", desk.ledger, planned, "--log-time", desk.at, "--receipts", desk.folder / "receipts", "--json"
    ).json
    assert [line["accepted"] for line in submitted["notes"][0]["lines"]] == [True, False]
    assert submitted["notes"][0]["lines"] == checked["notes"][0]["lines"]
    assert (
        submitted["notes"][0]["lines"][0] | {"paid_fen": 19_200, "absorbed_fen": 0, "fee_fen": 38_400}
        == (submitted["notes"][0]["lines"][0])
    )
    assert submitted["notes"][0]["lines"][1]["reason"] == "exceeds_reservation"


def claim_and_pay(desk: Desk) -> None:
    """What was burned is claimed when the days are over, and paid; a part of that is asked back."""
    claim: dict[str, Any] = {"claim": "guian-cluster/2026-01", "programme": "shanghai-treasury/compute-2026"}
    days: dict[str, Any] = {"last_day": "2026-01-31"}
    early = desk.submit(desk.sign("redemption.claim", "guian-cluster", **claim, **days), status=1)
    assert "refused: claim_period_not_over" in early.out
    assert "later" in early.out
    desk.at = "2026-02-01T00:00:00Z"
    assert "amount 192.00" in desk.do("redemption.claim", "guian-cluster", **claim, **days)
    desk.do(
        "redemption.settle",
        "shanghai-treasury",
        claim=claim["claim"],
        rows=[{"contract": "acme-ai/k-1", "paid_fen": 19_200}],
        payment={"amount_fen": 19_200, "day": "2026-02-01", "reference": "ICBC 2026-0201-77"},
    )
    desk.do(
        "recovery.demand",
        "shanghai-treasury",
        demand="shanghai-treasury/back-1",
        programme=claim["programme"],
        payee="guian-cluster",
        amount_fen=200,
        reason="a job was never run",
        evidence_hash=f"sha256:{'ab' * 32}",
    )


def test_the_balances_are_what_happened(told: Desk) -> None:
    """Fen by fen, now and as of an entry before."""
    row = run("balances", told.ledger, "--json").json["balances"][0]
    expected = {"unissued_fen": 350_000_000, "available_fen": 149_000_000, "reserved_fen": 980_800, "paid_fen": 19_000}
    assert {name: row[name] for name in expected} == expected
    assert row["receivable_fen"] == 200
    before = run("balances", told.ledger, "--json", "--as-of", "2026-01-05T08:00:00Z").json["balances"][0]
    assert (before["reserved_fen"], before["paid_fen"]) == (1_000_000, 0)
    assert (
        run("balances", told.ledger, "--json", "--as-of", "2026-01-05T08:00:00.000000Z").json["balances"][0] == before
    )


@pytest.mark.parametrize(
    "by", ["programme", "holder", "provider", "voucher", "contract", "claim", "demand", "payee", "treasury"]
)
def test_balances_come_as_table_json_and_csv(told: Desk, by: str) -> None:
    """The same rows; amounts in yuan for people and in fen for programs."""
    rows = run("balances", told.ledger, "--by", by, "--json").json["balances"]
    assert rows
    header, *lines = done("balances", told.ledger, "--by", by, "--csv").removeprefix("\ufeff").splitlines()
    assert header.split(",") == list(rows[0])
    assert len(lines) == len(rows)
    table = done("balances", told.ledger, "--by", by)
    assert "fen" not in table
    shown = {"programme": "3,500,000.00", "treasury": "3,500,000.00", "contract": "384.00", "demand": "2.00"}
    assert (shown | dict.fromkeys(("provider", "claim", "payee"), "192.00")).get(by, "1,490,000.00") in table


@pytest.mark.parametrize(
    ("what", "id_"),
    [
        ("voucher", VOUCHER),
        ("holder", "acme-ai"),
        ("programme", "shanghai-treasury/compute-2026"),
        ("provider", "guian-cluster"),
        ("contract", "acme-ai/k-1"),
        ("party", "guian-cluster"),
        ("treasury", "shanghai-treasury"),
    ],
)
def test_everything_can_be_shown(told: Desk, what: str, id_: str) -> None:
    """For people and as JSON, now and as of an entry."""
    assert done("show", told.ledger, what, id_).startswith(f"{what} {id_}\n")
    assert run("show", told.ledger, what, id_, "--json").json[what]
    assert run("show", told.ledger, what, id_, "--json", "--as-of", "9").json[what]


def test_up_to_a_day_and_as_of_an_entry(told: Desk) -> None:
    """A line of the 6th counts on the 6th; what the log knew before its entry is another question."""
    size = told.size
    shown = done("show", told.ledger, "programme", "shanghai-treasury/compute-2026", "--day", "2026-01-06")
    assert f"after {size} entries, what is booked up to 2026-01-06, in yuan" in shown
    for options, burned_fen in (
        (("--day", "2026-01-05"), 0),
        (("--day", "2026-01-06"), 19_200),
        (("--day", "2026-01-06", "--as-of", "9"), 0),
    ):
        (row,) = run("balances", told.ledger, "--json", *options).json["balances"]
        assert row["burned_fen"] == burned_fen
    assert "'yesterday' is not a day like 2026-01-05" in failed("balances", told.ledger, "--day", "yesterday")
    assert "leave --day out" in failed("show", told.ledger, "entry", "1", "--day", "2026-01-06")


def test_a_day_that_the_log_has_not_reached_is_said_to_be_so(told: Desk) -> None:
    """On standard error; the answer is what was known."""
    ran = run("balances", told.ledger, "--day", "2030-01-01")
    assert ran.status == 0
    assert "this is what was known then, not at 2030-01-01" in ran.err


def test_a_claim_and_a_demand_are_shown_to_the_fen(told: Desk) -> None:
    """What was paid of each contract, and what is left to come back."""
    found = run("show", told.ledger, "claim", "guian-cluster/2026-01", "--json").json["claim"]
    assert (found["balance"]["paid_fen"], found["balance"]["payment_reference"]) == (19_200, "ICBC 2026-0201-77")
    row = {"contract": "acme-ai/k-1", "claimed_fen": 19_200, "paid_fen": 19_200, "withheld_fen": 0, "reason": None}
    assert found["rows"] == [row]
    assert "acme-ai/k-1" in done("show", told.ledger, "claim", "guian-cluster/2026-01")
    asked = run("show", told.ledger, "demand", "shanghai-treasury/back-1", "--json").json["demand"]
    assert (asked["balance"]["left_fen"], asked["acts"]) == (200, [])
    assert "a job was never run" in done("show", told.ledger, "demand", "shanghai-treasury/back-1")


def test_the_audit_is_clean(told: Desk, tmp_path: Path) -> None:
    """From the ledger and from an export of it, with the same report."""
    said = done("audit", told.ledger, "--trust", told.policy, "--report", tmp_path / "one.json")
    assert said.startswith("verdict: clean\n")
    assert ORIGIN in said
    done("export", told.ledger, tmp_path / "tiles")
    as_json = done("audit", tmp_path / "tiles", "--trust", told.policy, "--report", tmp_path / "two.json", "--json")
    assert (tmp_path / "one.json").read_text() == (tmp_path / "two.json").read_text() == as_json


def test_an_export_is_finished_and_brought_up_to_date_by_another(told: Desk, tmp_path: Path) -> None:
    """Nothing that is there is in the way, but another log's folder is."""
    done("export", told.ledger, tmp_path / "tiles")
    before = {path: path.read_bytes() for path in (tmp_path / "tiles").rglob("*") if path.is_file()}
    done("export", told.ledger, tmp_path / "tiles")
    assert {path: path.read_bytes() for path in (tmp_path / "tiles").rglob("*") if path.is_file()} == before
    other = tmp_path / "other"
    other.mkdir()
    (other / "checkpoint").write_text("another.example/log\n")
    ran = run("export", told.ledger, other)
    assert (ran.status, [path.name for path in other.iterdir()]) == (2, ["checkpoint"])


def test_receipts_prove_an_entry_with_nothing_else(told: Desk, tmp_path: Path) -> None:
    """The one that submit wrote, and one asked for later."""
    (receipt,) = (told.folder / "receipts").iterdir()
    index = int(receipt.name.removesuffix(".tlog-proof"))
    said = done("verify", receipt, "--trust", told.policy)
    assert said.startswith(f"proven: entry {index} of {ORIGIN}, in its tree of {index + 1} entries\n")
    assert "stmt-1" in said
    assert "guian-cluster/desk+" in said
    later = tmp_path / "later.tlog-proof"
    done("receipt", told.ledger, index, "-o", later)
    proven = run("verify", later, "--trust", told.policy, "--json").json
    assert proven["proven"] is True
    assert proven["entry"]["command"]["groups"][0]["lines"][0][0] == "job-1"
    assert [line.get("paid_fen") for line in proven["entry"]["lines"]] == [19_200, None]
    assert proven["checkpoint"]["size"] == told.size


def test_submitting_again_is_harmless(told: Desk) -> None:
    """The same notes are the same entries, whatever the time; another text under a used reference is refused."""
    size = told.size
    notes = sorted(told.folder.glob("*.note"))[1:6]
    again = run("submit", told.ledger, *notes, "--log-time", told.at, "--json").json["notes"]
    assert [(answer["index"], answer["is_new"]) for answer in again] == [(index, False) for index in range(1, 6)]
    other = told.sign("tariff.publish", "guian-cluster", item="ascend-910b", price_fen=1,
                      valid_from="2026-03-01T00:00:00.000000Z", ref="stmt-1")  # fmt: skip
    assert "refused: ref_reused_for_other_content" in told.submit(other, status=1).out
    assert told.size == size
