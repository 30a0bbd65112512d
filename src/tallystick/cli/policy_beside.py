"""The trust policy that lies beside a log, as its text: what a site shows it by."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from typing import TYPE_CHECKING

from tallystick.cli.reading import read_file

if TYPE_CHECKING:
    from tallystick.sources import AnySource


def policy_beside(source: "AnySource") -> str | None:
    """Return the text of the trust policy that lies beside a log, if one does.

    Raises:
        OSError: it can't be read.
    """
    from tallystick.ledger.opening import POLICY
    from tallystick.sources import folder_of, parse_source

    folder = folder_of(parse_source(source))
    path = None if folder is None else folder / POLICY
    return read_file(str(path)).decode("utf-8", "replace") if path is not None and path.is_file() else None
