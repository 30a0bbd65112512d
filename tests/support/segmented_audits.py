"""An audit in segments beside one in one piece: two reports, the same to the byte.

Each attack of tests/tampering on an export is tried on both: what its test audits with is replaced (conftest.py there).
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tallystick.audit import Report, audit
from tallystick.audit.segments import InTurn, SegmentWorkers
from tallystick.errors import TallystickError
from tallystick.sources import StaticFolder, parse_source
from tallystick.transparency.policy import Policy


def audited(source: Path | str, policy: Policy, folder: Path, **options: Any) -> tuple[bytes | str, bytes | None]:
    """What an audit leaves: the report's bytes, or what it raised; and the saved state, if there is one."""
    report = folder / "report.json"
    try:
        audit(source, policy, report_file=report, processes=1, **options)
    except TallystickError as error:
        return f"{type(error).__name__}: {error}", None
    state = report.with_suffix(".state")
    return report.read_bytes(), state.read_bytes() if state.exists() else None


def same_in_segments(
    source: Path | str,
    policy: Policy,
    *,
    receipts: Sequence[Path] = (),
    workers: SegmentWorkers | None = None,
    told: list[str] | None = None,
) -> Report | None:
    """Audit an export in one piece and in segments, compare what both leave, and return the report; None if they raise.

    Args:
        source: an export, or its URL.
        policy: whose checkpoints count.
        receipts: that the log gave before.
        workers: where segments are audited; here, if None.
        told: gets what is told of segments that aren't gone on from.
    """
    notices: list[str] = [] if told is None else told
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        left = audited(source, policy, Path(one), receipts=receipts)
        where = workers or InTurn()
        segmented = audited(source, policy, Path(other), receipts=receipts, segments=where, notice=notices.append)
    assert segmented == left
    return Report.from_bytes(left[0]) if isinstance(left[0], bytes) else None


def also_in_segments(source: Path | str, policy: Policy, states: Path, **options: Any) -> Report:
    """Audit as a test asks for; of an exported folder, first compare both ways on a copy with saved states beside it.

    Args:
        source: whatever is audited.
        policy: whose checkpoints count.
        states: a folder of saved states of the log as it was, put beside one that has none.
        options: of the audit.
    """
    is_export = isinstance(source, Path) and isinstance(parse_source(source), StaticFolder)
    if is_export and not options.keys() & {"since", "observer", "progress"}:
        with tempfile.TemporaryDirectory() as name:
            copy = shutil.copytree(source, Path(name, "copy"), symlinks=True)
            if not (copy / "states").exists():
                shutil.copytree(states, copy / "states")
            same_in_segments(copy, policy, receipts=options.get("receipts", ()))
    return audit(source, policy, **options)
