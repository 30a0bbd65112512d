"""Notes that wait for more signatures: left with the service, outside the log, for those who may sign them too."""

from collections.abc import Callable, Sequence
from typing import Final

from tallystick.client.endpoint import Answer, Question
from tallystick.client.resources import object_in, path_of, query_of
from tallystick.errors import AnswerMalformedError, ProblemError
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.wire import JsonObject

PENDING_SIZE_MAX: Final = 16_777_216
"""Bytes of a page."""
PAGES_MAX: Final = 100

_PATH: Final = "v1/pending"
_NOTE: Final = {"Content-Type": "text/plain; charset=utf-8"}
_NOT_FOUND: Final = 404


class PendingNotes:
    """The notes that wait, as the party that is logged in may see them."""

    def __init__(self, ask: Callable[[Question], Answer]) -> None:
        self._ask = ask

    def post(self, note: bytes) -> JsonObject:
        """Leave a half-signed note, or add its signatures to one of the same text; return its id and who is missing.

        Raises:
            ServerError: it is refused, or no usable answer.
        """
        return object_in(self._ask(Question(_PATH, PENDING_SIZE_MAX, "POST", note, _NOTE)))

    def list(self) -> Sequence[JsonObject]:
        """Return the notes that wait for a signature of the party that is logged in.

        Raises:
            ServerError: no usable answer, or it may not be read.
        """
        rows: list[JsonObject] = []
        after = None
        for _ in range(PAGES_MAX):
            answer = self._ask(Question(f"{_PATH}{query_of({'after': after})}", PENDING_SIZE_MAX))
            said = object_in(answer)
            page, after = said.get("pending"), said.get("next")
            if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
                raise AnswerMalformedError(f"{answer.url}/{_PATH} is no list of notes")
            rows += page
            if not isinstance(after, str) or not page:
                return rows
        raise AnswerMalformedError(f"{answer.url}/{_PATH}: the list doesn't end")

    def get(self, id_: str) -> bytes | None:
        """Return a note by its id; None if it isn't there any more.

        Raises:
            ServerError: no usable answer, or it may not be read.
        """
        try:
            return self._ask(Question(f"{_PATH}/{path_of(id_)}", NOTE_SIZE_MAX)).body
        except ProblemError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
