"""What moved of a thing by the day on which it is booked, by names, and what that came to at each day's end.

For each thing, from one day's end to the next,

    unissued    + what came back (expired, revoked, forfeited, received) − issued, and what the envelope is changed by
    available   + issued + transferred in − transferred out − reserved, + what came back to vouchers
    reserved    + reserved − released − burned, + what lines gave back to reservations
    used        + burned − reversed, and what was used before the log began
    owed        + burned − reversed − paid − forfeited of what was burned
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from tallystick.views.balances import RESERVATIONS, VOUCHERS
from tallystick.views.catalogue import TODAY
from tallystick.views.claim_lines import taken_by_day
from tallystick.views.days import BACK, NETWORK, days_of, moved_in_all
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import PROGRAMMES
from tallystick.vouchers.quantities import format_day, parse_day

DayKind = Literal["network", "treasury", "programme", "provider", "holder", "voucher", "contract"]
"""Of what there are days."""
DAYS_USUAL: Final = 366
DAYS_MAX: Final = 3_660


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved, and what that came to; amounts in fen.

    Attributes:
        issued_fen: also what was imported.
        transferred_in_fen, transferred_out_fen: between vouchers; of a programme both alike.
        reserved_fen, released_fen: promised to providers, and given back of that unused.
        burned_fen, reversed_fen: lines and services, and what was taken back of such.
        claimed_fen: asked for; what was withheld before and is claimed again counts again.
        withheld_fen, paid_fen: by settlements, set off or not; and what was used before the log began.
        expired_fen, revoked_fen: of vouchers, gone back to the envelope.
        forfeited_fen: burned, and gone back: disallowed, or not claimed in time.
        demanded_fen, cancelled_fen, received_fen: asked back, given up of that, and come back.
        lines, gpu_milliseconds: of accepted lines, also those that no programme paid something of; of a programme,
            those that it did, and of treasuries, vouchers, holders and contracts the sums over programmes or vouchers.
        reversed_lines, reversed_gpu_milliseconds: what was taken back of such.
        unissued_left_fen, available_left_fen, reserved_left_fen: at the end; None of what can't have such.
        used_fen: burned and not taken back, since ever.
        owed_fen: used, and neither paid nor gone back.
    """

    issued_fen: int
    transferred_in_fen: int
    transferred_out_fen: int
    reserved_fen: int
    released_fen: int
    burned_fen: int
    reversed_fen: int
    claimed_fen: int
    withheld_fen: int
    paid_fen: int
    expired_fen: int
    revoked_fen: int
    forfeited_fen: int
    demanded_fen: int
    cancelled_fen: int
    received_fen: int
    lines: int
    gpu_milliseconds: int
    reversed_lines: int
    reversed_gpu_milliseconds: int
    unissued_left_fen: int | None
    available_left_fen: int | None
    reserved_left_fen: int
    used_fen: int
    owed_fen: int


@dataclass(frozen=True, slots=True)
class MovedOnDay(Moved):
    """What moved on a day, and what that came to at its end."""

    day: str


@dataclass(frozen=True, slots=True)
class DailySeries:
    """What moved of a thing, day by day, of the days on which anything did.

    Attributes:
        of, subject: the kind of the thing, and its id; no id of the network.
        today: the network's day of the last entry followed.
        first, last: the days that were asked for.
        before: all that moved before them, and what it came to.
    """

    of: DayKind
    subject: str | None
    today: str
    first: str
    last: str
    before: Moved
    days: tuple[MovedOnDay, ...]


_LEVELS: Final = ("unissued_left_fen", "available_left_fen", "reserved_left_fen", "used_fen", "owed_fen")
_SUMS: Final = tuple(name for name in Moved.__dataclass_fields__ if name not in _LEVELS)
_LEVEL_OF: Final = {"unissued": _LEVELS[0], "available": _LEVELS[1], "reserved": _LEVELS[2]}
_USED: Final = frozenset({"burned", "withheld", "claimed"})
_BY_ITEM: Final = {
    "lines": "lines",
    "gpu": "gpu_milliseconds",
    "fen": "burned_fen",
    f"lines {BACK}": "reversed_lines",
    f"gpu {BACK}": "reversed_gpu_milliseconds",
}
_BY_ACCOUNTS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("unissued", "available"): ("issued_fen",),
    ("unissued", "paid"): ("issued_fen", "paid_fen"),
    ("available", "reserved"): ("reserved_fen",),
    ("reserved", "available"): ("released_fen",),
    ("reserved", "unissued"): ("released_fen",),
    ("burned", "claimed"): ("claimed_fen",),
    ("withheld", "claimed"): ("claimed_fen",),
    ("claimed", "paid"): ("paid_fen",),
    ("claimed", "withheld"): ("withheld_fen",),
    ("paid", "receivable"): ("demanded_fen",),
    ("receivable", "paid"): ("cancelled_fen",),
}
_NONE_OF: Final[Mapping[DayKind, Mapping[str, None]]] = {
    "holder": {"unissued_left_fen": None},
    "voucher": {"unissued_left_fen": None},
    "provider": {"unissued_left_fen": None, "available_left_fen": None},
    "contract": {"unissued_left_fen": None, "available_left_fen": None},
}
"""What a kind of thing can't have."""


@cache
def _sums_in(name: str) -> tuple[str, ...]:
    """Return to which sums of `Moved` what is noted under a name adds (days.py)."""
    first, second, *rest = name.split(" ")
    if first in ("lines", "gpu", "fen"):
        found = _BY_ITEM.get(" ".join((first, *rest)))
        return () if found is None else (found,)
    if first == second:
        return (f"transferred_{rest[-1]}_fen",)
    back = ("reversed_fen",) if BACK in rest else ()
    ended = tuple(f"{how}_fen" for how in rest if how != BACK)
    return (*_BY_ACCOUNTS.get((first, second), ()), *back, *ended)


@cache
def _levels_in(name: str) -> tuple[tuple[str, int], ...]:
    """Return which levels what is noted under a name changes, and the sign."""
    source, target, *rest = name.split(" ")
    if source == "fen" and BACK not in rest:
        return (("reserved_left_fen", -1), ("used_fen", 1), ("owed_fen", 1))
    if source in ("lines", "gpu", "fen"):
        return ()
    if source == target:
        return (("available_left_fen", 1 if rest[-1] == "in" else -1),)
    changes: Counter[str] = Counter()
    for account, sign in ((source, -1), (target, 1)):
        if account in _LEVEL_OF:
            changes[_LEVEL_OF[account]] += sign
        if account in _USED:
            changes["owed_fen"] += sign
    if (source, target) == ("unissued", "paid"):
        changes["used_fen"] += 1
    elif BACK in rest:
        changes["used_fen"] -= 1
    return tuple((level, sign) for level, sign in changes.items() if sign)


def daily_series(
    c: SQLiteCursor, of: DayKind, subject: str | None, first: int | None = None, last: int | None = None
) -> DailySeries:
    """Return what moved of a thing, day by day.

    Args:
        c: reads the views.
        of: the kind of the thing.
        subject: its id; None of the network.
        first: the first day (since 1970); if not given, 365 days before the last.
        last: the last; if not given, the network's day of the last entry followed.
    """
    today = today_of(c)
    until = parse_day(today) if last is None else last
    since = until - DAYS_USUAL + 1 if first is None else first
    begin, end = format_day(since), format_day(until)
    moved_before, by_day = _moved(c, of, subject or "", begin)
    levels = dict.fromkeys(_LEVELS, 0)
    before = Moved(**sums_of(moved_before), **_levels(of, levels, moved_before))
    days = [MovedOnDay(**sums_of(moved), **_levels(of, levels, moved), day=day) for day, moved in by_day if day <= end]
    return DailySeries(of, subject, today, begin, end, before, tuple(days))


def today_of(c: SQLiteCursor) -> str:
    """Return the network's day of the last entry followed."""
    return next((row.day for row in TODAY.rows(c)), format_day(0))


def _moved(
    c: SQLiteCursor, of: DayKind, subject: str, begin: str
) -> tuple[Mapping[str, int], list[tuple[str, Mapping[str, int]]]]:
    """Return all that moved of a thing before a day, and what did since, day by day."""
    before: Counter[str] = Counter()
    by_day: dict[str, Counter[str]] = defaultdict(Counter)
    if of in ("network", "treasury", "programme", "provider"):
        for name in _subjects(c, of, subject):
            before.update(moved_in_all(c, name))
            for day, moved in days_of(c, name, begin):
                by_day[day].update(moved)
                before.subtract(moved)
    else:
        for day, moved in (*days_of(c, f"{of} {subject}"), *_taken(c, of, subject)):
            (by_day[day] if day >= begin else before).update(moved)
    return before, sorted(by_day.items())


def _subjects(c: SQLiteCursor, of: DayKind, subject: str) -> list[str]:
    """Return whose days a thing's are."""
    if of == "treasury":
        return [f"programme {row.programme}" for row in PROGRAMMES.rows(c) if row.treasury == subject]
    return [NETWORK if of == "network" else f"{of} {subject}"]


def _taken(c: SQLiteCursor, of: DayKind, subject: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield by day what lines took of a voucher, a holder's vouchers, or those of a contract under it."""
    vouchers, contract = [subject], None
    if of == "holder":
        vouchers = [row.voucher for row in VOUCHERS.rows(c, holder=subject)]
    elif of == "contract":
        vouchers, contract = sorted({row.voucher for row in RESERVATIONS.rows(c, contract=subject)}), subject
    for day, amount_fen, lines, gpu_milliseconds in taken_by_day(c, vouchers, contract):
        yield day, {"fen *": amount_fen, "lines *": lines, "gpu *": gpu_milliseconds}


def sums_of(moved: Mapping[str, int]) -> dict[str, int]:
    """Return what moved by the names of sums of `Moved`."""
    sums = dict.fromkeys(_SUMS, 0)
    for name, amount in moved.items():
        for one in _sums_in(name):
            sums[one] += amount
    return sums


def _levels(of: DayKind, levels: dict[str, int], moved: Mapping[str, int]) -> dict[str, Any]:
    """Return levels after something more has moved, which are gone on with."""
    for name, amount in moved.items():
        for one, sign in _levels_in(name):
            levels[one] += sign * amount
    return {**levels, **_NONE_OF.get(of, {})}
