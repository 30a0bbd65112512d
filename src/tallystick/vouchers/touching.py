"""Which accounts an entry touches: the table of docs/rules.md, "Sealed books".

An account is `voucher <id>`, `holder <id>`, `provider <id>` or `programme <id>`. Seals count touches, and a dossier
is all entries that touched its subject: so both ask here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.vouchers import commands as c
from tallystick.vouchers.events import Burned, Event
from tallystick.vouchers.state import State

Accounts = set[str]


def touched_by(state: State, event: Event) -> Accounts:
    """Return the accounts that an event touches, given the state after it."""
    touching = _TOUCHING.get(type(event.command))
    return touching(state, event.command, event) if touching is not None else set()


def _party(state: State, party: str) -> Accounts:
    role = state.parties[party].role
    return {f"{role} {party}"} if role in ("holder", "provider") else set()


def _subject(state: State, command: c.PartySuspend | c.PartyReinstate | c.KeyAdd | c.KeyRevoke, _: Event) -> Accounts:
    return _party(state, command.subject)


def _admitted(state: State, command: c.PartyAdmit, _: Event) -> Accounts:
    return _party(state, command.admitted)


def _tariff(state: State, command: c.TariffPublish, _: Event) -> Accounts:
    return {f"provider {command.party}"}


def _programme(state: State, command: c.ProgrammeOpen | c.ProgrammeClose, _: Event) -> Accounts:
    return {f"programme {command.programme}"}


def _accreditation(state: State, command: c.ProviderAccredit | c.ProviderDelist, _: Event) -> Accounts:
    return {f"programme {command.programme}", f"provider {command.provider}"}


def _voucher_of(state: State, voucher_id: str) -> Accounts:
    voucher = state.vouchers[voucher_id]
    return {f"voucher {voucher_id}", f"holder {voucher.holder}", f"programme {voucher.programme}"}


def _voucher(
    state: State,
    command: c.VoucherIssue | c.VoucherSuspend | c.VoucherResume | c.VoucherRevoke | c.VoucherLapse,
    _: Event,
) -> Accounts:
    return _voucher_of(state, command.voucher)


def _transfer(state: State, command: c.VoucherTransfer, _: Event) -> Accounts:
    return _voucher_of(state, command.voucher) | _voucher_of(state, command.into)


def _reservation(state: State, command: c.VoucherReserve | c.ReservationRelease, _: Event) -> Accounts:
    reservation = state.reservations[command.reservation]
    return _voucher_of(state, reservation.voucher) | {f"provider {reservation.provider}"}


def _statement(state: State, command: c.TimeBurn, event: Event) -> Accounts:
    assert isinstance(event.outcome, Burned)
    refused = {line for line, _ in event.outcome.refused}
    accounts = {f"provider {command.party}", f"holder {command.holder}"}
    for reservation_id in {line.reservation for number, line in enumerate(command.lines) if number not in refused}:
        reservation = state.reservations[reservation_id]
        accounts |= {f"voucher {reservation.voucher}", f"programme {reservation.programme}"}
    return accounts


def _reversal(state: State, command: c.BurnReverse, _: Event) -> Accounts:
    line = state.statements[command.party][command.statement].line(command.line)
    assert line is not None
    reservation = state.reservations[line.reservation]
    return _voucher_of(state, reservation.voucher) | {f"provider {command.party}"}


def _claim(state: State, command: c.RedemptionClaim | c.RedemptionPay | c.RedemptionReject, _: Event) -> Accounts:
    claim = state.claims[command.claim]
    return {f"programme {claim.programme}"} | _party(state, claim.claimant)


_TOUCHING: Final[Mapping[type[c.Command], Callable[[State, Any, Event], Accounts]]] = {
    c.PartyAdmit: _admitted,
    c.PartySuspend: _subject,
    c.PartyReinstate: _subject,
    c.KeyAdd: _subject,
    c.KeyRevoke: _subject,
    c.TariffPublish: _tariff,
    c.ProgrammeOpen: _programme,
    c.ProgrammeClose: _programme,
    c.ProviderAccredit: _accreditation,
    c.ProviderDelist: _accreditation,
    c.VoucherIssue: _voucher,
    c.VoucherTransfer: _transfer,
    c.VoucherSuspend: _voucher,
    c.VoucherResume: _voucher,
    c.VoucherRevoke: _voucher,
    c.VoucherLapse: _voucher,
    c.VoucherReserve: _reservation,
    c.ReservationRelease: _reservation,
    c.TimeBurn: _statement,
    c.BurnReverse: _reversal,
    c.RedemptionClaim: _claim,
    c.RedemptionPay: _claim,
    c.RedemptionReject: _claim,
}
