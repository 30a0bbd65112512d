"""The note by which a party logs in where the log is served: it says who reads, where, and until when.

    {"audience": "https://vouchers.example", "expires_at": "…", "kind": "session.open/1", "log": "…", "party": "…",
     "scope": "read", "signed_at": "…"}

Canonical JSON and a newline, signed like a command, by one active key that is for signing or for reading. Its kind is
none of the rulebook's, so it can't become an entry, and no command can log in. The audience keeps one service from
using it at another.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, StringConstraints, ValidationError

from tallystick.errors import CanonicalJsonError, MalformedError, SignatureInvalidError
from tallystick.field_faults import first_fault
from tallystick.signing import canonical_json
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.vouchers.admit import open_note
from tallystick.vouchers.fields import CLOSED, IN_WORDS, KeyPurpose, Origin, Role
from tallystick.vouchers.quantities import SECOND_US, Instant, PartyId, format_instant
from tallystick.vouchers.refusals import Reason, Refusal

KIND: Final = "session.open/1"
NOTE_SIZE_MAX: Final = 4_096
LIFETIME_MAX_US: Final = 12 * 3_600 * SECOND_US
"""From `signed_at` to `expires_at`."""
FRESHNESS_US: Final = 600 * SECOND_US
"""How long after `signed_at` it opens a session."""
CLOCK_SKEW_US: Final = 300 * SECOND_US
_AUDIENCE: Final = r"^[!-~]{1,255}$"
_WORDS: Final = IN_WORDS | {_AUDIENCE: "a service's URL or a log's origin, of 1 to 255 ASCII characters without blanks"}


class SessionOpen(BaseModel):
    """A party asks to read as itself.

    Attributes:
        log: the origin of the log that is read.
        audience: the service that is meant: its URL without a slash at the end, or the log's origin.
        signed_at, expires_at: when it was signed, and from when on it is over (microseconds).
    """

    model_config = CLOSED

    kind: Literal["session.open/1"]
    log: Origin
    party: PartyId
    audience: Annotated[str, StringConstraints(pattern=_AUDIENCE)]
    scope: Literal["read"]
    signed_at: Instant
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class LoginKey:
    """A key as the log knows it, and its party, as they are now.

    Attributes:
        label: the key's.
        active_from: from when on it counts (microseconds).
        is_revoked: whether it does no more.
        is_barred: whether the party is suspended or withdrawn.
    """

    label: str
    vkey: str
    purpose: KeyPurpose
    active_from: int
    is_revoked: bool
    party: str
    role: Role
    is_barred: bool


def audience_of(url: str) -> str:
    """Return the audience that a service's URL is: without a slash at its end, scheme and host in lower case."""
    scheme, _, place = url.rstrip("/").partition("://")
    host, slash, path = place.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


def session_text(log: str, party: str, audience: str, signed_at: int, expires_at: int) -> bytes:
    """Return the text to sign (instants in microseconds).

    Raises:
        MalformedError: a value that it can't have.
    """
    fields: dict[str, canonical_json.JsonValue] = {
        "kind": KIND,
        "log": log,
        "party": party,
        "audience": audience,
        "scope": "read",
        "signed_at": format_instant(signed_at),
        "expires_at": format_instant(expires_at),
    }
    text = canonical_json.encode(fields) + b"\n"
    _parse(text)
    return text


def read_session(data: bytes, origin: str) -> tuple[Note, SessionOpen] | Refusal:
    """Open a note by which somebody logs in, as far as that needs no key.

    Args:
        data: the note's bytes, from anybody.
        origin: of the log that is served.
    """
    if len(data) > NOTE_SIZE_MAX:
        return Refusal(Reason.NOTE_TOO_LARGE, f"{len(data)} bytes; a login has at most {NOTE_SIZE_MAX}")
    opened = open_note(data, origin, _parse)
    if not isinstance(opened, Refusal) and len(opened[0].signatures) != 1:
        return Refusal(Reason.SIGNER_NOT_INVOLVED, f"{len(opened[0].signatures)} signatures; one key logs in")
    return opened


def check_session(
    note: Note, session: SessionOpen, key: LoginKey | None, audiences: frozenset[str], now: int
) -> Refusal | None:
    """Refuse a login that isn't for here and now, or isn't the party's.

    Args:
        note: as it came.
        session: its text, read.
        key: the key of its one line, if the log knows it.
        audiences: what this service is called.
        now: the time (microseconds).
    """
    label = note.signatures[0].label
    if session.audience not in audiences:
        return Refusal(Reason.COMMAND_FOR_ANOTHER_LOG, f"it is for {session.audience}, which is not this service")
    refusal = _check_times(session, now)
    if refusal is not None:
        return refusal
    if key is None or key.party != session.party:
        return Refusal(Reason.KEY_UNKNOWN, f"{label} is no key of {session.party}", key=label)
    try:
        VerifierKey.from_text(key.vkey).verify(note.signatures[0].blob, note.text)
    except SignatureInvalidError:
        return Refusal(Reason.SIGNATURE_INVALID, label, key=label)
    if key.is_barred:
        return Refusal(Reason.PARTY_SUSPENDED, key.party)
    if key.is_revoked:
        return Refusal(Reason.KEY_REVOKED, label, key=label)
    if now < key.active_from:
        detail = f"{label}, from {format_instant(key.active_from)} on"
        return Refusal(Reason.KEY_NOT_ACTIVE_YET, detail, key=label, not_before=key.active_from)
    if key.purpose == "meter":
        return Refusal(Reason.KEY_NOT_FOR_THIS_COMMAND, f"{label} is a meter key", key=label)
    return None


def _check_times(session: SessionOpen, now: int) -> Refusal | None:
    if now < session.signed_at - CLOCK_SKEW_US:
        not_before = session.signed_at - CLOCK_SKEW_US
        return Refusal(Reason.SIGNED_IN_THE_FUTURE, f"it is {format_instant(now)} here", not_before=not_before)
    if session.signed_at < now - FRESHNESS_US:
        detail = f"it is {format_instant(now)} here, and a login opens a session for {FRESHNESS_US // SECOND_US} s"
        return Refusal(Reason.SIGNED_TOO_LONG_AGO, detail)
    if session.expires_at <= now or session.expires_at <= session.signed_at:
        return Refusal(Reason.WINDOW_INVALID, f"expires_at {format_instant(session.expires_at)}")
    if session.expires_at > session.signed_at + LIFETIME_MAX_US:
        return Refusal(Reason.DATE_TOO_FAR_AHEAD, f"expires_at is more than {LIFETIME_MAX_US // SECOND_US} s ahead")
    return None


def _parse(text: bytes) -> SessionOpen:
    """Return what a text says.

    Raises:
        CanonicalJsonError: another encoding of JSON, or none.
        MalformedError: not a login, with the field that is wrong.
    """
    if not text.endswith(b"\n"):
        raise CanonicalJsonError("the text does not end in a newline")
    value = canonical_json.decode(text[:-1])
    try:
        return SessionOpen.model_validate_json(text[:-1])
    except ValidationError as error:
        raise MalformedError(first_fault(error, _WORDS, value)) from None
