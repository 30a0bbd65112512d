"""The verifier's page for a disk: where the package has it, and how an export that has one is known.

It is made from the modules that a service serves (`tallystick.web.verify_page`), and is a file of the package.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

from tallystick.errors import NotAFileError, UsageError
from tallystick.static.files import FolderFiles

PAGE: Final = "verify.html"
"""What it is called, in the package and in every export."""
_BEGINS: Final = b"<!doctype html>\n<!-- Tallystick: verifies "

_ENOUGH: Final = 4_194_304  # bytes; no page of any version is as large


def verify_page() -> bytes:
    """Return the page of this version."""
    return (files("tallystick") / "web" / "static" / PAGE).read_bytes()


def read_page(folder: Path) -> bytes | None:
    """Return the page that lies in an export; None if there is none.

    Raises:
        UsageError: a file of that name is no such page, of whichever version.
        OSError: it can't be read.
    """
    try:
        data = FolderFiles(folder).read(PAGE, _ENOUGH)
    except NotAFileError:
        data = b""
    if data is not None and not data.startswith(_BEGINS):
        raise UsageError(f"{folder / PAGE} is not the verifier's page: move it, or choose another folder")
    return data
