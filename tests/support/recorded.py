"""Data sets that may not be in the project: read where TALLYSTICK_SHARED says that they lie, else made like them."""

import os
from pathlib import Path


def recorded(name: str, otherwise: bytes) -> bytes:
    """Return a recorded file.

    Args:
        name: its path under the folder that TALLYSTICK_SHARED names.
        otherwise: the same layout, for where that isn't set. Where it is, as in CI, a missing file is a failure.
    """
    folder = os.environ.get("TALLYSTICK_SHARED")
    if folder is None:
        return otherwise
    path = Path(folder) / name
    assert path.is_file(), f"TALLYSTICK_SHARED is {folder}, which has no {name}"
    return path.read_bytes()
