"""Where a command goes and what is known there: a ledger on this machine, or a service.

Both say the network's zone, what things are called and which there are, what would be decided, and record. A service is
asked through `tallystick.client`, which verifies every receipt before it returns it.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.cli.lookups import Candidate
    from tallystick.profile import Profile
    from tallystick.publishing import Reader
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import WritableSource
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.refusals import Refusal
    from tallystick.vouchers.state import State
    from tallystick.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a note: as `submit --json` says it, and the receipt of what was recorded."""

    said: "JsonObject"
    receipt: bytes | None = None


class Place(Protocol):
    """Where a command goes."""

    @property
    def origin(self) -> str:
        """The log's origin."""

    @property
    def zone(self) -> int:
        """The network's offset in seconds."""

    def clock(self) -> int:
        """Return when it is now (microseconds)."""

    def name_of(self, kind: str, id_: str) -> str | None:
        """Return what a party, a programme or an item is called, None if that isn't known."""

    def candidates(self, kind: str, party: str) -> "list[Candidate]":
        """Return the things of a kind that a party's command may name; empty if none is known."""

    def knows_all(self) -> bool:
        """Return whether what isn't among the candidates isn't there."""

    def check(self, notes: Sequence[bytes]) -> "list[JsonObject]":
        """Return what would be decided on notes, one after another."""

    def submit(self, notes: Sequence[bytes]) -> list[Answer]:
        """Record notes, or say why not, in order."""

    def leave(self, note: bytes) -> "JsonObject | None":
        """Leave a note for those who are to sign it too, and say who they are; None where nothing can be left."""

    def close(self) -> None:
        """Let go of what is open."""


class LedgerPlace:
    """A ledger's folder or database on this machine."""

    def __init__(self, source: "WritableSource", log_time: str | None) -> None:
        """Open the log for reading.

        Args:
            source: where it is.
            log_time: the log's time instead of this machine's.

        Raises:
            NotALedgerError: there is none, or it can't be read.
            UsageError: not a time.
        """
        from tallystick.cli import reading

        self._source = source
        self._log_time = log_time
        self._open = ExitStack()
        self._clock = reading.clock(log_time, lambda: self.zone)

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self._reader.origin

    def clock(self) -> int:
        """Return the log's time for what is decided now (microseconds)."""
        return self._clock()

    @cached_property
    def zone(self) -> int:
        """The network's offset in seconds."""
        from tallystick.cli.moments import zone_in

        return zone_in(self._reader)

    def name_of(self, kind: str, id_: str) -> str | None:
        """Return what a party, a programme or an item is called, None if it has no name or isn't there."""
        from tallystick.cli.lookups import name_in

        return name_in(self._state, kind, id_)

    def candidates(self, kind: str, party: str) -> "list[Candidate]":
        """Return the things of a kind that a party's command may name."""
        from tallystick.cli.lookups import candidates_in

        return candidates_in(self._state, kind, party)

    def knows_all(self) -> bool:
        """Return true: nothing is hidden on this machine."""
        return True

    def check(self, notes: Sequence[bytes]) -> "list[JsonObject]":
        """Return what would be decided on notes, one after another."""
        from tallystick.ledger.checking import check_notes
        from tallystick.publishing.recorded import find_recorded

        before = find_recorded(self._reader, notes)
        new = [note for number, note in enumerate(notes) if number not in before]
        decided = iter(check_notes(self._reader.state, new, self.clock()))
        return [
            _said(before[number], is_new=False) if number in before else _said(next(decided), is_new=True)
            for number in range(len(notes))
        ]

    def submit(self, notes: Sequence[bytes]) -> list[Answer]:
        """Record notes, or say why not, in order."""
        from tallystick.cli import answers, reading
        from tallystick.ledger.opening import open_ledger
        from tallystick.vouchers.refusals import Refusal

        key, next_key = reading.load_log_keys(self._source, None, None, None)
        guard = reading.clock_guard(self._source, self._log_time, accept_jump=False)
        with open_ledger(self._source, key, next_log_key=next_key, clock=self._clock, guard=guard) as ledger:
            return [
                Answer(answers.answered(answer), None if isinstance(answer, Refusal) else answer.receipt().to_bytes())
                for answer in ledger.submit(list(notes))
            ]

    def leave(self, note: bytes) -> "JsonObject | None":
        """Return None: a ledger keeps no note that isn't recorded."""
        return None

    def close(self) -> None:
        """Let go of the log."""
        self._open.close()

    @cached_property
    def _reader(self) -> "Reader":
        from tallystick.publishing.reader import read_ledger

        return self._open.enter_context(read_ledger(self._source))

    @cached_property
    def _state(self) -> "State":
        from tallystick.cli import output

        with output.progress("Reading the ledger") as progress:
            return self._reader.state(progress=progress)


def _said(answer: "Entry | Refusal", *, is_new: bool) -> "JsonObject":
    from tallystick.vouchers.entry import Entry
    from tallystick.wire.answers import recorded, refused

    return recorded(answer.event, is_new=is_new) if isinstance(answer, Entry) else refused(answer)


def open_place(profile: "Profile", keys: "Callable[[], Sequence[SigningKey]]", log_time: str | None = None) -> Place:
    """Return where a profile's commands go.

    Args:
        profile: names it.
        keys: opens the signing keys, for a service that asks for a login.
        log_time: the log's time instead of this machine's; at a service, when commands are signed.

    Raises:
        UsageError: it names no place, or one that can't be written.
    """
    from tallystick.cli import reading

    if profile.source is None:
        raise UsageError("where does this go? give --source, or write a profile with `tallystick init`")
    if profile.is_of_a_service:
        from tallystick.cli.place_of_service import ServicePlace

        return ServicePlace(profile, keys, log_time)
    return LedgerPlace(reading.ledger_of(profile.source), log_time)
