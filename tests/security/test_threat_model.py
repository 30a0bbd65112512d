"""docs/threat-model.md names tests, refusals, findings, commands and roles that exist."""

import ast
import re
from pathlib import Path

import pytest

from support.scenario import TABLES, read_sentences
from tallystick.findings import FindingCode
from tallystick.ledger.postgres_schema import role_names
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.wire.statuses import HttpReason

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
STOLEN = ROOT / "tests" / "security" / "stolen_keys.txt"
QUOTED = re.findall(r"`([^`\n]+)`", PAGE)
TESTS = sorted({one for one in QUOTED if one.startswith("tests/")} - {"tests/security/test_threat_model.py"})
PARAMETERS = {
    "clock_skew_seconds",
    "each_fen",
    "freshness_seconds",
    "quorum",
    "signed_at",
    "takeover_seconds",
    "threshold_fen",
    "total_fen",
    "window_days",
}


def test_tests_are_cited() -> None:
    assert len(TESTS) > 25


@pytest.mark.parametrize("cited", TESTS)
def test_a_cited_test_exists(cited: str) -> None:
    path, _, name = cited.partition("::")
    if path.endswith(".txt"):
        assert (ROOT / path).is_file()
        return
    made = ast.parse((ROOT / path).read_text("utf-8")).body
    names = {one.name for one in made if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}
    assert name in names if name else names


def test_every_row_with_a_claim_says_where_it_is_shown() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")
    ]
    assert len(rows) > 25
    columns = 5
    for row in rows:
        if row[-1] == "shown in":  # another table begins; the one about keys says what ends a theft, too
            columns = len(row)
            assert row[:2] == ["key", "can"] or columns == 5, row
        assert len(row) == columns, row[0]
        assert all(row) or columns == 5, row[0]
        shown = row[-1]
        assert (
            shown in ("shown in", "by design", "as above", "as the next row", 'see "With a key"') or "tests/" in shown
        )


def test_refusals_and_findings_are_called_by_their_names() -> None:
    """A word with an underscore is one of the closed lists, or a parameter of network, treasury or mandate."""
    words = {one for one in QUOTED if re.fullmatch(r"[a-z]+(_[a-z]+)+", one)}
    known = {reason.value for reason in (*Reason, *HttpReason)} | {code.value for code in FindingCode} | PARAMETERS
    assert words - known == set()
    assert len(words) > 25


def test_commands_and_tables_are_called_by_their_names() -> None:
    assert {one for one in QUOTED if re.fullmatch(r"[a-z]+\.[a-z]+/[0-9]", one)} <= set(EVENT_KINDS)
    stories = {name for group in re.findall(r"test_story` \(([a-z_, ]+)\)", PAGE) for name in group.split(", ")}
    assert stories <= {table.stem for table in TABLES.glob("*.txt")}
    assert stories


def test_each_story_of_a_stolen_key_is_of_a_row() -> None:
    """And each row that names one names one that there is."""
    told = {story.title.partition(":")[0] for story in read_sentences(STOLEN.read_text("utf-8"))}
    cited = re.findall(r"what_ends_it` \(([^)]+)\)", PAGE)
    assert {name for group in cited for name in group.split("; ")} == told


def test_roles_are_called_by_their_names() -> None:
    said = {one.removeprefix("…") for one in QUOTED if one.startswith("…_")}
    assert {f"db{one}" for one in said} == set(role_names("db").values())
