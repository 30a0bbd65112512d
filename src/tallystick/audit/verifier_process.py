"""A process that does the arithmetic of an audit: it hashes leaves and verifies signatures, and decides nothing.

Started by `verifying.py` as a script, so that it loads little and can't run its caller's main module again. It reads
pickled batches, each behind its length, from its standard input and answers on its standard output, until the input
ends.

A batch is (blobs, how many of them are leaves, signatures), a signature (blob, start, end, vkey, 64 bytes): whether
that key signed those bytes of that blob. The answer is (leaf hashes joined, one byte 0 or 1 for each signature).
"""

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import BinaryIO, Final

from tallystick.errors import SignatureInvalidError
from tallystick.signing.keys import VerifierKey
from tallystick.transparency.merkle import leaf_hash

SignatureJob = tuple[int, int, int, str, bytes]
Batch = tuple[Sequence[bytes], int, Sequence[SignatureJob]]
Answer = tuple[bytes, bytes]

_NICE: Final = 10  # the replay is what all wait for: it gets a processor first, and these share what is left


def answer(batch: Batch) -> Answer:
    """Return what a batch comes to."""
    blobs, leaves, jobs = batch
    verdicts = bytearray()
    keys = {vkey: VerifierKey.from_text(vkey) for vkey in {job[3] for job in jobs}}
    for blob, start, end, vkey, signature in jobs:
        try:
            keys[vkey].verify(signature, blobs[blob][start:end])
        except SignatureInvalidError:
            verdicts.append(0)
        else:
            verdicts.append(1)
    return b"".join(map(leaf_hash, blobs[:leaves])), bytes(verdicts)


def send(stream: BinaryIO, message: object) -> None:
    """Write a message behind its length."""
    data = pickle.dumps(message, protocol=5)
    stream.write(len(data).to_bytes(4))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> object:
    """Return the next message.

    Raises:
        EOFError: there is none.
    """
    length = int.from_bytes(stream.read(4))
    data = stream.read(length)
    if not length or len(data) != length:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - from our own process, through a pipe that nobody else has


def _work() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the auditor's; this ends when its input does
    os.nice(_NICE)
    while True:
        try:
            batch: Batch = receive(sys.stdin.buffer)  # type: ignore[assignment]
        except EOFError:
            return
        send(sys.stdout.buffer, answer(batch))


if __name__ == "__main__":
    _work()
