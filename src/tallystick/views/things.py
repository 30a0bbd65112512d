"""Whether there is a thing of a kind and an id: one look-up by its key."""

from collections.abc import Mapping
from typing import Any, Final

from tallystick.errors import NotFoundError
from tallystick.views.applications import APPLICATIONS
from tallystick.views.balances import PARTIES, RESERVATIONS, VOUCHERS
from tallystick.views.claims import CLAIMS
from tallystick.views.contract_payments import CONTRACTS
from tallystick.views.demands import DEMANDS
from tallystick.views.library import SQLiteCursor
from tallystick.views.mandates import MANDATES
from tallystick.views.programme_balances import PROGRAMMES
from tallystick.views.view_tables import Table

_TABLES: Final[Mapping[str, Table[Any]]] = {
    "programme": PROGRAMMES,
    "voucher": VOUCHERS,
    "contract": CONTRACTS,
    "reservation": RESERVATIONS,
    "application": APPLICATIONS,
    "claim": CLAIMS,
    "demand": DEMANDS,
    "mandate": MANDATES,
}
_ROLES: Final = frozenset({"treasury", "provider", "holder"})


def check_there(c: SQLiteCursor, kind: str, thing: str) -> None:
    """Do nothing if there is a thing.

    Raises:
        NotFoundError: there is none of that kind and id.
    """
    is_party = kind in _ROLES
    if not (PARTIES.rows(c, party=thing, role=kind) if is_party else _TABLES[kind].rows(c, **{kind: thing})):
        raise NotFoundError(f"there is no {kind} {thing}")
