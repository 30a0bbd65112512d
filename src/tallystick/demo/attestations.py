"""Verdicts of those who are asked before money goes to somebody."""

import hashlib
from typing import NamedTuple

from tallystick.demo import cast
from tallystick.demo.stage import Stage
from tallystick.vouchers.quantities import DAY_US, format_instant


class Passed(NamedTuple):
    """What is found in order, on which topic, and why."""

    subject_type: str
    subject_id: str
    topic: str
    reason: str


def attestation(stage: Stage, by: str, passed: Passed, seed: int) -> bytes:
    """Return a verdict that stands for a year."""
    fields = {
        "subject_type": passed.subject_type,
        "subject_id": passed.subject_id,
        "topic": passed.topic,
        "verdict": "pass",
        "reason": passed.reason,
        "evidence_sha256": evidence_sha256(seed, f"review of {passed.subject_id}"),
        "valid_until": format_instant(stage.now + cast.VALIDITY_DAYS * DAY_US),
    }
    return stage.note(by, "attestation.give", fields)


def evidence_sha256(seed: int, document: str) -> str:
    """Return the hash of a document that the story only pretends to have, with a nonce as a real one would."""
    return hashlib.sha256(f"nonce {seed}\n{document}\n".encode()).hexdigest()
