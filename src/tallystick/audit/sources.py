"""A folder is a ledger's or an exported one, or there is nothing to audit."""

from pathlib import Path

from tallystick.audit.evidence import Evidence
from tallystick.audit.findings import Findings
from tallystick.audit.store import DATABASE, StoreEvidence
from tallystick.audit.tiles import CHECKPOINT, TILES, TileEvidence
from tallystick.errors import NotALedgerError, UsageError


def open_evidence(source: Path, findings: Findings) -> Evidence:
    """Return the evidence in a ledger folder or an exported folder.

    Args:
        source: the folder.
        findings: where oddities are noted, now and while it is read.

    Raises:
        UsageError: there is no such folder.
        NotALedgerError: the folder is neither.
    """
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder; give a ledger folder or an exported one")
    if (source / DATABASE).is_file():
        return StoreEvidence(source / DATABASE, findings)
    if (source / CHECKPOINT).is_file() or (source / TILES).is_dir():
        return TileEvidence(source, findings)
    raise NotALedgerError(f"{source} holds neither {DATABASE} nor {CHECKPOINT} and {TILES}/: nothing to audit")
