"""Of what an entry books that time ended, a dossier is about some rows, and a part of a log knows some.

`book.expire/1` says nothing of what it ends; what that is, the whole state tells. So of a part of the log, those of its
rows count that are about what is in the part; and decided anew, those must come out that are the account's.
"""

from tallystick.vouchers.book import Lot
from tallystick.vouchers.outcomes import Expired, ExpiredRow
from tallystick.vouchers.rules.endings import ROWS_MAX
from tallystick.vouchers.rules.rule import voucher_accounts
from tallystick.vouchers.state import Due, State


def known_rows(state: State, outcome: Expired) -> Expired:
    """Return an outcome with those of its rows that are about what is in a part of the log."""
    return Expired(outcome.more, tuple([row for row in outcome.rows if _is_known(state, row)]))


def account_rows(state: State, account: str, outcome: Expired) -> list[ExpiredRow]:
    """Return the rows that touch an account, among those about what is in a part of the log."""
    return [row for row in outcome.rows if _is_known(state, row) and account in _accounts_of(state, row)]


def comes_out(state: State, account: str, decided: Expired, recorded: Expired) -> bool:
    """Return whether an account's rows are decided as they are recorded.

    Where more was due than an entry has room for, those that the part has beyond the recorded ones must be due later.
    """
    said, told = account_rows(state, account, recorded), account_rows(state, account, decided)
    if len(recorded.rows) > ROWS_MAX or (recorded.more and len(recorded.rows) != ROWS_MAX):
        return False
    if not recorded.more or told[: len(said)] != said:
        return told == said
    last = max([_place_of(state, row) for row in recorded.rows if _is_known(state, row)], default=None)
    return last is None or all(_place_of(state, row) > last for row in told[len(said) :])


def _is_known(state: State, row: ExpiredRow) -> bool:
    kind, name, _, _ = row
    match kind:
        case "voucher":
            return name in state.vouchers
        case "reservation":
            return name in state.reservations
        case "lot":  # a contract that is there has its whole life, so all of its lots
            return Lot(*name.split(" ")).contract in state.contracts


def _accounts_of(state: State, row: ExpiredRow) -> set[str]:
    kind, name, _, _ = row
    voucher, more = name, set[str]()
    if kind == "lot":
        voucher, contract = Lot(*name.split(" "))
        more = {f"contract {contract}", f"provider {state.contracts[contract].provider}"}
    elif kind == "reservation":
        voucher = state.reservations[name].voucher
        more = {f"provider {state.reservations[name].provider}"}
    treasury = state.programmes[state.vouchers[voucher].programme].treasury
    return voucher_accounts(state, voucher) | {f"treasury {treasury}"} | more


def _place_of(state: State, row: ExpiredRow) -> tuple[Due, str]:
    """Return what orders rows: when time ended what they are about, and of lots of one voucher their ids."""
    kind, name, _, _ = row
    match kind:
        case "voucher":
            return Due(state.vouchers[name].valid_until, name, "voucher"), ""
        case "reservation":
            return state.due_of(state.reservations[name]), ""
        case "lot":
            return state.lots_due(Lot(*name.split(" ")).voucher), name
