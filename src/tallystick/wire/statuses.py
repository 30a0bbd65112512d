"""Which HTTP status an answer has: by the reason of a refusal, the kind of an error, or what is wrong with a request.

    201, 200   recorded now, or before
    400        the bytes are no note, or no command of this log
    401, 403   who asks, or who signed, may not
    404, 405   there is no such thing, or nothing of the sort is done with it
    409        the log's state doesn't admit the command
    413        too large
    422        the reference was used for another text; or what is asked for can't be
    429, 503   not now: `Retry-After` says when to try again
    500        a fault of the service, or of what it reads

The status is for proxies and libraries. A program goes by `reason`, which says more.
"""

from typing import Final

from tallystick import errors
from tallystick.coded_enum import CodedEnum
from tallystick.vouchers.refusals import Reason

RECORDED_NOW: Final = 201
RECORDED_BEFORE: Final = 200
UNAVAILABLE: Final = 503

_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_CONFLICT: Final = 409
_TOO_LARGE: Final = 413
_UNPROCESSABLE: Final = 422
_FAULT: Final = 500


class HttpReason(CodedEnum):
    """What is wrong with a request or its moment, whatever is in it; `transient` says that it may be sent again."""

    status: int
    transient: bool

    def __init__(self, code: str, status: int, transient: bool, meaning: str) -> None:
        super().__init__(code, meaning)
        self.status = status
        self.transient = transient

    BAD_REQUEST = ("bad_request", 400, False, "the body is not what this resource takes")
    PARAMETER_INVALID = ("parameter_invalid", 422, False, "a parameter is unknown, or its value out of bounds")
    LOGIN_REQUIRED = ("login_required", 401, False, "this is shown to parties that have logged in")
    MAY_NOT_READ = ("may_not_read", 403, False, "this is not shown to the party that asks")
    CROSS_SITE = ("cross_site", 403, False, "a page of another site had the browser send this")
    NOT_FOUND = ("not_found", 404, False, "there is no such thing")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, False, "that is not done with this resource")
    NOT_ACCEPTABLE = ("not_acceptable", 406, False, "there is no such representation of this resource")
    REQUEST_MALFORMED = ("request_malformed", 400, False, "this is not a request of HTTP/1.1 in its strict form")
    BODY_INCOMPLETE = ("body_incomplete", 400, True, "the body is shorter than stated")
    REQUEST_TOO_SLOW = ("request_too_slow", 408, True, "the request took too long to arrive")
    LENGTH_REQUIRED = ("length_required", 411, False, "the request must say how long its body is")
    BODY_TOO_LARGE = ("body_too_large", 413, False, "the body is larger than is taken here")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported_media_type", 415, False, "a body of that type is not taken here")
    TARGET_TOO_LONG = ("target_too_long", 414, False, "the address asked for is too long")
    EXPECTATION_UNKNOWN = ("expectation_unknown", 417, False, "only 100-continue may be expected")
    TOO_MANY_REQUESTS = ("too_many_requests", 429, True, "too many requests came from there")
    HEAD_TOO_LARGE = ("head_too_large", 431, False, "the request's line and headers are larger than is taken here")
    INTERNAL_FAULT = ("internal_fault", 500, False, "the service met a fault of its own, which was logged")
    METHOD_UNKNOWN = ("method_unknown", 501, False, "this method is not known here")
    VERSION_UNKNOWN = ("version_unknown", 505, False, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    SERVICE_BUSY = ("service_busy", 503, True, "as much is under way as is taken at once")
    DRAINING = ("draining", 503, True, "the service is about to end")
    NOT_WRITING = ("not_writing", 503, True, "another process writes the log, or none can now")
    BEHIND = ("behind", 503, True, "the service has not followed the log as far as was asked for")


_STATUSES_OF_REASONS: Final[dict[int, tuple[Reason, ...]]] = {
    _BAD_REQUEST: (
        Reason.NOTE_MALFORMED,
        Reason.COMMAND_NOT_CANONICAL,
        Reason.COMMAND_MALFORMED,
        Reason.COMMAND_FOR_ANOTHER_LOG,
    ),
    _FORBIDDEN: (
        Reason.PARTY_UNKNOWN,
        Reason.PARTY_SUSPENDED,
        Reason.ROLE_MAY_NOT,
        Reason.KEY_UNKNOWN,
        Reason.SIGNATURE_INVALID,
        Reason.KEY_REVOKED,
        Reason.KEY_NOT_ACTIVE_YET,
        Reason.KEY_NOT_FOR_THIS_COMMAND,
        Reason.SIGNER_NOT_INVOLVED,
        Reason.SIGNATURES_MISSING,
    ),
    _TOO_LARGE: (Reason.NOTE_TOO_LARGE, Reason.ENTRY_TOO_LARGE),
    _UNPROCESSABLE: (Reason.REF_REUSED_FOR_OTHER_CONTENT,),
    _FAULT: (Reason.DECISION_FAILED,),
    UNAVAILABLE: (Reason.LOG_KEY_MISSING,),
}
_OF_REASON: Final = dict.fromkeys(Reason, _CONFLICT) | {
    reason: status for status, reasons in _STATUSES_OF_REASONS.items() for reason in reasons
}

_OF_ERROR: Final[dict[type[errors.TallystickError], int]] = {
    errors.MalformedError: _BAD_REQUEST,
    errors.UsageError: _UNPROCESSABLE,
    errors.NotFoundError: HttpReason.NOT_FOUND.status,
    errors.TooBusyError: UNAVAILABLE,
    errors.StoreFailedError: UNAVAILABLE,
    errors.WriterFencedError: UNAVAILABLE,
    errors.LedgerBusyError: UNAVAILABLE,
    errors.ClockJumpError: UNAVAILABLE,
    errors.SourceUnreadableError: UNAVAILABLE,
    errors.ViewsUnusableError: UNAVAILABLE,
    errors.TallystickError: _FAULT,
}


def status_of_refusal(reason: Reason) -> int:
    """Return the status of an answer that a note is refused."""
    return _OF_REASON[reason]


def status_of_error(kind: type[errors.TallystickError]) -> int:
    """Return the status of an answer that there is an error instead; that of the nearest kind that has one."""
    return next(_OF_ERROR[base] for base in kind.__mro__ if base in _OF_ERROR)
