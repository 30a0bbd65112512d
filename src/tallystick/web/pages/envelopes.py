"""Where money is, part by part, in the words of a page: a programme's envelope, a treasury's, the network's.

    envelope = unissued + available + reserved + burned + withheld + claimed + paid + receivable
    issued = expired + revoked + forfeited + received + (envelope - unissued)

Both hold of every programme at every entry (`views/programme_balances.py`). A page writes them out with their numbers,
and says if one doesn't hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tallystick.web.charts import Part
from tallystick.web.pages.page import Column, Table
from tallystick.web.pages.words import N_, Words

BASIS_POINTS: Final = 10_000


class MoneyPart(NamedTuple):
    """A part of an amount: the member of the JSON, its name, what it means, its tone in a chart."""

    member: str
    name: str
    meaning: str
    tone: str


ENVELOPE: Final = (
    MoneyPart("unissued_fen", N_("Not issued"), N_("The programme can still issue it as vouchers."), "other"),
    MoneyPart("available_fen", N_("Available"), N_("In holders' vouchers, neither used nor reserved."), "available"),
    MoneyPart("reserved_fen", N_("Reserved"), N_("Set aside for providers; use is burned of it."), "reserved"),
    MoneyPart("burned_fen", N_("Used, not claimed"), N_("Burned for use, and not claimed yet."), "burned"),
    MoneyPart("claimed_fen", N_("Claimed"), N_("Asked for, and to be settled by the treasury."), "owed"),
    MoneyPart("withheld_fen", N_("Withheld"), N_("Claimed and not paid; it may be claimed again."), "issued"),
    MoneyPart("paid_fen", N_("Paid"), N_("Settled: by bank, or set off against what was asked back."), "paid"),
    MoneyPart("receivable_fen", N_("Asked back"), N_("Paid without right, and not come back yet."), "other"),
)
"""Where an envelope is, in the order in which money moves."""
ISSUED: Final = (
    MoneyPart("outstanding_fen", N_("Issued and not come back"), N_("All but what isn't issued, as above."), "issued"),
    MoneyPart("expired_fen", N_("Expired"), N_("Unused when the vouchers' validity ended."), "other"),
    MoneyPart("revoked_fen", N_("Revoked"), N_("Unused when the treasury took vouchers back."), "other"),
    MoneyPart("forfeited_fen", N_("Forfeited"), N_("Used, but disallowed or not claimed in time."), "other"),
    MoneyPart("received_fen", N_("Received back"), N_("Paid without right, asked back, and come back."), "other"),
)
"""Of all that ever was issued: where it is now."""
OWED: Final = ("burned_fen", "withheld_fen", "claimed_fen")
"""The most that a treasury may have to pay for what was used."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An amount and its parts.

    Attributes:
        name: the table's.
        amount_fen: as the balance has it.
        parts: with their amounts, in their order.
    """

    name: str
    amount_fen: int
    parts: Sequence[tuple[MoneyPart, int]]

    @property
    def sum_fen(self) -> int:
        """All parts together."""
        return sum(amount_fen for _, amount_fen in self.parts)

    @property
    def holds(self) -> bool:
        """Whether the parts come to the amount."""
        return self.sum_fen == self.amount_fen

    @property
    def moved(self) -> Sequence[tuple[MoneyPart, int]]:
        """The parts that aren't 0."""
        return [(part, amount_fen) for part, amount_fen in self.parts if amount_fen]

    def table(self, caption: str, words: Words, leads: Mapping[str, str]) -> Table:
        """Return the parts as a table.

        Args:
            caption: the table's.
            words: the reader's language.
            leads: by member, where the list is of which a part is made; the path of a page.
        """
        rows = [
            {
                "part": part.member,
                "amount_fen": amount_fen,
                "share_bp": basis_points(amount_fen, self.amount_fen),
                "name": words.gettext(part.name),
                "meaning": words.gettext(part.meaning),
                "leads_to": leads.get(part.member, ""),
            }
            for part, amount_fen in self.parts
        ]
        columns = (
            Column("part", words.gettext("Part")),
            Column("amount_fen", words.gettext("Amount"), "yuan"),
            Column("share_bp", words.gettext("Share"), "share"),
        )
        return Table(self.name, caption, columns, rows)

    def charted(self, words: Words, without: str = "") -> list[Part]:
        """Return the parts as a chart's."""
        return [
            Part(words.gettext(part.name), part.tone, amount_fen)
            for part, amount_fen in self.parts
            if part.member != without
        ]


def envelope_of(balance: Mapping[str, Any]) -> Whole:
    """Return where an envelope is: a programme's, or what several balances add up to."""
    parts = [(part, int(balance[part.member])) for part in ENVELOPE]
    return Whole("envelope", int(balance["envelope_fen"]), parts)


def issued_of(balance: Mapping[str, Any]) -> Whole:
    """Return where all is that ever was issued."""
    outstanding = int(balance["envelope_fen"]) - int(balance["unissued_fen"])
    known = {**balance, "outstanding_fen": outstanding}
    return Whole("issued", int(balance["issued_fen"]), [(part, int(known[part.member])) for part in ISSUED])


def owed_of(balance: Mapping[str, Any]) -> int:
    """Return what may have to be paid for what was used."""
    return sum(int(balance[name]) for name in OWED)


def used_of(balance: Mapping[str, Any]) -> int:
    """Return what was used and didn't come back: owed, paid and asked back."""
    return owed_of(balance) + int(balance["paid_fen"]) + int(balance["receivable_fen"])


def added_up(balances: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums of balances over their amounts."""
    names = [name for name in (balances[0] if balances else ()) if name.endswith("_fen")]
    return {name: sum(int(balance[name]) for balance in balances) for name in names}


def basis_points(part: int, whole: int) -> int:
    """Return a share in basis points, truncated; 0 of nothing."""
    return part * BASIS_POINTS // whole if whole else 0
