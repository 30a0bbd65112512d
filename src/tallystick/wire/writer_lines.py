"""What a writer says, a line each: what it is doing, and the answer to each request.

{"status": "standing_by", "entries": 1200}    another process writes; requests wait
{"status": "writing", "entries": 1200}        requests are answered
{"status": "fenced", "detail": "…"}           another has taken over; what wasn't answered is asked again later
{"status": "store_failed", "detail": "…"}     the store can't be reached; the same requests are tried again
{"id": "…", "accepted": …, …}                 the answer (`wire.answers`) to the request with this id
{"id": "…", "error": "…"}                     it can't be answered: it couldn't be read, or may be sent again
"""

from tallystick.wire import JsonObject


def standing_by(size: int) -> JsonObject:
    """Return that another process writes, and how many entries there are."""
    return {"status": "standing_by", "entries": size}


def writing(size: int) -> JsonObject:
    """Return that requests are answered, and how many entries there are."""
    return {"status": "writing", "entries": size}


def fenced(detail: str) -> JsonObject:
    """Return that another process has taken over."""
    return {"status": "fenced", "detail": detail}


def store_failed(detail: str) -> JsonObject:
    """Return that the store can't be reached."""
    return {"status": "store_failed", "detail": detail}


def answered(request_id: str, answer: JsonObject) -> JsonObject:
    """Return the answer to a request."""
    return {"id": request_id} | answer


def not_answered(request_id: str, error: str) -> JsonObject:
    """Return why a request has no answer."""
    return {"id": request_id, "error": error}
