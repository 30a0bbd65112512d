"""What a ledger folder says of itself: `ledger.toml`, overridden by `TALLYSTICK_…` in the environment.

A ledger in PostgreSQL has no folder: there the environment says it all, or the command line.

origin = "tallystick.example/national"
log_key = "keys/log.pem"                       # relative to the folder
log_key_passphrase_file = "keys/passphrase"    # left out for a key file without one
"""

import json
from pathlib import Path
from typing import Final, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from tallystick.addresses import is_postgres
from tallystick.durable_files import whole_file
from tallystick.errors import NotALedgerError, UsageError

NAME: Final = "ledger.toml"


class LedgerSettings(BaseSettings):
    """Where the log's key is; paths are absolute once loaded."""

    model_config = SettingsConfigDict(env_prefix="TALLYSTICK_", extra="forbid", frozen=True)

    origin: str | None = None
    log_key: Path
    log_key_passphrase_file: Path | None = None

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
        passphrase_file = self.log_key_passphrase_file
        return self.model_copy(
            update={
                "log_key": folder / self.log_key,
                "log_key_passphrase_file": folder / passphrase_file if passphrase_file else None,
            }
        )


def load_settings(source: Path | str) -> LedgerSettings:
    """Return the settings of a ledger, in a folder or in PostgreSQL.

    Raises:
        NotALedgerError: the folder has none, or they can't be read.
        UsageError: the environment has none.
    """
    if is_postgres(source):
        try:
            return LedgerSettings(**{}).within(Path())  # all from the environment
        except ValidationError:
            raise UsageError(
                "which key signs this log's checkpoints? give --log-key FILE, or set TALLYSTICK_LOG_KEY"
            ) from None
    folder = Path(source)
    path = folder / NAME
    if not path.is_file():
        raise NotALedgerError(
            f"{folder} has no {NAME}, which would say which key signs this log's checkpoints: give --log-key FILE"
        )
    try:
        fields = TomlConfigSettingsSource(LedgerSettings, toml_file=path)()
        return LedgerSettings(**fields).within(folder)
    except (ValueError, ValidationError) as error:
        raise NotALedgerError(f"{path}: {str(error).splitlines()[0]}") from None


def write_settings(folder: Path, origin: str, log_key: Path, passphrase_file: Path | None) -> None:
    """Write a folder's settings; paths inside the folder are kept relative to it."""
    lines = {"origin": origin, "log_key": _relative(folder, log_key)}
    if passphrase_file is not None:
        lines["log_key_passphrase_file"] = _relative(folder, passphrase_file)
    # A JSON string without control characters is a TOML string.
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    with whole_file(folder / NAME) as file:
        file.write(text.encode())


def _relative(folder: Path, path: Path) -> str:
    absolute = path.absolute()
    return str(absolute.relative_to(folder.absolute()) if absolute.is_relative_to(folder.absolute()) else absolute)
