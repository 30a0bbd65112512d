"""What the examination of a dossier came to: the account's book and balances, and what is wrong.

{"sound", "account", "checkpoint", "opening": {"index", "seal", "last_day"} or null, "closing": the same,
"entries", "entries_later", "dependencies", "balances", "balances_later",
"book": [{"index", "at", "kind", "party", "ref", "moved": [{"from", "to", "amount_fen"}], "lines_refused"}],
"findings": [{"code", "index" or null, "detail", "reason" or null}]}
"""

from dataclasses import asdict
from typing import Any

from tallystick.transparency.checkpoint import Checkpoint
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.wire import DataclassValue, JsonObject
from tallystick.wire.proven import tree


def dossier(report: DataclassValue, checkpoint: Checkpoint, *, is_sound: bool) -> JsonObject:
    """Return a dossier's report (`dossiers.examining.DossierReport`).

    Args:
        report: with days and instants as numbers, and what moved as (from, to, fen).
        checkpoint: the dossier's.
        is_sound: whether nothing is wrong.
    """
    said = asdict(report)
    return {"sound": is_sound} | {
        **said,
        "checkpoint": tree(checkpoint),
        "opening": _seal(said["opening"]),
        "closing": _seal(said["closing"]),
        "book": [_line(line) for line in said["book"]],
    }


def _seal(seal: dict[str, Any] | None) -> JsonObject | None:
    return None if seal is None else seal | {"last_day": format_day(seal["last_day"])}


def _line(line: dict[str, Any]) -> JsonObject:
    moved = [{"from": source, "to": to, "amount_fen": amount_fen} for source, to, amount_fen in line["moved"]]
    return line | {"at": format_instant(line["at"]), "moved": moved}
