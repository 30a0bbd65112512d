"""Of what is claimed and settled, contract by contract, a part of a log knows the contracts that are in it.

`redemption.claim/1` says nothing of what it claims; what that is, the whole state tells. A contract that is in a part
is there with its whole life, so a claim that is believed takes exactly what it took of that contract, and nothing of
others. A claim of the account has all its contracts in the part, and is decided anew.
"""

from tallystick.vouchers.outcomes import Claimed
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.state import State


def known_contracts(state: State, outcome: Claimed) -> Claimed:
    """Return an outcome with those of its rows that are about contracts in a part of the log."""
    rows = tuple([(contract, amount_fen) for contract, amount_fen in outcome.rows if contract in state.contracts])
    return Claimed(sum([amount_fen for _, amount_fen in rows]), outcome.more, rows)


def unknown_contracts(state: State, event: Event) -> list[str]:
    """Return the contracts of a claim or a settlement that aren't in a part of the log."""
    if isinstance(event.outcome, Claimed):
        names = [contract for contract, _ in event.outcome.rows]
    elif isinstance(event.command, RedemptionSettle):
        names = [row.contract for row in event.command.rows]
    else:
        return []
    return [name for name in names if name not in state.contracts]


def claim_comes_out(decided: Claimed, recorded: Claimed) -> bool:
    """Return whether a claim is decided as it is recorded; that there was more to claim, a part needn't know."""
    return (
        recorded.more
        and not decided.more
        and (decided.amount_fen, decided.rows)
        == (
            recorded.amount_fen,
            recorded.rows,
        )
    )


def pay_unknown(state: State, command: RedemptionSettle) -> None:
    """Note as paid what a settlement paid of lots that aren't in the part: so what a payee was paid is exact.

    Where that comes from, the part doesn't tell.

    Asked before the settlement is evolved.
    """
    claim = state.claims[command.claim]
    known = {lot.contract for lot, _ in state.claimed(command.claim)}
    paid_fen = sum([row.paid_fen for row in command.rows if row.contract not in known])
    state.book.note("paid", f"{claim.programme} {claim.claimant}", paid_fen)
    if paid_fen:
        state.book.totals[claim.programme]["paid"] += paid_fen
