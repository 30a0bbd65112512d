"""A PostgreSQL database is reached by the words of its URL, and no password of it is ever shown.

Several hosts in one URL, and target_session_attrs=read-write, are libpq's matter: every connection is made anew from
the URL. What the URL says goes before what is usual here.

psycopg is an extra: this is imported only where a database is to be reached.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tallystick.errors import UsageError
from tallystick.sources import without_password

_QUOTED: Final = re.compile(r"""(?<!\w)(["']).*?\1""")


def parameters_of(url: str, usual: Mapping[str, object]) -> dict[str, Any]:
    """Return what a URL says, over what is usual.

    Raises:
        UsageError: the URL isn't one of a database.
    """
    try:
        return {**usual, **conninfo_to_dict(url)}
    except psycopg.Error:
        # Its text repeats the URL, and with it the password.
        raise UsageError(
            f"{without_password(url)} is not a database's URL like postgresql://user@host:5432/database"
        ) from None


def said(error: psycopg.Error) -> str:
    """Return what PostgreSQL says, in a line; of what the library says, nothing that it quotes.

    The library quotes pieces of the URL, and of a misspelt one any piece may be the password.
    """
    if error.sqlstate is None:
        text = _QUOTED.sub("...", " ".join(str(error).split()))
    else:
        parts = (error.diag.message_primary or str(error), error.diag.message_detail or "")
        text = "; ".join(" ".join(part.split()) for part in parts if part)
    return text or "no reason given"
