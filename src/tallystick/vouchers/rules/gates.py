"""Gates: what attesters must have said before an issue, a claim or a settlement.

What a programme's gates may be is checked when it opens, whether they are passed when the act is given, and never
later: docs/rules.md, "Gates".
"""

from collections.abc import Mapping
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
)
from tallystick.vouchers.quantities import PartyId, Word, ascending
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.reviews import Gate
from tallystick.vouchers.state import State


@dataclass(frozen=True)
class GateFields:
    """A gate as commands say it; what the fields mean: `Gate`."""

    __pydantic_config__ = CLOSED

    before: GatedAct
    subject_type: SubjectType
    topic: Word
    attesters: Annotated[tuple[PartyId, ...], Field(min_length=1, max_length=ATTESTERS_MAX), AfterValidator(ascending)]
    passes: Annotated[int, Field(ge=1, le=ATTESTERS_MAX)]

    def gate(self) -> Gate:
        """Return what the programme keeps of it."""
        return Gate(self.before, self.subject_type, self.topic, self.attesters, self.passes)


def _in_order(gates: tuple[GateFields, ...]) -> tuple[GateFields, ...]:
    """Return gates that are sorted, one for an act, a subject and a topic; ValueError of others."""
    places = [(gate.before, gate.subject_type, gate.topic) for gate in gates]
    if any(one >= other for one, other in pairwise(places)):
        raise ValueError("must be in ascending order of before, subject_type and topic, each once")
    return gates


Gates = Annotated[tuple[GateFields, ...], Field(min_length=1, max_length=GATES_MAX), AfterValidator(_in_order)]


def check_gates(state: State, gates: tuple[GateFields, ...], transfer: TransferPolicy, payee: Payee) -> Refusal | None:
    """Refuse gates that nobody could pass or anybody evade, and those of attesters that aren't there."""
    claimants: tuple[SubjectType, ...] = ("provider", "holder") if payee == "contract" else (payee,)
    possible: dict[GatedAct, tuple[SubjectType, ...]] = {
        "issue": ("application", "holder"),
        "claim": claimants,
        "settle": ("claim", *claimants),
    }
    for gate in gates:
        shown = f"before {gate.before}, {gate.topic} of {gate.subject_type}"
        if gate.subject_type not in possible[gate.before]:
            return Refusal(Reason.GATES_INVALID, f"{shown}: it is of {' or '.join(possible[gate.before])}")
        if gate.passes > len(gate.attesters):
            return Refusal(Reason.GATES_INVALID, f"{shown}: {gate.passes} must pass, of {len(gate.attesters)}")
        if gate.before == "issue" and transfer == "open":
            return Refusal(Reason.GATES_INVALID, f"{shown}: transfers are open")
    for attester in [name for gate in gates for name in gate.attesters]:
        party = state.parties.get(attester)
        if party is None or party.role != "attester":
            return Refusal(Reason.ATTESTER_UNKNOWN, attester)
    return None


def check_passed(
    state: State, programme: str, act: GatedAct, subjects: Mapping[SubjectType, str | None], at: int
) -> Refusal | None:
    """Refuse an act before which a gate of the programme isn't passed.

    Args:
        state: before it.
        programme: whose gates.
        act: which they stand before.
        subjects: the ids of what it is about, by type; a gate of another type isn't for this one (of a provider, where
            the holder claims).
        at: the log's time (microseconds).
    """
    for gate in state.programmes[programme].rules_at(at).gates:
        if gate.before != act or gate.subject_type not in subjects:
            continue
        subject = f"{gate.subject_type} {subjects[gate.subject_type]}"
        verdicts = [_verdict(state, subject, gate.topic, attester, at) for attester in gate.attesters]
        if "fail" in verdicts:
            attester = gate.attesters[verdicts.index("fail")]
            return Refusal(Reason.GATE_NOT_PASSED, f"{gate.topic} of {subject}: fail by {attester}")
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
