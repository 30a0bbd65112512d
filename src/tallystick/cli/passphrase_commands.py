"""A passphrase or a PIN comes from a program that the user named: a password manager, a prompt of the office's own.

The program is run as it is, without a shell: the text is split into words as a shell would split it, and nothing in it
is replaced. Its standard input is empty, its standard error is the user's, so that it can ask there; it keeps the
terminal. The first line of what it prints is the passphrase. What it prints is bounded, and so is its time, in which a
person may have to type something.
"""

import contextlib
import os
import selectors
import shlex
import subprocess
import time
from typing import IO, Final

from tallystick.errors import KeyFileError, UsageError

SECONDS_MAX: Final = 120
OUTPUT_SIZE_MAX: Final = 65_536


def run_passphrase_command(command: str, seconds: float = SECONDS_MAX) -> bytes:
    """Return the first line that a program prints.

    Args:
        command: the program and its arguments, quoted as for a shell.
        seconds: it may take.

    Raises:
        UsageError: the text names no program.
        KeyFileError: the program can't be started, fails, takes too long, or prints nothing or too much.
    """
    words = _words(command)
    try:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)  # noqa: S603 - the user's
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise KeyFileError(f"cannot run the passphrase command {words[0]!a:.80}: {why}") from None
    name = f"the passphrase command {words[0]!a:.80}"
    try:
        assert process.stdout is not None
        printed = _read(process.stdout, name, time.monotonic() + seconds)
        status = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise KeyFileError(f"{name} doesn't end, though it prints no more") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if status != 0:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise KeyFileError(f"{name} {how}, and its output isn't used")
    passphrase = printed.partition(b"\n")[0].rstrip(b"\r")
    if not passphrase:
        raise KeyFileError(f"{name} printed no passphrase in its first line")
    return passphrase


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the passphrase command can't be split into words: {error}") from None
    if not words:
        raise UsageError("the passphrase command is empty")
    return words


def _read(pipe: IO[bytes], name: str, deadline: float) -> bytes:
    """Return all that comes out of a pipe until it is closed."""
    printed = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise KeyFileError(f"{name} took too long")
            data = os.read(pipe.fileno(), OUTPUT_SIZE_MAX)
            if not data:
                return printed
            printed += data
            if len(printed) > OUTPUT_SIZE_MAX:
                raise KeyFileError(f"{name} printed more than {OUTPUT_SIZE_MAX:,} bytes")
