"""What an audit or the examination of a dossier can find is one closed list, in which every code says what it means.

A finding is a code, the index of the entry (or of the first entry concerned) where there is one, the reason if the
rules refuse what is recorded, and a detail for a person. The same words stand in code, reports, tests, docs/audit.md
and docs/dossiers.md. Findings are facts about the evidence: whose fault it is they don't say.

What a refusal names already has the refusal's name and meaning. The list is in order of precedence: of what is found
in a dossier, what comes first explains the rest.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from tallystick.coded_enum import CodedEnum
from tallystick.printing.text import one_line
from tallystick.vouchers.refusals import Reason, Refusal

FINDINGS_MAX: Final = 100
DETAIL_MAX: Final = 1_000


def _as_refused(reason: Reason) -> tuple[str, str]:
    return reason.value, reason.meaning


class FindingCode(CodedEnum):
    """What is wrong; `meaning` says it in a sentence."""

    STORE_DAMAGED = ("store_damaged", "the database is damaged, or a table or column is missing")
    CHECKPOINT_MISSING = ("checkpoint_missing", "there is no checkpoint, or one of the numbered series is gone")
    CHECKPOINT_MALFORMED = ("checkpoint_malformed", "a checkpoint is not a signed checkpoint in its canonical encoding")
    CHECKPOINT_SIGNATURE_INVALID = (
        "checkpoint_signature_invalid",
        "a checkpoint is not signed by a log that the policy names, or not by the keys that the entries say",
    )
    CHECKPOINT_QUORUM_MISSING = (
        "checkpoint_quorum_missing",
        "too few of the policy's witnesses cosigned the checkpoint",
    )
    CHECKPOINT_ROW_DIFFERS = (
        "checkpoint_row_differs",
        "a checkpoint's number or size is not what its note and its place say",
    )
    CHECKPOINT_ROOT_DIFFERS = (
        "checkpoint_root_differs",
        "an earlier checkpoint has another root than the tree had at its size",
    )
    HISTORY_REWRITTEN = (
        "history_rewritten",
        "the log doesn't continue a tree of it that was seen before: by an audit, a witness, a backup or an export",
    )
    RECEIPT_CONTRADICTED = (
        "receipt_contradicted",
        "a receipt that this log's key signed does not hold in it: the log was forked or cut back, or is an older copy",
    )
    COSIGNED_CHECKPOINT_CONTRADICTED = (
        "cosigned_checkpoint_contradicted",
        "the cosigned checkpoint beside the log is of a tree that the log does not begin with",
    )
    RECORDED_CHECKPOINT_CONTRADICTED = (
        "recorded_checkpoint_contradicted",
        "a checkpoint of the log that another log recorded does not hold in it: the log was forked or cut back, or is "
        "an older copy",
    )
    LOG_EMPTY = ("log_empty", "there is no entry, so no network was founded")
    COMMAND_FOR_ANOTHER_LOG = _as_refused(Reason.COMMAND_FOR_ANOTHER_LOG)
    PROOF_INVALID = ("proof_invalid", "an entry is not, at this index, in the tree of the checkpoint")
    SEAL_UNKNOWN = ("seal_unknown", "the entry named as a seal is not there, or is no seal")
    SEAL_STALE = ("seal_stale", "a leaf is of an older seal than it is given for, or there is a newer seal")
    SEAL_PROOF_INVALID = ("seal_proof_invalid", "a leaf is not in the tree that the seal committed to")
    ENTRY_LEFT_OUT = ("entry_left_out", "the closing seal counts entries of the account that are not here")
    ENTRY_NOT_COUNTED = ("entry_not_counted", "there are entries of the account that the closing seal does not count")
    ENTRY_MISSING = ("entry_missing", "an entry that the checkpoint counts is not there")
    ENTRY_BEYOND_CHECKPOINT = ("entry_beyond_checkpoint", "there is an entry that no checkpoint covers")
    ENTRY_MISPLACED = ("entry_misplaced", "a stored row belongs to no place of this log")
    ENTRY_MALFORMED = (
        "entry_malformed",
        "an entry is not a header line and a readable note in their canonical encoding",
    )
    INDEX_DIFFERS = ("index_differs", "an entry's header has another index than its place")
    ENTRY_MISDECLARED = (
        "entry_misdeclared",
        "an entry is given as the account's and does not touch it, or the other way round",
    )
    TIME_WENT_BACKWARDS = ("time_went_backwards", "an entry's time lies before that of the entry before it")
    KIND_DIFFERS = ("kind_differs", "an entry's header has another kind than its command leads to")
    TOPIC_DIFFERS = ("topic_differs", "the store files an entry under another kind than its own")
    KEY_UNKNOWN = _as_refused(Reason.KEY_UNKNOWN)
    SIGNATURE_INVALID = _as_refused(Reason.SIGNATURE_INVALID)
    KEY_REVOKED = _as_refused(Reason.KEY_REVOKED)
    KEY_NOT_ACTIVE_YET = _as_refused(Reason.KEY_NOT_ACTIVE_YET)
    KEY_NOT_FOR_THIS_COMMAND = _as_refused(Reason.KEY_NOT_FOR_THIS_COMMAND)
    SIGNER_NOT_INVOLVED = _as_refused(Reason.SIGNER_NOT_INVOLVED)
    SIGNATURES_MISSING = _as_refused(Reason.SIGNATURES_MISSING)
    DEPENDENCY_MISSING = ("dependency_missing", "something that an entry was decided by is not here")
    DECISION_REFUSED = ("decision_refused", "decided anew, the command is refused, and yet it is an entry")
    OUTCOME_DIFFERS = ("outcome_differs", "decided anew, the command comes to another outcome than the entry says")
    BALANCE_DIFFERS = ("balance_differs", "the entries come to other balances than the closing seal holds")
    REPLAY_STOPPED = (
        "replay_stopped",
        "from this entry on nothing can be decided anew; form, hashes and tree are still checked",
    )
    CONSERVATION_BROKEN = (
        "conservation_broken",
        "a programme's money does not add up to its envelope, what too few officers signed passes the threshold, or "
        "what was issued for an application is not what was asked for",
    )
    LEAF_DIFFERS = ("leaf_differs", "an entry's bytes don't have the hash that the tree holds in its place")
    TREE_DIFFERS = (
        "tree_differs",
        "the stored tree lacks a hash, has one too many, or one that is not over those below it",
    )
    ROOT_DIFFERS = ("root_differs", "the tree rebuilt from the entries has another root than the newest checkpoint")
    REFERENCE_INDEX_DIFFERS = ("reference_index_differs", "the index of references is not what the entries say")
    TILE_MISSING = ("tile_missing", "a tile or an entry bundle that the checkpoint implies is not there")
    TILE_MALFORMED = ("tile_malformed", "a tile or an entry bundle has not the length or form that it must have")
    TILE_DIFFERS = ("tile_differs", "a tile holds a hash that is not over those below it")
    STATE_DIFFERS = (
        "state_differs",
        "a saved state beside an export is not what the entries up to there come to",
    )
    DOCUMENT_IN_TWO_LOGS = ("document_in_two_logs", "one document is a contract or an invoice in two logs")
    JOB_TIME_IN_TWO_LOGS = ("job_time_in_two_logs", "a moment of a provider's job is burned on one item in two logs")
    PAYMENT_IN_TWO_LOGS = ("payment_in_two_logs", "a treasury used one payment reference in two logs")
    VOUCHER_IN_TWO_LOGS = ("voucher_in_two_logs", "a voucher from before the logs was brought into two of them")
    CAP_EXCEEDED_TOGETHER = (
        "cap_exceeded_together",
        "a treasury granted a holder more in all logs together than its cap allows in one",
    )
    PARTY_IN_TWO_ROLES = ("party_in_two_roles", "a party is a provider in one log and a holder in another")
    KEY_OF_TWO_PARTIES = (
        "key_of_two_parties",
        "one key is of parties with different unified social credit codes in two logs",
    )
    FINDINGS_CUT = ("findings_cut", "there are more findings of a code than are listed")


_UNREADABLE: Final = frozenset(
    {Reason.NOTE_TOO_LARGE, Reason.NOTE_MALFORMED, Reason.COMMAND_NOT_CANONICAL, Reason.COMMAND_MALFORMED}
)


def code_of(reason: Reason) -> FindingCode:
    """Return what is found where an entry records what the rules refuse for this reason."""
    if reason in _UNREADABLE:
        return FindingCode.ENTRY_MALFORMED
    return _AS_REFUSED.get(reason, FindingCode.DECISION_REFUSED)


_AS_REFUSED: Final = {
    Reason.from_code(code): code for code in FindingCode if code.value in {reason.value for reason in Reason}
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: of the closed list.
        index: the entry's, or None if it concerns no one entry.
        reason: for which the rules refuse what the entry records, if that is what is wrong.
        detail: for a person; no program reads it.
    """

    code: FindingCode
    index: int | None
    reason: Reason | None
    detail: str

    def __str__(self) -> str:
        """One line for a person."""
        place = "" if self.index is None else f" at entry {self.index}"
        reason = "" if self.reason is None or self.reason.value == self.code.value else f"{self.reason.value}: "
        return f"{self.code.value}{place}: {reason}{self.detail or self.code.meaning}"


class Findings:
    """What was found so far; of one code, what is beyond `FINDINGS_MAX` is only counted, so ruins fit into memory.

    So no damage is named so often that something else isn't named at all.
    """

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._seen: set[Finding] = set()
        self._listed: Counter[FindingCode] = Counter()
        self._cut = 0

    def add(self, code: FindingCode, index: int | None, detail: str, reason: Reason | None = None) -> None:
        """Note a finding, once."""
        self.take(Finding(code, index, reason, one_line(detail)[:DETAIL_MAX]))  # it may quote what a stranger wrote

    def take(self, finding: Finding) -> None:
        """Note a finding that was made elsewhere, once."""
        code = finding.code
        if finding in self._seen:
            return
        if self._listed[code] == FINDINGS_MAX:
            self._cut += 1
            return
        self._listed[code] += 1
        self._seen.add(finding)
        self._findings.append(finding)

    def add_refusal(self, index: int, refusal: Refusal, code: FindingCode | None = None) -> None:
        """Note that an entry records what the rules refuse, under the code of the reason or another."""
        reason = refusal.reason
        self.add(code or code_of(reason), index, refusal.detail or reason.meaning, reason)

    def are_only(self, code: FindingCode) -> bool:
        """Return whether nothing was found but what has this code."""
        return self._listed.keys() <= {code}

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self._findings)

    def by_entry(self) -> tuple[Finding, ...]:
        """Return first what concerns the source as a whole, then by entry, then what is of no entry.

        Within each they are in the order of discovery.
        """
        return self._in_order(sorted(self._findings, key=_place))

    def by_precedence(self) -> tuple[Finding, ...]:
        """Return them in the order of the list, and of one code by entry."""
        return self._in_order(sorted(self._findings, key=lambda one: (_PRECEDENCE[one.code], one.index or 0)))

    def _in_order(self, ordered: list[Finding]) -> tuple[Finding, ...]:
        if self._cut:
            ordered.append(Finding(FindingCode.FINDINGS_CUT, None, None, f"{self._cut} more"))
        return tuple(ordered)


_PRECEDENCE: Final = {code: place for place, code in enumerate(FindingCode)}

_OF_THE_SOURCE: Final = frozenset(
    {
        FindingCode.STORE_DAMAGED,
        FindingCode.CHECKPOINT_MISSING,
        FindingCode.CHECKPOINT_MALFORMED,
        FindingCode.CHECKPOINT_SIGNATURE_INVALID,
        FindingCode.CHECKPOINT_QUORUM_MISSING,
        FindingCode.HISTORY_REWRITTEN,
        FindingCode.LOG_EMPTY,
    }
)
"""What others follow from: an export without its checkpoint has no size, so nothing that it lacks can be told."""


def _place(finding: Finding) -> tuple[int, int]:
    if finding.index is not None:
        return 1, finding.index
    return (0 if finding.code in _OF_THE_SOURCE else 2), 0
