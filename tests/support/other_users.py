"""Another user than the one who runs the tests, as far as there is one: an ordinary user, if that is root.

Where the tests run as an ordinary user, `as_owner` changes nothing: there, what another user's file does is shown by a
file of one's own that may not be read.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65_534
IS_ROOT = os.geteuid() == 0


@contextmanager
def open_to_all() -> Iterator[Path]:
    """Give a folder that every user may enter, and delete it."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give(folder: Path) -> None:
    """Make an ordinary user the owner of a folder and of what is in it, if this is root."""
    if IS_ROOT:
        for file in (folder, *folder.iterdir()):
            os.chown(file, NOBODY, NOBODY)


@contextmanager
def as_owner() -> Iterator[None]:
    """Be that ordinary user meanwhile, if this is root; what is to be imported has to be imported before."""
    if not IS_ROOT:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
