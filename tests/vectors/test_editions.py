"""The corpus of an edition: every log of it audits to what is written beside it, byte for byte."""

import re
from pathlib import Path

import pytest

from support.command_line import run
from support.editions import NEVER_RECORDED
from tallystick.audit import audit
from tallystick.transparency.tiles import bundle_from_bytes
from tallystick.vouchers.editions import EDITIONS, Founding
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rulebook import EVENT_KINDS
from vectors import make_editions as maker

CORPUS = Path(__file__).resolve().parent / "editions"
SIZE_MAX = 400_000
LOGS = sorted(path.parent.name for path in (CORPUS / "1").glob("*/expected.json"))


def _entries(name: str) -> list[bytes]:
    ((path, width),) = [(path, int(path.name)) for path in (CORPUS / "1" / name / "tile/entries/000.p").iterdir()]
    return bundle_from_bytes(path.read_bytes(), width)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_audits_to_what_is_expected(name: str) -> None:
    """Root, verdict, findings and totals."""
    folder = CORPUS / "1" / name
    assert maker.expected(folder) == (folder / "expected.json").read_bytes()


def test_the_corpus_is_made_as_it_was(tmp_path: Path) -> None:
    """Same files, same bytes; the README is written by hand."""
    maker.write(tmp_path)
    frozen, made = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (CORPUS / "1", tmp_path)
    )
    readme = frozen.pop(Path("README.md"))
    assert made == frozen
    assert len(readme) + sum(map(len, frozen.values())) < SIZE_MAX


def test_every_edition_that_is_known_has_a_corpus() -> None:
    """Its logs are founded by it."""
    assert sorted(int(path.name) for path in CORPUS.iterdir()) == list(EDITIONS) == [1]
    for name in LOGS:
        founding = Founding.from_entry(_entries(name)[0])
        assert founding is not None
        assert founding.edition == 1


def test_the_sound_log_has_every_kind() -> None:
    """No command without an answer that is fixed."""
    assert {Entry.from_bytes(data).event.kind for data in _entries("sound")} == set(
        EVENT_KINDS.values()
    ) - NEVER_RECORDED
    assert audit(CORPUS / "1" / "sound", maker.POLICY).is_clean


def test_every_other_log_says_what_is_wrong() -> None:
    """With the code and at the index that the README and the folder's name give it."""
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (?:`(\w+)`|none) \|$", _readme(), re.MULTILINE)
    first = {name: next(iter(audit(CORPUS / "1" / name, maker.POLICY).codes()), "") for name in LOGS}
    assert dict(rows) == first
    assert set(maker.LOGS) == set(LOGS)


def test_the_policy_that_lies_there_is_enough() -> None:
    """For whoever has nothing but the folder and the program."""
    policy = CORPUS / "1" / "trust.policy"
    assert run("audit", CORPUS / "1" / "sound", "--trust", policy).status == 0
    assert run("audit", CORPUS / "1" / "outcome-falsified", "--trust", policy).status == 1


def _readme() -> str:
    return (CORPUS / "1" / "README.md").read_text("utf-8")
