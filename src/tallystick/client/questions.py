"""What a service says of a log from its views, to the party that is logged in; nothing here proves it."""

from collections.abc import Mapping
from typing import Final

from tallystick.client.connection import Connections
from tallystick.client.endpoint import Answer, Question
from tallystick.client.pending import PendingNotes
from tallystick.client.resources import COLLECTIONS, next_query, object_in, path_of, query_of, rows_in
from tallystick.client.sessions import Session, open_session
from tallystick.errors import AnswerMalformedError, ProblemError, UntrustedServerError, UsageError
from tallystick.signing.keys import SigningKey
from tallystick.wire import JsonObject

VIEW_SIZE_MAX: Final = 16_777_216
"""Bytes of a page of a view's answer."""
BALANCE_PAGES_MAX: Final = 1_000

_LOGIN: Final = 401
_NOT_FOUND: Final = 404


class Questions:
    """Questions to the servers of one log.

    Attributes:
        origin: the log's.
        pending: notes that wait for more signatures.
    """

    def __init__(self, connections: Connections, origin: str) -> None:
        self.origin: Final = origin
        self._connections = connections
        self._session: Session | None = None
        self.pending: Final = PendingNotes(self._ask)

    def login(self, key: SigningKey, party: str | None = None) -> JsonObject:
        """Log in, so that what this party may read can be read; is done again by itself when the session ends.

        Args:
            key: of the party; it stays in memory.
            party: the key's, if its name doesn't say.

        Raises:
            ProblemError: the log doesn't know the key, or it is revoked.
            ServerError: no usable answer.
        """
        self._session = Session(key, party or key.name.partition("/")[0], self.origin)
        return open_session(self._connections, self._session)

    def logout(self) -> None:
        """End the session.

        Raises:
            ServerError: no usable answer.
        """
        self._session = None
        for url in [*self._connections.tokens]:
            self._connections.ask(Question("v1/sessions", VIEW_SIZE_MAX, "DELETE"), only=url)
            del self._connections.tokens[url]

    def info(self) -> JsonObject:
        """Return what the service says of itself: the log's origin, its limits, what is readable by whom.

        Raises:
            UntrustedServerError: it serves another log.
            ServerError: no usable answer.
        """
        said = self._object("v1/info")
        if said.get("origin") != self.origin:
            raise UntrustedServerError(
                f"{self._connections.current} serves {said.get('origin')!a:.80}, and the trust policy is for "
                f"{self.origin}: see that the URL and the policy belong together"
            )
        return said

    def ref(self, party: str, ref: str) -> JsonObject | None:
        """Return where the command of this reference went; None if it isn't recorded.

        Raises:
            ServerError: no usable answer, or it may not be read.
        """
        try:
            return self._object(f"v1/refs/{path_of(party)}/{path_of(ref)}")
        except ProblemError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def show(self, kind: str, id_: str, *, as_of: int | str | None = None, day: str | None = None) -> JsonObject:
        """Return all about one thing, as `tallystick show --json` says it.

        Args:
            kind: one of `COLLECTIONS`.
            id_: for example `acme-ai/v-1` or `guian-cluster`.
            as_of: an entry's index, or a time.
            day: as it was at a day's end.

        Raises:
            UsageError: no such kind.
            ServerError: there is no such thing, it may not be read, or no usable answer.
        """
        if kind not in COLLECTIONS:
            raise UsageError(f"{kind!a:.40} can't be shown: one of {', '.join(COLLECTIONS)}")
        return self._object(f"v1/{COLLECTIONS[kind]}/{path_of(id_)}{query_of({'as_of': as_of, 'day': day})}")

    def balances(
        self,
        by: str = "programme",
        *,
        as_of: int | str | None = None,
        day: str | None = None,
        page_rows: int | None = None,
    ) -> JsonObject:
        """Return balances by programme, holder, provider and so on, as `tallystick balances --json` says them.

        Args:
            by: a row for each of these.
            as_of: an entry's index, or a time.
            day: as it was at a day's end.
            page_rows: how many rows to ask for at a time; all are returned.

        Raises:
            ServerError: they may not be read, or no usable answer.
        """
        return self._pages("v1/balances", "balances", {"by": by, "as_of": as_of, "day": day, "limit": page_rows})

    def listed(self, kind: str, **narrowed: str | None) -> JsonObject:
        """Return the things of a kind that the party may see: `{"list", "entries", "rows"}`.

        Args:
            kind: one of `COLLECTIONS`, or `key`.
            narrowed: what some members must be, for example `status="open"`.

        Raises:
            UsageError: no such kind.
            ServerError: they may not be read, or no usable answer.
        """
        if kind not in COLLECTIONS:
            raise UsageError(f"{kind!a:.40} can't be listed: one of {', '.join(COLLECTIONS)}")
        return self._pages(f"v1/{COLLECTIONS[kind]}", "rows", narrowed)

    def _pages(self, path: str, member: str, query: Mapping[str, int | str | None]) -> JsonObject:
        """Return an answer of several pages, with the rows of all of them."""
        answer = self._read(f"{path}{query_of(query)}", VIEW_SIZE_MAX)
        said = object_in(answer)
        rows, size = rows_in(answer, said, member), len(answer.body)
        for _ in range(BALANCE_PAGES_MAX):
            following = next_query(answer.headers.get("Link", ""))
            if following is None:
                return said | {member: rows}
            answer = self._read(f"{path}?{following}", VIEW_SIZE_MAX)
            rows += rows_in(answer, object_in(answer), member)
            size += len(answer.body)
            if size > 4 * VIEW_SIZE_MAX:
                break
        raise AnswerMalformedError(f"{answer.url}: the list doesn't end; ask for fewer")

    def _ask(self, question: Question) -> Answer:
        """Ask as the party that is logged in; where its session has ended, log in again once."""
        try:
            return self._connections.ask(question)
        except ProblemError as error:
            if error.status != _LOGIN or self._session is None:
                raise
        open_session(self._connections, self._session)
        return self._connections.ask(question)

    def _read(self, path: str, size_max: int, *, wait_seconds: int = 0) -> Answer:
        return self._ask(Question(path, size_max, wait_seconds=wait_seconds))

    def _object(self, path: str) -> JsonObject:
        return object_in(self._read(path, VIEW_SIZE_MAX))
