"""A statement of a voucher holder, a provider or a programme: what the views say, in cells ready for a page.

Every figure is a view's own (`tallystick show`, `balances`), or a sum of those that stand above it. Amounts are yuan
with two decimals, GPU-time is GPU-hours truncated to three, days are of the network's zone.

    opening   at the end of the day before the period, if one is given
    closing   as of the log's place that every page names
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from tallystick.accounting.log_place import LogPlace
from tallystick.accounting.statement_cells import Period, StatementCells, StatementTable
from tallystick.accounting.statement_words import StatementWords
from tallystick.errors import NotFoundError
from tallystick.forms.times import zone_name
from tallystick.printing.text import one_line
from tallystick.views import HolderAccount, ProgrammeBook, ProviderStatement, Views

StatementKind = Literal["holder", "provider", "programme"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, ready for pages.

    Attributes:
        title: what it is.
        whose: name and id of whom it is about.
        facts: what else is said of it at its head: names and values.
        tables: in their order.
        foot: what stands at the foot of every page, line by line.
        again: how to make it again.
        page: how a page's number is said, with `{}` for the number and for how many there are.
        language: of the words.
        nothing: what stands where a table has no rows.
    """

    title: str
    whose: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[StatementTable, ...]
    foot: tuple[str, ...]
    again: tuple[str, str]
    page: str
    language: str
    nothing: str


def make_statement(
    kind: StatementKind,
    about: str,
    views: Views,
    place: LogPlace,
    words: StatementWords,
    period: Period,
    opening: Views | None = None,
) -> Statement:
    """Return a statement.

    Args:
        kind: of what it is.
        about: the id of whom it is about.
        views: as of `place`.
        place: where in the log that is.
        words: of the language.
        period: of what is listed entry by entry; what stands is of its end.
        opening: views as of the end of the day before it, if it has a beginning.

    Raises:
        NotFoundError: there is none of that id.
    """
    made = StatementCells(words, place, period)
    account = getattr(views, kind)(about)
    before = None if opening is None else _balance(kind, about, opening)
    tables = _TABLES[kind](made, account, views, before)
    balance = account.balance
    facts = [
        (words.place("period"), made.period_text()),
        (words.place("units") + " " + zone_name(place.zone), ""),
    ]
    if kind == "programme":
        facts.insert(0, (words.field("treasury"), balance.treasury))
        facts.insert(1, (words.field("payee"), words.state(balance.payee)))
        facts.insert(2, (words.field("closes_at"), made.day_text(balance.closes_at, is_end=True)))
    elif balance.suspended:
        facts.insert(0, (words.field("status"), words.state("suspended")))
    name = one_line(balance.name)
    return Statement(
        words.title(kind),
        f"{name} ({about})" if name and name != about else about,
        tuple(facts),
        tuple(tables),
        made.foot(),
        (words.place("again"), made.command(kind, about)),
        words.place("page", "{}", "{}"),
        words.language,
        words.place("nothing"),
    )


def _balance(kind: StatementKind, about: str, views: Views) -> Mapping[str, Any]:
    """Return the balance of then, nothing of what wasn't there yet."""
    try:
        return asdict(getattr(views, kind)(about).balance)
    except NotFoundError:
        return {}


@dataclass(frozen=True, slots=True)
class _Movement:
    """A line of a voucher's history, and the voucher."""

    at: str
    index: int
    voucher: str
    kind: str
    ref: str
    amount_fen: int
    available_fen: int


def _holder(
    made: StatementCells, account: HolderAccount, views: Views, before: Mapping[str, Any] | None
) -> Sequence[StatementTable]:
    movements = [
        _Movement(line.at, line.index, one.voucher, line.kind, line.ref, line.amount_fen, line.available_fen)
        for one in account.vouchers
        for line in views.voucher(one.voucher).history
    ]
    movements.sort(key=lambda one: one.index)
    return (
        made.summary(
            "granted_fen available_fen over_fen reserved_fen burned_fen carried_over_fen expired_fen unclaimed_fen "
            "claimed_fen withheld_fen settled_fen paid_fen receivable_fen forfeited_fen",
            account.balance,
            before,
        ),
        made.table(
            "vouchers",
            "voucher programme status valid_from valid_until face_fen available_fen reserved_fen burned_fen "
            "transferred_fen returned_fen",
            account.vouchers,
        ),
        made.table(
            "reservations",
            "reservation contract provider until amount_fen remaining_fen taken_fen released_fen",
            [one for one in account.reservations if not one.closed],
        ),
        made.table(
            "contracts",
            "contract provider first_day last_day amount_fen charged_fen lines_accepted lines_reversed "
            "gpu_milliseconds fee_fen",
            account.contracts,
        ),
        made.table(
            "movements",
            "at index voucher kind ref amount_fen available_fen",
            made.in_period(movements, "at"),
            has_total=False,
        ),
    )


def _provider(
    made: StatementCells, account: ProviderStatement, _: Views, before: Mapping[str, Any] | None
) -> Sequence[StatementTable]:
    statements = made.in_period(account.statements, "at")
    shown = {one.index for one in statements}
    return (
        made.summary(
            "reserved_fen lines_accepted lines_refused lines_reversed gpu_milliseconds fee_fen from_voucher_fen "
            "reversed_fen to_holders_fen either_fen unclaimed_fen claimed_fen withheld_fen settled_fen paid_fen "
            "receivable_fen forfeited_fen",
            account.balance,
            before,
        ),
        made.table(
            "programmes",
            "programme lines_paid from_voucher_fen reversed_fen to_holders_fen either_fen unclaimed_fen claimed_fen "
            "withheld_fen settled_fen forfeited_fen",
            account.programmes,
        ),
        made.table(
            "claims",
            "claim programme last_day claimed_at amount_fen paid_fen withheld_fen set_off_fen payment_fen payment_day "
            "payment_reference status",
            made.in_period(account.claims, "claimed_at", "settled_at", is_open=lambda one: one.status == "open"),
        ),
        made.table("refusals", "reason lines gpu_milliseconds", account.refusals),
        made.table(
            "services",
            "index ref contract item first_day last_day quantity fee_fen from_voucher_fen reversed",
            [one for one in account.services if one.index in shown],
        ),
        made.table(
            "statements",
            "at index ref contract lines_accepted lines_refused gpu_milliseconds fee_fen from_voucher_fen reversed_fen",
            statements,
        ),
    )


_PARTS_OF_ENVELOPE: Final = (
    "unissued_fen available_fen reserved_fen burned_fen claimed_fen withheld_fen paid_fen receivable_fen"
)


def _programme(
    made: StatementCells, account: ProgrammeBook, _: Views, before: Mapping[str, Any] | None
) -> Sequence[StatementTable]:
    where = made.summary(_PARTS_OF_ENVELOPE, account.balance, before)
    envelope = made.summary("envelope_fen", account.balance, before)
    return (
        StatementTable(made.words.section("where"), where.columns, where.rows, (envelope.rows or [None])[0]),
        made.summary(
            "issued_fen expired_fen revoked_fen forfeited_fen received_fen carried_over_fen over_fen",
            account.balance,
            before,
        ),
        made.table(
            "quarters",
            "quarter issued_fen burned_fen reversed_fen claimed_fen paid_fen withheld_fen expired_fen revoked_fen "
            "forfeited_fen demanded_fen received_fen",
            account.quarters,
        ),
        made.table(
            "holders",
            "holder name vouchers granted_fen available_fen reserved_fen burned_fen expired_fen unclaimed_fen "
            "claimed_fen settled_fen",
            account.holders,
        ),
        made.table(
            "providers",
            "provider lines_paid reserved_fen from_voucher_fen reversed_fen unclaimed_fen claimed_fen withheld_fen "
            "settled_fen paid_fen receivable_fen",
            account.providers,
        ),
        made.table(
            "claims",
            "claim claimant last_day claimed_at amount_fen paid_fen withheld_fen set_off_fen payment_fen payment_day "
            "payment_reference status",
            made.in_period(account.claims, "claimed_at", "settled_at", is_open=lambda one: one.status == "open"),
        ),
        made.table(
            "demands",
            "demand payee demanded_at amount_fen received_fen set_off_fen cancelled_fen left_fen reason",
            made.in_period(account.demands, "demanded_at", is_open=lambda one: one.left_fen > 0),
            prose="reason",
        ),
    )


_TABLES: Final[Mapping[StatementKind, Callable[..., Sequence[StatementTable]]]] = {
    "holder": _holder,
    "provider": _provider,
    "programme": _programme,
}
