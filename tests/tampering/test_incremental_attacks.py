"""What an audit finds that goes on from an earlier report, by name; and which reports and states it takes."""

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN
from support.earlier_audits import OLD, begin_of, cut_back, report_on
from support.small_ledger import LOG_KEY, POLICY, REPLACED, export_small_ledger
from support.tampering import edited, entries_of, forge, opened, put_entry, sql
from tallystick.audit import FindingCode, Report, audit, earlier
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.vouchers import saved_state
from tallystick.vouchers.book import Posting
from tallystick.vouchers.state import State

C = FindingCode


def found(source: Path, since: Path) -> list[tuple[str, int | None]]:
    """Codes and indices of what an audit from a report on finds."""
    return [(row.code, row.index) for row in audit(source, POLICY, since=since).findings]


# ------------------------------------------------------------------------------------------ rewritten history


def _replaced(ledger: Path, index: int, size: int = 289) -> None:
    """Replace an entry by one that is as good, and sign the new tree: a log without a lie in it, but another one."""
    entries = entries_of(ledger)
    header, _, note = entries[index].partition(b"\n")
    later = edited(header, r'"at":"(....-..-..T..:..:..)\.......Z"', r'"at":"\1.000001Z"')
    entries[index] = later + b"\n" + note
    forge(ledger, entries[:size])
    with opened(ledger) as database:
        database.execute("DELETE FROM refs WHERE leaf_index >= ?", (size,))


@pytest.mark.parametrize("since", ["old", "whole"])
@pytest.mark.parametrize("kind", ["ledger", "export"])
def test_a_rewritten_history_is_named(ledger: Path, reports: Path, tmp_path: Path, since: str, kind: str) -> None:
    """One entry replaced, tree rebuilt, checkpoint signed by the log's own key: nothing else would show it."""
    _replaced(ledger, REPLACED)
    source = ledger
    if kind == "export":
        source = tmp_path / "forged-tiles"
        export_small_ledger(ledger, source)
    assert audit(source, POLICY).is_clean
    report = audit(source, POLICY, since=reports / f"{since}.json")
    assert report.codes() == (C.HISTORY_REWRITTEN,)
    assert report.entries == 0
    assert report.totals == Report.from_bytes((reports / f"{since}.json").read_bytes()).totals
    assert report.state is None


def test_a_log_that_was_cut_back_is_named(ledger: Path, reports: Path) -> None:
    """All of it as it was once, which a whole audit can't object to."""
    cut_back(ledger, OLD)
    assert audit(ledger, POLICY).is_clean
    assert found(ledger, reports / "whole.json") == [("history_rewritten", None)]


def test_a_log_that_was_cut_back_and_went_on_otherwise_is_named(ledger: Path, reports: Path) -> None:
    """To the same size, or to a smaller one above the report's."""
    _replaced(ledger, 288)
    assert found(ledger, reports / "whole.json") == [("history_rewritten", None)]
    assert found(ledger, reports / "old.json") == []
    _replaced(ledger, OLD - 1, size=280)
    assert found(ledger, reports / "old.json") == [("history_rewritten", None)]


def test_a_rewritten_history_is_named_without_the_state(ledger: Path, reports: Path, tmp_path: Path) -> None:
    """The report alone shows it."""
    since = Path(shutil.copy(reports / "old.json", tmp_path))
    _replaced(ledger, REPLACED)
    assert found(ledger, since) == [("history_rewritten", None)]


def test_rotten_hashes_are_no_rewritten_history(ledger: Path, reports: Path) -> None:
    """Nothing is said of the log when the store's hashes lead nowhere: neither to the old root nor to the new one."""
    sql(ledger, "UPDATE tree SET hash = zeroblob(32) WHERE level = 0 AND position = 258")
    assert found(ledger, reports / "old.json") == [("tree_differs", None)]
    sql(ledger, "DELETE FROM tree WHERE level = 0 AND position = 258")
    assert ("tree_differs", 258) in found(ledger, reports / "old.json")
    sql(ledger, "DELETE FROM tree WHERE level = 1")
    assert "history_rewritten" not in [code for code, _ in found(ledger, reports / "old.json")]


def test_a_root_that_no_tree_has_is_no_way_on(ledger: Path, reports: Path) -> None:
    """Signed by the log, of the same size or a larger one."""
    with opened(ledger) as database:
        note = sign_checkpoint(Checkpoint(ORIGIN, 289, b"\x07" * 32), LOG_KEY)
        database.execute("UPDATE checkpoints SET note = ? WHERE size = 289", (note,))
    assert found(ledger, reports / "old.json") == [("root_differs", None)]
    assert found(ledger, reports / "whole.json") == [("history_rewritten", None)]


def test_an_earlier_checkpoint_that_was_replaced_is_found(ledger: Path, reports: Path) -> None:
    """The series is taken up with the checkpoint that the report is of, which must have its root."""
    with opened(ledger) as database:
        note = sign_checkpoint(Checkpoint(ORIGIN, OLD, b"\x07" * 32), LOG_KEY)
        database.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, OLD))
    assert found(ledger, reports / "old.json") == [("checkpoint_root_differs", None)]


@pytest.mark.parametrize("size", [3, OLD])
def test_a_new_checkpoint_can_not_hide_among_the_old_ones(ledger: Path, reports: Path, size: int) -> None:
    """By a row that gives it an old size."""
    with opened(ledger) as database:
        database.execute("UPDATE checkpoints SET size = -1 WHERE size = ?", (size,))
        number, note = database.execute("SELECT number, note FROM checkpoints WHERE size = 289").fetchone()
        database.execute("UPDATE checkpoints SET size = ? WHERE number = ?", (size, number))
        database.execute("INSERT INTO checkpoints VALUES (?, 289, ?)", (number + 1, note))
    assert "checkpoint_row_differs" in [code for code, _ in found(ledger, reports / "old.json")]


def test_nothing_new_is_clean(pristine: Path, reports: Path) -> None:
    """And says so."""
    for source in ("ledger", "tiles"):
        report = audit(pristine / source, POLICY, since=reports / "whole.json")
        assert report.is_clean
        assert report.entries == report.totals.entries == 289


# ------------------------------------------------------------------------------------------------ what is new


def test_a_new_entry_that_is_wrong_is_found(ledger: Path, reports: Path) -> None:
    """With what is wrong with it, at its index, also if the log signs it."""
    entries = entries_of(ledger)
    index = OLD + 7
    entries[index] = edited(entries[index], '"price_fen":1', '"price_fen":2')
    put_entry(ledger, index, entries[index])
    codes = found(ledger, reports / "old.json")
    assert codes[0] == ("signature_invalid", index)
    assert ("leaf_differs", index) in codes
    assert ("root_differs", None) in codes
    forge(ledger, entries)
    assert found(ledger, reports / "old.json") == [("signature_invalid", index), ("replay_stopped", index)]


def test_a_new_bundle_that_is_gone_is_found(tiles: Path, reports: Path) -> None:
    """In an export."""
    (tiles / "tile/entries/001.p/33").unlink()
    codes = found(tiles, reports / "old.json")
    assert ("tile_missing", 256) in codes
    assert ("entry_missing", OLD) in codes


def test_an_export_without_checkpoint_leads_nowhere(tiles: Path, reports: Path) -> None:
    """There is nothing to go on to."""
    (tiles / "checkpoint").unlink()
    assert found(tiles, reports / "old.json") == [("checkpoint_missing", None)]


def test_rows_that_are_gone_before_are_counted(ledger: Path, reports: Path) -> None:
    """They aren't read, but they must be there."""
    sql(ledger, "DELETE FROM stored_events WHERE originator_version = 8")
    assert found(ledger, reports / "old.json") == [("entry_missing", 7)]
    sql(ledger, "DELETE FROM refs WHERE leaf_index = 9", "DELETE FROM tree WHERE level = 0 AND position = 9")
    codes = [code for code, _ in found(ledger, reports / "old.json")]
    assert codes == ["entry_missing", "reference_index_differs", "tree_differs"]


def test_a_byte_changed_before_is_for_a_whole_audit_to_find(ledger: Path, reports: Path) -> None:
    """The price of not reading it, said in docs/audit.md."""
    entries = entries_of(ledger)
    put_entry(ledger, 40, edited(entries[40], '"at":"2026', '"at":"2027'))
    assert found(ledger, reports / "old.json") == []
    assert not audit(ledger, POLICY).is_clean


# ---------------------------------------------------------------------------------- which reports and states


Edit = Callable[[dict[str, Any]], object]


def _set(*path_and_value: Any) -> Edit:
    *path, last, value = path_and_value

    def edit(report: dict[str, Any]) -> None:
        for name in path:
            report = report[name]
        report[last] = value

    return edit


EDITS: list[tuple[str, Edit]] = [
    ("it has findings", _set("verdict", "findings")),
    ("it names no saved state", lambda report: report.pop("state")),
    ("its sizes are not one", _set("state", "size", 262)),
    ("its sizes are not one", _set("checkpoint", "size", 264)),
    ("its sizes are not one", _set("entries", 1)),
    ("no tree has -1 leaves", _set("checkpoint", "size", -1)),
    ("is not the state that", _set("state", "sha256", "0" * 64)),
    ("of another tree", _set("checkpoint", "root", "A" * 43 + "=")),
    ("is not padded base64", _set("checkpoint", "root", "A" * 43)),
    ("is of the log elsewhere", _set("checkpoint", "origin", "elsewhere")),
    ("not an audit report", _set("more", 1)),
]


@pytest.mark.parametrize(("message", "edit"), EDITS)
def test_a_report_that_does_not_fit_is_refused(
    pristine: Path, reports: Path, tmp_path: Path, message: str, edit: Edit
) -> None:
    """In one line that says what to do; a root that the log never had is its own matter."""
    shutil.copy(reports / "old.state", tmp_path)
    report = json.loads((reports / "old.json").read_bytes())
    edit(report)
    since = tmp_path / "old.json"
    since.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    if message == "of another tree":
        assert found(pristine / "ledger", since) == [("history_rewritten", None)]
        return
    with pytest.raises(UsageError, match=message) as caught:
        audit(pristine / "ledger", POLICY, since=since)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[]\n"])
def test_what_is_no_report_is_refused(pristine: Path, tmp_path: Path, data: bytes) -> None:
    """So is a file that isn't there."""
    (tmp_path / "odd.json").write_bytes(data)
    with pytest.raises(UsageError, match="no report to go on from"):
        audit(pristine / "ledger", POLICY, since=tmp_path / "odd.json")
    with pytest.raises(UsageError, match="can't be read"):
        audit(pristine / "ledger", POLICY, since=tmp_path / "missing.json")


def test_a_report_whose_state_is_gone_is_refused(pristine: Path, reports: Path, tmp_path: Path) -> None:
    """It says which file it needs, and what can be done without."""
    since = Path(shutil.copy(reports / "old.json", tmp_path / "moved.json"))
    with pytest.raises(UsageError, match=r"moved\.state, which .* needs, can't be read: .*; audit in full"):
        audit(pristine / "ledger", POLICY, since=since)


def _flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


STATES: list[Callable[[bytes], bytes]] = [_flip(3), _flip(-5), lambda data: data[:-1], lambda data: data + b" "]


@pytest.mark.parametrize("change", STATES)
def test_a_changed_state_is_refused(
    pristine: Path, reports: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    """It isn't what the report says."""
    since = Path(shutil.copy(reports / "old.json", tmp_path))
    (tmp_path / "old.state").write_bytes(change((reports / "old.state").read_bytes()))
    with pytest.raises(UsageError, match="is not the state"):
        audit(pristine / "ledger", POLICY, since=since)


def test_a_state_of_another_tree_is_refused(
    pristine: Path, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the report names it; and so is one of another version."""
    shutil.copy(reports / "first.state", tmp_path / "old.state")
    old, first = (json.loads((reports / f"{name}.json").read_bytes()) for name in ("old", "first"))
    old["state"] = first["state"] | {"size": OLD}
    (tmp_path / "old.json").write_text(json.dumps(old, indent=2) + "\n", "utf-8")
    with pytest.raises(UsageError, match="of another tree"):
        audit(pristine / "ledger", POLICY, since=tmp_path / "old.json")
    monkeypatch.setattr(saved_state, "SCHEMA_SHA256", "0" * 64)
    with pytest.raises(UsageError, match=r"old\.state: saved by another version; audit in full"):
        audit(pristine / "ledger", POLICY, since=reports / "old.json")


def test_a_report_with_findings_saves_no_state(ledger: Path, tmp_path: Path) -> None:
    """There is none that could be believed."""
    put_entry(ledger, 7, b"")
    report = audit(ledger, POLICY, report_file=tmp_path / "r.json")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["r.json"]
    assert report.state is None
    assert b'"state"' not in report.to_bytes()


def test_a_crash_between_state_and_report_leaves_no_half_truth(
    pristine: Path, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is written first; the older report then has lost its own, and says so."""
    for name in ("old.json", "old.state"):
        shutil.copy(reports / name, tmp_path)
    write = earlier._write

    def crashing(place: NamedFile, pieces: Iterable[bytes]) -> str:
        if place.path.suffix == ".json":
            raise KeyboardInterrupt
        return write(place, pieces)

    file = tmp_path / "old.json"
    monkeypatch.setattr(earlier, "_write", crashing)
    with pytest.raises(KeyboardInterrupt):
        audit(pristine / "ledger", POLICY, since=file, report_file=file)
    assert file.read_bytes() == (reports / "old.json").read_bytes()
    with pytest.raises(UsageError, match="is not the state"):
        audit(pristine / "ledger", POLICY, since=file)


def test_report_and_state_never_share_a_name(pristine: Path, tmp_path: Path) -> None:
    """Whatever the report is called."""
    for name, state in (("r.json", "r.state"), ("r.state", "r.state.state"), ("plain", "plain.state")):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        report_on(pristine / "short", folder / name)
        assert earlier.state_file(folder / name) == folder / state
        assert audit(pristine / "short", POLICY, since=folder / name).is_clean
    with pytest.raises(UsageError, match="holds something else than an audit report"):
        report_on(pristine / "short", tmp_path / "r-json" / "r.state")  # it would be r.json's that is lost


def test_a_begun_ledger_is_a_whole_one(pristine: Path, tmp_path: Path) -> None:
    """What the tests here begin with is clean for any size."""
    assert audit(begin_of(pristine / "ledger", 100, tmp_path / "begin"), POLICY).is_clean


def _falsified(reports: Path, folder: Path, falsify: Callable[[State], None]) -> Path:
    """A report and its state, in which an amount was changed and everything that is over it made anew."""
    since = Path(shutil.copy(reports / "whole.json", folder))
    text, data = (reports / "whole.state").read_bytes().split(b"\n\n", 1)
    header = saved_state.StateHeader.from_text(text + b"\n")
    state = header.state(data)
    falsify(state)
    data = state.to_bytes()
    forged = saved_state.StateHeader.of(state, header.root, data).to_text() + b"\n" + data
    since.with_suffix(".state").write_bytes(forged)
    report = json.loads(since.read_text())
    report["state"]["sha256"] = hashlib.sha256(forged).hexdigest()
    since.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return since


def _between_holders(state: State) -> None:
    """5,000 fen, out of one holder's voucher into another's of the same programme; all totals stay."""
    for one, other in itertools.product(state.book.balances["available"], state.vouchers):
        first, second = state.vouchers[one], state.vouchers[other]
        if first.programme == second.programme and first.holder != second.holder:
            state.book.post(Posting(first.programme, "available", one, "available", other, 5_000))
            return
    raise AssertionError("no two holders have something of one programme")


def _charged_amount(state: State) -> None:
    state.book.note("charged", next(iter(state.book.balances["charged"])), 1)


def _settled_amount(state: State) -> None:
    """Of a lot that has left the state."""
    state.book.note("past_settled", next(iter(state.book.balances["past_settled"])), 1)


def _between_payees(state: State) -> None:
    """What was paid to one payee seems to have been paid to another; all totals stay."""
    paid = next(iter(state.book.balances["paid"]))
    programme = paid.partition(" ")[0]
    state.book.post(Posting(programme, "paid", paid, "paid", f"{programme} maker-a", 1))


def _between_demands(state: State) -> None:
    """What is asked back of one seems to be asked back of another."""
    demand = next(iter(state.demands))
    state.demands[demand].payee = "maker-a"


FALSIFIED = {
    "between holders": (_between_holders, {"voucher", "reservation"}),
    "a charged amount": (_charged_amount, {"contract"}),
    "a settled amount": (_settled_amount, {"paid", "programme"}),
    "between payees": (_between_payees, {"paid"}),
    "between demands": (_between_demands, {"paid"}),
}


@pytest.mark.parametrize(("falsify", "found"), FALSIFIED.values(), ids=FALSIFIED)
def test_an_amount_falsified_in_a_saved_state_is_named(
    ledger: Path, reports: Path, tmp_path: Path, falsify: Callable[[State], None], found: set[str]
) -> None:
    """Also where the report was made to fit."""
    since = _falsified(reports, tmp_path, falsify)
    report = audit(ledger, POLICY, since=since)
    assert {row.code for row in report.findings} == {C.CONSERVATION_BROKEN}
    kinds = {row.detail.split(" ")[0] for row in report.findings}
    assert kinds & found, report.findings


def _no_key(state: State) -> None:
    next(iter(state.keys.values())).vkey = "none"


def _time_without_a_text(state: State) -> None:
    state.at = 2**70


@pytest.mark.parametrize("falsify", [_no_key, _time_without_a_text], ids=["a key", "the time"])
def test_a_saved_state_that_entries_cannot_be_decided_by_is_refused(
    ledger: Path, reports: Path, tmp_path: Path, falsify: Callable[[State], None]
) -> None:
    """Before an entry is decided by it: with its file, and what to do."""
    since = _falsified(reports, tmp_path, falsify)
    with pytest.raises(UsageError, match=r"whole\.state: .*; audit in full, without it$"):
        audit(ledger, POLICY, since=since)
