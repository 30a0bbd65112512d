"""A process that audits one of several logs, started by `log_processes.py` as a script: an order in, an outcome out.

Both are pickled, each behind its length. It ends at once when its caller is gone.
"""

import os
import pickle
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import cast

from tallystick.audit.one_of_several import LogOrder, LogOutcome, audit_one
from tallystick.audit.uses import Uses
from tallystick.errors import SourceUnreadableError, TallystickError
from tallystick.verifying.process import receive, send

_ALONE = 1
"""No processes beside this one: others audit other logs."""


def _work() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's
    order, file = cast(tuple[LogOrder, Path], receive(sys.stdin.buffer))
    threading.Thread(target=_watch, daemon=True).start()
    send(sys.stdout.buffer, _outcome(order, file))


def _watch() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _outcome(order: LogOrder, file: Path) -> LogOutcome | Exception:
    """Return what the audit comes to, or the error that ends it."""
    try:
        with closing(Uses(file)) as uses:
            return audit_one(order, uses, _ALONE)
    except MemoryError:
        return SourceUnreadableError(f"{order.source}: not enough memory; with fewer workers each has more")
    except (TallystickError, OSError, ImportError) as error:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        except TypeError:  # one that is made of more than its text
            return SourceUnreadableError(str(error))
        return error


if __name__ == "__main__":
    _work()
