"""The newest checkpoint is what an audit holds a log to; the cosigned one beside it adds lines or is a prior one.

of the same text      witnesses' lines in it are the newest checkpoint's too, and count for the quorum
of another text       the log said it before (prior_checkpoints.py): the log must go on from it
not the log's         a finding: it was put there without the log
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from tallystick.audit.evidence import COSIGNED, Evidence
from tallystick.audit.prior_checkpoints import PriorCheckpoint
from tallystick.errors import MalformedError, QuorumMissingError, VerificationError
from tallystick.findings import FindingCode, Findings
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merging import merge_notes
from tallystick.transparency.policy import Policy


class Newest(NamedTuple):
    """The newest checkpoint.

    Attributes:
        note: its bytes, as they were read.
        accepted: it, if the policy accepts it.
        shown: it, as it lies there, believing nothing of it: a report should name more than that it isn't trusted.
        cosigned: another one that lies beside it, signed by the same log.
    """

    note: bytes | None
    accepted: Checkpoint | None
    shown: Checkpoint | None
    cosigned: PriorCheckpoint | None


def open_newest(evidence: Evidence, policy: Policy, findings: Findings) -> Newest:
    """Return the newest checkpoint of the evidence, and note what is wrong with it."""
    note = evidence.newest_checkpoint()
    cosigned, text = _read_cosigned(evidence.cosigned(), findings)
    shown = _read(note)
    if note is not None and cosigned is not None and text == _text_of(note):
        # Witnesses' lines count wherever they lie; the log's own must be good where the log keeps it.
        accepted = _open(note, policy.without_witnesses(), findings)
        if accepted is not None:
            accepted = _open(merge_notes(note, cosigned), policy, findings)
        cosigned = None
    else:
        accepted = _open(note, policy, findings)
    prior = _prior_checkpoint(cosigned, shown, policy, findings) if cosigned is not None else None
    return Newest(note, accepted, shown, prior)


def _open(note: bytes | None, policy: Policy, findings: Findings) -> Checkpoint | None:
    if note is None:
        findings.add(FindingCode.CHECKPOINT_MISSING, None, "there is none")
        return None
    try:
        return policy.open_checkpoint(note)
    except MalformedError as error:
        findings.add(FindingCode.CHECKPOINT_MALFORMED, None, f"the newest: {error}")
    except QuorumMissingError as error:
        findings.add(FindingCode.CHECKPOINT_QUORUM_MISSING, None, str(error))
    except VerificationError as error:
        findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, f"the newest: {error}")
    return None


def _read(note: bytes | None) -> Checkpoint | None:
    try:
        return Checkpoint.from_text(Note.from_bytes(note or b"").text)
    except MalformedError:
        return None


def _text_of(note: bytes) -> bytes | None:
    with suppress(MalformedError):  # opening it says why
        return Note.from_bytes(note).text
    return None


def _read_cosigned(cosigned: bytes | None, findings: Findings) -> tuple[bytes | None, bytes | None]:
    """Return the cosigned checkpoint and its text, if it is one."""
    if cosigned is None:
        return None, None
    try:
        text = Note.from_bytes(cosigned).text
        Checkpoint.from_text(text)
    except MalformedError as error:
        findings.add(FindingCode.CHECKPOINT_MALFORMED, None, f"{COSIGNED}: {error}")
        return None, None
    return cosigned, text


def _prior_checkpoint(
    cosigned: bytes, shown: Checkpoint | None, policy: Policy, findings: Findings
) -> PriorCheckpoint | None:
    """Return what the log is held to by an older checkpoint, or a newer one; too few witnesses take nothing from it."""
    try:
        checkpoint = policy.without_witnesses().open_checkpoint(cosigned)
    except VerificationError as error:
        findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, f"{COSIGNED}: {error}")
        return None
    if shown is not None and checkpoint.origin != shown.origin:
        detail = f"{COSIGNED}: it is of another log, {checkpoint.origin}"
        findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, detail)
        return None
    return PriorCheckpoint(COSIGNED, FindingCode.COSIGNED_CHECKPOINT_CONTRADICTED, checkpoint)


def name_of_log(told: Sequence[Checkpoint | None], policy: Policy) -> str:
    """Return the log's name by the first checkpoint there is: a damaged one must not make all others another log's."""
    names = [checkpoint.origin for checkpoint in told if checkpoint is not None]
    return next(iter([*names, *[line.vkey.name for line in policy.logs]]), "")
