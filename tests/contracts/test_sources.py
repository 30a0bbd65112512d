"""A SOURCE is told once, from its text and from the names in a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.errors import UsageError
from tallystick.sources import (
    LedgerDatabase,
    LedgerFolder,
    Source,
    StaticFolder,
    StaticUrl,
    folder_of,
    parse_source,
    parse_writable,
)


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir()
        else:
            path.touch()
    return folder


FOLDERS: list[tuple[tuple[str, ...], Callable[[Path], Source]]] = [
    ((), LedgerFolder),
    (("ledger.db",), LedgerFolder),
    (("ledger.db", "checkpoint", "tile/"), LedgerFolder),  # a ledger that was exported into its own folder
    (("checkpoint", "tile/"), StaticFolder),
    (("checkpoint",), StaticFolder),
    (("tile/",), StaticFolder),  # its checkpoint is lost, which an audit says
    (("checkpoint/",), LedgerFolder),
    (("ledger.db/", "checkpoint"), StaticFolder),
    (("something",), LedgerFolder),
]


@pytest.mark.parametrize(("names", "kind"), FOLDERS)
def test_a_folder_is_told_by_what_is_in_it(
    names: tuple[str, ...], kind: Callable[[Path], Source], tmp_path: Path
) -> None:
    """A ledger before an export; a folder with neither is one in which a ledger may be made."""
    folder = _made(tmp_path, *names)
    told = parse_source(folder)
    assert told == kind(folder)
    assert parse_source(str(folder)) == told
    assert parse_source(told) is told
    assert (str(told), folder_of(told)) == (str(folder), folder)
    assert parse_writable(folder) == LedgerFolder(folder)


def test_what_is_not_there_is_a_folder(tmp_path: Path) -> None:
    """That is found out where it is opened."""
    assert parse_source(tmp_path / "nowhere") == LedgerFolder(tmp_path / "nowhere")
    _made(tmp_path, "file")
    assert parse_source(tmp_path / "file") == LedgerFolder(tmp_path / "file")


URLS: list[tuple[str, Callable[[str], Source], str]] = [
    ("postgresql://me:pw@h/d", LedgerDatabase, "postgresql://me@h/d"),
    ("postgres://h/d?sslpassword=pw", LedgerDatabase, "postgres://h/d?sslpassword=..."),
    ("https://me:pw@log.example/public", StaticUrl, "https://me@log.example/public"),
    ("POSTGRESQL://me:pw@h/d", StaticUrl, "POSTGRESQL://me@h/d"),
]


@pytest.mark.parametrize(("url", "kind", "shown"), URLS)
def test_a_url_is_told_by_its_scheme_and_shown_without_its_password(
    url: str, kind: Callable[[str], Source], shown: str
) -> None:
    """As text and as a value that somebody prints; a `Path` is no URL."""
    told = parse_source(url)
    assert told == kind(url)
    assert (str(told), folder_of(told)) == (shown, None)
    assert "pw" not in repr(told)
    assert isinstance(parse_source(Path(url)), LedgerFolder)


def test_only_a_folder_and_a_database_are_written() -> None:
    """Of any other URL it is said what to give instead."""
    assert parse_writable("postgresql://h/d") == LedgerDatabase("postgresql://h/d")
    for is_new, said in (
        (False, "is a URL, which can only be read: give the ledger folder"),
        (True, "is not a place for a ledger: give a new folder, or a database's URL"),
    ):
        with pytest.raises(UsageError) as caught:
            parse_writable("https://me:pw@log.example", is_new=is_new)
        assert str(caught.value) == f"https://me@log.example {said}"
