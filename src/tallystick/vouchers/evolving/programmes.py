"""Events of accelerators, tariffs, programmes and accreditations."""

from tallystick.vouchers.commands import (
    AcceleratorRegister,
    ProgrammeClose,
    ProgrammeOpen,
    ProviderAccredit,
    ProviderDelist,
    TariffPublish,
)
from tallystick.vouchers.events import Event
from tallystick.vouchers.programmes import Accelerator, Accreditation, Programme
from tallystick.vouchers.state import Posting, State


def accelerator_registered(state: State, command: AcceleratorRegister, event: Event) -> tuple[Posting, ...]:
    """A model, domestic or foreign."""
    state.accelerators[command.accelerator] = Accelerator(command.name, command.origin)
    return ()


def tariff_published(state: State, command: TariffPublish, event: Event) -> tuple[Posting, ...]:
    """A price from a date on."""
    tariffs = state.tariffs.setdefault(command.party, {}).setdefault(command.accelerator, [])
    tariffs.append((command.valid_from, command.price_fen_per_gpu_hour))
    return ()


def programme_opened(state: State, command: ProgrammeOpen, event: Event) -> tuple[Posting, ...]:
    """The whole envelope is unissued."""
    state.programmes[command.programme] = Programme(command)
    envelope = Posting(
        command.programme, "envelope", command.programme, "unissued", command.programme, command.envelope_fen
    )
    return (state.post(envelope),)


def programme_closed(state: State, command: ProgrammeClose, event: Event) -> tuple[Posting, ...]:
    """Nothing more is issued."""
    state.programmes[command.programme].closed = True
    return ()


def provider_accredited(state: State, command: ProviderAccredit, event: Event) -> tuple[Posting, ...]:
    """An accreditation without an end."""
    accreditations = state.programmes[command.programme].accreditations.setdefault(command.provider, [])
    accreditations.append(Accreditation(command.valid_from))
    return ()


def provider_delisted(state: State, command: ProviderDelist, event: Event) -> tuple[Posting, ...]:
    """The accreditation ends."""
    state.programmes[command.programme].accreditations[command.provider][-1].valid_until = command.valid_until
    return ()
