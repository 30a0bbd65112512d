"""Who a person is to Tallystick, and where: `tallystick.toml`, under what the environment and options say.

source = "https://log.example/national"        # a service; or a ledger's folder, a postgresql:// URL
log = "tallystick.example/national"            # the log's origin
party = "qingyang-treasury"
key = "keys/officer-1.pem"                     # or a pkcs11: URI
passphrase_file = "keys/passphrase"            # or passphrase_command, or neither: it is asked for
policy = "trust.policy"
zone = "+08:00"
auditors = ["https://audit.example"]           # get every receipt

The file is the nearest one above the working folder, unless `--profile` or TALLYSTICK_PROFILE names another. Above it
stand TALLYSTICK_SOURCE, …_PARTY and so on, above these options. Paths in it are relative to its folder. It may name a
program that is run, so it is only believed if nobody but its owner can write it.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from tallystick.durable_files import PRIVATE_MODE, whole_file
from tallystick.errors import UsageError
from tallystick.field_faults import fault_in_words
from tallystick.forms.amounts import offset, read_offset
from tallystick.vouchers.fields import IN_WORDS, Origin
from tallystick.vouchers.quantities import PartyId

NAME: Final = "tallystick.toml"
SIZE_MAX: Final = 65_536
PREFIX: Final = "TALLYSTICK_"
PATHS: Final = ("key", "passphrase_file", "policy")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.ASCII)


def _zone(text: str) -> str:
    return offset(read_offset(text))


def _listed(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


Place = Annotated[str, StringConstraints(min_length=1, max_length=4_096, pattern=r"^[^\x00-\x1f]+$")]
Url = Annotated[str, StringConstraints(max_length=2_048, pattern=r"^https?://[^\x00-\x20]+$")]
_WORDS: Final = IN_WORDS | {
    r"^[^\x00-\x1f]+$": "one line of text",
    r"^https?://[^\x00-\x20]+$": "a URL like https://audit.example",
}


class Profile(BaseSettings):
    """What a person's commands take as given; paths are absolute once loaded.

    Attributes:
        source: a service's URL, a ledger's folder or a postgresql:// URL.
        log: the log's origin.
        party: for which it signs.
        key: a key file or a pkcs11: URI.
        passphrase_file: whose first line unlocks the key.
        passphrase_command: whose first line of output unlocks the key.
        policy: the trust policy, by which receipts are verified.
        zone: the network's offset from UTC, `+08:00`.
        auditors: URLs that get every receipt.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    source: Place | None = None
    log: Origin | None = None
    party: PartyId | None = None
    key: Place | None = None
    passphrase_file: Place | None = None
    passphrase_command: Place | None = None
    policy: Place | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    auditors: Annotated[tuple[Url, ...], NoDecode, BeforeValidator(_listed), Field(max_length=16)] = ()

    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The file that it was read from; None if there is none."""
        return self._file

    @property
    def folder(self) -> Path:
        """Where receipts and the outbox are kept: the file's folder, or else the working folder."""
        return Path.cwd() if self._file is None else self._file.parent

    @property
    def zone_seconds(self) -> int | None:
        """The network's offset in seconds, if it says one."""
        return None if self.zone is None else read_offset(self.zone)

    @property
    def is_of_a_service(self) -> bool:
        """Whether the source is a service's URL."""
        return self.source is not None and self.source.startswith(("http://", "https://"))


class _Read(Profile):
    """A profile that says what is given; with fields `below`, the environment stands between the two."""

    below: ClassVar[dict[str, Any] | None] = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where fields come from, the first before the others."""
        if cls.below is None:
            return (init_settings,)
        return init_settings, env_settings, InitSettingsSource(settings_cls, cls.below)


def find(start: Path) -> Path | None:
    """Return the nearest profile in a folder or above it."""
    folder = start.resolve()
    return next((one / NAME for one in (folder, *folder.parents) if (one / NAME).is_file()), None)


def load(named: str | Path | None = None, options: Mapping[str, object] | None = None) -> Profile:
    """Return the profile that holds here.

    Args:
        named: the file; without it TALLYSTICK_PROFILE, or the nearest above the working folder.
        options: fields that were given as options; None: not given.

    Raises:
        UsageError: the file isn't there, can't be believed, or something in it is wrong: all of it, in one line each.
    """
    given: dict[str, Any] = {name: value for name, value in (options or {}).items() if value not in (None, ())}
    named = named or os.environ.get(f"{PREFIX}PROFILE") or None
    file = find(Path.cwd()) if named is None else Path(named).absolute()
    fields = {} if file is None else _read(file)

    class Here(_Read):
        below = fields

    try:
        found = Here(**given)
    except ValidationError as error:
        raise UsageError(_faults(error, given, file)) from None
    profile = _with_paths(found, {name: _base(name, given, file) for name in (*PATHS, "source")})
    profile._file = file
    return profile


def checked(given: Mapping[str, object]) -> Profile:
    """Return the profile that some fields make, whatever file or environment there is; paths from the working folder.

    Raises:
        UsageError: something in them is wrong.
    """
    fields: dict[str, Any] = {name: value for name, value in given.items() if value not in (None, ())}

    try:
        found = _Read(**fields)
    except ValidationError as error:
        raise UsageError(_faults(error, fields, None)) from None
    return _with_paths(found, dict.fromkeys((*PATHS, "source"), Path.cwd()))


def write(file: Path, fields: Mapping[str, str | list[str]]) -> None:
    """Write a profile, readable by its owner alone, and not over another.

    Raises:
        UsageError: there is one.
        OSError: it can't be written.
    """
    if file.exists():
        raise UsageError(f"{file} exists already: change it by hand, or give another name")
    # A JSON string without control characters is a TOML string, and a list of them a TOML list.
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items())
    with whole_file(file, PRIVATE_MODE) as opened:
        opened.write(text.encode())


def _read(file: Path) -> dict[str, Any]:
    """Return what a file says."""
    try:
        with file.open("rb") as opened:
            _check_owner(file, os.fstat(opened.fileno()))
            data = opened.read(SIZE_MAX + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no profile {file}; `tallystick init` writes one") from None
    if len(data) > SIZE_MAX:
        raise UsageError(f"{file} is larger than {SIZE_MAX:,} bytes: it is no profile")
    try:
        fields = tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: byte {error.start} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        trouble = f": {error}" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise UsageError(f"{file} is not TOML{trouble}") from None
    return fields


def _check_owner(file: Path, found: os.stat_result) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise UsageError(
            f"{file} belongs to another user: name it with --profile only if it is copied to a file of yours"
        )
    if stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(f"{file} can be written by others: chmod go-w {file}")


def _faults(error: ValidationError, given: Mapping[str, object], file: Path | None) -> str:
    """Return all faults in one line, each with the place that says it."""
    faults = []
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0])
        words = fault_in_words(fault, _WORDS)
        variable = PREFIX + name.upper()
        if name in given:
            where = f"--{name.replace('_', '-')}"
        elif variable in os.environ:
            where = variable
        else:
            where = f"{file}: {name}"
        faults.append(f"{where} {words}")
    return "; ".join(faults)


def _base(name: str, given: Mapping[str, object], file: Path | None) -> Path:
    """Return what a path is relative to: of one in the file its folder."""
    from_file = file is not None and name not in given and PREFIX + name.upper() not in os.environ
    return file.parent if from_file and file is not None else Path.cwd()


def _with_paths(profile: Profile, bases: Mapping[str, Path]) -> Profile:
    """Return a profile whose paths are absolute."""
    return profile.model_copy(update={name: _absolute(getattr(profile, name), base) for name, base in bases.items()})


def _absolute(text: str | None, base: Path) -> str | None:
    return text if text is None or _URL.match(text) else str(base / text)
