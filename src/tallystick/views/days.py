"""What moved day by day: of the network, each programme and provider, and each holder, voucher and contract.

A posting is noted by the accounts between which it moves, on the day on which it is booked (effective.py): with its
programme and the network, its voucher and the holder, its contract and the provider. So are lines, GPU-time and what
vouchers paid, by item. Whoever asks gets sums by their names (daily.py).

What lines took is what they paid by item. It is noted with network, programme and provider alone: of the others it is
with the lots of statements (claim_lines.py), whose rows are there anyway. A treasury has the days of its programmes.

A row is a subject's day; one without a day is all of its days, of those that live long.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from tallystick.views.changes import Change, Commands, Move
from tallystick.views.effective import booked_day
from tallystick.views.library import SQLiteCursor
from tallystick.views.line_usage import Payer, Used, used_by_line
from tallystick.views.programme_balances import came_back
from tallystick.views.view_tables import Key, SparseSums, Table
from tallystick.vouchers.book import Account, lot_in
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.state import State

NETWORK: Final = "network"
ALL_DAYS: Final = ""
"""Takes the place of a day in the row of all of them."""
BACK: Final = "back"
"""Ends the name of what a line gives back."""
_LONG_LIVED: Final = (NETWORK, "programme ", "provider ")
_OF_LOTS: Final = frozenset[Account]({"burned", "claimed", "withheld"})


@dataclass(frozen=True, slots=True)
class DayRow:
    """What moved of a subject on a day.

    Attributes:
        subject: `network`, or the kind of a thing and its id.
        moved: fen by `<account> <account>` and what daily.py says; lines, GPU-time (milliseconds) and fen by item.
    """

    subject: Key
    day: Key
    moved: SparseSums


class _Moved(NamedTuple):
    """Postings that count alike."""

    programme: str
    source: Account
    source_id: str
    target: Account
    target_id: str
    voucher: str | None
    day: int
    end: str


class _UsedOf(NamedTuple):
    """What lines of a contract used of an item, of the same payers, on a day; or what of such is taken back."""

    contract: str
    payers: tuple[Payer, ...]
    day: int
    item: str
    end: str


DAYS: Final = Table("days", DayRow)
_WHAT: Final = ("lines", "gpu", "fen")


class Days:
    """What a batch of entries adds to days."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._moved: dict[_Moved, int] = {}
        self._used: dict[_UsedOf, list[int]] = {}

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for move in change.moves:
            programme, source, source_id, target, target_id, amount_fen = move.posting
            if target == "burned":
                continue  # what lines paid says so
            day = booked_day(move.posting, change)
            if source == "burned":
                source_id = source_id.rpartition(" ")[0]  # of all days of a lot alike
            end = _end_of(move, change.state)
            key = _Moved(programme, source, source_id, target, target_id, move.voucher, day, end)
            self._moved[key] = self._moved.get(key, 0) + amount_fen
        if change.statement is not None:
            self._add_used(change.statement.contract, change.statement.used, "")
        elif change.reversed is not None:
            statement, line = change.reversed
            day = change.state.day_of(statement.at if line.is_booked_late else line.ends_at)
            self._add_used(statement.contract, used_by_line(line, change.state, day), f" {BACK}")

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        rows: dict[tuple[str, int], dict[str, int]] = {}
        for moved, amount_fen in self._moved.items():
            for subjects, name in _told(moved, state):
                for subject in subjects:
                    row = rows.setdefault((subject, moved.day), {})
                    row[name] = row.get(name, 0) + amount_fen
        for used, amounts in self._used.items():
            names = [f"{what} {used.item}{used.end}" for what in _WHAT]
            for subject in _used_of(used, state):
                row = rows.setdefault((subject, used.day), {})
                for name, amount in zip(names, amounts, strict=True):
                    if amount:
                        row[name] = row.get(name, 0) + amount
        texts = {day: format_day(day) for day in {day for _, day in rows}}
        newest = _newest_day(c)  # most days of a batch are new, and have no row to be added to
        made = [DayRow(subject, texts[day], moved) for (subject, day), moved in rows.items()]
        DAYS.insert(c, [row for row in made if row.day > newest])
        DAYS.add(c, [*(row for row in made if row.day <= newest), *_of_all_days(made)])

    def _add_used(self, contract: str, used: Iterable[Used], end: str) -> None:
        for one in used:
            sums = self._used.setdefault(_UsedOf(contract, one.payers, one.day, one.item, end), [0, 0, 0])
            sums[0] += one.lines
            sums[1] += one.gpu_milliseconds
            sums[2] += one.amount_fen


def _of_all_days(rows: Iterable[DayRow]) -> Iterator[DayRow]:
    """Yield what rows come to over all days, of those that live long."""
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        if row.subject.startswith(_LONG_LIVED):
            sums.setdefault(row.subject, Counter()).update(row.moved)
    return (DayRow(subject, ALL_DAYS, moved) for subject, moved in sums.items())


def _newest_day(c: SQLiteCursor) -> str:
    """Return the newest day of which there are rows: the network has one of each."""
    c.execute("SELECT max(day) FROM days WHERE subject = ?", (NETWORK,))
    return c.fetchone()[0] or ALL_DAYS


def _end_of(move: Move, state: State) -> str:
    """Return what must be said of a posting beside its accounts: what a line gives back, and as what money returns."""
    source, target = move.posting.source, move.posting.target
    back = f" {BACK}" if source in ("burned", "withheld") and move.reservation is not None else ""
    if target == "unissued" and source != "envelope" and not (back and move.voucher is None):
        return f" {came_back(source, move.voucher, state)}{back}"
    return back


def _told(moved: _Moved, state: State) -> Iterator[tuple[list[str], str]]:
    """Yield the subjects of which postings are noted, and their name there."""
    subjects = [NETWORK, f"programme {moved.programme}"]
    name = f"{moved.source} {moved.target}{moved.end}"
    if moved.source == moved.target:
        for voucher, end in ((moved.source_id, "out"), (moved.target_id, "in")):
            yield [*subjects, f"voucher {voucher}", f"holder {state.vouchers[voucher].holder}"], f"{name} {end}"
    else:
        yield [*subjects, *_sides(moved, state)], name


def _sides(moved: _Moved, state: State) -> list[str]:
    """Return voucher, holder, contract and provider of postings, as far as they have such."""
    for account, account_id in ((moved.source, moved.source_id), (moved.target, moved.target_id)):
        if account == "reserved":
            held = state.reservations[account_id]
            return [f"voucher {held.voucher}", *_of_contract(held.contract, state)]
        if account == "receivable":
            payee = state.demands[account_id].payee
            return [f"{state.parties[payee].role} {payee}"]
        if account in _OF_LOTS:
            lot = lot_in(account, account_id)
            return [f"voucher {lot.voucher}", *_of_contract(lot.contract, state)]
    if moved.voucher is None:
        return []
    return [f"voucher {moved.voucher}", f"holder {state.vouchers[moved.voucher].holder}"]


def _of_contract(contract: str, state: State) -> list[str]:
    sides = state.contracts[contract]
    return [f"contract {contract}", f"holder {sides.holder}", f"provider {sides.provider}"]


def _used_of(used: _UsedOf, state: State) -> list[str]:
    """Return the subjects of which lines are noted; of what is taken back, all."""
    is_back = bool(used.end)
    subjects = [f"{kind} {id_}" for kind, id_ in used.payers if kind == "programme" or (is_back and kind == "voucher")]
    if ("all", "") in used.payers:
        contract, holder, provider = _of_contract(used.contract, state)
        subjects += [NETWORK, provider, *((contract, holder) if is_back else ())]
    return subjects


# -- questions --------------------------------------------------------------------------------------------------------


def days_of(c: SQLiteCursor, subject: str, begin: str = ALL_DAYS) -> list[tuple[str, dict[str, int]]]:
    """Return what moved of a subject, by day, from a day on: of the days on which anything did."""
    c.execute("SELECT day, moved FROM days WHERE subject = ? AND day >= ? AND day <> '' ORDER BY day", (subject, begin))
    return [(day, json.loads(moved)) for day, moved in c.fetchall()]


def moved_in_all(c: SQLiteCursor, subject: str) -> dict[str, int]:
    """Return what moved of a subject on all days, if it is of those that live long; else nothing."""
    return next((dict(row.moved) for row in DAYS.rows(c, subject=subject, day=ALL_DAYS)), {})
