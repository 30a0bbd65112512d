"""A mirror is a folder: its key, the logs that it knows, what it knows of them, and their files.

    mirror.pem              the key, of type 0x04 (tallystick.keyfiles)
    logs.policy             a `log <vkey>` line for each key of a log that it knows, and `quorum none`
    state.db                pending and mirrored checkpoints, the next entry (state.py)
    logs/<origin's hash>/   the log as static files; `tallystick audit` reads them there

C2SP tlog-mirror, in this order:

    add-checkpoint   as a witness does, without a cosignature: the new pending checkpoint
    add-entries      400  the head, or the first package, isn't one
                     404  the mirror wasn't told of this log
                     422  it has no pending checkpoint; a package that isn't of the pending checkpoint's tree
                     409  another size than that of a pending checkpoint, a gap before the first, or long known
                     202  some packages are kept, more are needed
                     200  all are here: the mirror's cosignature

A cosignature says: the mirror durably has and serves all entries of this tree.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tallystick import keyfiles
from tallystick.errors import MalformedError, ProofInvalidError
from tallystick.mirror.mirrored_log import MirroredLog
from tallystick.mirror.packages import (
    MIRROR_INFO,
    AddEntries,
    Interval,
    MirrorInfo,
    Package,
    intervals,
    package_from_bytes,
)
from tallystick.mirror.state import MirrorState
from tallystick.signing.algorithms import COSIGNER
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.policy import Policy
from tallystick.witness.cosigner import STATE, Clock, make_folder, origin_hash, read_logs
from tallystick.witness.deciding import COSIGNED, CosignedTree, WitnessAnswer, open_request, refuse

KEY: Final = "mirror.pem"
FILES: Final = "logs"

EXCESS_MAX: Final = 8_192
"""Entries that are here already and come again: as many as a request may bring."""

_MALFORMED: Final = 400
_UNKNOWN_LOG: Final = 404
_CONFLICT: Final = 409
_NOT_IN_THE_TREE: Final = 422
_MORE: Final = 202


def create_mirror(
    folder: Path, name: str, logs: Sequence[VerifierKey], passphrase: bytes | None, *, unencrypted: bool = False
) -> VerifierKey:
    """Make a mirror that has nothing yet, and return its public key; the arguments are those of `create_witness`.

    Raises:
        UsageError: the folder isn't empty.
        KeyMalformedError, PolicyMalformedError: an unfit name, or keys that aren't logs'.
        KeyFileError, LedgerError, OSError: something can't be written.
    """

    def create(key_file: Path) -> VerifierKey:
        return keyfiles.create(key_file, name, passphrase, unencrypted=unencrypted, algorithm=COSIGNER)

    return make_folder(folder, KEY, create, logs, MirrorState)


def open_mirror(folder: Path, key: SigningKey, clock: Clock) -> "Mirror":
    """Open a mirror with its key, as it is read from `KEY`.

    Raises:
        NotALedgerError: the folder holds none, or the state of another key.
        PolicyMalformedError: its list of logs can't be read.
    """
    logs = read_logs(folder, MirrorState)
    return Mirror(key, logs, MirrorState.open(folder / STATE, key.verifier.to_text()), folder / FILES, clock)


class Mirror:
    """A mirror at work; for any number of threads."""

    def __init__(self, key: SigningKey, logs: Policy, state: MirrorState, files: Path, clock: Clock) -> None:
        self._key = key
        self._logs = logs
        self._state = state
        self._clock = clock
        self._origins = {line.vkey.name for line in logs.logs}
        self._by_hash = {origin_hash(origin): origin for origin in self._origins}
        self._files = files
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer add-checkpoint: status 200 and nothing once the checkpoint is pending, or why not.

        Raises:
            LedgerError: the state can't be read or kept now.
        """
        request = open_request(body, self._logs)
        if isinstance(request, WitnessAnswer):
            return request
        new = CosignedTree(request.checkpoint.size, request.checkpoint.root, 0, request.note)
        decided = self._state.advance_pending(request.checkpoint.origin, lambda latest: refuse(request, latest) or new)
        return decided if isinstance(decided, WitnessAnswer) else WitnessAnswer(COSIGNED, b"")

    def add_entries(self, body: bytes) -> WitnessAnswer:
        """Answer add-entries.

        Raises:
            LedgerError, OSError: state or files can't be read or kept now; what was kept is here.
        """
        try:
            head, at = AddEntries.from_bytes(body)
        except MalformedError as error:
            return _refused(_MALFORMED, str(error))
        tree = self._tree_of(head)
        if isinstance(tree, WitnessAnswer):
            return tree
        wanted = list(intervals(head.start, head.end))
        for number, interval in enumerate(wanted):
            try:
                read = package_from_bytes(body, at, interval)
            except MalformedError as error:
                return _refused(_NOT_IN_THE_TREE, str(error))
            if read is None:
                if number == 0:
                    return _refused(_MALFORMED, "the body ends within its first package")
                return self._info(_MORE, head.origin, tree.size)
            package, at = read
            try:
                self._keep(head.origin, interval, package, tree)
            except ProofInvalidError as error:
                return _refused(_NOT_IN_THE_TREE, f"entries {interval.first} to before {interval.stop}: {error}")
        if at != len(body):
            return _refused(_MALFORMED, "more comes after the last package")
        return self._cosign(head.origin, tree)

    def latest_note(self, hashed_origin: str) -> bytes | None:
        """Return the newest checkpoint that was cosigned, with the log's and this mirror's lines; None if none.

        Raises:
            LedgerError: the state can't be read now.
        """
        origin = self._by_hash.get(hashed_origin)
        mirrored = None if origin is None else self._state.mirrored(origin)
        return None if mirrored is None else mirrored.note

    def folder_of(self, hashed_origin: str) -> Path | None:
        """Return where a log's files are, None if the mirror wasn't told of it."""
        return self._files / hashed_origin if hashed_origin in self._by_hash else None

    def close(self) -> None:
        """Let go of the state."""
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tree_of(self, head: AddEntries) -> CosignedTree | WitnessAnswer:
        """Return the tree that entries are uploaded to, or why they aren't taken."""
        if head.origin not in self._origins:
            return _refused(_UNKNOWN_LOG, f"this mirror knows no log {head.origin!a:.300}")
        newest = self._state.newest_pending(head.origin)
        if newest is None:
            return _refused(_NOT_IN_THE_TREE, "no checkpoint of this log is pending: add-checkpoint comes first")
        tree = self._state.tree_of_size(head.origin, head.end)
        mirrored = self._state.mirrored(head.origin)
        next_entry = self._state.next_entry(head.origin)
        is_behind = mirrored is not None and head.end < mirrored.size
        excess = min(head.end, next_entry) - head.start
        if tree is None or is_behind or head.start > next_entry or excess > EXCESS_MAX:
            return self._info(_CONFLICT, head.origin, newest.size if tree is None or is_behind else head.end)
        return tree

    def _keep(self, origin: str, interval: Interval, package: Package, tree: CosignedTree) -> None:
        """Write what a package brings, if it is of the tree.

        Raises:
            ProofInvalidError: it isn't.
            LedgerError, OSError: something can't be read or kept now.
        """
        with self._turns[origin]:
            here = self._state.next_entry(origin)
            after = self._log(origin).add_package(interval, package, tree, here)
            if after != here:
                self._state.note_received(origin, after)

    def _log(self, origin: str) -> MirroredLog:
        return MirroredLog(self._files / origin_hash(origin))

    def _cosign(self, origin: str, tree: CosignedTree) -> WitnessAnswer:
        """Complete a tree of which all entries are here, and cosign it once it can be served."""
        lines: list[bytes] = []

        def decide(old: CosignedTree | None) -> CosignedTree | None:
            if old is not None and tree.size < old.size:
                return None
            at_posix_s = max(self._clock(), 1, 0 if old is None else old.at_posix_s)
            lines.append(cosign(tree.note, self._key, at_posix_s))
            return CosignedTree(tree.size, tree.root, at_posix_s, tree.note + lines[0])

        with self._turns[origin]:
            old = self._state.mirrored(origin)
            if old is None or old.size < tree.size:
                self._log(origin).complete(tree, 0 if old is None else old.size, self._state.next_entry(origin))
            decided = self._state.advance_mirrored(origin, decide)
            if decided is not None:
                self._log(origin).publish(decided.note)
        return WitnessAnswer(COSIGNED, lines[0]) if lines else self._info(_CONFLICT, origin, None)

    def _info(self, status: int, origin: str, size: int | None) -> WitnessAnswer:
        """Return an answer that says what the mirror has; of no size, the newest pending checkpoint's."""
        newest = self._state.newest_pending(origin)
        if size is None:
            size = 0 if newest is None else newest.size
        return WitnessAnswer(status, MirrorInfo(size, self._state.next_entry(origin)).to_bytes(), MIRROR_INFO)


def _refused(status: int, reason: str) -> WitnessAnswer:
    return WitnessAnswer(status, f"{reason}\n".encode())
