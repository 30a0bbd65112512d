"""What kind of place a SOURCE is, told from its text alone; nothing is opened, and a password is never shown.

postgresql://…           a ledger in PostgreSQL
any other scheme         an exported log on the web
everything else          a folder
"""

import re
from pathlib import Path
from typing import Final

_POSTGRES: Final = ("postgresql://", "postgres://")
_PASSWORD_PARAMETER: Final = re.compile(r"((?:ssl)?password=)[^&]*", re.IGNORECASE)

_NO_PORT: Final = re.compile(r"^([^/?#\[]*?:)(?!\d+(?:[,/?#]|$))[^/?#]*")
"""What stands where the port of a host should: most likely a password, and the host was forgotten."""


def is_postgres(source: Path | str) -> bool:
    """Return whether a source is meant as the URL of a PostgreSQL database."""
    return isinstance(source, str) and source.startswith(_POSTGRES)


def is_url(source: Path | str) -> bool:
    """Return whether a source is meant as a URL of any kind."""
    return isinstance(source, str) and "://" in source


def without_password(url: str) -> str:
    """Return a database's URL as it may be shown and logged; what is no URL stays as it is."""
    if not is_url(url):
        return url
    scheme, separator, rest = url.partition("://")
    authority, at, place = rest.rpartition("@")
    user = authority.partition(":")[0]
    shown = _PASSWORD_PARAMETER.sub(r"\1...", _NO_PORT.sub(r"\1...", place))
    return f"{scheme}{separator}{user}{at}{shown}"
