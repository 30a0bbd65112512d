"""A witness's state is durable before anything leaves, belongs to one key, and never goes back."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.witnesses import (
    LOG_KEY,
    ORIGIN,
    WITNESS_NAME,
    History,
    checkpoint_path,
    make_witness,
    post,
    reopened,
    serving,
)
from support.witnesses import ask as ask_raw
from tallystick.errors import LedgerError, NotALedgerError, PolicyMalformedError, UsageError
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.witness.cosigner import LOGS, STATE, create_witness, open_witness
from tallystick.witness.deciding import CosignedTree
from tallystick.witness.state import WitnessState

LOG = History(12)
FORK = History(12, forked_at=3)


def test_it_is_kept_before_it_is_answered(tmp_path: Path) -> None:
    """Another process that looks the moment an answer is there finds its tree in the file."""
    make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as witness, closing(sqlite3.connect(tmp_path / "w" / STATE)) as other:
        for size in (1, 5, 12):
            latest = witness.latest(ORIGIN)
            assert witness.add_checkpoint(LOG.request(latest.size if latest else 0, size)).status == 200
            assert other.execute("SELECT size, root FROM cosigned").fetchall() == [(size, LOG.roots[size])]


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    """WAL with synchronous=FULL (2): a machine that crashes forgets nothing that was answered."""
    key = make_witness(tmp_path / "w")
    with closing(WitnessState.open(tmp_path / "w" / STATE, key.verifier.to_text())) as state:
        database = state._database
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_what_cannot_be_kept_is_not_signed(tmp_path: Path) -> None:
    """A state that is locked, full or gone gives 503 and no cosignature."""
    make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as witness, serving(witness) as url:
        assert post(url, LOG.request(0, 5)).status == 200
        witness._state._database.execute("PRAGMA query_only = ON")
        replied = post(url, LOG.request(5, 9))
        assert (replied.status, replied.body) == (503, b"the witness can't keep its state now; it signed nothing\n")
        with pytest.raises(LedgerError, match="readonly"):
            witness.add_checkpoint(LOG.request(5, 9))
        witness._state._database.execute("PRAGMA query_only = OFF")
        assert post(url, LOG.request(5, 9)).status == 200
        witness.close()
        assert post(url, LOG.request(9, 10)).status == 503
        assert ask_raw(url, "GET", checkpoint_path()).status == 503


def test_a_commit_that_fails_gives_nothing_away(tmp_path: Path) -> None:
    """The signature was made inside the transaction; nobody sees it."""
    make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as witness:
        witness._state._database.set_authorizer(
            lambda action, what, *_: (
                sqlite3.SQLITE_DENY if (action, what) == (sqlite3.SQLITE_TRANSACTION, "COMMIT") else sqlite3.SQLITE_OK
            )
        )
        with pytest.raises(LedgerError, match="not authorized"):
            witness.add_checkpoint(LOG.request(0, 5))
        witness._state._database.set_authorizer(None)
        assert witness.latest(ORIGIN) is None
        assert witness.add_checkpoint(FORK.request(0, 5)).status == 200


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cosigned SET size = 4",
        "UPDATE cosigned SET root = zeroblob(32)",
        "UPDATE cosigned SET origin = 'log.example/other'",
        "DELETE FROM cosigned",
    ],
)
def test_the_file_itself_refuses_to_go_back(statement: str, tmp_path: Path) -> None:
    """Whatever the code above it does."""
    make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as witness:
        assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
    with (
        closing(sqlite3.connect(tmp_path / "w" / STATE)) as database,
        pytest.raises(sqlite3.IntegrityError, match="a witness never"),
    ):
        database.execute(statement)


def test_a_state_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """A witness that forgot could sign against what it signed."""
    make_witness(tmp_path / "w")
    (tmp_path / "w" / STATE).unlink()
    with pytest.raises(NotALedgerError, match="must not go on"):
        reopened(tmp_path / "w")
    assert not (tmp_path / "w" / STATE).exists()


def test_key_and_state_belong_together(tmp_path: Path) -> None:
    """A key on another witness's state, or on a fresh one, would have no past."""
    make_witness(tmp_path / "w")
    other = SigningKey.from_seed(WITNESS_NAME, b"\x05" * 32, COSIGNATURE_ED25519)
    with pytest.raises(NotALedgerError, match="the state of another key"):
        open_witness(tmp_path / "w", other, lambda: 1)


@pytest.mark.parametrize("data", [b"", b"not a database, but long enough to have a page of something in it" * 20])
def test_a_damaged_state_is_refused(data: bytes, tmp_path: Path) -> None:
    """By one error."""
    make_witness(tmp_path / "w")
    (tmp_path / "w" / STATE).write_bytes(data)
    with pytest.raises(NotALedgerError, match=r"state\.db is not a witness's state"):
        reopened(tmp_path / "w")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """Nothing in it is overwritten."""
    make_witness(tmp_path / "w")
    before = {path.name: path.read_bytes() for path in (tmp_path / "w").iterdir()}
    with pytest.raises(UsageError, match="not empty"):
        create_witness(tmp_path / "w", WITNESS_NAME, [LOG_KEY.verifier], None, unencrypted=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "w").iterdir()} == before
    with pytest.raises(LedgerError, match="can't be made"):
        WitnessState.create(tmp_path / "w" / STATE, "vkey")


def test_a_witness_takes_keys_of_logs_only(tmp_path: Path) -> None:
    """A witness's key is no log's."""
    cosigner = SigningKey.from_seed("witness.example/w2", b"\x05" * 32, COSIGNATURE_ED25519)
    with pytest.raises(PolicyMalformedError):
        create_witness(tmp_path / "w", WITNESS_NAME, [cosigner.verifier], None, unencrypted=True)
    assert not (tmp_path / "w").exists()


def test_a_folder_without_its_logs_is_no_witness(tmp_path: Path) -> None:
    """It would answer 404 to everybody."""
    key = make_witness(tmp_path / "w")
    (tmp_path / "w" / LOGS).unlink()
    with pytest.raises(NotALedgerError, match="is no witness"):
        open_witness(tmp_path / "w", key, lambda: 1)


def test_state_and_key_are_nobody_elses_to_read(tmp_path: Path) -> None:
    """The key file is private; so is what the witness remembers."""
    make_witness(tmp_path / "w")
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "w").iterdir() if path.suffix != ".policy"}
    assert set(modes.values()) == {0}


def test_witnesses_hold_no_open_transaction(tmp_path: Path) -> None:
    """A refusal, or an error while deciding, lets the next one in."""
    make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as first, reopened(tmp_path / "w") as second:
        assert first.add_checkpoint(LOG.request(3, 5)).status == 409
        assert second.add_checkpoint(LOG.request(0, 5)).status == 200

        def fail(latest: CosignedTree | None) -> CosignedTree:
            raise RuntimeError("a fault")

        with pytest.raises(RuntimeError, match="a fault"):
            first._state.advance(ORIGIN, fail)
        assert second.add_checkpoint(LOG.request(5, 9)).status == 200
        assert first.add_checkpoint(LOG.request(9, 12)).status == 200
