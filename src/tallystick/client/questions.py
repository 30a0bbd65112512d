"""What a service says of a log from its views, to the party that is logged in; nothing here proves it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, overload

from tallystick.client.answers import Checked
from tallystick.client.batches import BATCH_SIZE_MAX, JSON_LINES, in_groups, read_answers, refused_unsent
from tallystick.client.connection import Connections
from tallystick.client.endpoint import Answer, Question
from tallystick.client.pending import PendingNotes
from tallystick.client.problems import problem_in, read_json
from tallystick.client.resources import (
    COLLECTIONS,
    LISTED_ALONE,
    next_query,
    next_value,
    object_in,
    path_of,
    query_of,
    rows_in,
)
from tallystick.client.sessions import SESSION_SECONDS, Session, machine_clock, open_session
from tallystick.errors import AnswerMalformedError, MalformedError, ProblemError, UntrustedServerError, UsageError
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.proofs import verify_inclusion
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt
from tallystick.wire import JsonObject

VIEW_SIZE_MAX: Final = 16_777_216
"""Bytes of a page of a view's answer."""
DOSSIER_SIZE_MAX: Final = 67_108_864
BALANCE_PAGES_MAX: Final = 1_000
PAGE_ROWS_MAX: Final = 1_000
RECORDED_PAGE: Final = 1_000

_LOGIN: Final = 401
_SIZE: Final = re.compile("[0-9]{1,19}", re.ASCII)
_NOT_FOUND: Final = 404


def info_at(connections: Connections) -> JsonObject | None:
    """Return what a service says of itself; None if what answers is none, such as a server of an exported log.

    Raises:
        ServerError: no answer.
    """
    try:
        said = read_json(connections.ask(Question("v1/info", VIEW_SIZE_MAX)).body)
    except ProblemError as error:
        if error.may_pass:
            raise
        return None
    return said if isinstance(said, dict) and isinstance(said.get("origin"), str) else None


class Questions:
    """Questions to the servers of one log.

    Attributes:
        origin: the log's.
        pending: notes that wait for more signatures.
        size: how many entries the tree had that the last answer was made from, as the service says; 0 before one.
    """

    def __init__(self, connections: Connections, origin: str) -> None:
        self.origin: Final = origin
        self._connections = connections
        self._session: Session | None = None
        self.size = 0
        self.pending: Final = PendingNotes(self._ask)

    def login(
        self,
        key: SigningKey,
        party: str | None = None,
        *,
        seconds: int = SESSION_SECONDS,
        clock: Callable[[], int] = machine_clock,
    ) -> JsonObject:
        """Log in, so that what this party may read can be read; is done again by itself when the session ends.

        Args:
            key: of the party; it stays in memory.
            party: the key's, if its name doesn't say.
            seconds: how long the session lasts, 12 hours at most.
            clock: the time that it is signed at (microseconds); another than this machine's in a rehearsal.

        Raises:
            ProblemError: the log doesn't know the key, or it is revoked.
            ServerError: no usable answer.
        """
        self._session = Session(key, party or key.name.partition("/")[0], self.origin, seconds, clock)
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

    @overload
    def check(self, notes: bytes) -> Checked: ...

    @overload
    def check(self, notes: Sequence[bytes]) -> list[Checked]: ...

    def check(self, notes: bytes | Sequence[bytes]) -> Checked | list[Checked]:
        """Return what `submit` would decide now; nothing is written, and nothing proves it.

        Args:
            notes: one signed note, or several, each decided as if those before it were recorded.

        Raises:
            ServerError: no usable answer.
        """
        if isinstance(notes, bytes):
            return self.check([notes])[0]
        checked: dict[int, Checked] = {}
        sound = []
        for place, note in enumerate(notes):
            refused = refused_unsent(note)
            if refused is None:
                sound.append((place, note))
            else:
                checked[place] = Checked(False, {"accepted": False, "reason": refused.reason}, refused)
        for group in in_groups(sound):
            body = b"".join([line for _, line in group])
            answer = self._ask(Question("v1/check:batch", BATCH_SIZE_MAX, "POST", body, JSON_LINES))
            said = read_answers(answer.url, answer.body, len(group))
            checked |= {place: _checked(answer.url, one) for (place, _), one in zip(group, said, strict=True)}
        return [checked[place] for place in range(len(notes))]

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

    def receipt_by(self, index: int) -> Receipt:
        """Return the receipt of an entry, which leads to its checkpoint; who signed that isn't verified here.

        Raises:
            ProofInvalidError: it proves another entry, or nothing.
            ServerError: there is no such entry, it may not be read, or no usable answer.
        """
        answer = self._read(f"v1/entries/{index}/receipt", RECEIPT_SIZE_MAX)
        try:
            receipt = Receipt.from_bytes(answer.body)
            checkpoint = Checkpoint.from_text(Note.from_bytes(receipt.checkpoint_note).text)
        except MalformedError as error:
            raise AnswerMalformedError(f"{answer.url}: the answer is no receipt: {error}") from None
        if receipt.index != index or receipt.entry is None or checkpoint.origin != self.origin:
            raise AnswerMalformedError(f"{answer.url}: the answer is not the receipt of entry {index} of {self.origin}")
        verify_inclusion(index, checkpoint.size, leaf_hash(receipt.entry), receipt.proof, checkpoint.root)
        return receipt

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

    def listed_page(
        self,
        kind: str,
        *,
        limit: int,
        after: str | None = None,
        as_of: int | str | None = None,
        day: str | None = None,
        **narrowed: str | None,
    ) -> tuple[JsonObject, str | None]:
        """Return some of the things of a kind that the party may see, and the id after which the list goes on.

        Args:
            kind: one of `COLLECTIONS`, or `accreditation`, `capacity`, `payee`.
            limit: how many rows at most; the service may give fewer.
            after: the id that the page before ended with.
            as_of: an entry's index, or a time.
            day: as it was at a day's end.
            narrowed: what some members must be.

        Raises:
            UsageError: no such kind.
            ServerError: they may not be read, or no usable answer.
        """
        plural = (COLLECTIONS | LISTED_ALONE).get(kind)
        if plural is None:
            raise UsageError(f"{kind!a:.40} can't be listed: one of {', '.join([*COLLECTIONS, *LISTED_ALONE])}")
        asked = {"limit": min(limit, PAGE_ROWS_MAX), "after": after, "as_of": as_of, "day": day} | narrowed
        return self._page(f"v1/{plural}{query_of(asked)}", "rows", "after")

    def recorded_page(
        self, *, limit: int, before: int | None = None, **narrowed: str | None
    ) -> tuple[JsonObject, str | None]:
        """Return some of the entries that the party may see in short, newest first, and where they go on.

        Args:
            limit: how many at most; the service may give fewer.
            before: entries before this index.
            narrowed: `account`, `party`, `ref` or `kind` that they must have.

        Raises:
            ServerError: they may not be read, or no usable answer.
        """
        asked = {"limit": min(limit, PAGE_ROWS_MAX), "before": before} | narrowed
        return self._page(f"v1/recorded{query_of(asked)}", "recorded", "before")

    def search(self, text: str) -> JsonObject:
        """Return what a text leads to, as `tallystick search --json` says it.

        Raises:
            ServerError: no usable answer.
        """
        return self._object(f"v1/search{query_of({'q': text})}")

    def dossier(self, kind: str, id_: str, *, since: str | None = None, until: str | None = None) -> bytes:
        """Return the dossier of a voucher, holder, claim and so on: JSON lines that prove themselves, once examined.

        Args:
            kind: of the account or thing.
            id_: its id.
            since: begins at the last seal before this day, or this entry's index.
            until: ends with the first seal of this day, or after this entry.

        Raises:
            ServerError: there is no such thing, it may not be read, or no usable answer.
        """
        asked = query_of({"from": since, "until": until})
        return self._read(f"v1/dossiers/{path_of(kind)}/{path_of(id_)}{asked}", DOSSIER_SIZE_MAX).body

    def balance_proof(self, kind: str, id_: str, seal: str | None = None) -> bytes:
        """Return the proof of what an account held at a seal, as `tallystick proof balance` writes it.

        Args:
            kind: of the account.
            id_: its id.
            seal: the seal's id or its entry's index; None for the newest.

        Raises:
            ServerError: there is no such account or seal, it may not be read, or no usable answer.
        """
        return self._read(
            f"v1/proofs/balances/{path_of(kind)}/{path_of(id_)}{query_of({'seal': seal})}", VIEW_SIZE_MAX
        ).body

    def _page(self, path: str, member: str, goes_on: str) -> tuple[JsonObject, str | None]:
        answer = self._read(path, VIEW_SIZE_MAX)
        said = object_in(answer)
        rows_in(answer, said, member)
        return said, next_value(answer.headers.get("Link", ""), goes_on)

    def recorded(self, *, kind: str, party: str | None = None, min_size: int | None = None) -> Iterator[int]:
        """Yield the indexes of the entries of a kind that the party may see, newest first.

        Args:
            kind: of the event, for example `time.burned/1`.
            party: whose commands; None for anybody's.
            min_size: how many entries the answer is made from at least.

        Raises:
            ServerError: they may not be read, or no usable answer.
        """
        query = query_of({"kind": kind, "party": party, "min_size": min_size, "limit": RECORDED_PAGE})
        while query:
            answer = self._read(f"v1/recorded{query}", VIEW_SIZE_MAX)
            for row in rows_in(answer, object_in(answer), "recorded"):
                index = row.get("index")
                if not isinstance(index, int) or index < 0:
                    raise AnswerMalformedError(f"{answer.url}: an entry without an index")
                yield index
            following = next_query(answer.headers.get("Link", ""))
            query = "" if following is None else f"?{following}"

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
            answer = self._connections.ask(question)
        except ProblemError as error:
            if error.status != _LOGIN or self._session is None:
                raise
            open_session(self._connections, self._session)
            answer = self._connections.ask(question)
        size = answer.headers.get("Tallystick-Size", "")
        if _SIZE.fullmatch(size):
            self.size = int(size)
        return answer

    def _read(self, path: str, size_max: int, *, wait_seconds: int = 0) -> Answer:
        return self._ask(Question(path, size_max, wait_seconds=wait_seconds))

    def _object(self, path: str) -> JsonObject:
        return object_in(self._read(path, VIEW_SIZE_MAX))


def _checked(where: str, said: JsonObject) -> Checked:
    if said.get("accepted") is True:
        return Checked(True, said)
    return Checked(False, said, problem_in(where, said))
