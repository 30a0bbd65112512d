"""Whether a log was made by rules that this version knows: asked of entry 0, before anything of the log is judged.

An edition that isn't known ends the audit with nothing said about the log. So a forged number must not be enough:

    the newest checkpoint     is accepted by the policy
    entry 0                   is leaf 0 of its tree, by the stored hashes; names this log; is signed by its root quorum
    what was given before     receipts, a cosigned checkpoint: the newest one contradicts none

An edition that is adopted later on is met in the replay, by its state (replay.py).

If one of these fails, the log is audited by the rules that are known, and entry 0 is a finding. An audit that goes on
from an earlier one reads no entry 0: the state that was saved says which edition it is.
Why: docs/decisions/0042-rules-have-an-edition.md.
"""

from collections.abc import Iterable

from tallystick.audit.evidence import Evidence
from tallystick.audit.joining import tile_reader
from tallystick.audit.prior_checkpoints import PriorCheckpoint, PriorCheckpoints
from tallystick.errors import MalformedError, VerificationError
from tallystick.findings import FindingCode, Findings
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.proofs import inclusion_proof, verify_inclusion
from tallystick.vouchers.editions import Adoption, Founding


def require_known_edition(newest: Checkpoint | None, told: Iterable[PriorCheckpoint], evidence: Evidence) -> None:
    """Refuse to judge a log whose entry 0 names rules that this version doesn't know.

    Args:
        newest: the newest checkpoint, if the policy accepts it.
        told: what the log signed before.
        evidence: where entry 0 and the hashes are.

    Raises:
        EditionUnknownError: it does, and it is really this log's entry 0.
    """
    if newest is None or newest.size == 0:
        return
    entry = evidence.first_entry(newest.origin, newest.size)
    founding = None if entry is None else Founding.from_entry(entry)
    if entry is None or founding is None or founding.is_known or founding.log != newest.origin:
        return
    try:
        proof = inclusion_proof(0, newest.size, tile_reader(newest.size, evidence))
        verify_inclusion(0, newest.size, leaf_hash(entry), proof, newest.root)
        founding.verify()
    except (MalformedError, VerificationError):
        return  # what is wrong is found by the audit
    contradictions = Findings()
    # None of these trees is rebuilt here: the stored hashes say whether the newest begins with them.
    PriorCheckpoints(told, start=newest.size + 1).finish(newest.size, newest, False, evidence, contradictions)
    if not contradictions:
        founding.require_known()


def require_known_adoption(adoption: Adoption | None, findings: Findings) -> None:
    """Refuse to judge a log that adopts rules which this version doesn't know, unless there are findings.

    Args:
        adoption: where the replay ended with one.
        findings: all; where there are any, the adoption is added as what ended the replay.

    Raises:
        EditionUnknownError: it does, and all else is as it should be.
    """
    if adoption is None:
        return
    if not findings:
        adoption.require_known()
    why = f"it adopts rules edition {adoption.edition}, which this version doesn't know"
    findings.add(FindingCode.REPLAY_STOPPED, adoption.index, why)
