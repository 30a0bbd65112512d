"""Hash tiles of a log, read from its server and believed only as far as they lead to a root that the log signed."""

import functools
import time
from collections.abc import Callable
from typing import Final

from tallystick.client.connection import Connections
from tallystick.client.endpoint import Question
from tallystick.errors import AnswerMalformedError, ProblemError
from tallystick.static.files import Found, find_file
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_HEIGHT, ReadTile
from tallystick.transparency.tiles import TILE_WIDTH, tile_path

_TILES_KEPT: Final = 256  # full ones, of 8 KiB
_MISSING: Final = 404


class ServedTiles:
    """The files of a log as its server has them (`static.StaticFiles`), and its tiles.

    Attributes:
        name: the server's first URL.
    """

    def __init__(self, connections: Connections) -> None:
        self.name = connections.urls[0]
        self._connections = connections
        self._full: dict[tuple[int, int], bytes] = {}

    def read(self, path: str, size_max: int) -> bytes | None:
        """Return a file's bytes, None if there is none.

        Raises:
            ServerError: no answer, or not of this size.
        """
        try:
            return self._connections.ask(Question(path, size_max)).body
        except ProblemError as error:
            if error.status == _MISSING:
                return None
            raise

    def of_tree(self, size: int, *, is_patient: bool = True) -> ReadTile:
        """Return what reads the tiles of a tree of this size.

        Args:
            size: of the tree.
            is_patient: whether a tile that isn't there is looked for again a few times.

        It raises:
            AnswerMalformedError: a tile is missing, or has another length.
            ServerError: no answer.
        """
        return functools.partial(self._tile, size, is_patient)

    def forget(self) -> None:
        """Let go of tiles that led nowhere."""
        self._full.clear()

    def close(self) -> None:
        """The connections are closed by their owner."""

    def _found(self, path_of: Callable[[int], str], there: int, *, is_patient: bool) -> Found | None:
        """Return a tile's file; where it isn't there yet, since a replica lags behind a checkpoint, a little later."""
        found = find_file(self, path_of, there, HASH_SIZE)
        for pause_seconds in self._connections.short_pauses() if is_patient else ():
            if found is not None:
                break
            time.sleep(pause_seconds)
            self._connections.turn_away()
            found = find_file(self, path_of, there, HASH_SIZE)
        return found

    def _tile(self, size: int, is_patient: bool, level: int, n: int, width: int) -> bytes:
        kept = self._full.get((level, n))
        if kept is not None:
            return kept[: width * HASH_SIZE]
        there = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH)
        found = self._found(functools.partial(tile_path, level, n), there, is_patient=is_patient)
        if found is None or len(found.data) != found.width * HASH_SIZE:
            what = "is missing" if found is None else f"has not exactly {found.width * HASH_SIZE} bytes"
            raise AnswerMalformedError(
                f"{self.name}/{tile_path(level, n, there)} {what}, and its checkpoint implies it"
            )
        if found.width == TILE_WIDTH:
            if len(self._full) == _TILES_KEPT:
                self._full.clear()
            self._full[level, n] = found.data
        return found.data[: width * HASH_SIZE]
