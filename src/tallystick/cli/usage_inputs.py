"""Usage files and a mapping are read, and what they were is kept: names, sizes, SHA-256."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import hashlib
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from tallystick.errors import UsageError
from tallystick.signing.algorithms import SHA256

if TYPE_CHECKING:
    from tallystick.metering.mapping import Mapping
    from tallystick.metering.reading import Reading
    from tallystick.metering.run import UsageLine
    from tallystick.wire import JsonObject

PIECE: Final = 1_048_576

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Usage records, of one format; - is stdin.")]
FormatName = Annotated[str, typer.Option("--format", metavar="FORMAT", help="Of the files: slurm-psv, csv and so on.")]
MappingFile = Annotated[
    Path, typer.Option("--mapping", metavar="FILE.toml", help="Which account is under which contract.")
]
SoFar = Annotated[
    bool, typer.Option("--so-far", help="Also jobs that run, up to their export; a later export has the rest.")
]


@dataclass(slots=True)
class InputFile:
    """A file that was read.

    Attributes:
        name: as it was given.
        hash: of its bytes.
        first_start, last_end: of the lines that it came to (µs); None if there are none.
    """

    name: str
    size: int = 0
    hash: str = ""
    first_start: int | None = None
    last_end: int | None = None


@dataclass(slots=True)
class Usage:
    """What was read.

    Attributes:
        lines: in the order of their starts, as a statement's line can hold them.
        reading: the counts of records.
        files: in order.
        mapping: of the provider, and of the file that it was in.
    """

    lines: "list[UsageLine]"
    reading: "Reading"
    files: list[InputFile]
    format_name: str
    mapping: "Mapping"
    mapping_file: InputFile

    def said(self) -> "JsonObject":
        """Return what was read, as `--json` says it."""
        from tallystick.vouchers.quantities import format_second

        files = []
        for one in self.files:
            said: JsonObject = {"name": one.name, "bytes": one.size, "hash": one.hash}
            if one.first_start is not None and one.last_end is not None:
                said |= {"first_start": format_second(one.first_start), "last_end": format_second(one.last_end)}
            files.append(said)
        mapping = {"name": self.mapping_file.name, "hash": self.mapping_file.hash}
        return {"format": self.format_name, "files": files, "mapping": mapping}


def read_usage_files(names: Sequence[str], format_name: str, mapping_file: Path, *, so_far: bool) -> Usage:
    """Return what files of one format come to.

    Args:
        names: of the files; `-` is standard input.
        format_name: of all of them.
        mapping_file: of the provider.
        so_far: whether jobs that run have lines, up to their export.

    Raises:
        UsageError: no such format, the mapping isn't one, or a file is given twice.
        UsageFileError: a file isn't read at all.
        OSError: one can't be opened.
    """
    from tallystick.metering import formats
    from tallystick.metering.reading import Reading
    from tallystick.usage.splitting import within_bounds

    if len(set(names)) != len(names):
        raise UsageError("a file is named twice")
    mapping, of_mapping = _read_mapping(mapping_file)
    reading = Reading()
    files = [InputFile(name) for name in names]
    with ExitStack() as opened:
        streams = [_pieces(opened.enter_context(_open(one.name)), one) for one in files]
        lines = list(within_bounds(formats.read_usage(streams, format_name, mapping, reading, so_far=so_far)))
        for stream in streams:  # what its reader didn't ask for is hashed too
            deque(stream, maxlen=0)
    for line in lines:
        one = files[line.file]
        one.first_start = line.starts_at if one.first_start is None else min(one.first_start, line.starts_at)
        one.last_end = line.ends_at if one.last_end is None else max(one.last_end, line.ends_at)
    return Usage(lines, reading, files, format_name, mapping, of_mapping)


def _read_mapping(path: Path) -> "tuple[Mapping, InputFile]":
    from tallystick.metering.mapping import MAPPING_BYTES_MAX, read_mapping

    with path.open("rb") as file:
        data = file.read(MAPPING_BYTES_MAX + 1)
    return read_mapping(data, str(path)), InputFile(str(path), len(data), SHA256.of(data))


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file


def _pieces(file: IO[bytes], one: InputFile) -> Iterator[bytes]:
    """Yield a file's bytes, and take note of how many and of their hash."""
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
        one.size += len(piece)
        yield piece
    one.hash = SHA256.to_text(digest.digest())
