"""Signatures as libsodium verifies them, where PyNaCl is installed (the extra `fast`).

Only `ed25519.py` asks, and only of keys and halves of signatures that it found no flaw in.
"""

from typing import Final

import nacl
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open, crypto_sign_PUBLICKEYBYTES
from nacl.exceptions import BadSignatureError

VERSION: Final = nacl.__version__
"""PyNaCl's; it doesn't say which libsodium it brings."""

_R: Final = "b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a3506"
_KEY: Final = "ef75b20e7540e3dff77404193652ba2bd13df99c1508eee1515e27ae25f28076"
_MIXED_R: Final = "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56b"
_MIXED_KEY: Final = "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f"
# Public key, R, S, message and whether it is accepted. Numbers 305, 267 and 51 of C2SP/CCTV, the second 305 with S + L.
# In 267 and 51, the equation holds times the cofactor alone: R or the key has a part of small order.
_PROBES: Final = (
    (_KEY, _R, "40657f1cb030f12543549bbabd848dc6403d354e7c99c4d0dcee9f63c9033b00", b"ed25519vectors 5", True),
    (_KEY, _R, "2d397579ca93037e19f1925d9c7e6cdb403d354e7c99c4d0dcee9f63c9033b10", b"ed25519vectors 5", False),
    (_KEY, _MIXED_R, "2d471882773a677af1e3824e757a33f8ddf7bbeaf3d28a09595eb8daa0d74a03", b"ed25519vectors 3", False),
    (_MIXED_KEY, _R, "030b03796b78f7afeadfccaedc9d09ce6d487d1ece1f16b1ae2b59b7e5c40603", b"ed25519vectors 3", False),
)


def accepts(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether libsodium takes a signature of a message for a public key's."""
    # It gets signature and message in one piece, and reads 32 bytes of any key: sizes are looked at here alone.
    if len(signature) != crypto_sign_BYTES or len(public_key) != crypto_sign_PUBLICKEYBYTES:
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def follows_the_rule() -> bool:
    """Return whether it accepts a good signature, and none that only another equation accepts."""
    return all(
        accepts(bytes.fromhex(key), bytes.fromhex(r + s), message) == expected
        for key, r, s, message, expected in _PROBES
    )
