"""Claims that were settled against a bank's payments: paid, not paid, paid twice, paid otherwise.

A payment is of a claim if the settlement's payment reference is the bank's own reference, or stands in its text. What
came back is taken off. A file may be of the account that pays or of the one that is paid: its payments of claims are
taken to go the way that they go in sum.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"[^\s,;:|()\[\]{}，；：（）]+")


class SettledClaim(NamedTuple):
    """A claim, and what its settlement says of the payment.

    Attributes:
        payment_fen: what was to be paid by a bank: without what was withheld or set off.
        payment_day: `2026-04-20`.
    """

    claim: str
    programme: str
    amount_fen: int
    payment_fen: int
    payment_day: str
    payment_reference: str


class Payment(NamedTuple):
    """A payment as a bank's file has it.

    Attributes:
        line: of the file.
        amount_fen: below 0: it went the other way.
        texts: the bank's reference, and what was written with it.
    """

    line: int
    day: str
    amount_fen: int
    texts: tuple[str, ...]


class PaidClaim(NamedTuple):
    """A claim, its payments, and what these come to."""

    claim: SettledClaim
    payments: tuple[Payment, ...]
    paid_fen: int


@dataclass(slots=True)
class PaymentsCompared:
    """What came of comparing; each claim is in one list, each payment of a claim with it, the others in `others`."""

    paid: list[PaidClaim] = field(default_factory=list)
    unpaid: list[PaidClaim] = field(default_factory=list)
    paid_twice: list[PaidClaim] = field(default_factory=list)
    wrong_amount: list[PaidClaim] = field(default_factory=list)
    others: list[Payment] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether a claim isn't paid as its settlement says."""
        return bool(self.unpaid or self.paid_twice or self.wrong_amount)


def compare_payments(claims: Sequence[SettledClaim], payments: Iterable[Payment]) -> PaymentsCompared:
    """Compare; claims of which nothing was to be paid by a bank are left out.

    Args:
        claims: settled ones.
        payments: of a bank's file.
    """
    due = [claim for claim in claims if claim.payment_fen]
    by_reference: dict[str, list[SettledClaim]] = {}
    for claim in due:
        by_reference.setdefault(claim.payment_reference, []).append(claim)
    of_claim: dict[str, list[Payment]] = {claim.claim: [] for claim in due}
    found = PaymentsCompared()
    for payment in payments:
        named = _named(payment, by_reference)
        if len(named) == 1:
            of_claim[named[0].claim].append(payment)
        else:
            found.others.append(payment)
    way = -1 if sum(payment.amount_fen for some in of_claim.values() for payment in some) < 0 else 1
    for claim in due:
        some = tuple(of_claim[claim.claim])
        paid_fen = way * sum(payment.amount_fen for payment in some)
        _list_for(found, claim, paid_fen).append(PaidClaim(claim, some, paid_fen))
    return found


def _named(payment: Payment, by_reference: dict[str, list[SettledClaim]]) -> list[SettledClaim]:
    """Return the claims whose references a payment has, as a whole text or as a word of one."""
    words = {word for text in payment.texts for word in (text.strip(), *_WORD.findall(text))}
    found = [claim for word in sorted(words) for claim in by_reference.get(word, ())]
    if not found:  # a reference may hold a blank
        found = [
            claim
            for reference, claims in by_reference.items()
            if " " in reference and any(reference in text for text in payment.texts)
            for claim in claims
        ]
    return found


def _list_for(found: PaymentsCompared, claim: SettledClaim, paid_fen: int) -> list[PaidClaim]:
    if paid_fen == claim.payment_fen:
        return found.paid
    if paid_fen == 0:
        return found.unpaid
    return found.paid_twice if paid_fen > 0 and paid_fen % claim.payment_fen == 0 else found.wrong_amount
