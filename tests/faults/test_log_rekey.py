"""The log's key changes: its entries say which keys sign a checkpoint, the writer keeps to it, and an audit sees it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN, Actor, key_of, note_of, vkey_of
from support.burning import BEGIN, LOG_KEY, Clock, founding_notes
from support.tampering import opened
from tallystick.audit import audit
from tallystick.errors import NotALedgerError, UsageError
from tallystick.findings import FindingCode
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger, stand_by
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.policy import NO_QUORUM, LogLine, Policy, QuorumLine
from tallystick.transparency.receipt import verify_receipt
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant
from tallystick.vouchers.refusals import Reason, Refusal

NEXT, THIRD = f"{ORIGIN}:next", f"{ORIGIN}:third"
NEXT_KEY, THIRD_KEY = key_of(NEXT), key_of(THIRD)
OVERLAP_SECONDS = 10 * 86_400
START = BEGIN + DAY_US
OVER = START + OVERLAP_SECONDS * SECOND_US


def policy_of(*keys: SigningKey) -> Policy:
    return Policy((*[LogLine(key.verifier) for key in keys], QuorumLine(NO_QUORUM)))


BOTH = policy_of(LOG_KEY, NEXT_KEY)


def rekey(ref: str, at: int, old: str = ORIGIN, new: str = NEXT, signed_by: str | None = None, **fields: Any) -> bytes:
    vkeys = {"old_vkey": vkey_of(old), "new_vkey": vkey_of(new)}
    command = Actor("network").command(
        "log.rekey", at, **{"overlap_seconds": OVERLAP_SECONDS} | vkeys | fields, ref=f"rekey-{ref}"
    )
    return note_of(command, "network/officer-1", signed_by or new)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger whose log has one key."""
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path / "ledger", genesis, LOG_KEY, clock=Clock()) as ledger:
        assert all(isinstance(answer, Admitted) for answer in ledger.submit(rest))
    return tmp_path / "ledger"


@pytest.fixture
def changed(folder: Path) -> Path:
    """A ledger whose log is about to have another key."""
    with written(folder, START, LOG_KEY, NEXT_KEY) as ledger:
        assert isinstance(ledger.submit([rekey("1", START)])[0], Admitted)
    return folder


def written(folder: Path, at: int, log_key: SigningKey, next_log_key: SigningKey | None = None) -> Ledger:
    return open_ledger(folder, log_key, next_log_key=next_log_key, clock=Clock(at))


def anything(at: int) -> bytes:
    """A command that makes an entry more."""
    later = format_instant(at + SECOND_US)
    command = {"item": "ascend-910b", "price_fen": 600, "valid_from": later}
    return Actor("provider").note("tariff.publish", at, ref=f"at-{at}", **command)


def go_on(folder: Path, at: int, log_key: SigningKey, next_log_key: SigningKey | None = None) -> None:
    with written(folder, at, log_key, next_log_key) as ledger:
        assert isinstance(ledger.submit([anything(at)])[0], Admitted)


def signers(folder: Path) -> Iterator[tuple[int, set[SigningKey]]]:
    """The size of each checkpoint, and which of the log's keys have signed it."""
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        for size, data in database.execute("SELECT size, note FROM checkpoints ORDER BY number"):
            note = Note.from_bytes(data)
            key_ids = {signature.key_id for signature in note.signatures}
            yield size, {key for key in (LOG_KEY, NEXT_KEY, THIRD_KEY) if key.verifier.key_id in key_ids}


def refused(ledger: Ledger, note: bytes) -> Reason:
    answer = ledger.submit([note])[0]
    assert isinstance(answer, Refusal)
    return answer.reason


def found(folder: Path, policy: Policy = BOTH) -> list[str]:
    report = audit(folder, policy)
    assert all(one.code is FindingCode.CHECKPOINT_SIGNATURE_INVALID for one in report.findings), report.findings
    return [one.detail for one in report.findings]


def sign_newest(folder: Path, *keys: SigningKey) -> None:
    """Have the newest checkpoint signed by other keys, as who writes the database can."""
    with opened(folder) as database:
        number, data = database.execute("SELECT number, note FROM checkpoints ORDER BY number DESC LIMIT 1").fetchone()
        data = sign_checkpoint(Checkpoint.from_text(Note.from_bytes(data).text), *keys)
        database.execute("UPDATE checkpoints SET note = ? WHERE number = ?", (data, number))


# -- which keys sign --------------------------------------------------------------------------------------------------


def test_both_keys_sign_from_the_entry_on_until_the_overlap_is_over_then_the_new_one_alone(changed: Path) -> None:
    entry = max(dict(signers(changed)))
    go_on(changed, OVER - 1, LOG_KEY, NEXT_KEY)
    go_on(changed, OVER, LOG_KEY, NEXT_KEY)
    go_on(changed, OVER + 1, NEXT_KEY)
    signed = dict(signers(changed))
    before = {size: {LOG_KEY} for size in signed if size < entry}
    both, new = {LOG_KEY, NEXT_KEY}, {NEXT_KEY}
    assert signed == before | {entry: both, entry + 1: both, entry + 2: new, entry + 3: new}
    assert audit(changed, BOTH).verdict == "clean"


def test_without_overlap_the_new_key_signs_the_checkpoint_of_its_entry(folder: Path) -> None:
    with written(folder, START, LOG_KEY, NEXT_KEY) as ledger:
        assert isinstance(ledger.submit([rekey("1", START, overlap_seconds=0)])[0], Admitted)
    assert [*dict(signers(folder)).values()][-1] == {NEXT_KEY}
    assert audit(folder, BOTH).verdict == "clean"


def test_a_key_is_changed_again_after_the_overlap(changed: Path) -> None:
    with written(changed, OVER, NEXT_KEY, THIRD_KEY) as ledger:
        answer = ledger.submit([rekey("2", OVER, NEXT, THIRD)])[0]
        assert isinstance(answer, Admitted)
        assert verify_receipt(answer.receipt(), answer.entry, policy_of(THIRD_KEY)).size == answer.index + 1
    assert [*dict(signers(changed)).values()][-1] == {NEXT_KEY, THIRD_KEY}
    assert audit(changed, policy_of(LOG_KEY, NEXT_KEY, THIRD_KEY)).verdict == "clean"


def test_a_standby_takes_over_with_both_keys(changed: Path) -> None:
    with closing(stand_by(changed, LOG_KEY, next_log_key=NEXT_KEY, clock=Clock(OVER))) as waiting:
        ledger = waiting.wait(5)
        assert ledger is not None
        with ledger:
            assert isinstance(ledger.submit([anything(OVER)])[0], Admitted)
    assert [*dict(signers(changed)).values()][-1] == {NEXT_KEY}


def test_an_export_is_accepted_by_a_policy_of_either_key_during_the_overlap(changed: Path, tmp_path: Path) -> None:
    with read_ledger(changed) as reader:
        export_tiles(reader, tmp_path / "tiles")
    for policy in (policy_of(LOG_KEY), policy_of(NEXT_KEY), BOTH):
        assert audit(tmp_path / "tiles", policy).verdict == "clean"


# -- what a writer must have ------------------------------------------------------------------------------------------


def test_a_change_is_refused_by_a_writer_without_the_next_key(folder: Path) -> None:
    with written(folder, START, LOG_KEY) as ledger:
        assert refused(ledger, rekey("1", START)) is Reason.LOG_KEY_MISSING
    with written(folder, START, LOG_KEY, THIRD_KEY) as ledger:
        assert refused(ledger, rekey("1", START)) is Reason.LOG_KEY_MISSING
        assert isinstance(ledger.submit([anything(START)])[0], Admitted)  # and it goes on
    assert {LOG_KEY} in dict(signers(folder)).values()
    assert audit(folder, policy_of(LOG_KEY)).verdict == "clean"


def test_a_change_from_another_key_than_the_logs_is_refused(folder: Path) -> None:
    with written(folder, START, LOG_KEY, NEXT_KEY) as ledger:
        assert refused(ledger, rekey("1", START, THIRD, NEXT)) is Reason.LOG_KEY_DIFFERS


@pytest.mark.parametrize(
    ("at", "keys", "missing"),
    [
        (START, (LOG_KEY, None), NEXT),
        (START, (NEXT_KEY, None), ORIGIN),
        (START, (NEXT_KEY, THIRD_KEY), ORIGIN),
        (OVER, (LOG_KEY, None), NEXT),
    ],
    ids=["the old one alone", "the new one alone", "the new one and a strange one", "the old one when it is over"],
)
def test_a_writer_without_a_key_whose_turn_it_is_does_not_begin(
    at: int, keys: tuple[SigningKey, SigningKey | None], missing: str, changed: Path
) -> None:
    if at == OVER:
        go_on(changed, OVER, LOG_KEY, NEXT_KEY)
    size = max(dict(signers(changed)))
    with pytest.raises((UsageError, NotALedgerError)) as caught:
        written(changed, at, *keys)
    assert vkey_of(missing) in str(caught.value) or "if the log's key was changed, give the new one" in str(
        caught.value
    )
    assert max(dict(signers(changed))) == size


def test_a_writer_that_lacks_the_key_when_the_overlap_begins_says_so_before_it_writes(changed: Path) -> None:
    with pytest.raises(UsageError, match="until the log's time is 2026-01-12T00:00:00"):
        written(changed, START, LOG_KEY)


@pytest.mark.parametrize(
    ("key", "why"),
    [(key_of("another.example/log"), "is of another.example/log"), (LOG_KEY, "is the log's key")],
    ids=["of another log", "the same"],
)
def test_a_next_key_that_can_not_be_one_is_refused(key: SigningKey, why: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=why):
        written(folder, START, LOG_KEY, key)


# -- what an audit finds ----------------------------------------------------------------------------------------------


def test_a_checkpoint_that_lacks_the_new_keys_signature_is_found(changed: Path) -> None:
    sign_newest(changed, LOG_KEY)
    missing = f"{vkey_of(NEXT)} must sign it, as the entries say, and has not"
    assert found(changed) == [f"the newest: {missing}"]
    # a policy needn't name the new key for that: the entries do
    assert missing in found(changed, policy_of(LOG_KEY))[0]


def test_a_checkpoint_that_lacks_the_old_keys_signature_is_found(changed: Path) -> None:
    sign_newest(changed, NEXT_KEY)
    assert found(changed) == [f"the newest: {vkey_of(ORIGIN)} must sign it, as the entries say, and has not"]


def test_a_checkpoint_is_judged_as_it_was_read(changed: Path, tmp_path: Path) -> None:
    """Whatever lies there once the entries are gone through: the log may have grown, or its operator mended it."""
    with read_ledger(changed) as reader:
        export_tiles(reader, tmp_path / "tiles")
    file = tmp_path / "tiles" / "checkpoint"
    sound = file.read_bytes()
    file.write_bytes(sign_checkpoint(Checkpoint.from_text(Note.from_bytes(sound).text), LOG_KEY))

    def mend(_: int, __: int) -> None:
        file.write_bytes(sound)

    report = audit(tmp_path / "tiles", BOTH, progress=mend)
    assert file.read_bytes() == sound
    assert [one.code for one in report.findings] == [FindingCode.CHECKPOINT_SIGNATURE_INVALID]


def test_a_signature_by_the_old_key_after_the_overlap_is_found(changed: Path) -> None:
    go_on(changed, OVER, LOG_KEY, NEXT_KEY)
    sign_newest(changed, LOG_KEY, NEXT_KEY)
    assert found(changed) == [f"the newest: {vkey_of(ORIGIN)} signed it, and as the entries say it isn't its turn"]
    go_on(changed, OVER + 1, NEXT_KEY)  # found in the series too, when it is no longer the newest
    assert "isn't its turn" in found(changed)[0]


def test_a_policy_without_the_new_key_is_told_which_it_is(changed: Path) -> None:
    go_on(changed, OVER, LOG_KEY, NEXT_KEY)
    details = found(changed, policy_of(LOG_KEY))
    assert (
        f"the newest: the entries say that {vkey_of(NEXT)} signs it; no line of the policy is for that key" in details
    )
