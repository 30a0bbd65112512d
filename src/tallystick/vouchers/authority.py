"""The one check of a note's signatures against what its command's rule asks for.

A signature line counts if its key is in the log, active and not revoked, is for such a command (`_may_sign`), and
belongs to a party that the rule asks. A key that the command brings signs it too, which proves that it is held, and
counts for no party's signatures; one that it replaces signs it whatever it is for. A line that doesn't count is
refused, never ignored: so a recorded note can't be changed by appending to it.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias, get_args

from tallystick.errors import SignatureInvalidError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.vouchers.fields import KeyPurpose
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.endings import VoucherRevoke
from tallystick.vouchers.rules.keys import KeyRevoke, KeyRotate
from tallystick.vouchers.rules.mandates import treasury_of
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.reservations import ReservationRelease
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherResume, VoucherSuspend
from tallystick.vouchers.state import State

MandatedCommand: TypeAlias = (
    RedemptionSettle | ReservationRelease | VoucherIssue | VoucherResume | VoucherRevoke | VoucherSuspend
)
"""What an operator may command for a treasury, by a mandate."""
_MANDATED: Final = frozenset(get_args(MandatedCommand))  # to ask pydantic's classes one by one takes longer
_OF_A_KEY: Final = KeyRevoke | KeyRotate


class _Line(NamedTuple):
    """A signature line with what the log knows of its key."""

    label: str
    blob: bytes
    verifier: VerifierKey
    party: str
    purpose: KeyPurpose
    is_revoked: bool
    active_from: int


def check_standing(state: State, command: Rule) -> Refusal | None:
    """Refuse a command of a party that is unknown, suspended, or of the wrong role, or by a suspended one's mandate."""
    if isinstance(command, NetworkFound):
        return None
    party = state.parties.get(command.party)
    if party is None:
        return Refusal(Reason.PARTY_UNKNOWN, command.party)
    if party.suspended:
        return Refusal(Reason.PARTY_SUSPENDED, command.party)
    if (
        type(command) in _MANDATED
        and isinstance(command, MandatedCommand)
        and state.parties[treasury_of(state, command.party, command.mandate)].suspended
    ):
        return Refusal(Reason.PARTY_SUSPENDED, f"{command.mandate} is of a treasury that is suspended")
    if party.role not in command.roles:
        return Refusal(Reason.ROLE_MAY_NOT, f"{command.party} is a {party.role}; {command.kind} is not for it")
    return None


def check_signatures(
    state: State, note: Note, command: Rule, at: int, verdicts: Mapping[bytes, bool]
) -> Refusal | None:
    """Refuse a note whose signature lines aren't exactly good ones of those who must sign.

    Args:
        state: what the log knows of keys.
        note: the note as it came.
        command: its text, read.
        at: the log's time (microseconds).
        verdicts: by public key and signature, joined, whether it is valid over this text, as far as known ahead.
    """
    lines = []
    vkeys = command.brings()
    for signature in note.signatures:
        label = signature.label
        key = state.keys.get(label)
        if key is not None:
            verifier = VerifierKey.from_text(key.vkey)
            is_revoked = key.revoked_index is not None
            lines.append(_Line(label, signature.blob, verifier, key.party, key.purpose, is_revoked, key.active_from))
        elif (offered := _offered_key(command, label)) is not None:
            lines.append(_Line(label, signature.blob, offered, command.party, "sign", False, at))
        else:
            return Refusal(Reason.KEY_UNKNOWN, label, key=label)
    if isinstance(command, _OF_A_KEY) and command.key not in state.keys:
        return Refusal(Reason.KEY_UNKNOWN, command.key, key=command.key)
    for line in lines:
        if not _is_valid(line, note.text, verdicts):
            return Refusal(Reason.SIGNATURE_INVALID, line.label, key=line.label)
    for line in lines:
        if line.is_revoked:
            return Refusal(Reason.KEY_REVOKED, line.label, key=line.label)
    brought = [VerifierKey.from_text(vkey).label for vkey in vkeys]
    counted = [line for line in lines if line.label not in brought] if brought else lines
    for line in counted:
        if at < line.active_from:
            detail = f"{line.label}, from {format_instant(line.active_from)} on"
            return Refusal(Reason.KEY_NOT_ACTIVE_YET, detail, key=line.label, not_before=line.active_from)
    replaced = command.replaces()
    for line in counted:
        if line.label != replaced and not _may_sign(line.purpose, command):
            detail = f"{line.label} is a {line.purpose} key"
            return Refusal(Reason.KEY_NOT_FOR_THIS_COMMAND, detail, key=line.label)
    refusal = _check_quorum(state, command, at, counted)
    if refusal is not None or (replaced is None and not brought):
        return refusal
    return _check_each(replaced, brought, lines)


def _may_sign(purpose: KeyPurpose, command: Rule) -> bool:
    """Return whether a key of this purpose may sign such a command for its party."""
    return purpose == "sign" or (purpose == "meter" and isinstance(command, TimeBurn | ServiceBurn | BurnReverse))


def _check_quorum(state: State, command: Rule, at: int, lines: list[_Line]) -> Refusal | None:
    """Refuse superfluous signatures, then missing ones of parties."""
    missing = command.signers(state, at)
    for line in lines:
        if line.party not in missing:
            return Refusal(Reason.SIGNER_NOT_INVOLVED, line.label, key=line.label)
        missing[line.party] -= 1
    for party, count in missing.items():
        if count > 0:
            return Refusal(Reason.SIGNATURES_MISSING, f"{count} more by {party}")
    return None


def _check_each(replaced: str | None, brought: Iterable[str], lines: list[_Line]) -> Refusal | None:
    """Refuse what a key has not signed that must sign itself: the one that is replaced, then those that are brought."""
    signed = {line.label for line in lines}
    if replaced is not None and replaced not in signed:
        return Refusal(Reason.SIGNATURES_MISSING, f"one by the old key {replaced}", key=replaced)
    for label in brought:
        if label not in signed:
            return Refusal(Reason.SIGNATURES_MISSING, f"one by the new key {label}", key=label)
    return None


def _offered_key(command: Rule, label: str) -> VerifierKey | None:
    """Return the key of a label, if it is among those that a command itself brings and that sign it."""
    vkeys = command.root_keys if isinstance(command, NetworkFound) else command.brings()
    return {verifier.label: verifier for verifier in map(VerifierKey.from_text, vkeys)}.get(label)


def _is_valid(line: _Line, text: bytes, verdicts: Mapping[bytes, bool]) -> bool:
    verdict = verdicts.get(line.verifier.public_key + line.blob)
    if verdict is None:
        try:
            line.verifier.verify(line.blob, text)
        except SignatureInvalidError:
            return False
        return True
    return verdict
