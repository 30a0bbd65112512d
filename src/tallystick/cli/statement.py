"""A statement for a voucher's holder, a provider or a programme: pages that can be printed, in English or Chinese.

statement SOURCE holder|provider|programme ID -o FILE.pdf
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, over_http, parameters
from tallystick.cli.parameters import AccountKind
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.accounting.statement import Statement
    from tallystick.accounting.statement_cells import Period
    from tallystick.sources import Source


class Stated(StrEnum):
    """What has a statement."""

    HOLDER = AccountKind.HOLDER.value
    PROVIDER = AccountKind.PROVIDER.value
    PROGRAMME = AccountKind.PROGRAMME.value


class Lang(StrEnum):
    """In which language."""

    EN = "en"
    ZH = "zh"


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(statement)


def statement(
    source: parameters.ReadSource,
    what: Annotated[Stated, typer.Argument(help="Whose statement.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example acme-ai or shanghai-treasury/compute.")],
    file: Annotated[str, parameters.out("Where the PDF goes; - is stdout.")],
    lang: Annotated[Lang, typer.Option(help="The language of its words.")] = Lang.EN,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="What happened from this day on, and what stood before.")
    ] = None,
    last_day: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY", help="What happened up to this day; without --as-of as it stood then."),
    ] = None,
    as_of: parameters.AsOf = None,
    font: Annotated[
        str | None, typer.Option(metavar="FAMILY", help="A font of this machine instead of the bundled one.")
    ] = None,
    fresh: parameters.Fresh = False,
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write a statement as PDF: what stands, and what happened entry by entry."""
    from tallystick.accounting.statement_pages import Typesetter

    out = NamedFile(file, kinds.PDF, force=force)
    typesetter = Typesetter(font)
    login = over_http.Login(key, passphrase_file, passphrase_command)
    source = over_http.logged_in(source, login)
    made, as_of_text = _made(source, what, id_, lang, period_of(first_day, last_day), as_of, is_fresh=fresh)
    out.write(typesetter.pdf(made))
    output.line_about(out, f"{file}: statement of {what.value} {id_}, {as_of_text}")


def period_of(first_day: str | None, last_day: str | None) -> "Period":
    """Return the period that two options say.

    Raises:
        UsageError: one is no day, or the first is after the last.
    """
    from tallystick.accounting.statement_cells import Period
    from tallystick.forms.times import read_day

    period = Period(*[None if day is None else read_day(day) for day in (first_day, last_day)])
    if period.first_day is not None and period.last_day is not None and period.first_day > period.last_day:
        raise UsageError(f"--from {first_day} is after --until {last_day}")
    return period


def _made(
    source: "Source", what: Stated, id_: str, lang: Lang, period: "Period", as_of: str | None, *, is_fresh: bool
) -> "tuple[Statement, str]":
    from tallystick.accounting.log_place import place_in
    from tallystick.accounting.statement import make_statement
    from tallystick.accounting.statement_words import StatementWords
    from tallystick.cli.views import open_views
    from tallystick.views import Views
    from tallystick.vouchers.quantities import format_day, start_of_day

    if as_of is None and period.last_day is not None:
        as_of = format_day(period.last_day)
    with ExitStack() as open_now:
        asked = open_now.enter_context(open_views(source, as_of, is_fresh=is_fresh))
        place = place_in(asked.reader(), asked.views.size)
        opening = None
        if period.first_day is not None:
            before = start_of_day(period.first_day, place.zone) - 1
            opening = open_now.enter_context(Views.as_of(source, at=before))
        made = make_statement(what.value, id_, asked.views, place, StatementWords(lang.value), period, opening)
        asked.say_when()
        return made, asked.as_of
