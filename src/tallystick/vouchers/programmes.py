"""A treasury's programme: the rules that opened it, who is accredited, and the book of its envelope.

The book holds, in fen, where the envelope is: `unissued`, `available`, `reserved`, `burned` (and not claimed),
`claimed`, `paid`. They always add up to the envelope; docs/rules.md, "The law of conservation".
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from tallystick.vouchers.fields import ChipOrigin, Payee, TransferPolicy, VoucherKind

Account = Literal["envelope", "unissued", "available", "reserved", "burned", "claimed", "paid"]
BOOK_ACCOUNTS: Final[tuple[Account, ...]] = ("unissued", "available", "reserved", "burned", "claimed", "paid")


@dataclass(slots=True)
class Accelerator:
    """A registered model of accelerator."""

    name: str
    origin: ChipOrigin


@dataclass(slots=True)
class Accreditation:
    """A provider counts for service from `valid_from` until before `valid_until` (for ever, if None)."""

    valid_from: int
    valid_until: int | None = None

    def holds_at(self, instant: int) -> bool:
        """Return whether it holds at an instant."""
        return self.valid_from <= instant and (self.valid_until is None or instant < self.valid_until)


def _empty_book() -> dict[Account, int]:
    return dict.fromkeys(BOOK_ACCOUNTS, 0)


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
    accelerators: tuple[str, ...]
    transfer: TransferPolicy
    payee: Payee
    officers_threshold_fen: int
    officers_required: int
    rounding_fen: int


@dataclass(slots=True)
class Programme:
    """A programme as it stands.

    Attributes:
        treasury: the party that opened it.
        rules: what it set.
        book: fen by account.
        issued_fen, lapsed_fen, revoked_fen: all that ever was, for statements; no rule depends on them.
        granted_fen: by holder, what counts against `holder_cap_fen`.
        accreditations: by provider, in order of time.
        unclaimed_fen: by claimant and day, what is burned and not claimed.
        claims: by claimant, the ids of its claims in order.
    """

    treasury: str
    rules: ProgrammeRules
    closed: bool = False
    book: dict[Account, int] = field(default_factory=_empty_book)
    issued_fen: int = 0
    lapsed_fen: int = 0
    revoked_fen: int = 0
    granted_fen: dict[str, int] = field(default_factory=dict)
    accreditations: dict[str, list[Accreditation]] = field(default_factory=dict)
    unclaimed_fen: dict[str, dict[int, int]] = field(default_factory=dict)
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
        """Return the share of the fee, in basis points, that a voucher covers on an accelerator of this origin."""
        return self.rules.share_bp_domestic if origin == "domestic" else self.rules.share_bp_foreign

    def grant(self, holder: str, amount_fen: int) -> None:
        """Count an amount against a holder's cap, or no longer, if it is negative."""
        self.granted_fen[holder] = self.granted_fen.get(holder, 0) + amount_fen
