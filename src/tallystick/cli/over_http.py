"""A SOURCE that is a URL is a service, or an exported log: `/v1/info` tells, and only commands that gain by it ask.

A service answers from its views, and shows to each party what is its own: who reads is known by `--key`, or by the key
of the profile that names the same service. What only a service does (submit, check) needs it to be one.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.cli import reading
from tallystick.errors import ProblemError, ServerError, UnreachableError, UsageError
from tallystick.sources import StaticUrl, urls_in

if TYPE_CHECKING:
    from tallystick.client import Client, Patience
    from tallystick.client.questions import Questions
    from tallystick.forms.words import Names
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import Source
    from tallystick.token_uris import KeyPlace
    from tallystick.wire import JsonObject

NEWEST: Final = "newest.checkpoint"
"""Beside receipts, or the profile: the newest checkpoint that was seen, which the log is held to."""
PATIENCE_SECONDS: Final = 10.0
"""How long a command asks a server that doesn't answer; a person can give it again."""
LOGIN_REQUIRED: Final = "login_required"
UNSENT: Final = "for-auditors"
"""In the same folder: receipts that an auditor couldn't be given yet."""
_LONG_SECONDS: Final = 12 * 3_600
"""How long the session of what reads all of a log lasts: the longest that there is."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who reads, as it was said on the command line.

    Attributes:
        key: of the party that reads; None for the profile's.
        passphrase_file, passphrase_command: what unlocks it.
    """

    key: "KeyPlace | None" = None
    passphrase_file: Path | None = None
    passphrase_command: str | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """A service that answers.

    Attributes:
        questions: to be asked of it.
        info: what it says of itself.
        source: its files, as the party that is logged in reads them.
    """

    questions: "Questions"
    info: "JsonObject"
    source: StaticUrl

    @property
    def size(self) -> int:
        """How many entries the tree had that the last answer was made from."""
        return self.questions.size

    @property
    def zone(self) -> int:
        """The network's offset in seconds; none if the service doesn't say."""
        return zone_in(self.info)

    def names(self) -> "Names":
        """Return what says how a thing is called, by kind and id, as far as this reader may know.

        Each is asked once, and nothing more of a service that is gone.
        """
        is_gone = False

        @cache
        def name_of(kind: str, id_: str) -> str | None:
            nonlocal is_gone
            try:
                return None if is_gone else name_in(self.questions.show(kind, id_)[kind])
            except (ServerError, UsageError) as error:
                is_gone = isinstance(error, UnreachableError)
                return None

        return name_of


def name_in(said: object) -> str | None:
    """Return what a thing is called, of all that a service says about it."""
    balance = said.get("balance", said) if isinstance(said, dict) else {}
    name = balance.get("name") if isinstance(balance, dict) else None
    return name if isinstance(name, str) else None


def zone_in(info: "JsonObject") -> int:
    """Return the network's offset in seconds, as a service says it of itself."""
    parameters = info.get("parameters")
    offset = parameters.get("utc_offset_seconds") if isinstance(parameters, dict) else None
    return offset if isinstance(offset, int) else 0


@contextmanager
def served(source: "Source", login: Login, *, is_fresh: bool = False) -> Iterator[Served | None]:
    """Give the service that a source is, with the party logged in where that matters; None if it is none.

    Args:
        source: where a command reads.
        login: who reads.
        is_fresh: whether the answer is to come from the log alone.

    Raises:
        UsageError: a key, where nobody logs in; none, where only parties read; or a fresh answer, which a service
            doesn't give.
        ServerError: no usable answer, or the login is refused.
    """
    if not isinstance(source, StaticUrl):
        _refuse_key(source, login)
        yield None
        return
    from tallystick.client.connection import Connections
    from tallystick.client.questions import Questions, info_at

    connections = Connections(source.urls, _patience(), None)
    try:
        info = info_at(connections)
        if info is None:
            _refuse_key(source, login)
            _require_one(source)
            yield None
            return
        if is_fresh:
            raise UsageError(f"{source} answers from its own views, which follow the log: leave --fresh out")
        questions = Questions(connections, info["origin"])
        key = _key_for(source, login) if info.get("reading") != "open" else None
        if key is not None:
            questions.login(key)
        yield Served(questions, info, StaticUrl(connections.current, connections.tokens.get(connections.current)))
    except ProblemError as error:
        if error.reason != LOGIN_REQUIRED:
            raise
        raise UsageError(f"{error}: give --key with a key of your party") from None
    finally:
        connections.close()


@contextmanager
def client_of(
    source: StaticUrl, trust: Path | None, receipts: Path | None, auditors: "list[str] | None"
) -> Iterator["Client"]:
    """Give a client of the service at a URL, to be closed after use.

    Args:
        source: the service's URL.
        trust: the trust policy; None for the profile's, if the profile names this service.
        receipts: where receipts go, if anywhere; the newest checkpoint is kept there, or else beside the profile.
        auditors: who gets the receipts too; None for the profile's.

    Raises:
        UsageError: there is no policy, or the URL isn't a service's.
        ServerError: no usable answer.
    """
    from tallystick.client import Client

    profile = _profile_of(source)
    if trust is None and profile is not None and profile.policy is not None:
        trust = Path(profile.policy)
    if trust is None:
        raise UsageError(f"give --trust POLICY: without it nothing that {source} answers could be verified")
    policy = reading.read_policy(trust)
    folder = receipts
    if folder is None and profile is not None and profile.file is not None:
        folder = profile.folder
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with Client(
        source.urls,
        policy,
        checkpoint_file=None if folder is None else folder / NEWEST,
        auditor_urls=auditors or (profile.auditors if profile is not None else ()),
        outbox=None if folder is None else folder / UNSENT,
        patience=_patience(),
    ) as client:
        yield client


def logged_in(source: "Source", login: Login) -> "Source":
    """Return a source whose files are read as a party; as it is, if no key says which.

    Raises:
        UsageError: a key, and no service.
        ServerError: no usable answer, or the login is refused.
    """
    if not isinstance(source, StaticUrl):
        _refuse_key(source, login)
        return source
    key = _key_for(source, login)
    if key is None and not source.others:
        return source
    from tallystick.client.connection import Connections
    from tallystick.client.questions import Questions, info_at

    connections = Connections(source.urls, _patience(), None)
    try:
        info = info_at(connections)
        if info is None:
            _require_one(source)
            raise UsageError(f"{source} is an exported log, where nobody logs in: leave --key out")
        if key is not None:
            Questions(connections, info["origin"]).login(key, seconds=_LONG_SECONDS)
        return StaticUrl(connections.current, connections.tokens.get(connections.current))
    finally:
        connections.close()


def _require_one(source: StaticUrl) -> None:
    if source.others:
        raise UsageError(f"{source} are of no service, and several URLs are of one: give the URL of an exported log")


def _refuse_key(source: "Source", login: Login) -> None:
    if login.key is not None:
        raise UsageError(f"{source} is no service, where a party logs in: leave --key out")


def _key_for(source: StaticUrl, login: Login) -> "SigningKey | None":
    """Return the key that logs in: the one that was given, or the profile's."""
    if login.key is not None:
        return reading.load_key(login.key, login.passphrase_file, login.passphrase_command)
    profile = _profile_of(source)
    if profile is None or profile.key is None:
        return None
    from tallystick.token_uris import key_place

    passphrase = None if profile.passphrase_file is None else Path(profile.passphrase_file)
    return reading.load_key(key_place(profile.key), passphrase, profile.passphrase_command)


def _profile_of(source: StaticUrl) -> "Profile | None":
    """Return the profile, if it names this service."""
    from tallystick import profile as profiles

    found = profiles.load()
    named = {url.rstrip("/") for url in urls_in(found.source or "")}
    return found if named.issuperset(url.rstrip("/") for url in source.urls) else None


def _patience() -> "Patience":
    """Return how long a person at a terminal waits."""
    from tallystick.client import Patience

    return Patience(total_seconds=PATIENCE_SECONDS)
