"""What vouchers cost, and what they paid, as FOCUS 1.2 has it; two data sets, each of one payer's share.

    treasury's   a voucher is issued         Purchase    BilledCost its face, EffectiveCost 0
                 it goes back unused         Purchase    BilledCost less what went back
                 a line is burned            Usage       BilledCost 0, EffectiveCost what the voucher paid
                 a line is taken back        Usage       the same, less than nothing
                 disallowed, too late, received back     Adjustment, of both costs
    holder's     a line is burned            Usage       of both costs what is left of its fee to the holder
                 a line is taken back        Usage       the same, less than nothing

So the treasury's BilledCost adds up to what left its envelopes, and its EffectiveCost to what was used of that and not
given back; what was used before the log began is in neither. Where several vouchers pay a line, its quantity and its
list cost are divided by what they paid. A row is a correction only if its line is about a day that was sealed before.

InvoiceId is empty: a claim bills what the voucher's purchase has billed already, so the sum of BilledCost would not be
the claim. A journal says in which claim an amount is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from tallystick.accounting.amounts import gpu_hour_units, in_decimal
from tallystick.accounting.focus_columns import Charge
from tallystick.accounting.journal import Period, month_of
from tallystick.accounting.postings import BookedEntry, BookedPosting, LinePayment, UsedLine
from tallystick.vouchers.quantities import SECOND_US, format_second
from tallystick.vouchers.state import State

Share = Literal["treasury", "holder"]

_UNIT_PRICE: Final = Decimal("0.0000000001")
_INVOICE_PART: Final = Decimal("0.0000001")
_VOUCHERS: Final = ("Other", "Compute vouchers", "Other (Other)")
_GPU_TIME: Final = ("Compute", "GPU-time", "Other (Compute)")
_SERVICES: Final = ("AI and Machine Learning", "Model and corpus services", "Other (AI and Machine Learning)")


@dataclass
class FocusRows:
    """Rows to be made of a log's entries.

    Attributes:
        share: whose.
        period: whose entries they are of.
        charges: how many there were so far.
    """

    share: Share
    period: Period
    charges: int = 0

    def of(self, entries: Iterable[BookedEntry]) -> Iterator[Charge]:
        """Yield the rows of entries, in the order of the log."""
        first_day, last_day = self.period.first_day, self.period.last_day
        charges_of = _treasurys if self.share == "treasury" else _holders
        for entry in entries:
            if last_day is not None and entry.day > last_day:
                break
            if first_day is None or entry.day >= first_day:
                for charge in charges_of(entry):
                    self.charges += 1
                    yield charge


def _treasurys(entry: BookedEntry) -> Iterator[Charge]:
    for line in entry.lines:
        total_fen = sum(payment.amount_fen for payment in line.payments)
        left_quantity, left_fee_fen = line.quantity, line.fee_fen
        for number, payment in enumerate(line.payments, 1):
            is_last = number == len(line.payments)
            quantity = left_quantity if is_last else line.quantity * payment.amount_fen // total_fen
            fee_fen = left_fee_fen if is_last else line.fee_fen * payment.amount_fen // total_fen
            left_quantity, left_fee_fen = left_quantity - quantity, left_fee_fen - fee_fen
            yield _of_treasurys_usage(entry, line, payment, quantity, fee_fen)
    for posting in entry.postings:
        source, target = posting.posting.source, posting.posting.target
        if (source, target) == ("unissued", "available"):
            yield _purchase(entry, posting, 1, "Voucher issued")
        elif target == "unissued" and source in ("available", "reserved"):
            yield _purchase(entry, posting, -1, "Voucher gone back unused")
        elif target == "unissued" and source != "envelope":
            if entry.lines:  # taken back of a voucher that has ended: its usage has gone already
                yield _purchase(entry, posting, -1, "Voucher gone back unused")
            else:
                yield _adjustment(entry, posting)


def _holders(entry: BookedEntry) -> Iterator[Charge]:
    for line in entry.lines:
        assert entry.holder is not None
        own_fen = line.fee_fen - line.absorbed_fen - sum(payment.amount_fen for payment in line.payments)
        fee, own = _yuan(line.fee_fen), _yuan(own_fen)
        charge = _usage(entry, line, line.quantity, line.fee_fen)
        yield replace(
            charge,
            billed_cost=own,
            effective_cost=own,
            contracted_cost=fee,
            contracted_unit_price=charge.list_unit_price,
            billing_account_id=entry.holder,
            billing_account_name=entry.state.parties[entry.holder].name,
            billing_account_type="Holder",
            sub_account_id=entry.contract,
            sub_account_name=entry.contract,
            sub_account_type="Contract",
        )


def _of_treasurys_usage(
    entry: BookedEntry, line: UsedLine, payment: LinePayment, quantity: int, fee_fen: int
) -> Charge:
    paid = _yuan(payment.amount_fen)
    charge = _usage(entry, line, quantity, fee_fen)
    return replace(
        charge,
        effective_cost=paid,
        contracted_cost=paid,
        contracted_unit_price=_unit_price(paid, charge.pricing_quantity),
        **_account_of(payment.programme, entry.state),
        x_voucher=payment.voucher,
        x_programme=payment.programme,
    )


def _usage(entry: BookedEntry, line: UsedLine, quantity: int, fee_fen: int) -> Charge:
    """Return a row of a line, or of the part of it that a voucher paid."""
    state = entry.state
    assert entry.provider is not None
    item = state.items[line.item]
    if line.is_gpu_time:
        used, unit = in_decimal(gpu_hour_units(quantity), "GPUH"), "GPU-Hours"
    elif line.quantity:
        used, unit = Decimal(quantity), item.counted or "Units"
    else:  # an invoice: of it the part that was paid
        part = Decimal(fee_fen) / Decimal(abs(line.fee_fen)) if line.fee_fen else Decimal(1)
        used, unit = part.quantize(_INVOICE_PART), "Invoices"
    list_cost = _yuan(fee_fen)
    is_correction = line.is_of_sealed_day and (line.corrects is not None or line.fee_fen < 0 or line.quantity < 0)
    ends_at = -(-line.ends_at // SECOND_US) * SECOND_US  # a service's is a microsecond before the next day
    provider = state.parties[entry.provider].name or entry.provider
    category, service, subcategory = _GPU_TIME if line.is_gpu_time else _SERVICES
    taken_back = " taken back" if line.quantity < 0 or line.fee_fen < 0 else ""
    return replace(
        _row_of(entry, line.day),
        charge_category="Usage",
        charge_class="Correction" if is_correction else None,
        charge_description=f"{item.name}, line {line.number} of {line.statement_ref}{taken_back}",
        charge_frequency="Usage-Based",
        charge_period_start=format_second(line.starts_at),
        charge_period_end=format_second(ends_at),
        consumed_quantity=used,
        consumed_unit=unit,
        list_cost=list_cost,
        list_unit_price=_unit_price(list_cost, used),
        pricing_quantity=used,
        pricing_unit=unit,
        invoice_issuer_name=provider,
        provider_name=provider,
        publisher_name=provider,
        resource_id=line.job or None,
        resource_type="Job" if line.job else None,
        service_category=category,
        service_name=service,
        service_subcategory=subcategory,
        sku_id=line.item,
        sku_meter=unit,
        sku_price_id=f"{entry.provider}/{line.item}",
        x_line=line.number,
        x_contract=entry.contract,
        x_holder=entry.holder,
    )


def _purchase(entry: BookedEntry, posting: BookedPosting, sign: int, what: str) -> Charge:
    state = entry.state
    cost = _yuan(sign * posting.amount_fen)
    sku = f"voucher/{posting.programme}"
    return replace(
        _row_of(entry, posting.day),
        **_account_of(posting.programme, state),
        billed_cost=cost,
        contracted_cost=cost,
        contracted_unit_price=abs(cost),
        list_cost=cost,
        list_unit_price=abs(cost),
        pricing_quantity=Decimal(sign),
        pricing_unit="Vouchers",
        charge_description=f"{what}, {posting.voucher}",
        sku_id=sku,
        sku_meter="Vouchers",
        sku_price_id=sku,
        x_voucher=posting.voucher,
        x_programme=posting.programme,
        x_contract=posting.contract,
        x_holder=state.vouchers[posting.voucher].holder if posting.voucher in state.vouchers else None,
    )


def _adjustment(entry: BookedEntry, posting: BookedPosting) -> Charge:
    cost = _yuan(-posting.amount_fen)
    what = "Received back" if posting.posting.source == "receivable" else "Used and not paid: disallowed or too late"
    return replace(
        _row_of(entry, posting.day),
        **_account_of(posting.programme, entry.state),
        charge_category="Adjustment",
        billed_cost=cost,
        effective_cost=cost,
        contracted_cost=cost,
        list_cost=cost,
        pricing_category=None,
        charge_description=f"{what}, {posting.demand or posting.contract}",
        x_voucher=posting.voucher,
        x_programme=posting.programme,
        x_contract=posting.contract,
    )


def _row_of(entry: BookedEntry, booked_day: int) -> Charge:
    """Return a row of an entry that costs nothing yet: a purchase of its day, in its month."""
    state, command = entry.state, entry.event.command
    year, month = month_of(entry.day)
    first_day = entry.day
    while month_of(first_day - 1) == (year, month):
        first_day -= 1
    next_month = entry.day + 1
    while month_of(next_month) == (year, month):
        next_month += 1
    return Charge(
        billing_period_start=_start_of(first_day, state),
        billing_period_end=_start_of(next_month, state),
        charge_period_start=_start_of(entry.day, state),
        charge_period_end=_start_of(entry.day + 1, state),
        invoice_issuer_name=_name(command.party, state),
        provider_name=_name(command.party, state),
        publisher_name=_name(command.party, state),
        pricing_category="Standard",
        service_category=_VOUCHERS[0],
        service_name=_VOUCHERS[1],
        service_subcategory=_VOUCHERS[2],
        x_entry=entry.index,
        x_ref=command.ref,
        x_leaf_hash=entry.leaf_hash.hex(),
        x_booked_day=booked_day,
    )


def _account_of(programme: str, state: State) -> dict[str, Any]:
    """Return the treasury that is billed, and the programme."""
    treasury = state.programmes[programme].treasury
    return {
        "billing_account_id": treasury,
        "billing_account_name": _name(treasury, state),
        "billing_account_type": "Treasury",
        "sub_account_id": programme,
        "sub_account_name": state.programmes[programme].name,
        "sub_account_type": "Programme",
    }


def _name(party: str, state: State) -> str:
    return state.parties[party].name or party


def _start_of(day: int, state: State) -> str:
    return format_second(max(state.start_of(day), 0))


def _yuan(amount_fen: int) -> Decimal:
    return in_decimal(amount_fen, "CNY")


def _unit_price(cost: Decimal, quantity: Decimal | None) -> Decimal | None:
    """Return the price of a unit, to ten decimals; None where there is no quantity to divide by."""
    return abs(cost / quantity).quantize(_UNIT_PRICE) if quantity else None
