"""What was made by mistake and counts for nothing yet is withdrawn: by who made it, or by the network."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from tallystick.vouchers.fields import CLOSED
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Day, Instant, ItemId, OwnedId, PartyId, format_day, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.capacity import standing
from tallystick.vouchers.rules.checks import check_own_programme
from tallystick.vouchers.rules.keys import check_under
from tallystick.vouchers.rules.rule import (
    NETWORK,
    PROVIDER,
    TREASURY,
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


class TariffRecord(BaseModel):
    """A tariff, by its item and its beginning; of the provider that is named, by the network."""

    model_config = CLOSED

    type: Literal["tariff"]
    provider: PartyId | None = None
    item: ItemId
    valid_from: Instant


class CapacityRecord(BaseModel):
    """A declaration of capacity, by its first day; of the provider that is named, by the network."""

    model_config = CLOSED

    type: Literal["capacity"]
    provider: PartyId | None = None
    first_day: Day


class AccreditationRecord(BaseModel):
    """An accreditation under a programme, by its provider and its beginning."""

    model_config = CLOSED

    type: Literal["accreditation"]
    programme: OwnedId
    provider: PartyId
    valid_from: Instant


class PartyRecord(BaseModel):
    """A party's admission."""

    model_config = CLOSED

    type: Literal["party"]
    party: PartyId


class RecordWithdraw(Rule):
    """A tariff, a declared capacity or an accreditation that isn't in force yet, or a party that no entry names."""

    kind: Literal["record.withdraw/1"]
    record: Annotated[TariffRecord | CapacityRecord | AccreditationRecord | PartyRecord, Field(discriminator="type")]

    event_kind = "record.withdrawn/1"
    outcome = Nothing
    about = ("record",)
    roles = NETWORK | PROVIDER | TREASURY
    refusals = (
        Reason.SUBJECT_UNKNOWN,
        Reason.SUBJECT_NOT_UNDER_PARTY,
        Reason.PARTY_IN_USE,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.RECORD_UNKNOWN,
        Reason.RECORD_IN_FORCE,
        Reason.RECORD_NOT_NEWEST,
    )

    def parties_named(self) -> Names:
        """Return the party, and the provider whose record it is."""
        record = self.record
        provider = None if isinstance(record, PartyRecord) else record.provider
        return [self.party, *([] if provider is None else [provider])]

    def signers(self, state: State, at: int) -> Signers:
        """As what is withdrawn: of a party or an accreditation the quorum; else one signature of the party."""
        makes_others_able = isinstance(self.record, AccreditationRecord | PartyRecord)
        return quorum(self, state) if makes_others_able else own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """The newest of its kind, before it takes effect; nothing was decided by it yet."""
        record = self.record
        is_network = state.parties[self.party].role == "network"
        if isinstance(record, PartyRecord):
            return self._check_party(state, record.party, is_network=is_network) or Nothing()
        if isinstance(record, AccreditationRecord):
            treasury = self.party
            if is_network and record.programme in state.programmes:
                treasury = state.programmes[record.programme].treasury
            refusal = check_own_programme(state, record.programme, treasury)
        else:
            refusal = (
                None if record.provider is None else check_under(state, record.provider, self.party, or_itself=False)
            )
        if refusal:
            return refusal
        if isinstance(record, CapacityRecord):
            first_days = [first_day for first_day, _ in standing(state, record.provider or self.party, at)]
            refusal = _check_newest("capacity", format_day, record.first_day, first_days, state.day_of(at))
        else:
            refusal = _check_newest(record.type, format_instant, record.valid_from, self._beginnings(state), at)
        return refusal or Nothing()

    def _check_party(self, state: State, party: str, *, is_network: bool) -> Refusal | None:
        """Refuse a party that another one admitted, and one that an entry after its admission names."""
        admitter = state.parties[party].admitter if is_network and party in state.parties else self.party
        refusal = check_under(state, party, admitter, or_itself=False)
        if refusal:
            return refusal
        return Refusal(Reason.PARTY_IN_USE, party) if state.parties[party].is_named else None

    def _beginnings(self, state: State) -> list[int]:
        """Return from when on those of the same kind are valid, ascending."""
        record = self.record
        if isinstance(record, TariffRecord):
            tariffs = state.tariffs.get(record.provider or self.party, {})
            return [valid_from for valid_from, _ in tariffs.get(record.item, ())]
        assert isinstance(record, AccreditationRecord)
        accreditations = state.programmes[record.programme].accreditations
        return [one.valid_from for one in accreditations.get(record.provider, ())]

    def evolve(self, state: State, event: Event) -> Postings:
        """The newest is gone, as if it had never been; of a party only that its id and keys are never used again."""
        record = self.record
        if isinstance(record, TariffRecord):
            state.tariffs[record.provider or self.party][record.item].pop()
        elif isinstance(record, CapacityRecord):
            state.capacities[record.provider or self.party].pop()
        elif isinstance(record, AccreditationRecord):
            state.programmes[record.programme].accreditations[record.provider].pop()
        else:
            party = state.parties[record.party]
            party.suspended = party.withdrawn = True
            for label in party.keys:
                state.keys[label].revoked_index = event.index
            if party.uscc is not None:
                del state.usccs[party.uscc]
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The accounts that the entry touched which it takes back."""
        record = self.record
        if isinstance(record, PartyRecord):
            return party_account(state, record.party)
        if isinstance(record, AccreditationRecord):
            return {f"programme {record.programme}", f"provider {record.provider}"}
        return {f"provider {record.provider or self.party}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The party, the provider's tariffs, its capacity, or its accreditations."""
        return self._names()

    def _names(self) -> Names:
        record = self.record
        if isinstance(record, PartyRecord):
            return [f"party {record.party}"]
        if isinstance(record, AccreditationRecord):
            return [f"accreditation {record.programme} {record.provider}"]
        owner = record.provider or self.party
        return [f"tariffs {owner}" if isinstance(record, TariffRecord) else f"capacity {owner}"]

    def follows(self) -> Names:
        """What it takes back."""
        return self._names()

    def asks(self, event: Event, history: History) -> Names:
        """The provider that it names, and that the network admitted."""
        record = self.record
        if isinstance(record, TariffRecord | CapacityRecord) and record.provider is not None:
            return [f"party {record.provider}"]
        return ()


def _check_newest(
    name: str, text_of: Callable[[int], str], beginning: int, beginnings: list[int], now: int
) -> Refusal | None:
    """Refuse what isn't the newest of its kind, or has begun; times are instants, or days."""
    start = text_of(beginning)
    if beginning not in beginnings:
        return Refusal(Reason.RECORD_UNKNOWN, f"no {name} from {start} on")
    if beginning <= now:
        return Refusal(Reason.RECORD_IN_FORCE, f"since {start}")
    if beginning != beginnings[-1]:
        return Refusal(Reason.RECORD_NOT_NEWEST, f"another begins at {text_of(beginnings[-1])}")
    return None


RULES: Final = (RecordWithdraw,)
