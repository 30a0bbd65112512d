"""The series of a store's checkpoints: signed by the log, numbered without gaps, with the root of their size.

Which keys must have signed one follows from the entries, once one of them changed the log's key (vouchers/log_keys.py);
so what a key signed out of its turn is found, whatever keys the policy names.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tallystick.audit.evidence import StoredCheckpoint
from tallystick.errors import MalformedError, VerificationError
from tallystick.findings import FindingCode, Findings
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.checkpoint import Checkpoint

_MISSING_SHOWN: Final = "numbers {} to {} are not there"


@dataclass(slots=True)
class ListedCheckpoint:
    """A checkpoint of the series; `signatures` are the lines by keys that the policy names, as (vkey, 64 bytes)."""

    number: int
    note: Note
    checkpoint: Checkpoint
    signatures: list[tuple[str, bytes]]


class CheckpointSeries:
    """The series, read along with the entries."""

    def __init__(
        self,
        rows: Iterator[StoredCheckpoint],
        origin: str,
        newest_size: int,
        keys: Iterable[VerifierKey],
        findings: Findings,
        signing_vkeys: Callable[[int], Sequence[str]],
        *,
        first_number: int = 0,
        first_size: int = 1,
    ) -> None:
        self._rows = rows
        self._origin = origin
        self._newest_size = newest_size
        self._keys = {(key.name, key.key_id): key.to_text() for key in keys}
        self._findings = findings
        self._signing_vkeys = signing_vkeys
        self._next_number = first_number
        self._size = first_size - 1
        self._ahead: ListedCheckpoint | None = None
        self._due: deque[ListedCheckpoint] = deque()

    def up_to(self, size: int) -> list[ListedCheckpoint]:
        """Return those that come next and are of trees of up to `size` leaves; they will be `due`."""
        taken = []
        while (listed := self._ahead or self._read()) is not None:
            self._ahead = listed
            if listed.checkpoint.size > size:
                break
            self._ahead = None
            taken.append(listed)
        self._due += taken
        return taken

    def judge(self, listed: ListedCheckpoint, verdicts: Iterable[bool]) -> None:
        """Note a signature that isn't good, or that there is none; the newest is judged by the policy."""
        if listed.checkpoint.size == self._newest_size:
            return
        if not listed.signatures:
            detail = f"checkpoint {listed.number}: the log did not sign it"
        elif not all(list(verdicts)):
            detail = f"checkpoint {listed.number}: the signature is not the log's"
        else:
            return
        self._findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, detail)

    def next_size(self) -> int | None:
        """Return the size of the next checkpoint that is due."""
        return self._due[0].checkpoint.size if self._due else None

    def compare(self, root: bytes | None) -> None:
        """Compare the checkpoint that is due with the root at its size; None if that isn't known."""
        listed = self._due.popleft()
        if listed.checkpoint.size == self._newest_size:
            return  # the newest is compared at the end
        self._check_signers(f"checkpoint {listed.number}", listed.note, listed.checkpoint.size)
        if root is None:
            return
        if listed.checkpoint.root != root:
            detail = f"checkpoint {listed.number}: it says {listed.checkpoint.root.hex()}, rebuilt {root.hex()}"
            self._findings.add(FindingCode.CHECKPOINT_ROOT_DIFFERS, None, detail)

    def _check_signers(self, name: str, note: Note, size: int) -> None:
        """Note what a key didn't sign whose turn it is, and what one signed whose turn it isn't.

        Signatures by keys that the policy names were judged before; others are verified here.

        Args:
            name: of the checkpoint, for a person.
            note: it.
            size: of its tree, and replayed by now, or nothing is said.
        """
        vkeys = self._signing_vkeys(size)
        if not vkeys:
            return
        lines = {(line.name, line.key_id): line for line in note.signatures}
        signed = {vkey for place, vkey in self._keys.items() if place in lines}
        for vkey in vkeys:
            if vkey not in signed and not _is_signed(note.text, lines, VerifierKey.from_text(vkey)):
                detail = f"{name}: {vkey} must sign it, as the entries say, and has not"
                self._findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, detail)
        if not set(vkeys) & set(self._keys.values()):
            detail = f"{name}: the entries say that {vkeys[-1]} signs it; no line of the policy is for that key"
            self._findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, detail)
        for vkey in sorted(signed.difference(vkeys)):
            detail = f"{name}: {vkey} signed it, and as the entries say it isn't its turn"
            self._findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, detail)

    def finish(self, newest: bytes | None) -> None:
        """Note by whom the newest checkpoint had to be signed, and what the series counts beyond its size."""
        with suppress(MalformedError):  # which was found
            note = Note.from_bytes(newest or b"")
            self._check_signers("the newest", note, Checkpoint.from_text(note.text).size)
        while (listed := self._ahead or self._read()) is not None:
            self._ahead = None
            self._row_differs(listed.number, f"its size is {listed.checkpoint.size}, beyond that of the newest")

    def _read(self) -> ListedCheckpoint | None:
        """Return the next that can be read, and note what is wrong with its row and with those that can't be."""
        for row in self._rows:
            if row.number != self._next_number:
                if row.number > self._next_number:
                    detail = _MISSING_SHOWN.format(self._next_number, row.number - 1)
                    self._findings.add(FindingCode.CHECKPOINT_MISSING, None, detail)
                else:
                    self._row_differs(row.number, f"here number {self._next_number} is due")
            self._next_number = row.number + 1
            listed = self._listed(row)
            if listed is not None:
                return listed
        return None

    def _listed(self, row: StoredCheckpoint) -> ListedCheckpoint | None:
        try:
            if not isinstance(row.note, bytes):
                raise MalformedError("the note is not stored as bytes")
            note = Note.from_bytes(row.note)
            checkpoint = Checkpoint.from_text(note.text)
        except MalformedError as error:
            self._findings.add(FindingCode.CHECKPOINT_MALFORMED, None, f"checkpoint {row.number}: {error}")
            return None
        if type(row.size) is not int or row.size != checkpoint.size:
            self._row_differs(row.number, f"the row says size {row.size!r:.40}, the note {checkpoint.size}")
        if checkpoint.origin != self._origin:
            self._row_differs(row.number, f"it is of another log, {checkpoint.origin}")
            return None
        if checkpoint.size <= self._size:
            self._row_differs(row.number, f"size {checkpoint.size} is not above {self._size}, that of the one before")
            return None
        self._size = checkpoint.size
        signatures = []
        for signature in note.signatures:
            vkey = self._keys.get((signature.name, signature.key_id))
            if vkey is not None:
                signatures.append((vkey, signature.blob))
        return ListedCheckpoint(row.number, note, checkpoint, signatures)

    def _row_differs(self, number: int, detail: str) -> None:
        self._findings.add(FindingCode.CHECKPOINT_ROW_DIFFERS, None, f"checkpoint {number}: {detail}")


def _is_signed(text: bytes, lines: dict[tuple[str, bytes], Signature], key: VerifierKey) -> bool:
    line = lines.get((key.name, key.key_id))
    if line is None:
        return False
    try:
        key.verify(line.blob, text)
    except VerificationError:
        return False
    return True
