"""What isn't in force yet is withdrawn by the party that made it."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from tallystick.vouchers.fields import CLOSED
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Instant, ItemId, OwnedId, PartyId, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
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


class AccreditationRecord(BaseModel):
    """An accreditation under a programme of the party, by its provider and its beginning."""

    model_config = CLOSED

    type: Literal["accreditation"]
    programme: OwnedId
    provider: PartyId
    valid_from: Instant


class RecordWithdraw(Rule):
    """A tariff or an accreditation that isn't in force yet is taken back."""

    kind: Literal["record.withdraw/1"]
    record: Annotated[TariffRecord | AccreditationRecord, Field(discriminator="type")]

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
        """As what is withdrawn: of a tariff one signature of the party; of an accreditation its quorum."""
        return own_party(self, state) if isinstance(self.record, TariffRecord) else quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """The newest of its kind, before it takes effect; nothing was decided by it yet."""
        record = self.record
        if isinstance(record, AccreditationRecord):
            refusal = check_own_programme(state, record.programme, self.party)
            if refusal:
                return refusal
        beginnings = self._beginnings(state)
        start = format_instant(record.valid_from)
        if record.valid_from not in beginnings:
            return Refusal(Reason.RECORD_UNKNOWN, f"no {record.type} from {start} on")
        if record.valid_from <= at:
            return Refusal(Reason.RECORD_IN_FORCE, f"since {start}")
        if record.valid_from != beginnings[-1]:
            return Refusal(Reason.RECORD_NOT_NEWEST, f"another begins at {format_instant(beginnings[-1])}")
        return Nothing()

    def _beginnings(self, state: State) -> list[int]:
        """Return from when on those of the same kind are valid, ascending."""
        record = self.record
        if isinstance(record, TariffRecord):
            return [valid_from for valid_from, _ in state.tariffs.get(self.party, {}).get(record.item, ())]
        accreditations = state.programmes[record.programme].accreditations
        return [one.valid_from for one in accreditations.get(record.provider, ())]

    def evolve(self, state: State, event: Event) -> Postings:
        """The newest is gone, as if it had never been."""
        record = self.record
        if isinstance(record, TariffRecord):
            state.tariffs[self.party][record.item].pop()
        else:
            state.programmes[record.programme].accreditations[record.provider].pop()
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The accounts that the entry touched which it takes back."""
        record = self.record
        if isinstance(record, TariffRecord):
            return {f"provider {self.party}"}
        return {f"programme {record.programme}", f"provider {record.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The provider's tariffs, or its accreditations."""
        return self._names()

    def _names(self) -> Names:
        record = self.record
        if isinstance(record, TariffRecord):
            return [f"tariffs {self.party}"]
        return [f"accreditation {record.programme} {record.provider}"]

    def follows(self) -> Names:
        """The provider's tariffs, or its accreditations."""
        return self._names()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


RULES: Final = (RecordWithdraw,)
