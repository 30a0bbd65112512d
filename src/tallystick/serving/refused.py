"""What the server refuses before the application hears of it: one closed list, and how a refusal is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from tallystick.errors import RequestRefusedError

PROBLEM_JSON: Final = "application/problem+json"


class Refused(Enum):
    """A reason, with its status of HTTP and its title; `transient` if the same request can be answered later."""

    REQUEST_MALFORMED = ("request_malformed", 400, False, "This is not a request of HTTP/1.1 in its strict form.")
    BODY_INCOMPLETE = ("body_incomplete", 400, True, "The body is shorter than stated.")
    REQUEST_TOO_SLOW = ("request_too_slow", 408, True, "The request took too long to arrive.")
    LENGTH_REQUIRED = ("length_required", 411, False, "The length of the body must be stated.")
    BODY_TOO_LARGE = ("body_too_large", 413, False, "The body is larger than what is taken here.")
    TARGET_TOO_LONG = ("target_too_long", 414, False, "The address asked for is too long.")
    EXPECTATION_UNKNOWN = ("expectation_unknown", 417, False, "Only 100-continue may be expected.")
    HEAD_TOO_LARGE = ("head_too_large", 431, False, "The header fields are too many or too long.")
    INTERNAL_FAULT = ("internal_fault", 500, False, "The server failed to answer.")
    METHOD_UNKNOWN = ("method_unknown", 501, False, "This method is not known here.")
    SERVICE_BUSY = ("service_busy", 503, True, "The server holds as much as it can.")
    VERSION_UNKNOWN = ("version_unknown", 505, False, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")

    def __init__(self, reason: str, status: int, transient: bool, title: str) -> None:
        self.reason: Final = reason
        self.status: Final = status
        self.transient: Final = transient
        self.title: Final = title

    def error(self, detail: str) -> RequestRefusedError:
        """Return the error that says so."""
        return RequestRefusedError(self.reason, detail)

    @classmethod
    def of(cls, error: RequestRefusedError) -> "Refused":
        """Return what an error says that came of `error`."""
        return next(one for one in cls if one.reason == error.reason)


class Told(NamedTuple):
    """A body and its content type."""

    content_type: str
    body: bytes


Tell = Callable[[Refused, str], Told]
"""Words a refusal, from its reason and one line of detail without control characters."""


def tell_as_problem(refused: Refused, detail: str) -> Told:
    """Return a problem of RFC 9457."""
    members: dict[str, object] = {
        "type": f"/problems/{refused.reason}",
        "title": refused.title,
        "status": refused.status,
        "detail": detail,
        "reason": refused.reason,
        "transient": refused.transient,
    }
    return Told(PROBLEM_JSON, json.dumps(members, separators=(",", ":")).encode() + b"\n")


def tell_as_text(refused: Refused, detail: str) -> Told:
    """Return one line of text."""
    return Told("text/plain; charset=utf-8", f"{detail}\n".encode())


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer was, for logs and metrics.

    Args:
        client: the address that asked, "-" if unknown.
        method: as asked, "-" if it couldn't be read.
        target: path and query as asked, at most 200 characters, maybe with escapes that aren't printable.
        status: of the answer.
        request_id: as the client has it.
        seconds: from the whole head to the end of the answer.
        detail: one line on why, from the server's refusal or what the application left in `scope["state"]["detail"]`.
        route: what the application left in `scope["state"]["route"]`, for metrics; empty if nothing.
    """

    client: str
    method: str
    target: str
    status: int
    request_id: str
    seconds: float
    detail: str
    route: str
