"""A clean audit leaves a report and a state, and a later one goes on from just these two files, or from neither.

    report.json    has the SHA-256 of the state's file, and the size of the tree that it is of
    report.state   the state after so many entries, under its header (vouchers/saved_state.py), unsigned

The state's file has the report's name with another suffix, which the report doesn't say: reports on a ledger and on its
export are equal to the byte. The state is the auditor's own, come to by replay; a writer's snapshot is never read. It
is believed if it is byte for byte what the report says, so whoever keeps both files safe keeps the audit safe: nothing
else speaks for the entries that aren't read again. The state is written before the report that has its SHA-256, each
aside and renamed. If a crash comes between the two, an older report of the same name has lost its state, and the next
audit is a whole one.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Self

from tallystick.audit.report import REPORT_SIZE_MAX, CompromisedKey, EarlierCheckpoint, Report, SavedState, Totals
from tallystick.errors import MalformedError, UsageError
from tallystick.named_files import Kind, NamedFile
from tallystick.signing.keys import VerifierKey
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import base64_to_text, hash_from_text
from tallystick.vouchers.saved_state import HEADER_LINES, HEADER_SIZE_MAX, SUBJECT, StateHeader
from tallystick.vouchers.state import State
from tallystick.vouchers.state_pieces import pieces_of, sha256_of

SUFFIX: Final = ".state"
REPORT: Final = Kind("an audit report", lambda data: data.startswith(b'{\n  "verdict": "'))
STATE: Final = Kind("an audit's saved state", lambda data: data.startswith(SUBJECT + b"\n"))
_IN_FULL: Final = "audit in full, without it"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier audit came to, read from its report."""

    path: Path
    checkpoint: Checkpoint
    totals: Totals
    saved: SavedState
    compromised_keys: tuple[CompromisedKey, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what the report in a file says.

        Raises:
            UsageError: it can't be read, is no report, or is one that can't be gone on from.
        """
        try:
            with path.open("rb") as file:
                report = Report.from_bytes(file.read(REPORT_SIZE_MAX + 1))
            return cls(path, *_to_resume_from(report))
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror}") from None
        except ValueError as error:  # also MalformedError
            raise UsageError(f"{path} is no report to go on from: {error}; {_IN_FULL}") from None

    @property
    def shown(self) -> EarlierCheckpoint:
        """The checkpoint as a later report names it."""
        return EarlierCheckpoint(size=self.checkpoint.size, root=base64_to_text(self.checkpoint.root).decode())

    def state(self) -> State:
        """Return the state that was saved with the report.

        Raises:
            UsageError: the file is gone, changed, or of another version.
        """
        path = state_file(self.path)
        try:
            with path.open("rb") as file:
                lines, data = [file.readline(HEADER_SIZE_MAX) for _ in range(HEADER_LINES + 1)], file.read()
            head = b"".join(lines)
            digest = hashlib.sha256(head)
            digest.update(data)
            if digest.hexdigest() != self.saved.sha256:
                raise UsageError(f"{path} is not the state that was saved with {self.path}; {_IN_FULL}")
            header = StateHeader.from_text(head[:-1])
            if Checkpoint(header.origin, header.size, header.root) != self.checkpoint:
                raise UsageError(f"{path} is of another tree than {self.path}; {_IN_FULL}")
            state = header.believed(data)
            for key in state.keys.values():
                VerifierKey.from_text(key.vkey)  # entries are verified by it before anything is added up
            return state
        except OSError as error:
            raise UsageError(f"{path}, which {self.path} needs, can't be read: {error.strerror}; {_IN_FULL}") from None
        except MalformedError as error:
            raise UsageError(f"{path}: {error}; {_IN_FULL}") from None


def state_file(report: Path) -> Path:
    """Return where a report's state lies: beside it, `report.state` for `report.json`, and never in its place."""
    report = report.resolve()  # so that it is found by each name that leads to the report
    state = report.with_name(report.stem + SUFFIX)
    return state if state != report else report.with_name(report.name + SUFFIX)


class ReportPlace:
    """Where a report goes, and the state beside it: none where the report goes to no ordinary file."""

    def __init__(self, name: Path | str, *, force: bool | None = None) -> None:
        """Look at both places; nothing is changed.

        Args:
            name: the report's path, or `-` for standard output.
            force: replace files that hold something else; None if the person has no such choice.

        Raises:
            UsageError: one of them can't be written without harm to what is there.
            OSError: it can't be looked at.
        """
        self.report = NamedFile(name, REPORT, force=force)
        beside = state_file(self.report.path) if self.report.is_replaced else None
        self.state = None if beside is None else NamedFile(beside, STATE, force=force)


def write_report(place: Path | ReportPlace, report: Report, state: State) -> Report:
    """Write a report, and beside it the state if it is clean; return the report as written.

    Raises:
        UsageError: one of them can't be written without harm to what is there.
        OSError: no folder, no room or no right to.
    """
    place = ReportPlace(place) if isinstance(place, Path) else place
    if report.is_clean and place.state is not None:
        assert report.checkpoint is not None
        checkpoint = Checkpoint(report.checkpoint.origin, report.checkpoint.size, report.checkpoint.root_bytes)
        # Made twice, once for the header: as a whole it would be as much memory as all that was replayed.
        header = StateHeader(state.origin, state.size, checkpoint.root, sha256_of(state)).to_text()
        sha256 = _write(place.state, chain((header, b"\n"), pieces_of(state)))
        report = report.model_copy(update={"state": SavedState(sha256=sha256, size=checkpoint.size)})
    _write(place.report, (report.to_bytes(),))
    return report


def _to_resume_from(report: Report) -> tuple[Checkpoint, Totals, SavedState, tuple[CompromisedKey, ...]]:
    """Return what a later audit needs of a report.

    Raises:
        ValueError: it isn't there, or doesn't fit together.
    """
    shown, saved = report.checkpoint, report.state
    if not report.is_clean or report.findings or shown is None:
        raise ValueError("it has findings, so there is no state to go on from")
    if saved is None:
        raise ValueError("it names no saved state (`audit --report` saves one)")
    checkpoint = Checkpoint(shown.origin, shown.size, hash_from_text(shown.root.encode()))
    if not 0 < shown.size == saved.size == report.entries == report.totals.entries:
        raise ValueError("its sizes are not one")
    return checkpoint, report.totals, saved, report.compromised_keys or ()


def _write(place: NamedFile, pieces: Iterable[bytes]) -> str:
    """Write a file, and return its SHA-256 (hex)."""
    digest = hashlib.sha256()
    with place.open() as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()
