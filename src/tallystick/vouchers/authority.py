"""Who may sign what: one table, and the one check of a note's signatures against it.

A signature line counts if its key is in the log, isn't revoked, and belongs to a party that the table asks. A line that
doesn't count is refused, never ignored: so nobody can change a recorded note by appending to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tallystick.errors import SignatureInvalidError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.vouchers import commands as c
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

Needed = dict[str, int]
"""How many signatures are needed of each party."""


def _own(state: State, command: c.Command) -> Needed:
    party = state.parties[command.party]
    return {command.party: party.quorum if party.role == "network" else 1}


def _root_quorum(state: State, command: c.NetworkFound) -> Needed:
    return {command.party: command.root_quorum}


def _quorum(state: State, command: c.Command) -> Needed:
    # Or one stolen key could make itself the others that have to sign, or a programme in which none has to.
    return {command.party: state.parties[command.party].quorum}


def _officers(state: State, command: c.VoucherIssue) -> Needed:
    programme = state.programmes.get(command.programme)
    if programme is None or command.face_fen <= programme.rules.officers_threshold_fen:
        return {command.party: 1}
    return {command.party: programme.rules.officers_required}


def _holder_and_treasury(state: State, command: c.VoucherTransfer) -> Needed:
    voucher = state.vouchers.get(command.voucher)
    if voucher is None:
        return {command.party: 1}
    programme = state.programmes[voucher.programme]
    if programme.rules.transfer != "approved":
        return {command.party: 1}
    return {command.party: 1, programme.treasury: 1}


@dataclass(frozen=True, slots=True)
class Authority:
    """Which roles may give a command, and whose signatures it needs."""

    roles: frozenset[c.Role]
    needed: Callable[[State, Any], Needed] = _own


_NETWORK: Final = frozenset[c.Role]({"network"})
_TREASURY: Final = frozenset[c.Role]({"treasury"})
_PROVIDER: Final = frozenset[c.Role]({"provider"})
_OPERATOR: Final = frozenset[c.Role]({"operator"})
_HOLDER: Final = frozenset[c.Role]({"holder"})
_ANY: Final = frozenset[c.Role]({"network", "treasury", "provider", "auditor", "operator", "holder"})

AUTHORITY: Final[Mapping[type[c.Command], Authority]] = {
    c.NetworkFound: Authority(_NETWORK, _root_quorum),
    c.PartyAdmit: Authority(_NETWORK | _TREASURY),
    c.PartySuspend: Authority(_NETWORK | _TREASURY),
    c.PartyReinstate: Authority(_NETWORK | _TREASURY),
    c.KeyAdd: Authority(_ANY, _quorum),
    c.KeyRevoke: Authority(_ANY, _quorum),
    c.AcceleratorRegister: Authority(_NETWORK),
    c.ProgrammeOpen: Authority(_TREASURY, _quorum),
    c.ProgrammeClose: Authority(_TREASURY),
    c.ProviderAccredit: Authority(_TREASURY),
    c.ProviderDelist: Authority(_TREASURY),
    c.TariffPublish: Authority(_PROVIDER),
    c.VoucherIssue: Authority(_TREASURY, _officers),
    c.VoucherTransfer: Authority(_HOLDER, _holder_and_treasury),
    c.VoucherSuspend: Authority(_TREASURY),
    c.VoucherResume: Authority(_TREASURY),
    c.VoucherRevoke: Authority(_TREASURY),
    c.VoucherLapse: Authority(_TREASURY),
    c.VoucherReserve: Authority(_HOLDER),
    c.ReservationRelease: Authority(_HOLDER | _PROVIDER),
    c.TimeBurn: Authority(_PROVIDER),
    c.BurnReverse: Authority(_PROVIDER),
    c.RedemptionClaim: Authority(_PROVIDER | _HOLDER),
    c.RedemptionPay: Authority(_TREASURY),
    c.RedemptionReject: Authority(_TREASURY),
    c.BookSeal: Authority(_OPERATOR),
}


class _Line(NamedTuple):
    """A signature line with what the log knows of its key."""

    label: str
    blob: bytes
    verifier: VerifierKey
    party: str
    is_revoked: bool


def check_standing(state: State, command: c.Command) -> Refusal | None:
    """Refuse a command of a party that is unknown, suspended, or of the wrong role."""
    if isinstance(command, c.NetworkFound):
        return None
    party = state.parties.get(command.party)
    if party is None:
        return Refusal(Reason.PARTY_UNKNOWN, command.party)
    if party.suspended:
        return Refusal(Reason.PARTY_SUSPENDED, command.party)
    if party.role not in AUTHORITY[type(command)].roles:
        return Refusal(Reason.ROLE_MAY_NOT, f"{command.party} is a {party.role}; {command.kind} is not for it")
    return None


def check_signatures(state: State, note: Note, command: c.Command, verdicts: Mapping[bytes, bool]) -> Refusal | None:
    """Refuse a note whose signature lines aren't exactly good ones of those who must sign.

    Args:
        state: what the log knows of keys.
        note: the note as it came.
        command: its text, read.
        verdicts: by public key and signature, joined, whether it is valid over this text, as far as known ahead.
    """
    lines = []
    offered = _offered_keys(command)
    for signature in note.signatures:
        label = signature.label
        key = state.keys.get(label)
        if key is not None:
            verifier = VerifierKey.from_text(key.vkey)
            lines.append(_Line(label, signature.blob, verifier, key.party, key.revoked_index is not None))
        elif label in offered:
            lines.append(_Line(label, signature.blob, offered[label], command.party, False))
        else:
            return Refusal(Reason.KEY_UNKNOWN, label, signature_label=label)
    if isinstance(command, c.KeyRevoke) and command.key not in state.keys:
        return Refusal(Reason.KEY_UNKNOWN, command.key)
    for line in lines:
        if not _is_valid(line, note.text, verdicts):
            return Refusal(Reason.SIGNATURE_INVALID, line.label, signature_label=line.label)
    for line in lines:
        if line.is_revoked:
            return Refusal(Reason.KEY_REVOKED, line.label, signature_label=line.label)
    return _check_quorum(state, command, lines)


def _check_quorum(state: State, command: c.Command, lines: list[_Line]) -> Refusal | None:
    """Refuse idle signatures, then missing ones."""
    missing = dict(AUTHORITY[type(command)].needed(state, command))
    new_key = VerifierKey.from_text(command.vkey).label if isinstance(command, c.KeyAdd) else None
    new_key_signed = new_key is None
    for line in lines:
        if line.label == new_key:
            new_key_signed = True
        elif line.party in missing:
            missing[line.party] -= 1
        else:
            return Refusal(Reason.SIGNER_NOT_INVOLVED, line.label, signature_label=line.label)
    for party, count in missing.items():
        if count > 0:
            return Refusal(Reason.SIGNATURES_MISSING, f"{count} more by {party}")
    if not new_key_signed:
        return Refusal(Reason.SIGNATURES_MISSING, f"one by the new key {new_key}")
    return None


def _offered_keys(command: c.Command) -> dict[str, VerifierKey]:
    """Return the keys that a command itself brings and that sign it, by label."""
    if isinstance(command, c.KeyAdd):
        vkeys: tuple[str, ...] = (command.vkey,)
    elif isinstance(command, c.NetworkFound):
        vkeys = command.root_keys
    else:
        return {}
    return {verifier.label: verifier for verifier in map(VerifierKey.from_text, vkeys)}


def _is_valid(line: _Line, text: bytes, verdicts: Mapping[bytes, bool]) -> bool:
    verdict = verdicts.get(line.verifier.public_key + line.blob)
    if verdict is None:
        try:
            line.verifier.verify(line.blob, text)
        except SignatureInvalidError:
            return False
        return True
    return verdict
