"""Lists of everything that a command names, and what a text leads to.

list SOURCE vouchers|contracts|claims|parties|keys|items|tariffs|… [--where holder=acme-ai] [--after ID] [--limit N]
list SOURCE entries [--where account='voucher acme-ai/v-1'] [--before INDEX]
search SOURCE TEXT
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from tallystick.cli import output, over_http, parameters
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.views.lists import ListKind

ROWS_USUAL: Final = 100
_ENTRY_FILTERS: Final = ("account", "party", "ref", "kind")


class Listed(StrEnum):
    """What can be listed; the plural of what it is."""

    VOUCHERS = "vouchers"
    RESERVATIONS = "reservations"
    CONTRACTS = "contracts"
    APPLICATIONS = "applications"
    CLAIMS = "claims"
    DEMANDS = "demands"
    PAYEES = "payees"
    PROGRAMMES = "programmes"
    MANDATES = "mandates"
    PARTIES = "parties"
    HOLDERS = "holders"
    PROVIDERS = "providers"
    TREASURIES = "treasuries"
    KEYS = "keys"
    ITEMS = "items"
    TARIFFS = "tariffs"
    ACCREDITATIONS = "accreditations"
    CAPACITIES = "capacities"
    ENTRIES = "entries"


_KINDS: Final = {Listed.PARTIES: "party", Listed.TREASURIES: "treasury", Listed.CAPACITIES: "capacity"}


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("list")(list_)
    app.command()(search)


def list_(
    source: parameters.ReadSource,
    what: Annotated[Listed, typer.Argument(help="What to list.")],
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="NAME=VALUE", help="Only rows of which a member has this value; several."),
    ] = None,
    after: Annotated[str | None, typer.Option(help="Go on after the row of this id.")] = None,
    before: Annotated[int | None, typer.Option(help="Of entries: those before this index.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many rows at most.")] = ROWS_USUAL,
    as_of: parameters.AsOf = None,
    day: parameters.Day = None,
    fresh: parameters.Fresh = False,
    as_json: parameters.AsJsonInFen = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    wide: parameters.Wide = False,
) -> None:
    """List vouchers, contracts, claims, parties, keys, items, tariffs and so on, or entries newest first."""
    from tallystick.cli.views import open_answers
    from tallystick.forms.times import with_local_times
    from tallystick.views.lists import LISTS

    is_entries = what is Listed.ENTRIES
    kind = cast("ListKind", _KINDS.get(what, what.value.removesuffix("s")))
    wanted = _wanted(where or (), _ENTRY_FILTERS if is_entries else LISTS[kind].filters)
    if (after is not None and is_entries) or (before is not None and not is_entries):
        raise UsageError(f"a list of {what.value} goes on with --{'before' if is_entries else 'after'}")
    login = over_http.Login(key, passphrase_file, passphrase_command)
    with open_answers(source, login, as_of, is_fresh=fresh, by_day=day) as asked:
        if is_entries:
            said, more = asked.recorded(wanted, limit, before)
            rows, columns = said["recorded"], ["index", "at", "kind", "party", "ref"]
        else:
            said, more = asked.listed(kind, wanted, limit, after)
            rows, columns = said["rows"], _told(said["rows"], LISTS[kind].columns)
        if as_json:
            output.print_json(said)
        else:
            output.rows(f"{what.value} {asked.as_of}", with_local_times(rows, asked.zone), columns=columns, wide=wide)
            if not rows:
                output.line("there are none")
        if more is not None:
            output.notice(f"there are more: go on with --{'before' if is_entries else 'after'} {more}")
        asked.say_when()


def _told(rows: Collection[Mapping[str, Any]], columns: list[str]) -> list[str]:
    """Return the columns that a row has something in: of others' things their terms alone are told."""
    return [name for name in columns if any(name in row for row in rows)] or columns


def search(
    source: parameters.ReadSource,
    text: Annotated[str, typer.Argument(help="An id, name, credit code, key, reference, index, hash or job.")],
    fresh: parameters.Fresh = False,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    wide: parameters.Wide = False,
) -> None:
    """Say what a text leads to: things and entries, exact ones first."""
    from tallystick.cli.views import open_answers

    login = over_http.Login(key, passphrase_file, passphrase_command)
    with open_answers(source, login, None, is_fresh=fresh) as asked:
        said = asked.search(text)
    if as_json:
        output.print_json(said)
        return
    hits = [hit | {"look at it": f"tallystick show … {hit['kind']} {hit['id']}"} for hit in said["hits"]]
    output.rows(f"what {text} leads to", hits, columns=["kind", "id", "by", "look at it"], wide=wide)
    if not hits:
        output.line("it leads to nothing")


def _wanted(where: Collection[str], filters: Collection[str]) -> dict[str, Any]:
    """Return the values that members must have.

    Raises:
        UsageError: there is no such member to go by.
    """
    wanted: dict[str, Any] = {}
    for one in where:
        name, equals, value = one.partition("=")
        if not equals or name not in filters:
            by = ", ".join(filters) or "nothing"
            raise UsageError(f"--where takes NAME=VALUE, and this list goes by {by}: {one[:80]!a}")
        wanted[name] = value if name != "closed" else value in ("true", "yes", "1")
    return wanted
