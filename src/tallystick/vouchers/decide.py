"""What a command comes to, given that its note and signatures stand: one function for each kind, in one table."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.vouchers import commands as c
from tallystick.vouchers.deciding import burns, network, programmes, redemptions, seals, vouchers
from tallystick.vouchers.events import Outcome
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

Decision = Callable[[State, Any, int], Outcome | Refusal]

DECISIONS: Final[Mapping[type[c.Command], Decision]] = {
    c.NetworkFound: network.network_found,
    c.PartyAdmit: network.party_admit,
    c.PartySuspend: network.party_suspend,
    c.PartyReinstate: network.party_reinstate,
    c.KeyAdd: network.key_add,
    c.KeyRevoke: network.key_revoke,
    c.AcceleratorRegister: programmes.accelerator_register,
    c.ProgrammeOpen: programmes.programme_open,
    c.ProgrammeClose: programmes.programme_close,
    c.ProviderAccredit: programmes.provider_accredit,
    c.ProviderDelist: programmes.provider_delist,
    c.TariffPublish: programmes.tariff_publish,
    c.VoucherIssue: vouchers.voucher_issue,
    c.VoucherTransfer: vouchers.voucher_transfer,
    c.VoucherSuspend: vouchers.voucher_suspend,
    c.VoucherResume: vouchers.voucher_resume,
    c.VoucherRevoke: vouchers.voucher_revoke,
    c.VoucherLapse: vouchers.voucher_lapse,
    c.VoucherReserve: vouchers.voucher_reserve,
    c.ReservationRelease: vouchers.reservation_release,
    c.TimeBurn: burns.time_burn,
    c.BurnReverse: burns.burn_reverse,
    c.RedemptionClaim: redemptions.redemption_claim,
    c.RedemptionPay: redemptions.redemption_pay,
    c.RedemptionReject: redemptions.redemption_reject,
    c.BookSeal: seals.book_seal,
}


def decide(state: State, command: c.Command, at: int) -> Outcome | Refusal:
    """Return what a command comes to at the log's time `at` (microseconds), or why it is refused. Changes nothing."""
    return DECISIONS[type(command)](state, command, at)
