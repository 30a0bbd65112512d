"""A saved state is believed if the log's key signed it for this very log; else the entries are replayed.

Everybody who may write beside a log is an attacker here: in a folder, and as a `…_writer` of a database.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.actors import ORIGIN, Actor, key_of, label_of, note_of, vkey_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.postgres import execute, fresh_database, server
from tallystick.errors import CheckpointMalformedError, SignatureMissingError
from tallystick.ledger import create_ledger, open_ledger
from tallystick.ledger.opening import stand_by
from tallystick.ledger.sidecar import SNAPSHOT, MemorySidecar
from tallystick.ledger.snapshots import write_snapshot
from tallystick.publishing import read_ledger
from tallystick.publishing.backup import backup_ledger, restore_ledger
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, sign_text
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

STRANGER = "network/stranger"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger is, and how somebody without the log's key writes its saved state."""

    source: Path | str
    read: Callable[[], bytes]
    write: Callable[[bytes], None]


@pytest.fixture(params=["folder", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A ledger of ten entries that was closed, and has a saved state of all of them."""
    monkeypatch.setattr("tallystick.ledger.opening.SNAPSHOT_AFTER_ENTRIES", 1)
    if request.param == "folder":
        file = tmp_path / "snapshot.json"
        place = Place(tmp_path, file.read_bytes, lambda data: (file.write_bytes(data), None)[1])
    else:
        url = fresh_database()
        name = url.rpartition("/")[2]

        def write(data: bytes) -> None:
            role = f"{name}_intruder"
            execute(url, f'DROP ROLE IF EXISTS "{role}"')
            execute(url, f'CREATE USER "{role}" IN ROLE "{name}_writer"')
            execute(
                server().url(name, user=role),
                "UPDATE tallystick.sidecar SET data = %s WHERE name = 'snapshot.json'",
                data,
            )

        def read() -> bytes:
            ((data,),) = execute(url, "SELECT data FROM tallystick.sidecar WHERE name = 'snapshot.json'")
            return bytes(data)

        place = Place(url, read, write)
    genesis, *rest = founding_notes()
    with create_ledger(place.source, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return place


def parts(saved: bytes) -> tuple[bytes, bytes]:
    """The signed header and the state's bytes: the header is a note with one signature."""
    end = saved.index(b"\n", saved.index("\n\n— ".encode()) + 2) + 1
    return saved[:end], saved[end:]


def with_strangers_key(state: bytes) -> bytes:
    """The state, as if the network's first key were a stranger's."""
    forged = state.replace(vkey_of("network/officer-1").encode(), vkey_of(STRANGER).encode())
    forged = forged.replace(label_of("network/officer-1").encode(), label_of(STRANGER).encode())
    assert forged != state
    return forged


def strangers_note() -> bytes:
    command = Actor("network").command(
        "item.register", BEGIN, ref="forged", item="h100", unit="gpu_time", name="H100", origin="foreign"
    )
    return note_of(command, STRANGER)


def header_text(saved: bytes, state: bytes) -> bytes:
    """The header's text, with the SHA-256 of another state in it."""
    old = hashlib.sha256(parts(saved)[1]).hexdigest().encode()
    text = Note.from_bytes(parts(saved)[0]).text
    assert text.count(old) == 1
    return text.replace(old, hashlib.sha256(state).hexdigest().encode())


def expect_replayed(place: Place) -> None:
    """Whoever opens the ledger, to write, to stand by or to read, has the state of the entries."""
    with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
        (answer,) = ledger.submit([strangers_note()])
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.KEY_UNKNOWN
        assert STRANGER not in "".join(ledger.state.keys)


def test_a_true_saved_state_is_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """By who has the log's verifier key; who has not replays."""
    replayed: list[int] = []
    entries = "tallystick.ledger.sqlite.SQLiteLogRecorder.entries"
    if isinstance(place.source, str):
        entries = "tallystick.ledger.postgres.PostgresLogRecorder.entries"

    def seen(_: object, start: int, stop: int) -> Iterator[bytes]:
        replayed.extend(range(start, stop))
        return iter(())

    monkeypatch.setattr(entries, seen)
    with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
        assert (ledger.state.size, replayed) == (11, [])
    with read_ledger(place.source) as reader:
        assert (reader.state().size, replayed) == (0, list(range(11)))


@pytest.mark.parametrize("signer", ["none", "old signature", "stranger", "stranger of the log's name"])
def test_a_forged_saved_state_is_passed_over(place: Place, signer: str) -> None:
    saved = place.read()
    head, state = parts(saved)
    forged = with_strangers_key(state)
    text = header_text(saved, forged)
    if signer == "none":
        place.write(text + b"\n" + forged)
    elif signer == "old signature":
        place.write(text + head[len(text) :] + forged)
    elif signer == "stranger":
        place.write(sign_text(text, key_of(STRANGER)) + forged)
    else:
        place.write(sign_text(text, SigningKey.from_seed(ORIGIN, bytes(32))) + forged)
    expect_replayed(place)


def test_a_forged_saved_state_under_the_true_header_is_passed_over(place: Place) -> None:
    head, state = parts(place.read())
    place.write(head + with_strangers_key(state))
    expect_replayed(place)


def test_a_state_under_a_checkpoint_is_passed_over(place: Place) -> None:
    """The log's key signs checkpoints for everybody to see: none of them speaks for a state."""
    _, state = parts(place.read())
    with read_ledger(place.source) as reader:
        place.write(reader.checkpoint_note() + with_strangers_key(state))
    expect_replayed(place)


def test_a_header_is_not_a_checkpoint(place: Place) -> None:
    head, _ = parts(place.read())
    with pytest.raises(CheckpointMalformedError):
        Checkpoint.from_text(Note.from_bytes(head).text)
    with pytest.raises((CheckpointMalformedError, SignatureMissingError)):
        open_checkpoint(head, LOG_KEY.verifier)


def test_a_stranger_standing_by_is_not_misled(place: Place) -> None:
    head, state = parts(place.read())
    place.write(head + with_strangers_key(state))
    standby = stand_by(place.source, LOG_KEY, clock=Clock())
    ledger = standby.wait(0)
    assert ledger is not None
    with ledger:
        assert STRANGER not in "".join(ledger.state.keys)


def test_who_only_reads_believes_no_saved_state(place: Place) -> None:
    """A reader has no key that isn't the log's own word: it replays, whatever lies there."""
    saved = place.read()
    with read_ledger(place.source) as reader:
        expected = reader.state().to_bytes()
    forged = with_strangers_key(parts(saved)[1])
    place.write(sign_text(header_text(saved, forged), LOG_KEY) + forged)  # as if the key had been stolen
    with read_ledger(place.source) as reader:
        assert reader.state().to_bytes() == expected


def test_an_older_true_saved_state_does_no_harm(place: Place) -> None:
    """It is of this log's past, so the entries after it lead to the same state."""
    old = place.read()
    with open_ledger(place.source, LOG_KEY, clock=Clock(NOW)) as ledger:
        ledger.submit([burn_note("s-1", lines=5)])
        expected = ledger.state.to_bytes()
    assert place.read() != old
    place.write(old)
    with open_ledger(place.source, LOG_KEY, clock=Clock(NOW)) as ledger:
        assert ledger.state.to_bytes() == expected


def test_a_true_saved_state_of_another_history_is_passed_over(place: Place) -> None:
    """The same key, on a fork of the log, a drill say: the root is another, and so may the state be."""
    with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
        expected = ledger.state.to_bytes()
        other = State.from_bytes(expected)
        other.keys.clear()
    elsewhere = MemorySidecar()
    write_snapshot(elsewhere, other, bytes(32), LOG_KEY)
    place.write(elsewhere.read(SNAPSHOT, 2**30) or b"")
    with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
        assert ledger.state.to_bytes() == expected


def test_a_saved_state_of_more_than_the_log_is_passed_over(place: Place) -> None:
    saved = place.read()
    text = Note.from_bytes(parts(saved)[0]).text
    assert text.count(b"\nsize 11\n") == 1
    for other in (b"\nsize 12\n", b"\nsize 0\n", b"\nsize 011\n", b"\nsize -1\n", b"\n"):
        place.write(sign_text(text.replace(b"\nsize 11\n", other), LOG_KEY) + with_strangers_key(parts(saved)[1]))
        expect_replayed(place)


def test_any_changed_byte_of_a_saved_state_is_passed_over(place: Place) -> None:
    """Or it changes nothing: no encoding of a header is taken but the one that was signed."""
    saved = place.read()
    head, _ = parts(saved)
    with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
        expected = ledger.state.to_bytes()
    for at in [*range(0, len(head), 7), len(head) + 3, len(saved) - 2]:
        place.write(saved[:at] + bytes([saved[at] ^ 1]) + saved[at + 1 :])
        with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
            assert ledger.state.to_bytes() == expected
    for data in (b"", b"\n", head, head[:-1], saved[:-1], saved + b" "):
        place.write(data)
        with open_ledger(place.source, LOG_KEY, clock=Clock()) as ledger:
            assert ledger.state.to_bytes() == expected


def test_one_that_was_passed_over_is_replaced(place: Place) -> None:
    """By the next true one: a header that lies about its size doesn't keep the writer from saving its state."""
    saved = place.read()
    text = Note.from_bytes(parts(saved)[0]).text.replace(b"\nsize 11\n", b"\nsize 9000000\n")
    place.write(sign_text(text, key_of(STRANGER)) + parts(saved)[1])
    with open_ledger(place.source, LOG_KEY, clock=Clock(NOW)) as ledger:
        ledger.submit([burn_note("s-1", lines=5)])
        state = ledger.state.to_bytes()
    assert parts(place.read())[1] == state


def test_a_backup_is_restored_without_the_logs_key(place: Place, tmp_path: Path) -> None:
    """No saved state comes with it: nobody but the key's holder could vouch for one."""
    with read_ledger(place.source) as reader:
        expected = reader.state().to_bytes()
    backup_ledger(place.source, tmp_path / "backup")
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored" / "snapshot.json").exists()
    with open_ledger(tmp_path / "restored", LOG_KEY, clock=Clock()) as ledger:
        assert ledger.state.to_bytes() == expected
