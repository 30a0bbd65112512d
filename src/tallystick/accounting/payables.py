"""What a treasury has to pay now: the open claims of a programme, less what it withholds and sets off.

    due = claimed − withheld − set off        of each claim; withheld by contract, with a reason

A claim whose gates aren't passed isn't payable yet. Accounts of payees and what is withheld stand in files of the
treasury's; neither is in the log. Each claim has a short reference for the bank, worked out from the log and the claim.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tallystick.accounting.plain_sheets import SheetRow, raise_faults
from tallystick.errors import UsageError
from tallystick.forms.amounts import read_yuan, yuan
from tallystick.views import Views
from tallystick.views.claims import ClaimAccount, claim_account, claim_balances
from tallystick.views.demands import demand_balances
from tallystick.vouchers.rules.settlement import OFFSETS_MAX

PAYEE_HEADINGS: Final = ("payee", "name", "account", "bank")
WITHHOLD_HEADINGS: Final = ("claim", "contract", "withheld", "reason")
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]{4,40}", re.ASCII)
_REFERENCE_DIGITS: Final = 16
REFERENCE: Final = re.compile(r"TS[0-9A-F]{16}")
"""What a payment's text has of a claim; the bank may put blanks into it, and small letters."""


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """Where a payee is paid: its name there, its account's number, and the bank."""

    payee: str
    name: str
    account: str
    bank: str


@dataclass(frozen=True, slots=True)
class ContractShare:
    """What is paid and withheld of a claim under one contract; a reason of what is withheld, else None."""

    contract: str
    paid_fen: int
    withheld_fen: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Payable:
    """An open claim, and what is to be paid of it.

    Attributes:
        claim, payee, last_day: of the claim.
        reference: for the bank.
        shares: by contract, in the order of their ids.
        offsets: by demand, in the order of their ids: what is set off.
        missing: what gates still ask for; it isn't payable before.
    """

    claim: str
    payee: str
    last_day: str
    reference: str
    shares: tuple[ContractShare, ...]
    offsets: tuple[tuple[str, int], ...]
    missing: tuple[str, ...]

    @property
    def paid_fen(self) -> int:
        """What is paid of it, set off or not."""
        return sum(share.paid_fen for share in self.shares)

    @property
    def due_fen(self) -> int:
        """What is to be paid by the bank."""
        return self.paid_fen - sum(amount_fen for _, amount_fen in self.offsets)


def payment_reference(origin: str, claim: str) -> str:
    """Return the reference of a claim's payment: `TS` and 16 hexadecimal digits, the same for ever."""
    digest = hashlib.sha256(f"payment of a claim\n{origin}\n{claim}".encode()).hexdigest()
    return f"TS{digest[:_REFERENCE_DIGITS].upper()}"


def payee_accounts(rows: Sequence[SheetRow], name: str) -> dict[str, PayeeAccount]:
    """Return the accounts of a sheet with `PAYEE_HEADINGS`, by payee.

    Raises:
        UsageError: a payee stands there twice, or a number can't be one.
    """
    accounts: dict[str, PayeeAccount] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    for row in rows:
        number = re.sub(r"[ -]", "", row["account"].removeprefix("'"))
        if row["payee"] in accounts:
            faults.append(f"line {row.line}: {row['payee']} stands in line {lines[row['payee']]} too")
        elif not _ACCOUNT.fullmatch(number):
            faults.append(f"line {row.line}: {row['account'][:40]!a} is no account's number")
        accounts.setdefault(row["payee"], PayeeAccount(row["payee"], row["name"], number, row["bank"]))
        lines.setdefault(row["payee"], row.line)
    raise_faults(name, faults)
    return accounts


def payables(
    views: Views,
    origin: str,
    programme: str,
    withheld: Sequence[SheetRow] = (),
    *,
    name: str = "",
    sets_off: bool = False,
) -> tuple[Payable, ...]:
    """Return what is to be paid of a programme's open claims, in the order in which they were made.

    Args:
        views: of the log.
        origin: the log's.
        programme: that pays.
        withheld: rows of a sheet with `WITHHOLD_HEADINGS`.
        name: what a person calls that sheet.
        sets_off: what is asked back of a payee by the same treasury is set off, the oldest demand first.

    Raises:
        NotFoundError: there is no such programme.
        UsageError: the sheet names what isn't claimed, or more than is.
    """
    treasury = views.programme(programme).balance.treasury
    claims = [
        views.ask(partial(claim_account, claim=one.claim))
        for one in views.ask(lambda c: claim_balances(c, programme=programme))
        if one.status == "open"
    ]
    kept_back = _withheld(withheld, name, claims)
    left_fen: dict[str, int] = {}
    made: list[Payable] = []
    for account in claims:
        shares = tuple(
            ContractShare(row.contract, row.claimed_fen - kept_fen, kept_fen, reason)
            for row in account.rows
            for kept_fen, reason in [kept_back.get((account.balance.claim, row.contract), (0, None))]
        )
        offsets = _offsets(views, treasury, account, shares, left_fen) if sets_off else ()
        missing = tuple(gate.missing for gate in account.gates if not gate.passed)
        balance = account.balance
        reference = payment_reference(origin, balance.claim)
        made.append(Payable(balance.claim, balance.claimant, balance.last_day, reference, shares, offsets, missing))
    return tuple(made)


def _withheld(
    rows: Sequence[SheetRow], name: str, claims: Sequence[ClaimAccount]
) -> Mapping[tuple[str, str], tuple[int, str | None]]:
    """Return what is withheld, and why, by claim and contract."""
    claimed_fen = {(one.balance.claim, row.contract): row.claimed_fen for one in claims for row in one.rows}
    kept_back: dict[tuple[str, str], tuple[int, str | None]] = {}
    faults: list[str] = []
    for row in rows:
        key = row["claim"], row["contract"]
        try:
            withheld_fen = read_yuan(row["withheld"])
        except ValueError as error:
            faults.append(f"line {row.line}: withheld {error}")
            continue
        if key not in claimed_fen:
            faults.append(f"line {row.line}: no open claim {key[0]} of this programme has a contract {key[1]}")
        elif key in kept_back:
            faults.append(f"line {row.line}: {key[1]} of {key[0]} stands there twice")
        elif not 0 < withheld_fen <= claimed_fen[key]:
            faults.append(f"line {row.line}: {yuan(claimed_fen[key])} yuan are claimed under {key[1]}")
        kept_back[key] = withheld_fen, row["reason"]
    raise_faults(name, faults)
    return kept_back


def _offsets(
    views: Views,
    treasury: str,
    account: ClaimAccount,
    shares: Sequence[ContractShare],
    left_fen: dict[str, int],
) -> tuple[tuple[str, int], ...]:
    """Return what is set off in a claim, and take it off what is left of the demands."""
    open_fen = sum(share.paid_fen for share in shares)
    offsets: dict[str, int] = {}
    for demand in views.ask(lambda c: demand_balances(c, payee=account.balance.claimant)):
        if demand.programme.partition("/")[0] != treasury or len(offsets) == OFFSETS_MAX:
            continue
        set_off_fen = min(open_fen, left_fen.setdefault(demand.demand, demand.left_fen))
        if set_off_fen:
            offsets[demand.demand] = set_off_fen
            left_fen[demand.demand] -= set_off_fen
            open_fen -= set_off_fen
    return tuple(sorted(offsets.items()))


def check_accounts(dues: Sequence[Payable], accounts: Mapping[str, PayeeAccount], name: str) -> None:
    """Refuse a list of payments of which a payee has no account.

    Raises:
        UsageError: the text names those that are missing.
    """
    missing = sorted({due.payee for due in dues if due.payee not in accounts})
    if missing:
        more = f" and {len(missing) - 10:,} more" if len(missing) > 10 else ""
        raise UsageError(f"{name} has no account of {', '.join(missing[:10])}{more}: add a line for each")
