"""What a field of a command may hold: types that pydantic checks, each with its bounds.

Quantities, times and ids are in quantities.py; here are the names, roles and policies that commands and state share.
"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationInfo

from tallystick.signing.algorithms import SIGNER, names_of
from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.quantities import PARTY_PATTERN, PATTERNS_IN_WORDS, edition_asked, parse_instant

LINES_MAX: Final = 1_000
ITEMS_MAX: Final = 64
SHARES_MAX: Final = 64
CONTRACT_PROGRAMMES_MAX: Final = 8
CONTRACT_RESERVATIONS_MAX: Final = 16
"""Open ones under a contract: a line costs no more with history."""
KEYS_MAX: Final = 16
GATES_MAX: Final = 16
ATTESTERS_MAX: Final = 16
"""Of one gate."""
YEAR_3000: Final = parse_instant("3000-01-01T00:00:00.000000Z")
"""Programmes close before, so that what is reckoned from their dates still has four digits to its year."""


def must_sign_notes(vkey: str, info: ValidationInfo) -> str:
    """Return the text of a key that signs notes; ValueError of another, or of one that the edition doesn't know."""
    kind = VerifierKey.from_text(vkey).kind
    edition = edition_asked(info)
    if kind.use != "notes" or (edition is not None and kind.edition > edition):
        raise ValueError(f"must be a key of {names_of('notes', edition)}")
    return vkey


def must_be_of_every_edition(vkey: str) -> str:
    """Return the text of a key that every version can verify; ValueError of another."""
    if VerifierKey.from_text(vkey).kind != SIGNER:
        raise ValueError(f"must be a key of {SIGNER.name}, which every version can verify")
    return vkey


def before_3000(instant: int) -> int:
    """Return an instant before the year 3000; ValueError of another."""
    if instant >= YEAR_3000:
        raise ValueError("must lie before the year 3000")
    return instant


def must_be_true(value: bool) -> bool:
    """Return true; ValueError of false."""
    if not value:
        raise ValueError("must be true, or left out")
    return value


# A Literal would take true for 1 and 1 for true, because in Python they are equal.
def one_fen_or_one_yuan(value: int) -> int:
    """Return 1 or 100; ValueError of another."""
    if value not in (1, 100):
        raise ValueError("must be 1 (fen) or 100 (yuan)")
    return value


ORIGIN_PATTERN: Final = "[!-*,-~]{1,255}"
_ORIGIN: Final = r"^[!-*,-~]+$"
Origin = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_ORIGIN)]
KEY_NAME_PATTERN: Final = rf"{PARTY_PATTERN}/[a-z0-9][a-z0-9-]{{0,30}}"
_VKEY: Final = rf"^{KEY_NAME_PATTERN}\+[0-9a-f]{{8}}\+[A-Za-z0-9+/=]+$"
Vkey = Annotated[str, StringConstraints(max_length=400, pattern=_VKEY), AfterValidator(must_sign_notes)]
LogVkey = Annotated[str, StringConstraints(max_length=400), AfterValidator(must_be_of_every_edition)]
"""A log's vkey: its name is the log's origin."""
_KEY_LABEL: Final = rf"^{KEY_NAME_PATTERN}\+[0-9a-f]{{8}}$"
KeyLabel = Annotated[str, StringConstraints(pattern=_KEY_LABEL)]
USCC: Final = "^[0-9A-Z]{18}$"
Keys = Annotated[tuple[Vkey, ...], Field(min_length=1, max_length=KEYS_MAX)]
RootVkey = Annotated[Vkey, AfterValidator(must_be_of_every_edition)]
RootKeys = Annotated[tuple[RootVkey, ...], Field(min_length=1, max_length=KEYS_MAX)]
KeyPurpose = Literal["sign", "meter", "read"]
"""What a key is for: any command, burning and reversing alone (authority.py), or no command at all."""
RevocationCause = Literal["superseded", "ceased", "compromised"]
Role = Literal["network", "treasury", "provider", "auditor", "operator", "attester", "holder"]
AdmittedRole = Literal["treasury", "provider", "auditor", "operator", "attester", "holder"]
ChipOrigin = Literal["domestic", "foreign"]
ItemUnit = Literal["gpu_time", "count"]
TransferPolicy = Literal["forbidden", "approved", "open"]
Payee = Literal["provider", "holder", "contract"]
Claimant = Literal["provider", "holder", "either"]
ContractBasis = Literal["metered", "invoiced"]
ProgrammeBasis = Literal["metered", "invoiced", "both"]
ClaimCycle = Literal["month", "quarter", "any"]
DayCount = Literal["end_minus_start", "inclusive"]
SubjectType = Literal["application", "claim", "contract", "provider", "holder"]
"""What a verdict can be on."""
Verdict = Literal["pass", "fail"]
GatedAct = Literal["issue", "claim", "settle"]
"""What a gate can stand before: `voucher.issue`, `redemption.claim`, `redemption.pay`."""
VoucherKind = Literal["compute", "training", "model", "corpus"]
Period = Annotated[int, Field(ge=0, le=31_622_400)]


IN_WORDS: Final = PATTERNS_IN_WORDS | {
    _ORIGIN: "a log's origin, of ASCII without blanks and +",
    _VKEY: "a party's vkey: <party>/<label>+<8 of 0-9 and a-f>+<base64>",
    _KEY_LABEL: "a key's label: <party>/<label>+<8 of 0-9 and a-f>",
    USCC: "18 of 0-9 and A-Z",
}
"""What the patterns of texts ask for, as a refusal says it."""

CLOSED: Final = ConfigDict(frozen=True, strict=True, extra="forbid")
"""An object has exactly the fields that it is declared with, in exactly their types."""
