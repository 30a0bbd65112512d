"""What a command came to, beyond what it says itself: amounts computed, lines refused.

Fields are declared in the order of their names and hold only integers and plain ASCII, so that pydantic's own output
is canonical JSON; tests/vectors compares the two for every kind.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from tallystick.vouchers.quantities import FenOrZero, Instant, Sha256Hex
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
    """By line: the fee and what the voucher pays of it, 0 where refused; and which lines were refused and why."""

    fee_fen: tuple[int, ...]
    from_voucher_fen: tuple[int, ...]
    refused: tuple[tuple[int, Reason], ...]


@dataclass(frozen=True, slots=True)
class Reversed(_Closed):
    """What a reversal gave back, and to what."""

    returned_fen: FenOrZero
    to: Literal["reservation", "voucher", "programme"]


@dataclass(frozen=True, slots=True)
class Claimed(_Closed):
    """What a claim amounts to."""

    amount_fen: FenOrZero


@dataclass(frozen=True, slots=True)
class Sealed(_Closed):
    """The Merkle root (hex) over all accounts, and how many they are."""

    accounts: Annotated[int, Field(ge=0)]
    root: Sha256Hex


Outcome = Nothing | Issued | Returned | Released | Burned | Reversed | Claimed | Sealed
