"""What commands write, and how a file is known that one of them may replace without being told twice."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from typing import Final

from tallystick.named_files import Kind

_COMMAND: Final = b'{"'
_SIGNATURES: Final = "\n\n— ".encode()


def _is_receipt(data: bytes) -> bool:
    return data.startswith(b"c2sp.org/tlog-proof@v1\n")


def _is_signed_command(data: bytes) -> bool:
    return data.startswith(_COMMAND) and _SIGNATURES in data


def _is_signed_checkpoint(data: bytes) -> bool:
    from tallystick.errors import MalformedError
    from tallystick.signing.note import Note
    from tallystick.transparency.checkpoint import Checkpoint

    try:
        Checkpoint.from_text(Note.from_bytes(data).text)
    except MalformedError:
        return False
    return True


def _is_policy(data: bytes) -> bool:
    from tallystick.errors import MalformedError
    from tallystick.transparency.policy import Policy

    try:
        Policy.from_text(data)
    except MalformedError:
        return False
    return True


def _is_balance_proof(data: bytes) -> bool:
    from tallystick.dossiers.balance_proof import is_balance_proof

    return is_balance_proof(data)


def _is_dossier(data: bytes) -> bool:
    from tallystick.dossiers.dossier_lines import is_dossier

    return is_dossier(data)


def _is_hledger_journal(data: bytes) -> bool:
    return data.startswith(b"; Journal of the log ")


def _is_beancount_journal(data: bytes) -> bool:
    return data.startswith(b'option "title" "Journal of the log ')


def _is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-")


RECEIPT: Final = Kind("a receipt", _is_receipt)
SIGNED_COMMAND: Final = Kind("a signed command", _is_signed_command)
SIGNED_CHECKPOINT: Final = Kind("a signed checkpoint", _is_signed_checkpoint)
POLICY: Final = Kind("a trust policy", _is_policy)
BALANCE_PROOF: Final = Kind("a balance proof", _is_balance_proof)
DOSSIER: Final = Kind("a dossier", _is_dossier)
HLEDGER_JOURNAL: Final = Kind("a journal for hledger", _is_hledger_journal)
BEANCOUNT_JOURNAL: Final = Kind("a journal for beancount", _is_beancount_journal)
PDF: Final = Kind("a PDF", _is_pdf)
