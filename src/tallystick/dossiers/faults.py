"""What can be wrong with a dossier is one closed list, in order of precedence: what comes first explains the rest.

The same words stand in code, answers, tests and docs/dossiers.md.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from tallystick.coded_enum import CodedEnum

FAULTS_MAX: Final = 100


class FaultCode(CodedEnum):
    """What is wrong; `meaning` says it in a sentence."""

    CHECKPOINT_SIGNATURE_INVALID = (
        "checkpoint_signature_invalid",
        "the checkpoint is not signed by a log that the policy names",
    )
    CHECKPOINT_QUORUM_MISSING = (
        "checkpoint_quorum_missing",
        "too few of the policy's witnesses cosigned the checkpoint",
    )
    ENTRY_OF_ANOTHER_LOG = ("entry_of_another_log", "an entry was written for another log")
    PROOF_INVALID = ("proof_invalid", "an entry is not, at this index, in the tree of the checkpoint")
    SEAL_UNKNOWN = ("seal_unknown", "the entry named as a seal is not there, or is no seal")
    SEAL_STALE = ("seal_stale", "a leaf is of an older seal than it is given for, or there is a newer seal")
    SEAL_PROOF_INVALID = ("seal_proof_invalid", "a leaf is not in the tree that the seal committed to")
    ENTRY_LEFT_OUT = ("entry_left_out", "the closing seal counts entries of the account that are not here")
    ENTRY_NOT_COUNTED = ("entry_not_counted", "there are entries of the account that the closing seal does not count")
    ENTRY_MALFORMED = ("entry_malformed", "an entry is not a header line and a readable note in their one spelling")
    INDEX_DIFFERS = ("index_differs", "an entry's header has another index than its place")
    ENTRY_MISDECLARED = (
        "entry_misdeclared",
        "an entry is given as the account's and does not touch it, or the other way round",
    )
    SIGNATURE_INVALID = ("signature_invalid", "a signature is not that key's over this text")
    DEPENDENCY_MISSING = ("dependency_missing", "something that an entry was decided by is not here")
    DECISION_REFUSED = ("decision_refused", "decided anew, the command is refused, and yet it is an entry")
    OUTCOME_DIFFERS = ("outcome_differs", "decided anew, the command comes to another outcome than the entry says")
    BALANCE_DIFFERS = ("balance_differs", "the entries come to other balances than the closing seal holds")
    FAULTS_CUT = ("faults_cut", "there are more faults than are listed")


_PRECEDENCE: Final = {code: place for place, code in enumerate(FaultCode)}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; `index` is the entry's, or None if it concerns no one entry."""

    code: FaultCode
    index: int | None
    detail: str

    def __str__(self) -> str:
        """One line for a person."""
        place = "" if self.index is None else f" at entry {self.index}"
        return f"{self.code.value}{place}: {self.detail or self.code.meaning}"


class Faults:
    """The faults found so far; of one code, those beyond `FAULTS_MAX` are only counted."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._count: Counter[FaultCode] = Counter()

    def add(self, code: FaultCode, index: int | None, detail: str) -> None:
        """Note a fault."""
        self._count[code] += 1
        if self._count[code] <= FAULTS_MAX:
            self._faults.append(Fault(code, index, detail.encode(errors="backslashreplace").decode()))

    def __bool__(self) -> bool:
        return bool(self._faults)

    def in_order(self) -> tuple[Fault, ...]:
        """Return them by precedence, and then by entry."""
        ordered = sorted(self._faults, key=lambda fault: (_PRECEDENCE[fault.code], fault.index or 0))
        cut = self._count.total() - len(ordered)
        if cut:
            ordered.append(Fault(FaultCode.FAULTS_CUT, None, f"{cut} more"))
        return tuple(ordered)
