"""Styles, scripts and what was vendored: files of the package, each at an address that changes with its content.

/static/<path>?<hash>     kept for a year; without the hash, asked for again
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import NotFoundError
from tallystick.web.conditional import FOR_EVER_TO_ALL
from tallystick.web.pages.compressing import packed, takes_gzip

PATH: Final = "/static"
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
"""By their ends, the files that are served; others that lie there, licences for one, are not."""
_HASH_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file: its bytes, the same compressed, its type, and the hash that its address has."""

    data: bytes
    packed: bytes
    media_type: str
    hash: str


class StaticFiles:
    """All files of the package's folder `static`, read once.

    Attributes:
        tag: another one whenever a file is.
    """

    def __init__(self, folder: Traversable) -> None:
        """Read them."""
        self._files: Final = dict(_read(folder, PurePosixPath()))
        hashes = "".join(self._files[path].hash for path in self.paths())
        self.tag: Final = hashlib.sha256(hashes.encode()).hexdigest()[:_HASH_LENGTH]

    def address(self, path: str) -> str:
        """Return where a file is asked for, from the root of the site on.

        Raises:
            KeyError: there is none; a template names it.
        """
        return f"{PATH}/{path}?{self._files[path].hash}"

    def find(self, path: str) -> StaticFile | None:
        """Return a file, if there is one."""
        return self._files.get(path)

    def paths(self) -> list[str]:
        """Return the paths of all, in order."""
        return sorted(self._files)


def _read(folder: Traversable, path: PurePosixPath) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for one in folder.iterdir():
        here = path / one.name
        if one.is_dir():
            found += _read(one, here)
        elif here.suffix in _TYPES:
            data = one.read_bytes()
            short = hashlib.sha256(data).hexdigest()[:_HASH_LENGTH]
            found.append((str(here), StaticFile(data, packed(data), _TYPES[here.suffix], short)))
    return found


STATIC: Final = StaticFiles(files("tallystick.web") / "static")


async def static_file(request: Request) -> Response:
    """Answer with a file."""
    path = request.path_params["path"]
    found = STATIC.find(path)
    if found is None:
        raise NotFoundError(f"there is no file {path!a:.100} here")
    tag = f'W/"{found.hash}"'  # of the file, compressed or not
    kept = FOR_EVER_TO_ALL if request.url.query == found.hash else "public, no-cache"
    headers = {"ETag": tag, "Cache-Control": kept, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if takes_gzip(request):
        return Response(found.packed, 200, {**headers, "Content-Encoding": "gzip"}, found.media_type)
    return Response(found.data, 200, headers, found.media_type)
