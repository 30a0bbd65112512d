"""What fewer officers signed than are required is counted a second time, and stays at or below the threshold.

By treasury and day, over all its holders, payees and programmes; docs/rules.md, "Parties". The rules count the same
before they decide. A fault in them would show here. Of a saved state that an audit goes on from, the sums can't be
counted again: it shows where they can't be what any entries came to, and not where they are a little off.
"""

import copy
from collections import Counter
from collections.abc import Iterator

from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.officers import DAYS_KEPT
from tallystick.vouchers.rules.recovery import RecoveryDemand
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue
from tallystick.vouchers.state import State


class OwnOfficerSums:
    """The sums by entries alone, beside those of the state."""

    def __init__(self, state: State) -> None:
        """Go on from the sums as they are."""
        self._sums_fen = copy.deepcopy(state.signed_by_few_fen)

    def count(self, state: State, event: Event) -> Iterator[str]:
        """Take in an entry, given the state after it, and yield what is wrong with its treasury's sums."""
        command, mandate = event.command, None
        if isinstance(command, VoucherIssue):
            amount_fen, mandate = command.face_fen, command.mandate
        elif isinstance(command, RedemptionSettle):
            amount_fen, mandate = command.paid_fen, command.mandate
        elif isinstance(command, RecoveryDemand):
            amount_fen = command.amount_fen
        else:
            return
        if amount_fen == 0:  # a settlement that only withholds
            return
        # An operator acts by a mandate, and counts as no officer of the treasury that gave it.
        treasury = command.party if mandate is None else state.mandates[mandate].treasury
        officers = state.parties[treasury].officers
        signed = len([name for name in event.key_names if name.startswith(f"{treasury}/")])
        if officers is None or signed >= officers.required:
            return
        today = state.day_of(event.at)
        before = self._sums_fen.get(treasury, {})
        kept = {day: sum_fen for day, sum_fen in before.items() if day > today - DAYS_KEPT}
        self._sums_fen[treasury] = kept | {today: kept.get(today, 0) + amount_fen}
        in_window_fen = sum(kept.get(today - days, 0) for days in range(officers.window_days)) + amount_fen
        if in_window_fen > officers.threshold_fen:
            yield (
                f"treasury {treasury}: fewer than {officers.required} officers signed {in_window_fen} fen within "
                f"{officers.window_days} days, and the threshold is {officers.threshold_fen} fen"
            )
        yield from self._differences(state, treasury)

    def differences(self, state: State) -> Iterator[str]:
        """Yield every treasury of which a state's sums aren't what the entries come to, or can't be of any entries."""
        yield from _impossible(state)
        for treasury in sorted(state.signed_by_few_fen.keys() | self._sums_fen.keys()):
            yield from self._differences(state, treasury)

    def _differences(self, state: State, treasury: str) -> Iterator[str]:
        there, counted = state.signed_by_few_fen.get(treasury, {}), self._sums_fen.get(treasury, {})
        if there != counted:
            yield (
                f"treasury {treasury}: too few officers signed {sum(there.values())} fen, "
                f"by entries {sum(counted.values())} fen"
            )


def _impossible(state: State) -> Iterator[str]:
    """Yield the sums of who is no treasury, of days to come, of nothing, or of more than ever left and was demanded."""
    left_fen: Counter[str] = Counter()
    for voucher in state.vouchers.values():
        programme = state.programmes.get(voucher.programme)
        if voucher.parent is None and programme is not None:
            left_fen[programme.treasury] += voucher.face_fen
    for name, programme in state.programmes.items():
        left_fen[programme.treasury] += state.book.totals.get(name, {}).get("paid", 0)
        left_fen[programme.treasury] += state.book["past_issued", name]
    for name, demand in state.demands.items():
        programme = state.programmes.get(demand.programme)
        if programme is not None:  # what is asked back was paid before
            once_paid_fen = state.book["receivable", name] + state.book["received", name]
            left_fen[programme.treasury] += once_paid_fen + demand.amount_fen
    # Of a demand that has left the state, what it was of isn't known any more.
    unbounded = {name.partition("/")[0] for name in state.left["demand"]}
    today = state.day_of(state.at)
    for treasury, sums_fen in state.signed_by_few_fen.items():
        party = state.parties.get(treasury)
        if party is None or party.role != "treasury":
            signed_fen = sum(sums_fen.values())
            yield f"treasury {treasury}: there is none of that id, and too few officers signed {signed_fen} fen"
        for day, sum_fen in sums_fen.items():
            if day > today or sum_fen <= 0:
                yield f"treasury {treasury}: too few officers signed {sum_fen} fen on {format_day(day)}"
        if treasury not in unbounded and sum(sums_fen.values()) > left_fen[treasury]:
            yield (
                f"treasury {treasury}: too few officers signed {sum(sums_fen.values())} fen, "
                f"and {left_fen[treasury]} fen were issued, paid and asked back"
            )
