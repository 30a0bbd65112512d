"""Verdicts of those who are asked before money goes to somebody."""

from typing import NamedTuple

from tallystick.demo import cast
from tallystick.demo.stage import Stage
from tallystick.signing.algorithms import SHA256
from tallystick.vouchers.quantities import DAY_US, format_instant


class Verdict(NamedTuple):
    """What is found in order or not, on which topic, and why."""

    subject_type: str
    subject_id: str
    topic: str
    reason: str
    verdict: str = "pass"


def attestation(stage: Stage, by: str, found: Verdict, seed: int) -> bytes:
    """Return a verdict that stands for a year."""
    fields = {
        "subject_type": found.subject_type,
        "subject_id": found.subject_id,
        "topic": found.topic,
        "verdict": found.verdict,
        "reason": found.reason,
        "evidence_hash": evidence_hash(seed, f"review of {found.subject_id}"),
        "valid_until": format_instant(stage.now + cast.VALIDITY_DAYS * DAY_US),
    }
    return stage.note(by, "attestation.give", fields)


def evidence_hash(seed: int, document: str) -> str:
    """Return the hash of a document that the story only pretends to have, with a nonce as a real one would."""
    return SHA256.of(f"nonce {seed}\n{document}\n".encode())
