"""From a note's bytes to an entry, or to the reason why not: the same function for the writer and the auditor.

    (1) open the note: strict parse                                    read_note
    (2) read the command: canonical JSON, closed schema                read_note
    (3) decide it against the state, at a given time:                  admit
        reference, freshness, standing, signatures, then the rules
    (4) make the entry: header line and note, as bytes                 admit

Steps 1 and 2 need no state and signatures can be verified ahead, both in any thread or process; what was found then
(`SignedCommand.verdicts`) only saves `admit` the work. Nothing is changed: the caller evolves the state by the
entry's event once it is kept.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from tallystick.errors import CanonicalJsonError, MalformedError, NoteMalformedError
from tallystick.signing.algorithms import newest_edition
from tallystick.signing.note import NOTE_SIZE_MAX, Note
from tallystick.vouchers import editions
from tallystick.vouchers.authority import check_signatures, check_standing
from tallystick.vouchers.burns import Statement
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import parse_command
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.rule import Event, Rule
from tallystick.vouchers.state import Reference, State


class ForALog(Protocol):
    """What a note's text says: it names the log that it is for."""

    @property
    def log(self) -> str:
        """The origin of that log."""


Said = TypeVar("Said", bound=ForALog)


@dataclass(slots=True)
class SignedCommand:
    """A note that could be read, and what was found out about it ahead of the decision.

    Attributes:
        data: the note's bytes.
        note: its text and signature lines.
        command: its text, read.
        verdicts: by public key and signature, joined, whether the one is the other's over this text; what isn't here is
            verified when needed.
    """

    data: bytes
    note: Note
    command: Rule
    verdicts: dict[bytes, bool] = field(default_factory=dict)


def read_note(data: bytes, origin: str) -> SignedCommand | Refusal:
    """Open a note and read its command, as far as that needs no state.

    Args:
        data: the note's bytes, from anybody.
        origin: the log that it must be meant for.
    """
    if len(data) > NOTE_SIZE_MAX:
        return Refusal(Reason.NOTE_TOO_LARGE, f"{len(data)} bytes")
    opened = open_note(data, origin, parse_command)
    return opened if isinstance(opened, Refusal) else SignedCommand(data, *opened)


def open_note(data: bytes, origin: str, parse: Callable[[bytes], Said]) -> tuple[Note, Said] | Refusal:
    """Return a note and what its text says, or why it is none that this log takes.

    Args:
        data: the note's bytes, of a size that is taken.
        origin: the log that it must be meant for.
        parse: reads a text; raises CanonicalJsonError or MalformedError.
    """
    try:
        note = Note.from_bytes(data)
        said = parse(note.text)
    except NoteMalformedError as error:
        return Refusal(Reason.NOTE_MALFORMED, str(error))
    except CanonicalJsonError as error:
        return Refusal(Reason.COMMAND_NOT_CANONICAL, str(error))
    except MalformedError as error:
        return Refusal(Reason.COMMAND_MALFORMED, str(error))
    if said.log != origin:
        return Refusal(Reason.COMMAND_FOR_ANOTHER_LOG, f"it is for {said.log}, this is {origin}")
    return note, said


def admit(state: State, signed: SignedCommand, at: int) -> Entry | Refusal:
    """Decide a command against a state, and make the entry that it comes to.

    Args:
        state: as it is; nothing in it is changed.
        signed: from `read_note`.
        at: the log's time (microseconds), not before the state's.
    """
    command = signed.command
    text_sha256 = hashlib.sha256(signed.note.text).hexdigest()
    refusal = _check_signable(state, signed, text_sha256, at) or check_signatures(
        state, signed.note, command, at, signed.verdicts
    )
    if refusal is not None:
        return refusal
    outcome = command.decide(state, at)
    if isinstance(outcome, Refusal):
        return outcome
    entry = Entry.of(Event(state.size, at, command, outcome, text_sha256, signed.note.key_names), signed.data)
    if len(entry.data) > ENTRY_SIZE_MAX:
        return Refusal(Reason.ENTRY_TOO_LARGE, _too_large(command, len(entry.data)))
    return entry


def check_signable(state: State, signed: SignedCommand, at: int) -> Refusal | None:
    """Refuse a note that can't be recorded now, whoever signs it: for its reference, its time, or who gives it.

    Args:
        state: as it is.
        signed: from `read_note`.
        at: the log's time (microseconds).
    """
    return _check_signable(state, signed, hashlib.sha256(signed.note.text).hexdigest(), at)


def _check_signable(state: State, signed: SignedCommand, text_sha256: str, at: int) -> Refusal | None:
    return (
        check_algorithms(state, signed)
        or _check_reference(state, signed.command, text_sha256, at)
        or _check_time(state, signed.command, at)
        or check_standing(state, signed.command)
    )


def check_algorithms(state: State, signed: SignedCommand) -> Refusal | None:
    """Refuse a command that names an algorithm which came after the log's edition of the rules, as unreadable (2).

    A version without that algorithm could not read it either, and both come to the same entries and findings.

    Args:
        state: says which edition is in force.
        signed: from `read_note`.
    """
    command = signed.command
    if isinstance(command, NetworkFound):
        edition = command.edition
    elif state.network is not None:
        edition = state.network.edition
    else:
        return None
    if edition >= editions.EDITIONS[-1] or edition >= newest_edition():
        return None
    try:
        parse_command(signed.note.text, edition)
    except MalformedError as error:
        return Refusal(Reason.COMMAND_MALFORMED, str(error))
    return None


def _too_large(command: Rule, size: int) -> str:
    said = f"it would be {size} bytes; split the statement"
    if isinstance(command, TimeBurn):
        lines = len(list(command.lines()))
        said += f": of its {lines} lines about {lines * ENTRY_SIZE_MAX // size} fit"
    return said


def _check_reference(state: State, command: Rule, text_sha256: str, at: int) -> Refusal | None:
    """Refuse what can't come now, and what came before: the same text again, or another under the same reference."""
    if state.network is None:
        if isinstance(command, NetworkFound):
            return None
        return Refusal(Reason.NETWORK_NOT_FOUNDED)
    before: Reference | Statement | None = state.reference(command.party, command.ref, at)
    if before is None:
        # Statements are called by their reference, and remembered for longer than others are.
        before = state.statement(command.party, command.ref, at)
    if before is not None:
        if before.text_sha256 == text_sha256:
            return Refusal(Reason.ALREADY_RECORDED, f"entry {before.index}", index=before.index)
        detail = f"{command.ref} is entry {before.index}"
        return Refusal(Reason.REF_REUSED_FOR_OTHER_CONTENT, detail, index=before.index)
    if isinstance(command, NetworkFound):
        return Refusal(Reason.NETWORK_ALREADY_FOUNDED)
    return None


def _check_time(state: State, command: Rule, at: int) -> Refusal | None:
    """Refuse what was signed too far ahead of the log's time, or too far behind it."""
    if isinstance(command, NetworkFound):
        parameters = command.parameters()
    else:
        assert state.network is not None
        parameters = state.network.parameters
    not_before = command.signed_at - parameters.clock_skew_seconds * SECOND_US
    if at < not_before:
        detail = f"the log's time is {format_instant(at)}"
        return Refusal(Reason.SIGNED_IN_THE_FUTURE, detail, not_before=not_before)
    if command.signed_at < at - parameters.freshness_seconds * SECOND_US:
        return Refusal(Reason.SIGNED_TOO_LONG_AGO, f"the log's time is {format_instant(at)}")
    return None
