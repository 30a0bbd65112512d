"""What waits for somebody, and what is about to end: of the network, a treasury, a programme, a provider or a holder.

Each list is read by an index of what is open, the oldest or the soonest first, and never more of it than `COUNTED_MAX`.
Ages and days left are whole days of 24 hours, by the log's time of the last entry followed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from tallystick.views.ageing import age_days
from tallystick.views.applications import APPLICATIONS, ApplicationRow
from tallystick.views.applications import IS_OPEN as APPLICATION_IS_OPEN
from tallystick.views.balances import (
    IS_OPEN,
    NOT_ENDED,
    RESERVATIONS,
    VOUCHERS,
    ReservationBalance,
    VoucherBalance,
    log_instant,
    log_time,
)
from tallystick.views.catalogue import TODAY, accreditation_balances
from tallystick.views.claims import CLAIMS, ClaimBalance
from tallystick.views.entry_index import last_sealed_day
from tallystick.views.library import SQLiteCursor
from tallystick.views.mandates import mandate_balances
from tallystick.views.programme_balances import PROGRAMMES, programme_balances
from tallystick.views.reviews import verdicts_on
from tallystick.views.view_tables import Table
from tallystick.vouchers.quantities import DAY_US, format_instant, parse_day, parse_instant

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WaitingKind = Literal["network", "treasury", "programme", "provider", "holder"]
SHOWN_MAX: Final = 100
COUNTED_MAX: Final = 1_000
DAYS_AHEAD_MAX: Final = 366
_END_OF_TIME: Final = "9999-12-31T23:59:59.999999Z"

Found = TypeVar("Found", bound="DataclassInstance")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class WaitingClaim:
    """A claim that isn't settled."""

    claim: str
    programme: str
    claimant: str
    amount_fen: int
    last_day: str
    claimed_at: str
    age_days: int


@dataclass(frozen=True, slots=True)
class WaitingApplication:
    """An application for which not all is issued; `verdicts` on it stand."""

    application: str
    programme: str
    holder: str
    amount_fen: int
    left_fen: int
    filed_at: str
    age_days: int
    verdicts: int


@dataclass(frozen=True, slots=True)
class EndingVoucher:
    """A voucher of which something is left; `days_left` is below 0 once its validity is over."""

    voucher: str
    programme: str
    holder: str
    valid_until: str
    available_fen: int
    reserved_fen: int
    days_left: int


@dataclass(frozen=True, slots=True)
class EndingReservation:
    """A reservation of which something is left."""

    reservation: str
    contract: str
    holder: str
    provider: str
    until: str
    remaining_fen: int
    days_left: int


@dataclass(frozen=True, slots=True)
class EndingMandate:
    """A mandate of which something is left."""

    mandate: str
    treasury: str
    operator: str
    until: str
    left_fen: int
    days_left: int


@dataclass(frozen=True, slots=True)
class EndingAccreditation:
    """An accreditation whose end was said."""

    programme: str
    provider: str
    valid_until: str
    days_left: int


@dataclass(frozen=True, slots=True)
class ClosingProgramme:
    """A programme that closes."""

    programme: str
    treasury: str
    closes_at: str
    unissued_fen: int
    days_left: int


@dataclass(frozen=True, slots=True)
class Some(Generic[Row]):
    """The first of a list, how many there are, and of how much; `more` of both if there are more than are counted."""

    count: int
    more: bool
    amount_fen: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Seals:
    """The last sealed day, the newest that may be sealed, and how many days that is later; None without a seal."""

    last_day: str | None
    due_day: str
    days_overdue: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, and what ends within some days."""

    of: WaitingKind
    subject: str | None
    now: str
    today: str
    within_days: int
    claims: Some[WaitingClaim]
    applications: Some[WaitingApplication]
    vouchers: Some[EndingVoucher]
    reservations: Some[EndingReservation]
    mandates: Some[EndingMandate]
    accreditations: Some[EndingAccreditation]
    programmes: Some[ClosingProgramme]
    seals: Seals


class _Asking:
    """Of whom it is asked, and until when."""

    def __init__(self, c: SQLiteCursor, of: WaitingKind, subject: str | None, within_days: int) -> None:
        self.c = c
        self.of: Final = of
        self.subject: Final = subject
        self.now: Final = log_instant(c)
        self.until: Final = min(format_instant(self.now + within_days * DAY_US), _END_OF_TIME)
        self.programmes: Final = frozenset(
            row.programme
            for row in PROGRAMMES.rows(c)
            if of == "network" or subject in (row.programme if of == "programme" else row.treasury,)
        )

    def days_left(self, until: str) -> int:
        """Return how many whole days something has left."""
        return (parse_instant(until) - self.now) // DAY_US

    def is_of(self, **members: str) -> bool:
        """Return whether a row with these members is one of those that are asked for."""
        if self.of == "network":
            return True
        if self.of == "treasury" and "treasury" not in members:
            return members.get("programme") in self.programmes
        return members.get(self.of) == self.subject

    def some(self, table: Table[Found], which: str, by: str, *values: str, **columns: str) -> list[Found]:
        """Return rows in the order of a column, no more than are counted.

        Args:
            table: of the rows.
            which: the SQL that holds of them.
            by: the column.
            values: for the places of the SQL.
            columns: which column says of whom a row is, where it isn't called like the kind.
        """
        where, of_whom = "", sorted(self.programmes)
        if self.of == "treasury":
            where = f" AND programme IN ({', '.join('?' * len(of_whom))})"
        elif self.of == "network":
            of_whom = []
        else:
            where, of_whom = f" AND {columns.get(self.of, self.of)} = ?", [self.subject or ""]
        return [*table.some(self.c, f"{which}{where}", [*values, *of_whom], by, COUNTED_MAX + 1)]


def waiting(c: SQLiteCursor, of: WaitingKind, subject: str | None, within_days: int) -> Waiting:
    """Return what waits, and what ends within some days, of the network or of a thing that is there."""
    asking = _Asking(c, of, subject, within_days)
    today = next(iter(TODAY.rows(c)), None)
    return Waiting(
        of=of,
        subject=subject,
        now=log_time(c),
        today="" if today is None else today.day,
        within_days=within_days,
        claims=_claims(asking),
        applications=_applications(asking),
        vouchers=_vouchers(asking),
        reservations=_reservations(asking),
        mandates=_mandates(asking),
        accreditations=_accreditations(asking),
        programmes=_closing(asking),
        seals=_seals(c, "" if today is None else today.sealable_day),
    )


def _some(found: Sequence[Found], row: Callable[[Found], Row], amount_fen: Callable[[Found], int]) -> Some[Row]:
    """Return the first of what was found; only of those that are shown a row is made."""
    counted = found[:COUNTED_MAX]
    shown = tuple(map(row, counted[:SHOWN_MAX]))
    return Some(len(counted), len(found) > COUNTED_MAX, sum(map(amount_fen, counted)), shown)


def _claims(asking: _Asking) -> Some[WaitingClaim]:
    def row(claim: ClaimBalance) -> WaitingClaim:
        age = age_days(asking.now, claim)
        said = (claim.claim, claim.programme, claim.claimant, claim.amount_fen, claim.last_day, claim.claimed_at)
        return WaitingClaim(*said, age)

    found = asking.some(CLAIMS, "status = 'open'", "claimed_index", provider="claimant", holder="claimant")
    return _some(found, row, lambda one: one.amount_fen)


def _applications(asking: _Asking) -> Some[WaitingApplication]:
    def row(one: ApplicationRow) -> WaitingApplication:
        verdicts = sum(
            verdict.standing == "stands" for verdict in verdicts_on(asking.c, f"application {one.application}")
        )
        age = (asking.now - parse_instant(one.filed_at)) // DAY_US
        said = (one.application, one.programme, one.holder, one.amount_fen, one.left_fen, one.filed_at)
        return WaitingApplication(*said, age, verdicts)

    found = [] if asking.of == "provider" else asking.some(APPLICATIONS, APPLICATION_IS_OPEN, "filed_index")
    return _some(found, row, lambda one: one.left_fen)


def _vouchers(asking: _Asking) -> Some[EndingVoucher]:
    def row(one: VoucherBalance) -> EndingVoucher:
        left = asking.days_left(one.valid_until)
        said = (one.voucher, one.programme, one.holder, one.valid_until, one.available_fen, one.reserved_fen)
        return EndingVoucher(*said, left)

    which = f"{NOT_ENDED} AND valid_until <= ? AND available_fen + reserved_fen > 0"
    found = [] if asking.of == "provider" else asking.some(VOUCHERS, which, "valid_until", asking.until)
    return _some(found, row, lambda one: one.available_fen + one.reserved_fen)


def _reservations(asking: _Asking) -> Some[EndingReservation]:
    def row(one: ReservationBalance) -> EndingReservation:
        left = asking.days_left(one.until)
        return EndingReservation(
            one.reservation, one.contract, one.holder, one.provider, one.until, one.remaining_fen, left
        )

    found = asking.some(RESERVATIONS, f"{IS_OPEN} AND until <= ? AND remaining_fen > 0", "until", asking.until)
    return _some(found, row, lambda one: one.remaining_fen)


def _mandates(asking: _Asking) -> Some[EndingMandate]:
    found = [
        EndingMandate(one.mandate, one.treasury, one.operator, one.until, one.left_fen, asking.days_left(one.until))
        for one in mandate_balances(asking.c)
        if one.status == "open" and one.left_fen and one.until <= asking.until
        if asking.is_of(treasury=one.treasury, **({} if one.programme is None else {"programme": one.programme}))
    ]
    return _some(_soonest(found, lambda one: one.until), lambda one: one, lambda one: one.left_fen)


def _accreditations(asking: _Asking) -> Some[EndingAccreditation]:
    found = [
        EndingAccreditation(one.programme, one.provider, one.valid_until, asking.days_left(one.valid_until))
        for one in accreditation_balances(asking.c)
        if one.valid_until is not None and one.status != "ended" and one.valid_until <= asking.until
        if asking.is_of(programme=one.programme, provider=one.provider)
    ]
    return _some(_soonest(found, lambda one: one.valid_until), lambda one: one, lambda _: 0)


def _closing(asking: _Asking) -> Some[ClosingProgramme]:
    found = [
        ClosingProgramme(one.programme, one.treasury, one.closes_at, one.unissued_fen, asking.days_left(one.closes_at))
        for one in programme_balances(asking.c)
        if not one.closed and one.closes_at <= asking.until
        if asking.is_of(programme=one.programme, treasury=one.treasury)
    ]
    return _some(_soonest(found, lambda one: one.closes_at), lambda one: one, lambda one: one.unissued_fen)


def _soonest(found: Iterable[Row], until: Callable[[Row], str]) -> list[Row]:
    return sorted(found, key=until)


def _seals(c: SQLiteCursor, due_day: str) -> Seals:
    last_day = last_sealed_day(c)
    overdue = None if last_day is None else max(0, parse_day(due_day) - parse_day(last_day))
    return Seals(last_day, due_day, overdue)
