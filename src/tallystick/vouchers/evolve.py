"""How an event changes the state: the one place where a state is written.

Amounts come from the event's outcome, never anew: replay repeats what was recorded; the audit has re-decided it before.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.vouchers import commands as c
from tallystick.vouchers.events import Event
from tallystick.vouchers.evolving import burns, network, programmes, redemptions, seals, vouchers
from tallystick.vouchers.seals import Touches
from tallystick.vouchers.state import Posting, Reference, State
from tallystick.vouchers.touching import touched_by

Change = Callable[[State, Any, Event], tuple[Posting, ...]]

CHANGES: Final[Mapping[type[c.Command], Change]] = {
    c.NetworkFound: network.network_founded,
    c.PartyAdmit: network.party_admitted,
    c.PartySuspend: network.party_suspended,
    c.PartyReinstate: network.party_reinstated,
    c.KeyAdd: network.key_added,
    c.KeyRevoke: network.key_revoked,
    c.AcceleratorRegister: programmes.accelerator_registered,
    c.ProgrammeOpen: programmes.programme_opened,
    c.ProgrammeClose: programmes.programme_closed,
    c.ProviderAccredit: programmes.provider_accredited,
    c.ProviderDelist: programmes.provider_delisted,
    c.TariffPublish: programmes.tariff_published,
    c.VoucherIssue: vouchers.voucher_issued,
    c.VoucherTransfer: vouchers.voucher_transferred,
    c.VoucherSuspend: vouchers.voucher_suspended,
    c.VoucherResume: vouchers.voucher_resumed,
    c.VoucherRevoke: vouchers.voucher_revoked,
    c.VoucherLapse: vouchers.voucher_lapsed,
    c.VoucherReserve: vouchers.voucher_reserved,
    c.ReservationRelease: vouchers.reservation_released,
    c.TimeBurn: burns.time_burned,
    c.BurnReverse: burns.burn_reversed,
    c.RedemptionClaim: redemptions.redemption_claimed,
    c.RedemptionPay: redemptions.redemption_paid,
    c.RedemptionReject: redemptions.redemption_rejected,
    c.BookSeal: seals.book_sealed,
}


def evolve(state: State, event: Event) -> tuple[Posting, ...]:
    """Change a state, in place, by the event that comes next.

    Returns:
        What moved between accounts, in order: views and accounts are made of these.

    Raises:
        ValueError: the event isn't the next one.
    """
    if event.index != state.size:
        raise ValueError(f"event {event.index} after {state.size} entries")
    command = event.command
    state.at = event.at
    _forget(state)
    postings = CHANGES[type(command)](state, command, event)
    for account in sorted(touched_by(state, event)):  # a set has no order of its own, and saved states must be equal
        touches = state.touches.get(account)
        if touches is None:
            touches = state.touches[account] = Touches()
        touches.add(event.index)
    state.size += 1
    reference = f"{command.party} {command.ref}"
    state.references[reference] = Reference(event.text_sha256, event.index, event.at)
    state.reference_order.append(reference)
    return postings


def _forget(state: State) -> None:
    """Drop what no rule can ask about any more; `State.reference` and `State.statement` draw the same line."""
    oldest = state.at - state.reference_memory_us
    while state.reference_order and state.references[state.reference_order[0]].at < oldest:
        del state.references[state.reference_order.popleft()]
    oldest = state.at - state.burn_window_us
    while state.statement_order:
        provider, ref = state.statement_order[0]
        if state.statements[provider][ref].at >= oldest:
            break
        state.statement_order.popleft()
        # Its intervals ended before it was recorded, so no line can reach them now.
        state.job_times[provider].forget(state.statements[provider].pop(ref))
