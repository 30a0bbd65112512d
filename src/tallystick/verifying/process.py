"""A process that does arithmetic for a writer or an audit: it hashes leaves and verifies signatures.

Started by `pool.py` as a script, so that it loads little and can't run its caller's main module again. It reads pickled
batches, each behind its length, from its standard input and answers on its standard output, until the input ends.

    batch    blobs, how many of the first are leaves, signatures: (blob, start, end, vkey, 64 bytes), whether that key
             signed those bytes of that blob
    answer   leaf hashes joined, and a byte for each signature: BAD, GOOD or UNTOLD

After the first signature of a blob that isn't good, no more of that blob are looked at: one is enough to refuse a note,
so who sends many bad lines doesn't have them all verified.
"""

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import IO, Final, cast

from tallystick.errors import SignatureInvalidError
from tallystick.signing.keys import VerifierKey
from tallystick.transparency.merkle import leaf_hash

SignatureJob = tuple[int, int, int, str, bytes]
Batch = tuple[Sequence[bytes], int, Sequence[SignatureJob]]
BatchResult = tuple[bytes, bytes]

BAD: Final = 0
GOOD: Final = 1
UNTOLD: Final = 2
"""Not looked at, or something failed that is no property of the signature: to be verified where it counts."""

_NICE: Final = 10  # deciding is what all wait for: it gets a processor first, and these share what is left


def result_of(batch: Batch) -> BatchResult:
    """Return what a batch comes to."""
    blobs, leaves, jobs = batch
    keys: dict[str, VerifierKey] = {}
    verdicts = bytearray()
    refused = -1
    for blob, start, end, vkey, signature in jobs:
        if blob == refused:
            verdicts.append(UNTOLD)
            continue
        try:
            key = keys.get(vkey)
            if key is None:
                key = keys[vkey] = VerifierKey.from_text(vkey)
            key.verify(signature, blobs[blob][start:end])
        except SignatureInvalidError:
            verdicts.append(BAD)
        except Exception:  # unforeseen, or no memory: whoever decides meets it again, and answers for it
            verdicts.append(UNTOLD)
        else:
            verdicts.append(GOOD)
            continue
        refused = blob
    return b"".join(map(leaf_hash, blobs[:leaves])), bytes(verdicts)


def is_good(verdict: int, text: bytes, vkey: str, signature: bytes) -> bool:
    """Return what a verdict says of a signature over a text; one that is untold is verified here."""
    if verdict == UNTOLD:
        try:
            VerifierKey.from_text(vkey).verify(signature, text)
        except SignatureInvalidError:
            return False
        return True
    return verdict == GOOD


def send(stream: IO[bytes], message: object) -> None:
    """Write a message behind its length."""
    data = pickle.dumps(message, protocol=5)
    stream.write(len(data).to_bytes(4))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> object:
    """Return the next message.

    Raises:
        EOFError: there is none.
    """
    length = int.from_bytes(stream.read(4))
    data = stream.read(length)
    if not length or len(data) != length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - from our own process, through a pipe that no other process has


def _work() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's; this ends when its input does
    os.nice(_NICE)
    while True:
        try:
            batch = cast(Batch, receive(sys.stdin.buffer))
        except EOFError:
            return
        send(sys.stdout.buffer, result_of(batch))


if __name__ == "__main__":
    _work()
