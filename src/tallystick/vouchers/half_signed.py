"""A note that waits for more signatures: which of its lines count, and what is missing.

Nothing is decided here and nothing is recorded. What counts is what `authority.check_signatures` would count; a line
that it would refuse is named with that reason, so that it can be left out.
"""

from collections import Counter
from dataclasses import dataclass

from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, Signature
from tallystick.vouchers.admit import SignedCommand, check_signable
from tallystick.vouchers.authority import check_signatures
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class MissingSignatures:
    """How many signatures are missing of a party; of a key that must sign itself, that one, by its label."""

    party: str
    count: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class HalfSigned:
    """How far a note is.

    Attributes:
        note: its text, with the lines that count alone.
        missing: what has to be added; nothing once it can be submitted.
        signers: the parties whose signatures it needs, and how many of each.
        signed_by: those of them that have signed; a key that the command brings is nobody's yet.
        refused: the first reason against each line that counts nothing.
        stale_at: from when on it is too old to be recorded (microseconds).
    """

    note: Note
    missing: tuple[MissingSignatures, ...]
    signers: dict[str, int]
    signed_by: tuple[str, ...]
    refused: tuple[Refusal, ...]
    stale_at: int


def judge(state: State, signed: SignedCommand, at: int) -> HalfSigned | Refusal:
    """Return how far a note is, or why it can't be recorded whoever else signs it.

    A note whose signatures are complete is decided too: one that is refused for good waits for nothing.

    Args:
        state: as it is; nothing in it is changed.
        signed: from `read_note`; lines whose verdicts it has aren't verified again.
        at: the log's time (microseconds), not before the state's.
    """
    command = signed.command
    refusal = check_signable(state, signed, at)
    if refusal is not None:
        return refusal
    counted: list[Signature] = []
    refused: list[Refusal] = []
    for line in signed.note.signatures:
        against = check_signatures(state, Note(signed.note.text, (line,)), command, at, signed.verdicts)
        if against is None or against.reason is Reason.SIGNATURES_MISSING:
            counted.append(line)
        else:
            refused.append(against)
    signers = command.signers(state, at)
    brought = [VerifierKey.from_text(vkey).label for vkey in command.brings()]
    signed_by = [state.keys[line.label].party for line in counted if line.label not in brought]
    missing = _missing(command, signers, Counter(signed_by), brought, {line.label for line in counted})
    if not missing:
        outcome = command.decide(state, at)
        if isinstance(outcome, Refusal) and not outcome.reason.transient:
            return outcome
    note = Note(signed.note.text, tuple(counted))
    stale_at = command.signed_at + _freshness_us(state) + 1
    return HalfSigned(note, missing, signers, tuple(dict.fromkeys(signed_by)), tuple(refused), stale_at)


def _missing(
    command: Rule, signers: dict[str, int], signed_by: Counter[str], brought: list[str], labels: set[str]
) -> tuple[MissingSignatures, ...]:
    by_party = [MissingSignatures(party, count - signed_by[party]) for party, count in signers.items()]
    replaced = command.replaces()
    themselves = [*([] if replaced is None else [replaced]), *brought]
    by_key = [MissingSignatures(label.partition("/")[0], 1, label) for label in themselves if label not in labels]
    return tuple([one for one in by_party if one.count > 0] + by_key)


def _freshness_us(state: State) -> int:
    return state.network.parameters.freshness_seconds * SECOND_US if state.network else 0
