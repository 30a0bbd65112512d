"""A source is a ledger (a folder or a database), an exported folder or the URL of one, or there is nothing to audit."""

from pathlib import Path

from tallystick.addresses import is_postgres, is_url
from tallystick.audit.evidence import Evidence
from tallystick.audit.sqlite import DATABASE, SQLiteDatabase
from tallystick.audit.store import StoreEvidence
from tallystick.audit.tiles import TileEvidence
from tallystick.errors import NotALedgerError, UsageError
from tallystick.findings import Findings
from tallystick.static.files import CHECKPOINT, CHECKPOINT_SIZE_MAX, TILES, open_files


def open_evidence(source: Path | str, findings: Findings, start: int = 0) -> Evidence:
    """Return the evidence in a ledger folder, a PostgreSQL database, an exported folder, or at the URL of one.

    Args:
        source: the folder or URL.
        findings: where oddities are noted, now and while it is read.
        start: the entry at which it begins.

    Raises:
        UsageError: there is no such folder, or it isn't a URL of a database or an exported log.
        NotALedgerError: the folder is neither, no ledger is in the database, or there is no checkpoint at the URL.
        LedgerError: the server gives no usable answer.
        ModuleNotFoundError: psycopg, which is an extra, isn't installed.
    """
    if is_postgres(source):
        from tallystick.audit.postgres import PostgresDatabase  # noqa: PLC0415 - an extra

        return StoreEvidence(PostgresDatabase(str(source), findings), findings, start)
    if is_url(source):
        files = open_files(source)
        if files.read(CHECKPOINT, CHECKPOINT_SIZE_MAX) is None:
            files.close()
            raise NotALedgerError(f"{source} has no {CHECKPOINT}: nothing to audit")
        return TileEvidence(files, findings, start)
    source = Path(source)
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder; give a ledger folder or an exported one")
    if (source / DATABASE).is_file():
        return StoreEvidence(SQLiteDatabase(source / DATABASE, findings), findings, start)
    if (source / CHECKPOINT).is_file() or (source / TILES).is_dir():
        return TileEvidence(open_files(source), findings, start)
    raise NotALedgerError(f"{source} holds neither {DATABASE} nor {CHECKPOINT} and {TILES}/: nothing to audit")
