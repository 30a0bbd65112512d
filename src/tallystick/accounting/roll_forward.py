"""What postings come to for an auditor: each account by quarter, and what is owed by age; sums of postings alone.

    opening + in − out = closing      of each account of a programme, quarter by quarter, by the day that is booked

What is owed is unclaimed since the day it is booked on, claimed since its claim, withheld since its settlement; what
leaves first is what came first. Ages are whole days: of what is unclaimed between days, else of 24 hours.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tallystick.accounting.amounts import in_decimal
from tallystick.accounting.postings import BookedEntry, BookedPosting
from tallystick.accounting.table import Column, Row
from tallystick.vouchers.book import PROGRAMME_ACCOUNTS, Account, dated_lot_of
from tallystick.vouchers.quantities import DAY_US, format_day

ACCOUNTS: Final[tuple[Account, ...]] = ("envelope", *PROGRAMME_ACCOUNTS)
QUARTER_COLUMNS: Final = (
    Column("programme", "项目", "text", 30),
    Column("quarter", "季度", "text", 10),
    Column("account", "科目", "text", 14),
    Column("opening_yuan", "期初", "yuan"),
    Column("in_yuan", "增加", "yuan"),
    Column("out_yuan", "减少", "yuan"),
    Column("closing_yuan", "期末", "yuan"),
)
OWED_COLUMNS: Final = (
    Column("programme", "项目", "text", 30),
    Column("party", "应付对象", "text", 24),
    Column("state", "状态", "text", 12),
    Column("oldest_day", "最早日期", "day", 11),
    Column("days_0_30_yuan", "0–30 天", "yuan"),
    Column("days_31_60_yuan", "31–60 天", "yuan"),
    Column("days_61_90_yuan", "61–90 天", "yuan"),
    Column("days_over_90_yuan", "90 天以上", "yuan"),
    Column("total_yuan", "合计", "yuan"),
)
_STATES: Final = {"burned": "unclaimed", "claimed": "claimed", "withheld": "withheld"}
_AGES: Final = (30, 60, 90)


@dataclass(slots=True)
class _Owed:
    """What is owed of one account of the book: programme, party, and what came when (day, time, amount)."""

    programme: str
    party: str
    state: str
    parts: deque[tuple[int, int, int]] = field(default_factory=deque)

    def take(self, amount_fen: int) -> None:
        while amount_fen:
            day, at, left_fen = self.parts.popleft()
            taken_fen = min(left_fen, amount_fen)
            amount_fen -= taken_fen
            if left_fen > taken_fen:
                self.parts.appendleft((day, at, left_fen - taken_fen))


@dataclass(slots=True)
class RollForward:
    """Sums of the postings taken in so far.

    Attributes:
        moved_fen: by programme, account and quarter, what went in and out.
        closing_fen: by programme and account.
        postings: how many.
    """

    moved_fen: dict[tuple[str, Account], dict[tuple[int, int], list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0]))
    )
    closing_fen: dict[tuple[str, Account], int] = field(default_factory=lambda: defaultdict(int))
    postings: int = 0
    _owed: dict[tuple[str, str], _Owed] = field(default_factory=dict)

    def add(self, entry: BookedEntry) -> None:
        """Take in an entry."""
        for posting in entry.postings:
            self.postings += 1
            quarter = _quarter_of(posting.day)
            _, source, _, target, _, amount_fen = posting.posting
            for account, place, sign in ((source, 1, -1), (target, 0, 1)):
                self.moved_fen[posting.programme, account][quarter][place] += amount_fen
                self.closing_fen[posting.programme, account] += sign * amount_fen
            self._add_owed(entry, posting)

    def quarters(self) -> Iterator[Row]:
        """Yield each account's quarters, in the order of programmes, quarters and accounts."""
        programmes = sorted({programme for programme, _ in self.moved_fen})
        for programme in programmes:
            moved = {account: self.moved_fen.get((programme, account), {}) for account in ACCOUNTS}
            opening_fen = dict.fromkeys(ACCOUNTS, 0)
            for quarter in sorted({quarter for quarters in moved.values() for quarter in quarters}):
                for account in ACCOUNTS:
                    in_fen, out_fen = moved[account].get(quarter, (0, 0))
                    closing_fen = opening_fen[account] + in_fen - out_fen
                    if in_fen or out_fen or closing_fen:
                        amounts = map(number_of, (opening_fen[account], in_fen, out_fen, closing_fen))
                        yield programme, f"{quarter[0]} Q{quarter[1]}", account, *amounts
                    opening_fen[account] = closing_fen

    def owed(self, day: int, at: int) -> Iterator[Row]:
        """Yield what is owed to whom, by age.

        Args:
            day: of the log's last entry that counts (days since 1970).
            at: its time (microseconds).
        """
        sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        oldest: dict[tuple[str, str, str], int] = {}
        for owed in self._owed.values():
            key = owed.programme, owed.party, owed.state
            for since, since_at, amount_fen in owed.parts:
                days = day - since if owed.state == "unclaimed" else (at - since_at) // DAY_US
                sums[key][sum(days > age for age in _AGES)] += amount_fen
                oldest[key] = min(since, oldest.get(key, since))
        for key, amounts_fen in sorted(sums.items()):
            yield *key, oldest[key], *map(number_of, amounts_fen), number_of(sum(amounts_fen))

    def _add_owed(self, entry: BookedEntry, posting: BookedPosting) -> None:
        _, source, source_id, target, target_id, amount_fen = posting.posting
        if source in _STATES:
            self._owed[source, source_id].take(amount_fen)
            if not self._owed[source, source_id].parts:
                del self._owed[source, source_id]
        if target in _STATES:
            owed = self._owed.get((target, target_id))
            if owed is None:
                owed = _Owed(posting.programme, posting.target.parts[-1], _STATES[target])
                self._owed[target, target_id] = owed
            day = dated_lot_of(target_id).day if target == "burned" else entry.day
            owed.parts.append((day, entry.at, amount_fen))


def _quarter_of(day: int) -> tuple[int, int]:
    year, month, _ = map(int, format_day(day).split("-"))
    return year, (month + 2) // 3


def number_of(amount_fen: int) -> Decimal:
    """Return an amount in yuan as a number with two decimals."""
    return in_decimal(amount_fen, "CNY")
