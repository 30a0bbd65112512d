"""From a request's session to what it may read: every route that shows anything asks here first.

What there is no right to see is answered like what isn't there: `not_found`, with the same words. `may_not_read`
depends on the route and the reader's role alone, never on a thing. Who may read what is decided by
vouchers/reading_rights.py; whom a thing concerns, the views know.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from functools import cache
from typing import Any, Final, TypeVar, cast

from starlette.applications import Starlette
from starlette.requests import Request

from tallystick.errors import NotFoundError
from tallystick.vouchers import reading_rights
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.reading_rights import Concerned, LookUp, Reader, Reading, Sight, ThingKind
from tallystick.vouchers.rules.rule import Event
from tallystick.web.problems import HttpProblem
from tallystick.web.reads import Reads
from tallystick.web.sessions import CHALLENGE, Sessions, token_of
from tallystick.wire import DataclassValue, JsonObject
from tallystick.wire.statuses import HttpReason

Row = TypeVar("Row")

_TERMS_OF: Final[Mapping[str, frozenset[str]]] = {
    "party": frozenset({"party", "role", "name", "uscc", "profile_hash", "admitter", "status", "quorum"})
    | {"threshold_fen", "required", "window_days", "admitted_index"},
    "holder": frozenset({"holder", "name", "suspended"}),
    "provider": frozenset({"provider", "name", "suspended"}),
    "treasury": frozenset({"treasury", "name", "suspended"}),
    "programme": frozenset({"programme", "treasury", "name", "payee", "closes_at", "closed", "envelope_fen"}),
    "voucher": frozenset({"voucher", "programme", "holder", "contract", "status", "valid_from", "valid_until"}),
}
"""By kind, the members of `balance` that its terms are: who and what it is, and no amount that moves."""
_TERMS_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "party": frozenset({"keys"}),
    "programme": frozenset({"versions"}),
}
"""And the lists beside it."""
_TOLD_WHOLE: Final = frozenset({"party", "key"})
"""Lists whose rows are terms."""
_MANY: Final = frozenset({"voucher", "reservation"})
FEW_MAX: Final = 2_000
FOLLOWED_MAX: Final = 4_096
FOLLOWED_SECONDS: Final = 5.0


class FollowedEntries:
    """Who may read each of the newest entries: asked once for all that follow the log, and forgotten soon."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, frozenset[str] | None]] = {}

    def readers(self, index: int, data: bytes, look_up: LookUp) -> frozenset[str] | None:
        """Return the parties that may read an entry; None for every party.

        Raises:
            EntryMalformedError: it is none.
        """
        now = time.monotonic()
        known = self._known.get(index)
        if known is not None and now - known[0] < FOLLOWED_SECONDS:
            return known[1]
        readers = reading_rights.readers_of_entry(Entry.from_bytes(data).event, look_up)
        while len(self._known) >= FOLLOWED_MAX:
            self._known.pop(next(iter(self._known), -1), None)
        self._known[index] = now, readers
        return readers


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may read what of one service.

    Attributes:
        reading: as its operator has it.
        reads: the log and its views.
        sessions: who has logged in.
        followed: who may read the entries that are being followed.
    """

    reading: Reading
    reads: Reads
    sessions: Sessions
    followed: FollowedEntries = field(default_factory=FollowedEntries)


class ReadersRights:
    """What may be read by one request.

    Attributes:
        reader: the party that logged in, and its role; None without a login.
    """

    def __init__(self, rights: Rights, reader: Reader | None = None, token: str = "") -> None:
        """Take who asks; the questions to the views wait, so they are asked in a worker thread."""
        self._rights = rights
        self.reader: Final = reader
        self._token = token
        self._concerned: dict[tuple[ThingKind, str], Concerned | None] = {}

    @property
    def name(self) -> str:
        """The party's id; empty without a login."""
        return self.reader.party if self.reader else ""

    @property
    def reads_all(self) -> bool:
        """Whether all of everything may be read."""
        return reading_rights.reads_all(self._rights.reading, self.reader)

    def check_follows(self) -> None:
        """Refuse who may not read the log as a whole.

        Raises:
            HttpProblem: it may not.
        """
        if not self.reads_all:
            raise HttpProblem(HttpReason.MAY_NOT_READ, "the whole log is for the network, operators and auditors")

    async def check_session(self) -> None:
        """Refuse a request whose session has ended while it is being answered: for answers that go on.

        Raises:
            HttpProblem: it has.
        """
        if self.reader is not None and await self._rights.sessions.find(self._token) is None:
            raise HttpProblem(HttpReason.LOGIN_REQUIRED, "the session has ended", headers=CHALLENGE)

    def sight(self, kind: str, id_: str) -> Sight:
        """Return how much of a thing may be seen; nothing of one that isn't there, unless all may be read."""
        if self.reads_all:
            return Sight.ALL
        thing = cast(ThingKind, kind)
        concerned = self._look_up(thing, id_)
        if concerned is None and reading_rights.TO_EVERY_PARTY.get(thing) is not Sight.ALL:
            return Sight.NOTHING
        return reading_rights.sight(self._rights.reading, self.reader, thing, concerned or Concerned())

    def check(self, kind: str, id_: str) -> Sight:
        """Return how much of a thing may be seen.

        Raises:
            NotFoundError: nothing; or there is no such thing.
        """
        found = self.sight(kind, id_)
        if found is Sight.NOTHING:
            raise self.not_found(kind, id_)
        return found

    def not_found(self, kind: str, id_: object) -> NotFoundError:
        """Return what is said of a thing that isn't there, or isn't this reader's: the same of both."""
        return NotFoundError(f"there is no {kind} {id_}" + ("" if self.reads_all else f" that {self.name} may read"))

    def terms(self, kind: str, resource: JsonObject) -> JsonObject:
        """Return what is left of a resource (`wire.resources.resource`) for who sees its terms alone."""
        account: dict[str, Any] = resource[kind]
        balance = {name: value for name, value in account["balance"].items() if name in _TERMS_OF[kind]}
        beside = {name: account[name] for name in _TERMS_BESIDE.get(kind, ()) if name in account}
        return {kind: {"balance": balance} | beside}

    def rows(self, kind: str, rows: Iterable[Row]) -> list[Row]:
        """Return the rows of which all may be seen, of a list of things with their balances."""
        if self.reads_all:
            return list(rows)
        found = {_id_of(kind, row): row for row in rows}
        own = self._own_among(cast(ThingKind, kind), found)
        return [row for id_, row in found.items() if id_ in own]

    def own_of(self, kind: str, ids: Collection[str]) -> frozenset[str]:
        """Return those of some ids of things of a kind of which all may be seen."""
        return frozenset(ids) if self.reads_all else self._own_among(cast(ThingKind, kind), ids)

    def listed(self, kind: str, rows: Iterable[DataclassValue]) -> list[DataclassValue]:
        """Return the rows of a list of things: those of which all may be seen, and of others their terms."""
        if self.reads_all or reading_rights.TO_EVERY_PARTY.get(cast(ThingKind, kind)) is Sight.ALL:
            return list(rows) if self.reads_all or self.reader is not None else []
        whose = cast(ThingKind, "party" if kind == "key" else kind)
        found = [(row, _id_of(whose, row)) for row in rows]
        ids = {id_ for _, id_ in found}
        own, told = self._own_among(whose, ids), self._told_among(whose, ids)
        is_whole = kind in _TOLD_WHOLE
        return [
            row if is_whole or id_ in own else _terms_row(kind, row) for row, id_ in found if id_ in own or id_ in told
        ]

    def few_of(self, kind: str) -> frozenset[str] | None:
        """Return the ids of all of a kind that is shown, where that is few, so that a list need not be read through."""
        if self.reads_all or kind not in _MANY:
            return None
        thing, party = cast(ThingKind, kind), self.name
        return self._rights.reads.ask(lambda questions: questions.few_shown(thing, party, FEW_MAX))

    def may_read_entry(self, event: Event) -> bool:
        """Return whether an entry may be read."""
        return reading_rights.may_read_entry(self._rights.reading, self.reader, event, self._look_up)

    def may_follow(self, index: int, data: bytes) -> bool:
        """Return the same of an entry that many follow, as it was known a few seconds ago at the latest.

        Raises:
            EntryMalformedError: it is none.
        """
        if self.reads_all:
            return True
        readers = self._rights.followed.readers(index, data, self._look_up)
        return readers is None or self.name in readers

    def may_read_ref(self, party: str) -> bool:
        """Return whether it may be read where a party's references went."""
        return self.reads_all or self.name == party

    def _own_among(self, kind: ThingKind, ids: Collection[str]) -> frozenset[str]:
        return self._rights.reads.ask(lambda questions: questions.things_of(kind, self.name, ids))

    def _told_among(self, kind: ThingKind, ids: Collection[str]) -> frozenset[str]:
        return self._rights.reads.ask(lambda questions: questions.told_of(kind, self.name, ids))

    def _look_up(self, kind: ThingKind, id_: str) -> Concerned | None:
        place = kind, id_
        if place not in self._concerned:
            self._concerned[place] = self._rights.reads.ask(lambda questions: questions.parties_concerned(kind, id_))
        return self._concerned[place]


async def reader_of(request: Request) -> ReadersRights:
    """Return what a request may read; a route's first step.

    Raises:
        HttpProblem: a login is required, and there is none that holds.
        LedgerError: the views can't be asked.
    """
    rights: Rights = request.app.state.rights
    token = token_of(request)
    session = None if token is None else await rights.sessions.find(token)
    if session is not None and token is not None:
        return ReadersRights(rights, session.reader, token)
    if rights.reading is not Reading.OPEN:
        raise _login_required(token)
    return ReadersRights(rights)


async def logged_in(request: Request) -> Reader:
    """Return the party that has logged in, where no other may ask, however open the log is.

    Raises:
        HttpProblem: none has.
        LedgerError: the views can't be asked.
    """
    reader = (await reader_of(request)).reader
    if reader is None:
        raise _login_required(token_of(request))
    return reader


def _login_required(token: str | None) -> HttpProblem:
    detail = "log in first" if token is None else "the session has ended; log in again"
    return HttpProblem(HttpReason.LOGIN_REQUIRED, detail, headers=CHALLENGE)


def install(app: Starlette, rights: Rights) -> None:
    """Have an application's routes ask these rights."""
    app.state.rights = rights
    app.state.sessions = rights.sessions


def _terms_row(kind: str, row: DataclassValue) -> DataclassValue:
    """Return a row as one of its terms alone."""
    names = _terms_class(kind, type(row)).__dataclass_fields__
    terms: DataclassValue = _terms_class(kind, type(row))(**{name: getattr(row, name) for name in names})
    return terms


@cache
def _terms_class(kind: str, row: type[DataclassValue]) -> type[DataclassValue]:
    names = [field.name for field in fields(row) if field.name in _TERMS_OF[kind]]
    return make_dataclass(f"{row.__name__}Terms", names, frozen=True, slots=True)


def _id_of(kind: str, row: object) -> str:
    get: Callable[[str], str] = row.__getitem__ if isinstance(row, Mapping) else lambda name: getattr(row, name)
    return f"{get('programme')} {get('payee')}" if kind == "payee" else get(kind)
