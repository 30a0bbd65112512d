"""The cosigned checkpoint beside a log is what the log said before: the log must go on from it, or it is found out."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import cast

import psycopg
import pytest

from support.actors import ORIGIN, key_of
from support.earlier_audits import OLD, cut_back
from support.postgres import execute, fresh_database, server
from support.small_ledger import LOG_KEY, POLICY, REPLACED, SIZES, write_small_ledger
from support.tampering import edited, entries_of, forge, opened, put_entry, sql
from tallystick.audit import FindingCode, audit
from tallystick.audit.sqlite_evidence import SQLiteDatabase
from tallystick.findings import Findings
from tallystick.publishing import read_ledger
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import sign_text
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.policy import Policy

C = FindingCode
Keep = Callable[[bytes], Path | str]
CONTRADICTED = (C.COSIGNED_CHECKPOINT_CONTRADICTED.value, None)

_numbers = count()


@pytest.fixture(scope="module")
def whole() -> str:
    """A database with the ledger of `pristine`, never to be changed."""
    url = fresh_database()
    write_small_ledger(cast(Path, url), up_to=SIZES)
    return url


@pytest.fixture(params=["folder", "database"])
def keep(request: pytest.FixtureRequest, ledger: Path) -> Iterator[Keep]:
    """Puts a cosigned checkpoint beside the ledger, and returns the ledger."""
    if request.param == "folder":

        def beside_folder(data: bytes) -> Path:
            (ledger / "checkpoint.cosigned").write_bytes(data)
            return ledger

        yield beside_folder
        return
    name = f"cosigned_{os.getpid()}_{next(_numbers)}"
    template = request.getfixturevalue("whole").rpartition("/")[2]
    execute(server().url("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def beside_database(data: bytes) -> str:
        with psycopg.connect(server().url(name)) as connection:
            connection.execute("INSERT INTO tallystick.sidecar VALUES ('checkpoint.cosigned', %s)", (data,))
        return server().url(name)

    yield beside_database
    execute(server().url("postgres"), f'DROP DATABASE "{name}" (FORCE)')


def checkpoint_of(entries: list[bytes], size: int, signer: SigningKey = LOG_KEY) -> bytes:
    """The signed checkpoint of the first entries."""
    edge = RightEdge()
    edge.extend([leaf_hash(data) for data in entries[:size]])
    return sign_checkpoint(Checkpoint(signer.name, edge.size, edge.root()), signer)


def of_root(size: int, root: bytes = b"\x07" * 32) -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), LOG_KEY)


def found(source: Path | str, since: Path | None = None) -> list[tuple[str, int | None]]:
    return [(row.code, row.index) for row in audit(source, POLICY, since=since).findings]


@pytest.fixture(params=[None, "first", "old", "whole"])
def since(request: pytest.FixtureRequest, reports: Path) -> Path | None:
    """A whole audit, and audits from reports on 1, 263 and all 289 entries."""
    return None if request.param is None else reports / f"{request.param}.json"


@pytest.mark.parametrize("size", [0, 1, 37, OLD, OLD + 3, 289])
def test_a_checkpoint_that_the_log_goes_on_from_is_clean(
    keep: Keep, pristine: Path, since: Path | None, size: int
) -> None:
    """Of whatever size, whether or not a commit ended there."""
    with read_ledger(pristine / "ledger") as reader:
        note = checkpoint_of(list(reader.entries()), size)
    assert found(keep(note), since) == []


@pytest.mark.parametrize("size", [0, 1, 37, OLD, OLD + 3, 289])
def test_another_root_is_found(keep: Keep, since: Path | None, size: int) -> None:
    """Signed by the log's own key for a size that it has now, or had."""
    assert found(keep(of_root(size)), since) == [CONTRADICTED]


@pytest.mark.parametrize("size", [290, 10_000, 2**62])
def test_a_larger_tree_than_the_log_is_found(keep: Keep, since: Path | None, size: int) -> None:
    """Cut back, or restored from an older copy."""
    source = keep(of_root(size))
    report = audit(source, POLICY, since=since)
    assert [(row.code, row.index) for row in report.findings] == [CONTRADICTED]
    assert f"it had {size} entries, and now it has 289" in report.findings[0].detail


def test_a_log_that_was_cut_back_is_found(ledger: Path) -> None:
    """Which nothing else shows."""
    (ledger / "checkpoint.cosigned").write_bytes(checkpoint_of(entries_of(ledger), 289))
    cut_back(ledger, OLD)
    assert found(ledger) == [CONTRADICTED]


def test_a_log_that_was_written_anew_is_found(ledger: Path) -> None:
    """Without a lie in it, and signed."""
    entries = entries_of(ledger)
    (ledger / "checkpoint.cosigned").write_bytes(checkpoint_of(entries, 200))
    entries[REPLACED] = edited(entries[REPLACED], r'"at":"(....-..-..T..:..:..)\.......Z"', r'"at":"\1.000001Z"')
    forge(ledger, entries)
    assert found(ledger) == [CONTRADICTED]


def test_rot_is_no_contradiction(ledger: Path) -> None:
    """The newest checkpoint still commits to the tree that was cosigned; what rotted is named."""
    entries = entries_of(ledger)
    (ledger / "checkpoint.cosigned").write_bytes(checkpoint_of(entries, 200))
    put_entry(ledger, 40, edited(entries[40], '"at":"2026', '"at":"2027'))
    codes = [code for code, _ in found(ledger)]
    assert "leaf_differs" in codes
    assert "cosigned_checkpoint_contradicted" not in codes
    sql(ledger, "DELETE FROM tree WHERE level = 0 AND position = 199")
    codes = [code for code, _ in found(ledger)]
    assert "tree_differs" in codes
    assert "cosigned_checkpoint_contradicted" not in codes


def test_witnesses_are_not_needed_for_it(ledger: Path) -> None:
    """Nor for a log that has none yet: its own signature is what it is held to."""
    witness = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
    text = f"log {LOG_KEY.verifier.to_text()}\nwitness w1 {witness.verifier.to_text()}\nquorum w1\n"
    policy = Policy.from_text(text.encode())
    note = of_root(200)
    (ledger / "checkpoint.cosigned").write_bytes(note)
    codes = audit(ledger, policy).codes()
    assert codes == (C.CHECKPOINT_QUORUM_MISSING, C.COSIGNED_CHECKPOINT_CONTRADICTED)
    (ledger / "checkpoint.cosigned").write_bytes(note + cosign(note, witness, 1_800_000_000))
    assert audit(ledger, policy).codes() == codes


def test_lines_for_the_newest_checkpoint_count(keep: Keep, pristine: Path) -> None:
    """They are what the policy asks for."""
    witness = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
    text = f"log {LOG_KEY.verifier.to_text()}\nwitness w1 {witness.verifier.to_text()}\nquorum w1\n"
    with read_ledger(pristine / "ledger") as reader:
        note = reader.checkpoint_note()
    source = keep(note + cosign(note, witness, 1_800_000_000))
    assert audit(source, Policy.from_text(text.encode())).is_clean


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "the name": lambda line: line.replace(b"national", b"nationam"),
    "the key's id": lambda line: line.replace(b"national z", b"national A"),
    "the signature": lambda line: line[:-20] + (b"B" if line[-20:-19] == b"A" else b"A") + line[-19:],
}


@pytest.mark.parametrize("how", DAMAGES)
def test_the_logs_own_line_under_the_newest_checkpoint_is_not_taken_from_the_cosigned_one(
    ledger: Path, how: str
) -> None:
    """A good copy of it lies there, and heals nothing: what is stored is damaged."""
    with read_ledger(ledger) as reader:
        note = reader.checkpoint_note()
    witness = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
    (ledger / "checkpoint.cosigned").write_bytes(note + cosign(note, witness, 1_800_000_000))
    text, _, line = note.rpartition(b"\n\n")
    damaged = text + b"\n\n" + DAMAGES[how](line)
    with opened(ledger) as database:
        changed = database.execute("UPDATE checkpoints SET note = ? WHERE size = 289", (damaged,))
        assert changed.rowcount == 1
    assert found(ledger) == [(C.CHECKPOINT_SIGNATURE_INVALID.value, None)]


OTHER_LOG = key_of("elsewhere.example/log")
STRANGER = SigningKey.from_seed(ORIGIN, b"\x09" * 32)
ODD: list[tuple[str, FindingCode, bytes]] = [
    ("it is no note", C.CHECKPOINT_MALFORMED, b"\xff"),
    ("it is no checkpoint", C.CHECKPOINT_MALFORMED, sign_text(b"hello\n", LOG_KEY)),
    ("a stranger signed it", C.CHECKPOINT_SIGNATURE_INVALID, checkpoint_of([b"x"], 1, STRANGER)),
    ("it is another log's", C.CHECKPOINT_SIGNATURE_INVALID, checkpoint_of([b"x"], 1, OTHER_LOG)),
    ("its signature is broken", C.CHECKPOINT_SIGNATURE_INVALID, of_root(3).replace(b"\n3\n", b"\n4\n")),
]


@pytest.mark.parametrize(("code", "data"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_what_the_log_did_not_sign_says_nothing_about_it(keep: Keep, code: FindingCode, data: bytes) -> None:
    """But it doesn't belong there."""
    logs = [f"log {key.verifier.to_text()}\n" for key in (LOG_KEY, OTHER_LOG)]
    both = Policy.from_text("".join([*logs, "quorum none\n"]).encode())
    source = keep(data)
    for policy in (POLICY, both):
        report = audit(source, policy)
        assert report.codes() == (code,)
        assert report.findings[0].detail.startswith("checkpoint.cosigned: ")


def test_one_that_came_after_the_snapshot_is_not_held_against_it(ledger: Path) -> None:
    """A writer at work, and witnesses, go on while an audit runs."""
    database = SQLiteDatabase(ledger / "ledger.db", Findings())
    (ledger / "checkpoint.cosigned").write_bytes(of_root(5_000))
    assert database.cosigned() is None
    database.close()
