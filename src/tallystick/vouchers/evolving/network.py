"""Events of the network, its parties and their keys."""

from collections.abc import Iterable

from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.commands import KeyAdd, KeyRevoke, NetworkFound, PartyAdmit, PartyReinstate, PartySuspend
from tallystick.vouchers.events import Event
from tallystick.vouchers.parties import Key, Network, Party
from tallystick.vouchers.state import Posting, State


def network_founded(state: State, command: NetworkFound, event: Event) -> tuple[Posting, ...]:
    """The founder becomes the first party."""
    state.network = Network(command.party, command)
    state.parties[command.party] = Party("network", command.name, command.party, quorum=command.root_quorum)
    _add_keys(state, command.party, command.root_keys, event.index)
    return ()


def party_admitted(state: State, command: PartyAdmit, event: Event) -> tuple[Posting, ...]:
    """A party with its first keys."""
    state.parties[command.admitted] = Party(
        command.role, command.name, command.party, command.uscc, command.quorum or 1
    )
    if command.uscc is not None:
        state.usccs[command.uscc] = command.admitted
    _add_keys(state, command.admitted, command.keys, event.index)
    return ()


def party_suspended(state: State, command: PartySuspend, event: Event) -> tuple[Posting, ...]:
    """It may command nothing."""
    state.parties[command.subject].suspended = True
    return ()


def party_reinstated(state: State, command: PartyReinstate, event: Event) -> tuple[Posting, ...]:
    """It may command again."""
    state.parties[command.subject].suspended = False
    return ()


def key_added(state: State, command: KeyAdd, event: Event) -> tuple[Posting, ...]:
    """One more key."""
    _add_keys(state, command.subject, (command.vkey,), event.index)
    return ()


def key_revoked(state: State, command: KeyRevoke, event: Event) -> tuple[Posting, ...]:
    """The key stays known, so that old signatures can be checked; from here on it doesn't count."""
    state.keys[command.key].revoked_index = event.index
    return ()


def _add_keys(state: State, party: str, vkeys: Iterable[str], index: int) -> None:
    for vkey in vkeys:
        verifier = VerifierKey.from_text(vkey)
        state.keys[verifier.label] = Key(party, vkey, index)
        state.public_keys[verifier.public_key.hex()] = verifier.label
        state.parties[party].keys.append(verifier.label)
