"""Where saved states lie beside an exported log, and the list that says which there are; none of them is trusted.

    states/<size>    the state after so many entries, as vouchers/saved_state.py says, unsigned
    states/index     their sizes, ascending, one a line: a web server can't be asked what lies in a folder

They are no part of the log: a checkpoint doesn't imply them, and any of them may be missing. The list says where to
look, and nothing else: one that isn't in its canonical encoding is as good as none.
"""

import re
from collections.abc import Iterable
from typing import Final

from tallystick.errors import MalformedError
from tallystick.vouchers.quantities import INTEGER_MAX

STATES: Final = "states"
INDEX: Final = f"{STATES}/index"
STATES_MAX: Final = 4_096
"""So many states lie beside a log at most: each costs an audit as much as the state is large."""

SIZE_MAX: Final = 2**31
"""Bytes of one: of ten million lines in the burn window there are a quarter of that."""
INDEX_SIZE_MAX: Final = STATES_MAX * len(f"{INTEGER_MAX}\n")
_SIZE: Final = re.compile(r"[1-9][0-9]{0,15}")


def state_path(size: int) -> str:
    """Return where the state after so many entries lies."""
    return f"{STATES}/{size}"


def size_named(name: str) -> int | None:
    """Return after how many entries a state is, by its file's name; None if that is no state's."""
    return int(name) if _SIZE.fullmatch(name) else None


def index_to_bytes(sizes: Iterable[int]) -> bytes:
    """Return the list of these sizes."""
    return b"".join([b"%d\n" % size for size in sorted(sizes)])


def index_from_bytes(data: bytes) -> list[int]:
    """Return the sizes of a list.

    Raises:
        MalformedError: it isn't one in its canonical encoding, or names more than `STATES_MAX`.
    """
    lines = data.split(b"\n")[:-1]
    sizes = [size_named(line.decode("ascii", "replace")) for line in lines]
    known = [size for size in sizes if size is not None]
    if index_to_bytes(set(known)) != data or len(known) > STATES_MAX:
        raise MalformedError(f"{INDEX} is no ascending list of up to {STATES_MAX:,} sizes")
    return known
