"""Which entries a dossier needs: those of the account, and what each of them was decided by, and no more.

    the account's entries          decided anew on examination, so all that `decide` reads must be there
      ├─ who signs, and who is named                parties and their keys, as they came and went
      ├─ what it is about                           programme, accreditations, tariffs, items, vouchers' terms
      ├─ its contract                               with its whole life: what remains of it must be exact
      ├─ vouchers that it ends                      with their whole history: what returns must be exact
      ├─ what time ended of the account             the same, and reservations with their contract
      ├─ what it claims, pays, or withholds         the contracts, with their whole life
      ├─ what it asks back, or sets off             all that was paid to the payee, and the demand
      ├─ job times that it was refused for          the contract that had burned them
      └─ seals, and editions of the rules           all
    what those depend on           is only followed, so the things that it changes must be there, and nothing else

Things are found by the views' index, entries are read by their index: the rest of the log isn't read. Whatever comes
in comes with all that concerns it up to the dossier's end, so that no debit is seen without its credit.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from tallystick.dossiers.things import names_of
from tallystick.errors import MalformedError, NotALedgerError
from tallystick.publishing.reader import Reader
from tallystick.signing.note import Note
from tallystick.vouchers.book import Lot
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.outcomes import Burned, Expired
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.contracts import ContractSign
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.reservations import VoucherReserve
from tallystick.vouchers.rules.rule import EDITIONS, SEALS, Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherTransfer


class Index(Protocol):
    """Where entries are looked up; names as in `tallystick.views.entry_index`."""

    def entries_concerning(self, name: str) -> list[int]:
        """Return the indices of the entries that concern a name, ascending."""

    def statement_entry(self, provider: str, ref: str, before: int) -> int | None:
        """Return the index of a provider's newest statement of a reference before an entry."""


@dataclass(frozen=True, slots=True)
class _RefusedTime:
    """A line refused because its job's time was burned before."""

    provider: str
    item: str
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
        self._reservation = lru_cache(None)(self._read_reservation)
        self._signed = lru_cache(None)(self._read_contract)
        self._owned = lru_cache(None)(self._read_owner)
        self._account = account
        self._paying = lru_cache(None)(self._read_programmes)
        found = {number for name in names_of(account) for number in index.entries_concerning(name)}
        self.subject = [number for number in sorted(found) if start <= number < stop]
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
        if isinstance(event.outcome, Expired):
            self._want_expired(event.outcome)
        self._note_refused_times(event)

    def _want_expired(self, outcome: Expired) -> None:
        """Take in what an expiry ended of the account; the rows of others are left out when it is decided."""
        for kind, name, _, _ in outcome.rows:
            voucher, contract, wanted = name, None, f"{kind} {name}"
            if kind == "reservation":
                made = self._reservation(name)
                assert made is not None  # it ended
                voucher, contract = made.voucher, made.contract
            elif kind == "lot":
                voucher, contract = Lot(*name.split(" "))
                wanted = f"life {contract}"
            accounts = self._accounts_of_voucher(voucher)
            if contract is not None:
                accounts.add(f"provider {self.provider_of(contract)}")
            if kind == "lot":
                accounts.add(f"contract {contract}")
            if self._account in accounts:
                self._want(wanted)

    def _accounts_of_voucher(self, voucher: str) -> set[str]:
        programme, holder = self._owned(voucher)
        treasury = self._event(self._index.entries_concerning(f"rules {programme}")[0]).command.party
        return {f"voucher {voucher}", f"holder {holder}", f"programme {programme}", f"treasury {treasury}"}

    def _note_refused_times(self, event: Event) -> None:
        """Remember the lines that were refused because their job's time was burned before."""
        command, outcome = event.command, event.outcome
        if isinstance(command, TimeBurn) and isinstance(outcome, Burned):
            refused = {number for number, reason in outcome.refused if reason is Reason.JOB_TIME_ALREADY_BURNED}
            for number, (item, line) in enumerate(command.lines() if refused else ()):
                if number in refused:
                    what = command.party, item, line.job, line.starts_at, line.ends_at
                    self._refused_times.append(_RefusedTime(*what, event.index))

    # -- what rules look up (vouchers.rules.rule.History) --------------------------------------------------------------

    def contract_of(self, reservation: str) -> str | None:
        """Return the contract of a reservation, if there is one of that id."""
        made = self._reservation(reservation)
        return None if made is None else made.contract

    def programmes_of(self, contract: str) -> tuple[str, ...]:
        """Return the programmes of which something was reserved under a contract."""
        return self._paying(contract)

    def provider_of(self, contract: str) -> str | None:
        """Return the provider of a contract, if there is one of that id."""
        signed = self._signed(contract)
        return None if signed is None else signed.provider

    def holder_of(self, contract: str) -> str | None:
        """Return the holder of a contract, if there is one of that id."""
        signed = self._signed(contract)
        return None if signed is None else signed.holder

    def contract_of_statement(self, provider: str, ref: str, before: int) -> str | None:
        """Return the contract of a provider's newest statement of a reference before an entry, if there is one."""
        number = self._index.statement_entry(provider, ref, before)
        command = None if number is None else self._event(number).command
        return command.contract if isinstance(command, TimeBurn | ServiceBurn) else None

    def claimant_of(self, claim: str) -> str | None:
        """Return who made a claim, if there is one of that id."""
        life = self._index.entries_concerning(f"claim {claim}")
        return self._event(life[0]).command.party if life else None

    # -- job times that were burned before -----------------------------------------------------------------------------

    def _find_refused_times(self) -> None:
        """Take in the statements that had burned what lines were refused for; few lines are, so they are looked for."""
        window_us = self._founding.burn_window_seconds * SECOND_US
        for provider in sorted({one.provider for one in self._refused_times}):
            wanted = [one for one in self._refused_times if one.provider == provider]
            last = max(one.index for one in wanted)
            # A line reaches back by the burn window, and a statement that burned the same was no earlier than the line.
            oldest = self._event(min(one.index for one in wanted)).at - window_us
            jobs = {(one.item, one.job) for one in wanted}
            for number in reversed(self._index.entries_concerning(f"provider {provider}")):
                if number >= last:
                    continue
                event = self._event(number)
                if event.at < oldest:
                    break
                if isinstance(event.command, TimeBurn) and isinstance(event.outcome, Burned):
                    self._take_job_times(event.command, event.outcome, jobs, wanted)

    def _take_job_times(
        self, command: TimeBurn, outcome: Burned, jobs: set[tuple[str, str]], wanted: list[_RefusedTime]
    ) -> None:
        refused = dict(outcome.refused)
        for place, (item, line) in enumerate(command.lines()):
            if (item, line.job) in jobs and place not in refused:
                for one in wanted:
                    is_same = (one.item, one.job) == (item, line.job)
                    if is_same and line.starts_at < one.ends_at and one.starts_at < line.ends_at:
                        self._want(f"life {command.contract}")

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

    def _read_contract(self, contract: str) -> ContractSign | None:
        """Return how a contract was signed, if there is one of that id."""
        life = self._index.entries_concerning(f"life {contract}")
        if not life:
            return None
        signed = self._event(life[0]).command
        assert isinstance(signed, ContractSign)
        return signed

    def _read_reservation(self, reservation: str) -> VoucherReserve | None:
        """Return how a reservation was made, if there is one of that id."""
        life = self._index.entries_concerning(f"reservation {reservation}")
        if not life:
            return None
        made = self._event(life[0]).command
        assert isinstance(made, VoucherReserve)
        return made

    def _read_programmes(self, contract: str) -> tuple[str, ...]:
        """Return the programmes of which something was reserved under a contract, in the order of the log."""
        kinds = [(number, self._data(number)) for number in self._index.entries_concerning(f"life {contract}")]
        made = [self._event(number, data).command for number, data in kinds if _is_reservation(data)]
        vouchers = [command.voucher for command in made if isinstance(command, VoucherReserve)]
        return tuple(dict.fromkeys(self._programme_of(voucher) for voucher in vouchers))

    def _programme_of(self, voucher: str) -> str:
        """Return the programme of a voucher that there is."""
        return self._owned(voucher)[0]

    def _read_owner(self, voucher: str) -> tuple[str, str]:
        """Return the programme and the holder of a voucher that there is."""
        terms, holder = self._event(self._index.entries_concerning(f"terms {voucher}")[0]).command, ""
        while isinstance(terms, VoucherTransfer):  # not by recursion: it may have been passed on a thousand times
            holder = holder or terms.to
            terms = self._event(self._index.entries_concerning(f"terms {terms.voucher}")[0]).command
        assert isinstance(terms, VoucherIssue | VoucherImport)
        return terms.programme, holder or terms.holder


_RESERVED: Final = b'"kind":"%s"' % VoucherReserve.event_kind.encode()


def _is_reservation(data: bytes) -> bool:
    """Return whether an entry may be a reservation, without reading the lines of a statement."""
    return _RESERVED in data.partition(b"\n")[0]
