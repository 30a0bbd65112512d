"""All about one thing in a log: a voucher, a programme, a claim, what a treasury owes; or an entry.

show SOURCE voucher|holder|programme|provider|contract|application|claim|demand|mandate|reservation ID
show SOURCE item|party|key|treasury ID
show SOURCE entry INDEX
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import output, over_http, parameters
from tallystick.cli.parameters import AccountKind, BalanceKind
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.sources import Source
    from tallystick.transparency.receipt import Receipt


class What(StrEnum):
    """What can be shown."""

    VOUCHER = AccountKind.VOUCHER.value
    HOLDER = AccountKind.HOLDER.value
    PROGRAMME = AccountKind.PROGRAMME.value
    PROVIDER = AccountKind.PROVIDER.value
    CONTRACT = AccountKind.CONTRACT.value
    APPLICATION = BalanceKind.APPLICATION.value
    CLAIM = BalanceKind.CLAIM.value
    DEMAND = BalanceKind.DEMAND.value
    MANDATE = BalanceKind.MANDATE.value
    RESERVATION = "reservation"
    ITEM = "item"
    PARTY = "party"
    KEY = "key"
    TREASURY = AccountKind.TREASURY.value
    ENTRY = "entry"


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(show)


def show(
    source: parameters.ReadSource,
    what: Annotated[What, typer.Argument(help="What to show.")],
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="Its id, for example acme-ai/v-1 or guian-cluster; an entry's index.")
    ],
    as_of: parameters.AsOf = None,
    day: parameters.Day = None,
    fresh: parameters.Fresh = False,
    as_json: parameters.AsJsonInFen = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    wide: parameters.Wide = False,
) -> None:
    """Show all about one thing: what it comes to, and how it came to that."""
    from tallystick.cli.views import open_answers
    from tallystick.forms.times import with_local_times

    login = over_http.Login(key, passphrase_file, passphrase_command)
    if what is What.ENTRY:
        if as_of is not None or day is not None:
            raise UsageError(f"an entry never changes: leave --{'day' if as_of is None else 'as-of'} out")
        _show_entry(source, id_, login, as_json=as_json, wide=wide)
        return
    with open_answers(source, login, as_of, is_fresh=fresh, by_day=day) as asked:
        said = asked.show(what.value, id_)
        if as_json:
            output.print_json(said)
        else:
            found = said[what.value]
            shown = with_local_times(found.pop("balance") | found, asked.zone)
            versions = shown.pop("versions", ())
            headings = output.PROGRAMME_HEADINGS if what in (What.PROGRAMME, What.TREASURY) else None
            output.line(f"{what.value} {id_}")
            output.record(asked.as_of, shown, headings=headings, wide=wide)
            _print_rules(versions)
        asked.say_when()


def _print_rules(versions: Sequence[Mapping[str, Any]]) -> None:
    """Print a programme's rules in words, each version with its first day."""
    for version in versions:
        why = f": {version['reason']}" if version["reason"] else ""
        output.prose(f"rules from {version['first_day']} (entry {version['index']}){why}")
        for sentence in version["in_words"]:
            output.prose(f"- {sentence}")


def _show_entry(source: "Source", index: str, login: over_http.Login, *, as_json: bool, wide: bool) -> None:
    """Show an entry, which is proved to be in the tree of the source's checkpoint; who signed that is for `verify`."""
    from tallystick.cli.moments import zone_in
    from tallystick.forms.times import index_of
    from tallystick.publishing.reader import read_ledger

    number = index_of(index)
    if number is None:
        raise UsageError(f"{index} is not an entry's index, which is a number counted from 0")
    with over_http.served(source, login) as service:
        if service is not None:
            proof = service.questions.receipt_by(number)
            _print_entry(proof, service.info["origin"], service.size, service.zone, as_json=as_json, wide=wide)
            return
    with read_ledger(source) as reader:
        _print_entry(reader.receipt(number), reader.origin, reader.size, zone_in(reader), as_json=as_json, wide=wide)


def _print_entry(proof: "Receipt", origin: str, size: int, zone: int, *, as_json: bool, wide: bool) -> None:
    from tallystick.cli.entries import print_entry
    from tallystick.wire.entries import entry, shown

    said = entry(proof.index, proof.entry or b"")
    if as_json:
        output.print_json(shown(said))
    else:
        output.line(f"entry {proof.index} of {origin}, which has {size:,}")
        print_entry(said, zone=zone, wide=wide)
