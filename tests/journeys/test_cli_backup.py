"""A ledger is backed up, lost and restored from the command line; an old copy that is written to finds no witness."""

import json
import os
import shutil
from pathlib import Path
from unittest import mock

import pytest

from support.command_line import ORIGIN, Desk, Ran, done, failed, finish, run, start
from support.postgres import fresh_database
from support.witnesses import reopened, serving
from tallystick.sources import without_password

LATER = "2026-01-05T10:00:00Z"
DAY = "2026-01-05T08:00:00Z"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a founded network; its trust policy kept where no ledger is."""
    made = Desk(tmp_path)
    made.found()
    shutil.copy(made.policy, tmp_path / "trust.policy")
    return made


def submit_to(desk: Desk, ledger: Path, note: Path, *more: object) -> Ran:
    """Submit to a ledger whose settings are put there for it, or given."""
    return run("submit", ledger, note, "--log-key", desk.key(ORIGIN), "--log-time", desk.at, *more)


def test_backed_up_lost_restored_audited_and_written_to(desk: Desk) -> None:
    """The steps of docs/backup.md."""
    backup, restored, trust = desk.folder / "backup", desk.folder / "restored", desk.folder / "trust.policy"
    said = done("ledger", "backup", desk.ledger, backup, "--trust", trust)
    assert said == f"{backup}: 4 entries of {ORIGIN}, 4 of them new, under 4 checkpoints\n"
    desk.open_programme()
    note = desk.statement(("job-1", 8, DAY, "2026-01-05T09:00:00Z", 3_600), ref="stmt-1")
    desk.at = LATER
    ran = run("submit", desk.ledger, note, "--log-time", LATER, "--receipts", desk.folder / "receipts")
    assert ran.status == 0, ran
    copied = json.loads(done("ledger", "backup", desk.ledger, backup, "--json"))
    assert copied == {
        "place": str(backup),
        "origin": ORIGIN,
        "size": 12,
        "new_entries": 8,
        "checkpoints": 12,
        "are_signatures_checked": True,
    }
    balances = done("balances", desk.ledger, "--by", "voucher", "--json")
    shutil.rmtree(desk.ledger)

    assert done("ledger", "restore", backup, restored).startswith(f"{restored}: 12 entries of {ORIGIN}, 12 of them new")
    audited = done("audit", restored, "--trust", trust, "--receipts", desk.folder / "receipts")
    assert audited.startswith("verdict: clean\n")
    assert done("balances", restored, "--by", "voucher", "--json") == balances
    # Nobody writes to it by the way: where the key is, a person has to say.
    assert "ledger.toml" in failed("submit", restored, note, "--log-time", LATER)
    ran = submit_to(desk, restored, note)
    assert (ran.status, "11" in ran.out) == (0, True)


def test_an_old_backup_that_is_written_to_is_refused_by_witnesses_and_by_mirrors(desk: Desk) -> None:
    """With status 1 and `history_rewritten`, though an audit of it alone finds nothing."""
    old, forked, trust = desk.folder / "old", desk.folder / "forked", desk.folder / "trust.policy"
    done("ledger", "backup", desk.ledger, old)
    witness = desk.folder / "w1"
    log = desk.vkey(ORIGIN)
    line = done("witness", "init", witness, "--name", "witness.example/w1", "--log", log, "--no-passphrase")
    trust.write_text(f"log {log}\n{line}quorum {line.split()[1]}\n")
    receipts = desk.folder / "receipts"
    answered = desk.sign("item.register", "national", item="h100", unit="gpu_time", name="H100", origin="foreign")
    assert run("submit", desk.ledger, answered, "--log-time", desk.at, "--receipts", receipts).status == 0
    with reopened(witness) as one, serving(one) as url:
        done("checkpoint", "collect", desk.ledger, "--trust", trust, "--witness", url)
        done("export", desk.ledger, desk.folder / "public")
        done("ledger", "restore", old, forked)
        # Before anything is written, both tell that it is an older copy.
        behind = run("export", forked, desk.folder / "public")
        assert behind.status == 1
        assert "it is an older copy" in behind.err
        other = desk.sign("item.register", "national", item="h800", unit="gpu_time", name="H800", origin="foreign")
        assert submit_to(desk, forked, other).status == 0
        assert done("audit", forked, "--trust", old / "trust.policy").startswith("verdict: clean\n")
        ran = run("checkpoint", "collect", forked, "--trust", trust, "--witness", url)
        assert ran.status == 1
        assert "history_rewritten" in ran.out + ran.err
    exported = run("export", forked, desk.folder / "public")
    assert exported.status == 1
    assert "history_rewritten" in exported.err
    contradicted = run("audit", forked, "--trust", old / "trust.policy", "--receipts", receipts)
    assert contradicted.status == 1
    assert "receipt_contradicted" in contradicted.out


def test_a_backup_without_a_policy_says_what_was_not_checked(desk: Desk) -> None:
    """It is done, and says so."""
    desk.policy.unlink()
    said = done("ledger", "backup", desk.ledger, desk.folder / "backup")
    assert "who signed the checkpoints was not checked" in said
    assert "give --trust FILE" in said


def test_what_can_not_be_done_is_one_line(desk: Desk) -> None:
    """Status 2, or 1 where the log isn't the one that it was."""
    backup = desk.folder / "backup"
    assert "no folder" in failed("ledger", "backup", desk.folder / "nowhere", backup)
    assert "a backup is made in a folder" in failed("ledger", "backup", desk.ledger, "postgresql://a@b/c")
    assert "no folder" in failed("ledger", "restore", backup, desk.folder / "restored")
    assert not (desk.folder / "restored").exists()
    assert "is not a ledger" in failed("ledger", "restore", desk.folder / "keys", desk.folder / "restored")
    done("ledger", "backup", desk.ledger, backup)
    assert "is not a place for a ledger" in failed("ledger", "restore", backup, "https://example.org/log")
    assert "holds a ledger already" in failed("ledger", "restore", desk.ledger, _with_another_ledger(desk))
    (desk.folder / "letters").mkdir()
    (desk.folder / "letters" / "one").write_text("dear")
    assert "is not empty" in failed("ledger", "backup", desk.ledger, desk.folder / "letters")
    assert "is not empty" in failed("ledger", "restore", backup, desk.folder / "letters")
    assert run("ledger", "backup", desk.ledger, desk.ledger / "trust.policy").status == 2
    younger = desk.folder / "younger"
    done("ledger", "restore", backup, younger)
    desk.open_programme()
    done("ledger", "backup", desk.ledger, backup)
    assert "history_rewritten" in failed("ledger", "backup", younger, backup, status=1)


def _with_another_ledger(desk: Desk) -> Path:
    other = Desk(desk.folder / "other")
    other.folder.mkdir()
    other.found()
    return other.ledger


def test_a_city_moves_to_postgresql_and_back(desk: Desk) -> None:
    """Backed up from the folder, restored to the database, written there, backed up, restored to a folder."""
    url, trust = fresh_database(), desk.folder / "trust.policy"
    backup = desk.folder / "backup"
    done("ledger", "backup", desk.ledger, backup)
    said = done("ledger", "restore", backup, url)
    assert said.startswith(f"{without_password(url)}: 4 entries of {ORIGIN}")
    desk.written += 1
    note = desk.sign("item.register", "national", item="h100", unit="gpu_time", name="H100", origin="foreign")
    ran = run("submit", url, note, "--log-key", desk.key(ORIGIN), "--log-time", desk.at)
    assert ran.status == 0, ran
    assert "5 entries" in done("ledger", "backup", url, backup, "--trust", trust)
    done("ledger", "restore", backup, desk.folder / "back")
    with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(desk.folder / "cache")}):
        for source in (url, desk.folder / "back"):
            assert done("audit", source, "--trust", trust).startswith("verdict: clean\n")
        assert done("balances", url, "--json") == done("balances", desk.folder / "back", "--json")


def test_a_real_process_backs_up_while_another_writes(desk: Desk) -> None:
    """Neither waits for the other, and the backup is clean."""
    notes = [
        desk.sign("item.register", "national", item=f"h{number}", unit="gpu_time", name="H", origin="foreign")
        for number in range(20)
    ]
    writing = start("submit", desk.ledger, *notes, "--log-time", desk.at)
    backing_up = start("ledger", "backup", desk.ledger, desk.folder / "backup")
    assert finish(backing_up).status == 0
    assert finish(writing).status == 0
    assert done("audit", desk.folder / "backup", "--trust", desk.policy).startswith("verdict: clean\n")
    assert "24 entries" in done("ledger", "backup", desk.ledger, desk.folder / "backup")
