"""One attack a row on a ledger's database: each is found, by the code and at the entry that it is about."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.actors import ORIGIN, note_of
from support.editions import NEVER_RECORDED
from support.small_ledger import HOLDER, LOG_KEY, OPERATOR, POLICY, PROVIDER, TREASURY
from support.tampering import edited, entries_of, forge, index_of, opened, put_entry, sql
from tallystick.audit import FindingCode, audit, replay
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import Note, sign_text
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.policy import Policy
from tallystick.vouchers.admit import SignedCommand, admit
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.vouchers.state import State

Attack = Callable[[Path], int | None]
C = FindingCode


def _codes(ledger: Path, since: Path | None = None) -> dict[FindingCode, list[int | None]]:
    report = audit(ledger, POLICY, since=since)
    found: dict[FindingCode, list[int | None]] = {}
    for row in report.findings:
        found.setdefault(FindingCode.from_code(row.code), []).append(row.index)
    return found


# --------------------------------------------------------------------------------------------- cells and rows


def _sql(*statements: str, index: int | None = None) -> Attack:
    def attack(ledger: Path) -> int | None:
        sql(ledger, *statements)
        return index

    return attack


def _newest_note(note: bytes) -> Attack:
    def attack(ledger: Path) -> None:
        with opened(ledger) as database:
            database.execute(
                "UPDATE checkpoints SET note = ? WHERE number = (SELECT max(number) FROM checkpoints)", (note,)
            )

    return attack


def _forged_checkpoint(number: int, signer: SigningKey) -> Attack:
    """A checkpoint of the series, with another root, signed."""

    def attack(ledger: Path) -> None:
        with opened(ledger) as database:
            size = database.execute("SELECT size FROM checkpoints WHERE number = ?", (number,)).fetchone()[0]
            note = sign_checkpoint(Checkpoint(ORIGIN, size, b"\x01" * 32), signer)
            database.execute("UPDATE checkpoints SET note = ? WHERE number = ?", (note, number))

    return attack


def _garbage_on_every_page(ledger: Path) -> None:
    data = bytearray((ledger / "ledger.db").read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 8] = b"\xff" * 8
    (ledger / "ledger.db").write_bytes(data)


def _not_a_database(ledger: Path) -> None:
    (ledger / "ledger.db").write_bytes(b"tally " * 1_000)


def _emptied(ledger: Path) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes.fromhex(EMPTY_ROOT)), LOG_KEY)
    sql(ledger, *[f"DELETE FROM {table}" for table in ("stored_events", "tree", "refs", "checkpoints")])
    with opened(ledger) as database:
        database.execute("INSERT INTO checkpoints VALUES (0, 0, ?)", (note,))


EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
STRANGER = SigningKey.from_seed(ORIGIN, b"\x09" * 32)

ROWS: list[tuple[str, FindingCode, Attack]] = [
    ("a table is gone", C.STORE_DAMAGED, _sql("DROP TABLE refs")),
    ("a column is gone", C.STORE_DAMAGED, _sql("ALTER TABLE tree RENAME COLUMN hash TO hush")),
    ("pages are overwritten", C.STORE_DAMAGED, _garbage_on_every_page),
    ("the file is no database", C.STORE_DAMAGED, _not_a_database),
    ("all checkpoints are gone", C.CHECKPOINT_MISSING, _sql("DELETE FROM checkpoints")),
    ("one of the series is gone", C.CHECKPOINT_MISSING, _sql("DELETE FROM checkpoints WHERE number = 2")),
    ("the first of the series is gone", C.CHECKPOINT_MISSING, _sql("DELETE FROM checkpoints WHERE number = 0")),
    ("the newest is no note", C.CHECKPOINT_MALFORMED, _newest_note(b"\x00")),
    ("an older one is text", C.CHECKPOINT_MALFORMED, _sql("UPDATE checkpoints SET note = 'no note' WHERE number = 1")),
    ("a stranger signed the newest", C.CHECKPOINT_SIGNATURE_INVALID, _forged_checkpoint(10, STRANGER)),
    ("a stranger signed an older one", C.CHECKPOINT_SIGNATURE_INVALID, _forged_checkpoint(3, STRANGER)),
    ("a size is changed", C.CHECKPOINT_ROW_DIFFERS, _sql("UPDATE checkpoints SET size = 7 WHERE number = 1")),
    ("a number is below zero", C.CHECKPOINT_ROW_DIFFERS, _sql("UPDATE checkpoints SET number = -1 WHERE number = 0")),
    ("the log signed another root", C.CHECKPOINT_ROOT_DIFFERS, _forged_checkpoint(3, LOG_KEY)),
    ("everything is gone", C.LOG_EMPTY, _emptied),
    ("an entry is gone", C.ENTRY_MISSING, _sql("DELETE FROM stored_events WHERE originator_version = 21", index=20)),
    ("entries trade places", C.INDEX_DIFFERS, _sql(
        "UPDATE stored_events SET originator_version = -1 WHERE originator_version = 30",
        "UPDATE stored_events SET originator_version = 30 WHERE originator_version = 31",
        "UPDATE stored_events SET originator_version = 31 WHERE originator_version = -1", index=29)),
    ("the newest checkpoint is gone", C.ENTRY_BEYOND_CHECKPOINT, _sql(
        "DELETE FROM checkpoints WHERE number = (SELECT max(number) FROM checkpoints)", index=263)),
    ("a row is another log's", C.ENTRY_MISPLACED, _sql(
        "UPDATE stored_events SET originator_id = 'other' WHERE originator_version = 5")),
    ("a row has a fraction for a version", C.ENTRY_MISPLACED, _sql(
        "UPDATE stored_events SET originator_version = 5.5 WHERE originator_version = 5")),
    ("an entry is text", C.ENTRY_MALFORMED, _sql(
        "UPDATE stored_events SET state = CAST(state AS TEXT) WHERE originator_version = 5", index=4)),
    ("an entry is NULL", C.ENTRY_MALFORMED, _sql(
        "UPDATE stored_events SET state = NULL WHERE originator_version = 5", index=4)),
    ("an entry is a number", C.ENTRY_MALFORMED, _sql(
        "UPDATE stored_events SET state = 1.5 WHERE originator_version = 5", index=4)),
    ("an entry is empty", C.ENTRY_MALFORMED, _sql(
        "UPDATE stored_events SET state = X'' WHERE originator_version = 5", index=4)),
    ("a topic is changed", C.TOPIC_DIFFERS, _sql(
        "UPDATE stored_events SET topic = 'voucher.issued/1' WHERE originator_version = 2", index=1)),
    ("a topic is no text", C.TOPIC_DIFFERS, _sql(
        "UPDATE stored_events SET topic = X'80' WHERE originator_version = 2", index=1)),
    ("a topic is no UTF-8", C.TOPIC_DIFFERS, _sql(
        "UPDATE stored_events SET topic = CAST(X'80' AS TEXT) WHERE originator_version = 2", index=1)),
    ("a leaf hash is changed", C.LEAF_DIFFERS, _sql(
        "UPDATE tree SET hash = zeroblob(32) WHERE level = 0 AND position = 7", index=7)),
    ("a hash is gone", C.TREE_DIFFERS, _sql("DELETE FROM tree WHERE level = 0 AND position = 7", index=7)),
    ("a hash is text", C.TREE_DIFFERS, _sql(
        "UPDATE tree SET hash = 'x' WHERE level = 0 AND position = 7", index=7)),
    ("a hash of the second level is changed", C.TREE_DIFFERS, _sql(
        "UPDATE tree SET hash = zeroblob(32) WHERE level = 1")),
    ("the tree has a hash too many", C.TREE_DIFFERS, _sql("INSERT INTO tree VALUES (1, 1, zeroblob(32))")),
    ("the tree has a level too many", C.TREE_DIFFERS, _sql("INSERT INTO tree VALUES ('top', 0, zeroblob(32))")),
    ("a reference is changed", C.REFERENCE_INDEX_DIFFERS, _sql(
        "UPDATE refs SET ref = 'other' WHERE leaf_index = 9", index=9)),
    ("a reference is gone", C.REFERENCE_INDEX_DIFFERS, _sql("DELETE FROM refs WHERE leaf_index = 9", index=9)),
    ("there is a reference too many", C.REFERENCE_INDEX_DIFFERS, _sql(
        "INSERT INTO refs VALUES (5000, 'shanghai', 'other')", index=5000)),
    ("all references are gone", C.FINDINGS_CUT, _sql("DELETE FROM refs")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "attack"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_changed_cell_or_row_is_found(ledger: Path, code: FindingCode, attack: Attack) -> None:
    """By its code, and at the entry where there is one."""
    index = attack(ledger)
    found = _codes(ledger)
    assert code in found
    assert index in found[code]


@pytest.mark.parametrize(("code", "attack"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_changed_cell_or_row_is_found_from_an_earlier_report_on(
    ledger: Path, reports: Path, code: FindingCode, attack: Attack
) -> None:
    """Among all that is new since entry 0; a log of no entries is shorter than it was."""
    index = attack(ledger)
    found = _codes(ledger, reports / "first.json")
    assert index in found[C.HISTORY_REWRITTEN if code is C.LOG_EMPTY else code]


# -------------------------------------------------------------------------------------------- what entries say


def _resigned(ledger: Path, kind: str, *key_names: str, number: int = 0, **fields: object) -> tuple[int, bytes]:
    """An entry whose command has other fields and is signed by these keys."""
    entries = entries_of(ledger)
    index = index_of(entries, kind, number)
    header, note = split_entry(entries[index])
    command = canonical_json.decode(Note.from_bytes(note).text[:-1])
    assert isinstance(command, dict)
    return index, header + b"\n" + note_of(command | fields, *key_names)


def _edit(kind: str, pattern: str, replacement: str, number: int = 0) -> Callable[[Path], tuple[int, bytes]]:
    def change(ledger: Path) -> tuple[int, bytes]:
        entries = entries_of(ledger)
        index = index_of(entries, kind, number)
        return index, edited(entries[index], pattern, replacement)

    return change


def _resign(kind: str, *key_names: str, number: int = 0, **fields: object) -> Callable[[Path], tuple[int, bytes]]:
    return lambda ledger: _resigned(ledger, kind, *key_names, number=number, **fields)


ENTRIES: list[tuple[str, FindingCode, Callable[[Path], tuple[int, bytes]]]] = [
    ("an amount is changed", C.SIGNATURE_INVALID, _edit("voucher.issued", '"face_fen":150', '"face_fen":950')),
    ("a signature is changed", C.SIGNATURE_INVALID, _edit("voucher.reserved", "[A-Z](?=[A-Za-z0-9+/]{0,8}=\n)", "b")),
    ("a stranger signed", C.KEY_UNKNOWN, _resign("voucher.reserved", "maker-a/stolen-1")),
    ("a revoked key signed", C.KEY_REVOKED, _resign("time.burned", "guian/meter-2")),
    ("a key signed that doesn't count yet", C.KEY_NOT_ACTIVE_YET, _resign(
        "tariff.published", "guian/officer-2", number=3)),
    ("a meter key published a price", C.KEY_NOT_FOR_THIS_COMMAND, _resign("tariff.published", "guian/meter-3")),
    ("a party signed that had no part", C.SIGNER_NOT_INVOLVED, _resign(
        "time.burned", *PROVIDER.key_names, *HOLDER.key_names)),
    ("an officer is missing", C.SIGNATURES_MISSING, _resign("voucher.issued", "shanghai/officer-1")),
    ("a refused command was recorded", C.DECISION_REFUSED, _resign(
        "voucher.reserved", *HOLDER.key_names, amount_fen=10**12)),
    ("a command of another log was recorded", C.COMMAND_FOR_ANOTHER_LOG, _resign(
        "voucher.reserved", *HOLDER.key_names, log="elsewhere")),
    ("the burned amount is changed", C.OUTCOME_DIFFERS, _edit(
        "time.burned", r'\["maker-a/r1",\[\d+', '["maker-a/r1",[999999')),
    ("a refused line became an accepted one", C.OUTCOME_DIFFERS, _edit(
        "time.burned", r'"refused":\[\[1,"job_time_already_burned"\]\]', '"refused":[]', number=8)),
    ("a line that came too late became an accepted one", C.OUTCOME_DIFFERS, _edit(
        "time.burned", r'"refused":\[\[1,"period_sealed"\]\]', '"refused":[]', number=11)),
    ("a validity is changed", C.OUTCOME_DIFFERS, _edit("voucher.issued", '"valid_until":"2026', '"valid_until":"2027')),
    ("a sealed root is changed", C.OUTCOME_DIFFERS, _edit("book.sealed", '"root":"..', '"root":"zz')),
    ("an account more was sealed", C.OUTCOME_DIFFERS, _edit("book.sealed", '"accounts":20', '"accounts":21', number=1)),
    ("a service cost less", C.OUTCOME_DIFFERS, _edit("service.burned", r'"fee_fen":\[200000\]', '"fee_fen":[199999]')),
    ("what expired is left out", C.OUTCOME_DIFFERS, _edit(
        "book.expired", r',\["voucher","registry/v5",\d+,"programme"\]', "")),
    ("more was promised than there is", C.DECISION_REFUSED, _resign(
        "reservation.extended", *HOLDER.key_names, amount_fen=10**12)),
    ("an operator issued more than its mandate says", C.DECISION_REFUSED, _resign(
        "voucher.issued", *OPERATOR.key_names, number=4, face_fen=500_001)),
    ("more was used before the log than there was", C.DECISION_REFUSED, _resign(
        "voucher.imported", *TREASURY.key_names, used_fen=80_001)),
    ("an envelope is less than was issued of it", C.DECISION_REFUSED, _resign(
        "programme.amended", *TREASURY.key_names, envelope_fen=579_999)),
    ("the header's index is changed", C.INDEX_DIFFERS, _edit("voucher.issued", '"index":(.)', r'"index":9\1')),
    ("the header's kind is changed", C.KIND_DIFFERS, _edit("voucher.suspended", ".suspended", ".resumed")),
    ("the header's time is earlier", C.TIME_WENT_BACKWARDS, _edit("redemption.claimed", '"at":"2026', '"at":"2025')),
    ("the header has a blank", C.ENTRY_MALFORMED, _edit("voucher.issued", '{"at":', '{ "at":')),
    ("the header has a field more", C.ENTRY_MALFORMED, _edit("voucher.issued", '"kind":', '"jest":1,"kind":')),
    ("the header's time can't be", C.ENTRY_MALFORMED, _edit("voucher.issued", '"at":"2026-01', '"at":"2026-13')),
    ("the note is no note", C.ENTRY_MALFORMED, _edit("voucher.issued", "\n\n", "\n")),
    ("the command has a field more", C.ENTRY_MALFORMED, _resign(
        "voucher.issued", "shanghai/officer-1", "shanghai/officer-2", extra=1)),
    ("the first entry is changed", C.REPLAY_STOPPED, _edit("network.founded", '"root_quorum":2', '"root_quorum":1')),
]  # fmt: skip


@pytest.mark.parametrize(("code", "change"), [row[1:] for row in ENTRIES], ids=[row[0] for row in ENTRIES])
def test_a_changed_entry_is_found(ledger: Path, code: FindingCode, change: Callable[[Path], tuple[int, bytes]]) -> None:
    """It is the first to be named, for what is wrong with it and for its hash, and the root tells too."""
    index, data = change(ledger)
    put_entry(ledger, index, data)
    report = audit(ledger, POLICY)
    found = _codes(ledger)
    assert report.findings[0].index == index
    assert index in found[code]
    assert index in found[C.LEAF_DIFFERS]
    assert C.ROOT_DIFFERS in found


def test_no_findings_code_hangs_on_the_words_of_a_refusal(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Details are for people: in other words they change no finding."""

    def admit_in_other_words(state: State, signed: SignedCommand, at: int) -> Entry | Refusal:
        answer = admit(state, signed, at)
        return replace(answer, detail="put otherwise") if isinstance(answer, Refusal) else answer

    monkeypatch.setattr(replay, "admit", admit_in_other_words)
    index, data = _resigned(ledger, "voucher.reserved", "maker-a/stolen-1")
    put_entry(ledger, index, data)
    assert _codes(ledger)[C.KEY_UNKNOWN] == [index]


def test_what_the_rules_refuse_is_named_with_the_reason(ledger: Path) -> None:
    """In a field of the report, so that no program reads the detail for it."""
    index, data = _resigned(ledger, "voucher.reserved", *HOLDER.key_names, amount_fen=10**12)
    put_entry(ledger, index, data)
    (finding,) = [row for row in json.loads(audit(ledger, POLICY).to_bytes())["findings"] if row["reason"] is not None]
    assert (finding["code"], finding["index"]) == ("decision_refused", index)
    assert finding["reason"] == "exceeds_available_balance"
    assert "exceeds" not in finding["detail"]


NEW_ENTRIES = [row for row in ENTRIES if row[0] != "the first entry is changed"]


@pytest.mark.parametrize(("code", "change"), [row[1:] for row in NEW_ENTRIES], ids=[row[0] for row in NEW_ENTRIES])
@pytest.mark.parametrize("signed", [False, True])
def test_a_changed_entry_is_found_from_an_earlier_report_on(
    ledger: Path, reports: Path, signed: bool, code: FindingCode, change: Callable[[Path], tuple[int, bytes]]
) -> None:
    """Among all that is new since entry 0, whether or not the log signs it."""
    index, data = change(ledger)
    if signed:
        entries = entries_of(ledger)
        entries[index] = data
        forge(ledger, entries)
    else:
        put_entry(ledger, index, data)
    found = _codes(ledger, reports / "first.json")
    assert index in found[code]
    assert min(place for places in found.values() for place in places if place is not None) == index


@pytest.mark.parametrize(("code", "change"), [row[1:] for row in ENTRIES], ids=[row[0] for row in ENTRIES])
def test_the_operator_itself_can_not_hide_it(
    ledger: Path, code: FindingCode, change: Callable[[Path], tuple[int, bytes]]
) -> None:
    """With the log's key tree and checkpoint can be made to fit: the decision, taken anew, still doesn't."""
    index, data = change(ledger)
    entries = entries_of(ledger)
    entries[index] = data
    forge(ledger, entries)
    found = _codes(ledger)
    assert index in found[code]
    assert not {C.LEAF_DIFFERS, C.TREE_DIFFERS, C.ROOT_DIFFERS, C.CHECKPOINT_SIGNATURE_INVALID} & set(found)


def test_a_forged_log_without_a_lie_is_clean(ledger: Path) -> None:
    """The test above tests what it says."""
    forge(ledger, entries_of(ledger))
    assert _codes(ledger) == {}


def test_replay_stops_once_and_form_is_still_checked(ledger: Path) -> None:
    """After an entry that can't be decided, an unreadable one later is still named."""
    entries = entries_of(ledger)
    first, last = index_of(entries, "voucher.issued"), index_of(entries, "redemption.settled")
    put_entry(ledger, first, edited(entries[first], '"face_fen":1', '"face_fen":2'))
    put_entry(ledger, last, edited(entries[last], '"kind":"redemption.settle/1"', '"kind":"redemption.settle/2"'))
    found = _codes(ledger)
    assert found[C.REPLAY_STOPPED] == [first]
    assert found[C.ENTRY_MALFORMED] == [last]
    assert found[C.SIGNATURE_INVALID] == [first]


def test_money_that_does_not_add_up_is_found(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules can't lose a fen; if they could, the audit would say so at the entry and in the end."""
    from tallystick.vouchers.evolve import evolve

    def leaky(state, event):  # type: ignore[no-untyped-def]
        postings = evolve(state, event)
        if event.kind == "voucher.reserved/1":
            state.book.note("reserved", postings[0].target_id, -1)
        return postings

    monkeypatch.setattr("tallystick.audit.replay.evolve", leaky)
    found = _codes(ledger)
    assert index_of(entries_of(ledger), "voucher.reserved") in found[C.CONSERVATION_BROKEN]
    assert None in found[C.CONSERVATION_BROKEN]


def test_a_missing_quorum_is_found(ledger: Path) -> None:
    """A policy that asks for a witness isn't satisfied by a log that has none."""
    witness = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519).verifier
    text = f"log {LOG_KEY.verifier.to_text()}\nwitness w1 {witness.to_text()}\nquorum w1\n"
    report = audit(ledger, Policy.from_text(text.encode()))
    assert report.codes() == (C.CHECKPOINT_QUORUM_MISSING,)
    assert report.checkpoint is None


def test_a_policy_for_another_log_trusts_nothing(ledger: Path) -> None:
    """And the rest is reported on all the same."""
    other = SigningKey.from_seed("other.example/log", b"\x03" * 32).verifier
    report = audit(ledger, Policy.for_log(other))
    assert C.CHECKPOINT_SIGNATURE_INVALID in report.codes()
    assert report.entries == report.totals.entries == 289


def test_a_stranger_s_note_for_an_entry_is_no_note_of_the_log(ledger: Path) -> None:
    """A checkpoint's note in an entry's place is malformed, not a crash."""
    put_entry(ledger, 3, sign_text(b"not a command\n", STRANGER))
    assert 3 in _codes(ledger)[C.ENTRY_MALFORMED]


def test_the_audit_changes_nothing(ledger: Path) -> None:
    """Not one byte of the database."""
    before = (ledger / "ledger.db").read_bytes()
    assert _codes(ledger) == {}
    assert (ledger / "ledger.db").read_bytes() == before


def test_the_ledger_under_attack_has_every_kind_of_event(ledger: Path) -> None:
    """So nothing is left untried that could be tried; its key stays, and faults/test_log_rekey.py changes another's."""
    kinds = {Entry.from_bytes(data).event.kind for data in entries_of(ledger)}
    assert kinds == set(EVENT_KINDS.values()) - NEVER_RECORDED - {"log.rekeyed/1"}
