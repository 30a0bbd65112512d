"""A treasury's programme: its terms and rules, and who is accredited. Its money is in the book.

docs/rules.md, "Programmes and providers", says what each rule means.
"""

from dataclasses import dataclass, field
from typing import Final

from tallystick.vouchers.fields import (
    ChipOrigin,
    ClaimCycle,
    DayCount,
    ItemUnit,
    Payee,
    ProgrammeBasis,
    TransferPolicy,
    VoucherKind,
)
from tallystick.vouchers.reviews import Gate


@dataclass(slots=True)
class Item:
    """A registered item; `counted` names the unit of one that is counted, `filing` approves a model."""

    name: str
    unit: ItemUnit
    counted: str | None = None
    origin: ChipOrigin | None = None
    filing: str | None = None


@dataclass(slots=True)
class Accreditation:
    """A provider counts for service from `valid_from` until before `valid_until` (for ever, if None).

    `price_limits_fen` has its items, and the most that each may cost a unit.
    """

    valid_from: int
    price_limits_fen: dict[str, int]
    valid_until: int | None = None

    def holds_at(self, instant: int) -> bool:
        """Return whether it holds at an instant."""
        return self.valid_from <= instant and (self.valid_until is None or instant < self.valid_until)

    def covers(self, starts_at: int, ends_at: int) -> bool:
        """Return whether it holds throughout an interval."""
        return self.valid_from <= starts_at and (self.valid_until is None or ends_at <= self.valid_until)


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share of the fee for the items and holders that it is about; None: for any.

    Attributes:
        share_bp: of the fee.
        ceiling_bp: the most of the fee that all programmes and other support pay; None: the programme's.
        items: ids.
        origin: of the item.
        filed: whether the item must be a filed model.
        holder_class: of the voucher.
    """

    share_bp: int
    ceiling_bp: int | None = None
    items: tuple[str, ...] | None = None
    origin: ChipOrigin | None = None
    filed: bool = False
    holder_class: str | None = None

    def is_about(self, item_id: str, item: Item, holder_class: str | None) -> bool:
        """Return whether it has the share of an item, bought with a voucher of a class."""
        return (
            (self.items is None or item_id in self.items)
            and (self.origin is None or self.origin == item.origin)
            and (not self.filed or item.filing is not None)
            and (self.holder_class is None or self.holder_class == holder_class)
        )


@dataclass(frozen=True, slots=True)
class Cap:
    """What a holder may be granted: in a fiscal year under all programmes of a group, and of one voucher at least."""

    group: str
    holder_fen: int
    floor_fen: int


LONGEST_PERIOD_DAYS: Final[dict[ClaimCycle, int]] = {"month": 31, "quarter": 92, "any": 0}
"""How long a period of claims may be."""


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """How often is claimed, and until how many days after a period's end."""

    cycle: ClaimCycle
    cut_off_days: int


@dataclass(frozen=True, slots=True)
class Proration:
    """An invoice counts by its days within a window (days since 1970, both belong to it)."""

    first_day: int
    last_day: int
    day_count: DayCount
    truncate_fen: int


@dataclass(frozen=True, slots=True)
class ProgrammeRules:
    """What a treasury sets as a programme's rules; docs/rules.md, `programme.open/1`."""

    shares: tuple[ShareRow, ...]
    ceiling_bp: int
    rank: int
    cap: Cap
    validity_days: int
    transfer: TransferPolicy
    payee: Payee
    basis: ProgrammeBasis
    rounding_fen: int
    claims: ClaimTerms
    proration: Proration | None = None
    gates: tuple[Gate, ...] = ()

    def share_of(self, item_id: str, item: Item, holder_class: str | None) -> tuple[int, int] | None:
        """Return share and ceiling (basis points) of an item, bought with a voucher of a class; the first row's."""
        for row in self.shares:
            if row.is_about(item_id, item, holder_class):
                return row.share_bp, self.ceiling_bp if row.ceiling_bp is None else row.ceiling_bp
        return None


@dataclass(frozen=True, slots=True)
class DatedRules:
    """A programme's rules from an instant on, until the next are in force."""

    valid_from: int
    rules: ProgrammeRules


@dataclass(slots=True)
class Programme:
    """A programme as it stands.

    Attributes:
        treasury: the party that opened it.
        opens_at, closes_at: vouchers are issued between them; an amendment may bring the end forward.
        versions: of its rules, ascending; a voucher keeps the number of those that it was issued under.
        accreditations: by provider, in order of time.
    """

    treasury: str
    name: str
    voucher_kind: VoucherKind
    fiscal_year: int
    envelope_fen: int
    opens_at: int
    closes_at: int
    versions: list[DatedRules]
    accreditations: dict[str, list[Accreditation]] = field(default_factory=dict)

    @property
    def rules(self) -> ProgrammeRules:
        """Those that it was opened with: payee, basis, rounding, rank and cycle never change."""
        return self.versions[0].rules

    def version_at(self, instant: int) -> int:
        """Return the number of the rules in force at an instant."""
        return max(number for number, one in enumerate(self.versions) if number == 0 or one.valid_from <= instant)

    def rules_at(self, instant: int) -> ProgrammeRules:
        """Return the rules in force at an instant."""
        return self.versions[self.version_at(instant)].rules

    def accreditation(self, provider: str, starts_at: int, ends_at: int) -> Accreditation | None:
        """Return the accreditation of a provider that covers the whole interval, if one does."""
        for accreditation in self.accreditations.get(provider, ()):
            if accreditation.covers(starts_at, ends_at):
                return accreditation
        return None

    def accredited_until(self, provider: str, instant: int) -> int | None:
        """Return the first instant, from one on, at which a provider isn't accredited; None: as long as is known."""
        for accreditation in self.accreditations.get(provider, ()):
            if accreditation.holds_at(instant):
                if accreditation.valid_until is None:
                    return None
                instant = accreditation.valid_until
        return instant

    def granted_id(self, holder: str, instant: int) -> str:
        """Return under which id a holder's granted amount is counted: of the treasury, the year and the cap's group."""
        return f"{self.treasury} {self.fiscal_year} {self.rules_at(instant).cap.group} {holder}"
