"""A ledger's folder or database on this machine as the place where commands go: nothing in it is hidden."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from tallystick.cli.places import Answer
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.cli.lookups import Candidate
    from tallystick.publishing import Reader
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import WritableSource
    from tallystick.usage.logs import ProviderLog
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.refusals import Refusal
    from tallystick.vouchers.state import State
    from tallystick.wire import JsonObject


class LedgerPlace:
    """A ledger's folder or database on this machine."""

    def __init__(self, source: "WritableSource", log_time: str | None, log_key: "SigningKey | None" = None) -> None:
        """Open the log for reading.

        Args:
            source: where it is.
            log_time: the log's time instead of this machine's.
            log_key: signs checkpoints; None for the one that the ledger's settings name.

        Raises:
            NotALedgerError: there is none, or it can't be read.
            UsageError: not a time.
        """
        from tallystick.cli import reading

        self._source = source
        self._log_time = log_time
        self._log_key = log_key
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

        key, next_key = self._log_key, None
        if key is None:
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

    def waiting(self, name: str) -> bytes:
        """Refuse: a ledger keeps no note that isn't recorded.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{name} can't wait here: notes wait at a service, and this is a ledger")

    def provider_log(self) -> "ProviderLog":
        """Return the log, as it was when it was first asked."""
        from tallystick.usage.logs import LogHere

        return LogHere(self._reader)

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
