"""Cosignatures are kept beside the checkpoint that they are of, whole or not at all, and none that was good is lost.

    a ledger            `checkpoint.cosigned` beside it: the newest that witnesses cosigned; the store's own rows stay
    an exported folder  `checkpoint` itself

A quorum that was reached isn't given up for one that wasn't: then a ledger keeps its older cosigned checkpoint, which
goes on giving receipts for what it covers. Lines that came are expected to have been verified; those that lie there
already are verified here, and dropped if they are bad.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tallystick.durable_files import PUBLIC_MODE
from tallystick.errors import LedgerBusyError, MalformedError, VerificationError
from tallystick.ledger.sidecar import COSIGNED, FolderSidecar
from tallystick.ledger.sqlite import require
from tallystick.ledger.store import Sidecar
from tallystick.signing.note import Note, Signature
from tallystick.sources import (
    CHECKPOINT,
    AnySource,
    LedgerDatabase,
    LedgerFolder,
    Source,
    StaticFolder,
    parse_source,
    parse_writable,
)
from tallystick.static.files import CHECKPOINT_SIZE_MAX
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.cosignature import verify_cosignature
from tallystick.transparency.merging import merge_notes
from tallystick.transparency.policy import Policy


class Kept(NamedTuple):
    """Where cosignatures are kept, the checkpoint with all that are known of it, and whether that is what lies there.

    It isn't if an older checkpoint that the policy accepts was there, and it doesn't accept this one.
    """

    place: str
    note: bytes
    is_kept: bool


def keep_cosignatures(source: AnySource, signed_note: bytes, lines: tuple[Signature, ...], policy: Policy) -> Kept:
    """Keep verified cosignatures in a ledger or an exported folder.

    Args:
        source: where the checkpoint was read: a ledger folder, a PostgreSQL ledger's URL, or an exported folder.
        signed_note: the checkpoint with the log's own lines.
        lines: cosignatures of it.
        policy: whose lines are verified, and whose quorum counts.

    Raises:
        UsageError: it can only be read.
        NotALedgerError: there is neither.
        LedgerBusyError: another process writes there now, or has exported there since the checkpoint was read.
        OSError, PersistenceError: nothing can be written there.
    """
    note = Note.from_bytes(signed_note)
    fresh = Note(note.text, note.signatures + lines).to_bytes()
    parsed = parse_source(source)
    with _sidecar_of(parsed) as (sidecar, name), sidecar.exclusive_lock():
        there = sidecar.read(name, CHECKPOINT_SIZE_MAX)
        known = _read(there)
        place = f"{parsed}/{name}"
        if name == CHECKPOINT and (known is None or known.text != note.text):
            raise LedgerBusyError(f"{parsed} was exported to meanwhile: ask the witnesses for its new checkpoint")
        if known is not None:
            if known.text == note.text:
                good = _good_lines(known, policy)
                fresh = merge_notes(fresh, Note(note.text, good).to_bytes()) if good else fresh
            elif _size(known) >= _size(note) or (_accepted(policy, there) and not _accepted(policy, fresh)):
                return Kept(place, fresh, is_kept=False)
        if fresh != there:
            sidecar.write(name, fresh)
    return Kept(place, fresh, is_kept=True)


@contextmanager
def _sidecar_of(source: Source) -> Iterator[tuple[Sidecar, str]]:
    """Give what lies beside a log, and the name that cosignatures have there."""
    if isinstance(source, StaticFolder):
        yield FolderSidecar(source.folder, PUBLIC_MODE), CHECKPOINT
        return
    match parse_writable(source):
        case LedgerDatabase(url):
            from tallystick.ledger.postgres import open_postgres  # noqa: PLC0415 - psycopg is an extra

            store = open_postgres(url, read_only=False)
            try:
                yield store.sidecar, COSIGNED
            finally:
                store.close()
        case LedgerFolder(folder):
            require(folder)
            yield FolderSidecar(folder), COSIGNED


def _read(data: bytes | None) -> Note | None:
    """Return a checkpoint's note, None if there is none; a file that isn't one is as good as none."""
    try:
        note = Note.from_bytes(data or b"")
        Checkpoint.from_text(note.text)
    except MalformedError:
        return None
    return note


def _size(note: Note) -> int:
    return Checkpoint.from_text(note.text).size


def _accepted(policy: Policy, note: bytes | None) -> bool:
    try:
        policy.open_checkpoint(note or b"")
    except (MalformedError, VerificationError):
        return False
    return True


def _good_lines(note: Note, policy: Policy) -> tuple[Signature, ...]:
    """Return a note's lines but for those by the policy's witnesses that aren't theirs."""
    known = {(line.vkey.name, line.vkey.key_id): line.vkey for line in policy.witnesses}
    good = []
    for line in note.signatures:
        vkey = known.get((line.name, line.key_id))
        try:
            if vkey is not None:
                verify_cosignature(note.text, line, vkey)
        except VerificationError:
            continue
        good.append(line)
    return tuple(good)
