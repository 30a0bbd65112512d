"""The table of algorithms: what a hash in a field may be made with.

A hash in a field names its function: `sha256:` and the digest in lower-case hex. So another function is a row more
here, and no format changes. What is fixed to SHA-256 by a specification (tree hashes, key ids) isn't looked up here.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallystick.errors import MalformedError
from tallystick.field_faults import shown


@dataclass(frozen=True, slots=True)
class HashFunction:
    """A function that a hash in a field may be made with.

    Attributes:
        name: what stands before the colon.
        size: of a digest, in bytes.
        digest: the digest of some bytes.
    """

    name: str
    size: int
    digest: Callable[[bytes], bytes]

    def of(self, data: bytes) -> str:
        """Return the hash of some bytes, as it stands in a field."""
        return self.to_text(self.digest(data))

    def to_text(self, digest: bytes) -> str:
        """Return a digest as it stands in a field."""
        return f"{self.name}:{digest.hex()}"

    def digest_in(self, text: str) -> bytes:
        """Return the digest of a hash in a field.

        Raises:
            MalformedError: not a hash of this function.
        """
        function, digest = hash_from_text(text)
        if function != self:
            raise MalformedError(f"must begin with {self.name}:, not {shown(text)}")
        return digest


SHA256: Final = HashFunction("sha256", 32, lambda data: hashlib.sha256(data).digest())
HASH_FUNCTIONS: Final = {function.name: function for function in (SHA256,)}
"""By name."""


def hash_from_text(text: str) -> tuple[HashFunction, bytes]:
    """Return the function and the digest of a hash in a field.

    Raises:
        MalformedError: a function that isn't known, or not its digest in lower-case hex.
    """
    name, _, digits = text.partition(":")
    function = HASH_FUNCTIONS.get(name)
    if function is None:
        known = ", ".join(f"{one}:" for one in HASH_FUNCTIONS)
        raise MalformedError(f"must begin with a hash function that is known ({known}), not {shown(text)}")
    if len(digits) != 2 * function.size or digits.strip("0123456789abcdef"):
        raise MalformedError(f"must be {name}: and {2 * function.size} of 0-9 and a-f, not {shown(text)}")
    return function, bytes.fromhex(digits)
