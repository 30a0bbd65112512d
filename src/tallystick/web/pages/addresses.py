"""Where each thing's page is: the plural of its kind, and its id."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from tallystick.web.resources import RESOURCES

PLURALS: Final[Mapping[str, str]] = {of.kind: of.plural for of in RESOURCES} | {"entry": "entries"}


def address_of(kind: str, id_: object) -> str:
    """Return the path of a thing's page, from the root of the site on."""
    return f"/{PLURALS[kind]}/{quote(str(id_), safe='/')}"
