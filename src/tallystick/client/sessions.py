"""Who reads is known by a note that a key of the party has signed; what the service gives for it is a short token.

The note is `session.open/1` (vouchers/sessions.py), made out to the URL that it is sent to. A token is shown to that
URL alone.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from tallystick.client.connection import Connections
from tallystick.client.endpoint import Question
from tallystick.client.resources import object_in
from tallystick.errors import AnswerMalformedError
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import sign_text
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.sessions import audience_of, session_text
from tallystick.wire import JsonObject

SESSION_SECONDS: Final = 3_600
TOKEN_ANSWER_SIZE_MAX: Final = 65_536
TOKEN_LENGTH_MAX: Final = 4_096


def machine_clock() -> int:
    """Return this machine's time (microseconds)."""
    return time.time_ns() // 1_000


class Session(NamedTuple):
    """Whose session is opened, and opened again when it ends."""

    key: SigningKey
    party: str
    origin: str
    seconds: int = SESSION_SECONDS
    clock: Callable[[], int] = machine_clock


def open_session(connections: Connections, session: Session) -> JsonObject:
    """Log in at the URL that answered last, and return what it says of the session, without the token.

    Raises:
        ProblemError: the log doesn't know the key, or it is revoked, or the clock is wrong.
        MalformedError: a party or a URL that a login can't name.
        ServerError: no usable answer.
    """
    url = connections.current
    connections.tokens.pop(url, None)
    now_us = session.clock()
    text = session_text(session.origin, session.party, audience_of(url), now_us, now_us + session.seconds * SECOND_US)
    note = sign_text(text, session.key)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    said = object_in(connections.ask(Question("v1/sessions", TOKEN_ANSWER_SIZE_MAX, "POST", note, headers), only=url))
    token = said.pop("token", None)
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
        raise AnswerMalformedError(f"{url} gives no token for a session")
    if len(token) > TOKEN_LENGTH_MAX:
        raise AnswerMalformedError(f"{url} gives a token of {len(token):,} characters")
    connections.tokens[url] = token
    return said
