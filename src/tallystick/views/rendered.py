"""What providers rendered that isn't GPU-time: a quantity of a counted item, or what an invoice is about.

A service is a statement of one line, and its sums stand among the statements; here stands what it was of.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Table, values_of
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.burning import BurnReverse
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """A service as `Rendered` has it, and whose it is."""

    entry_index: IndexKey
    provider: str
    ref: str
    contract: str
    item: str
    first_day: str
    last_day: str
    quantity: int | None
    counted: str | None
    document_hash: str | None
    fee_fen: int
    from_voucher_fen: int
    reversed: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A service: counted, with the unit of what is counted, or invoiced, with the invoice's SHA-256 (hex).

    Attributes:
        index: of the entry.
        first_day, last_day: on which it was rendered; both belong to it.
        quantity: None of an invoice.
        counted: the item's unit, if it names one; None of an invoice.
        from_voucher_fen: what programmes paid.
        reversed: whether it was taken back.
    """

    index: int
    ref: str
    contract: str
    item: str
    first_day: str
    last_day: str
    quantity: int | None
    counted: str | None
    document_hash: str | None
    fee_fen: int
    from_voucher_fen: int
    reversed: bool


RENDERED: Final = Table("services", RenderedRow, lookups=("provider", "contract"))


class RenderedItems:
    """What a batch of entries adds to services."""

    commands: ClassVar[Commands] = (ServiceBurn, BurnReverse)

    def __init__(self) -> None:
        self._services: list[RenderedRow] = []
        self._reversals: list[tuple[bool, int]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        command = change.event.command
        if change.reversed is not None:
            self._reversals.append((True, change.reversed.statement.index))  # of no row, if it is of GPU-time
        if not isinstance(command, ServiceBurn):
            return
        assert change.statement is not None
        is_counted = command.quantity is not None
        self._services.append(
            RenderedRow(
                entry_index=change.event.index,
                provider=command.party,
                ref=command.ref,
                contract=command.contract,
                item=command.item,
                first_day=format_day(command.first_day),
                last_day=format_day(command.last_day),
                quantity=command.quantity,
                counted=change.state.items[command.item].counted if is_counted else None,
                document_hash=command.document_hash,
                fee_fen=change.statement.fee_fen,
                from_voucher_fen=sum(change.moved_fen().values()),
                reversed=False,
            )
        )

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a reversal may be of one of its own."""
        RENDERED.insert(c, self._services)
        RENDERED.change(c, self._reversals, "reversed")


def rendered_of(c: SQLiteCursor, *, provider: str | None = None, contract: str | None = None) -> tuple[Rendered, ...]:
    """Return services in the order of the log: all, or those of a provider or contract."""
    return tuple(map(_service, RENDERED.rows(c, provider=provider, contract=contract)))


def _service(row: RenderedRow) -> Rendered:
    said = values_of(row)
    del said["provider"]
    return Rendered(index=said.pop("entry_index"), **said)
