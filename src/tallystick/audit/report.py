"""An audit's report has one canonical encoding, as JSON, of numbers that can be recomputed from the log.

    {"verdict": "clean" | "findings",
     "checkpoint": {"origin", "size", "root"} | null,      the newest, if the policy accepts it
     "entries": how many were there,
     "findings": [{"code", "index" | null, "reason" | null, "detail"}],
     "totals": {...},
     "receipts": how many,                                 only if some were given: what the log had to stand by
     "compromised_keys": [{"key", "party", "since", "revoked_index", "said_index", "signed", "entries"}],
                                                           only if there are some
     "patterns": {...},                                    only if they were asked for: what was seen besides, which
                                                           changes no verdict (tallystick/patterns)
     "since": {"size", "root"},                            only if an earlier audit was gone on from: where it ended
     "state": {"sha256", "size"}}                          only if the state was saved, for a later audit to go on from

Totals are of the entries replayed, which are all of them if the verdict is clean. A reversed line stays counted among
the lines and GPU-time burned, because it was burned; money is net of reversals.
"""

import base64
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
)

from tallystick.errors import MalformedError
from tallystick.field_faults import first_fault
from tallystick.findings import Finding, FindingCode
from tallystick.vouchers.quantities import json_sum, parse_json_sum

Verdict = Literal["clean", "findings"]
REPORT_SIZE_MAX: Final = 64 * 2**20


def _is_none(value: object) -> bool:
    return value is None


def _sum_from_json(value: object, info: ValidationInfo) -> object:
    return parse_json_sum(value) if info.mode == "json" else value


Sum = Annotated[int, BeforeValidator(_sum_from_json), PlainSerializer(json_sum, return_type=int | str)]
"""A sum over a log; in JSON an integer, or beyond 2^53 - 1 the text of its digits, so that every reader is exact."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CheckedCheckpoint(_Closed):
    """The checkpoint that was audited; `root` in base64."""

    origin: str
    size: int
    root: str

    @property
    def root_bytes(self) -> bytes:
        """The 32 bytes of the root."""
        return base64.b64decode(self.root, validate=True)


class EarlierCheckpoint(_Closed):
    """Where the audit that was gone on from ended; `root` in base64."""

    size: int
    root: str


class SavedState(_Closed):
    """The state that was saved beside the report, after `size` entries: the file's SHA-256 in hex."""

    sha256: str
    size: int


class CompromisedKey(_Closed):
    """A key that was revoked as compromised, and what it signed from then on: to be looked at, and no finding.

    Attributes:
        key: its label.
        party: whose it is.
        since: from when on others may have signed with it.
        revoked_index: the entry that revoked it.
        said_index: the entry that says that it was compromised: that one, or a later one.
        signed: how many entries it signed since, up to and with its revocation.
        entries: their indices, of the first ones if they are many.
    """

    key: str
    party: str
    since: str
    revoked_index: int
    said_index: int
    signed: int
    entries: tuple[int, ...]


class ProgrammeTotals(_Closed):
    """Where a programme's envelope is: the other eight add up to it. What is `burned` isn't claimed yet."""

    envelope_fen: Sum
    unissued_fen: Sum
    available_fen: Sum
    reserved_fen: Sum
    burned_fen: Sum
    withheld_fen: Sum
    claimed_fen: Sum
    paid_fen: Sum
    receivable_fen: Sum


class Totals(_Closed):
    """Sums over the entries replayed.

    GPU-milliseconds are `gpu_milli × seconds`; `burned_fen` is all that was burned, whatever became of it. Of what was
    issued, every fen is somewhere: `issued = available + reserved + burned + expired + revoked`. Of what was burned,
    `withheld` was claimed and not paid, `receivable` was paid and is asked back, `received` came back of that, and
    `forfeited` went back to its programme: disallowed, or not claimed in time.
    """

    entries: int
    burn_lines_accepted: int
    burn_lines_refused: int
    gpu_milliseconds_burned: Sum
    gpu_milliseconds_refused: Sum
    issued_fen: Sum
    burned_fen: Sum
    withheld_fen: Sum
    receivable_fen: Sum
    received_fen: Sum
    forfeited_fen: Sum
    available_fen: Sum
    reserved_fen: Sum
    expired_fen: Sum
    revoked_fen: Sum
    programmes: dict[str, ProgrammeTotals]


class Report(_Closed):
    """What an audit came to."""

    verdict: Verdict
    checkpoint: CheckedCheckpoint | None
    entries: int
    findings: tuple[Finding, ...]
    totals: Totals
    receipts: int | None = Field(default=None, exclude_if=_is_none)
    compromised_keys: tuple[CompromisedKey, ...] | None = Field(default=None, exclude_if=_is_none)
    patterns: dict[str, JsonValue] | None = Field(default=None, exclude_if=_is_none)
    since: EarlierCheckpoint | None = Field(default=None, exclude_if=_is_none)
    state: SavedState | None = Field(default=None, exclude_if=_is_none)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return self.verdict == "clean"

    def codes(self) -> tuple[FindingCode, ...]:
        """Return the findings' codes, in order."""
        return tuple([one.code for one in self.findings])

    def to_bytes(self) -> bytes:
        """Return the report as JSON, indented for a person, with a final newline."""
        return self.model_dump_json(indent=2).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the report that these bytes are.

        Raises:
            MalformedError: not a report, or not in the encoding of `to_bytes`.
        """
        if len(data) > REPORT_SIZE_MAX:
            raise MalformedError(f"a report of {len(data)} bytes is larger than {REPORT_SIZE_MAX}")
        try:
            report = cls.model_validate_json(data)
        except ValidationError as error:
            raise MalformedError(f"not an audit report: {first_fault(error)}") from None
        if report.to_bytes() != data:
            raise MalformedError("an audit report has one canonical encoding, and this is another")
        return report
