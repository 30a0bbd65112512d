"""Usage that is held against a log: the lines of files, and what these files and the mapping were."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import output
from tallystick.cycle_collection import paused_collection

if TYPE_CHECKING:
    from tallystick.cli.usage_files import InputFile
    from tallystick.metering.reading import Reading
    from tallystick.metering.run import UsageLine
    from tallystick.wire import JsonObject

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Usage records, of one format; - is stdin.")]
FormatName = Annotated[str, typer.Option("--format", metavar="FORMAT", help="Of the files: slurm-psv, csv and so on.")]
MappingFile = Annotated[
    Path, typer.Option("--mapping", metavar="FILE.toml", help="Which account is under which contract.")
]
SoFar = Annotated[
    bool, typer.Option("--so-far", help="Also jobs that run, up to their export; a later export has the rest.")
]


@dataclass(slots=True)
class Usage:
    """What was read.

    Attributes:
        lines: in the order of their starts, as a statement's line can hold them.
        reading: the counts of records.
        files: in order.
        mapping_file: of the provider.
    """

    lines: "list[UsageLine]"
    reading: "Reading"
    files: "list[InputFile]"
    format_name: str
    mapping_file: "InputFile"

    def said(self) -> "JsonObject":
        """Return what was read, as `--json` says it; of each file also between which times its lines lie."""
        from tallystick.vouchers.quantities import format_second

        spans: dict[int, tuple[int, int]] = {}
        for line in self.lines:
            begin, end = spans.get(line.file, (line.starts_at, line.ends_at))
            spans[line.file] = min(begin, line.starts_at), max(end, line.ends_at)
        files = [one.said() for one in self.files]
        for number, (begin, end) in spans.items():
            files[number] |= {"first_start": format_second(begin), "last_end": format_second(end)}
        return {"format": self.format_name, "files": files, "mapping": self.mapping_file.said()}


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
    from tallystick.cli.usage_files import UsageFiles, mapping_of, temporary_spool
    from tallystick.metering.formats import read_usage
    from tallystick.metering.reading import Reading
    from tallystick.usage.splitting import within_bounds

    mapping, of_mapping = mapping_of(mapping_file)
    reading = Reading()
    with output.progress("Reading usage") as progress, temporary_spool() as spool, paused_collection():
        files = UsageFiles(names, progress)
        with files.named():
            lines = list(within_bounds(read_usage(files, format_name, mapping, reading, spool=spool, so_far=so_far)))
    return Usage(lines, reading, files.inputs, format_name, of_mapping)
