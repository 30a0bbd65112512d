"""Evidence of lines: each record is hashed with a salt, and a statement's group has the root over them (RFC 6962).

    nonce     = HMAC-SHA-256(the provider's evidence key, record), the first 16 bytes
    hash      = SHA-256(record ‖ nonce)
    root      over these hashes as leaves, in the order of the group's lines

The salt hides what a record says from those who could guess it, and the same record always has the same one: so a
repeated plan makes the same text. A record is opened by showing it with its nonce and the path to the root.
"""

import hmac
import json
from collections.abc import Iterable, Sequence
from typing import Final

from tallystick.signing.algorithms import SHA256
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.usage.planning import PlannedLine
from tallystick.vouchers.quantities import format_second

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 16


def nonce_of(record: bytes, key: bytes) -> bytes:
    """Return a record's salt."""
    return hmac.digest(key, record, SHA256.name)[:NONCE_SIZE]


def salted_hash(record: bytes, key: bytes) -> bytes:
    """Return the hash of a record and its salt."""
    return SHA256.digest(record + nonce_of(record, key))


def evidence_root(records: Sequence[bytes], key: bytes) -> str | None:
    """Return the root over the salted hashes of records, in their order; None where a record is missing."""
    if not all(records):
        return None
    return SHA256.to_text(root_of([leaf_hash(salted_hash(record, key)) for record in records]))


def evidence_lines(ref: str, lines: Iterable[PlannedLine], key: bytes) -> bytes:
    """Return a statement's evidence as JSON lines, one for each of its lines, which stays with the provider.

    Args:
        ref: of the statement.
        lines: in its order.
        key: of which the salts are made.
    """
    said = []
    for number, line in enumerate(lines):
        record = line.usage.record
        said.append(
            {
                "statement": ref,
                "line": number,
                "item": line.usage.item,
                "job": line.usage.job,
                "from": format_second(line.starts_at),
                "to": format_second(line.ends_at),
                "record": record.decode("utf-8", "backslashreplace"),
                "record_hex": record.hex(),
                "nonce": nonce_of(record, key).hex(),
                "hash": SHA256.to_text(salted_hash(record, key)),
                "record_line": line.usage.line,
            }
        )
    return b"".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in said)
