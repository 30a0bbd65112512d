"""The corpus of an edition: every log of it audits to what is written beside it, byte for byte."""

import re
import shutil
from pathlib import Path

import pytest

from support.command_line import run
from support.editions import NEVER_RECORDED
from support.finding_codes import AUDIT_CODES
from support.schedules import schedule
from tallystick.audit.report import Report
from tallystick.findings import FindingCode
from tallystick.transparency.tiles import bundle_from_bytes
from tallystick.vouchers.editions import EDITIONS, Founding
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rulebook import EVENT_KINDS
from vectors import make_editions as maker
from vectors.corpus.findings import ELSEWHERE, RECORDED, name_of
from vectors.corpus.folders import POLICY
from vectors.corpus.refused import FOLDER as REFUSED

ROOT = Path(__file__).resolve().parents[2]
CORPUS = maker.FOLDER
SIZE_MAX = 2_700_000
LOGS = sorted(path.parent.name for path in CORPUS.glob(f"*/{maker.EXPECTED}"))
QUICKLY_MADE = ("sound", "standard", "example-2-qingyang", "claim-falsified", "recorded-key-revoked", "tile-missing")


def report(name: str) -> Report:
    """What is expected of a log."""
    return Report.from_bytes((CORPUS / name / maker.EXPECTED).read_bytes())


def codes(name: str) -> set[FindingCode]:
    """What is found in it."""
    return set(report(name).codes())


@pytest.mark.parametrize("name", LOGS)
def test_an_audit_prints_what_is_expected(name: str) -> None:
    """By the policy beside the log, through the command line, and no byte is another."""
    folder = CORPUS / name
    ran = run("audit", folder, "--trust", folder / POLICY, "--report", "-")
    assert ran.out.encode() == (folder / maker.EXPECTED).read_bytes()
    assert ran.status == (0 if report(name).is_clean else 1)


@pytest.mark.parametrize("name", ["sound", "tile-differs", "entries-cut-off"])
def test_wherever_the_folder_is_named_from(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the repository's root, and from among the logs: no path is in a report."""
    expected = (CORPUS / name / maker.EXPECTED).read_text("utf-8")
    for folder in (ROOT, CORPUS):
        monkeypatch.chdir(folder)
        log = CORPUS.relative_to(folder) / name
        assert run("audit", log, "--trust", log / POLICY, "--report", "-").out == expected


@pytest.mark.long
def test_the_logs_are_made_as_they_were(tmp_path: Path) -> None:
    """Same files, same bytes."""
    names = schedule(QUICKLY_MADE, tuple(LOGS))
    for name in names:
        maker.write_log(tmp_path, name)
    frozen = {path: data for path, data in maker.files_in(CORPUS).items() if path.partition("/")[0] in names}
    assert maker.files_in(tmp_path) == {path: data for path, data in frozen.items() if not path.startswith(REFUSED)}


def test_there_is_nothing_else() -> None:
    """Each folder is a log that is made, and has a policy; and all together they are small."""
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} == {*LOGS} == {*maker.LOGS}
    assert {path.name for path in CORPUS.iterdir() if path.is_file()} == {maker.README}
    assert all((CORPUS / name / POLICY).is_file() for name in LOGS)
    assert sum(map(len, maker.files_in(CORPUS).values())) < SIZE_MAX


def test_every_edition_that_is_known_has_a_corpus() -> None:
    """Its logs are founded by it."""
    assert sorted(int(path.name) for path in CORPUS.parent.iterdir()) == list(EDITIONS) == [1]
    foundings = {name: Founding.from_entry(entries[0]) for name in LOGS if (entries := _entries(name))}
    assert set(LOGS) - set(foundings) == {"log-empty", "entries-cut-off"}
    assert {founding and founding.edition for founding in foundings.values()} == {1}


def test_the_sound_log_has_every_kind() -> None:
    """No command without an answer that is fixed."""
    assert {Entry.from_bytes(data).event.kind for data in _entries("sound")} == set(
        EVENT_KINDS.values()
    ) - NEVER_RECORDED
    assert report("sound").is_clean


def test_every_finding_has_a_log_or_a_reason_why_not() -> None:
    """The list of what an audit can find is closed on both sides."""
    assert AUDIT_CODES - {code for name in LOGS for code in codes(name)} == set(ELSEWHERE)
    for code, why in ELSEWHERE.items():
        (tests,) = re.findall(r"`(tests/[\w/]+\.py)`", why)
        assert f".{code.name}" in (ROOT / tests).read_text("utf-8")


def test_a_log_is_called_after_what_is_found() -> None:
    """Where its name is a finding's; and what an entry records although it is refused is said with that reason."""
    named = {code.value.replace("_", "-"): code for code in FindingCode}
    found = {name: codes(name) for name in LOGS}
    assert {name for name in LOGS if name in named and named[name] not in found[name]} == set()
    for reason in RECORDED:
        first = report(name_of(reason)).findings[0]
        assert (first.code.value, first.reason) == (reason.value, reason)


def test_a_time_that_went_backwards_breaks_no_books() -> None:
    """What was booked later than that isn't called a fault of the rules."""
    assert codes("time-went-backwards") == {FindingCode.TIME_WENT_BACKWARDS}


def test_the_readme_lists_every_log_with_what_is_found() -> None:
    """Its tables are made from the logs."""
    readme = (CORPUS / maker.README).read_text("utf-8")
    assert maker.with_tables(readme, CORPUS) == readme
    assert readme.count("| `sound` |") == 1


FEN = {
    "example-1-nanning": {"nanning/N1": {"paid": 2_510_200}},
    "example-2-qingyang": {"qingyang/Q": {"paid": 1_122_207, "unissued": 10_000_000_000 - 1_122_207}},
    "example-3-hangzhou": {"shanghai/Q": {"burned": 4_938 + 4_115 + 600}},
    "example-4-city-first": {
        "shanghai/C": {"burned": 6_000 + 7_407 + 92},
        "shanghai/D": {"burned": 4_000 + 4_938 + 61},
        "shanghai/T": {"burned": 1},
    },
    "example-4-third-first": {
        "shanghai/T": {"burned": 2_000},
        "shanghai/C": {"burned": 6_000},
        "shanghai/D": {"burned": 2_000},
    },
    "example-4-other-support": {"shanghai/C": {"burned": 7_345 + 92}, "shanghai/D": {"burned": 61}},
    # the last is of a part that was passed on, and has no class
    "example-5-young-firm": {
        "shanghai/S9": {"burned": 20_575 + 24_690 + 10_575 + 14_690 + 749 + 899 + 20_575},
    },
    "example-6-100-jobs": {"shanghai/Y": {"claimed": 4_500 + 100, "burned": 35}},
    "example-6-101-jobs": {"shanghai/Y": {"claimed": 4_500 + 100, "burned": 35}},
    "example-6-two-contracts": {"shanghai/Y": {"claimed": 2_745 + 1_755, "burned": 45}},
    "example-7-ended-early": {
        "shanghai/S1": {"claimed": 4_800, "available": 1_200_000 + 400_000 - 4_800, "reserved": 400_000}
    },
    "example-8-recovery": {
        "river/P26": {
            "unissued": 5_200_000,
            "available": 600_000,
            "reserved": 400_000,
            "paid": 3_800_000,
            "receivable": 0,
        },
        "river/P27": {"paid": 1_800_000, "claimed": 0},
    },
    "example-9-two-accelerators": {"shanghai/S1": {"burned": 1_200 + 720}},
}
"""What the worked examples come to, computed by hand."""


def test_the_worked_examples_come_out_to_the_fen() -> None:
    """In the totals of the audits."""
    examples = {name for name in LOGS if name.startswith("example-")}
    assert set(FEN) == examples
    assert {name.split("-")[1] for name in examples} == set("123456789")
    for name, programmes in FEN.items():
        totals = report(name).totals.model_dump(mode="json")["programmes"]
        found = {
            programme: {account: totals[programme][f"{account}_fen"] for account in amounts}
            for programme, amounts in programmes.items()
        }
        assert found == programmes, name
        assert report(name).is_clean


def test_a_change_of_the_corpus_needs_a_decision() -> None:
    """The newest record that names a corpus names this one; its digest is what the generator prints."""
    named = []
    for record in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        named += re.findall(r"^Corpus of edition 1: sha256:([0-9a-f]{64})$", record.read_text("utf-8"), re.MULTILINE)
    assert named[-1:] == [maker.digest(maker.files_in(CORPUS))]


def test_a_changed_file_is_another_corpus(tmp_path: Path) -> None:
    """And so is one more, one less, or one by another name; the README may be written better."""
    copy = tmp_path / "1"
    shutil.copytree(CORPUS / "log-empty", copy / "log-empty")
    files = maker.files_in(copy)
    (copy / maker.README).write_text("better")
    assert maker.digest(maker.files_in(copy)) == maker.digest(files)
    first, *others = files
    changes = [
        files | {first: files[first] + b"\n"},
        files | {"one more": b""},
        {path: files[path] for path in others},
        {f"{path}-2" if path == first else path: data for path, data in files.items()},
    ]
    digests = {maker.digest(changed) for changed in (files, *changes)}
    assert len(digests) == 1 + len(changes)


def _entries(name: str) -> list[bytes]:
    bundles = sorted((CORPUS / name / "tile" / "entries").rglob("[0-9]*"))
    files = [path for path in bundles if path.is_file()]
    widths = [int(path.name) if path.parent.name.endswith(".p") else 256 for path in files]
    return [
        entry
        for path, width in zip(files, widths, strict=True)
        for entry in bundle_from_bytes(path.read_bytes(), width)
    ]
