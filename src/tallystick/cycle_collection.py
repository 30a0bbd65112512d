"""While commands are decided, by the writer or anew by an audit, memory is freed by reference counts alone.

Nothing that is made on the way from a note to an entry, or to the rows of the views, refers to itself, so Python's
search for cycles finds none; but it walks over the whole state to find that out, which costs the writer a seventh of
the time and an audit of a large state a third. It is paused while anybody submits, audits or makes a batch of rows, and
goes on after.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pausing = 0
_was_enabled = False


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause the search for cycles until the last thread that asked for it is done."""
    global _pausing, _was_enabled  # noqa: PLW0603 - the collector is one for the process
    with _lock:
        if _pausing == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pausing += 1
    try:
        yield
    finally:
        with _lock:
            _pausing -= 1
            if _pausing == 0 and _was_enabled:
                gc.enable()
