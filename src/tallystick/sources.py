"""A SOURCE is one of four kinds of place, told once, where it is named; a database's password is never shown.

postgresql://…                          LedgerDatabase    a ledger in PostgreSQL
any other scheme                        StaticUrl         an exported log on the web, or a service; of a pair both
                                                          URLs, with a comma between them
a folder with an export and no ledger   StaticFolder      `checkpoint` or `tile/`
any other folder                        LedgerFolder      `ledger.db`, or no log yet

Telling looks at names alone; nothing is opened. What isn't there is found out where it is opened:

    ledger/opening.py           to write
    publishing/reader.py        to read
    audit/evidence_source.py    to audit

Each matches on the kind. What they share is here: the names of the files by which a folder is told.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallystick.errors import UsageError

DATABASE: Final = "ledger.db"
CHECKPOINT: Final = "checkpoint"
TILES: Final = "tile"

_POSTGRES: Final = ("postgresql://", "postgres://")
_PASSWORD_PARAMETER: Final = re.compile(r"((?:ssl)?password=)[^&]*", re.IGNORECASE)

_COMMAS: Final = re.compile(r",(?=https?://)")
_NO_PORT: Final = re.compile(r"^([^/?#\[]*?:)(?!\d+(?:[,/?#]|$))[^/?#]*")
"""What stands where the port of a host should: most likely a password, and the host was forgotten."""


@dataclass(frozen=True, slots=True)
class LedgerFolder:
    """A folder with a ledger, or one in which a ledger is to be made; it needn't be there."""

    folder: Path

    def __str__(self) -> str:
        """Return the folder's path."""
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class LedgerDatabase:
    """A PostgreSQL database with a ledger, or in which one is to be made; as text without its password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        """Return the URL as it may be shown and logged."""
        return without_password(self.url)


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """A folder with an exported log."""

    folder: Path

    def __str__(self) -> str:
        """Return the folder's path."""
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class StaticUrl:
    """The URL of an exported log, or of a service, whose tiles are one; as text without what may be a password.

    Attributes:
        url: as it was given, the first of several.
        token: of a session at the service, by which it knows who reads; never shown.
        others: further URLs of the same service.
    """

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)

    @property
    def urls(self) -> tuple[str, ...]:
        """All URLs, in the order given."""
        return self.url, *self.others

    def __str__(self) -> str:
        """Return the URLs as they may be shown and logged."""
        return ",".join(without_password(url) for url in self.urls)


Source = LedgerFolder | LedgerDatabase | StaticFolder | StaticUrl
WritableSource = LedgerFolder | LedgerDatabase
AnySource = Source | Path | str
"""What the public functions take: a SOURCE that was told already, or one to be told; a `Path` is always a folder."""


def parse_source(source: AnySource) -> Source:
    """Return which kind of place a source is.

    Raises:
        OSError: this machine can't look at the folder.
    """
    if not isinstance(source, str | Path):
        return source
    if isinstance(source, str) and source.startswith(_POSTGRES):
        return LedgerDatabase(source)
    if isinstance(source, str) and "://" in source:
        url, *others = urls_in(source)
        return StaticUrl(url, others=tuple(others))
    folder = Path(source)
    if (folder / DATABASE).is_file():
        return LedgerFolder(folder)
    is_export = (folder / CHECKPOINT).is_file() or (folder / TILES).is_dir()
    return StaticFolder(folder) if is_export else LedgerFolder(folder)


def urls_in(text: str) -> list[str]:
    """Return the URLs of a service, which stand with commas between them."""
    return _COMMAS.split(text)


def parse_writable(source: AnySource, *, is_new: bool = False) -> WritableSource:
    """Return the place of a ledger that is to be written; in a folder with an export it may be too.

    Args:
        source: where it is.
        is_new: it is to be made there.

    Raises:
        UsageError: it can only be read.
        OSError: this machine can't look at the folder.
    """
    match parse_source(source):
        case StaticFolder(folder):
            return LedgerFolder(folder)
        case StaticUrl() as url if is_new:
            raise UsageError(f"{url} is not a place for a ledger: give a new folder, or a database's URL")
        case StaticUrl() as url:
            raise UsageError(f"{url} is a URL, which can only be read: give the ledger folder")
        case writable:
            return writable


def folder_of(source: Source) -> Path | None:
    """Return the folder that a source is, None for a database or a URL: it has no files beside the log."""
    return source.folder if isinstance(source, LedgerFolder | StaticFolder) else None


def without_password(url: str) -> str:
    """Return a database's URL as it may be shown and logged; what is no URL stays as it is."""
    if "://" not in url:
        return url
    scheme, separator, rest = url.partition("://")
    authority, at, place = rest.rpartition("@")
    user = authority.partition(":")[0]
    shown = _PASSWORD_PARAMETER.sub(r"\1...", _NO_PORT.sub(r"\1...", place))
    return f"{scheme}{separator}{user}{at}{shown}"
