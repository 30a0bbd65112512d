"""What a ledger folder says of itself: `ledger.toml`, overridden by `TALLYSTICK_…` in the environment.

A ledger in PostgreSQL has no folder: there the environment says it all, or the command line.

origin = "tallystick.example/national"
log_key = "keys/log.pem"                       # relative to the folder
log_key_passphrase_file = "keys/passphrase"    # or log_key_passphrase_command; left out for a key file without one
next_log_key = "keys/next.pem"                 # while the log's key changes; and next_log_key_passphrase_file
clock_jump_hours = 24                          # both may be left out: clock_guard.py says what they bound
idle_days = 31
reading = "own"                                # who may read what of a service: open, parties or own

A key is a file, or a PKCS#11 URI, whose PIN comes where a passphrase would. A file that names a program or a PKCS#11
module is believed only if no other user could have written it: both run with all that this process may do.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PlainValidator, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tallystick.durable_files import PRIVATE_MODE, whole_file
from tallystick.errors import NotALedgerError, UsageError
from tallystick.field_faults import first_fault, shown
from tallystick.ledger.clock_guard import CLOCK_JUMP_HOURS, IDLE_DAYS
from tallystick.sources import AnySource, LedgerDatabase, parse_writable
from tallystick.static.files import FolderFiles
from tallystick.token_uris import KeyPlace, TokenUri, key_place

NAME: Final = "ledger.toml"
SIZE_MAX: Final = 65_536
_PREFIX: Final = "TALLYSTICK_"
_PATHS: Final = ("log_key", "log_key_passphrase_file", "next_log_key", "next_log_key_passphrase_file")
_COMMANDS: Final = ("log_key_passphrase_command", "next_log_key_passphrase_command")


def _key_place(value: object) -> KeyPlace:
    if not isinstance(value, (str, Path)):
        raise ValueError(f"must be a key's file or its PKCS#11 URI, not {shown(value)}")
    try:
        return key_place(str(value))
    except UsageError as error:
        raise ValueError(str(error)) from None


_Key = Annotated[Path | TokenUri, PlainValidator(_key_place)]


class LedgerSettings(BaseSettings):
    """Where the log's key is, and how far the clock may be ahead of the log; paths are absolute once loaded."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True)

    origin: str | None = None
    log_key: _Key
    log_key_passphrase_file: Path | None = None
    log_key_passphrase_command: str | None = None
    next_log_key: _Key | None = None
    next_log_key_passphrase_file: Path | None = None
    next_log_key_passphrase_command: str | None = None
    clock_jump_hours: Annotated[int, Field(ge=1, le=8_784)] = CLOCK_JUMP_HOURS
    idle_days: Annotated[int, Field(ge=1, le=3_660)] = IDLE_DAYS
    reading: Literal["open", "parties", "own"] = "own"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the folder's file."""
        return env_settings, init_settings

    def within(self, folder: Path) -> Self:
        """Return the settings with paths taken from the folder."""
        paths = {name: getattr(self, name) for name in _PATHS}
        return self.model_copy(update={name: folder / path for name, path in paths.items() if isinstance(path, Path)})


def load_settings(source: AnySource) -> LedgerSettings:
    """Return the settings of a ledger, in a folder or in PostgreSQL.

    Raises:
        NotALedgerError: the folder has none, or they can't be read.
        UsageError: the environment has none, or it is a URL of something else.
    """
    place = parse_writable(source)
    if isinstance(place, LedgerDatabase):
        if _PREFIX + "LOG_KEY" not in os.environ:
            raise UsageError("which key signs this log's checkpoints? give --log-key FILE, or set TALLYSTICK_LOG_KEY")
        return _settings({}, "the environment").within(Path())
    folder = place.folder
    fields = _read_toml(folder)
    if fields is None:
        raise NotALedgerError(
            f"{folder} has no {NAME}, which would say which key signs this log's checkpoints: give --log-key FILE"
        )
    if any(name in fields for name in _COMMANDS) or any("module-path" in str(fields.get(name)) for name in _PATHS):
        _require_ours(folder)
    return _settings(fields, str(folder / NAME)).within(folder)


def _require_ours(folder: Path) -> None:
    """Refuse settings that name a program, if another user could have written them.

    Raises:
        NotALedgerError: the file or its folder is another user's, or others may write to it.
    """
    for place in (folder, folder / NAME):
        found = place.stat()
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
            raise NotALedgerError(
                f"{folder / NAME} names a program to run, and others could have written it: {place} must be yours or "
                f"root's, and no other user's to write (chmod go-w {place})"
            )


def reading_rule(source: AnySource) -> str:
    """Return who may read what of a ledger's service; `own`, the strictest, where no settings say it.

    Raises:
        NotALedgerError: the settings can't be read.
    """
    place = parse_writable(source)
    if isinstance(place, LedgerDatabase) or FolderFiles(place.folder).read(NAME, SIZE_MAX) is None:
        return os.environ.get(_PREFIX + "READING", "own")
    return load_settings(place).reading


def _read_toml(folder: Path) -> dict[str, Any] | None:
    """Return what a folder's file says; None if there is none.

    The file's name is used as it is: `~` in it is a letter, whatever a shell would take it for.
    """
    data = FolderFiles(folder).read(NAME, SIZE_MAX)
    if data is None:
        return None
    if len(data) > SIZE_MAX:
        raise NotALedgerError(f"{folder / NAME} is larger than {SIZE_MAX:,} bytes: it is no file of settings")
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        trouble = f"byte {error.start} is not UTF-8"
    except tomllib.TOMLDecodeError as error:
        trouble = f"it is not TOML: {error}"
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        trouble = "it has a number too long or brackets too deep to be read"
    raise NotALedgerError(f"{folder / NAME}: {trouble}")


def _settings(fields: dict[str, Any], where: str) -> LedgerSettings:
    """Return the settings that a file says, overridden by the environment.

    Raises:
        NotALedgerError: a field is wrong, unknown or missing.
    """
    try:
        found = LedgerSettings(**fields)
    except ValidationError as error:
        place, fault = str(error.errors(include_url=False)[0]["loc"][0]), first_fault(error)
        # A variable stands above the file, so it is the one that is wrong.
        if _PREFIX + place.upper() in os.environ:
            where, fault = "the environment", f"{_PREFIX}{place.upper()}{fault.removeprefix(place)}"
        raise NotALedgerError(f"{where}: {fault}") from None
    for name in _PATHS:
        path = getattr(found, name)
        if path is not None and "\0" in str(path):
            raise NotALedgerError(f"{where}: {name}: no path has a NUL character")
    for name in _COMMANDS:
        other = name.replace("command", "file")
        if getattr(found, name) is not None and getattr(found, other) is not None:
            raise NotALedgerError(f"{where}: {name} and {other} exclude each other: give one")
    return found


def write_settings(
    folder: Path,
    origin: str,
    log_key: KeyPlace,
    passphrase_file: Path | None,
    passphrase_command: str | None = None,
    *,
    idle_days: int | None = None,
) -> None:
    """Write a folder's settings; paths inside the folder are kept relative to it."""
    key = _relative(folder, log_key) if isinstance(log_key, Path) else log_key.to_text()
    lines = {"origin": origin, "log_key": key}
    if passphrase_file is not None:
        lines["log_key_passphrase_file"] = _relative(folder, passphrase_file)
    if passphrase_command is not None:
        lines["log_key_passphrase_command"] = passphrase_command
    # A JSON string without control characters is a TOML string.
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    if idle_days is not None:
        text += f"idle_days = {idle_days}\n"
    with whole_file(folder / NAME, PRIVATE_MODE) as file:
        file.write(text.encode())


def change_log_keys(
    folder: Path, name: str, key: KeyPlace, passphrase_file: Path | None, passphrase_command: str | None
) -> None:
    """Have a folder's settings name a key beside the one that they name, or instead of it; all else in them stays.

    Args:
        folder: of the ledger.
        name: `next_log_key`, or `log_key` for one that takes the place of both.
        key: which.
        passphrase_file: its passphrase's.
        passphrase_command: prints its passphrase.

    Raises:
        NotALedgerError: there are no settings, or they can't be changed line by line.
    """
    before = _read_toml(folder)
    if before is None:
        raise NotALedgerError(f"{folder} has no {NAME}: write its line {name} = … by hand")
    ours = _PATHS + _COMMANDS
    gone = ours if name == "log_key" else tuple(field for field in ours if field.startswith(name))
    named = {
        name: _relative(folder, key) if isinstance(key, Path) else key.to_text(),
        f"{name}_passphrase_file": None if passphrase_file is None else _relative(folder, passphrase_file),
        f"{name}_passphrase_command": passphrase_command,
    }
    new = {field: value for field, value in named.items() if value is not None}
    kept = [
        line for line in (folder / NAME).read_text("utf-8").splitlines() if line.partition("=")[0].strip() not in gone
    ]
    text = (
        "\n".join(kept + [f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in new.items()]) + "\n"
    )
    wanted = {field: value for field, value in before.items() if field not in gone} | new
    try:
        is_done = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        is_done = False
    if not is_done:
        raise NotALedgerError(f"{folder / NAME} can't be changed line by line: write {name} = … there by hand")
    with whole_file(folder / NAME, PRIVATE_MODE) as file:
        file.write(text.encode())


def _relative(folder: Path, path: Path) -> str:
    absolute = path.absolute()
    return str(absolute.relative_to(folder.absolute()) if absolute.is_relative_to(folder.absolute()) else absolute)
