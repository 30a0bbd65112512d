"""The network, its parties and their keys."""

from dataclasses import fields
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from stdnum.cn import uscc as uscc_number

from tallystick.vouchers.editions import must_be_known
from tallystick.vouchers.fields import KEYS_MAX, USCC, AdmittedRole, Keys, Origin, Period, RootKeys, must_be_true
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.parties import Network, NetworkParameters, Party
from tallystick.vouchers.quantities import Hash, PartyId, Text
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.keys import add_keys, check_keys, signing_keys
from tallystick.vouchers.rules.officers import OfficersFields, check_officers
from tallystick.vouchers.rules.rule import (
    ANY_ROLE,
    EVERY_PARTY,
    NETWORK,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    party_account,
    quorum,
)
from tallystick.vouchers.state import State

_ADMITS: Final = {"network": ("treasury", "provider", "auditor", "operator", "attester"), "treasury": ("holder",)}


class NetworkFound(Rule):
    """Entry 0: the edition of the rules, the network's name, root keys and parameters."""

    kind: Literal["network.found/1"]
    edition: Annotated[int, AfterValidator(must_be_known)]
    name: Text
    currency: Literal["CNY"]
    root_keys: RootKeys
    root_quorum: Annotated[int, Field(ge=1, le=KEYS_MAX)]
    clock_skew_seconds: Annotated[int, Field(ge=0, le=3_600)]
    freshness_seconds: Annotated[int, Field(ge=60, le=31_622_400)]
    burn_window_seconds: Annotated[int, Field(ge=86_400, le=31_622_400)]
    release_grace_seconds: Period
    tariff_notice_seconds: Annotated[int, Field(ge=0, le=7_776_000)]
    takeover_seconds: Annotated[int, Field(ge=0, le=7_776_000)]
    sealing_grace_seconds: Annotated[int, Field(ge=0, le=7_776_000)]
    utc_offset_seconds: Annotated[int, Field(ge=-50_400, le=50_400)]
    member_of: Origin | None = None

    event_kind = "network.founded/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = NETWORK
    refusals = (
        Reason.KEY_NOT_OF_PARTY,
        Reason.KEY_ALREADY_KNOWN,
    )

    @field_validator("member_of")
    @classmethod
    def _is_another_log(cls, member_of: str | None, others: ValidationInfo) -> str | None:
        if member_of is not None and member_of == others.data.get("log"):
            raise ValueError("must be another log than this one")
        return member_of

    def signers(self, state: State, at: int) -> Signers:
        """`root_quorum` of its `root_keys`."""
        return {self.party: self.root_quorum}

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Entry 0."""
        return check_keys(state, self.party, self.root_keys) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """The founder becomes the first party."""
        state.network = Network(self.party, event.at, self.edition, self.parameters(), self.member_of)
        state.parties[self.party] = Party("network", self.party, self.name, quorum=self.root_quorum)
        add_keys(state, self.party, "sign", self.root_keys, event)
        return ()

    def parameters(self) -> NetworkParameters:
        """Return what the network keeps of it."""
        return NetworkParameters(**{one.name: getattr(self, one.name) for one in fields(NetworkParameters)})

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The founding party."""
        return [f"party {self.party}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class PartyAdmit(Rule):
    """A treasury, provider, auditor, operator or attester joins the network, or a holder a treasury."""

    kind: Literal["party.admit/1"]
    admitted: PartyId
    role: AdmittedRole
    name: Text | None = None
    profile_hash: Hash | None = None
    keys: Keys
    meter_keys: Keys | None = None
    read_keys: Keys | None = None
    uscc: Annotated[str, StringConstraints(pattern=USCC)] | None = None
    maker: Annotated[bool, AfterValidator(must_be_true)] | None = None
    quorum: Annotated[int, Field(ge=2, le=KEYS_MAX)] | None = None
    officers: OfficersFields | None = None

    event_kind = "party.admitted/1"
    outcome = Nothing
    about = ("admitted",)
    roles = NETWORK | TREASURY
    refusals = (
        Reason.PARTY_ALREADY_ADMITTED,
        Reason.ROLE_MAY_NOT_ADMIT,
        Reason.USCC_MISSING,
        Reason.USCC_INVALID,
        Reason.USCC_ALREADY_ADMITTED,
        Reason.NAME_MISPLACED,
        Reason.KEY_NOT_OF_PARTY,
        Reason.KEY_ALREADY_KNOWN,
        Reason.TOO_MANY_KEYS,
        Reason.WOULD_LEAVE_TOO_FEW_KEYS,
        Reason.OFFICERS_INVALID,
    )

    def parties_named(self) -> Names:
        """Return the admitter; what it admits can still be withdrawn."""
        return [self.party]

    def brings(self) -> tuple[str, ...]:
        """Its first keys."""
        return (*self.keys, *(self.meter_keys or ()), *(self.read_keys or ()))

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum, and each of the `keys`, `meter_keys` and `read_keys`."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A new party, by whom its role allows."""
        if self.admitted in state.parties:
            return Refusal(Reason.PARTY_ALREADY_ADMITTED, self.admitted)
        role = state.parties[self.party].role
        if self.role not in _ADMITS[role]:
            return Refusal(Reason.ROLE_MAY_NOT_ADMIT, f"a {role} does not admit a {self.role}")
        return (
            _check_uscc(state, self)
            or _check_name(self, self.admitted, is_maker=self.maker is True)
            or check_keys(state, self.admitted, self.brings())
            or _check_count(self)
            or _check_quorum(self)
            or check_officers(self.role, self.quorum, self.officers)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """A party with its first keys."""
        officers = self.officers.rule() if self.officers else None
        state.parties[self.admitted] = Party(
            self.role, self.party, self.name, self.uscc, self.profile_hash, self.quorum or 1, officers
        )
        if self.uscc is not None:
            state.usccs[self.uscc] = self.admitted
        add_keys(state, self.admitted, "sign", self.keys, event)
        add_keys(state, self.admitted, "meter", self.meter_keys or (), event)
        add_keys(state, self.admitted, "read", self.read_keys or (), event)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party that it is about, if that is a holder or a provider."""
        return party_account(state, self.admitted)

    def concerns(self, state: State, event: Event) -> Names:
        """The party."""
        return [f"party {self.admitted}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class PartyAmend(Rule):
    """A party says anew what it is called or known by, how many of its keys must sign, and its rule of officers."""

    kind: Literal["party.amend/1"]
    name: Text | None = None
    profile_hash: Hash | None = None
    quorum: Annotated[int, Field(ge=2, le=KEYS_MAX)] | None = None
    officers: OfficersFields | None = None

    event_kind = "party.amended/1"
    outcome = Nothing
    about = ("party",)
    roles = ANY_ROLE
    refusals = (
        Reason.NAME_MISPLACED,
        Reason.WOULD_LEAVE_TOO_FEW_KEYS,
        Reason.OFFICERS_INVALID,
    )

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A name, or a maker's profile; a quorum that its `sign` keys can make, and officers that it can have."""
        refusal = _check_name(self, self.party, is_maker=state.parties[self.party].name is None)
        if refusal:
            return refusal
        keys = signing_keys(state, self.party, at)
        if self.quorum is not None and self.quorum > keys:
            return Refusal(Reason.WOULD_LEAVE_TOO_FEW_KEYS, f"{self.quorum} must sign, {self.party} has {keys}")
        return check_officers(state.parties[self.party].role, self.quorum, self.officers) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """What it leaves out, the party has no more; what too few officers signed counts on."""
        party = state.parties[self.party]
        party.name, party.profile_hash, party.quorum = self.name, self.profile_hash, self.quorum or 1
        party.officers = self.officers.rule() if self.officers else None
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


def _check_uscc(state: State, command: PartyAdmit) -> Refusal | None:
    if command.role == "holder":
        missing = (command.uscc is None) != (command.maker is True)
    else:
        missing = command.maker is True or (command.role == "provider" and command.uscc is None)
    if missing:
        return Refusal(Reason.USCC_MISSING, command.admitted)
    if command.uscc is None:
        return None
    # Stored in canonical encoding: python-stdnum would also take blanks and small letters, the schema doesn't.
    if not uscc_number.is_valid(command.uscc):
        return Refusal(Reason.USCC_INVALID, command.uscc)
    if command.uscc in state.usccs:
        return Refusal(Reason.USCC_ALREADY_ADMITTED, f"{command.uscc} is {state.usccs[command.uscc]}")
    return None


def _check_name(command: PartyAdmit | PartyAmend, party: str, *, is_maker: bool) -> Refusal | None:
    """Refuse a maker that has a name, or that nothing commits to; and any other party without a name."""
    fits = (command.name is None and command.profile_hash is not None) if is_maker else command.name is not None
    return None if fits else Refusal(Reason.NAME_MISPLACED, f"{party} is {'a' if is_maker else 'no'} maker")


def _check_count(admission: PartyAdmit) -> Refusal | None:
    """Refuse more keys than a party may have."""
    count = len(admission.brings())
    return Refusal(Reason.TOO_MANY_KEYS, f"{count} keys") if count > KEYS_MAX else None


def _check_quorum(command: PartyAdmit) -> Refusal | None:
    """Refuse a party that would have fewer keys than must sign."""
    if command.quorum is not None and command.quorum > len(command.keys):
        return Refusal(
            Reason.WOULD_LEAVE_TOO_FEW_KEYS, f"{command.quorum} must sign, {command.admitted} has {len(command.keys)}"
        )
    return None


RULES: Final = (
    NetworkFound,
    PartyAdmit,
    PartyAmend,
)
