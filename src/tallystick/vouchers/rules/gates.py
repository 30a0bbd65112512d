"""Gates: what attesters must have said before an issue, a claim or a settlement.

What a programme's gates may be is checked when it opens, whether they are passed when the act is given, and never
later: docs/rules.md, "Gates".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from tallystick.vouchers.fields import (
    ATTESTERS_MAX,
    CLOSED,
    GATES_MAX,
    GatedAct,
    Payee,
    SubjectType,
    TransferPolicy,
    must_be_true,
)
from tallystick.vouchers.quantities import PartyId, Word, ascending
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.reviews import Gate
from tallystick.vouchers.state import State

Attesters = Annotated[tuple[PartyId, ...], Field(min_length=1, max_length=ATTESTERS_MAX), AfterValidator(ascending)]


@dataclass(frozen=True)
class GateFields:
    """A gate as commands say it; what the fields mean: `Gate`."""

    __pydantic_config__ = CLOSED

    before: GatedAct
    subject_type: SubjectType
    topic: Word
    passes: Annotated[int, Field(ge=1, le=ATTESTERS_MAX)]
    attesters: Attesters | None = None
    other_side: Annotated[bool, AfterValidator(must_be_true)] | None = None

    def gate(self) -> Gate:
        """Return what the programme keeps of it."""
        return Gate(
            self.before, self.subject_type, self.topic, self.attesters or (), self.passes, self.other_side is True
        )


def _in_order(gates: tuple[GateFields, ...]) -> tuple[GateFields, ...]:
    """Return gates that are sorted, one for an act, a subject and a topic; ValueError of others."""
    if any((gate.attesters is None) == (gate.other_side is None) for gate in gates):
        raise ValueError("must have attesters or other_side, and not both")
    places = [(gate.before, gate.subject_type, gate.topic) for gate in gates]
    if any(one >= other for one, other in pairwise(places)):
        raise ValueError("must be in ascending order of before, subject_type and topic, each once")
    return gates


Gates = Annotated[tuple[GateFields, ...], Field(min_length=1, max_length=GATES_MAX), AfterValidator(_in_order)]


def check_gates(state: State, gates: tuple[GateFields, ...], transfer: TransferPolicy, payee: Payee) -> Refusal | None:
    """Refuse gates that nobody could pass or anybody evade, and those of attesters that aren't there."""
    claimants: tuple[SubjectType, ...] = ("provider", "holder") if payee == "contract" else (payee,)
    possible: dict[GatedAct, tuple[SubjectType, ...]] = {
        "issue": ("application", "contract", "holder"),
        "claim": claimants,
        "settle": ("claim", "contract", *claimants),
    }
    for gate in gates:
        shown = f"before {gate.before}, {gate.topic} of {gate.subject_type}"
        if gate.subject_type not in possible[gate.before]:
            return Refusal(Reason.GATES_INVALID, f"{shown}: it is of {' or '.join(possible[gate.before])}")
        count = 1 if gate.attesters is None else len(gate.attesters)
        if gate.passes > count:
            return Refusal(Reason.GATES_INVALID, f"{shown}: {gate.passes} must pass, of {count}")
        if gate.other_side and gate.subject_type != "contract":
            return Refusal(Reason.GATES_INVALID, f"{shown}: only a contract has another side")
        if gate.before == "issue" and transfer == "open":
            return Refusal(Reason.GATES_INVALID, f"{shown}: transfers are open")
    for attester in [name for gate in gates for name in gate.attesters or ()]:
        party = state.admitted(attester)
        if party is None or party.role != "attester":
            return Refusal(Reason.ATTESTER_UNKNOWN, attester)
    return None


def check_passed(
    state: State, programme: str, act: GatedAct, party: str, subjects: Mapping[SubjectType, Sequence[str]], at: int
) -> Refusal | None:
    """Refuse an act before which a gate of the programme isn't passed.

    Args:
        state: before it.
        programme: whose gates.
        act: which they stand before.
        party: whom it is for: the holder of an issue, or the claimant.
        subjects: the ids of what it is about, by type: each must pass. A gate of another type isn't for this one (of a
            provider, where the holder claims).
        at: the log's time (microseconds).
    """
    for gate in state.programmes[programme].rules_at(at).gates:
        if gate.before == act:
            for subject_id in subjects.get(gate.subject_type, ()):
                refusal = _check_gate(state, gate, subject_id, party, at)
                if refusal:
                    return refusal
    return None


def _check_gate(state: State, gate: Gate, subject_id: str, party: str, at: int) -> Refusal | None:
    subject = f"{gate.subject_type} {subject_id}"
    attesters = [state.contracts[subject_id].other_side(party)] if gate.other_side else gate.attesters
    verdicts = [_verdict(state, subject, gate.topic, attester, at) for attester in attesters]
    if "fail" in verdicts:
        return Refusal(
            Reason.GATE_NOT_PASSED, f"{gate.topic} of {subject}: fail by {attesters[verdicts.index('fail')]}"
        )
    passes = verdicts.count("pass")
    if passes < gate.passes:
        return Refusal(Reason.GATE_NOT_PASSED, f"{gate.topic} of {subject}: {passes} of {gate.passes} passes")
    return None


def _verdict(state: State, subject: str, topic: str, attester: str, at: int) -> str | None:
    """Return the standing verdict of an attester, if it has one."""
    attestation = state.attestations.get(subject, {}).get(topic, {}).get(attester)
    if attestation is None or attestation.valid_until <= at or state.parties[attester].suspended:
        return None
    return attestation.verdict
