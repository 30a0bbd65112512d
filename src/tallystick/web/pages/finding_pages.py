"""What the last audit found, and what patterns it saw, from its report's file; whether that is of the log shown here.

An audit isn't made here: it replays all entries, and it is worth most where somebody else makes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tallystick.errors import LedgerError, MalformedError
from tallystick.vouchers.quantities import format_instant
from tallystick.web.pages.addresses import PLURALS
from tallystick.web.pages.cells import kind_of
from tallystick.web.pages.page import ROWS_SHOWN, Asked, CellKind, Column, Page, PageRoute, Table
from tallystick.web.pages.words import Words
from tallystick.web.report_file import Reported, ReportedPattern
from tallystick.web.seen_log import SeenLog

_TONES: Final[Mapping[str, str]] = {"note": "", "warning": "is-warn", "alarm": "is-bad"}


class Read(NamedTuple):
    """A report, and how it stands to the log that is shown.

    Attributes:
        reported: what it says; None if it can't be read, or there is none.
        written_at: when the file was written last (RFC 3339).
        fault: why it can't be read.
        standing: `same`, `older`, `other_log`, `longer`, `other_root` or `no_checkpoint`.
        unaudited: how many entries came later.
    """

    reported: Reported | None = None
    written_at: str = ""
    fault: str = ""
    standing: str = ""
    unaudited: int = 0

    @property
    def is_of_this_log(self) -> bool:
        """Whether it is of this log's past: else nothing that it says is said of this log."""
        return self.standing in ("same", "older")


def read_report(seen: SeenLog, asked: Asked) -> Read:
    """Return the report that the site was given, to who may read the log as a whole.

    Raises:
        HttpProblem: who may not.
    """
    seen.reader.check_follows()
    file = asked.place.report
    if file is None:
        return Read()
    try:
        reported, written_at = file.read()
    except MalformedError as error:
        return Read(fault=str(error))
    standing = _standing(reported, seen)
    return Read(reported, format_instant(written_at), "", standing, max(0, seen.log_size - reported.entries))


def _standing(reported: Reported, seen: SeenLog) -> str:
    checkpoint = reported.checkpoint
    if checkpoint is None:
        return "no_checkpoint"
    if checkpoint.origin != seen.origin:
        return "other_log"
    if checkpoint.size > seen.log_size:
        return "longer"
    try:
        root = seen.newest_root if checkpoint.size == seen.log_size else seen.root_at(checkpoint.size)
    except (LedgerError, MalformedError):
        root = b""
    if root != reported.root:
        return "other_root"
    return "same" if checkpoint.size == seen.log_size else "older"


def _findings(seen: SeenLog, asked: Asked) -> Page:
    words = asked.words
    read = read_report(seen, asked)
    tables: list[Table] = []
    if read.reported is not None:
        rows = [
            {
                "code": one.code,
                "finding": words.finding(one.code),
                "index": one.index,
                "reason": one.reason,
                "detail": one.detail,
            }
            for one in read.reported.findings
        ]
        columns = (
            Column("finding", words.gettext("What is wrong")),
            Column("index", words.gettext("Entry"), "entry" if read.is_of_this_log else "text"),
            Column("reason", words.gettext("The rules refuse it because"), "reason"),
            Column("detail", words.gettext("Details")),
            Column("code", words.gettext("Code")),
        )
        none = words.gettext("Nothing was found.")
        tables.append(asked.part_of(Table("findings", words.gettext("Findings"), columns, rows, empty=none)))
        tables += _compromised(read.reported, words)
    values = {"read": read, "has_file": asked.place.report is not None, "size": seen.log_size}
    return Page(words.gettext("Findings"), values, tables)


def _compromised(reported: Reported, words: Words) -> Sequence[Table]:
    rows = [
        {**one.model_dump(exclude={"entries"}), "first_index": one.entries[0] if one.entries else None}
        for one in reported.compromised_keys or []
    ]
    if not rows:
        return ()
    columns = (
        Column("key", words.gettext("Key"), "key"),
        Column("party", words.gettext("Party"), "party"),
        Column("since", words.gettext("Compromised since"), "instant"),
        Column("signed", words.gettext("Entries signed since"), "count"),
        Column("first_index", words.gettext("The first of them"), "entry"),
        Column("revoked_index", words.gettext("Revoked by"), "entry"),
    )
    return (Table("compromised", words.gettext("Keys that were said to be compromised"), columns, rows),)


# -- patterns ---------------------------------------------------------------------------------------------------------


class ShownPattern(NamedTuple):
    """A pattern as it is shown: its place in the list and how grave it is; `things` and `figures` with their kinds."""

    seen: ReportedPattern
    tone: str
    things: list[tuple[str, str]]
    figures: list[tuple[str, CellKind, int]]
    more: int


def _patterns(seen: SeenLog, asked: Asked) -> Page:
    words = asked.words
    read = read_report(seen, asked)
    patterns = None if read.reported is None else read.reported.patterns
    start = asked.before("patterns") or 0
    everything = [] if patterns is None else patterns.seen
    shown = [_shown(one) for one in everything[start : start + ROWS_SHOWN]]
    rows = [
        {
            "pattern": one.pattern,
            "severity": one.severity,
            "certainty": one.certainty,
            "sentence": one.sentence,
            "index": one.entries[0] if one.entries else None,
            "entries": one.figures.get("entries", len(one.entries)),
        }
        for one in everything
    ]
    columns = (
        Column("severity", words.gettext("How grave")),
        Column("pattern", words.gettext("Pattern")),
        Column("certainty", words.gettext("How sure")),
        Column("sentence", words.gettext("What was seen")),
        Column("index", words.gettext("First entry"), "entry"),
        Column("entries", words.gettext("Entries"), "count"),
    )
    counts = {grave: sum(one.severity == grave for one in everything) for grave in ("alarm", "warning", "note")}
    values: dict[str, Any] = {
        "read": read,
        "has_file": asked.place.report is not None,
        "patterns": patterns,
        "shown": shown,
        "counts": counts,
        "size": seen.log_size,
    }
    after = start + ROWS_SHOWN if start + ROWS_SHOWN < len(everything) else None
    table = Table("patterns", words.gettext("Patterns"), columns, rows)
    return Page(words.gettext("Patterns"), {**values, "next": after}, (table,))


def _shown(one: ReportedPattern) -> ShownPattern:
    things = [("party", party) for party in one.parties]
    for thing in one.things:
        kind, _, id_ = thing.partition(" ")
        things.append((kind if kind in PLURALS else "", id_ if kind in PLURALS else thing))
    figures = [(name, _figure_kind(name), value) for name, value in one.figures.items() if name != "entries"]
    more = one.figures.get("entries", 0) - len(one.entries)
    return ShownPattern(one, _TONES[one.severity], things, figures, max(0, more))


def _figure_kind(name: str) -> CellKind:
    kind = kind_of(name)
    return kind if kind in ("yuan", "gpu_time", "share") else "count"


PAGES: Final = (
    PageRoute("/findings", "findings.html", _findings, is_of_log=False, is_log_alone=True),
    PageRoute("/patterns", "patterns.html", _patterns, is_of_log=False, is_log_alone=True),
)
