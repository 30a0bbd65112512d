"""What isn't answered as asked is a problem document (RFC 9457); `wire` has its words and its status."""

from collections.abc import Callable, Mapping
from typing import Final

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import RequestRefusedError, TallystickError
from tallystick.field_faults import fault_in_words, shown
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.wire import JsonObject
from tallystick.wire.problems import MEDIA_TYPE, as_answer, http_problem, problem
from tallystick.wire.statuses import UNAVAILABLE, HttpReason, status_of_error, status_of_refusal

RETRY_AFTER_SECONDS: Final = 1
_RETRY_AFTER: Final = {"Retry-After": str(RETRY_AFTER_SECONDS)}
_HTML: Final = "text/html"
_OF_STATUS: Final = {reason.status: reason for reason in reversed(HttpReason)}


_ABOUT_OTHERS: Final = frozenset(
    {
        Reason.REF_REUSED_FOR_OTHER_CONTENT,  # decided before a signature is looked at: a guess would lead to an entry
        Reason.SUBJECT_NOT_UNDER_PARTY,
        Reason.NOT_OWN_CONTRACT,
        Reason.NOT_OWN_APPLICATION,
        Reason.NOT_OWN_VOUCHER,
        Reason.APPLICATION_DIFFERS,
        Reason.DEMAND_ON_ANOTHER,
        Reason.DOCUMENT_ALREADY_USED,
        Reason.USCC_ALREADY_ADMITTED,
    }
)
"""What is refused because of another's thing: whose it is, and what else is of it, is not the asker's to know."""

HttpProblem = RequestRefusedError
"""What a route raises to be answered as a problem of HTTP's own, by its reason."""


def problem_object(error: Exception | Refusal) -> JsonObject:
    """Return what is answered instead: an error of the package's own, a refusal, or a problem of HTTP's.

    Of a refusal that names another's thing the reason is said, and nothing more.
    """
    if isinstance(error, Refusal):
        shown = Refusal(error.reason) if error.reason in _ABOUT_OTHERS else error
        return as_answer(problem(shown), status_of_refusal(error.reason)) | {"accepted": False}
    if isinstance(error, HttpProblem):
        reason = HttpReason.from_code(error.reason)
        return as_answer(http_problem(reason, error.detail), reason.status)
    if isinstance(error, TallystickError):
        return as_answer(problem(error), status_of_error(type(error)))
    return as_answer(http_problem(HttpReason.INTERNAL_FAULT), HttpReason.INTERNAL_FAULT.status)


def problem_response(error: Exception | Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that an error, or a refusal, comes to."""
    said = problem_object(error)
    more = dict(headers or {}) | (error.headers if isinstance(error, HttpProblem) else {})
    if said["status"] == UNAVAILABLE or said["reason"] == HttpReason.TOO_MANY_REQUESTS:
        more = _RETRY_AFTER | more
    return Response(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE), said["status"], more, MEDIA_TYPE)


def install(app: FastAPI, page: Callable[[Request, HttpProblem], Response] | None = None) -> None:
    """Let an application answer with problem documents; what nobody foresaw its server answers (serving).

    Args:
        app: the application.
        page: shows one to a browser that asks for an address that there isn't.
    """

    async def raised(_: Request, error: Exception) -> Response:
        return problem_response(error)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        reason = _OF_STATUS.get(error.status_code, HttpReason.BAD_REQUEST)
        problem = HttpProblem(reason, headers=error.headers)
        if page is not None and _HTML in request.headers.get("accept", "").lower():
            return page(request, problem)
        return problem_response(problem)

    async def of_a_parameter(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        fault = error.errors()[0]
        name = next((part for part in reversed(fault["loc"]) if isinstance(part, str)), "")
        words = fault_in_words(fault).replace("is no field here", "is no parameter here")
        return problem_response(HttpProblem(HttpReason.PARAMETER_INVALID, f"{shown(name)} {words}"))

    app.add_exception_handler(TallystickError, raised)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_a_parameter)
