"""Where a profile's commands go: told once, by what its source is."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.cli.places import Place
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey


def open_place(profile: "Profile", keys: "Callable[[], Sequence[SigningKey]]", log_time: str | None = None) -> "Place":
    """Return where a profile's commands go.

    Args:
        profile: names it.
        keys: opens the signing keys, for a service that asks for a login.
        log_time: the log's time instead of this machine's; at a service, when commands are signed.

    Raises:
        UsageError: it names no place, or one that can't be written.
    """
    from tallystick.cli import reading

    if profile.source is None:
        raise UsageError("where does this go? give --source, or write a profile with `tallystick init`")
    if profile.is_of_a_service:
        from tallystick.cli.remote_place import RemotePlace

        return RemotePlace(profile, keys, log_time)
    from tallystick.cli.ledger_place import LedgerPlace

    return LedgerPlace(reading.ledger_of(profile.source), log_time)
