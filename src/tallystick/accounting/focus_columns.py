"""The columns of FOCUS 1.2 that are written, with what they hold of a charge of any kind.

FOCUS is the FinOps Open Cost and Usage Specification. All columns that it makes mandatory are here; of the conditional
and recommended ones those that a log can fill. Columns of our own begin with `x_`.
"""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final, Literal

from tallystick.accounting.table import Column, Row

NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A row. Names are those of the columns, in lower case and with underscores; times are in UTC.

    Costs are in yuan. All costs of a row have the sign of its quantity; unit prices have none.
    """

    billed_cost: Decimal = NOTHING
    billing_account_id: str = ""
    billing_account_name: str | None = None
    billing_account_type: str = ""
    billing_currency: str = "CNY"
    billing_period_end: str
    billing_period_start: str
    charge_category: Literal["Usage", "Purchase", "Adjustment"] = "Purchase"
    charge_class: Literal["Correction"] | None = None
    charge_description: str = ""
    charge_frequency: Literal["Usage-Based", "One-Time"] = "One-Time"
    charge_period_end: str
    charge_period_start: str
    consumed_quantity: Decimal | None = None
    consumed_unit: str | None = None
    contracted_cost: Decimal = NOTHING
    contracted_unit_price: Decimal | None = None
    effective_cost: Decimal = NOTHING
    invoice_id: str | None = None
    invoice_issuer_name: str
    list_cost: Decimal = NOTHING
    list_unit_price: Decimal | None = None
    pricing_category: str | None = None
    pricing_quantity: Decimal | None = None
    pricing_unit: str | None = None
    provider_name: str
    publisher_name: str
    resource_id: str | None = None
    resource_name: str | None = None
    resource_type: str | None = None
    service_category: str
    service_name: str
    service_subcategory: str
    sku_id: str | None = None
    sku_meter: str | None = None
    sku_price_id: str | None = None
    sub_account_id: str | None = None
    sub_account_name: str | None = None
    sub_account_type: str | None = None
    x_entry: int
    x_line: int | None = None
    x_ref: str
    x_leaf_hash: str
    x_booked_day: int
    x_programme: str | None = None
    x_voucher: str | None = None
    x_contract: str | None = None
    x_holder: str | None = None

    def row(self) -> Row:
        """Return its cells, in the order of the columns."""
        return tuple([getattr(self, name) for name in _NAMES])


_NAMES: Final = tuple(field.name for field in fields(Charge))


def _column(name: str) -> Column:
    own, words = ("x_", name[2:]) if name.startswith("x_") else ("", name)
    title = own + "".join([word.capitalize() for word in words.split("_")])
    if name == "x_booked_day":
        return Column(title, "", "day")
    if name in ("x_entry", "x_line"):
        return Column(title, "", "whole")
    is_number = name.endswith(("_cost", "_price", "_quantity"))
    return Column(title, "", "yuan" if is_number else "text")


FOCUS_COLUMNS: Final = tuple(_column(name) for name in _NAMES)
