"""A problem (RFC 9457) that a server answers with becomes an error with its reason, or a plain one if it is none."""

import json
from typing import Any, Final

from tallystick.errors import AnswerMalformedError, MalformedError, ProblemError
from tallystick.printing.text import one_line
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.wire import JsonObject

PROBLEM_SIZE_MAX: Final = 65_536
"""Bytes of an answer that isn't what was asked for."""

_SHOWN: Final = 400
_FIELDS: Final = {"index": int, "key": str, "limit_fen": int, "not_before": str}


def problem_of(where: str, status: int, content_type: str, body: bytes) -> ProblemError:
    """Return the error that an answer is.

    Args:
        where: the URL that answered.
        status: of the answer, 400 or more.
        content_type: of its body.
        body: up to `PROBLEM_SIZE_MAX` bytes.
    """
    said = read_json(body) if content_type.partition(";")[0].strip().lower() == "application/problem+json" else None
    if isinstance(said, dict) and isinstance(said.get("reason"), str):
        return problem_from(where, status, said)
    reason = {401: "login_required", 403: "may_not_read", 404: "not_found"}.get(status, "")
    return ProblemError(f"{where} answers {status}", reason=reason, detail=f"status {status}", status=status)


def problem_from(where: str, status: int, said: JsonObject) -> ProblemError:
    """Return the error of a problem object; what a server wrote is text from a stranger."""
    code = str(said["reason"])[:_SHOWN]
    reason = _reason_of(code)
    detail = said.get("detail") or said.get("title") or ""
    detail = one_line(detail[:_SHOWN]) if isinstance(detail, str) else ""
    fields = {name: said[name] for name, kind in _FIELDS.items() if isinstance(said.get(name), kind)}
    is_transient = said.get("transient") is True
    again = "; the same may be accepted later" if is_transient else ""
    text = f"{where}: {one_line(code)}: {detail}{again}"
    return ProblemError(text, reason=reason, detail=detail, status=status, transient=is_transient, fields=fields)


def problem_in(where: str, said: JsonObject) -> ProblemError:
    """Return the error of one answer among several.

    Raises:
        AnswerMalformedError: it has no reason.
    """
    if not isinstance(said.get("reason"), str):
        raise AnswerMalformedError(f"{where}: an answer neither accepts a note nor says why not")
    status = said.get("status")
    return problem_from(where, status if type(status) is int else 0, said)


def _reason_of(code: str) -> str:
    """Return the member of the closed list, which is its code; else the code."""
    try:
        return Reason.from_code(code)
    except MalformedError:
        return code


def refused_here(refusal: Refusal) -> ProblemError:
    """Return the error of a note that isn't worth sending: what it is refused for needs no log."""
    reason = refusal.reason
    return ProblemError(
        f"{reason.value}: {refusal.detail or reason.meaning}",
        reason=reason,
        detail=refusal.detail or reason.meaning,
        transient=reason.transient,
        fields=refusal.fields(),
    )


def read_json(data: bytes) -> Any:  # noqa: ANN401 - JSON values
    """Return a JSON value; None if it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
