"""A half-signed note that waits for others: what it is, who has signed, and who is missing.

    {"id", "text", "signed_by": [...], "missing": [{"party", "count"}, {"party", "count", "key"}, ...],
     "complete": false, "stale_at"}

`id` is the SHA-256 of the text (hex). A `key` must sign itself: one that the command brings, or takes the place of.
"""

from collections.abc import Iterable

from tallystick.vouchers.half_signed import HalfSigned
from tallystick.vouchers.quantities import format_instant
from tallystick.wire import JsonObject


def half_signed(id_: str, found: HalfSigned) -> JsonObject:
    """Return what is said of a note that waits."""
    missing: list[JsonObject] = [
        {"party": one.party, "count": one.count} | ({} if one.key is None else {"key": one.key})
        for one in found.missing
    ]
    return {
        "id": id_,
        "text": found.note.text.decode(),
        "signed_by": [line.label for line in found.note.signatures],
        "missing": missing,
        "complete": not missing,
        "stale_at": format_instant(found.stale_at),
    }


def listed(waiting: Iterable[JsonObject]) -> JsonObject:
    """Return the notes that wait for a party's signature."""
    return {"pending": [*waiting]}
