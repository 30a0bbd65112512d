"""What happened: an admitted command, when and where it stands, and what it came to.

An outcome holds only what the command doesn't say already: amounts computed, lines refused. Event kinds are set by hand
and never change: they are written into every entry.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tallystick.field_faults import first_fault
from tallystick.signing import canonical_json
from tallystick.vouchers.commands import IN_WORDS, Command
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

_NOTHING: Final = Nothing()

_EVENTS: Final[dict[str, tuple[str, type[Any]]]] = {
    "network.found/1": ("network.founded/1", Nothing),
    "party.admit/1": ("party.admitted/1", Nothing),
    "party.suspend/1": ("party.suspended/1", Nothing),
    "party.reinstate/1": ("party.reinstated/1", Nothing),
    "key.add/1": ("key.added/1", Nothing),
    "key.revoke/1": ("key.revoked/1", Nothing),
    "accelerator.register/1": ("accelerator.registered/1", Nothing),
    "programme.open/1": ("programme.opened/1", Nothing),
    "programme.close/1": ("programme.closed/1", Nothing),
    "provider.accredit/1": ("provider.accredited/1", Nothing),
    "provider.delist/1": ("provider.delisted/1", Nothing),
    "tariff.publish/1": ("tariff.published/1", Nothing),
    "voucher.issue/1": ("voucher.issued/1", Issued),
    "voucher.transfer/1": ("voucher.transferred/1", Nothing),
    "voucher.suspend/1": ("voucher.suspended/1", Nothing),
    "voucher.resume/1": ("voucher.resumed/1", Nothing),
    "voucher.revoke/1": ("voucher.revoked/1", Returned),
    "voucher.lapse/1": ("voucher.lapsed/1", Returned),
    "voucher.reserve/1": ("voucher.reserved/1", Nothing),
    "reservation.release/1": ("reservation.released/1", Released),
    "time.burn/1": ("time.burned/1", Burned),
    "burn.reverse/1": ("burn.reversed/1", Reversed),
    "redemption.claim/1": ("redemption.claimed/1", Claimed),
    "redemption.pay/1": ("redemption.paid/1", Nothing),
    "redemption.reject/1": ("redemption.rejected/1", Nothing),
    "book.seal/1": ("book.sealed/1", Sealed),
}
_OUTCOMES: Final[dict[str, TypeAdapter[Any]]] = {
    kind: TypeAdapter(outcome) for kind, outcome in _EVENTS.values() if outcome is not Nothing
}
EVENT_KINDS: Final = {command_kind: event_kind for command_kind, (event_kind, _) in _EVENTS.items()}


@dataclass(frozen=True, slots=True)
class Event:
    """A command that was admitted as entry `index` at the log's time `at` (microseconds).

    `text_sha256` (hex) is of the note's text: under it the command's reference is remembered.
    """

    index: int
    at: int
    command: Command
    outcome: Outcome
    text_sha256: str

    @property
    def kind(self) -> str:
        """The event's own name, for example `voucher.issued/1`."""
        return EVENT_KINDS[self.command.kind]


def outcome_to_json(kind: str, outcome: Outcome) -> dict[str, Any]:
    """Return an outcome of an event of this kind as JSON values."""
    adapter = _OUTCOMES.get(kind)
    return adapter.dump_python(outcome, mode="json") if adapter else {}


def outcome_to_bytes(kind: str, outcome: Outcome) -> bytes:
    """Return an outcome's canonical JSON.

    Fields are declared in the order of their names and hold only integers and plain ASCII, so pydantic's own output
    is canonical; tests/vectors compares the two for every kind.
    """
    adapter = _OUTCOMES.get(kind)
    return adapter.dump_json(outcome) if adapter else b"{}"


def outcome_from_json(kind: str, fields: dict[str, Any]) -> Outcome:
    """Return the outcome that an event of this kind has in an entry.

    Raises:
        ValueError: not of this kind's form.
    """
    adapter = _OUTCOMES.get(kind)
    if adapter is not None:
        try:
            # As JSON: in strict Python a list would not do for a tuple.
            outcome: Outcome = adapter.validate_json(canonical_json.encode(fields))
        except ValidationError as error:
            raise ValueError(f"in an outcome of {kind}, {first_fault(error, IN_WORDS)}") from None
        return outcome
    if fields:
        raise ValueError(f"an event {kind} has an empty outcome")
    return _NOTHING
