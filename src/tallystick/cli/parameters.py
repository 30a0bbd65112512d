"""Arguments and options that several commands take, each said once: its name, what it is read as, and its help.

A SOURCE is parsed here, where a command starts, and nobody after that asks again what kind of place it is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import reading

if TYPE_CHECKING:
    from tallystick.sources import Source, WritableSource
else:  # typer takes no union; what it passes on is what the parser returns
    Source = WritableSource = str


def _source(parser: Callable[[str], Any], text: str) -> Any:  # noqa: ANN401 - as typer has it
    return typer.Argument(metavar="SOURCE", parser=parser, help=text)


ReadSource = Annotated[
    Source,
    _source(
        reading.source_of,
        "A ledger's folder or postgresql:// URL, which may be in use; an exported folder, or the URL of one.",
    ),
]
LedgerSource = Annotated[
    WritableSource, _source(reading.ledger_of, "A ledger folder, or the postgresql:// URL of a ledger.")
]
NewLedgerSource = Annotated[
    WritableSource,
    _source(reading.new_ledger_of, "A folder, made if it isn't there; or an empty database's URL."),
]
RestoreTarget = Annotated[
    WritableSource,
    typer.Argument(
        metavar="TARGET", parser=reading.new_ledger_of, help="A new folder, or the URL of an empty database."
    ),
]
PublishedSource = Annotated[
    Source, _source(reading.published_of, "A ledger folder or postgresql:// URL, or an exported folder.")
]

LogTime = Annotated[
    str | None,
    typer.Option(
        "--log-time",
        help="The log's time instead of this machine's, for rehearsals only: it can never go back again.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="An entry's index, a time (…T08:00:00Z, …T16:00:00+08:00, …T16:00:00) or the end of a day (2026-01-05).",
    ),
]
