"""What comes in from a person is read or refused in one line, and secrets are never shown.

`-` is standard input. A passphrase or a token's PIN comes from a file that no other user can read, from a program, or
from a terminal; never from an argument, which others on the machine can see.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import stat
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tallystick.errors import KeyFileError, NotALedgerError, UsageError
from tallystick.printing.text import one_line

if TYPE_CHECKING:
    from tallystick.ledger.clock_guard import ClockGuard
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import Source, StaticUrl, WritableSource
    from tallystick.token_uris import KeyPlace
    from tallystick.transparency.policy import Policy

_Source = TypeVar("_Source", bound="Source")
_Given = TypeVar("_Given")

INPUT_SIZE_MAX = 1_048_576  # nothing that a command line takes is larger; a disk image given by mistake is


def now() -> int:
    """Return the machine's time in microseconds."""
    return time.time_ns() // 1_000


def clock(given: str | None, zone: Callable[[], int] | None = None) -> Callable[[], int]:
    """Return the machine's clock, or one that stands still at a time given as text.

    Args:
        given: in a form of times.py; of a day its beginning; None for the machine's clock.
        zone: returns the network's offset in seconds; None where no network is known, and the time must have its own.

    Raises:
        UsageError: not such a time.
    """
    from tallystick.forms.times import Moment

    if given is None:
        return now
    moment = Moment.read(given)
    if moment.offset is None and zone is None:
        raise UsageError(f"{given} needs its offset here, where no log says which is meant: add Z, or one like +08:00")
    instant = moment.instant(zone or (lambda: 0))
    return lambda: instant


def read_file(name: str, size_max: int = INPUT_SIZE_MAX) -> bytes:
    """Return the bytes of a file, or of standard input for `-`; at most `size_max`.

    Raises:
        UsageError: too large to be what was meant.
        OSError: it can't be read.
    """
    if name == "-":
        data = sys.stdin.buffer.read(size_max + 1)
    else:
        with Path(name).open("rb") as file:
            data = file.read(size_max + 1)
    if len(data) > size_max:
        meant = ", and no note, receipt or policy is" if size_max == INPUT_SIZE_MAX else ""
        raise UsageError(f"{name} is larger than {size_max:,} bytes{meant}")
    return data


def read_policy(path: Path) -> "Policy":
    """Return a trust policy."""
    from tallystick.transparency.policy import Policy

    return Policy.from_text(read_file(str(path)))


def read_passphrase(path: Path) -> bytes:
    """Return the first line of a passphrase file.

    Raises:
        KeyFileError: others can read it, or it is empty.
        OSError: it can't be read.
    """
    from tallystick.keyfiles import is_for_others

    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        # A pipe or /dev/stdin has no readers to shut out; a file in a folder has.
        if stat.S_ISREG(mode) and is_for_others(path, mode):
            raise KeyFileError(f"{path} can be read by others: chmod 600 {path}")
        passphrase = file.readline(4_096).rstrip(b"\r\n")
    if not passphrase:
        raise KeyFileError(f"{path} has no passphrase in its first line")
    return passphrase


def given_passphrase(passphrase_file: Path | None, passphrase_command: str | None) -> bytes | None:
    """Return the passphrase in a file or printed by a program; None if neither was named.

    Raises:
        UsageError: both were named.
        KeyFileError: there is no passphrase to be had from it.
        OSError: the file can't be read.
    """
    from tallystick.cli.passphrase_commands import run_passphrase_command

    if passphrase_file is not None and passphrase_command is not None:
        raise UsageError("--passphrase-file and --passphrase-command exclude each other: give one")
    if passphrase_command is not None:
        return run_passphrase_command(passphrase_command)
    return None if passphrase_file is None else read_passphrase(passphrase_file)


def new_passphrase(
    what: str, passphrase_file: Path | None, passphrase_command: str | None = None, *, no_passphrase: bool
) -> bytes | None:
    """Return what is to lock a new key, from a file, a program or asked for on a terminal; None to leave it unlocked.

    Raises:
        UsageError: more than one of them was asked for.
        KeyFileError: there is no passphrase to be had.
        OSError: the file can't be read.
    """
    if no_passphrase and (passphrase_file is not None or passphrase_command is not None):
        option = "--passphrase-file" if passphrase_file is not None else "--passphrase-command"
        raise UsageError(f"--no-passphrase and {option} exclude each other: give one")
    if no_passphrase:
        return None
    given = given_passphrase(passphrase_file, passphrase_command)
    return ask_new_passphrase(what) if given is None else given


def ask_new_passphrase(what: str) -> bytes:
    """Ask twice on a terminal for a passphrase.

    Raises:
        KeyFileError: there is no terminal, nothing was typed, or not the same twice.
    """
    if not sys.stdin.isatty():
        raise KeyFileError(
            "no terminal to ask for a passphrase: give --passphrase-file, --passphrase-command or --no-passphrase"
        )
    first = getpass(f"Passphrase for {one_line(what)}: ")
    if not first:
        raise KeyFileError("the passphrase is empty: type one, or say --no-passphrase")
    if getpass("The same again: ") != first:
        raise KeyFileError("the two passphrases differ: try again")
    return first.encode()


def load_key(
    place: "KeyPlace", passphrase_file: Path | None = None, passphrase_command: str | None = None
) -> "SigningKey":
    """Return the key in a file or a token; where no passphrase or PIN was given, it is asked for on a terminal.

    Raises:
        UsageError: a passphrase file and a command.
        KeyFileError, KeyTokenError: there is no such key to be had.
    """
    from tallystick import keyfiles

    given = given_passphrase(passphrase_file, passphrase_command)
    if not isinstance(place, Path):
        from tallystick import token_keys

        return token_keys.load(place, lambda token: ask_pin(token) if given is None else given)
    if given is None and sys.stdin.isatty() and keyfiles.is_locked(place):
        given = ask_passphrase(str(place))
    return keyfiles.load(place, given)


def ask_passphrase(what: str) -> bytes:
    """Ask on a terminal for the passphrase of what is locked.

    Raises:
        KeyFileError: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise KeyFileError(
            f"no terminal to ask for the passphrase of {one_line(what)}: give --passphrase-file or --passphrase-command"
        )
    return getpass(f"Passphrase for {one_line(what)}: ").encode()


def ask_pin(token: str) -> bytes:
    """Ask on a terminal for a token's PIN.

    Raises:
        KeyFileError: there is no terminal, or nothing was typed.
    """
    if not sys.stdin.isatty():
        raise KeyFileError(
            f"no terminal to ask for the PIN of {one_line(token)}: give --passphrase-file or --passphrase-command"
        )
    pin = getpass(f"PIN of {one_line(token)}: ")
    if not pin:  # some tokens count an empty one as wrong
        raise KeyFileError("the PIN is empty: type it")
    return pin.encode()


def load_keys(
    places: "Sequence[KeyPlace]", passphrase_files: Sequence[Path] = (), passphrase_commands: Sequence[str] = ()
) -> "list[SigningKey]":
    """Return several keys: one passphrase file or command serves all of them, or there is one for each.

    Raises:
        UsageError: another number of them, or some of both.
    """
    if passphrase_files and passphrase_commands:
        raise UsageError("--passphrase-file and --passphrase-command exclude each other: give one for each key")
    for word, given in (("files", passphrase_files), ("commands", passphrase_commands)):
        if len(given) not in (0, 1, len(places)):
            raise UsageError(f"{len(places)} keys and {len(given)} passphrase {word}: give one, or one each")
    files = _for_each(passphrase_files, len(places))
    commands = _for_each(passphrase_commands, len(places))
    return [load_key(*one) for one in zip(places, files, commands, strict=True)]


def _for_each(given: Sequence[_Given], number: int) -> list[_Given | None]:
    return [*given] if len(given) > 1 else [*given, None][:1] * number


def source_of(text: str) -> "Source":
    """Return the place that a SOURCE is, to be read.

    Raises:
        UsageError: there is no such folder.
    """
    from tallystick.sources import parse_source

    return _there(parse_source(text), text)


def ledger_of(text: str) -> "WritableSource":
    """Return the place of a ledger that a SOURCE is, to be written.

    Raises:
        UsageError: it can only be read, or there is no such folder.
    """
    from tallystick.sources import parse_writable

    return _there(parse_writable(text), text)


def submitted_to(text: str) -> "WritableSource | StaticUrl":
    """Return the place that notes are submitted to: a ledger to be written, or a service's URL.

    Raises:
        UsageError: it can only be read, or there is no such folder.
    """
    from tallystick.sources import StaticUrl, parse_source

    source = parse_source(text)
    return source if isinstance(source, StaticUrl) else ledger_of(text)


def source_unless_file(text: str) -> "Source | None":
    """Return the place that a SOURCE is; None if it is a file, or standard input for `-`."""
    from tallystick.sources import folder_of, parse_source

    source = parse_source(text)
    folder = folder_of(source)
    is_file = text == "-" or (folder is not None and not folder.is_dir())
    return None if is_file else source


def folder_named(text: str | Path) -> Path:
    """Return a folder that isn't a SOURCE; it needn't be there.

    Raises:
        UsageError: it is a URL, which a path would have made a folder of, password and all.
    """
    from tallystick.sources import folder_of, parse_source

    source = parse_source(text)
    folder = folder_of(source)
    if folder is None:
        raise UsageError(f"{source} is a URL: give a folder")
    return folder


def new_backup_of(text: str) -> Path:
    """Return a folder in which a backup is to be made or added to.

    Raises:
        UsageError: it is a URL.
    """
    from tallystick.sources import folder_of, parse_source

    folder = folder_of(parse_source(text))
    if folder is None:
        raise UsageError("a backup is made in a folder; `tallystick ledger restore` writes a database")
    return folder


def backup_of(text: str) -> Path:
    """Return a folder that is there.

    Raises:
        UsageError: it is a URL, or there is no such folder.
    """
    folder = folder_named(text)
    _require_folder(folder, text)
    return folder


def published_of(text: str) -> "Source":
    """Return the place that a SOURCE is, to be read and to have cosignatures put beside it.

    Raises:
        UsageError: it can only be read, or there is no such folder.
    """
    ledger_of(text)
    return source_of(text)


def new_ledger_of(text: str) -> "WritableSource":
    """Return the place that a SOURCE is, for a ledger to be made there.

    Raises:
        UsageError: there can't be one.
    """
    from tallystick.sources import parse_writable

    return parse_writable(text, is_new=True)


def _there(source: _Source, text: str) -> _Source:
    """Return a source, unless it should be a folder and is none."""
    from tallystick.sources import folder_of

    folder = folder_of(source)
    if folder is not None:
        _require_folder(folder, text)
    return source


def _require_folder(folder: Path, text: str) -> None:
    if not folder.exists():
        raise UsageError(f"there is no folder {text}")
    if not folder.is_dir():
        raise UsageError(f"{text} is not a folder; give the one that holds ledger.db")


def load_log_keys(
    source: "WritableSource",
    log_key: "KeyPlace | None",
    next_log_key: "KeyPlace | None",
    passphrase_file: Path | None,
    passphrase_command: str | None = None,
) -> "tuple[SigningKey, SigningKey | None]":
    """Return the key that signs a ledger's checkpoints, and its next one: those given, or those that settings name.

    Without a passphrase of its own, a locked key that is given has that of the settings, if there are any.
    """
    from tallystick import keyfiles
    from tallystick.ledger.settings import load_settings

    given = passphrase_file, passphrase_command
    if log_key is not None:
        if given == (None, None) and isinstance(log_key, Path) and keyfiles.is_locked(log_key):
            with suppress(NotALedgerError, UsageError):
                settings = load_settings(source)
                given = settings.log_key_passphrase_file, settings.log_key_passphrase_command
        following = None if next_log_key is None else load_key(next_log_key, *given)
        return load_key(log_key, *given), following
    settings = load_settings(source)
    is_given = given != (None, None)
    own = given if is_given else (settings.log_key_passphrase_file, settings.log_key_passphrase_command)
    others = given if is_given else (settings.next_log_key_passphrase_file, settings.next_log_key_passphrase_command)
    next_log_key = next_log_key or settings.next_log_key
    following = None if next_log_key is None else load_key(next_log_key, *others)
    return load_key(settings.log_key, *own), following


def clock_guard(source: "WritableSource", log_time: str | None, *, accept_jump: bool) -> "ClockGuard | None":
    """Return what keeps the machine's clock from being believed blindly; None for a time that was given as text."""
    from tallystick.ledger.clock_guard import ClockGuard
    from tallystick.ledger.settings import load_settings

    if log_time is not None:
        return None
    vouched_at = now() if accept_jump else None
    try:
        settings = load_settings(source)
    except (NotALedgerError, UsageError):  # the key was named by hand, or it has been said
        return ClockGuard(vouched_at=vouched_at)
    return ClockGuard(settings.clock_jump_hours, settings.idle_days, vouched_at)
