"""Working papers add up to the balances, anybody draws the same sample, and every entry is proved by their hashes."""

import csv
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from support.command_line import done, failed, finish, run, start
from support.small_ledger import export_small_ledger
from tallystick.accounting.log_place import place_in
from tallystick.accounting.sampling import draw
from tallystick.accounting.working_papers import PapersFolder, SampleTerms
from tallystick.publishing import read_ledger
from tallystick.transparency.proofs import verify_inclusion
from tallystick.views import Views

SEED = "agreed on 2027-02-14"
NAMES = ("about", "entries", "owed", "postings", "quarters", "sample", "ties")


def table(folder: Path, name: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text("utf-8-sig"), newline=""))]


@pytest.fixture(scope="module")
def papers(small_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers") / "made"
    said = done("papers", small_ledger, "-o", folder, "--seed", SEED, "--sample", 6, "--stratum", "100.00", "--xlsx")
    assert "sums tie to the balances" in said
    return folder


def fen(text: str) -> int:
    return int(text.replace(".", ""))


def merkle_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, once more."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:half]) + merkle_root(leaves[half:])).digest()


def test_every_entry_is_there_and_their_hashes_have_the_root(papers: Path, small_ledger: Path) -> None:
    entries, about = table(papers, "entries"), {row["what"]: row["value"] for row in table(papers, "about")}
    with read_ledger(small_ledger) as reader:
        leaves = [hashlib.sha256(b"\0" + data).digest() for data in reader.entries()]
        checkpoint = reader.checkpoint
    assert [row["leaf_hash"] for row in entries] == [leaf.hex() for leaf in leaves]
    assert merkle_root(leaves).hex() == about["root in hexadecimal"] == checkpoint.root.hex()
    assert (about["log"], about["last entry"]) == (checkpoint.origin, str(checkpoint.size - 1))
    for name in NAMES[1:]:
        assert about[f"SHA-256 of {name}.csv"] == hashlib.sha256((papers / f"{name}.csv").read_bytes()).hexdigest()


def test_its_sums_are_the_balances(papers: Path, small_ledger: Path) -> None:
    balances = run("balances", small_ledger, "--json").json["balances"]
    closing = {(row["programme"], row["account"]): fen(row["closing_yuan"]) for row in table(papers, "quarters")}
    posted: dict[tuple[str, str], int] = {}
    for row in table(papers, "postings"):
        for place, sign in (("source", -1), ("target", 1)):
            key = row["programme"], row[place]
            posted[key] = posted.get(key, 0) + sign * fen(row["amount_yuan"])
    for balance in balances:
        for account in ("unissued", "available", "reserved", "burned", "claimed", "withheld", "paid", "receivable"):
            key = balance["programme"], account
            assert posted.get(key, 0) == closing.get(key, 0) == balance[f"{account}_fen"], key
    ties = table(papers, "ties")
    assert len(ties) > 30
    assert {row["ties"] for row in ties} == {"yes"}
    owed = sum(fen(row["total_yuan"]) for row in table(papers, "owed"))
    assert owed == sum(one[f"{state}_fen"] for one in balances for state in ("burned", "claimed", "withheld"))


def test_what_stands_there_in_between_is_owed_by_age(small_ledger: Path, tmp_path: Path) -> None:
    """As of an older entry, when much was owed: all of it ties, too."""
    done("papers", small_ledger, "-o", tmp_path / "then", "--seed", SEED, "--sample", 0, "--as-of", "57")
    owed = table(tmp_path / "then", "owed")
    assert {row["state"] for row in owed} == {"unclaimed", "claimed"}
    assert table(tmp_path / "then", "sample") == []
    assert {row["ties"] for row in table(tmp_path / "then", "ties")} == {"yes"}
    assert len(table(tmp_path / "then", "entries")) == 58


def test_anybody_draws_the_same_sample_and_proves_each_entry(papers: Path) -> None:
    amounts: dict[int, int] = {}
    for row in table(papers, "postings"):
        amounts[int(row["entry"])] = amounts.get(int(row["entry"]), 0) + fen(row["amount_yuan"])
    sample = table(papers, "sample")
    for stratum in (0, 1):
        mine = [index for index, amount_fen in amounts.items() if (amount_fen >= 10_000) is bool(stratum)]
        mine.sort(key=lambda index: hashlib.sha256(f"{SEED}\n{index}".encode()).digest())
        assert [int(row["entry"]) for row in sample if row["stratum"] == str(stratum)] == mine[:6]
    root = next(bytes.fromhex(row["value"]) for row in table(papers, "about") if row["what"] == "root in hexadecimal")
    size = len(table(papers, "entries"))
    for row in sample:
        proof = tuple(map(bytes.fromhex, row["proof"].split()))
        verify_inclusion(int(row["entry"]), size, bytes.fromhex(row["leaf_hash"]), proof, root)


def test_a_larger_sample_begins_with_the_smaller() -> None:
    population = [(index, index * 7 % 50) for index in range(1_000)]
    few, many = draw(population, "s", 5), draw(population, "s", 50)
    assert few == many[:5]
    assert len({one.entry for one in many}) == 50
    assert [one.place for one in few] == [1, 2, 3, 4, 5]
    assert draw(population, "t", 5) != few
    assert len(draw(population, "s", 2_000)) == 1_000
    assert [one.stratum for one in draw(population, "s", 2, [10, 20])] == [0, 0, 1, 1, 2, 2]
    assert all((one.amount_fen >= 10) is (one.stratum == 1) for one in draw(population, "s", 99, [10]))


def test_a_ledger_and_its_export_give_the_same_bytes_in_another_process(
    papers: Path, small_ledger: Path, tmp_path: Path
) -> None:
    export_small_ledger(small_ledger, tmp_path / "tiles")
    words: list[Any] = ["papers", tmp_path / "tiles", "-o", tmp_path / "again", "--seed", SEED, "--sample", 6]
    more = finish(start(*words, "--stratum", "100.00", "--xlsx", env_more={"TZ": "America/New_York"}))
    assert (more.status, more.err) == (0, "")
    for name in (*[f"{one}.csv" for one in NAMES], "papers.xlsx"):
        assert (papers / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_the_spreadsheet_has_the_same_tables_and_numbers_are_numbers(papers: Path) -> None:
    book = CalamineWorkbook.from_path(papers / "papers.xlsx")
    assert sorted(book.sheet_names) == sorted(NAMES)
    rows = book.get_sheet_by_name("quarters").to_python()
    assert len(rows) == len(table(papers, "quarters")) + 1
    assert isinstance(rows[1][-1], float)
    with zipfile.ZipFile(papers / "papers.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in sheet
    root = next(row["value"] for row in table(papers, "about") if row["what"] == "root")
    assert root in sheet  # at the foot of every printed page


def test_what_doesn_t_tie_is_said(small_ledger: Path, tmp_path: Path) -> None:
    """Views of another place than the postings are of."""
    with read_ledger(small_ledger) as reader, Views.as_of(small_ledger, index=60) as views:
        folder = PapersFolder(tmp_path, place_in(reader), has_spreadsheet=False)
        ties = folder.write(reader, views, SampleTerms("x", 1))
    wrong = [tie for tie in ties if not tie.ties]
    assert wrong
    assert {row["what"] for row in table(tmp_path, "ties") if row["ties"] == "NO"} == {tie.what for tie in wrong}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stratum", "much"], "--stratum must be an amount in yuan"),
        (["--stratum", "2.00", "--stratum", "1.00"], "--stratum: amounts must ascend"),
        (["--as-of", "999999"], "there is no entry 999999"),
    ],
)
def test_nothing_is_left_where_it_fails(small_ledger: Path, tmp_path: Path, words: list[str], said: str) -> None:
    assert said in failed("papers", small_ledger, "-o", tmp_path / "made", "--seed", "x", *words)
    assert [*tmp_path.iterdir()] == []


def test_a_folder_with_something_in_it_stays(small_ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").write_text("x")
    said = failed("papers", small_ledger, "-o", tmp_path / "made", "--seed", "x")
    assert said.endswith("is there already: give the name of a new folder")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine"]
