"""An error as a problem object (RFC 9457): what kind it is, what that means, and what exactly is wrong.

    {"reason": "not_a_ledger", "title", "detail"}                      an error of `tallystick.errors`
    {"reason": "exceeds_reservation", "title", "detail", "transient"}  a refusal
    {..., "index", "key", "limit_fen", "not_before"}                   those that a refusal has (`Refusal`)
    {"reason": "body_too_large", "title", "detail", "transient"}       of HTTP's own (wire/statuses.py)

A program goes by `reason`; the words may change. `type` and `status` belong to HTTP, and `as_answer` adds them.
"""

import re
from typing import Final

from tallystick.errors import TallystickError
from tallystick.vouchers.refusals import Refusal
from tallystick.wire import JsonObject
from tallystick.wire.statuses import HttpReason

MEDIA_TYPE: Final = "application/problem+json"
TYPES: Final = "/problems/"
"""What a problem's `type` begins with: a reference into the service that says it, relative to its host."""


def problem(error: TallystickError | Refusal) -> JsonObject:
    """Return an error, or a refusal, as a problem object."""
    if isinstance(error, Refusal):
        reason = error.reason
        detail = error.detail or reason.meaning
        said = {"reason": reason.value, "title": reason.meaning, "detail": detail, "transient": reason.transient}
        return said | error.fields()
    return {"reason": code_of(type(error)), "title": title_of(type(error)), "detail": str(error)}


def http_problem(reason: HttpReason, detail: str = "") -> JsonObject:
    """Return what is wrong with a request itself, or with its moment, as a problem object."""
    said = {"reason": reason.value, "title": reason.meaning, "detail": detail or reason.meaning}
    return said | {"transient": reason.transient}


def as_answer(said: JsonObject, status: int) -> JsonObject:
    """Return a problem object as HTTP answers with it: with a `type`, which is its reason as a URI, and a `status`."""
    return {"type": TYPES + said["reason"], "status": status} | said


def code_of(kind: type[TallystickError]) -> str:
    """Return the code of a kind of error: its class's name in small letters, without `Error`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()


def title_of(kind: type[TallystickError]) -> str:
    """Return what a kind of error means: the first line of its docstring."""
    first = (kind.__doc__ or "").partition("\n")[0]
    return first.rstrip(".")
