"""Where each thing's page is: the plural of its kind, and its id."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

PLURALS: Final[Mapping[str, str]] = {
    "voucher": "vouchers",
    "holder": "holders",
    "programme": "programmes",
    "provider": "providers",
    "contract": "contracts",
    "application": "applications",
    "claim": "claims",
    "demand": "demands",
    "mandate": "mandates",
    "reservation": "reservations",
    "treasury": "treasuries",
    "party": "parties",
    "key": "keys",
    "item": "items",
    "entry": "entries",
}


def address_of(kind: str, id_: object) -> str:
    """Return the path of a thing's page, from the root of the site on."""
    return f"/{PLURALS[kind]}/{quote(str(id_), safe='/')}"
