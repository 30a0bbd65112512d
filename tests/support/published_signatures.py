"""The edge cases of Ed25519 that C2SP/CCTV publishes, with our answers (tests/vectors/PROVENANCE.md)."""

import json
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_FILE: Final = Path(__file__).resolve().parents[1] / "vectors" / "ed25519_cctv.json"
PUBLISHED: Final[dict[str, Any]] = json.loads(_FILE.read_text("ascii"))
VECTORS: Final[list[tuple[int, str, str, str, list[str], bool]]] = [tuple(row) for row in PUBLISHED["vectors"]]
"""Number, key, signature, message, flags and our answer, of those with a key that is admitted."""


def openssl_accepts(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `cryptography` accepts, without our rules."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
