"""A treasury's programme: the rules that opened it, who is accredited, and who claimed. Its money is in the book."""

from dataclasses import dataclass, field

from tallystick.vouchers.fields import ChipOrigin, ItemUnit, Payee, TransferPolicy, VoucherKind
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
    """A provider counts for service from `valid_from` until before `valid_until` (for ever, if None)."""

    valid_from: int
    valid_until: int | None = None

    def holds_at(self, instant: int) -> bool:
        """Return whether it holds at an instant."""
        return self.valid_from <= instant and (self.valid_until is None or instant < self.valid_until)


@dataclass(frozen=True, slots=True)
class ProgrammeRules:
    """What a treasury sets when it opens a programme; docs/rules.md, `programme.open/1`."""

    name: str
    voucher_kind: VoucherKind
    fiscal_year: int
    envelope_fen: int
    opens_at: int
    closes_at: int
    share_bp_domestic: int
    share_bp_foreign: int
    holder_floor_fen: int
    holder_cap_fen: int
    validity_days: int
    items: tuple[str, ...]
    transfer: TransferPolicy
    payee: Payee
    rounding_fen: int
    gates: tuple[Gate, ...] = ()


@dataclass(slots=True)
class Programme:
    """A programme as it stands.

    Attributes:
        treasury: the party that opened it.
        rules: what it set.
        accreditations: by provider, in order of time.
        claims: by claimant, the ids of its claims in order.
    """

    treasury: str
    rules: ProgrammeRules
    closed: bool = False
    accreditations: dict[str, list[Accreditation]] = field(default_factory=dict)
    claims: dict[str, list[str]] = field(default_factory=dict)

    def is_accredited(self, provider: str, starts_at: int, ends_at: int) -> bool:
        """Return whether one accreditation of the provider covers the whole interval."""
        for accreditation in self.accreditations.get(provider, ()):
            if accreditation.valid_from <= starts_at and (
                accreditation.valid_until is None or ends_at <= accreditation.valid_until
            ):
                return True
        return False

    def claimant(self, provider: str, holder: str) -> str:
        """Return whom it pays for what a provider burned of a holder's voucher."""
        return provider if self.rules.payee == "provider" else holder

    def share_bp(self, origin: ChipOrigin) -> int:
        """Return the share of the fee, in basis points, that a voucher covers on an item of this origin."""
        return self.rules.share_bp_domestic if origin == "domestic" else self.rules.share_bp_foreign
