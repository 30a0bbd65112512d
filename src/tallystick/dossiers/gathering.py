"""Which entries a dossier needs: those of the account, and what each of them was decided by, and no more.

    the account's entries          decided anew on examination, so all that `decide` reads must be there
      ├─ who signs, and who is named                parties and their keys, as they came and went
      ├─ what it is about                           programme, accreditations, tariffs, items, vouchers' terms
      ├─ reservations that it names                 with their whole life: what remains must be exact
      ├─ vouchers that it ends                      with their whole history: what returns must be exact
      ├─ lines that it claims, or sets free again   the statements with those days
      ├─ job times that it was refused for          the statement that had burned them
      └─ seals, and editions of the rules           all
    what those depend on           is only followed, so the things that it changes must be there, and nothing else

Things are found by the views' index, entries are read by their index: the rest of the log isn't read. Whatever comes
in comes with all that concerns it up to the dossier's end, so that no debit is seen without its credit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from tallystick.errors import MalformedError, NotALedgerError
from tallystick.publishing.reader import Reader
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import SECOND_US, day_of, start_of_day
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.reservations import VoucherReserve
from tallystick.vouchers.rules.rule import EDITIONS, SEALS, Event
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer

STATEMENTS_REMEMBERED: Final = 4_096


class Index(Protocol):
    """Where entries are looked up; names as in `tallystick.views.entry_index`."""

    def entries_concerning(self, name: str) -> list[int]:
        """Return the indices of the entries that concern a name, ascending."""

    def statement_entry(self, provider: str, ref: str, before: int) -> int | None:
        """Return the index of a provider's newest statement of a reference before an entry."""


class _Burned(NamedTuple):
    """A statement as far as claims ask: its time, and the reservations and days of its accepted lines."""

    at: int
    burned: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class _RefusedTime:
    """A line refused because its job's time was burned before."""

    provider: str
    job: str
    starts_at: int
    ends_at: int
    index: int


class Gathering:
    """The entries of a dossier.

    Attributes:
        subject: the indices of the account's entries, ascending.
        indices: of all entries, the account's among them.
    """

    def __init__(self, reader: Reader, index: Index, account: str, start: int, stop: int) -> None:
        """Gather.

        Args:
            reader: the log.
            index: of the same log.
            account: whose entries.
            start: the first index that may be the account's.
            stop: the index after the last.

        Raises:
            NotALedgerError: an entry can't be read.
        """
        self._reader = reader
        self._index = index
        self._stop = stop
        self._seen: set[str] = set()
        self._refused_times: list[_RefusedTime] = []
        self._read_burned = lru_cache(STATEMENTS_REMEMBERED)(self._burned)
        self._programme_of = lru_cache(None)(self._programme_of_reservation)
        self.subject = [number for number in index.entries_concerning(account) if start <= number < stop]
        self.indices: set[int] = {0, *self.subject}
        founding = self._event(0)
        assert isinstance(founding.command, NetworkFound)
        self._founding = founding.command
        self._want(SEALS)
        self._want(EDITIONS)
        for number in self.subject:
            self._gather(number)
        self._find_refused_times()

    # -- the account's entries ----------------------------------------------------------------------------------------

    def _gather(self, number: int) -> None:
        """Take in what one of the account's entries was decided by."""
        data = self._data(number)
        event = self._event(number, data)
        signers = {signature.name.partition("/")[0] for signature in Note.from_bytes(split_entry(data)[1]).signatures}
        for party in sorted({event.command.party, *signers}):
            self._want(f"party {party}")
        for name in (*event.command.follows(), *event.command.asks(event, self)):
            self._want(name)
        self._note_refused_times(event)

    def _note_refused_times(self, event: Event) -> None:
        """Remember the lines that were refused because their job's time was burned before."""
        command, outcome = event.command, event.outcome
        if isinstance(command, TimeBurn) and isinstance(outcome, Burned):
            for number, reason in outcome.refused:
                if reason is Reason.JOB_TIME_ALREADY_BURNED:
                    line = command.lines[number]
                    times = line.starts_at, line.ends_at
                    self._refused_times.append(_RefusedTime(command.party, line.job, *times, event.index))

    # -- what rules look up (vouchers.rules.rule.History) --------------------------------------------------------------

    def programme_of(self, reservation: str) -> str | None:
        """Return the programme of a reservation, if there is one of that id."""
        return self._programme_of(reservation)

    def statement(self, provider: str, ref: str, before: int) -> Event | None:
        """Return a provider's newest statement of a reference before an entry."""
        number = self._index.statement_entry(provider, ref, before)
        return None if number is None else self._event(number)

    def claim(self, claim: str) -> Event:
        """Return the event that made a claim."""
        return self._event(self._index.entries_concerning(f"claim {claim}")[0])

    def burned(self, programme: str, claimant: str, first_day: int, last_day: int, before: int) -> Iterator[str]:
        """Yield the reservations that were burned on some days, so that a claim may have found them unclaimed."""
        since = start_of_day(first_day, self._founding.utc_offset_seconds)
        for role in ("provider", "holder"):
            for number in reversed(self._index.entries_concerning(f"{role} {claimant}")):
                if number > before:
                    continue
                statement = self._read_burned(number)
                if statement.at < since:
                    break
                for reservation, day in sorted(statement.burned):
                    if first_day <= day <= last_day and self._programme_of(reservation) == programme:
                        yield reservation

    # -- job times that were burned before -----------------------------------------------------------------------------

    def _find_refused_times(self) -> None:
        """Take in the statements that had burned what lines were refused for; few lines are, so they are looked for."""
        window_us = self._founding.burn_window_seconds * SECOND_US
        for provider in sorted({one.provider for one in self._refused_times}):
            wanted = [one for one in self._refused_times if one.provider == provider]
            last = max(one.index for one in wanted)
            # A line reaches back by the burn window, and a statement that burned the same was no earlier than the line.
            oldest = self._event(min(one.index for one in wanted)).at - window_us
            jobs = {one.job for one in wanted}
            for number in reversed(self._index.entries_concerning(f"provider {provider}")):
                if number >= last:
                    continue
                event = self._event(number)
                if event.at < oldest:
                    break
                if isinstance(event.command, TimeBurn) and isinstance(event.outcome, Burned):
                    self._take_job_times(event.command, event.outcome, jobs, wanted)

    def _take_job_times(self, command: TimeBurn, outcome: Burned, jobs: set[str], wanted: list[_RefusedTime]) -> None:
        refused = dict(outcome.refused)
        for place, line in enumerate(command.lines):
            if line.job in jobs and place not in refused:
                for one in wanted:
                    if one.job == line.job and line.starts_at < one.ends_at and one.starts_at < line.ends_at:
                        self._want(f"reservation {line.reservation}")

    # -- what those depend on -----------------------------------------------------------------------------------------

    def _want(self, name: str) -> None:
        """Take in every entry that concerns a name, and the things that those change."""
        todo = [name]
        while todo:  # not by recursion: a voucher may have been passed on a thousand times
            one = todo.pop()
            if one in self._seen:
                continue
            self._seen.add(one)
            for number in self._index.entries_concerning(one):
                if number < self._stop and number not in self.indices:
                    self.indices.add(number)
                    todo += self._event(number).command.follows()

    # -- reading ------------------------------------------------------------------------------------------------------

    def _data(self, number: int) -> bytes:
        return self._reader.entry(number)

    def _event(self, number: int, data: bytes | None = None) -> Event:
        try:
            return Entry.from_bytes(self._data(number) if data is None else data).event
        except MalformedError as error:
            raise NotALedgerError(f"entry {number} can't be read ({error}); `tallystick audit` says more") from None

    def _burned(self, number: int) -> _Burned:
        event = self._event(number)
        if not isinstance(event.command, TimeBurn) or not isinstance(event.outcome, Burned):
            return _Burned(event.at, frozenset())
        refused = dict(event.outcome.refused)
        offset = self._founding.utc_offset_seconds
        lines = [line for place, line in enumerate(event.command.lines) if place not in refused]
        return _Burned(event.at, frozenset((line.reservation, day_of(line.ends_at, offset)) for line in lines))

    def _programme_of_reservation(self, reservation: str) -> str | None:
        """Return the programme of a reservation, if there is one of that id."""
        life = self._index.entries_concerning(f"reservation {reservation}")
        if not life:
            return None
        made = self._event(life[0]).command
        assert isinstance(made, VoucherReserve)
        voucher = made.voucher
        while True:
            terms = self._event(self._index.entries_concerning(f"terms {voucher}")[0]).command
            if isinstance(terms, VoucherIssue):
                return terms.programme
            assert isinstance(terms, VoucherTransfer)
            voucher = terms.voucher
