"""Receipts are kept in the folder of the profile: `receipts/<index>.tlog-proof`, each whole and durable."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.durable_files import PUBLIC_MODE, whole_file

if TYPE_CHECKING:
    from tallystick.cli.places import Answer

FOLDER: Final = "receipts"


def keep_receipts(folder: Path, answers: "Sequence[Answer]") -> list[str | None]:
    """Keep the receipts of answers, and return where each is; None of a note that was refused.

    Args:
        folder: the profile's.
        answers: to notes.

    Raises:
        OSError: no room, or no right to.
    """
    kept = folder / FOLDER
    kept.mkdir(exist_ok=True)
    paths: list[str | None] = []
    for answer in answers:
        if answer.receipt is None:
            paths.append(None)
            continue
        path = kept / f"{answer.said['index']}.tlog-proof"
        with whole_file(path, PUBLIC_MODE) as file:
            file.write(answer.receipt)
        paths.append(str(path))
    return paths
