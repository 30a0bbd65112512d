"""A treasury pays: the list for its bank, and the bank's answer read back as settlements to sign.

payments list SOURCE --programme P --accounts PAYEES.csv -o list.csv
payments read SOURCE BANK.csv --programme P -o settle.csv
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, over_http, parameters, reading
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.accounting.payables import Payable, PayeeAccount
    from tallystick.accounting.payments import BankAnswer
    from tallystick.cli.views import Asked

Programme = Annotated[str, typer.Option("--programme", metavar="ID", help="The programme that pays.")]
Withhold = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="What you withhold: claim, contract, withheld (yuan), reason."),
]
SetOff = Annotated[bool, typer.Option("--set-off", help="Set off what you ask back of a payee, the oldest first.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Pay claims through a bank.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list", short_help="Write the list of payments for the bank.")(list_)
    group.command("read", short_help="Read the bank's answer: settlements to sign.")(read)
    app.add_typer(group, name="payments")


def list_(
    source: parameters.ReadSource,
    programme: Programme,
    accounts: Annotated[
        Path, typer.Option(metavar="PAYEES.csv", help="Accounts of payees: payee, name, account, bank. Not in the log.")
    ],
    file: Annotated[str, parameters.out("Where the list goes, CSV; - is stdout.")] = "-",
    withhold: Withhold = None,
    set_off: SetOff = False,
    as_of: parameters.AsOf = None,
    fresh: parameters.Fresh = False,
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write what is to be paid of a programme's open claims, one payment a claim, for the bank."""
    from tallystick.accounting.log_place import place_in
    from tallystick.accounting.payables import check_accounts
    from tallystick.accounting.payments import LIST_COLUMNS, payment_rows
    from tallystick.cli.views import open_views
    from tallystick.forms.amounts import yuan
    from tallystick.printing.csv_bytes import csv_bytes

    out = NamedFile(file, kinds.PAYMENT_LIST, force=force)
    known = _accounts(accounts)
    source = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    with open_views(source, as_of, is_fresh=fresh) as asked:
        place = place_in(asked.reader(), asked.views.size)
        dues = _payables(asked, programme, withhold, sets_off=set_off)
        asked.say_when()
    for due in dues:
        if due.missing:
            output.notice(f"{due.claim} isn't payable yet: {'; '.join(due.missing)}")
        elif not due.due_fen:
            output.notice(f"{due.claim}: nothing is to be paid by the bank; `payments read` settles it")
    listed = [due for due in dues if due.due_fen and not due.missing]
    check_accounts(listed, known, str(accounts))
    out.write(csv_bytes(LIST_COLUMNS, payment_rows(listed, known)))
    total = yuan(sum(due.due_fen for due in listed))
    count = f"{len(listed):,} payment{'s' * (len(listed) != 1)}"
    output.line_about(out, f"{file}: {count}, {total} yuan, as of entry {place.index:,}, root {place.root_text}")


def read(
    source: parameters.ReadSource,
    bank_file: Annotated[str, typer.Argument(metavar="BANK.csv", help="The bank's list of payments; - is stdin.")],
    programme: Programme,
    file: Annotated[
        str | None, parameters.out("Where the settlements go, a sheet for `do redemption.settle --from`; - is stdout.")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(metavar="PAYEES.csv", help="Compare the accounts that were paid with these.")
    ] = None,
    withhold: Withhold = None,
    set_off: SetOff = False,
    mandate: Annotated[str | None, typer.Option(metavar="ID", help="The mandate by which an operator settles.")] = None,
    only_ours: Annotated[
        bool, typer.Option("--only-ours", help="Pass over payments that have no reference of ours.")
    ] = False,
    fresh: parameters.Fresh = False,
    as_json: parameters.AsJsonInFen = False,
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Compare the bank's payments with what is due, and write settlements of what was paid; nothing is signed."""
    from tallystick.accounting.bank_file import FILE_SIZE_MAX, read_bank_file
    from tallystick.accounting.payments import SHEET_COLUMNS, read_answer, settlement_rows
    from tallystick.cli.views import open_views
    from tallystick.errors import UsageError
    from tallystick.printing.csv_bytes import csv_bytes
    from tallystick.views.claims import claim_balances

    out = None if file is None else NamedFile(file, kinds.SETTLEMENTS, force=force)
    if out is not None and out.is_standard_output and as_json:
        raise UsageError("--json goes to standard output, and so does the sheet: give -o a file's name")
    known = None if accounts is None else _accounts(accounts)
    try:
        payments = read_bank_file(reading.read_file(bank_file, FILE_SIZE_MAX)).payments
    except UsageError as error:
        raise UsageError(f"{bank_file}: {error}") from None
    source = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    with open_views(source, None, is_fresh=fresh) as asked:
        dues = _payables(asked, programme, withhold, sets_off=set_off)
        treasury = programme.partition("/")[0]
        claims = [one for one in asked.views.ask(claim_balances) if one.programme.partition("/")[0] == treasury]
        origin, zone = asked.reader().origin, asked.zone
    answer = read_answer(payments, programme, dues, claims, origin, known, only_ours=only_ours)
    if out is not None and answer.paid:
        out.write(csv_bytes(SHEET_COLUMNS, settlement_rows(answer.paid, mandate, zone)))
    if as_json:
        output.print_json(_said(answer, programme, len(payments)))
    elif out is None or not out.is_standard_output:
        _print(answer, file if answer.paid else None)
    else:
        for finding in answer.findings:
            output.notice(f"line {finding.line}: {finding.code.value}: {finding.detail}")
    raise typer.Exit(REFUSED if answer.findings else AS_ASKED)


def _accounts(file: Path) -> "dict[str, PayeeAccount]":
    from tallystick.accounting.payables import PAYEE_HEADINGS, payee_accounts
    from tallystick.accounting.plain_sheets import read_rows

    name = str(file)
    return payee_accounts(read_rows(reading.read_file(name), name, PAYEE_HEADINGS), name)


def _payables(asked: "Asked", programme: str, withhold: Path | None, *, sets_off: bool) -> "Sequence[Payable]":
    from tallystick.accounting.payables import WITHHOLD_HEADINGS, payables
    from tallystick.accounting.plain_sheets import read_rows

    name = str(withhold)
    rows = [] if withhold is None else read_rows(reading.read_file(name), name, WITHHOLD_HEADINGS)
    return payables(asked.views, asked.reader().origin, programme, rows, name=name, sets_off=sets_off)


def _said(answer: "BankAnswer", programme: str, payments: int) -> dict[str, object]:
    """Return the answer as JSON values."""
    return {
        "programme": programme,
        "payments": payments,
        "paid": [
            {
                "claim": one.payable.claim,
                "payee": one.payable.payee,
                "due_fen": one.payable.due_fen,
                "line": None if one.payment is None else one.payment.line,
            }
            for one in answer.paid
        ],
        "settled_before": answer.settled,
        "unpaid": [
            {"claim": one.claim, "payee": one.payee, "due_fen": one.due_fen, "reference": one.reference}
            for one in answer.unpaid
        ],
        "of_other_programmes": answer.elsewhere,
        "passed_over": answer.passed_over,
        "findings": [asdict(one) | {"code": one.code.value} for one in answer.findings],
    }


def _print(answer: "BankAnswer", file: str | None) -> None:
    from tallystick.forms.amounts import yuan

    paid_fen = sum(one.payable.due_fen for one in answer.paid)
    where = f", in {file}: read them, and sign with `tallystick do redemption.settle --from {file}`" if file else ""
    output.line(
        f"{len(answer.paid):,} claim{'s' * (len(answer.paid) != 1)} can be settled, {yuan(paid_fen)} yuan{where}"
    )
    unpaid_fen = sum(one.due_fen for one in answer.unpaid)
    output.line(
        f"{len(answer.settled):,} are settled already, {len(answer.unpaid):,} are not paid ({yuan(unpaid_fen)} yuan)"
    )
    if answer.elsewhere or answer.passed_over:
        output.line(
            f"{answer.elsewhere:,} payments are of other programmes, {answer.passed_over:,} have no reference of ours"
        )
    if answer.findings:
        rows = [asdict(one) | {"code": one.code.value} for one in answer.findings]
        output.rows("What is wrong", rows, columns=["line", "code", "claim", "amount_fen", "due_fen", "detail"])
