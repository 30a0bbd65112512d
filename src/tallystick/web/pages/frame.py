"""What stands around every page: as of when, who reads, in which language and theme, and where else one can go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from urllib.parse import urlencode

from tallystick.web.pages.addresses import address_of
from tallystick.web.pages.page import CARRIED, Place
from tallystick.web.pages.words import N_, Words

Theme = Literal["light", "dark", "system"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark", "system")
THEME_COOKIE: Final = "theme"
LANGUAGE_COOKIE: Final = "lang"


class Section(NamedTuple):
    """A page that every page leads to: its address, its name, the key after `g`."""

    path: str
    name: str
    letter: str


SECTIONS: Final = (
    Section("/", N_("Network"), "n"),
    Section("/treasuries", N_("Treasuries"), "t"),
    Section("/programmes", N_("Programmes"), "p"),
    Section("/vouchers", N_("Vouchers"), "v"),
    Section("/holders", N_("Holders"), "h"),
    Section("/providers", N_("Providers"), "d"),
    Section("/claims", N_("Claims"), "c"),
    Section("/entries", N_("Entries"), "e"),
    Section("/log", N_("Log"), "l"),
    Section("/verify", N_("Verify"), "y"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page.

    Attributes:
        path: its address, from the root of the site on.
        query: its parameters.
        base: the path under which the site is mounted; empty for the root.
        words: the reader's language.
        theme: light or dark, or as the reader's system has it.
        origin: the log's; empty if nothing of the log is shown.
        size: how many entries the page is of.
        at: the log's time of the last of them (RFC 3339).
        root: the tree's, in hexadecimal.
        newest_size: how many entries the log has.
        reader: the party that logged in; empty if none has.
        role: its role.
        place: what the site is.
    """

    path: str
    query: Mapping[str, str]
    base: str
    words: Words
    theme: Theme
    origin: str
    size: int
    at: str
    root: str
    newest_size: int
    reader: str
    role: str
    place: Place

    @property
    def is_past(self) -> bool:
        """Whether the page is as of an earlier time."""
        return any(name in self.query for name in CARRIED)

    @property
    def sections(self) -> Sequence[Section]:
        """The pages that every page leads to."""
        return SECTIONS

    @property
    def as_of(self) -> str:
        """As of what was asked for; empty for now."""
        return self.query.get("as_of", "")

    def to(self, path: str, **query: object) -> str:
        """Return the link to a page, as of the same time."""
        carried = {name: self.query[name] for name in CARRIED if name in self.query}
        said = carried | {name: str(value) for name, value in query.items()}
        return f"{self.base}{path}" + (f"?{urlencode(said)}" if said else "")

    def to_thing(self, kind: str, id_: object) -> str:
        """Return the link to a thing's page, as of the same time."""
        return self.to(address_of(kind, id_))

    def here(self, **changed: object) -> str:
        """Return the link to this page with other parameters; None leaves one out."""
        said = {name: str(value) for name, value in {**self.query, **changed}.items() if value is not None}
        return f"{self.base}{self.path}" + (f"?{urlencode(said)}" if said else "")


def theme_of(cookie: str | None) -> Theme:
    """Return the theme that a cookie says."""
    return next((theme for theme in THEMES if theme == cookie), "system")
