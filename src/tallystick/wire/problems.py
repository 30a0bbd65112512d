"""An error as a problem object (RFC 9457): what kind it is, what that means, and what exactly is wrong.

    {"code": "not_a_ledger", "title", "detail"}                      an error of `tallystick.errors`
    {"code": "exceeds_reservation", "title", "detail", "transient"}  a refusal; its reason is the code

A program goes by `code`; the words may change. `type` and `status` belong to HTTP, and whatever serves it adds them.
"""

import re

from tallystick.errors import TallystickError
from tallystick.vouchers.refusals import Refusal
from tallystick.wire import JsonObject


def problem(error: TallystickError | Refusal) -> JsonObject:
    """Return an error, or a refusal, as a problem object."""
    if isinstance(error, Refusal):
        reason = error.reason
        detail = error.detail or reason.meaning
        return {"code": reason.value, "title": reason.meaning, "detail": detail, "transient": reason.transient}
    return {"code": code_of(type(error)), "title": _title_of(type(error)), "detail": str(error)}


def code_of(kind: type[TallystickError]) -> str:
    """Return the code of a kind of error: its class's name in small letters, without `Error`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()


def _title_of(kind: type[TallystickError]) -> str:
    first = (kind.__doc__ or "").partition("\n")[0]
    return first.rstrip(".")
