"""Of what an entry books that time ended, a dossier is about some rows, and a part of a log knows some.

`book.expire/1` says nothing of what it ends; what that is, the whole state tells. So of a part of the log, those of its
rows count that are about what is in the part; and decided anew, those must come out that are the account's.
"""

from tallystick.vouchers.outcomes import Expired
from tallystick.vouchers.rules.endings import ROWS_MAX, Row
from tallystick.vouchers.rules.rule import voucher_accounts
from tallystick.vouchers.state import Due, State


def known_rows(state: State, outcome: Expired) -> Expired:
    """Return an outcome with those of its rows that are about what is in a part of the log."""
    return Expired(outcome.more, tuple([row for row in outcome.rows if _is_known(state, row)]))


def account_rows(state: State, account: str, outcome: Expired) -> list[Row]:
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
    last = max([_due_of(state, row) for row in recorded.rows if _is_known(state, row)], default=None)
    return last is None or all(_due_of(state, row) > last for row in told[len(said) :])


def _is_known(state: State, row: Row) -> bool:
    kind, name, _, _ = row
    return name in (state.reservations if kind == "reservation" else state.vouchers)


def _accounts_of(state: State, row: Row) -> set[str]:
    kind, name, _, _ = row
    if kind == "voucher":
        return voucher_accounts(state, name)
    reservation = state.reservations[name]
    return voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}


def _due_of(state: State, row: Row) -> Due:
    kind, name, _, _ = row
    if kind == "voucher":
        return Due(state.vouchers[name].valid_until, name, "voucher")
    return state.due_of(state.reservations[name])
