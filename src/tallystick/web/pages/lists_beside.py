"""Lists beside a thing: its vouchers, claims and so on, some rows at a time, each with its own way on and its CSV."""

from typing import Final

from tallystick.web.pages.cells import OF_THINGS, table_of
from tallystick.web.pages.page import Asked, Table
from tallystick.web.seen import ListKind, Seen

ROWS_BESIDE: Final = 20
"""Of a list that stands beside others."""
COLUMNS: Final[dict[ListKind, tuple[str, ...]]] = {
    "voucher": (
        *("voucher", "holder", "status", "valid_until", "face_fen", "available_fen", "reserved_fen", "burned_fen"),
        "returned_fen",
    ),
    "application": (
        *("application", "holder", "status", "amount_fen", "issued_fen", "left_fen", "filed_at", "filed_index"),
    ),
    "claim": (
        *("claim", "programme", "claimant", "status", "last_day", "amount_fen", "paid_fen", "withheld_fen"),
        *("claimed_at", "settled_at"),
    ),
    "payee": (
        *("payee", "programme", "unclaimed_fen", "claimed_fen", "claims_open", "oldest_claimed_at", "withheld_fen"),
        *("paid_fen", "receivable_fen"),
    ),
    "demand": ("demand", "payee", "amount_fen", "left_fen", "received_fen", "set_off_fen", "demanded_at", "reason"),
    "mandate": ("mandate", "operator", "programme", "status", "until", "each_fen", "total_fen", "used_fen", "left_fen"),
    "accreditation": ("provider", "status", "batch", "valid_from", "valid_until", "index"),
    "reservation": (
        *("reservation", "provider", "until", "closed", "amount_fen", "taken_fen", "released_fen", "remaining_fen"),
        *("voucher", "contract"),
    ),
    "contract": (
        *("contract", "provider", "holder", "first_day", "last_day", "amount_fen", "charged_fen", "chargeable_fen"),
        "lines_accepted",
    ),
    "programme": (
        *("programme", "name", "closed", "closes_at", "envelope_fen", "unissued_fen", "available_fen"),
        *("reserved_fen", "burned_fen", "claimed_fen", "withheld_fen", "paid_fen", "receivable_fen"),
    ),
}
"""What is shown of a row; all of it, its own page shows."""


def list_beside(
    seen: Seen,
    asked: Asked,
    kind: ListKind,
    name: str,
    caption: str,
    **equal: object,
) -> Table:
    """Return a list as a table.

    Args:
        seen: what the reader sees.
        asked: the request, which says where the list goes on.
        kind: of its rows.
        name: the table's.
        caption: the table's, in the reader's language.
        equal: what some members of its rows must be; they have no column then.
    """
    found = seen.listed(kind, asked.rows_of(name, ROWS_BESIDE), after=asked.after(name), **equal)
    columns, kinds = [column for column in COLUMNS[kind] if column not in equal], OF_THINGS.get(kind, {})
    return table_of(name, caption, found.as_json(), asked.words, columns=columns, kinds=kinds).going_on(found.after)
