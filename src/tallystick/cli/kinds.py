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


def _is_csv_journal(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").startswith(b"entry,day,booked_day,at,kind,")


def _is_focus_data(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").startswith(b"BilledCost,BillingAccountId,")


def _is_spreadsheet_journal(data: bytes) -> bool:
    """Tell of one that isn't large; of another not: it ends with what says where its parts are."""
    from io import BytesIO
    from zipfile import BadZipFile, ZipFile
    from zlib import error as DeflateError  # noqa: N812 - an error, by the name that errors have

    try:
        with ZipFile(BytesIO(data)) as parts:
            return b"Journal of the log " in parts.read("docProps/core.xml")
    except (BadZipFile, DeflateError, EOFError, KeyError, OSError, RuntimeError, ValueError):
        return False  # zipfile raises all of these: another ZIP, a damaged or an encrypted one, or none


def _is_parquet_journal(data: bytes) -> bool:
    """Tell of one that isn't large, in the same way."""
    return data.startswith(b"PAR1") and data.endswith(b"PAR1") and b"booked_day" in data


def _is_payment_list(data: bytes) -> bool:
    return data.startswith(b"\xef\xbb\xbfreference,payee,name,account,bank,amount,")


def _is_settlements(data: bytes) -> bool:
    return data.startswith(b"\xef\xbb\xbfref,claim,row,offset,payment,mandate")


RECEIPT: Final = Kind("a receipt", _is_receipt)
SIGNED_COMMAND: Final = Kind("a signed command", _is_signed_command)
SIGNED_CHECKPOINT: Final = Kind("a signed checkpoint", _is_signed_checkpoint)
POLICY: Final = Kind("a trust policy", _is_policy)
BALANCE_PROOF: Final = Kind("a balance proof", _is_balance_proof)
DOSSIER: Final = Kind("a dossier", _is_dossier)
HLEDGER_JOURNAL: Final = Kind("a journal for hledger", _is_hledger_journal)
BEANCOUNT_JOURNAL: Final = Kind("a journal for beancount", _is_beancount_journal)
PDF: Final = Kind("a PDF", _is_pdf)
CSV_JOURNAL: Final = Kind("a journal as CSV", _is_csv_journal)
FOCUS_DATA: Final = Kind("FOCUS data as CSV", _is_focus_data)
SPREADSHEET_JOURNAL: Final = Kind("a journal as a spreadsheet that can be told from others", _is_spreadsheet_journal)
PARQUET_JOURNAL: Final = Kind("a journal as Parquet that can be told from others", _is_parquet_journal)


PAYMENT_LIST: Final = Kind("a list of payments", _is_payment_list)
SETTLEMENTS: Final = Kind("a sheet of settlements", _is_settlements)
