"""Backups are whole, proven and one history, whenever they're made or killed; half a restore is no ledger."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.actors import key_of
from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.earlier_audits import cut_back
from support.postgres import execute, fresh_database
from support.schedules import schedule
from support.small_ledger import POLICY, write_small_ledger
from support.tampering import entries_of, forge, opened, put_entry, sql
from support.web_server import serving
from tallystick.audit import FindingCode, audit
from tallystick.errors import LedgerBusyError, NotALedgerError, ProofInvalidError, StoreFailedError, UsageError
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger
from tallystick.ledger.sqlite import WriterLock
from tallystick.publishing import read_ledger
from tallystick.publishing.backup import backup_ledger, restore_ledger
from tallystick.publishing.export import export_tiles
from tallystick.publishing.proven_copy import Copied
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import consistency_proof, verify_consistency
from tallystick.transparency.receipt import Receipt, verify_receipt

TABLES = {
    "stored_events": "originator_id, originator_version, topic, state",
    "tree": "level, position, hash",
    "checkpoints": "number, size, note",
    "refs": "leaf_index, party, ref",
}
Place = Path | str

CHILD = """
import os, resource, signal, sys
from pathlib import Path
from tallystick.publishing import backup
how, source, target, at = sys.argv[1:]
backup.ENTRIES_A_COMMIT = 40
def kill(done, of):
    if done >= int(at):
        os.kill(os.getpid(), signal.SIGKILL)
def kill_before_sidecar(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if at == "sidecar":
    backup.ProvenCopy.put_sidecar, kill = kill_before_sidecar, None
print("ready", flush=True)
sys.stdin.readline()
if at == "room":
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    kill = None
place = target if "://" in target else Path(target)
getattr(backup, how)(Path(source), place, progress=None if at == "any" else kill)
"""


def rows(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the log, table by table."""
    if isinstance(place, str):
        found = {name: execute(place, f"SELECT {columns} FROM tallystick.{name}") for name, columns in TABLES.items()}
    else:
        with closing(sqlite3.connect(place / "ledger.db")) as database:
            found = {
                name: database.execute(f"SELECT {columns} FROM {name}").fetchall() for name, columns in TABLES.items()
            }
    return {name: sorted(kept) for name, kept in found.items()}


def beginning(place: Place, size: int) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that the log had when it had so many entries."""
    kept = rows(place)
    return {
        "stored_events": [row for row in kept["stored_events"] if row[1] <= size],
        "tree": [row for row in kept["tree"] if row[1] < size >> (8 * row[0])],
        "checkpoints": [row for row in kept["checkpoints"] if row[1] <= size],
        "refs": [row for row in kept["refs"] if row[0] < size],
    }


def size_of(place: Place) -> int:
    """How many entries the log has; 0 if there is no checkpoint yet."""
    if isinstance(place, Path) and not (place / "ledger.db").exists():
        return 0
    try:
        with read_ledger(place) as reader:
            return reader.size
    except NotALedgerError:
        return 0


def check(place: Place, size: int) -> None:
    """Assert that a log has this many entries and passes an audit."""
    report = audit(place, POLICY, processes=1)
    assert (report.verdict, report.checkpoint.size if report.checkpoint else 0) == ("clean", size), report.findings


def run_child(how: str, source: Path, target: Place, at: object, seconds: float | None = None) -> tuple[int, str]:
    """Back up or restore in a process that dies on the way, and return its status and last words."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", CHILD, how, str(source), str(target), str(at)]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        try:
            _, said = process.communicate(timeout=60 if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            _, said = process.communicate(timeout=60)
    return process.returncode, said.strip().rpartition("\n")[2]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ledger of many groups and two tile levels, never to be changed."""
    folder = tmp_path_factory.mktemp("pristine") / "ledger"
    write_small_ledger(folder, up_to=range(113, 464, 50))
    return folder


@pytest.fixture
def source(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the small ledger."""
    return Path(shutil.copytree(pristine, tmp_path / "ledger"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that is being written."""
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path / "ledger", genesis, LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        yield ledger


def burned(ledger: Ledger, *refs: str) -> list[Admitted]:
    """Burn under these references, one commit each, and return the entries."""
    answers = [ledger.submit([burn_note(ref)])[0] for ref in refs]
    assert all(isinstance(answer, Admitted) for answer in answers)
    return [answer for answer in answers if isinstance(answer, Admitted)]


# ---------------------------------------------------------------------------------------------- what a backup is


def test_a_backup_has_every_row_as_it_is(source: Path, tmp_path: Path) -> None:
    copied = backup_ledger(source, tmp_path / "backup")
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == ["ledger.db", "ledger.lock", "trust.policy"]
    size = size_of(source)
    assert copied == Copied("tallystick.example/national", size, size, len(rows(source)["checkpoints"]), True)
    assert rows(tmp_path / "backup") == rows(source)
    check(tmp_path / "backup", size)
    assert (tmp_path / "backup" / "trust.policy").read_bytes() == (source / "trust.policy").read_bytes()


def test_what_is_restored_is_the_ledger_and_goes_on(source: Path, tmp_path: Path) -> None:
    backup_ledger(source, tmp_path / "backup")
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    assert rows(tmp_path / "restored") == rows(source)
    with read_ledger(source) as reader:
        state = reader.state().to_bytes()
    with open_ledger(tmp_path / "restored", LOG_KEY, clock=Clock(NOW + 10**15)) as ledger:
        assert ledger.state.to_bytes() == state
    # Only the log's key vouches for a saved state, and neither a backup nor a restore has it; the writer had.
    assert not (tmp_path / "backup" / "snapshot.json").exists()
    assert not (tmp_path / "restored" / "snapshot.json").exists()


def test_a_backup_is_added_to(ledger: Ledger, tmp_path: Path) -> None:
    source, folder = tmp_path / "ledger", tmp_path / "backup"
    for round_, new in enumerate((11, 3, 0, 300)):
        if round_:
            burned(ledger, *[f"{round_}-{number}" for number in range(new)])
        copied = backup_ledger(source, folder)
        assert (copied.size, copied.new_entries) == (ledger.state.size, new)
        assert rows(folder) == rows(source)
    check(folder, 314)


def test_a_writer_at_work_is_backed_up_as_it_stood(ledger: Ledger, tmp_path: Path) -> None:
    """Entries that come while the backup is made are for the next one."""
    source, folder = tmp_path / "ledger", tmp_path / "backup"
    burned(ledger, *[f"before-{number}" for number in range(60)])
    size = ledger.state.size
    copied = backup_ledger(source, folder, progress=lambda done, of: (burned(ledger, f"during-{done}"), None)[1])
    assert copied.size == size
    assert rows(folder) == beginning(source, size)
    assert ledger.state.size > size
    backup_ledger(source, folder)
    assert rows(folder) == rows(source)
    check(folder, ledger.state.size)


def test_the_cosigned_checkpoint_goes_along_and_a_bad_one_does_not(source: Path, tmp_path: Path) -> None:
    with read_ledger(source) as reader:
        note = reader.checkpoint_note()
    (source / "checkpoint.cosigned").write_bytes(note)
    backup_ledger(source, tmp_path / "backup")
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    assert (tmp_path / "restored" / "checkpoint.cosigned").read_bytes() == note
    (source / "checkpoint.cosigned").write_bytes(b"nonsense")
    backup_ledger(source, tmp_path / "backup")
    assert (tmp_path / "backup" / "checkpoint.cosigned").read_bytes() == note


# ---------------------------------------------------------------------------------------------- the restore drill


def test_the_restore_drill(ledger: Ledger, tmp_path: Path) -> None:
    """Written under load, backed up meanwhile, lost, restored, and audited against the receipts that were given."""
    source, folder = tmp_path / "ledger", tmp_path / "backup"
    receipts: list[Receipt] = []
    stop, under_way = threading.Event(), threading.Semaphore(0)

    def load(submitter: int) -> None:
        for number in range(10_000):
            if stop.is_set():
                return
            answer = burned(ledger, f"{submitter}-{number}")[0]
            receipts.append(answer.receipt())
            under_way.release()

    threads = [threading.Thread(target=load, args=(submitter,)) for submitter in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        under_way.acquire()
    backup_ledger(source, folder)
    for _ in range(40):
        under_way.acquire()
    size = backup_ledger(source, folder).size
    for _ in range(40):
        under_way.acquire()
    stop.set()
    for thread in threads:
        thread.join()
    burned(ledger, "the-last")
    ledger.close()
    shutil.rmtree(source)

    restored = tmp_path / "restored"
    restore_ledger(folder, restored)
    sizes = {receipt.index: POLICY.open_checkpoint(receipt.checkpoint_note).size for receipt in receipts}
    held = _written(tmp_path / "held", [receipt for receipt in receipts if sizes[receipt.index] <= size])
    lost = _written(tmp_path / "lost", [receipt for receipt in receipts if receipt.index >= size][:50])
    assert len(held) >= 40
    assert len(lost) >= 30
    report = audit(restored, POLICY, receipts=[tmp_path / "held"], processes=1)
    assert (report.verdict, report.checkpoint.size if report.checkpoint else 0) == ("clean", size), report.findings
    with read_ledger(restored) as reader:
        for receipt in receipts:
            if receipt.index < size:
                assert reader.entry(receipt.index) == receipt.entry
                verify_receipt(reader.receipt(receipt.index), reader.entry(receipt.index), POLICY)
    report = audit(restored, POLICY, receipts=[tmp_path / "lost"], processes=1)
    assert set(report.codes()) == {FindingCode.RECEIPT_CONTRADICTED}
    assert sorted(finding.index or 0 for finding in report.findings) == lost


def _written(folder: Path, receipts: list[Receipt]) -> list[int]:
    """Write receipts into a folder, and return their indices in order."""
    folder.mkdir()
    for receipt in receipts:
        (folder / f"{receipt.index}.tlog-proof").write_bytes(receipt.to_bytes())
    return sorted(receipt.index for receipt in receipts)


def test_old_receipts_are_of_the_restored_log_s_past(ledger: Ledger, tmp_path: Path) -> None:
    """The checkpoint of a receipt from before the backup is consistent with what the restored log grows to."""
    early = burned(ledger, "early")[0].receipt()
    burned(ledger, *[f"then-{number}" for number in range(20)])
    backup_ledger(tmp_path / "ledger", tmp_path / "backup")
    ledger.close()
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    old = POLICY.open_checkpoint(early.checkpoint_note)
    with open_ledger(tmp_path / "restored", LOG_KEY, clock=Clock(NOW)) as restored:
        burned(restored, *[f"after-{number}" for number in range(20)])
        proof = consistency_proof(old.size, restored.state.size, restored.read_tile)
        verify_consistency(old.size, restored.state.size, proof, old.root, restored.root)


def test_an_old_backup_that_is_written_to_is_exposed_as_a_fork(ledger: Ledger, tmp_path: Path) -> None:
    """By receipts, by an earlier audit, by the newer backup; it looks clean by itself."""
    source, old, forked = tmp_path / "ledger", tmp_path / "old", tmp_path / "forked"
    backup_ledger(source, old)
    receipts = tmp_path / "receipts"
    _written(receipts, [answer.receipt() for answer in burned(ledger, *[f"answered-{number}" for number in range(5)])])
    assert audit(source, POLICY, report_file=tmp_path / "one.json", processes=1).is_clean
    backup_ledger(source, tmp_path / "newer")
    restore_ledger(old, forked)
    with open_ledger(forked, LOG_KEY, clock=Clock(NOW)) as writer:
        burned(writer, *[f"others-{number}" for number in range(9)])
    check(forked, 20)
    assert set(audit(forked, POLICY, receipts=[receipts], processes=1).codes()) == {FindingCode.RECEIPT_CONTRADICTED}
    since = audit(forked, POLICY, since=tmp_path / "one.json", processes=1)
    assert FindingCode.HISTORY_REWRITTEN in since.codes()
    before = rows(tmp_path / "newer")
    with pytest.raises(ProofInvalidError, match=r"^history_rewritten: the first 16 entries"):
        backup_ledger(forked, tmp_path / "newer")
    assert rows(tmp_path / "newer") == before


def test_a_newer_cosigned_checkpoint_keeps_an_older_restored_log_from_being_written(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Whoever puts the newest published checkpoint beside a restored ledger can't fork the log by mistake."""
    backup_ledger(tmp_path / "ledger", tmp_path / "backup")
    burned(ledger, "answered")
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    with read_ledger(tmp_path / "ledger") as reader:
        (tmp_path / "restored" / "checkpoint.cosigned").write_bytes(reader.checkpoint_note())
    with pytest.raises(NotALedgerError, match="history_rewritten: witnesses cosigned 12 entries"):
        open_ledger(tmp_path / "restored", LOG_KEY)


# ---------------------------------------------------------------------------------------------- from an export


@pytest.mark.parametrize("over_the_web", [False, True])
def test_an_old_backup_is_brought_up_to_date_from_a_mirror(over_the_web: bool, ledger: Ledger, tmp_path: Path) -> None:
    """So nothing that was published is lost with the ledger, and every receipt holds."""
    source, backup, public = tmp_path / "ledger", tmp_path / "backup", tmp_path / "public"
    burned(ledger, "before")
    backup_ledger(source, backup)
    _written(tmp_path / "receipts", [one.receipt() for one in burned(ledger, *[f"after-{n}" for n in range(300)])])
    with read_ledger(source) as reader:
        export_tiles(reader, public)
    ledger.close()
    kept = rows(source)
    shutil.rmtree(source)
    with serving(public) as server:
        copied = backup_ledger(server.url if over_the_web else public, backup)
        assert (copied.size, copied.new_entries, copied.checkpoints) == (312, 300, 4)
        assert backup_ledger(server.url if over_the_web else public, backup).new_entries == 0
    restore_ledger(backup, tmp_path / "restored")
    for name in ("stored_events", "tree", "refs"):
        assert rows(tmp_path / "restored")[name] == kept[name]
    assert audit(tmp_path / "restored", POLICY, receipts=[tmp_path / "receipts"], processes=1).is_clean
    with open_ledger(tmp_path / "restored", LOG_KEY, clock=Clock(NOW)) as restored:
        burned(restored, "goes-on")
    assert backup_ledger(tmp_path / "restored", backup).new_entries == 1
    check(backup, 313)


def test_a_mirror_alone_is_enough(source: Path, tmp_path: Path) -> None:
    with read_ledger(source) as reader:
        export_tiles(reader, tmp_path / "public")
    copied = backup_ledger(tmp_path / "public", tmp_path / "backup", policy=POLICY)
    assert (copied.size, copied.checkpoints, copied.are_signatures_checked) == (size_of(source), 1, True)
    check(tmp_path / "backup", size_of(source))
    # It has one checkpoint where the ledger has many, so the ledger's own backups go elsewhere.
    with pytest.raises(UsageError, match="has other checkpoints over the same entries"):
        backup_ledger(source, tmp_path / "backup")


def test_a_mirror_of_another_history_is_not_added(source: Path, tmp_path: Path) -> None:
    backup, public = tmp_path / "backup", tmp_path / "public"
    younger = Path(shutil.copytree(source, tmp_path / "younger"))
    cut_back(younger, 163)
    backup_ledger(younger, backup)
    before = rows(backup)
    entries = entries_of(source)
    entries[20] = entries[20].replace(b"000000Z", b"000001Z", 1)
    assert entries != entries_of(source)
    forge(source, entries)
    with read_ledger(source) as reader:
        export_tiles(reader, public)
    with pytest.raises(ProofInvalidError, match=r"^history_rewritten: the first 163 entries"):
        backup_ledger(public, backup)
    assert rows(backup) == before


def test_a_mirror_whose_bundles_are_damaged_is_not_added(source: Path, tmp_path: Path) -> None:
    backup, public = tmp_path / "backup", tmp_path / "public"
    with read_ledger(source) as reader:
        export_tiles(reader, public)
    bundle = public / "tile" / "entries" / "000"
    data = bundle.read_bytes()
    for damaged in (data.replace(b"h100", b"h101", 1), data[:-1], data[:500]):
        bundle.write_bytes(damaged)
        with pytest.raises(NotALedgerError, match="nothing was copied"):
            backup_ledger(public, backup, policy=POLICY)
        assert size_of(backup) == 0
    bundle.write_bytes(data)
    assert backup_ledger(public, backup, policy=POLICY).size == size_of(source)


def test_cosignatures_of_a_mirror_are_kept_beside(source: Path, tmp_path: Path) -> None:
    with read_ledger(source) as reader:
        export_tiles(reader, tmp_path / "public")
    opened_note = Note.from_bytes((tmp_path / "public" / "checkpoint").read_bytes())
    cosigned = Note(opened_note.text, (*opened_note.signatures, Signature("witness.example/a", bytes(4), bytes(72))))
    (tmp_path / "public" / "checkpoint").write_bytes(cosigned.to_bytes())
    backup_ledger(tmp_path / "public", tmp_path / "backup", policy=POLICY)
    assert (tmp_path / "backup" / "checkpoint.cosigned").read_bytes() == cosigned.to_bytes()
    assert rows(tmp_path / "backup")["checkpoints"][0][2] == opened_note.to_bytes()


# ---------------------------------------------------------------------------------------------- wrong places


def test_what_is_not_this_log_s_past_is_left_alone(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    backup_ledger(source, folder)
    before, size = rows(folder), size_of(source)
    entries = entries_of(source)
    cut = Path(shutil.copytree(source, tmp_path / "cut"))
    cut_back(cut, 163)
    with pytest.raises(ProofInvalidError, match=rf"^history_rewritten: the backup has {size} entries"):
        backup_ledger(cut, folder)
    entries[20] = entries[20].replace(b'"outcome":{', b'"outcome":{ ', 1)
    forge(source, entries)
    with pytest.raises(ProofInvalidError, match=rf"^history_rewritten: the first {size} entries"):
        backup_ledger(source, folder)
    assert rows(folder) == before


def test_other_checkpoints_over_the_same_entries_are_another_series(source: Path, tmp_path: Path) -> None:
    backup_ledger(source, tmp_path / "backup")
    forge(source, entries_of(source))
    with pytest.raises(UsageError, match="has other checkpoints over the same entries"):
        backup_ledger(source, tmp_path / "backup")
    assert backup_ledger(source, tmp_path / "another").checkpoints == 1


def test_another_log_s_backup_is_left_alone(source: Path, tmp_path: Path) -> None:
    backup_ledger(source, tmp_path / "backup")
    note = rows(tmp_path / "backup")["checkpoints"][-1][2]
    text = Note.from_bytes(note)
    other = Note(text.text.replace(b"national", b"regional", 1), text.signatures).to_bytes()
    with opened(tmp_path / "backup") as database:
        database.execute(
            "UPDATE checkpoints SET note = ? WHERE number = (SELECT max(number) FROM checkpoints)", (other,)
        )
    with pytest.raises(UsageError, match=r"holds a backup of another log, tallystick\.example/regional"):
        backup_ledger(source, tmp_path / "backup")


def _with_letters(folder: Path) -> None:
    folder.mkdir()
    (folder / "letters").mkdir()


def _with_settings(folder: Path) -> None:
    write_small_ledger(folder)
    (folder / "ledger.toml").write_text('log_key = "keys/log.pem"\n')


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_with_letters, "is not empty"),
        (lambda folder: folder.write_text("a file"), "is not a folder"),
        (_with_settings, "can be written to"),
    ],
)
def test_a_folder_in_other_use_is_no_place_for_a_backup(
    make: Callable[[Path], None], said: str, source: Path, tmp_path: Path
) -> None:
    make(tmp_path / "taken")
    with pytest.raises(UsageError, match=said):
        backup_ledger(source, tmp_path / "taken")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_with_letters, "is not empty"),
        (lambda folder: folder.write_text("a file"), "is not a folder"),
        (write_small_ledger, "holds a ledger already"),
    ],
)
def test_a_folder_in_use_is_not_restored_to(
    make: Callable[[Path], None], said: str, source: Path, tmp_path: Path
) -> None:
    make(tmp_path / "taken")
    with pytest.raises(UsageError, match=said):
        restore_ledger(source, tmp_path / "taken")


def test_nothing_is_copied_onto_itself(source: Path) -> None:
    with pytest.raises(UsageError, match="is the ledger itself"):
        backup_ledger(source, source)
    with pytest.raises(UsageError, match="is the backup itself"):
        restore_ledger(source, source)


def test_two_backups_at_a_time_are_one(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    backup_ledger(source, folder)
    lock = WriterLock(folder / "ledger.lock")
    with pytest.raises(LedgerBusyError):
        backup_ledger(source, folder)
    lock.release()
    assert backup_ledger(source, folder).new_entries == 0


# ---------------------------------------------------------------------------------------------- who signed


def test_a_log_that_another_key_signed_is_not_copied(source: Path, tmp_path: Path) -> None:
    """The policy that was obtained out of band counts, not the one that lies in the folder."""
    other = Policy.for_log(SigningKey.from_seed("tallystick.example/national", bytes(32)).verifier)
    (source / "trust.policy").write_bytes(other.to_text())
    with pytest.raises(NotALedgerError, match="is not one of this log"):
        backup_ledger(source, tmp_path / "backup")
    assert backup_ledger(source, tmp_path / "backup", policy=POLICY).are_signatures_checked
    with pytest.raises(UsageError, match="is not that of the backup: say with --trust"):
        backup_ledger(source, tmp_path / "backup")
    stranger = Policy.for_log(key_of("another.example/log").verifier)
    with pytest.raises(UsageError, match="doesn't name the log"):
        backup_ledger(source, tmp_path / "backup", policy=stranger)


def test_an_older_checkpoint_that_the_log_did_not_sign_is_found(source: Path, tmp_path: Path) -> None:
    sql(source, "UPDATE checkpoints SET note = replace(CAST(note AS TEXT), char(8212), '-') WHERE number = 3")
    sql(source, "UPDATE checkpoints SET note = CAST(note AS BLOB) WHERE number = 3")
    with pytest.raises(NotALedgerError, match="checkpoint 3 is not one of this log"):
        backup_ledger(source, tmp_path / "backup")


def test_without_a_policy_a_backup_says_that_nobody_vouched(source: Path, tmp_path: Path) -> None:
    (source / "trust.policy").unlink()
    assert not backup_ledger(source, tmp_path / "backup").are_signatures_checked
    assert not (tmp_path / "backup" / "trust.policy").exists()
    assert backup_ledger(source, tmp_path / "backup", policy=POLICY).are_signatures_checked
    assert restore_ledger(tmp_path / "backup", tmp_path / "restored").are_signatures_checked


# ---------------------------------------------------------------------------------------------- damage

DAMAGE: dict[str, Callable[[Path], None]] = {
    "an entry's byte": lambda ledger: put_entry(ledger, 300, entries_of(ledger)[300].replace(b"h100", b"h101")),
    "an entry's place": lambda ledger: put_entry(ledger, 300, entries_of(ledger)[299]),
    "an entry's type": lambda ledger: sql(
        ledger, "UPDATE stored_events SET state = CAST(state AS TEXT) WHERE originator_version = 301"
    ),
    "an entry's end": lambda ledger: put_entry(ledger, 300, entries_of(ledger)[300][:-9]),
    "an entry missing": lambda ledger: sql(ledger, "DELETE FROM stored_events WHERE originator_version = 301"),
    "the last entries missing": lambda ledger: sql(ledger, "DELETE FROM stored_events WHERE originator_version > 300"),
    "a checkpoint missing": lambda ledger: sql(
        ledger, "DELETE FROM checkpoints WHERE number = (SELECT min(number) FROM checkpoints WHERE size > 300)"
    ),
    "a checkpoint's size": lambda ledger: sql(
        ledger,
        "UPDATE checkpoints SET size = size - 1 WHERE number = (SELECT min(number) FROM checkpoints WHERE size > 300)",
    ),
    "a checkpoint's note": lambda ledger: sql(
        ledger,
        "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE number = 2) "
        "WHERE number = (SELECT min(number) FROM checkpoints WHERE size > 300)",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_source_is_copied_up_to_the_damage(
    damage: Callable[[Path], None], source: Path, pristine: Path, tmp_path: Path
) -> None:
    """The backup stays what it was, and gains what is sound; a restore from the damaged one leaves no ledger."""
    sound = max(size for _, size, _ in rows(pristine)["checkpoints"] if size <= 300)
    damage(source)
    with pytest.raises(NotALedgerError, match=rf"the backup is sound, and ends with entry {sound - 1}"):
        backup_ledger(source, tmp_path / "backup")
    assert rows(tmp_path / "backup") == beginning(pristine, sound)
    check(tmp_path / "backup", sound)
    with pytest.raises(NotALedgerError, match="was left without a ledger"):
        restore_ledger(source, tmp_path / "restored", policy=POLICY)
    with pytest.raises(NotALedgerError):
        open_ledger(tmp_path / "restored", LOG_KEY)
    backup_ledger(pristine, tmp_path / "backup", policy=POLICY)
    assert rows(tmp_path / "backup") == rows(pristine)
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    assert rows(tmp_path / "restored") == rows(pristine)


def test_the_kinds_references_and_hashes_of_a_damaged_source_are_made_anew(
    source: Path, pristine: Path, tmp_path: Path
) -> None:
    """Of a source only entries and checkpoints are believed."""
    sql(source, "UPDATE stored_events SET topic = 'nonsense'", "DELETE FROM refs", "DELETE FROM tree")
    backup_ledger(source, tmp_path / "backup")
    assert rows(tmp_path / "backup") == rows(pristine)


def test_a_backup_that_was_damaged_is_not_added_to(source: Path, tmp_path: Path) -> None:
    backup_ledger(source, tmp_path / "backup")
    sql(tmp_path / "backup", "DELETE FROM tree WHERE level = 0 AND position > 280")
    with pytest.raises(UsageError, match="is damaged"):
        backup_ledger(source, tmp_path / "backup")


def test_a_file_that_is_no_database_is_one_line(source: Path, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "ledger.db").write_bytes(b"nonsense" * 1_000)
    with pytest.raises(NotALedgerError, match="can't be read"):
        backup_ledger(tmp_path / "odd", tmp_path / "backup")
    with pytest.raises(StoreFailedError, match="can't be written"):
        backup_ledger(source, tmp_path / "odd")
    with pytest.raises(NotALedgerError, match=r"has no ledger\.db"):
        restore_ledger(tmp_path / "nowhere", tmp_path / "restored")


# ---------------------------------------------------------------------------------------------- kills


@pytest.mark.long
@pytest.mark.parametrize("at", schedule([0, 41, 260, "sidecar"], [0, 1, 39, 40, 41, 120, 260, 437, "sidecar"]))
def test_a_backup_that_was_killed_is_whole_groups_and_goes_on(
    at: object, pristine: Path, source: Path, tmp_path: Path
) -> None:
    """As the first one, and as one that adds to an earlier one."""
    for earlier in (0, 163):
        folder = tmp_path / f"after-{earlier}"
        if earlier:
            younger = Path(shutil.copytree(pristine, tmp_path / "younger"))
            cut_back(younger, earlier)
            backup_ledger(younger, folder)
        status, said = run_child("backup_ledger", source, folder, at)
        assert status == -signal.SIGKILL, said
        size = size_of(folder)
        assert size >= earlier
        assert rows(folder) == beginning(pristine, size)
        if size:
            check(folder, size)
            restore_ledger(folder, tmp_path / f"of-{earlier}", policy=POLICY)
            assert rows(tmp_path / f"of-{earlier}") == beginning(pristine, size)
        backup_ledger(source, folder)
        assert rows(folder) == rows(pristine)
        assert (folder / "trust.policy").exists()


@pytest.mark.long
@pytest.mark.parametrize("at", schedule([0, 40, 437], [0, 1, 40, 120, 260, 437]))
def test_half_a_restore_is_no_ledger(at: int, pristine: Path, tmp_path: Path) -> None:
    """It would be an older log, fit to be written to, and to fork the log by."""
    folder = tmp_path / "restored"
    status, said = run_child("restore_ledger", pristine, folder, at)
    assert status == -signal.SIGKILL, said
    assert (folder / "ledger.db").exists()
    with pytest.raises(NotALedgerError, match="holds no entry"):
        open_ledger(folder, LOG_KEY)
    with pytest.raises(NotALedgerError):
        read_ledger(folder)
    with pytest.raises(UsageError, match="holds a ledger already"):
        create_ledger(folder, founding_notes()[0], LOG_KEY, clock=Clock())
    restore_ledger(pristine, folder)
    assert rows(folder) == rows(pristine)
    check(folder, size_of(pristine))


def test_a_restore_that_was_killed_at_its_end_is_finished_by_the_same_command(pristine: Path, tmp_path: Path) -> None:
    backup, folder = tmp_path / "backup", tmp_path / "restored"
    backup_ledger(pristine, backup)
    with read_ledger(pristine) as reader:
        (backup / "checkpoint.cosigned").write_bytes(reader.checkpoint_note())
    assert run_child("restore_ledger", backup, folder, "sidecar")[0] == -signal.SIGKILL
    assert not (folder / "trust.policy").exists()
    assert restore_ledger(backup, folder).new_entries == 0
    assert rows(folder) == rows(pristine)
    for name in ("trust.policy", "checkpoint.cosigned"):
        assert (folder / name).read_bytes() == (backup / name).read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("seed", schedule([1], [1, 2, 3, 4]))
def test_kills_at_random_moments(seed: int, pristine: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    backup, size = tmp_path / "backup", 0
    for turn in range(schedule(2, 6)):
        run_child("backup_ledger", pristine, backup, "any", chance.uniform(0, 0.15))
        assert size_of(backup) >= size
        size = size_of(backup)
        if size:
            assert rows(backup) == beginning(pristine, size)
        restored = tmp_path / f"restored-{turn}"
        run_child("restore_ledger", pristine, restored, "any", chance.uniform(0, 0.15))
        assert size_of(restored) in (0, size_of(pristine))
        restore_ledger(pristine, restored)
        assert rows(restored) == rows(pristine)
    backup_ledger(pristine, backup)
    assert rows(backup) == rows(pristine)


@pytest.mark.parametrize("how", ["backup_ledger", "restore_ledger"])
def test_a_full_disk_is_said_and_the_same_command_goes_on(how: str, pristine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    status, said = run_child(how, pristine, folder, "room")
    assert status == 1
    assert "StoreFailedError" in said
    assert "can't be written" in said
    size = size_of(folder)
    assert size < size_of(pristine)
    if how == "restore_ledger":
        assert size == 0
    elif size:
        assert rows(folder) == beginning(pristine, size)
    {"backup_ledger": backup_ledger, "restore_ledger": restore_ledger}[how](pristine, folder)
    assert rows(folder) == rows(pristine)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


# ---------------------------------------------------------------------------------------------- PostgreSQL


def test_sqlite_and_postgresql_both_ways(pristine: Path, tmp_path: Path) -> None:
    """The same rows, receipts and balances; so a city moves from one to the other."""
    url = fresh_database()
    restore_ledger(pristine, url)
    assert rows(url) == rows(pristine)
    check(url, size_of(pristine))
    with read_ledger(pristine) as old, read_ledger(url) as new:
        assert old.state().to_bytes() == new.state().to_bytes()
        for index in (0, 17, 256, old.size - 1):
            assert old.receipt(index) == new.receipt(index)
    with pytest.raises(UsageError, match="holds a ledger already"):
        _write_to(url, tmp_path)
    copied = backup_ledger(url, tmp_path / "back")
    assert (copied.new_entries, copied.are_signatures_checked) == (size_of(url), False)
    assert rows(tmp_path / "back") == rows(url)


def _write_to(url: str, folder: Path) -> None:
    """Restore another log over the one that is there."""
    write_small_ledger(folder / "other")
    restore_ledger(folder / "other", url)


def test_a_restored_database_goes_on_and_its_backup_is_added_to(ledger: Ledger, tmp_path: Path) -> None:
    url, backup = fresh_database(), tmp_path / "backup"
    burned(ledger, *[f"here-{number}" for number in range(5)])
    backup_ledger(tmp_path / "ledger", backup)
    restore_ledger(backup, url)
    ledger.close()
    with open_ledger(url, LOG_KEY, clock=Clock(NOW)) as moved:
        burned(moved, *[f"there-{number}" for number in range(5)])
        copied = backup_ledger(url, backup)
        assert (copied.size, copied.new_entries, copied.are_signatures_checked) == (21, 5, True)
    assert rows(backup) == rows(url)
    check(backup, 21)


@pytest.mark.parametrize("at", [0, 200, 437])
def test_half_a_restore_to_a_database_is_no_ledger(at: int, pristine: Path) -> None:
    url = fresh_database()
    status, said = run_child("restore_ledger", pristine, url, at)
    assert status == -signal.SIGKILL, said
    with pytest.raises(NotALedgerError, match="holds no entry"):
        _open_when_free(url)
    restore_ledger(pristine, url)
    assert rows(url) == rows(pristine)


def _open_when_free(url: str) -> None:
    """Open a ledger whose writer was killed, once the server has noticed."""
    while True:
        try:
            open_ledger(url, LOG_KEY).close()
        except LedgerBusyError:
            continue
        return


def test_a_damaged_backup_leaves_a_database_empty(source: Path, pristine: Path) -> None:
    url = fresh_database()
    DAMAGE["an entry's byte"](source)
    with pytest.raises(NotALedgerError, match="was left without a ledger"):
        restore_ledger(source, url)
    assert execute(url, "SELECT to_regnamespace('tallystick')") == [(None,)]
    restore_ledger(pristine, url)
    assert rows(url) == rows(pristine)
