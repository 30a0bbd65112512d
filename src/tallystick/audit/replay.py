"""Every decision is taken again by the writer's own function, and must come to the very bytes that are recorded.

    (1) open the note       read_entry      while signatures are verified beside (tallystick.verifying)
    (2) read the command    read_entry
    (3) decide it           Replay.replay   at the time that the entry names
    (4) make the entry      Replay.replay   and compare it, byte for byte: index, kind, outcome, note
    then evolve the state and check the books

An entry that adopts rules which this version doesn't know, signed by the root quorum, ends the replay too, and is no
fault: what follows isn't looked at, and the audit says so if it finds nothing (auditing.py).

An entry that is decided to another outcome is named, and the audit goes on with what the rules give. One that can't
be decided (gone, unreadable, wrongly signed, refused) ends the replay, once, by name: the state after it isn't known.
Form is still checked then.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

from tallystick.audit.book_checks import OwnBook, faults, returned_fen
from tallystick.audit.officer_checks import OwnOfficerSums
from tallystick.audit.report import ProgrammeTotals, Totals
from tallystick.errors import EntryMalformedError, VerificationError
from tallystick.findings import FindingCode, Findings
from tallystick.vouchers.admit import SignedCommand, admit, check_algorithms, read_note
from tallystick.vouchers.book import AnyAccount
from tallystick.vouchers.editions import Adoption
from tallystick.vouchers.entry import Entry, Header, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.log_keys import signing_vkeys
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import format_instant, parse_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State

_AT: Final = b'{"at":"'
_AT_END: Final = len(_AT) + len("2026-01-05T08:00:00.000000Z")
_SHOWN_MAX: Final = 300

Described = tuple[str | None, str | None, str | None]
"""What an entry is to be filed under, as far as it could be read: kind, party, reference."""

_UNREADABLE: Final[Described] = (None, None, None)


class LineSums(NamedTuple):
    """The sums of a replay that don't follow from its state; the names are those of `Totals`."""

    burn_lines_accepted: int
    burn_lines_refused: int
    gpu_milliseconds_burned: int
    gpu_milliseconds_refused: int


class Observer(Protocol):
    """Who is shown what was replayed; no decision and no finding depends on it."""

    def take(self, event: Event, state: State) -> None:
        """Take in an entry's event, given the state after it; the state is only to be read."""

    def to_json(self) -> dict[str, Any]:
        """Return what the report says of it, beside the verdict, as JSON values: asked once, at the end."""


def read_entry(data: bytes, origin: str) -> SignedCommand | Refusal:
    """Open an entry's note and read its command (steps 1 and 2)."""
    try:
        _, note = split_entry(data)  # (1)
    except EntryMalformedError as error:
        return Refusal(Reason.NOTE_MALFORMED, str(error))
    return read_note(note, origin)  # (1) and (2)


class Replay:
    """The state as the rules give it, entry by entry, and the sums over it.

    Attributes:
        state: after the entries replayed.
        is_running: whether entries are still decided.
        adoption: of rules that this version doesn't know, where the replay ended with it.
    """

    def __init__(self, origin: str, findings: Findings, observer: Observer | None = None) -> None:
        self.state = State.empty(origin)
        self._observer = observer
        self._evolved: Event | None = None
        self.is_running = True
        self._believed = 0
        self.adoption: Adoption | None = None
        self._own_book = OwnBook(self.state.book)
        self._own_officer_sums = OwnOfficerSums(self.state)
        self._findings = findings
        self._at = 0
        self._at_text = b""
        self._lines_accepted = 0
        self._lines_refused = 0
        self._gpu_milliseconds_burned = 0
        self._gpu_milliseconds_refused = 0

    @property
    def sums(self) -> LineSums:
        """The sums over the entries replayed that don't follow from the state."""
        return LineSums(
            self._lines_accepted, self._lines_refused, self._gpu_milliseconds_burned, self._gpu_milliseconds_refused
        )

    def resume(self, state: State, totals: Totals | LineSums, *, believed: int = 0) -> None:
        """Go on from the state that an earlier replay came to, and its sums.

        Args:
            state: after as many entries as it says.
            totals: the sums over them.
            believed: after how many of them an audit that is believed found nothing (book_checks.py).
        """
        self.state = state
        self._believed = believed
        self._own_book = OwnBook(state.book)
        self._own_officer_sums = OwnOfficerSums(state)
        self._at = state.at
        self._lines_accepted = totals.burn_lines_accepted
        self._lines_refused = totals.burn_lines_refused
        self._gpu_milliseconds_burned = totals.gpu_milliseconds_burned
        self._gpu_milliseconds_refused = totals.gpu_milliseconds_refused

    def replay(self, index: int, data: bytes, signed: SignedCommand | Refusal) -> Described:
        """Decide an entry anew (steps 3 and 4), or check its form where nothing can be decided any more.

        Args:
            index: its place.
            data: its bytes.
            signed: what `read_entry` made of them.
        """
        if self.adoption is not None:
            return _UNREADABLE
        if isinstance(signed, SignedCommand):
            signed = check_algorithms(self.state, signed) or signed
        if not self.is_running or isinstance(signed, Refusal) or data[: len(_AT)] != _AT:
            return self._look_at(index, data, signed)
        try:
            described = self._decide(index, data, signed)
        except MemoryError:
            raise  # this machine's, and no fault of the entry
        except Exception as error:
            self._look_at(index, data, signed)
            return self._stop(index, f"deciding it fails: {type(error).__name__}: {error}"[:_SHOWN_MAX])
        if self._observer is not None and self._evolved is not None:  # a fault in it is no fault of the entry
            self._observer.take(self._evolved, self.state)
            self._evolved = None
        return described

    def miss(self, start: int, stop: int) -> None:
        """Note that entries start … stop - 1 aren't there."""
        detail = "it is not there" if stop == start + 1 else f"entries {start} to {stop - 1} are not there"
        self._findings.add(FindingCode.ENTRY_MISSING, start, detail)
        self._stop(start, "nothing after a gap can be decided")

    def unreadable(self, index: int) -> Described:
        """Note that an entry, about which there is a finding already, can't be read."""
        return self._stop(index, "it can't be read")

    def signing_vkeys(self, size: int) -> tuple[str, ...]:
        """Return which keys sign the checkpoint of a size; none, if no entry names any, or that wasn't replayed."""
        return signing_vkeys(self.state.log_keys, size) if size <= self.state.size else ()

    def check_own_books(self) -> None:
        """Note where the books by postings alone are others than the state's, where a replay is taken up elsewhere.

        One that goes on from the state begins with its books, and would see no difference any more.
        """
        for fault in (*self._own_book.differences(self.state), *self._own_officer_sums.differences(self.state)):
            self._findings.add(FindingCode.CONSERVATION_BROKEN, None, fault)

    def finish(self) -> Totals:
        """Check the books against all that there is, and return the sums."""
        state = self.state
        for fault in self._faults():
            self._findings.add(FindingCode.CONSERVATION_BROKEN, None, fault)
        totals = {name: _totals_of(state, name) for name in sorted(state.programmes)}
        returned = returned_fen(state)
        received_fen = _sum_of(state, "received") + _sum_of(state, "past_received")
        forfeited_fen = _sum_of(state, "forfeited") + _sum_of(state, "past_forfeited")
        return Totals(
            entries=self.state.size,
            burn_lines_accepted=self._lines_accepted,
            burn_lines_refused=self._lines_refused,
            gpu_milliseconds_burned=self._gpu_milliseconds_burned,
            gpu_milliseconds_refused=self._gpu_milliseconds_refused,
            issued_fen=_sum_of(state, "past_issued")
            + sum([voucher.face_fen for voucher in state.vouchers.values() if voucher.parent is None]),
            burned_fen=sum(map(_used_fen, totals.values())) + received_fen + forfeited_fen,
            withheld_fen=sum(one.withheld_fen for one in totals.values()),
            receivable_fen=sum(one.receivable_fen for one in totals.values()),
            received_fen=received_fen,
            forfeited_fen=forfeited_fen,
            available_fen=sum(one.available_fen for one in totals.values()),
            reserved_fen=sum(one.reserved_fen for one in totals.values()),
            expired_fen=returned["expired"],
            revoked_fen=returned["revoked"],
            programmes=totals,
        )

    def _faults(self) -> Iterator[str]:
        """Yield what in the books doesn't add up; of a state that can't be added up, that."""
        try:
            yield from self._own_book.differences(self.state)
            yield from self._own_officer_sums.differences(self.state)
            yield from faults(self.state, self._believed)
        except MemoryError:
            raise  # this machine's, and no fault of the state
        except Exception as error:
            yield f"adding it up fails: {type(error).__name__}: {error}"[:_SHOWN_MAX]

    def _decide(self, index: int, data: bytes, signed: SignedCommand) -> Described:
        at_text = data[len(_AT) : _AT_END]
        if at_text != self._at_text:  # a group of entries has one time
            at = parse_instant(at_text.decode())
            self._check_time(index, at)
            self._at_text = at_text
        answer = admit(self.state, signed, self._at)  # (3) and (4)
        # Equal bytes prove the header's form, index, kind and outcome at once: only what differs is read and explained.
        if isinstance(answer, Refusal) or answer.data != data:
            described = self._explain(index, data, signed, answer)
        else:
            command = signed.command
            described = (command.event_kind, command.party, command.ref)
        if self.is_running and not isinstance(answer, Refusal):
            self._evolve(answer.event)
        return described

    def _evolve(self, event: Event) -> None:
        """Change the state, check the books that it touched, and add to the sums."""
        newest = self.state.at
        postings = evolve(self.state, event)
        self._evolved = event
        self.state.at = max(newest, event.at)  # that it went backwards is a finding, and no fault of the books
        for fault in (*self._own_book.post(self.state, postings), *self._own_officer_sums.count(self.state, event)):
            self._findings.add(FindingCode.CONSERVATION_BROKEN, event.index, fault)
        command, outcome = event.command, event.outcome
        if isinstance(command, TimeBurn) and isinstance(outcome, Burned):
            times = [line.gpu_milli * line.seconds for group in command.groups for line in group.lines]
            if outcome.refused:
                refused = sum([times[number] for number, _ in outcome.refused])
                self._lines_refused += len(outcome.refused)
                self._gpu_milliseconds_refused += refused
                self._gpu_milliseconds_burned -= refused
            self._lines_accepted += len(times) - len(outcome.refused)
            self._gpu_milliseconds_burned += sum(times)

    def _explain(self, index: int, data: bytes, signed: SignedCommand, answer: Entry | Refusal) -> Described:
        """Say in what way an entry isn't what its command comes to."""
        try:
            header = Header.from_bytes(split_entry(data)[0])
        except EntryMalformedError as error:
            return self._malformed(index, str(error))
        described = (header.kind, signed.command.party, signed.command.ref)
        self._check_index(index, header.index)
        if isinstance(answer, Refusal):
            self._findings.add_refusal(index, answer)
            self._stop(index, "a command that is refused leads to no state")
            return described
        expected = Header.from_bytes(split_entry(answer.data)[0])
        if header.kind != expected.kind:
            self._findings.add(
                FindingCode.KIND_DIFFERS, index, f"recorded {header.kind[:80]!a}, decided {expected.kind}"
            )
        if header.outcome != expected.outcome:
            recorded = _differences(header.outcome, expected.outcome)
            decided = _differences(expected.outcome, header.outcome)
            self._findings.add(FindingCode.OUTCOME_DIFFERS, index, f"recorded {recorded}; decided {decided}")
        return described

    def _look_at(self, index: int, data: bytes, signed: SignedCommand | Refusal) -> Described:
        """Check the form of an entry that isn't decided; if that is its own fault, the replay ends here."""
        try:
            header = Header.from_bytes(split_entry(data)[0])
        except EntryMalformedError as error:
            return self._malformed(index, str(error))
        self._check_index(index, header.index)
        self._check_time(index, header.at)
        if isinstance(signed, Refusal):
            if self.is_running and self._is_adopted(index, data):
                return _UNREADABLE
            self._findings.add_refusal(index, signed)
            self._stop(index, "a command that can't be read leads to no state")
            return header.kind, None, None
        if not self.is_running:
            try:
                Entry.from_bytes(data)
            except EntryMalformedError as error:
                self._findings.add(FindingCode.ENTRY_MALFORMED, index, str(error))
        return header.kind, signed.command.party, signed.command.ref

    def _is_adopted(self, index: int, data: bytes) -> bool:
        """Note that the log goes on by rules that this version doesn't know, if an entry really adopts them."""
        adoption = Adoption.from_entry(data)
        if adoption is None or adoption.is_known or adoption.index != index:
            return False
        try:
            adoption.verify(self.state)
        except VerificationError:
            return False
        self.adoption, self.is_running = adoption, False
        return True

    def _check_index(self, index: int, shown_index: int) -> None:
        if shown_index != index:
            self._findings.add(FindingCode.INDEX_DIFFERS, index, f"the header says {shown_index}")

    def _check_time(self, index: int, at: int) -> None:
        if at < self._at:
            detail = f"{format_instant(at)} after {format_instant(self._at)}"
            self._findings.add(FindingCode.TIME_WENT_BACKWARDS, index, detail)
        self._at, self._at_text = at, b""

    def _malformed(self, index: int, detail: str) -> Described:
        self._findings.add(FindingCode.ENTRY_MALFORMED, index, detail)
        return self._stop(index, "it can't be read")

    def _stop(self, index: int, why: str) -> Described:
        if self.is_running:
            self.is_running = False
            self._findings.add(FindingCode.REPLAY_STOPPED, index, why)
        return _UNREADABLE


def _differences(outcome: dict[str, object], other: dict[str, object]) -> str:
    """Return the fields in which an outcome differs from another; of long lists, the first places that do."""
    shown = []
    for name, value in outcome.items():
        against = other.get(name)
        if isinstance(value, list) and isinstance(against, list) and len(value) == len(against):
            places = [place for place, _ in enumerate(value) if value[place] != against[place]]
            shown += [f"{name}[{place}] {value[place]!r:.80}" for place in places[:3]]
        elif value != against:
            shown.append(f"{name} {value!r:.80}")
    return ", ".join(shown)[:_SHOWN_MAX] or "nothing there"


def _totals_of(state: State, programme: str) -> ProgrammeTotals:
    book = Counter(state.book.totals.get(programme))  # of an account that a changed state lacks, 0
    return ProgrammeTotals(
        envelope_fen=state.programmes[programme].envelope_fen,
        unissued_fen=book["unissued"],
        available_fen=book["available"],
        reserved_fen=book["reserved"],
        burned_fen=book["burned"],
        withheld_fen=book["withheld"],
        claimed_fen=book["claimed"],
        paid_fen=book["paid"],
        receivable_fen=book["receivable"],
    )


def _sum_of(state: State, account: AnyAccount) -> int:
    return sum(state.book.balances[account].values())


def _used_fen(totals: ProgrammeTotals) -> int:
    """Return what was burned of a programme and hasn't gone back to it."""
    return totals.burned_fen + totals.withheld_fen + totals.claimed_fen + totals.paid_fen + totals.receivable_fen
