"""A service as the place where commands go: asked through the client, which verifies every receipt by the trust policy.

What it says of names and lists is its word, shown to help; what is signed is what was typed.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from tallystick.cli import output, reading
from tallystick.cli.lookups import Candidate
from tallystick.cli.over_http import name_in
from tallystick.cli.places import Answer
from tallystick.errors import ProblemError, ServerError, TallystickError, UsageError
from tallystick.sources import urls_in
from tallystick.vouchers.refusals import Reason

if TYPE_CHECKING:
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.usage.logs import ProviderLog
    from tallystick.wire import JsonObject

_T = TypeVar("_T")
CHECKPOINT: Final = "checkpoint"
"""In the profile's folder: the newest that was seen, so that a log that is cut back is noticed."""
UNSENT_RECEIPTS: Final = "auditors"
PATIENCE_SECONDS: Final = 20.0
"""Then the note is kept, and sent again when its owner says so."""
_SHOWN: Final = 4
_ROLES: Final = frozenset({"attester", "holder", "operator", "provider"})
"""Parties are listed as such: of holders others see no more."""


class RemotePlace:
    """A service.

    Attributes:
        client: asks it.
    """

    def __init__(self, profile: "Profile", keys: "Callable[[], Sequence[SigningKey]]", log_time: str | None) -> None:
        """Take what is to be trusted; nothing is asked yet.

        Args:
            profile: names the service and the policy.
            keys: opens the signing keys; asked for when something can't be read without a login.
            log_time: when commands are signed instead of now.

        Raises:
            UsageError: there is no policy, or it doesn't fit.
            OSError: it can't be read.
        """
        from tallystick.client import Client, Patience

        if profile.policy is None:
            raise UsageError(
                "which log is this service to be held to? give --policy FILE, obtained from its operator by another way"
            )
        folder = profile.folder
        assert profile.source is not None
        self.client: Client = Client(
            urls_in(profile.source),
            reading.read_policy(Path(profile.policy)),
            origin=profile.log,
            checkpoint_file=folder / CHECKPOINT,
            auditor_urls=profile.auditors,
            outbox=folder / UNSENT_RECEIPTS if profile.auditors else None,
            patience=Patience(total_seconds=PATIENCE_SECONDS),
        )
        self._profile = profile
        self._keys = keys
        self._clock = reading.clock(log_time, lambda: self.zone)
        self._is_logged_in = False
        self._is_told = False
        self._names: dict[tuple[str, str], str | None] = {}

    @property
    def origin(self) -> str:
        """The log's origin, by the trust policy."""
        return self.client.origin

    @cached_property
    def zone(self) -> int:
        """The network's offset in seconds: as the profile says, or else the service."""
        if self._profile.zone_seconds is not None:
            return self._profile.zone_seconds
        parameters = self.client.info().get("parameters")
        offset = parameters.get("utc_offset_seconds") if isinstance(parameters, dict) else None
        if not isinstance(offset, int):
            raise UsageError('which time zone is meant? write zone = "+08:00" into your profile')
        return offset

    def clock(self) -> int:
        """Return when it is now (microseconds)."""
        return self._clock()

    def name_of(self, kind: str, id_: str) -> str | None:
        """Return what a party, a programme or an item is called; None if the service doesn't say."""
        if (kind, id_) not in self._names:
            self._names[kind, id_] = self._asked(kind, id_)
        return self._names[kind, id_]

    def candidates(self, kind: str, party: str) -> list[Candidate]:
        """Return the things of a kind that this party may see; none if the service doesn't say."""
        if kind == "statement":
            return []
        listed = "party" if kind in _ROLES else kind
        narrowed = {"role": kind} if kind in _ROLES else {"status": "open"} if kind == "claim" else {}
        rows = self._read(lambda: self.client.listed(listed, **narrowed)["rows"]) or []
        return [Candidate(str(row[listed]), _words(listed, row)) for row in rows]

    def knows_all(self) -> bool:
        """Return false: what a party may not see is as if it weren't there."""
        return False

    def check(self, notes: Sequence[bytes]) -> "list[JsonObject]":
        """Return what would be decided on notes, one after another."""
        return [
            checked.answer if checked.problem is None else _refused(checked.problem)
            for checked in self.client.check(list(notes))
        ]

    def submit(self, notes: Sequence[bytes]) -> list[Answer]:
        """Record notes, or say why not, in order; receipts are verified.

        Raises:
            ProblemError: the service has a trouble of its own with one of them: what became of it isn't known.
        """
        answers = []
        for one in self.client.submit(list(notes)):
            if isinstance(one, ProblemError):
                if not isinstance(one.reason, Reason):
                    raise one
                answers.append(Answer(_refused(one)))
            else:
                answers.append(Answer(one.answer, one.receipt.to_bytes()))
        return answers

    def leave(self, note: bytes) -> "JsonObject | None":
        """Leave a note with the service for those who are to sign it too, and say who they are."""
        return self.client.pending.post(note)

    def waiting(self, name: str) -> bytes:
        """Return the note that waits for a signature of ours: by its id, the id's beginning, or PARTY/REF."""
        from tallystick.cli.sending import named

        self.login()
        note = self.client.pending.get(str(named(name, self.client.pending.list())["id"]))
        if note is None:
            raise UsageError(f"{name} doesn't wait any more: `tallystick inbox` lists what does")
        return note

    def provider_log(self) -> "ProviderLog":
        """Return the log; logged in, since each party sees what is its own, but where all may be read.

        Raises:
            TallystickError: there is no key, or it isn't taken.
        """
        from tallystick.usage.logs import LogServed

        if self.client.info().get("reading") != "open":
            self.login()
        return LogServed(self.client)

    def close(self) -> None:
        """Hang up."""
        self.client.close()

    def login(self) -> None:
        """Log in with the first signing key.

        Raises:
            TallystickError: there is no key, or it isn't taken.
        """
        if not self._is_logged_in:
            self.client.login(next(iter(self._keys())), self._profile.party, clock=self._clock)
            self._is_logged_in = True

    def _asked(self, kind: str, id_: str) -> str | None:
        return name_in(self._read(lambda: self.client.show(kind, id_)[kind]))

    def _read(self, ask: Callable[[], _T]) -> _T | None:
        """Return an answer, logged in if need be; None if the service doesn't say."""
        try:
            return ask()
        except ProblemError as error:
            if error.reason != "login_required" or self._is_logged_in:
                return None
        except ServerError:
            return None
        try:
            self.login()
            return ask()
        except TallystickError as error:
            if not self._is_told:
                output.notice(f"names and lists can't be asked: {error}")
            self._is_told = True
            return None


def _refused(problem: ProblemError) -> "JsonObject":
    said: JsonObject = {"accepted": False, "reason": str(problem.reason), "detail": problem.detail}
    return said | {"transient": problem.transient} | problem.fields


def _words(kind: str, row: "JsonObject") -> str:
    """Return what a row is, in a few words."""
    from tallystick.forms.amounts import yuan

    said: list[str] = []
    for name, value in row.items():
        if name == kind or value in (None, "", False) or len(said) == _SHOWN:
            continue
        is_amount = name.endswith("_fen") and isinstance(value, int)
        said.append(f"{name.removesuffix('_fen').replace('_', ' ')} {yuan(value) if is_amount else value}")
    return ", ".join(said)
