"""What a command came to, beyond what it says itself: amounts computed, lines refused.

Fields are declared in the order of their names and hold only integers and plain ASCII, so that pydantic's own output
is canonical JSON; tests/vectors compares the two for every kind.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag

from tallystick.vouchers.quantities import Fen, FenOrZero, Hash, Instant, LotId, OwnedId
from tallystick.vouchers.refusals import Reason


class _Closed:
    """Read back from an entry, it has exactly its fields, in strict types."""

    __slots__ = ()
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Nothing(_Closed):
    """The command says it all."""


@dataclass(frozen=True, slots=True)
class Issued(_Closed):
    """Until when a new voucher is valid."""

    valid_until: Instant


@dataclass(frozen=True, slots=True)
class Returned(_Closed):
    """What went back to the programme's envelope."""

    returned_fen: FenOrZero


@dataclass(frozen=True, slots=True)
class Released(_Closed):
    """What remained of a reservation, and where it went."""

    released_fen: FenOrZero
    to: Literal["voucher", "programme"]


@dataclass(frozen=True, slots=True)
class Burned(_Closed):
    """What a statement came to; lines are counted from 0 over all its groups.

    Attributes:
        absorbed: of the contract's other support: line and fen, where that is more than nothing.
        fee_fen: by line, 0 where refused.
        paid: by reservation that paid, in the order of the first: its id, and fen by line.
        refused: lines, each with the reason.
    """

    absorbed: tuple[tuple[int, Fen], ...]
    fee_fen: tuple[FenOrZero, ...]
    paid: tuple[tuple[OwnedId, tuple[FenOrZero, ...]], ...]
    refused: tuple[tuple[int, Reason], ...]

    def paid_fen(self) -> list[int]:
        """Return what all programmes paid, by line."""
        return [sum(amounts_fen) for amounts_fen in zip(*[lines for _, lines in self.paid], strict=True)] or [0] * len(
            self.fee_fen
        )


@dataclass(frozen=True, slots=True)
class Reversed(_Closed):
    """What a reversal gave back: by reservation that had paid, fen and to what."""

    returned: tuple[tuple[OwnedId, Fen, Literal["reservation", "voucher", "programme"]], ...]

    @property
    def returned_fen(self) -> int:
        """All of it."""
        return sum([amount_fen for _, amount_fen, _ in self.returned])


def _row_of_what_expires(row: object) -> tuple[object, ...]:
    """Return a row of JSON as the tuple that it is in strict types: what follows goes by its first value."""
    if not isinstance(row, list | tuple) or not row or row[0] not in ("reservation", "voucher", "lot"):
        raise ValueError("must be of a 'reservation', a 'voucher' or a 'lot'")
    return tuple(row)


def _what_expired(row: tuple[str, ...]) -> str:
    return row[0]


ExpiredRow = Annotated[
    Annotated[tuple[Literal["reservation"], OwnedId, FenOrZero, Literal["voucher", "programme"]], Tag("reservation")]
    | Annotated[tuple[Literal["voucher"], OwnedId, FenOrZero, Literal["programme"]], Tag("voucher")]
    | Annotated[tuple[Literal["lot"], LotId, Fen, Literal["programme"]], Tag("lot")],
    Discriminator(_what_expired),
    BeforeValidator(_row_of_what_expires),
]
"""Of what, its id, what was left of it in fen, and where that went."""


@dataclass(frozen=True, slots=True)
class Expired(_Closed):
    """What time had ended, in the order in which it did.

    Attributes:
        more: more than fits is past its end, for another such command.
        rows: of what, its id, what was left of it in fen, and where that went.
    """

    more: bool
    rows: tuple[ExpiredRow, ...]


@dataclass(frozen=True, slots=True)
class Claimed(_Closed):
    """What a claim amounts to.

    Attributes:
        amount_fen: of all rows together.
        more: there is more to claim than fits, for another claim.
        rows: by contract, in the order of their ids, what is claimed under it in fen.
    """

    amount_fen: Fen
    more: bool
    rows: tuple[tuple[OwnedId, Fen], ...]


@dataclass(frozen=True, slots=True)
class Sealed(_Closed):
    """The Merkle root over all accounts, and how many they are."""

    accounts: Annotated[int, Field(ge=0)]
    root: Hash


Outcome = Nothing | Issued | Returned | Released | Burned | Reversed | Expired | Claimed | Sealed
