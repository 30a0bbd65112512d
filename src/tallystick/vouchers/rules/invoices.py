"""An invoice, and what of its days and its fee a programme counts; docs/rules.md, "Services"."""

from dataclasses import dataclass

from tallystick.vouchers.programmes import Proration


@dataclass(frozen=True, slots=True)
class Invoice:
    """What was invoiced: the item, the days (since 1970) that it is for, both of them among these, and the fee."""

    item: str
    first_day: int
    last_day: int
    fee_fen: int

    def prorated(self, proration: Proration | None) -> tuple[int, int, int] | None:
        """Return the days of it that a programme counts, the first and the last, and its fee for these.

        None: none of its days lies in the programme's window, or they are no time by its way of counting days.
        """
        if proration is None:
            return self.first_day, self.last_day, self.fee_fen
        first_day, last_day = max(self.first_day, proration.first_day), min(self.last_day, proration.last_day)
        more = 1 if proration.day_count == "inclusive" else 0
        days, all_days = last_day - first_day + more, self.last_day - self.first_day + more
        if first_day > last_day or days <= 0:
            return None
        return first_day, last_day, truncated(self.fee_fen * days // all_days, proration)


def truncated(amount_fen: int, proration: Proration | None) -> int:
    """Return an amount down to what a programme counts in: a fen, a yuan."""
    truncate_fen = 1 if proration is None else proration.truncate_fen
    return amount_fen // truncate_fen * truncate_fen
