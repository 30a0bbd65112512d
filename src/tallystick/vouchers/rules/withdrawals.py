"""What isn't in force yet is withdrawn by the party that made it."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from tallystick.vouchers.fields import CLOSED
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Day, Instant, ItemId, OwnedId, PartyId, format_day, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.capacity import standing
from tallystick.vouchers.rules.checks import check_own_programme
from tallystick.vouchers.rules.rule import (
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
    quorum,
)
from tallystick.vouchers.state import State


class TariffRecord(BaseModel):
    """A tariff of the party, by its item and its beginning."""

    model_config = CLOSED

    type: Literal["tariff"]
    item: ItemId
    valid_from: Instant


class CapacityRecord(BaseModel):
    """A declaration of the party's capacity, by its first day."""

    model_config = CLOSED

    type: Literal["capacity"]
    first_day: Day


class AccreditationRecord(BaseModel):
    """An accreditation under a programme of the party, by its provider and its beginning."""

    model_config = CLOSED

    type: Literal["accreditation"]
    programme: OwnedId
    provider: PartyId
    valid_from: Instant


class RecordWithdraw(Rule):
    """A tariff, a declared capacity or an accreditation that isn't in force yet is taken back."""

    kind: Literal["record.withdraw/1"]
    record: Annotated[TariffRecord | CapacityRecord | AccreditationRecord, Field(discriminator="type")]

    event_kind = "record.withdrawn/1"
    outcome = Nothing
    roles = PROVIDER | TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.RECORD_UNKNOWN,
        Reason.RECORD_IN_FORCE,
        Reason.RECORD_NOT_NEWEST,
    )

    def signers(self, state: State, at: int) -> Signers:
        """As what is withdrawn: of an accreditation the party's quorum; of anything else one signature of the party."""
        return quorum(self, state) if isinstance(self.record, AccreditationRecord) else own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """The newest of its kind, before it takes effect; nothing was decided by it yet."""
        record = self.record
        if isinstance(record, AccreditationRecord):
            refusal = check_own_programme(state, record.programme, self.party)
            if refusal:
                return refusal
        if isinstance(record, CapacityRecord):
            first_days = [first_day for first_day, _ in standing(state, self.party, at)]
            refusal = _check_newest("capacity", format_day, record.first_day, first_days, state.day_of(at))
        else:
            refusal = _check_newest(record.type, format_instant, record.valid_from, self._beginnings(state), at)
        return refusal or Nothing()

    def _beginnings(self, state: State) -> list[int]:
        """Return from when on those of the same kind are valid, ascending."""
        record = self.record
        if isinstance(record, TariffRecord):
            return [valid_from for valid_from, _ in state.tariffs.get(self.party, {}).get(record.item, ())]
        assert isinstance(record, AccreditationRecord)
        accreditations = state.programmes[record.programme].accreditations
        return [one.valid_from for one in accreditations.get(record.provider, ())]

    def evolve(self, state: State, event: Event) -> Postings:
        """The newest is gone, as if it had never been."""
        record = self.record
        if isinstance(record, TariffRecord):
            state.tariffs[self.party][record.item].pop()
        elif isinstance(record, CapacityRecord):
            state.capacities[self.party].pop()
        else:
            state.programmes[record.programme].accreditations[record.provider].pop()
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The accounts that the entry touched which it takes back."""
        record = self.record
        if isinstance(record, AccreditationRecord):
            return {f"programme {record.programme}", f"provider {record.provider}"}
        return {f"provider {self.party}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The provider's tariffs, its capacity, or its accreditations."""
        return self._names()

    def _names(self) -> Names:
        record = self.record
        if isinstance(record, AccreditationRecord):
            return [f"accreditation {record.programme} {record.provider}"]
        return [f"tariffs {self.party}" if isinstance(record, TariffRecord) else f"capacity {self.party}"]

    def follows(self) -> Names:
        """The provider's tariffs, its capacity, or its accreditations."""
        return self._names()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
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
