"""Notes that wait for more signatures: left with the service, outside the log, for those who may sign them too."""

from collections.abc import Callable, Sequence
from typing import Final

from tallystick.client.endpoint import Answer, Question
from tallystick.client.problems import read_json
from tallystick.client.resources import object_in, path_of
from tallystick.errors import AnswerMalformedError, ProblemError
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.wire import JsonObject

PENDING_SIZE_MAX: Final = 16_777_216
"""Bytes of the list."""

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
        answer = self._ask(Question(_PATH, PENDING_SIZE_MAX))
        said = read_json(answer.body)
        rows = said.get("pending") if isinstance(said, dict) else said
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise AnswerMalformedError(f"{answer.url}/{_PATH} is no list of notes")
        return rows

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
