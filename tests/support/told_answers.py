"""Answers in the words of the scenario tables: an event and its amounts, or the reason for which it was refused."""

from collections.abc import Iterator

from support.row_values import yuan
from tallystick.vouchers.book import OF_LOTS, lot_in
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned, Claimed, Expired, Released, Returned, Reversed, Sealed
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State


def told(answer: Entry | Refusal, state: State) -> str:
    """Say an answer in the words of the tables; the state is that after it."""
    if isinstance(answer, Refusal):
        return answer.reason.value
    outcome = answer.event.outcome
    word = answer.event.kind.partition(".")[2].removesuffix("/1")
    if isinstance(outcome, Burned):
        command = answer.event.command
        assert isinstance(command, TimeBurn | ServiceBurn)
        contract = state.contracts[command.contract]
        return " | ".join(_told_lines(outcome, says_who=len(contract.programmes) > 1 or len(outcome.paid) > 1))
    if isinstance(outcome, Released):
        return f"{word} {yuan(outcome.released_fen)} to {outcome.to}"
    if isinstance(outcome, Reversed):
        return f"{word} {_told_returned(outcome)}"
    if isinstance(outcome, Expired):
        return f"{word} {_told_expired(outcome)}"
    if isinstance(outcome, Returned):
        return f"{word} {yuan(outcome.returned_fen)}"
    if isinstance(outcome, Sealed):
        return f"{word} {outcome.accounts} accounts"
    return f"{word} {_told_claimed(outcome)}" if isinstance(outcome, Claimed) else word


def told_balances(state: State, name: str) -> str:
    """Say what lies in a programme's accounts, or became of what was burned under a contract: where it isn't 0."""
    if name in state.programmes:
        accounts_fen = {str(account): fen for account, fen in state.book.totals[name].items()}
    else:
        assert name in state.contracts, f"{name} is neither a programme nor a contract"
        accounts_fen = {
            "unclaimed" if account == "burned" else account: sum(
                amount_fen
                for one, amount_fen in state.book.balances[account].items()
                if lot_in(account, one).contract == name
            )
            for account in OF_LOTS
        }
    return "holds " + " + ".join(f"{yuan(fen)} {account}" for account, fen in accounts_fen.items() if fen)


def told_accounts(sealed: tuple[str, ...], kind: str) -> str:
    """Say which accounts of a kind the last seal has, of those that are called after a party."""
    names = [name.partition("/")[2] for name in sealed if name.startswith(f"{kind} ")]
    return "sealed " + (", ".join(names) or "none")


def _told_claimed(outcome: Claimed) -> str:
    """Return what is claimed: `17.55 under K2`, `27.45 under K1 + 17.55 under K2, and more`."""
    assert outcome.amount_fen == sum(amount_fen for _, amount_fen in outcome.rows)
    rows = [f"{yuan(amount_fen)} under {contract.partition('/')[2]}" for contract, amount_fen in outcome.rows]
    return " + ".join(rows) + (", and more" if outcome.more else "")


def _told_lines(outcome: Burned, *, says_who: bool) -> Iterator[str]:
    """Yield what was paid of each line: `24.00`, `60.00 of RC + 40.00 of RD`, `0.00, absorbed 100.00`; or a reason."""
    refused, absorbed = dict(outcome.refused), dict(outcome.absorbed)
    for number in range(len(outcome.fee_fen)):
        paid = [(name.partition("/")[2], amounts[number]) for name, amounts in outcome.paid if amounts[number]]
        if number in refused:
            assert (outcome.fee_fen[number], absorbed.get(number), paid) == (0, None, [])
            yield refused[number].value
            continue
        told = " + ".join(f"{yuan(amount)} of {name}" if says_who else yuan(amount) for name, amount in paid) or "0.00"
        yield f"{told}, absorbed {yuan(absorbed[number])}" if number in absorbed else told


def _told_expired(outcome: Expired) -> str:
    """Return what time ended: `4,000.00 of reservation R1 to voucher + 6,000.00 of voucher V1 to programme`."""
    rows = [f"{yuan(fen)} of {kind} {_told_id(name)} to {to}" for kind, name, fen, to in outcome.rows]
    return " + ".join(rows) + (", and more" if outcome.more else "")


def _told_id(name: str) -> str:
    """Return an id without its party; of a lot, its voucher and contract: `V1 under K1`."""
    return " under ".join(one.partition("/")[2] for one in name.split(" "))


def _told_returned(outcome: Reversed) -> str:
    """Return what went back: `0.00`, `24.00 to voucher`, `60.00 of RC to reservation + 40.00 of RD to voucher`."""
    if len(outcome.returned) < 2:
        return "".join(f"{yuan(amount_fen)} to {to}" for _, amount_fen, to in outcome.returned) or "0.00"
    return " + ".join(f"{yuan(fen)} of {name.partition('/')[2]} to {to}" for name, fen, to in outcome.returned)
