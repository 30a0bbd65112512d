"""A source is a ledger (a folder or a database), an exported folder or the URL of one, or there is nothing to audit."""

from tallystick.audit.evidence import Evidence
from tallystick.audit.sqlite_evidence import SQLiteDatabase
from tallystick.audit.store_evidence import StoreEvidence
from tallystick.audit.tile_evidence import TileEvidence
from tallystick.errors import NotALedgerError, UsageError
from tallystick.findings import Findings
from tallystick.sources import (
    CHECKPOINT,
    DATABASE,
    TILES,
    LedgerDatabase,
    LedgerFolder,
    Source,
    StaticFolder,
    StaticUrl,
)
from tallystick.static.files import CHECKPOINT_SIZE_MAX, open_files


def open_evidence(source: Source, findings: Findings, start: int = 0) -> Evidence:
    """Return the evidence in a ledger folder, a PostgreSQL database, an exported folder, or at the URL of one.

    Args:
        source: what is audited.
        findings: where oddities are noted, now and while it is read.
        start: the entry at which it begins.

    Raises:
        UsageError: there is no such folder, or it isn't a URL of a database or an exported log.
        NotALedgerError: the folder is neither, no ledger is in the database, or there is no checkpoint at the URL.
        LedgerError: the server gives no usable answer.
        ModuleNotFoundError: psycopg, which is an extra, isn't installed.
    """
    match source:
        case LedgerDatabase(url):
            from tallystick.audit.postgres_evidence import PostgresDatabase  # noqa: PLC0415 - an extra

            return StoreEvidence(PostgresDatabase(url, findings), findings, start)
        case StaticUrl():
            files = open_files(source)
            if files.read(CHECKPOINT, CHECKPOINT_SIZE_MAX) is None:
                files.close()
                raise NotALedgerError(f"{source} has no {CHECKPOINT}: nothing to audit")
            return TileEvidence(files, findings, start)
        case StaticFolder():
            return TileEvidence(open_files(source), findings, start)
        case LedgerFolder(folder):
            if not folder.is_dir():
                raise UsageError(f"{folder} is not a folder; give a ledger folder or an exported one")
            if not (folder / DATABASE).is_file():
                raise NotALedgerError(
                    f"{folder} holds neither {DATABASE} nor {CHECKPOINT} and {TILES}/: nothing to audit"
                )
            return StoreEvidence(SQLiteDatabase(folder / DATABASE, findings), findings, start)
