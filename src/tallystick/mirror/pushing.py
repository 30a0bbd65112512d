"""A log brings its entries to a mirror, and believes only what verifies: a cosignature by a key of the trust policy.

    (1) the checkpoint becomes the mirror's pending one          add-checkpoint, asked as a witness is
    (2) an upload of nothing says what the mirror lacks           409, or 200 if it has all
    (3) packages from there on, a few megabytes a request         202 until the last
    (4) the mirror's cosignature                                  200, verified

Broken off anywhere, the same push goes on where the mirror is. Every proof is made from the log's own tree.
"""

import gzip
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from tallystick.errors import LedgerError, MalformedError, ProofInvalidError
from tallystick.mirror.packages import (
    INFO_SIZE_MAX,
    PACKAGES_MAX,
    AddEntries,
    Interval,
    MirrorInfo,
    Package,
    intervals,
)
from tallystick.progress import Progress
from tallystick.signing.note import NOTE_SIZE_MAX, Signature
from tallystick.static.web import HttpAnswer, WebFiles
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import subtree_proof
from tallystick.witness.asking import Prove, SignedCheckpoint, advance, read_lines

UPLOAD_BYTES: Final = 2**22
"""A request is closed once its packages have so many; one package may have more."""

_HEADERS: Final = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"}
_COSIGNED: Final = 200
_MORE: Final = 202
_CONFLICT: Final = 409
_NOT_IN_THE_TREE: Final = 422


class PushedLog(Protocol):
    """What is read of the log; `tallystick.publishing.Reader` is one."""

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield entries from `start` to before `stop`."""

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return a tile's bytes."""


class Pushed(NamedTuple):
    """What came of a push: the mirror's verified cosignatures, and how many entries were sent."""

    signatures: tuple[Signature, ...]
    sent: int


def push(
    web: WebFiles,
    signed: SignedCheckpoint,
    policy: Policy,
    log: PushedLog,
    prove: Prove,
    progress: Progress | None = None,
) -> Pushed:
    """Bring a mirror what it lacks of a checkpoint's tree, and return its verified cosignatures.

    Args:
        web: the mirror's URL (its submission prefix).
        signed: the checkpoint.
        policy: the mirror is among its witnesses.
        log: has the entries and the tree of the checkpoint.
        prove: gives consistency proofs that hold.
        progress: told how many entries the mirror has, of how many.

    Raises:
        LedgerError: no usable answer.
        ProofInvalidError: the mirror holds another history, or a larger tree of this one.
        VerificationError: no line by a mirror of the policy, or one that isn't its cosignature.
    """
    advance(web, signed, policy, prove)
    size = signed.checkpoint.size
    uploader = _Uploader(web, signed, log)
    answer, next_entry = uploader.send(size, b""), -1
    while answer.status != _COSIGNED:
        info = _info(answer, web.name)
        if info.size != size:
            raise LedgerError(
                f"{web.name} waits for a tree of {info.size:,} entries by now: push the newest checkpoint"
            )
        if not next_entry < info.next_entry <= size:
            raise LedgerError(f"{web.name} asks for entry {info.next_entry} again and again, and doesn't take it")
        next_entry = info.next_entry
        if progress is not None:
            progress(next_entry, size)
        answer = uploader.send(next_entry, info.ticket)
    return Pushed(read_lines(answer.data, signed, policy, web.name), uploader.sent)


class _Uploader:
    """Sends entries of one checkpoint's tree."""

    def __init__(self, web: WebFiles, signed: SignedCheckpoint, log: PushedLog) -> None:
        self._web = web
        self._log = log
        self._origin = signed.checkpoint.origin
        self._size = signed.checkpoint.size
        self.sent = 0

    def send(self, start: int, ticket: bytes) -> HttpAnswer:
        """Upload entries from `start` on, as many as one request takes."""
        parts = [AddEntries(self._origin, start, self._size, ticket).to_bytes()]
        length = 0
        for number, interval in enumerate(intervals(start, self._size)):
            if number == PACKAGES_MAX or length >= UPLOAD_BYTES:
                break
            parts.append(self._package(interval).to_bytes())
            length += len(parts[-1])
            self.sent += interval.stop - interval.first
        body = gzip.compress(b"".join(parts), compresslevel=1, mtime=0)
        return self._web.post("add-entries", body, max(NOTE_SIZE_MAX, INFO_SIZE_MAX), _HEADERS)

    def _package(self, interval: Interval) -> Package:
        entries = tuple(self._log.entries(interval.first, interval.stop))
        proof = subtree_proof(interval.aligned, interval.stop, self._size, self._log.read_tile)
        return Package(entries, tuple(proof))


def _info(answer: HttpAnswer, name: str) -> MirrorInfo:
    """Return what a mirror says of itself.

    Raises:
        ProofInvalidError: it says that entries aren't those of the tree.
        LedgerError: it says something else.
    """
    if answer.status in (_MORE, _CONFLICT):
        try:
            return MirrorInfo.from_bytes(answer.data)
        except MalformedError as error:
            raise LedgerError(f"{name} answers {answer.status}, and {error}") from None
    shown = ascii(answer.data[:200].decode("latin-1").rstrip("\n"))
    if answer.status == _NOT_IN_THE_TREE:
        raise ProofInvalidError(f"{name} refuses entries that their own proof holds for: {shown}")
    raise LedgerError(f"{name} answers {answer.status}: {shown}")
