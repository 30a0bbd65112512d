"""Which entries a dossier needs: those of the account, and what each of them was decided by, and no more.

    the account's entries          decided anew by whoever examines, so all that `decide` reads must be there
      ├─ who signs, and who is named                parties and their keys, as they came and went
      ├─ what it is about                           programme, accreditations, tariffs, accelerators, vouchers' terms
      ├─ reservations that it names                 with their whole life: what remains must be exact
      ├─ vouchers that it ends                      with their whole history: what returns must be exact
      ├─ lines that it claims, or sets free again   the statements with those days
      ├─ job times that it was refused for          the statement that had burned them
      └─ seals                                      all
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
from tallystick.vouchers import commands as c
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.events import Burned, Event
from tallystick.vouchers.quantities import SECOND_US, day_of, start_of_day
from tallystick.vouchers.refusals import Reason

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
        assert isinstance(founding.command, c.NetworkFound)
        self._founding = founding.command
        self._want("seals")
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
        for name in self._things_changed(event):
            self._want(name)
        for name in self._things_asked(event):
            self._want(name)

    def _things_asked(self, event: Event) -> Iterator[str]:
        """Yield what `decide` asks for, beyond what the entry changes."""
        match event.command:
            case c.PartySuspend() | c.PartyReinstate() | c.KeyAdd() | c.KeyRevoke() as command:
                yield f"party {command.subject}"
            case c.ProgrammeOpen() as command:
                yield from (f"accelerator {accelerator}" for accelerator in command.accelerators)
            case c.ProviderAccredit() | c.ProviderDelist() as command:
                yield f"party {command.provider}"
                yield f"accreditation {command.programme} {command.provider}"
            case c.TariffPublish() as command:
                yield f"tariffs {command.party}"
                yield f"accelerator {command.accelerator}"
            case c.VoucherRevoke() | c.VoucherLapse() as command:
                yield f"voucher {command.voucher}"
            case c.VoucherReserve() as command:
                yield from self._accreditation(command.reservation, command.provider)
            case c.TimeBurn():
                yield from self._asked_by_statement(event, event.command)
            case c.BurnReverse() as command:
                yield from self._asked_by_reversal(event, command)
            case c.RedemptionClaim() as command:
                yield from self._claimed(command, event.index)
            case c.RedemptionReject() as command:
                made = self._event(self._index.entries_concerning(f"claim {command.claim}")[0])
                assert isinstance(made.command, c.RedemptionClaim)
                yield from self._claimed(made.command, made.index)

    def _asked_by_statement(self, event: Event, command: c.TimeBurn) -> Iterator[str]:
        yield f"party {command.holder}"
        yield f"tariffs {command.party}"
        yield from (f"accelerator {name}" for name in sorted({line.accelerator for line in command.lines}))
        for reservation in dict.fromkeys(line.reservation for line in command.lines):
            yield f"reservation {reservation}"
            yield from self._accreditation(reservation, command.party)
        for line in command.lines:
            if line.corrects is not None:
                yield from self._reservation_of_line(event, line.corrects.statement, line.corrects.line)
        assert isinstance(event.outcome, Burned)
        for number, reason in event.outcome.refused:
            if reason is Reason.JOB_TIME_ALREADY_BURNED:
                line = command.lines[number]
                self._refused_times.append(
                    _RefusedTime(command.party, line.job, line.starts_at, line.ends_at, event.index)
                )

    def _asked_by_reversal(self, event: Event, command: c.BurnReverse) -> Iterator[str]:
        for name in self._reservation_of_line(event, command.statement, command.line):
            yield name
            programme = self._programme_of(name.partition(" ")[2])
            number = self._index.statement_entry(command.party, command.statement, event.index)
            if number is not None:
                statement = self._event(number).command
                assert isinstance(statement, c.TimeBurn)
                # Whoever it pays: a line that is claimed isn't reversed.
                yield f"claims {programme} {command.party}"
                yield f"claims {programme} {statement.holder}"

    def _reservation_of_line(self, asking: Event, ref: str, line: int) -> Iterator[str]:
        """Yield the reservation of an accepted line of an earlier statement: its life holds that and the reversal."""
        number = self._index.statement_entry(asking.command.party, ref, asking.index)
        if number is None:
            return
        event = self._event(number)
        assert isinstance(event.command, c.TimeBurn)
        assert isinstance(event.outcome, Burned)
        if line < len(event.command.lines) and line not in dict(event.outcome.refused):
            yield f"reservation {event.command.lines[line].reservation}"

    def _accreditation(self, reservation: str, provider: str) -> Iterator[str]:
        programme = self._programme_of(reservation)
        if programme is not None:
            yield f"accreditation {programme} {provider}"

    def _claimed(self, command: c.RedemptionClaim, index: int) -> Iterator[str]:
        """Yield the claimant's claims, and the reservations of all lines that a claim may have found unclaimed."""
        yield f"claims {command.programme} {command.party}"
        since = start_of_day(command.first_day, self._founding.utc_offset_seconds)
        for role in ("provider", "holder"):
            for number in reversed(self._index.entries_concerning(f"{role} {command.party}")):
                if number > index:
                    continue
                statement = self._read_burned(number)
                if statement.at < since:
                    break
                for reservation, day in sorted(statement.burned):
                    if command.first_day <= day <= command.last_day and (
                        self._programme_of(reservation) == command.programme
                    ):
                        yield f"reservation {reservation}"

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
                if isinstance(event.command, c.TimeBurn) and isinstance(event.outcome, Burned):
                    self._take_job_times(event.command, event.outcome, jobs, wanted)

    def _take_job_times(self, command: c.TimeBurn, outcome: Burned, jobs: set[str], wanted: list[_RefusedTime]) -> None:
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
                    todo += self._things_changed(self._event(number))

    def _things_changed(self, event: Event) -> Iterator[str]:
        """Yield what must be there so that an entry can be followed."""
        match event.command:
            case c.ProgrammeClose() | c.ProviderAccredit() | c.ProviderDelist() as command:
                yield f"rules {command.programme}"
            case c.VoucherIssue() as command:
                yield f"rules {command.programme}"
                yield f"party {command.holder}"
            case c.VoucherTransfer() as command:
                yield f"terms {command.voucher}"
                yield f"party {command.to}"
            case c.VoucherSuspend() | c.VoucherResume() | c.VoucherRevoke() | c.VoucherLapse() as command:
                yield f"terms {command.voucher}"
            case c.VoucherReserve() as command:
                yield f"terms {command.voucher}"
                yield f"party {command.provider}"
                yield f"reservation {command.reservation}"
            case c.ReservationRelease() as command:
                yield f"reservation {command.reservation}"
            case c.RedemptionClaim() as command:
                yield f"rules {command.programme}"
                yield f"party {command.party}"
            case c.RedemptionPay() | c.RedemptionReject() as command:
                yield f"claim {command.claim}"

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
        if not isinstance(event.command, c.TimeBurn) or not isinstance(event.outcome, Burned):
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
        assert isinstance(made, c.VoucherReserve)
        voucher = made.voucher
        while True:
            terms = self._event(self._index.entries_concerning(f"terms {voucher}")[0]).command
            if isinstance(terms, c.VoucherIssue):
                return terms.programme
            assert isinstance(terms, c.VoucherTransfer)
            voucher = terms.voucher
