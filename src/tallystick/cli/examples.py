"""How each command is given, as its page shows it."""

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "submit": ("tallystick submit ledger issue.note",),
}
