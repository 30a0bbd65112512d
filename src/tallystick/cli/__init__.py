"""The command line never shows a traceback: one line on stderr says what is wrong, the exit status says the rest.

    commands.py   which commands there are, for whom, and in which module
    first_page.py the page of `tallystick --help`, for which nothing else is loaded
    lazy_group.py each command loaded when it is given

    keys.py       key new, show, passphrase      treasury.py   sign, balances
    provider.py   check, submit
    auditor.py    audit, verify, receipt         operator.py   ledger create, backup, restore; export, demo
    writer.py     writer: notes in, answers out, for as long as the log is to be written
    proofs.py     proof inclusion, consistency   entries.py    an entry in full
    proofs_of_balance.py          proof balance, and verify of what it wrote
    dossier.py    dossier, and verify of what it wrote
    export_hashes.py              verify of all that an export has
    rekeying.py   ledger rekey: the log's own key is changed, step by step
    witness.py    witness init, serve, cosign    checkpoint.py checkpoint collect: the log that asks
    rules.py      rules: what commands a log takes
    showing.py    show: all about one thing, or an entry

    command_files.py              a command in JSON, as a person wrote it
    kinds.py      what a file may hold that is replaced
    answers.py    an answer to a note in words
    views.py      where balances and histories come from
    passphrase_commands.py      passphrases that a program prints
    parameters.py               arguments and options that several commands take
    reading.py    what comes in: files, key files, passphrases, sources, moments
    output.py     what goes out: tables, JSON, progress, files
    statuses.py   what the process ends with

Exit status: 0 as asked; 1 refused, findings, or a proof that doesn't hold; 2 usage, unreadable input, or a store that
failed; 130 interrupted. Commands raise, and `main` alone turns what was raised into a line and a status.
What a command needs is imported inside it, so that help comes at once.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import errno
import mmap
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated

from tallystick.cli import first_page, streams
from tallystick.cli.statuses import AS_ASKED, FAILED, INTERRUPTED, PIPE_CLOSED, REFUSED

_LOADED_BYTES = 64 * 2**20
"""The most that a command's own modules and libraries take; what it reads comes on top."""
_SHOWN_MAX = 200
EXTRA_OF = {
    **dict.fromkeys(("psycopg", "psycopg_pool"), ("a ledger in PostgreSQL", "postgres")),
    **dict.fromkeys(
        (
            "babel",
            "fastapi",
            "httptools",
            "jinja2",
            "markupsafe",
            "prometheus_client",
            "starlette",
            "structlog",
            "uvicorn",
            "uvloop",
        ),
        ("serving over HTTP", "serve"),
    ),
    "pkcs11": ("a key in a token", "pkcs11"),
    "nacl": ("verification by libsodium", "fast"),
    **dict.fromkeys(("dask", "distributed"), ("an audit on many machines", "dask")),
    **dict.fromkeys(("pylopdf_fonts_zh_cn", "typst"), ("a statement as PDF", "books")),
    "python_calamine": ("a workbook of usage", "usage"),
    "tzdata": ("a time zone by name", "usage"),
    "duckdb": ("Parquet", "books"),
    "xlsxwriter": ("a spreadsheet", "books"),
}
"""By the module that is missing: what can't be done without it, and the extra that brings it."""
_AT_ONCE = {"-h": first_page.page, "--help": first_page.page, "--version": first_page.version}
"""What is answered without the library that reads arguments, where nothing stands beside it."""
_COMPLETION = "_TALLYSTICK_COMPLETE"
"""Set by a shell that completes a command, whatever the arguments."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; those of the process when None.

    Returns:
        The exit status.
    """
    streams.prepare()
    if not _has_memory():
        return _unloadable(MemoryError())
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        # Here, not at exit: a full disk or a closed pipe is then one line as well.
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
        streams.abandon(sys.stdout)
    except SystemExit as ended:  # typer ends a process for completion, and where a pipe is closed
        return AS_ASKED if ended.code in (None, 0) else PIPE_CLOSED
    except Exception as error:  # every one is turned into a line and a status
        try:
            return _failed(error)
        except (ImportError, MemoryError) as second:  # of a machine that can't even load what tells errors apart
            if second is error:
                raise  # as TALLYSTICK_TRACEBACK asks for
            return _unloadable(second)
    if status == INTERRUPTED:
        _complain("interrupted; nothing is half done, and the same command can be given again")
    return status


def _has_memory() -> bool:
    """Return whether what a command loads will fit; its compiled parts end the process where memory ends."""
    try:
        mmap.mmap(-1, _LOADED_BYTES).close()
    except OSError:
        return False
    return True


def _run(arguments: Sequence[str]) -> int:
    if len(arguments) == 1 and arguments[0] in _AT_ONCE and _COMPLETION not in os.environ:
        sys.stdout.write(_AT_ONCE[arguments[0]]())
        return AS_ASKED
    # Looking for plugins of pydantic's takes longer than to load it, and none has a say in what is decided here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    import typer.main

    from tallystick.errors import UsageError

    if any("\0" in argument for argument in arguments):
        raise UsageError("an argument has a NUL character, which no name, time or number has")
    from tallystick.cli.lazy_group import LazyGroup

    app = typer.Typer(
        cls=LazyGroup,
        help=first_page.SUMMARY,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    version = typer.Option("--version", help=first_page.VERSION_HELP, callback=_show_version)

    @app.callback()
    def tallystick(version: Annotated[bool, version] = False) -> None:
        pass

    status = typer.main.get_command(app).main(args=list(arguments), prog_name="tallystick", standalone_mode=False)
    return status if isinstance(status, int) else AS_ASKED


def _show_version(asked: bool) -> None:
    import typer

    if asked:
        sys.stdout.write(first_page.version())
        raise typer.Exit


def _failed(error: Exception) -> int:
    """Say in one line what went wrong, and return the status for it."""
    import typer

    from tallystick.errors import TallystickError, VerificationError

    if os.environ.get("TALLYSTICK_TRACEBACK"):
        raise error
    if isinstance(error, BrokenPipeError):  # the reader has seen enough
        streams.abandon(sys.stdout)
        return PIPE_CLOSED
    if isinstance(error, typer.TyperException):
        return _misused(error)
    if isinstance(error, TallystickError):
        _complain(str(error))
        return REFUSED if isinstance(error, VerificationError) else FAILED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename is not None else ""
        what_to_do = "; make room, and give the same command again" if error.errno in _NO_ROOM else ""
        _complain(f"{place}{error.strerror or error}{what_to_do}")
        streams.abandon(sys.stdout)
        return FAILED
    if isinstance(error, MemoryError):
        return _unloadable(error)
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        # What files may be called, an id, a time or a URL can't be.
        what = "a URL" if "://" in error.object else repr(error.object[:_SHOWN_MAX])  # a URL may have a password
        _complain(f"{what} is not UTF-8, as everything but the names of files is")
        return FAILED
    if isinstance(error, ModuleNotFoundError) and (missing := (error.name or "").partition(".")[0]) in EXTRA_OF:
        what, extra = EXTRA_OF[missing]
        _complain(f"{what} needs {missing}, which isn't installed: pip install 'tallystick[{extra}]'")
        return FAILED
    if isinstance(error, ImportError):
        return _unloadable(error)
    if _is_of_a_store(error):
        _complain(f"the store failed: {error}; see that the disk has room and that the file is a ledger's")
        return FAILED
    _complain(
        f"this is a fault in tallystick: {type(error).__name__}: {error}; "
        "TALLYSTICK_TRACEBACK=1 shows where, which is worth reporting"
    )
    return FAILED


def _is_of_a_store(error: Exception) -> bool:
    """Tell whether a database failed. Asked last: whatever raises the library's own error has loaded the ledger."""
    import sqlite3

    from tallystick.ledger.library import PersistenceError

    return isinstance(error, sqlite3.Error | PersistenceError)


def _unloadable(error: ImportError | MemoryError) -> int:
    """Say that this machine, or this installation, can't run the program; for that little may be loaded."""
    if isinstance(error, ImportError):
        _complain(f"a part of the program can't be loaded: {error}; see that there is memory, and install it again")
    else:
        _complain("there is not enough memory for that here; nothing was answered")
    return FAILED


def _misused(error: Exception) -> int:
    """Say in one line how a command was misused, and where its help is."""
    from pydantic import ValidationError

    from tallystick.field_faults import fault_in_words

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "tallystick"
    if isinstance(error.__cause__, ValidationError) and hasattr(error, "message"):
        error.message = fault_in_words(error.__cause__.errors(include_url=False)[0])
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if "Usage:" in message:  # the whole help, of a command that has commands of its own
        message = "a command is missing"
    message = " ".join(message.split())  # an option that has choices lists them line by line
    _complain(f"{message.rstrip('.')}; '{path} --help' says how")
    return FAILED


def _complain(message: str) -> None:
    # What was given may be a megabyte without a blank; a path of any use is shorter.
    shortened = re.sub(r"\S{300,}", lambda word: f"{word[0][:100]}...{word[0][-50:]}", message)
    streams.say(f"tallystick: {shortened}")
