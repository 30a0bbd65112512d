"""A number or a hash in a line of text has one canonical encoding, and any other is refused.

Decimals are ASCII digits without sign, leading zero or separator, below 2^63. Hashes are 32 bytes in base64 (RFC 4648
§4), padded, with zero padding bits. C2SP tlog-checkpoint and tlog-proof write them so. Lenient readers (Python's
`int` takes ` +4_2`, its `b64decode` drops what it doesn't know) would let one signed tree have many texts.

Raised is `ValueError`, which the formats turn into errors of their own.
"""

import binascii
import re
from typing import Final

HASH_SIZE: Final = 32
SIZE_MAX: Final = 2**63 - 1

_DECIMAL: Final = re.compile(rb"0|[1-9][0-9]{0,18}")


def decimal_from_text(text: bytes) -> int:
    """Return the number, 0 to `SIZE_MAX`.

    Raises:
        ValueError: not a number in its canonical encoding, or a larger one.
    """
    number = int(text) if _DECIMAL.fullmatch(text) else -1
    if not 0 <= number <= SIZE_MAX:
        raise ValueError(f"{_shown(text)} is not a decimal number below 2^63 without sign or leading zeros")
    return number


def hash_from_text(text: bytes) -> bytes:
    """Return the 32 bytes of a hash.

    Raises:
        ValueError: not a hash in its canonical encoding.
    """
    decoded = base64_from_text(text)
    if len(decoded) != HASH_SIZE:
        raise ValueError(f"{_shown(text)} is base64 of {len(decoded)} bytes, and a hash has {HASH_SIZE}")
    return decoded


def base64_from_text(text: bytes) -> bytes:
    """Return the bytes that this is the base64 of.

    Raises:
        ValueError: not base64 in its canonical encoding.
    """
    try:
        decoded = binascii.a2b_base64(text)
    except binascii.Error:
        decoded = b""
    # a2b_base64 skips strange characters and ignores padding bits, so what it gives is spelt again and compared.
    if binascii.b2a_base64(decoded, newline=False) != text:
        raise ValueError(f"{_shown(text)} is not padded base64 in its canonical encoding")
    return decoded


def base64_to_text(data: bytes) -> bytes:
    """Return the base64 of these bytes, padded, on one line without a newline."""
    return binascii.b2a_base64(data, newline=False)


def _shown(text: bytes) -> str:
    """Return the text as a person may see it: short and without control characters."""
    return ascii(text[:48].decode("latin-1")) + ("..." if len(text) > 48 else "")
