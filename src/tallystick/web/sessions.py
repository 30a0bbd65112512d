"""Logins: a signed note opens a session, whose token its party shows when it reads.

POST /v1/sessions     a note of `session.open/1` (vouchers/sessions.py); 201 with the token
DELETE /v1/sessions   ends the session whose token is shown

A browser has its token in a cookie (logins.py), which counts for GET and HEAD alone.

The token is random, and only its hash is kept, in memory. A session ends with its time, by a DELETE, with the service,
and when the log says that its key is revoked or its party suspended or withdrawn: at once if it is recorded here; if by
another process, as soon as the views have it, which are asked at most once a second. All of this runs in the event loop
but for `take_in`, which adds to a dictionary, so nothing here needs a lock.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

import anyio.to_thread
import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tallystick.ledger import Admitted
from tallystick.views.served_views import Answering
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.reading_rights import Reader
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rules.keys import KeyRevoke, KeyRotate
from tallystick.vouchers.rules.suspensions import PartySuspend
from tallystick.vouchers.rules.withdrawals import PartyRecord, RecordWithdraw
from tallystick.vouchers.sessions import FRESHNESS_US, NOTE_SIZE_MAX, LoginKey, check_session, read_session
from tallystick.web.flood import buckets_of
from tallystick.web.problems import HttpProblem, problem_response
from tallystick.web.reads import Reads
from tallystick.wire.statuses import HttpReason

SESSIONS_MAX: Final = 10_000
SESSIONS_OF_PARTY_MAX: Final = 64
"""At once; with one more the party's oldest ends."""
TOKEN_BYTES: Final = 32
CHECKED_EVERY_SECONDS: Final = 1.0
COOKIE: Final = "__Host-tallystick"
"""Holds a browser's token. Browsers take a cookie of such a name from https alone, for this very host and all of it."""
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_CREATED: Final = 201
_READING: Final = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class Session:
    """A party that logged in.

    Attributes:
        key: the label of the key that signed.
        expires_at: (microseconds).
        text_sha256: of the note's text.
        opened_size: of how many entries the views were by which it was opened.
        checked_size: of how many entries the views were when key and party were last looked at.
        checked_at: when that was (seconds of a clock that never goes back).
    """

    reader: Reader
    key: str
    expires_at: int
    text_sha256: bytes
    opened_size: int
    checked_size: int
    checked_at: float


class Sessions:
    """The sessions of one service."""

    def __init__(self, reads: Reads, urls: Collection[str], clock: Callable[[], int]) -> None:
        """Take what answers.

        Args:
            reads: the log and its views.
            urls: what the service is called in logins, beside its log's origin; without a slash at the end.
            clock: the time (microseconds).
        """
        self.origin: Final = reads.newest.origin
        self._urls = urls
        self._reads = reads
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}
        self._logged_out: dict[bytes, int] = {}
        self._ended: dict[str, int] = {}
        """The entry that ended a key, by its label, or a party."""

    async def open(self, data: bytes) -> tuple[str, Session] | Refusal:
        """Open a session by a note, and return its token; the same note again opens another one, until the same time.

        Raises:
            HttpProblem: there are too many.
            LedgerError: the views can't be asked.
        """
        read = read_session(data, self.origin)
        if isinstance(read, Refusal):
            return read
        note, said = read
        label = note.signatures[0].label
        text_sha256 = hashlib.sha256(note.text).digest()
        if text_sha256 in self._logged_out:
            raise HttpProblem(HttpReason.LOGIN_REQUIRED, "this login was ended; sign another", headers=CHALLENGE)
        await self._reads.views_at(None)
        checked_at = time.monotonic()
        key, size = await self._key(label)
        audiences = frozenset({self.origin, *self._urls})
        refusal = await anyio.to_thread.run_sync(check_session, note, said, key, audiences, self._clock())
        if refusal is not None or key is None:
            assert refusal is not None
            return refusal
        session = Session(Reader(key.party, key.role), label, said.expires_at, text_sha256, size, size, checked_at)
        self._make_room(key.party)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions[_hash_of(token)] = session
        return token, session

    async def find(self, token: str) -> Session | None:
        """Return the session of a token, if it hasn't ended.

        Raises:
            LedgerError: the views can't be asked.
        """
        session = self._sessions.get(_hash_of(token))
        if session is None:
            return None
        if session.expires_at > self._clock() and not self._is_ended(session):
            now = time.monotonic()
            is_checked = session.checked_size == self._reads.views.size
            if is_checked or now - session.checked_at < CHECKED_EVERY_SECONDS:
                return session
            session.checked_at = now  # others needn't ask meanwhile
            key, session.checked_size = await self._key(session.key)
            if key is not None and not key.is_revoked and not key.is_barred:
                return session
        self._sessions.pop(_hash_of(token), None)
        return None

    def take_in(self, answers: Iterable[object]) -> None:
        """Let the sessions end of keys and parties that notes ended which were recorded; from any thread."""
        for answer in answers:
            if isinstance(answer, Admitted) and answer.is_new:
                match answer.event.command:
                    case KeyRevoke(key=ended) | KeyRotate(key=ended) | PartySuspend(subject=ended):
                        self._ended[ended] = answer.index
                    case RecordWithdraw(record=PartyRecord(party=ended)):
                        self._ended[ended] = answer.index

    def _is_ended(self, session: Session) -> bool:
        """Return whether its key or party was ended by an entry that its login didn't know."""
        return any(self._ended.get(one, -1) >= session.opened_size for one in (session.key, session.reader.party))

    def end(self, token: str) -> None:
        """End a session, if it is one; its note opens no other."""
        session = self._sessions.pop(_hash_of(token), None)
        if session is not None:
            now = self._clock()
            self._logged_out = {text: until for text, until in self._logged_out.items() if until > now}
            self._logged_out[session.text_sha256] = now + 2 * FRESHNESS_US

    def __len__(self) -> int:
        """Return how many there are; those that nobody used since they ended among them."""
        return len(self._sessions)

    async def _key(self, label: str) -> tuple[LoginKey | None, int]:
        """Return a key as the log knows it now, and how many entries that is of."""

        def look_up(views: Answering) -> tuple[LoginKey | None, int]:
            return views.login_key(label), views.size

        return await self._reads.answer(look_up)

    def _make_room(self, party: str) -> None:
        of_party = [name for name, one in self._sessions.items() if one.reader.party == party]
        for name in of_party[: len(of_party) - SESSIONS_OF_PARTY_MAX + 1]:
            del self._sessions[name]
        if len(self._sessions) >= SESSIONS_MAX:
            now = self._clock()
            self._sessions = {name: one for name, one in self._sessions.items() if one.expires_at > now}
        if len(self._sessions) >= SESSIONS_MAX:
            raise HttpProblem(HttpReason.SERVICE_BUSY, f"{SESSIONS_MAX} sessions are open")


def token_of(request: Request) -> str | None:
    """Return the token that a request shows, if it shows one; of a browser's cookie only where nothing is changed."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return cookie_of(request) if request.method in _READING else None


def cookie_of(request: Request) -> str | None:
    """Return the token in a browser's cookie, if there is one."""
    return request.cookies.get(COOKIE)


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


# -- routes -----------------------------------------------------------------------------------------------------------

router: Final = APIRouter(prefix="/v1", tags=["sessions"])


@router.post("/sessions", status_code=_CREATED, response_class=Response)
async def open_session(request: Request) -> Response:
    """Open a session by a signed note of `session.open/1`; it is over at the note's `expires_at` at the latest."""
    sessions: Sessions = request.app.state.sessions
    failures = buckets_of(request)
    failures.check(request)
    opened = await sessions.open(await _login_in(request))
    failures.count(request, [opened])
    if isinstance(opened, Refusal):
        return problem_response(opened, {"Cache-Control": "no-store"})
    token, session = opened
    said = {
        "token": token,
        "expires_at": format_instant(session.expires_at),
        "party": session.reader.party,
        "role": session.reader.role,
    }
    return Response(orjson.dumps(said), _CREATED, {"Cache-Control": "no-store"}, "application/json")


@router.delete("/sessions", status_code=204, response_class=Response)
async def end_session(request: Request) -> Response:
    """End the session whose token is shown; one that has ended is as good."""
    token = token_of(request)
    if token is None:
        raise HttpProblem(HttpReason.LOGIN_REQUIRED, headers=CHALLENGE)
    sessions: Sessions = request.app.state.sessions
    sessions.end(token)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def _login_in(request: Request) -> bytes:
    """Return the note that a request brings, or one byte more than it may have: its size is refused by its reason."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > NOTE_SIZE_MAX:
            break
    return bytes(body[: NOTE_SIZE_MAX + 1])
