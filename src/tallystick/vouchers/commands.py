"""What a party may ask for: frozen, versioned and closed; no field more, none less.

A command is the text of a note: one line of canonical JSON (RFC 8785) and a newline. `parse_command` takes just that
spelling. Field names are docs/rules.md's; in Python `from` and `to` of a burn line are `starts_at` and `ends_at`. A
command is published for good: a change of meaning is a new kind with a higher number after the slash.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from tallystick.errors import CanonicalJsonError, MalformedError
from tallystick.field_faults import first_fault
from tallystick.signing import canonical_json
from tallystick.signing.keys import ED25519, VerifierKey
from tallystick.vouchers.quantities import (
    PARTY_PATTERN,
    PATTERNS_IN_WORDS,
    AcceleratorId,
    Day,
    DocumentId,
    Fen,
    FenOrZero,
    GpuMilli,
    Instant,
    OwnedId,
    PartyId,
    PriceFenPerGpuHour,
    SecondsBurned,
    Sha256Hex,
    ShareBp,
    Text,
    parse_instant,
)

LINES_MAX: Final = 1_000
KEYS_MAX: Final = 16
YEAR_3000: Final = parse_instant("3000-01-01T00:00:00.000000Z")
"""Programmes close before, so that what is reckoned from their dates still has four digits to its year."""


def _ed25519(vkey: str) -> str:
    if VerifierKey.from_text(vkey).algorithm != ED25519:
        raise ValueError("must be an Ed25519 key")
    return vkey


def _before_3000(instant: int) -> int:
    if instant >= YEAR_3000:
        raise ValueError("must lie before the year 3000")
    return instant


def _true(value: bool) -> bool:
    if not value:
        raise ValueError("must be true, or left out")
    return value


# A Literal would take true for 1 and 1 for true, because in Python they are equal.
def _one_fen_or_one_yuan(value: int) -> int:
    if value not in (1, 100):
        raise ValueError("must be 1 (fen) or 100 (yuan)")
    return value


ORIGIN_PATTERN: Final = "[!-*,-~]{1,255}"
_ORIGIN: Final = r"^[!-*,-~]+$"
Origin = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_ORIGIN)]
KEY_NAME_PATTERN: Final = rf"{PARTY_PATTERN}/[a-z0-9][a-z0-9-]{{0,30}}"
_VKEY: Final = rf"^{KEY_NAME_PATTERN}\+[0-9a-f]{{8}}\+[A-Za-z0-9+/=]+$"
Vkey = Annotated[str, StringConstraints(max_length=400, pattern=_VKEY), AfterValidator(_ed25519)]
_KEY_LABEL: Final = rf"^{KEY_NAME_PATTERN}\+[0-9a-f]{{8}}$"
KeyLabel = Annotated[str, StringConstraints(pattern=_KEY_LABEL)]
_USCC: Final = "^[0-9A-Z]{18}$"
Keys = Annotated[tuple[Vkey, ...], Field(min_length=1, max_length=KEYS_MAX)]
Role = Literal["network", "treasury", "provider", "auditor", "operator", "holder"]
AdmittedRole = Literal["treasury", "provider", "auditor", "operator", "holder"]
ChipOrigin = Literal["domestic", "foreign"]
TransferPolicy = Literal["forbidden", "approved", "open"]
Payee = Literal["provider", "holder"]
Period = Annotated[int, Field(ge=0, le=31_622_400)]


IN_WORDS: Final = PATTERNS_IN_WORDS | {
    _ORIGIN: "a log's origin, of ASCII without blanks and +",
    _VKEY: "a party's vkey: <party>/<label>+<8 of 0-9 and a-f>+<base64>",
    _KEY_LABEL: "a key's label: <party>/<label>+<8 of 0-9 and a-f>",
    _USCC: "18 of 0-9 and A-Z",
}
"""What the patterns of texts ask for, as a refusal says it."""

_CLOSED: Final = ConfigDict(frozen=True, strict=True, extra="forbid")
"""An object has exactly the fields that it is declared with, in exactly their types."""


class Command(BaseModel):
    """What every command says, besides its kind."""

    model_config = _CLOSED

    kind: str
    log: Origin
    party: PartyId
    ref: DocumentId
    signed_at: Instant


class NetworkFound(Command):
    """Entry 0: the network's name, root keys and parameters."""

    kind: Literal["network.found/1"]
    name: Text
    currency: Literal["CNY"]
    root_keys: Keys
    root_quorum: Annotated[int, Field(ge=1, le=KEYS_MAX)]
    clock_skew_seconds: Annotated[int, Field(ge=0, le=3_600)]
    freshness_seconds: Annotated[int, Field(ge=60, le=31_622_400)]
    burn_window_seconds: Annotated[int, Field(ge=86_400, le=31_622_400)]
    release_grace_seconds: Period
    utc_offset_seconds: Annotated[int, Field(ge=-50_400, le=50_400)]


class PartyAdmit(Command):
    """A treasury, provider or auditor joins the network, or a holder a treasury."""

    kind: Literal["party.admit/1"]
    admitted: PartyId
    role: AdmittedRole
    name: Text
    keys: Keys
    uscc: Annotated[str, StringConstraints(pattern=_USCC)] | None = None
    maker: Annotated[bool, AfterValidator(_true)] | None = None
    quorum: Annotated[int, Field(ge=2, le=KEYS_MAX)] | None = None


class PartySuspend(Command):
    """A party may command nothing until it is reinstated."""

    kind: Literal["party.suspend/1"]
    subject: PartyId
    reason: Text


class PartyReinstate(Command):
    """A suspended party is taken back."""

    kind: Literal["party.reinstate/1"]
    subject: PartyId
    reason: Text


class KeyAdd(Command):
    """A party, or its admitter for it, adds a key; the new key signs too."""

    kind: Literal["key.add/1"]
    subject: PartyId
    vkey: Vkey


class KeyRevoke(Command):
    """From here on nothing signed by the key counts."""

    kind: Literal["key.revoke/1"]
    subject: PartyId
    key: KeyLabel
    reason: Text


class AcceleratorRegister(Command):
    """A model of accelerator, and whether it counts as domestic."""

    kind: Literal["accelerator.register/1"]
    accelerator: AcceleratorId
    name: Text
    origin: ChipOrigin


class ProgrammeOpen(Command):
    """A treasury's programme: its envelope and its rules, as data."""

    kind: Literal["programme.open/1"]
    programme: OwnedId
    name: Text
    voucher_kind: Literal["compute", "training", "model", "corpus"]
    fiscal_year: Annotated[int, Field(ge=2000, le=2999)]
    envelope_fen: Fen
    opens_at: Instant
    closes_at: Annotated[Instant, AfterValidator(_before_3000)]
    share_bp_domestic: ShareBp
    share_bp_foreign: ShareBp
    holder_floor_fen: FenOrZero
    holder_cap_fen: Fen
    validity_days: Annotated[int, Field(ge=1, le=3_660)]
    accelerators: Annotated[tuple[AcceleratorId, ...], Field(max_length=64)]
    transfer: TransferPolicy
    payee: Payee
    officers_threshold_fen: FenOrZero
    officers_required: Annotated[int, Field(ge=1, le=KEYS_MAX)]
    rounding_fen: Annotated[int, AfterValidator(_one_fen_or_one_yuan)]


class ProgrammeClose(Command):
    """Nothing more is issued under a programme."""

    kind: Literal["programme.close/1"]
    programme: OwnedId
    reason: Text


class ProviderAccredit(Command):
    """A provider counts for a programme from a service date on."""

    kind: Literal["provider.accredit/1"]
    programme: OwnedId
    provider: PartyId
    valid_from: Instant


class ProviderDelist(Command):
    """A provider no longer counts for a programme from a service date on."""

    kind: Literal["provider.delist/1"]
    programme: OwnedId
    provider: PartyId
    valid_until: Instant
    reason: Text


class TariffPublish(Command):
    """A provider's price for an accelerator from a date on."""

    kind: Literal["tariff.publish/1"]
    accelerator: AcceleratorId
    price_fen_per_gpu_hour: PriceFenPerGpuHour
    valid_from: Instant


class VoucherIssue(Command):
    """A treasury gives a holder a voucher."""

    kind: Literal["voucher.issue/1"]
    voucher: OwnedId
    programme: OwnedId
    holder: PartyId
    face_fen: Fen
    valid_from: Instant
    evidence_sha256: Sha256Hex | None = None


class VoucherTransfer(Command):
    """A holder passes on a part, or all that is available, as a new voucher."""

    kind: Literal["voucher.transfer/1"]
    voucher: OwnedId
    into: OwnedId
    to: PartyId
    amount_fen: Fen


class VoucherSuspend(Command):
    """A voucher can't be reserved or transferred for now."""

    kind: Literal["voucher.suspend/1"]
    voucher: OwnedId
    reason: Text


class VoucherResume(Command):
    """A suspended voucher is good again."""

    kind: Literal["voucher.resume/1"]
    voucher: OwnedId
    reason: Text


class VoucherRevoke(Command):
    """What is available of a voucher goes back to the envelope."""

    kind: Literal["voucher.revoke/1"]
    voucher: OwnedId
    reason: Text


class VoucherLapse(Command):
    """A voucher is over: what is available goes back to the envelope."""

    kind: Literal["voucher.lapse/1"]
    voucher: OwnedId


class VoucherReserve(Command):
    """A holder promises a provider what it may burn of a voucher, and until when."""

    kind: Literal["voucher.reserve/1"]
    reservation: OwnedId
    voucher: OwnedId
    provider: PartyId
    amount_fen: Fen
    until: Instant


class ReservationRelease(Command):
    """What remains of a reservation goes back."""

    kind: Literal["reservation.release/1"]
    reservation: OwnedId


@dataclass(frozen=True)
class Corrected:
    """The reversed line that a line stands in for: its statement's reference, and its number."""

    __pydantic_config__ = _CLOSED

    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]


@dataclass(frozen=True)
class BurnLine:
    """One job's GPU-time against one reservation; a plain dataclass, because a statement has hundreds of them."""

    __pydantic_config__ = _CLOSED

    reservation: OwnedId
    job: DocumentId
    accelerator: AcceleratorId
    gpu_milli: GpuMilli
    starts_at: Annotated[Instant, Field(alias="from")]
    ends_at: Annotated[Instant, Field(alias="to")]
    seconds: SecondsBurned
    evidence_sha256: Sha256Hex | None = None
    if_short: Literal["drain"] | None = None
    corrects: Corrected | None = None


class TimeBurn(Command):
    """A statement: what one holder's jobs burned, line by line."""

    kind: Literal["time.burn/1"]
    holder: PartyId
    lines: Annotated[tuple[BurnLine, ...], Field(min_length=1, max_length=LINES_MAX)]


class BurnReverse(Command):
    """A provider takes one line of one of its statements back."""

    kind: Literal["burn.reverse/1"]
    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]
    reason: Text


class RedemptionClaim(Command):
    """A payee asks for what was burned in a period and isn't claimed."""

    kind: Literal["redemption.claim/1"]
    claim: OwnedId
    programme: OwnedId
    first_day: Day
    last_day: Day
    evidence_sha256: Sha256Hex | None = None


class RedemptionPay(Command):
    """A treasury paid a claim."""

    kind: Literal["redemption.pay/1"]
    claim: OwnedId
    amount_fen: Fen
    payment_reference: Text


class RedemptionReject(Command):
    """A treasury won't pay a claim; its lines are unclaimed again."""

    kind: Literal["redemption.reject/1"]
    claim: OwnedId
    reason: Text


class BookSeal(Command):
    """The log's operator closes the days up to one."""

    kind: Literal["book.seal/1"]
    seal: OwnedId
    last_day: Day


AnyCommand = Annotated[
    NetworkFound
    | PartyAdmit
    | PartySuspend
    | PartyReinstate
    | KeyAdd
    | KeyRevoke
    | AcceleratorRegister
    | ProgrammeOpen
    | ProgrammeClose
    | ProviderAccredit
    | ProviderDelist
    | TariffPublish
    | VoucherIssue
    | VoucherTransfer
    | VoucherSuspend
    | VoucherResume
    | VoucherRevoke
    | VoucherLapse
    | VoucherReserve
    | ReservationRelease
    | TimeBurn
    | BurnReverse
    | RedemptionClaim
    | RedemptionPay
    | RedemptionReject
    | BookSeal,
    Field(discriminator="kind"),
]
_ANY_COMMAND: Final[TypeAdapter[Command]] = TypeAdapter(AnyCommand)


def parse_command(text: bytes) -> Command:
    """Return the command that a note's text is.

    Args:
        text: canonical JSON in UTF-8 and a final newline.

    Raises:
        CanonicalJsonError: another spelling of JSON, or none.
        MalformedError: not a command of the closed list, with the field that is wrong.
    """
    if not text.endswith(b"\n"):
        raise CanonicalJsonError("the text does not end in a newline")
    line = text[:-1]
    canonical_json.decode(line)
    try:
        return _ANY_COMMAND.validate_json(line)
    except ValidationError as error:
        raise MalformedError(_first_fault(error)) from None


def command_text(fields: dict[str, Any]) -> bytes:
    """Return the text to sign of a command given as JSON values.

    Raises:
        CanonicalJsonError: a value that canonical JSON can't hold.
        MalformedError: as `parse_command`.
    """
    text = canonical_json.encode(fields) + b"\n"
    parse_command(text)
    return text


def _first_fault(error: ValidationError) -> str:
    """Say in one line where the first fault is and what it is; what a stranger wrote is shown short and escaped."""
    if error.errors(include_url=False, include_context=False, include_input=False)[0]["type"] == "union_tag_invalid":
        return "kind: no command of the closed list is called so"
    return first_fault(error, IN_WORDS, skipped=1)  # the kind, by which the union was told apart
