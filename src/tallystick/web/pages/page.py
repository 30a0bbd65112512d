"""What a page is: a title, values for its template, and tables, each of which can be had as CSV too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlencode

from tallystick.web.pages.words import Words
from tallystick.web.report_file import ReportFile

CARRIED: Final = ("as_of", "day")
"""What every link on a page takes along."""
ROWS_SHOWN: Final = 50
"""Of a table that goes on on another page."""
CSV_ROWS_MAX: Final = 10_000
"""Of a table as CSV; its header leads to the rest."""

CellKind = Literal[
    "text",
    "yuan",
    "count",
    "gpu_time",
    "share",
    "instant",
    "day",
    "hash",
    "status",
    "status of application",
    "status of claim",
    "status of key",
    "status of mandate",
    "status of voucher",
    "yes_no",
    "entry",
    "objection",
    "event_kind",
    "reason",
    "verdict",
    "member",
    "role",
    "purpose",
    "basis",
    "origin",
    "unit",
    "payee_class",
    "verdict",
    "voucher",
    "holder",
    "programme",
    "provider",
    "contract",
    "application",
    "claim",
    "demand",
    "mandate",
    "reservation",
    "treasury",
    "party",
    "key",
    "item",
]
"""How a cell is shown: the names of things lead to their pages."""
NUMBERS: Final = frozenset({"yuan", "count", "gpu_time", "share"})


class Column(NamedTuple):
    """A column of a table: the member of its rows, its heading in the reader's language, how its cells are shown."""

    name: str
    heading: str
    kind: CellKind = "text"

    @property
    def is_number(self) -> bool:
        """Whether its cells are numbers."""
        return self.kind in NUMBERS


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page.

    Attributes:
        name: by which its CSV is asked for (`?csv=`), and its anchor.
        caption: what it holds, in the reader's language.
        columns: in their order.
        rows: as they are in JSON; a member that isn't told is left out of a row.
        after: what the next page begins after, as the parameter `<name>_after` has it; None at the end.
        empty: what is said if there is no row.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    after: str | int | None = None
    empty: str = ""

    def going_on(self, after: str | int | None) -> "Table":
        """Return the table as one that goes on on the next page; None at its end."""
        return replace(self, after=after)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is to be shown.

    Attributes:
        title: in the reader's language.
        values: what its template shows, by name.
        tables: by their names in the template's `tables`.
        leads_to: where the reader is sent instead, from the root of the site on; empty for a page of its own.
    """

    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    leads_to: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a page.

    Attributes:
        path: the parts of its address that vary, by name.
        query: its parameters.
        words: the reader's language.
        place: which kinds of source the log is read from, and what lies beside it.
        waiting: the half-signed notes that the reader may sign, as the API says them, where a page shows them.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    words: Words
    place: "Place"
    waiting: Sequence[Mapping[str, Any]] = ()

    @property
    def owned_id(self) -> str:
        """The id of a thing that a party made: `owner/number`."""
        return f"{self.path['owner']}/{self.path['number']}"

    def rows_of(self, table: str, shown: int = ROWS_SHOWN) -> int:
        """Return how many rows of a table are shown at most: a page's, or what its CSV holds."""
        return CSV_ROWS_MAX if self.query.get("csv") == table else shown

    def to(self, path: str) -> str:
        """Return a page's address as of the same time, from the root of the site on."""
        carried = {name: self.query[name] for name in CARRIED if name in self.query}
        return path + (f"?{urlencode(carried)}" if carried else "")

    def after(self, table: str) -> str | None:
        """Return what a table's page begins after."""
        return self.query.get(f"{table}_after")

    def part_of(self, table: "Table") -> "Table":
        """Return the part of a table with all its rows that is asked for, by how many rows come before it."""
        start = self.before(table.name) or 0
        stop = start + self.rows_of(table.name)
        return replace(table, rows=table.rows[start:stop], after=stop if stop < len(table.rows) else None)

    def before(self, table: str) -> int | None:
        """Return before which entry a table's page begins; None if that isn't said as a number."""
        text = self.query.get(f"{table}_after", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 16 else None


@dataclass(frozen=True, slots=True)
class Place:
    """What a site is.

    Attributes:
        is_read_only: whether it can't take notes: it explores a folder, an export or a database.
        has_logins: whether readers log in.
        report: the last audit's report, if its file was named.
        policy: the trust policy that lies beside the log, if one does: its text.
    """

    is_read_only: bool = False
    has_logins: bool = True
    report: ReportFile | None = None
    policy: str | None = None


class PageRoute(NamedTuple):
    """A page: its address with `{…}` for what varies, its template, what makes it.

    Attributes:
        letter: the key that leads to it after `g`; empty if none does.
        is_of_log: whether it is the same as long as the log is: then a reader who has it is told so.
        is_log_alone: whether it is made of the log's tree and bytes alone, also where no views can be made.
        shows_waiting: whether it shows what waits for its reader's signature.
        asks_views: whether a page of the log alone says what the views know besides, where they are there.
    """

    path: str
    template: str
    make: Callable[[Any, Asked], Page]
    letter: str = ""
    is_of_log: bool = True
    is_log_alone: bool = False
    shows_waiting: bool = False
    asks_views: bool = False
