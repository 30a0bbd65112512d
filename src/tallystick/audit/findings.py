"""What an audit can find is one closed list, in which every code says what it means and whether an entry can be named.

A finding is a code, the index of the entry (or of the first entry concerned) where there is one, and a detail for a
person. The same words stand in code, reports, tests and docs/audit.md. Findings are facts about the evidence: whose
fault it is they don't say.
"""

from dataclasses import dataclass
from typing import Final

from tallystick.coded_enum import CodedEnum
from tallystick.printing.text import one_line

FINDINGS_MAX: Final = 100
DETAIL_MAX: Final = 1_000


class FindingCode(CodedEnum):
    """What is wrong; `meaning` says it in a sentence."""

    STORE_DAMAGED = ("store_damaged", "the database is damaged, or a table or column is missing")
    CHECKPOINT_MISSING = ("checkpoint_missing", "there is no checkpoint, or one of the numbered series is gone")
    CHECKPOINT_MALFORMED = ("checkpoint_malformed", "a checkpoint is not a signed checkpoint in its one spelling")
    CHECKPOINT_SIGNATURE_INVALID = (
        "checkpoint_signature_invalid",
        "a checkpoint is not signed by the log that the policy names",
    )
    CHECKPOINT_QUORUM_MISSING = (
        "checkpoint_quorum_missing",
        "too few of the policy's witnesses cosigned the newest checkpoint",
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
        "the log's newest checkpoint doesn't go on from the tree that an earlier audit confirmed",
    )
    RECEIPT_CONTRADICTED = (
        "receipt_contradicted",
        "a receipt that this log's key signed does not hold in it: the log was forked or cut back, or is an older copy",
    )
    COSIGNED_CHECKPOINT_CONTRADICTED = (
        "cosigned_checkpoint_contradicted",
        "the cosigned checkpoint beside the log is of a tree that the log does not begin with",
    )
    LOG_EMPTY = ("log_empty", "there is no entry, so no network was founded")
    ENTRY_MISSING = ("entry_missing", "an entry that the checkpoint counts is not there")
    ENTRY_BEYOND_CHECKPOINT = ("entry_beyond_checkpoint", "there is an entry that no checkpoint covers")
    ENTRY_MISPLACED = ("entry_misplaced", "a stored row belongs to no place of this log")
    ENTRY_MALFORMED = ("entry_malformed", "an entry is not a header line and a readable note in their one spelling")
    INDEX_DIFFERS = ("index_differs", "an entry's header has another index than its place")
    TIME_WENT_BACKWARDS = ("time_went_backwards", "an entry's time lies before that of the entry before it")
    KIND_DIFFERS = ("kind_differs", "an entry's header has another kind than its command leads to")
    TOPIC_DIFFERS = ("topic_differs", "the store files an entry under another kind than its own")
    SIGNATURE_INVALID = ("signature_invalid", "a signature is not that key's over this text")
    SIGNATURE_BY_UNKNOWN_KEY = ("signature_by_unknown_key", "a signature is by a key that the log did not know then")
    SIGNATURE_BY_REVOKED_KEY = ("signature_by_revoked_key", "a signature is by a key that was revoked before")
    SIGNATURE_NOT_ASKED_FOR = ("signature_not_asked_for", "a signature is by a party that had no part in the command")
    SIGNATURE_MISSING = ("signature_missing", "fewer signatures than the command needs")
    DECISION_REFUSED = ("decision_refused", "decided anew, the command is refused, and yet it is an entry")
    OUTCOME_DIFFERS = ("outcome_differs", "decided anew, the command comes to another outcome than the entry says")
    REPLAY_STOPPED = (
        "replay_stopped",
        "from this entry on nothing can be decided anew; form, hashes and tree are still checked",
    )
    CONSERVATION_BROKEN = ("conservation_broken", "a programme's money does not add up to its envelope")
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
    FINDINGS_CUT = ("findings_cut", "there are more findings than a report lists")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `index` is the entry's, or None if it concerns no one entry."""

    code: FindingCode
    index: int | None
    detail: str

    def __str__(self) -> str:
        """One line for a person."""
        place = "" if self.index is None else f" at entry {self.index}"
        return f"{self.code.value}{place}: {self.detail or self.code.meaning}"


class Findings:
    """The findings of one audit so far; beyond `FINDINGS_MAX` they are only counted, so that ruins fit into memory."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._seen: set[Finding] = set()
        self._cut = 0

    def add(self, code: FindingCode, index: int | None, detail: str) -> None:
        """Note a finding, once."""
        finding = Finding(code, index, one_line(detail)[:DETAIL_MAX])  # it may quote what a stranger wrote
        if finding in self._seen:
            return
        if len(self._findings) == FINDINGS_MAX:
            self._cut += 1
            return
        self._seen.add(finding)
        self._findings.append(finding)

    def in_order(self) -> tuple[Finding, ...]:
        """Return first what concerns the source as a whole, then by entry, then what is of no entry.

        Within each they are in the order of discovery.
        """
        ordered = sorted(self._findings, key=_place)
        if self._cut:
            ordered.append(Finding(FindingCode.FINDINGS_CUT, None, f"{self._cut} more"))
        return tuple(ordered)


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
