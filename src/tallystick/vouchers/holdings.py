"""What a holder has: vouchers, and the reservations made from them.

`face_fen` and `amount_fen` are their terms; where the money lies now, the book says (book.py).
"""

from dataclasses import dataclass
from typing import Literal

VoucherStatus = Literal["active", "suspended", "revoked", "expired"]


@dataclass(slots=True)
class Voucher:
    """A voucher of one holder.

    Attributes:
        rules_version: of its programme, when it was issued: shares, ceilings, validity and transfer are theirs.
        granted_id: under which it counts against its holder's cap.
        contract: the one that it is spent under; None: any.
        application: that it was issued for.
        holder_class: of that application.
        carried_over_fen: used before the log began, of an imported voucher; None: it was issued in the log.
        parent: the voucher that it was transferred out of; such a part has no application and no class.
    """

    programme: str
    holder: str
    face_fen: int
    valid_from: int
    valid_until: int
    rules_version: int
    granted_id: str
    contract: str | None = None
    application: str | None = None
    holder_class: str | None = None
    carried_over_fen: int | None = None
    parent: str | None = None
    status: VoucherStatus = "active"

    @property
    def has_ended(self) -> bool:
        """Whether it was revoked or has expired: nothing comes back to it."""
        return self.status in ("revoked", "expired")

    def is_spent_time(self, at: int) -> bool:
        """Return whether it has ended or its validity is over: nothing can be done with it."""
        return self.has_ended or at >= self.valid_until


@dataclass(slots=True)
class Reservation:
    """What a contract's provider may burn of one voucher, for jobs that end by `until`."""

    id: str
    voucher: str
    contract: str
    programme: str
    holder: str
    provider: str
    amount_fen: int
    until: int
    closed: bool = False
