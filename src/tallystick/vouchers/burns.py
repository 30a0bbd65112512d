"""What is remembered of burned GPU-time: which moments of a job are burned, and what a reversal needs.

Both are bounded by the network's burn window: a line can't reach further back, so older ones are forgotten (evolve.py)
and memory follows the activity within the window, not the length of the log. A busy network has a million lines in
it, of which next to none is ever asked for again: so a statement is kept packed and unpacked when it is asked, and
which jobs it has is looked up only where a line may overlap (job_times.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from pydantic import ConfigDict

from tallystick.vouchers.packed_columns import PackedColumns
from tallystick.vouchers.schemas import Layout

BYTES_AS_BASE64: Final = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

_LINES: Final = PackedColumns("HBqqIIq")
_NUMBER, _LATE, _STARTS, _ENDS, _FEES = 0, 1, 2, 3, 6  # columns of it
_PAYMENTS: Final = PackedColumns("HHq")
_PLACES, _AMOUNTS = 1, 2

Intervals = bytes
"""Burned intervals of one job: for each, start and end in 8 bytes each."""


class BurnedLine(NamedTuple):
    """An accepted line.

    Attributes:
        number: in the statement, over all its groups, from 0.
        starts_at, ends_at: its interval (microseconds).
        is_booked_late: on the day of its entry, not on that of its end.
        payments: what each reservation paid, in order; none of them nothing.
        absorbed_fen: of the contract's other support.
    """

    number: int
    item: str
    job: str
    starts_at: int
    ends_at: int
    is_booked_late: bool
    gpu_milli_seconds: int
    fee_fen: int
    payments: tuple[tuple[str, int], ...]
    absorbed_fen: int

    @property
    def paid_fen(self) -> int:
        """What all programmes paid of it."""
        return sum([amount_fen for _, amount_fen in self.payments])


class LineColumns(NamedTuple):
    """The accepted lines of a group, by columns; see `BurnedLine`."""

    numbers: tuple[int, ...]
    are_booked_late: tuple[int, ...]
    starts_at: tuple[int, ...]
    ends_at: tuple[int, ...]
    gpu_milli: tuple[int, ...]
    seconds: tuple[int, ...]
    fees_fen: tuple[int, ...]


class PaymentColumns(NamedTuple):
    """What reservations paid, by columns: see `Statement`."""

    numbers: tuple[int, ...]
    places: tuple[int, ...]
    amounts_fen: tuple[int, ...]


@dataclass(slots=True)
class Group:
    """The accepted lines of a statement that are of one item, packed.

    Attributes:
        index: the statement's entry.
        ends_at: when the last of them ended.
        jobs: names by line, joined by blanks (which none can hold).
        packed: by columns number, whether booked late, start, end, GPU-thousandths, seconds, fee: 35 bytes a line.
        reversed_lines: the numbers of those taken back.
    """

    __pydantic_config__ = BYTES_AS_BASE64

    index: int
    item: str
    ends_at: int
    jobs: Annotated[str, Layout("names joined by blanks")]
    packed: Annotated[bytes, Layout(_LINES.layout)]
    reversed_lines: list[int]

    def columns(self) -> LineColumns:
        """Return its lines by columns.

        Raises:
            struct.error: the bytes aren't whole lines, which only damage can bring about.
        """
        return LineColumns._make(_LINES.unpack(self.packed))

    def fees_fen(self) -> int:
        """Return the fees of all its lines; raises as `columns`."""
        return sum(_LINES.column(self.packed, _FEES))

    def ends(self) -> tuple[int, int] | None:
        """Return when the first and the last of its lines ended; None if one is booked late. Raises as `columns`."""
        if any(_LINES.column(self.packed, _LATE)):
            return None
        ends = _LINES.column(self.packed, _ENDS)
        return min(ends), max(ends)

    def intervals(self) -> Iterator[tuple[int, str, int, int]]:
        """Yield number, job, start and end (microseconds) of each line, of those that were taken back too.

        Raises:
            struct.error: as `columns`.
        """
        lines = self.columns()
        yield from zip(lines.numbers, self.jobs.split(), lines.starts_at, lines.ends_at, strict=False)

    def unreversed_jobs(self) -> list[str]:
        """Return the jobs of which something is burned, by accepted line."""
        jobs = self.jobs.split()
        return [job for job in jobs if self.intervals_of(job)] if self.reversed_lines else jobs

    def intervals_of(self, job: str) -> Intervals:
        """Return what is burned of a job by the lines that weren't taken back."""
        text, wanted = f" {self.jobs} ", f" {job} "
        intervals = b""
        at = text.find(wanted)
        while at >= 0:
            row = text.count(" ", 0, at)
            number = int.from_bytes(_LINES.cell(self.packed, row, _NUMBER), "little")
            if number not in self.reversed_lines:
                intervals += _LINES.cell(self.packed, row, _STARTS) + _LINES.cell(self.packed, row, _ENDS)
            at = text.find(wanted, at + 1)
        return intervals


@dataclass(slots=True)
class Statement:
    """The accepted lines of one statement, packed, and who paid for them.

    Attributes:
        index, at, text_sha256: its entry, and the SHA-256 (hex) of its text.
        groups: by item.
        reservations: ids of those that paid, each once.
        payments: for each that paid a line, by columns the line's number, the place of the reservation, fen: 12 bytes.
        absorbed: of other support, number of the line and fen.
        corrected_lines: numbers of the lines taken back that another line stands for.
    """

    __pydantic_config__ = BYTES_AS_BASE64

    index: int
    at: int
    text_sha256: str
    contract: str
    groups: list[Group]
    reservations: tuple[str, ...]
    payments: Annotated[bytes, Layout(_PAYMENTS.layout)]
    absorbed: list[tuple[int, int]]
    corrected_lines: list[int]

    def lines(self) -> Iterator[BurnedLine]:
        """Yield the accepted lines, those that were taken back too.

        Raises:
            ValueError, struct.error, IndexError: the columns don't fit together, which only damage can bring about.
        """
        paid: dict[int, list[tuple[str, int]]] = {}
        for number, place, amount_fen in zip(*self.paid(), strict=True):
            paid.setdefault(number, []).append((self.reservations[place], amount_fen))
        absorbed = dict(self.absorbed)
        for group in self.groups:
            for job, number, late, starts_at, ends_at, gpu_milli, seconds, fee_fen in zip(
                group.jobs.split(), *group.columns(), strict=True
            ):
                yield BurnedLine(
                    number,
                    group.item,
                    job,
                    starts_at,
                    ends_at,
                    bool(late),
                    gpu_milli * seconds,
                    fee_fen,
                    tuple(paid.get(number, ())),
                    absorbed.get(number, 0),
                )

    def paid(self) -> PaymentColumns:
        """Return what each reservation paid, by columns.

        Raises:
            struct.error: the bytes aren't whole payments, which only damage can bring about.
        """
        return PaymentColumns._make(_PAYMENTS.unpack(self.payments))

    def line(self, number: int) -> BurnedLine | None:
        """Return the accepted line that has this number in the command."""
        return next((line for line in self.lines() if line.number == number), None)

    def group_of(self, number: int) -> Group | None:
        """Return the group that an accepted line is in."""
        return next((group for group in self.groups if number in group.columns().numbers), None)

    @property
    def reversed_lines(self) -> set[int]:
        """The numbers of the lines that were taken back."""
        return {number for group in self.groups for number in group.reversed_lines}

    def taken_fen(self) -> dict[str, int]:
        """Return what the lines took that weren't taken back, by reservation.

        Raises:
            struct.error, IndexError: the columns don't fit together, as in `lines`.
        """
        taken_fen: dict[str, int] = {}
        reversed_lines = self.reversed_lines
        if not reversed_lines and len(self.reservations) == 1:
            if any(_PAYMENTS.column(self.payments, _PLACES)):
                raise IndexError("a payment of a reservation that isn't there")
            return {self.reservations[0]: sum(_PAYMENTS.column(self.payments, _AMOUNTS))}
        for number, place, amount_fen in zip(*self.paid(), strict=True):
            if number not in reversed_lines:
                reservation = self.reservations[place]
                taken_fen[reservation] = taken_fen.get(reservation, 0) + amount_fen
        return taken_fen

    def charged_and_absorbed_fen(self) -> tuple[int, int]:
        """Return the fees of the lines that weren't taken back, and what they absorbed of other support."""
        reversed_lines, charged_fen = self.reversed_lines, 0
        for group in self.groups:
            charged_fen += group.fees_fen()
            if group.reversed_lines:
                lines = group.columns()
                both = zip(lines.numbers, lines.fees_fen, strict=True)
                charged_fen -= sum([fee_fen for number, fee_fen in both if number in reversed_lines])
        return charged_fen, sum([amount_fen for number, amount_fen in self.absorbed if number not in reversed_lines])


def pack_lines(
    numbers: Sequence[int],
    late: Sequence[bool],
    starts: Sequence[int],
    ends: Sequence[int],
    gpu_milli: Sequence[int],
    seconds: Sequence[int],
    fees: Sequence[int],
) -> bytes:
    """Return accepted lines as a group keeps them; by columns, which are as long as one another."""
    return _LINES.pack(numbers, late, starts, ends, gpu_milli, seconds, fees)


def pack_payments(paid_fen: Iterable[Sequence[int]]) -> bytes:
    """Return what each reservation, by its place, paid of each line, by its number; of what is nothing, nothing."""
    numbers: list[int] = []
    places: list[int] = []
    amounts_fen: list[int] = []
    for place, of_lines in enumerate(paid_fen):
        first = len(numbers)
        if 0 in of_lines:
            numbers += [number for number, amount_fen in enumerate(of_lines) if amount_fen]
            amounts_fen += [amount_fen for amount_fen in of_lines if amount_fen]
        else:
            numbers += range(len(of_lines))
            amounts_fen += of_lines
        places += [place] * (len(numbers) - first)
    return _PAYMENTS.pack(numbers, places, amounts_fen)
