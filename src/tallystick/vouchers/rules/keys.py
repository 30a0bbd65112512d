"""Keys: added, replaced, revoked, and whose they must be."""

from collections.abc import Iterable
from typing import Final, Literal

from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.fields import KEYS_MAX, KeyLabel, KeyPurpose, RevocationCause, Vkey
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.parties import Key
from tallystick.vouchers.quantities import Instant, PartyId, Text, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import (
    ANY_ROLE,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    party_account,
    quorum,
)
from tallystick.vouchers.state import State


class KeyAdd(Rule):
    """A party, or its admitter for it, adds a key; the new key signs too."""

    kind: Literal["key.add/1"]
    subject: PartyId
    vkey: Vkey
    purpose: KeyPurpose

    event_kind = "key.added/1"
    outcome = Nothing
    about = ("subject",)
    roles = ANY_ROLE
    refusals = (
        Reason.SUBJECT_UNKNOWN,
        Reason.SUBJECT_NOT_UNDER_PARTY,
        Reason.KEY_NOT_OF_PARTY,
        Reason.KEY_ALREADY_KNOWN,
        Reason.TOO_MANY_KEYS,
    )

    def brings(self) -> tuple[str, ...]:
        """The new key."""
        return (self.vkey,)

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum, and the new key; where the key is another party's, the network's quorum too."""
        needed = quorum(self, state)
        if self.subject != self.party and state.network is not None:
            # With the admitter's alone, a treasury could act as any of its holders.
            network = state.network.party
            needed[network] = state.parties[network].quorum
        return needed

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By the party itself, or by its admitter."""
        return (
            check_under(state, self.subject, self.party, or_itself=True)
            or check_keys(state, self.subject, (self.vkey,))
            or _check_room(state, self.subject)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """One more key; one that another party added counts later, so that the party can see it and revoke it."""
        takeover_us = state.takeover_us() if self.subject != self.party else 0
        add_keys(state, self.subject, self.purpose, (self.vkey,), event, active_from=event.at + takeover_us)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party that it is about, if that is a holder or a provider."""
        return party_account(state, self.subject)

    def concerns(self, state: State, event: Event) -> Names:
        """The party."""
        return [f"party {self.subject}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The party."""
        return [f"party {self.subject}"]


class KeyRotate(Rule):
    """A key is superseded by another one of the same purpose, in one entry that both sign."""

    kind: Literal["key.rotate/1"]
    key: KeyLabel
    vkey: Vkey

    event_kind = "key.rotated/1"
    outcome = Nothing
    about = ("party",)
    roles = ANY_ROLE
    refusals = (
        Reason.KEY_NOT_OF_PARTY,
        Reason.KEY_ALREADY_KNOWN,
    )

    def brings(self) -> tuple[str, ...]:
        """The new key."""
        return (self.vkey,)

    def replaces(self) -> str:
        """The old key."""
        return self.key

    def signers(self, state: State, at: int) -> Signers:
        """The key itself, whatever its purpose, and the new key; of the network its quorum too."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By the key itself, so it is one of the party's that isn't revoked."""
        return check_keys(state, self.party, (self.vkey,)) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """The new key counts from here on, the old one no more."""
        old = state.keys[self.key]
        old.revoked_index = event.index
        add_keys(state, self.party, old.purpose, (self.vkey,), event)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party that it is about, if that is a holder or a provider."""
        return party_account(state, self.party)

    def concerns(self, state: State, event: Event) -> Names:
        """The party."""
        return [f"party {self.party}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class KeyRevoke(Rule):
    """From here on nothing signed by the key counts."""

    kind: Literal["key.revoke/1"]
    subject: PartyId
    key: KeyLabel
    cause: RevocationCause
    since: Instant | None = None
    reason: Text

    event_kind = "key.revoked/1"
    outcome = Nothing
    about = ("subject",)
    roles = ANY_ROLE
    refusals = (
        Reason.SUBJECT_UNKNOWN,
        Reason.SUBJECT_NOT_UNDER_PARTY,
        Reason.KEY_NOT_OF_PARTY,
        Reason.KEY_ALREADY_REVOKED,
        Reason.SINCE_MISPLACED,
        Reason.SINCE_IN_THE_FUTURE,
        Reason.WOULD_LEAVE_TOO_FEW_KEYS,
    )

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum; one signature where the key is its own and another party added it, until that counts."""
        key = state.keys[self.key]  # it is known: that was asked first
        is_in_takeover = key.party == self.subject == self.party and at < key.active_from
        return own_party(self, state) if is_in_takeover else quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By the party itself, which must stay able to sign, or by its admitter.

        That a key was compromised may be found out after another took its place: a thief can rotate it, too.
        """
        key = state.keys[self.key]
        refusal = check_under(state, self.subject, self.party, or_itself=True)
        if refusal:
            return refusal
        if key.party != self.subject:
            return Refusal(Reason.KEY_NOT_OF_PARTY, f"{self.key} is not of {self.subject}", key=self.key)
        is_said_later = self.cause == "compromised" and key.compromised_since is None
        if key.revoked_index is not None and not is_said_later:
            detail = f"{self.key}, by entry {key.revoked_index}"
            return Refusal(Reason.KEY_ALREADY_REVOKED, detail, index=key.revoked_index, key=self.key)
        return _check_since(self, at) or _check_left(state, self, at) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """The key stays known, so that old signatures can be checked; from here on it doesn't count."""
        key = state.keys[self.key]
        if key.revoked_index is None:
            key.revoked_index = event.index
        if self.since is not None:
            key.compromised_since, key.compromised_index = self.since, event.index
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party that it is about, if that is a holder or a provider."""
        return party_account(state, self.subject)

    def concerns(self, state: State, event: Event) -> Names:
        """The party."""
        return [f"party {self.subject}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The party."""
        return [f"party {self.subject}"]


def check_under(state: State, subject: str, party: str, *, or_itself: bool) -> Refusal | None:
    """Refuse a subject that the party didn't admit (and isn't, where that is allowed)."""
    found = state.admitted(subject)
    if found is None:
        return Refusal(Reason.SUBJECT_UNKNOWN, subject)
    if subject == party:
        return None if or_itself else Refusal(Reason.SUBJECT_NOT_UNDER_PARTY, f"{party} is itself")
    if found.admitter != party:
        return Refusal(Reason.SUBJECT_NOT_UNDER_PARTY, f"{subject} was admitted by {found.admitter}")
    return None


def check_keys(state: State, party: str, vkeys: Iterable[str]) -> Refusal | None:
    """Refuse keys in another's name, then keys known already (or twice in the command)."""
    verifiers = [VerifierKey.from_text(vkey) for vkey in vkeys]
    for verifier in verifiers:
        if not verifier.name.startswith(f"{party}/"):
            return Refusal(Reason.KEY_NOT_OF_PARTY, f"{verifier.name} must begin with {party}/", key=verifier.label)
    seen: set[str] = set()
    for verifier in verifiers:
        public_key = verifier.public_key.hex()
        names = {public_key, verifier.label}
        if is_known(state, verifier) or names & seen:
            return Refusal(Reason.KEY_ALREADY_KNOWN, verifier.label, key=verifier.label)
        seen |= names
    return None


def is_known(state: State, verifier: VerifierKey) -> bool:
    """Return whether a key is or was a party's, or the log's."""
    if verifier.public_key.hex() in state.public_keys or verifier.label in state.keys:
        return True
    of_the_log = [vkey for change in state.log_keys for vkey in (change.old_vkey, change.new_vkey)]
    return any(VerifierKey.from_text(vkey).public_key == verifier.public_key for vkey in of_the_log)


def _check_room(state: State, party: str) -> Refusal | None:
    """Refuse one more key to a party that has as many as a command could bring at once."""
    count = len(_unrevoked_keys(state, party))
    return Refusal(Reason.TOO_MANY_KEYS, f"{party} has {count}") if count >= KEYS_MAX else None


def _check_since(revocation: KeyRevoke, at: int) -> Refusal | None:
    """Refuse a time from which on the key is doubted, where it isn't, or which is still to come."""
    if (revocation.since is None) == (revocation.cause == "compromised"):
        return Refusal(Reason.SINCE_MISPLACED, f"the cause is {revocation.cause}")
    if revocation.since is not None and revocation.since > at:
        return Refusal(
            Reason.SINCE_IN_THE_FUTURE, f"since {format_instant(revocation.since)}", not_before=revocation.since
        )
    return None


def _check_left(state: State, revocation: KeyRevoke, at: int) -> Refusal | None:
    """Refuse a party a key of its own without which it couldn't sign any more."""
    key = state.keys[revocation.key]
    counts = key.purpose == "sign" and at >= key.active_from and key.revoked_index is None
    if (
        revocation.subject == revocation.party
        and counts
        and signing_keys(state, revocation.party, at) <= state.parties[revocation.party].quorum
    ):
        return Refusal(Reason.WOULD_LEAVE_TOO_FEW_KEYS, revocation.subject)
    return None


def signing_keys(state: State, party: str, at: int) -> int:
    """Return how many of a party's keys count for a quorum at a time (microseconds): of purpose `sign`, and active."""
    keys = [state.keys[label] for label in _unrevoked_keys(state, party)]
    return sum(key.purpose == "sign" and at >= key.active_from for key in keys)


def _unrevoked_keys(state: State, party: str) -> list[str]:
    return [label for label in state.parties[party].keys if state.keys[label].revoked_index is None]


def add_keys(
    state: State, party: str, purpose: KeyPurpose, vkeys: Iterable[str], event: Event, *, active_from: int | None = None
) -> None:
    """Add keys of one purpose to a party, by an entry; without `active_from` (microseconds) they count at once."""
    for vkey in vkeys:
        verifier = VerifierKey.from_text(vkey)
        state.keys[verifier.label] = Key(
            party, vkey, purpose, event.index, event.at if active_from is None else active_from
        )
        state.public_keys[verifier.public_key.hex()] = verifier.label
        state.parties[party].keys.append(verifier.label)


RULES: Final = (
    KeyAdd,
    KeyRotate,
    KeyRevoke,
)
