"""The report of an audit that somebody has had made, as a file; the service knows no auditor, and reads what it says.

It is read strictly, in the form that docs/audit.md describes, and again whenever the file has changed. Nothing that it
says was checked here but that it is of this log (`pages/finding_pages.py`).
"""

import base64
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from tallystick.errors import MalformedError
from tallystick.field_faults import first_fault
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.vouchers.quantities import parse_json_sum

REPORT_BYTES_MAX: Final = 4 * 2**20

Sum = Annotated[int, BeforeValidator(parse_json_sum)]
"""An integer; beyond 2^53 - 1 the text of its digits."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ReportedCheckpoint(_Closed):
    """The checkpoint that was audited; `root` in base64."""

    origin: str
    size: int
    root: str


class ReportedFinding(_Closed):
    """Something that is wrong: by a code of the closed list, at an entry if it concerns one."""

    code: str
    index: int | None
    reason: str | None
    detail: str


class ReportedPattern(_Closed):
    """A pattern that was seen (docs/patterns.md)."""

    pattern: str
    severity: Literal["note", "warning", "alarm"]
    certainty: Literal["certain", "likely", "possible"]
    because: str
    parties: list[str]
    things: list[str]
    entries: list[int]
    figures: dict[str, Sum]
    sentence: str


class ReportedPatterns(_Closed):
    """All patterns that were seen, gravest first, and by which parameters."""

    first_entry: int
    entries: int
    seen: list[ReportedPattern]
    left_out: int
    parameters: dict[str, int]


class ReportedKey(_Closed):
    """A key that was said to be compromised, and what it signed from then on."""

    key: str
    party: str
    since: str
    revoked_index: int
    said_index: int
    signed: int
    entries: list[int]


class Reported(_Closed):
    """What a report says."""

    verdict: Literal["clean", "findings"]
    checkpoint: ReportedCheckpoint | None
    entries: int
    findings: list[ReportedFinding]
    totals: dict[str, JsonValue]
    receipts: int | None = None
    compromised_keys: list[ReportedKey] | None = None
    patterns: ReportedPatterns | None = None
    since: dict[str, JsonValue] | None = None
    state: dict[str, JsonValue] | None = None

    @property
    def root(self) -> bytes:
        """The root of the tree that was audited; empty if its checkpoint wasn't accepted."""
        return b"" if self.checkpoint is None else base64.b64decode(self.checkpoint.root, validate=True)


@dataclass(slots=True)
class ReportFile:
    """A report's file, which an auditor may replace at any time."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _known: tuple[Any, Reported, int] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.path.name

    def read(self) -> tuple[Reported, int]:
        """Return what it says, and when it was written last (microseconds).

        Raises:
            MalformedError: it isn't there, can't be read, or isn't a report.
        """
        try:
            with self._lock, self.path.open("rb") as file:
                status = self.path.stat()
                mark = status.st_ino, status.st_size, status.st_mtime_ns
                if self._known is None or self._known[0] != mark:
                    self._known = mark, _read(file.read(REPORT_BYTES_MAX + 1)), status.st_mtime_ns // 1_000
                return self._known[1:]
        except OSError as error:
            raise MalformedError(f"{self.name} can't be read: {error.strerror}") from None


def _read(data: bytes) -> Reported:
    if len(data) > REPORT_BYTES_MAX:
        raise MalformedError(f"a report of more than {REPORT_BYTES_MAX:,} bytes isn't shown")
    try:
        said = Reported.model_validate_json(data)
        if said.checkpoint is not None and len(said.root) != HASH_SIZE:
            raise MalformedError("its root isn't a hash")
    except ValidationError as error:
        raise MalformedError(f"it isn't an audit's report: {first_fault(error)}") from None
    except ValueError as error:
        raise MalformedError(f"it isn't an audit's report: {error}") from None
    return said
