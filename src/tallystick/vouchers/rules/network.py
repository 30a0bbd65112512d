"""The network, its parties and their keys."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints
from stdnum.cn import uscc as uscc_number

from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.fields import (
    KEYS_MAX,
    USCC,
    AdmittedRole,
    KeyLabel,
    Keys,
    Period,
    Vkey,
    must_be_true,
)
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.parties import Key, Network, NetworkParameters, Party
from tallystick.vouchers.quantities import (
    PartyId,
    Text,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import (
    ANY_ROLE,
    NETWORK,
    TREASURY,
    Accounts,
    Event,
    Postings,
    Rule,
    Signers,
    own_party,
    party_account,
    quorum,
)
from tallystick.vouchers.state import State

_ADMITS: Final = {"network": ("treasury", "provider", "auditor", "operator"), "treasury": ("holder",)}


class NetworkFound(Rule):
    """Entry 0: the network's name, root keys and parameters."""

    kind: Literal["network.found/1"]
    name: Text
    currency: Literal["CNY"]
    root_keys: Keys
    root_quorum: Annotated[int, Field(ge=1, le=KEYS_MAX)]
    clock_skew_seconds: Annotated[int, Field(ge=0, le=3_600)]
    freshness_seconds: Annotated[int, Field(ge=60, le=31_622_400)]
    burn_window_seconds: Annotated[int, Field(ge=86_400, le=31_622_400)]
    release_grace_seconds: Period
    utc_offset_seconds: Annotated[int, Field(ge=-50_400, le=50_400)]

    event_kind = "network.founded/1"
    outcome = Nothing
    roles = NETWORK

    def signers(self, state: State) -> Signers:
        """The quorum that the command itself sets."""
        return {self.party: self.root_quorum}

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Entry 0."""
        return _check_keys(state, self.party, self.root_keys) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """The founder becomes the first party."""
        state.network = Network(self.party, self.parameters())
        state.parties[self.party] = Party("network", self.name, self.party, quorum=self.root_quorum)
        _add_keys(state, self.party, self.root_keys, event.index)
        return ()

    def parameters(self) -> NetworkParameters:
        """Return what the network keeps of it."""
        return NetworkParameters(**{one.name: getattr(self, one.name) for one in fields(NetworkParameters)})

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()


class PartyAdmit(Rule):
    """A treasury, provider or auditor joins the network, or a holder a treasury."""

    kind: Literal["party.admit/1"]
    admitted: PartyId
    role: AdmittedRole
    name: Text
    keys: Keys
    uscc: Annotated[str, StringConstraints(pattern=USCC)] | None = None
    maker: Annotated[bool, AfterValidator(must_be_true)] | None = None
    quorum: Annotated[int, Field(ge=2, le=KEYS_MAX)] | None = None

    event_kind = "party.admitted/1"
    outcome = Nothing
    roles = NETWORK | TREASURY

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A new party, by whom its role allows."""
        if self.admitted in state.parties:
            return Refusal(Reason.PARTY_ALREADY_ADMITTED, self.admitted)
        role = state.parties[self.party].role
        if self.role not in _ADMITS[role]:
            return Refusal(Reason.ROLE_MAY_NOT_ADMIT, f"a {role} does not admit a {self.role}")
        return (
            _check_uscc(state, self) or _check_keys(state, self.admitted, self.keys) or _check_quorum(self) or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """A party with its first keys."""
        state.parties[self.admitted] = Party(self.role, self.name, self.party, self.uscc, self.quorum or 1)
        if self.uscc is not None:
            state.usccs[self.uscc] = self.admitted
        _add_keys(state, self.admitted, self.keys, event.index)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party, if it has an account."""
        return party_account(state, self.admitted)


class PartySuspend(Rule):
    """A party may command nothing until it is reinstated."""

    kind: Literal["party.suspend/1"]
    subject: PartyId
    reason: Text

    event_kind = "party.suspended/1"
    outcome = Nothing
    roles = NETWORK | TREASURY

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By its admitter alone."""
        refusal = _check_under(state, self.subject, self.party, or_itself=False)
        if refusal:
            return refusal
        if state.parties[self.subject].suspended:
            return Refusal(Reason.SUBJECT_SUSPENDED, self.subject)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """It may command nothing."""
        state.parties[self.subject].suspended = True
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party, if it has an account."""
        return party_account(state, self.subject)


class PartyReinstate(Rule):
    """A suspended party is taken back."""

    kind: Literal["party.reinstate/1"]
    subject: PartyId
    reason: Text

    event_kind = "party.reinstated/1"
    outcome = Nothing
    roles = NETWORK | TREASURY

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By its admitter alone."""
        refusal = _check_under(state, self.subject, self.party, or_itself=False)
        if refusal:
            return refusal
        if not state.parties[self.subject].suspended:
            return Refusal(Reason.SUBJECT_NOT_SUSPENDED, self.subject)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """It may command again."""
        state.parties[self.subject].suspended = False
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party, if it has an account."""
        return party_account(state, self.subject)


class KeyAdd(Rule):
    """A party, or its admitter for it, adds a key; the new key signs too."""

    kind: Literal["key.add/1"]
    subject: PartyId
    vkey: Vkey

    event_kind = "key.added/1"
    outcome = Nothing
    roles = ANY_ROLE

    def signers(self, state: State) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By the party itself, or by its admitter."""
        return (
            _check_under(state, self.subject, self.party, or_itself=True)
            or _check_keys(state, self.subject, (self.vkey,))
            or _check_room(state, self.subject)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """One more key."""
        _add_keys(state, self.subject, (self.vkey,), event.index)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party, if it has an account."""
        return party_account(state, self.subject)


class KeyRevoke(Rule):
    """From here on nothing signed by the key counts."""

    kind: Literal["key.revoke/1"]
    subject: PartyId
    key: KeyLabel
    reason: Text

    event_kind = "key.revoked/1"
    outcome = Nothing
    roles = ANY_ROLE

    def signers(self, state: State) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By the party itself, which must stay able to sign, or by its admitter."""
        key = state.keys[self.key]  # the key named is known: that was asked with the signatures
        refusal = _check_under(state, self.subject, self.party, or_itself=True)
        if refusal:
            return refusal
        if key.party != self.subject:
            return Refusal(Reason.KEY_NOT_OF_PARTY, f"{self.key} is not of {self.subject}")
        if key.revoked_index is not None:
            return Refusal(Reason.KEY_ALREADY_REVOKED, f"{self.key}, by entry {key.revoked_index}")
        if self.subject == self.party and _live_keys(state, self.party) <= state.parties[self.party].quorum:
            return Refusal(Reason.WOULD_LEAVE_TOO_FEW_KEYS, self.subject)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """The key stays known, so that old signatures can be checked; from here on it doesn't count."""
        state.keys[self.key].revoked_index = event.index
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party, if it has an account."""
        return party_account(state, self.subject)


def _check_under(state: State, subject: str, party: str, *, or_itself: bool) -> Refusal | None:
    """Refuse a subject that the party didn't admit (and isn't, where that is allowed)."""
    found = state.parties.get(subject)
    if found is None:
        return Refusal(Reason.SUBJECT_UNKNOWN, subject)
    if subject == party:
        return None if or_itself else Refusal(Reason.SUBJECT_NOT_UNDER_PARTY, f"{party} is itself")
    if found.admitter != party:
        return Refusal(Reason.SUBJECT_NOT_UNDER_PARTY, f"{subject} was admitted by {found.admitter}")
    return None


def _check_uscc(state: State, command: PartyAdmit) -> Refusal | None:
    if command.role == "holder":
        missing = (command.uscc is None) != (command.maker is True)
    else:
        missing = command.maker is True or (command.role == "provider" and command.uscc is None)
    if missing:
        return Refusal(Reason.USCC_MISSING, command.admitted)
    if command.uscc is None:
        return None
    # Stored in one spelling: python-stdnum would also take blanks and small letters, the schema doesn't.
    if not uscc_number.is_valid(command.uscc):
        return Refusal(Reason.USCC_INVALID, command.uscc)
    if command.uscc in state.usccs:
        return Refusal(Reason.USCC_ALREADY_ADMITTED, f"{command.uscc} is {state.usccs[command.uscc]}")
    return None


def _check_quorum(command: PartyAdmit) -> Refusal | None:
    """Refuse a party that would have fewer keys than must sign."""
    if command.quorum is not None and command.quorum > len(command.keys):
        return Refusal(
            Reason.WOULD_LEAVE_TOO_FEW_KEYS, f"{command.quorum} must sign, {command.admitted} has {len(command.keys)}"
        )
    return None


def _check_keys(state: State, party: str, vkeys: Iterable[str]) -> Refusal | None:
    """Refuse keys in another's name, then keys known already (or twice in the command)."""
    verifiers = [VerifierKey.from_text(vkey) for vkey in vkeys]
    for verifier in verifiers:
        if not verifier.name.startswith(f"{party}/"):
            return Refusal(Reason.KEY_NOT_OF_PARTY, f"{verifier.name} must begin with {party}/")
    seen: set[str] = set()
    for verifier in verifiers:
        public_key = verifier.public_key.hex()
        names = {public_key, verifier.label}
        if public_key in state.public_keys or verifier.label in state.keys or names & seen:
            return Refusal(Reason.KEY_ALREADY_KNOWN, verifier.label)
        seen |= names
    return None


def _check_room(state: State, party: str) -> Refusal | None:
    """Refuse one more key to a party that has as many as a command could bring at once."""
    count = _live_keys(state, party)
    return Refusal(Reason.TOO_MANY_KEYS, f"{party} has {count}") if count >= KEYS_MAX else None


def _live_keys(state: State, party: str) -> int:
    return sum(state.keys[label].revoked_index is None for label in state.parties[party].keys)


def _add_keys(state: State, party: str, vkeys: Iterable[str], index: int) -> None:
    for vkey in vkeys:
        verifier = VerifierKey.from_text(vkey)
        state.keys[verifier.label] = Key(party, vkey, index)
        state.public_keys[verifier.public_key.hex()] = verifier.label
        state.parties[party].keys.append(verifier.label)


RULES: Final = (NetworkFound, PartyAdmit, PartySuspend, PartyReinstate, KeyAdd, KeyRevoke)
