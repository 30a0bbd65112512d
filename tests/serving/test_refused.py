"""What the server refuses is said in the words of the one closed list that clients know."""

import json

import pytest

from tallystick.serving.refused import Refused, tell_as_problem, tell_as_text
from tallystick.wire.statuses import HttpReason


@pytest.mark.parametrize("refused", list(Refused))
def test_a_refusal_is_one_of_those_that_a_client_knows(refused: Refused) -> None:
    """With the same status, and the same word on whether to try again."""
    [known] = [reason for reason in HttpReason if reason.value == refused.reason]
    assert (known.status, known.transient) == (refused.status, refused.transient)
    assert Refused.of(refused.error("why")) is refused


def test_a_refusal_is_a_problem_or_a_line() -> None:
    """As RFC 9457 has it, or for those who speak text."""
    told = tell_as_problem(Refused.SERVICE_BUSY, "too many")
    assert told.content_type == "application/problem+json"
    assert json.loads(told.body) == {
        "type": "/problems/service_busy",
        "title": "The server holds as much as it can.",
        "status": 503,
        "detail": "too many",
        "reason": "service_busy",
        "transient": True,
    }
    assert tell_as_text(Refused.SERVICE_BUSY, "too many") == ("text/plain; charset=utf-8", b"too many\n")
