"""A programme's rules as commands say them, and which of them make sense."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from tallystick.vouchers import programmes
from tallystick.vouchers.fields import (
    CLOSED,
    ITEMS_MAX,
    SHARES_MAX,
    ChipOrigin,
    ClaimCycle,
    DayCount,
    Payee,
    ProgrammeBasis,
    TransferPolicy,
    must_be_true,
    one_fen_or_one_yuan,
)
from tallystick.vouchers.quantities import Day, Fen, FenOrZero, ItemId, ShareBp, Word, ascending
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_items
from tallystick.vouchers.rules.gates import Gates, check_gates
from tallystick.vouchers.state import State

Items = Annotated[tuple[ItemId, ...], Field(min_length=1, max_length=ITEMS_MAX), AfterValidator(ascending)]


@dataclass(frozen=True)
class ShareFields:
    """A share of the fee; what the fields mean: `programmes.ShareRow`."""

    __pydantic_config__ = CLOSED

    share_bp: ShareBp
    ceiling_bp: ShareBp | None = None
    items: Items | None = None
    origin: ChipOrigin | None = None
    filed: Annotated[bool, AfterValidator(must_be_true)] | None = None
    holder_class: Word | None = None

    def row(self) -> programmes.ShareRow:
        """Return what the programme keeps of it."""
        return programmes.ShareRow(
            self.share_bp, self.ceiling_bp, self.items, self.origin, self.filed is True, self.holder_class
        )


@dataclass(frozen=True)
class CapFields:
    """What a holder may be granted; `programmes.Cap`."""

    __pydantic_config__ = CLOSED

    group: Word
    holder_fen: Fen
    floor_fen: FenOrZero


@dataclass(frozen=True)
class ClaimFields:
    """When is claimed; `programmes.ClaimTerms`."""

    __pydantic_config__ = CLOSED

    cycle: ClaimCycle
    cut_off_days: Annotated[int, Field(ge=1, le=366)]


@dataclass(frozen=True)
class ProrationFields:
    """How an invoice counts by its days; `programmes.Proration`."""

    __pydantic_config__ = CLOSED

    first_day: Day
    last_day: Day
    day_count: DayCount
    truncate_fen: Annotated[int, Field(ge=1, le=100_000_000)]


@dataclass(frozen=True)
class RulesFields:
    """A programme's rules; `programmes.ProgrammeRules`."""

    __pydantic_config__ = CLOSED

    shares: Annotated[tuple[ShareFields, ...], Field(min_length=1, max_length=SHARES_MAX)]
    ceiling_bp: ShareBp
    rank: Annotated[int, Field(ge=0, le=1_000)]
    cap: CapFields
    validity_days: Annotated[int, Field(ge=1, le=3_660)]
    transfer: TransferPolicy
    payee: Payee
    basis: ProgrammeBasis
    rounding_fen: Annotated[int, AfterValidator(one_fen_or_one_yuan)]
    claims: ClaimFields
    proration: ProrationFields | None = None
    gates: Gates | None = None

    def rules(self) -> programmes.ProgrammeRules:
        """Return what the programme keeps of them."""
        said = self.proration
        proration = None
        if said is not None:
            proration = programmes.Proration(said.first_day, said.last_day, said.day_count, said.truncate_fen)
        return programmes.ProgrammeRules(
            shares=tuple([one.row() for one in self.shares]),
            ceiling_bp=self.ceiling_bp,
            rank=self.rank,
            cap=programmes.Cap(self.cap.group, self.cap.holder_fen, self.cap.floor_fen),
            validity_days=self.validity_days,
            transfer=self.transfer,
            payee=self.payee,
            basis=self.basis,
            rounding_fen=self.rounding_fen,
            claims=programmes.ClaimTerms(self.claims.cycle, self.claims.cut_off_days),
            proration=proration,
            gates=tuple([one.gate() for one in self.gates or ()]),
        )

    def items(self) -> list[str]:
        """Return the items that its shares name, each once."""
        return sorted({item for share in self.shares for item in share.items or ()})

    def attesters(self) -> list[str]:
        """Return the attesters that its gates name, each once."""
        return sorted({name for gate in self.gates or () for name in gate.attesters or ()})


def check_rules(state: State, rules: RulesFields) -> Refusal | None:
    """Refuse rules that contradict themselves, or name an attester or item that isn't there."""
    proration = rules.proration
    if proration is not None and proration.last_day < proration.first_day:
        return Refusal(Reason.WINDOW_INVALID, "the proration's last_day is before its first_day")
    if rules.cap.floor_fen > rules.cap.holder_fen:
        return Refusal(Reason.FLOOR_ABOVE_CAP)
    gates = rules.gates or ()
    classes = [share.holder_class for share in rules.shares if share.holder_class is not None]
    if classes and not any(gate.gate().asks_for("application") for gate in gates):
        return Refusal(Reason.HOLDER_CLASS_NOT_REVIEWED, classes[0])
    if rules.basis != "metered" and not any(gate.before == "settle" for gate in gates):
        return Refusal(Reason.SETTLE_GATE_MISSING, f"its basis is {rules.basis}")
    return check_gates(state, gates, rules.transfer, rules.payee) or check_items(state, rules.items())
