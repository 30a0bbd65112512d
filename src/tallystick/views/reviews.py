"""What was applied for, what reviewers said of anything, and which gates that passes.

A verdict stands while it is the newest of its attester on its subject and topic, nothing has ended it, it is valid, and
its attester isn't suspended. Whether it stands is worked out when it is asked for, by the log's time of the last entry
followed; so is whether a gate is passed, by the rules in force then (docs/rules.md, "Gates").
"""

from dataclasses import asdict, dataclass
from typing import ClassVar, Final

from tallystick.forms.rules_in_words import gate_in_words
from tallystick.views.balances import PARTIES, log_time
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_rules import rules_at
from tallystick.views.view_tables import IndexKey, Key, Table
from tallystick.vouchers.fields import GatedAct
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.reviews import Gate
from tallystick.vouchers.rules.applications import ApplicationWithdraw
from tallystick.vouchers.rules.attestations import AttestationGive
from tallystick.vouchers.rules.contracts import ContractAmend
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict as an entry gave it; what it says, `ToldVerdict` says."""

    subject: Key
    entry_index: IndexKey
    at: int
    topic: str
    attester: str
    verdict: str
    reason: str
    valid_until: str


@dataclass(frozen=True, slots=True)
class VerdictsEnd:
    """An entry that ended all verdicts on a subject that came before it."""

    subject: Key
    entry_index: IndexKey


@dataclass(frozen=True, slots=True)
class ToldVerdict:
    """A verdict on something, in the order of the log.

    Attributes:
        index, at: of the entry.
        topic: what it is about, for example `authenticity`.
        attester: who gave it.
        verdict: `pass` or `fail`.
        reason: why, in the attester's words.
        valid_until: from when on it says nothing any more.
        standing: `stands`, `replaced` by a newer one, `ended` by an amendment or a withdrawal, `over`, or `suspended`,
            as its attester is.
    """

    index: int
    at: str
    topic: str
    attester: str
    verdict: str
    reason: str
    valid_until: str
    standing: str


@dataclass(frozen=True, slots=True)
class GateStanding:
    """A gate of a programme, as it stands for one subject.

    Attributes:
        before: the act that it stands before: `issue`, `claim` or `settle`.
        subject: what must pass, for example `application acme/a1`; empty if none is named.
        topic: on what.
        attesters: who may pass it.
        passes: how many of them have.
        asked: how many must.
        passed: whether it is passed.
        missing: what is, if it isn't.
    """

    before: str
    subject: str
    topic: str
    attesters: tuple[str, ...]
    passes: int
    asked: int
    passed: bool
    missing: str


VERDICTS: Final = Table("verdicts", VerdictRow)
VERDICTS_ENDS: Final = Table("verdicts_ends", VerdictsEnd)


class Verdicts:
    """What a batch of entries adds to verdicts."""

    commands: ClassVar[Commands] = (AttestationGive, ContractAmend, ApplicationWithdraw)

    def __init__(self) -> None:
        self._verdicts: list[VerdictRow] = []
        self._ends: list[VerdictsEnd] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        match event.command:
            case AttestationGive() as command:
                what = (command.topic, command.party, command.verdict, command.reason)
                row = VerdictRow(command.subject, event.index, event.at, *what, format_instant(command.valid_until))
                self._verdicts.append(row)
            case ContractAmend() as command:
                self._add_end(f"contract {command.contract}", change)
            case ApplicationWithdraw() as command:
                self._add_end(f"application {command.application}", change)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        VERDICTS.insert(c, self._verdicts)
        VERDICTS_ENDS.insert(c, self._ends)

    def _add_end(self, subject: str, change: Change) -> None:
        if subject not in change.state.attestations:  # an early end of a contract ends no verdicts
            self._ends.append(VerdictsEnd(subject, change.event.index))


# -- questions --------------------------------------------------------------------------------------------------------


def verdicts_on(c: SQLiteCursor, subject: str) -> tuple[ToldVerdict, ...]:
    """Return all verdicts that were ever given on a subject (`<type> <id>`), in the order of the log."""
    now = log_time(c)
    rows = VERDICTS.rows(c, subject=subject)
    ended = max((one.entry_index for one in VERDICTS_ENDS.rows(c, subject=subject)), default=-1)
    newest = {(row.topic, row.attester): row.entry_index for row in rows}
    return tuple(_told(c, row, ended, newest[row.topic, row.attester], now) for row in rows)


def _told(c: SQLiteCursor, row: VerdictRow, ended: int, newest: int, now: str) -> ToldVerdict:
    if row.entry_index < newest:
        standing = "replaced"
    elif row.entry_index < ended:
        standing = "ended"
    elif row.valid_until <= now:
        standing = "over"
    else:
        is_suspended = any(one.suspended for one in PARTIES.rows(c, party=row.attester))
        standing = "suspended" if is_suspended else "stands"
    return ToldVerdict(
        row.entry_index,
        format_instant(row.at),
        row.topic,
        row.attester,
        row.verdict,
        row.reason,
        row.valid_until,
        standing,
    )


def gates_before(
    c: SQLiteCursor, programme: str, act: GatedAct, subjects: dict[str, list[str]], other_side: dict[str, str]
) -> tuple[GateStanding, ...]:
    """Return the gates that a programme's rules have now before an act, as they stand.

    Args:
        c: reads the views.
        programme: whose gates.
        act: before which they stand.
        subjects: by type, the ids of what the act is about.
        other_side: by contract, the side whose verdict is asked for where a gate asks for the other side's.
    """
    gates = [one for one in rules_at(c, programme, log_time(c)).gates if one.before == act]
    return tuple(
        standing
        for gate in gates
        for standing in (
            [_standing(c, gate, subject, other_side) for subject in subjects.get(gate.subject_type, ())]
            or ([_unnamed(gate)] if gate.subject_type in ("application", "contract") and act == "issue" else [])
        )
    )


def _standing(c: SQLiteCursor, gate: Gate, subject_id: str, other_side: dict[str, str]) -> GateStanding:
    subject = f"{gate.subject_type} {subject_id}"
    attesters = (other_side[subject_id],) if gate.other_side else gate.attesters
    verdicts = {
        one.attester: one.verdict
        for one in verdicts_on(c, subject)
        if one.topic == gate.topic and one.standing == "stands" and one.attester in attesters
    }
    failed = [one for one in attesters if verdicts.get(one) == "fail"]
    passes = list(verdicts.values()).count("pass")
    missing = ""
    if failed:
        missing = f"failed by {', '.join(failed)}"
    elif passes < gate.passes:
        open_ = [one for one in attesters if one not in verdicts]
        missing = f"{gate.passes - passes} more of {', '.join(open_)}"
    return GateStanding(
        gate.before, subject, gate.topic, attesters, passes, gate.passes, passed=not missing, missing=missing
    )


def _unnamed(gate: Gate) -> GateStanding:
    """Return a gate whose subject isn't named yet."""
    missing = f"no {gate.subject_type} is named: {gate_in_words(asdict(gate))}"
    return GateStanding(gate.before, "", gate.topic, gate.attesters, 0, gate.passes, passed=False, missing=missing)
