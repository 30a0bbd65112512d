"""Accelerators, tariffs, programmes and accreditations."""

from tallystick.vouchers.commands import (
    AcceleratorRegister,
    ProgrammeClose,
    ProgrammeOpen,
    ProviderAccredit,
    ProviderDelist,
    TariffPublish,
)
from tallystick.vouchers.deciding.ids import check_new_id
from tallystick.vouchers.events import Nothing
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State


def accelerator_register(state: State, command: AcceleratorRegister, at: int) -> Nothing | Refusal:
    """A model is registered once."""
    if command.accelerator in state.accelerators:
        return Refusal(Reason.ID_ALREADY_USED, command.accelerator)
    return Nothing()


def programme_open(state: State, command: ProgrammeOpen, at: int) -> Nothing | Refusal:
    """A programme whose rules make sense."""
    refusal = check_new_id(command.programme, command.party, state.programmes)
    if refusal:
        return refusal
    if command.closes_at <= command.opens_at or command.closes_at <= at:
        return Refusal(Reason.WINDOW_INVALID, f"closes at {format_instant(command.closes_at)}")
    if command.holder_floor_fen > command.holder_cap_fen:
        return Refusal(Reason.FLOOR_ABOVE_CAP)
    for accelerator in command.accelerators:
        if accelerator not in state.accelerators:
            return Refusal(Reason.ACCELERATOR_UNKNOWN, accelerator)
    return Nothing()


def programme_close(state: State, command: ProgrammeClose, at: int) -> Nothing | Refusal:
    """Once."""
    refusal = check_own_programme(state, command.programme, command.party)
    if refusal:
        return refusal
    if state.programmes[command.programme].closed:
        return Refusal(Reason.PROGRAMME_CLOSED, command.programme)
    return Nothing()


def provider_accredit(state: State, command: ProviderAccredit, at: int) -> Nothing | Refusal:
    """From a service date on, which may lie in the past; never twice at a time."""
    refusal = check_own_programme(state, command.programme, command.party) or check_provider(state, command.provider)
    if refusal:
        return refusal
    before = state.programmes[command.programme].accreditations.get(command.provider)
    if before and (before[-1].valid_until is None or command.valid_from < before[-1].valid_until):
        return Refusal(Reason.PROVIDER_ALREADY_ACCREDITED, command.provider)
    return Nothing()


def provider_delist(state: State, command: ProviderDelist, at: int) -> Nothing | Refusal:
    """From a service date on, never in the past: what ran in good faith counts."""
    refusal = check_own_programme(state, command.programme, command.party)
    if refusal:
        return refusal
    if command.valid_until < at:
        return Refusal(Reason.DATE_IN_THE_PAST, f"valid_until {format_instant(command.valid_until)}")
    refusal = check_provider(state, command.provider)
    if refusal:
        return refusal
    before = state.programmes[command.programme].accreditations.get(command.provider)
    if not before or not before[-1].holds_at(command.valid_until):
        return Refusal(Reason.PROVIDER_NOT_ACCREDITED, command.provider)
    return Nothing()


def tariff_publish(state: State, command: TariffPublish, at: int) -> Nothing | Refusal:
    """A price from now or later on: never after the fact."""
    if command.valid_from < at:
        return Refusal(Reason.DATE_IN_THE_PAST, f"valid_from {format_instant(command.valid_from)}")
    before = state.tariffs.get(command.party, {}).get(command.accelerator)
    if before and command.valid_from <= before[-1][0]:
        return Refusal(Reason.TARIFF_NOT_LATER, f"the tariff before it is valid from {format_instant(before[-1][0])}")
    if command.accelerator not in state.accelerators:
        return Refusal(Reason.ACCELERATOR_UNKNOWN, command.accelerator)
    return Nothing()


def check_own_programme(state: State, programme: str, treasury: str) -> Refusal | None:
    """Refuse a programme that isn't there, or is another treasury's."""
    if programme not in state.programmes:
        return Refusal(Reason.PROGRAMME_UNKNOWN, programme)
    owner = state.programmes[programme].treasury
    return None if owner == treasury else Refusal(Reason.NOT_OWN_PROGRAMME, f"{programme} is of {owner}")


def check_provider(state: State, provider: str) -> Refusal | None:
    """Refuse who isn't a provider."""
    party = state.parties.get(provider)
    return None if party and party.role == "provider" else Refusal(Reason.PROVIDER_UNKNOWN, provider)
