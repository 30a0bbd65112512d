"""Tallystick keeps compute vouchers in an append-only log of signed entries that anybody can audit.

The public API is the list `__all__`, and beside it the function `tallystick.audit.audit` and the list of
`tallystick.client`, which asks a service. Names are loaded when first
used, so that who only signs or verifies does not load a database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallystick.errors import TallystickError
    from tallystick.ledger import Admitted, Ledger, StandBy, create_ledger, open_ledger, stand_by
    from tallystick.publishing import Reader, read_ledger
    from tallystick.signing.keys import SigningKey, VerifierKey
    from tallystick.signing.note import Note, add_signatures, open_note, sign_text
    from tallystick.transparency.checkpoint import Checkpoint
    from tallystick.transparency.policy import Policy
    from tallystick.transparency.receipt import Receipt, verify_receipt
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.refusals import Reason, Refusal
    from tallystick.vouchers.rulebook import command_text

__version__ = "0.1.0"

__all__ = [
    "Admitted",
    "Checkpoint",
    "Entry",
    "Ledger",
    "Note",
    "Policy",
    "Reader",
    "Reason",
    "Receipt",
    "Refusal",
    "SigningKey",
    "StandBy",
    "TallystickError",
    "VerifierKey",
    "__version__",
    "add_signatures",
    "command_text",
    "create_ledger",
    "open_ledger",
    "open_note",
    "read_ledger",
    "sign_text",
    "stand_by",
    "verify_receipt",
]

_HOMES: Final = {
    "tallystick.errors": ("TallystickError",),
    "tallystick.ledger": ("Admitted", "Ledger", "StandBy", "create_ledger", "open_ledger", "stand_by"),
    "tallystick.publishing": ("Reader", "read_ledger"),
    "tallystick.signing.keys": ("SigningKey", "VerifierKey"),
    "tallystick.signing.note": ("Note", "add_signatures", "open_note", "sign_text"),
    "tallystick.transparency.checkpoint": ("Checkpoint",),
    "tallystick.transparency.policy": ("Policy",),
    "tallystick.transparency.receipt": ("Receipt", "verify_receipt"),
    "tallystick.vouchers.rulebook": ("command_text",),
    "tallystick.vouchers.entry": ("Entry",),
    "tallystick.vouchers.refusals": ("Reason", "Refusal"),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
