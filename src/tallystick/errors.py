"""Every exception that Tallystick raises on purpose.

    TallystickError
    ├── MalformedError            bytes that are not in their canonical encoding
    │   ├── CanonicalJsonError        not RFC 8785 canonical JSON of our restricted kind
    │   ├── NoteMalformedError        not a C2SP signed note
    │   ├── KeyMalformedError         not a vkey text, or its key id does not belong to it
    │   ├── CheckpointMalformedError  not a C2SP checkpoint
    │   ├── TileMalformedError        not a tile, an entry bundle or a tile path
    │   ├── ReceiptMalformedError     not a `.tlog-proof`
    │   ├── PolicyMalformedError      not a C2SP trust policy
    │   └── EntryMalformedError       not a header line and a note
    ├── VerificationError         well-formed, but it does not prove what it should
    │   ├── SignatureInvalidError     a known key, and a signature that is not its own
    │   ├── SignatureMissingError     no signature by a key that is needed
    │   ├── ProofInvalidError         an inclusion or consistency proof that leads elsewhere
    │   ├── QuorumMissingError        too few witnesses cosigned
    │   ├── ExportDiffersError        a file of an export that isn't the one that its checkpoint commits to
    │   └── HistoryRewrittenError     two checkpoints of one log that no proof joins; it has both
    ├── KeyFileError              a key file that is missing, readable by others or locked
    ├── KeyTokenError             a token without such a key, or one that didn't sign
    ├── LedgerError               the store of a ledger
    │   ├── NotALedgerError           the folder or file holds no ledger, or a damaged one
    │   ├── LedgerBusyError           another writer has it
    │   ├── WriterFencedError         another writer wrote; this writer must stop
    │   ├── StoreFailedError          the store refused to keep what was decided; nothing was kept
    │   ├── SourceUnreadableError     something here keeps a source from being read; it says nothing about the log
    │   ├── AccessDeniedError         a server denies access to a file, or denies that it is missing
    │   ├── ClockJumpError            the machine's clock is too far ahead of the log to be believed; nothing was kept
    │   ├── TooBusyError              there is too much to do at the moment; the same can be asked again
    │   └── ViewsUnusableError        the views' file can't be read or written here
    │       └── ViewsDamagedError         it holds something else than what was written; it is built anew
    ├── ServerError               a log's server can't be asked, or doesn't do as asked
    │   ├── UnreachableError          no answer in time from any of its URLs; what was sent may have arrived
    │   ├── UntrustedServerError      it isn't the one that it should be: its certificate, or its log
    │   ├── AnswerMalformedError      what it answers isn't what was asked for, or is too long
    │   └── ProblemError              it refuses, for a reason that a program can go by
    ├── NotAFileError             where a file should be is a folder, a pipe or the like; an OSError too
    ├── RequestRefusedError       a request over HTTP that is answered with a problem of HTTP's own
    ├── EditionUnknownError       a log was made by newer rules than this version knows; it isn't judged
    ├── UsageFileError            a file of usage that isn't read at all, for one of a closed list of reasons
    └── UsageError                what a person asked for can't be done as asked
        └── NotFoundError             the log has no such thing

Wrong data raises one of these; a wrong use of a function raises `ValueError` or `TypeError`.
Refusals are not exceptions: they are values (`tallystick.vouchers.refusals`).
"""

from collections.abc import Mapping


class TallystickError(Exception):
    """Root of the tree; its text is one line for a person to read."""


class MalformedError(TallystickError, ValueError):
    """Bytes that are not in their canonical encoding."""


class CanonicalJsonError(MalformedError):
    """Not canonical JSON (RFC 8785) of the restricted kind."""


class NoteMalformedError(MalformedError):
    """Not a C2SP signed note."""


class KeyMalformedError(MalformedError):
    """Not a vkey text, or its key id does not belong to it."""


class CheckpointMalformedError(MalformedError):
    """Not a C2SP tlog-checkpoint."""


class TileMalformedError(MalformedError):
    """Not a tile, an entry bundle or a tile path."""


class ReceiptMalformedError(MalformedError):
    """Not a C2SP tlog-proof."""


class PolicyMalformedError(MalformedError):
    """Not a C2SP tlog-policy."""


class EntryMalformedError(MalformedError):
    """Not an entry: a header line and a note."""


class VerificationError(TallystickError):
    """Well-formed, but it does not prove what it should."""


class SignatureInvalidError(VerificationError):
    """A line by a known key whose signature is not that key's."""


class SignatureMissingError(VerificationError):
    """No signature by a key that is needed."""


class ProofInvalidError(VerificationError):
    """A Merkle proof that does not lead to the given root."""


class QuorumMissingError(VerificationError):
    """Too few witnesses cosigned a checkpoint."""


class ExportDiffersError(VerificationError):
    """A file of an exported log that is missing, or isn't the one that the checkpoint commits to."""


class HistoryRewrittenError(VerificationError):
    """Two checkpoints that one log signed, and that no consistency proof joins.

    Attributes:
        kept: the note of the checkpoint that was seen before.
        other: the note that contradicts it; the two together are the evidence.
    """

    def __init__(self, text: str, kept: bytes = b"", other: bytes = b"") -> None:
        super().__init__(text)
        self.kept = kept
        self.other = other


class KeyFileError(TallystickError):
    """A key file that is missing, readable by others, damaged or locked."""


class KeyTokenError(TallystickError):
    """A token, or its module, that isn't there, has no such key, refuses the PIN or didn't sign."""


class LedgerError(TallystickError):
    """The store of a ledger."""


class NotALedgerError(LedgerError):
    """The folder or file holds no ledger, or a damaged one."""


class LedgerBusyError(LedgerError):
    """Another writer has the ledger."""


class WriterFencedError(LedgerError):
    """Another writer wrote to the ledger; this writer must stop."""


class StoreFailedError(LedgerError):
    """The store refused to keep what was decided; nothing of it was kept."""


class SourceUnreadableError(LedgerError):
    """A lock, a right, a full disk, an I/O error or a limit keeps a source from being read; its log isn't judged."""


class AccessDeniedError(LedgerError):
    """A server answers 403: it denies access to a file, or, as some object stores do, won't say that there is none."""


class ClockJumpError(LedgerError):
    """The machine's clock is too far ahead of the log to be believed; nothing was kept."""


class TooBusyError(LedgerError):
    """There is too much to do at the moment; the same can be asked again."""


class ViewsUnusableError(LedgerError):
    """The views' file can't be read or written here; it says nothing about the log."""


class ViewsDamagedError(ViewsUnusableError):
    """The views' file holds something else than what was written to it."""


class ServerError(TallystickError):
    """A log's server can't be asked, or doesn't do as asked; it says nothing about the log.

    Attributes:
        may_pass: the same may be asked again later, and asking again does no harm.
        retry_after_seconds: when, if the server said so.
    """

    may_pass: bool = False
    retry_after_seconds: float | None = None


class UnreachableError(ServerError):
    """No answer in time from any URL of a server; what was sent may have arrived."""


class UntrustedServerError(ServerError):
    """A server isn't the one that it should be: its certificate, or the log that it serves."""


class AnswerMalformedError(ServerError):
    """A server's answer isn't what was asked for, or is longer than it may be."""


class ProblemError(ServerError):
    """A server refuses a request.

    Attributes:
        reason: why, as a code: of a refused note the `Reason`, else an error's code or one of HTTP's own.
        detail: what exactly is wrong, in words.
        status: of the HTTP answer; 0 if the note was refused before it was sent.
        transient: the same may be accepted another time.
        fields: what else a program may need: `index`, `key`, `limit_fen`, `not_before`.
    """

    def __init__(
        self,
        text: str,
        *,
        reason: str = "",
        detail: str = "",
        status: int = 0,
        transient: bool = False,
        fields: dict[str, int | str] | None = None,
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.detail = detail
        self.status = status
        self.transient = transient
        self.fields = fields or {}


class NotAFileError(TallystickError, OSError):
    """Where an ordinary file should be is something else; it says nothing about this machine's state.

    Made as an `OSError`: errno, what it is, the path.
    """

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


class RequestRefusedError(TallystickError):
    """A request over HTTP that can't be answered as asked, whatever the log says.

    Attributes:
        reason: a code of `wire.statuses.HttpReason`.
        detail: what exactly is wrong, in words; empty if the reason says it all.
        headers: what more the answer has.
    """

    def __init__(self, reason: str, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})


class EditionUnknownError(TallystickError):
    """A log was made by an edition of the rules that this version doesn't know; nothing is said about the log."""


class UsageFileError(TallystickError):
    """A file of usage records that isn't read at all; nothing of it was taken.

    Attributes:
        fault: the code of the reason (`metering.reasons.FileFault`).
        detail: what is wrong, where, and what to do.
    """

    def __init__(self, fault: str, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else str(fault))
        self.fault = fault
        self.detail = detail


class UsageError(TallystickError):
    """What a person asked for can't be done as asked."""


class NotFoundError(UsageError):
    """There is no such thing in the log."""
