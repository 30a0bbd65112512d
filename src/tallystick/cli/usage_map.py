"""A mapping is proposed from what files of usage hold; which contract and which item, a person says.

usage map FILE... --format opencost -o M.toml               then replace each FILL-IN
usage map FILE... --format opencost --mapping M.toml        what M.toml doesn't have yet
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tallystick.cli import output, parameters
from tallystick.cli.usage_inputs import Files, FormatName
from tallystick.named_files import Kind, NamedFile

if TYPE_CHECKING:
    from tallystick.metering.mapping import Mapping

_MAPPING: Final = Kind("a mapping", lambda beginning: beginning.startswith(b"# Proposed from what the files hold."))


def add_commands(group: typer.Typer) -> None:
    """Add the command of this file."""
    group.command("map", short_help="Propose a mapping for files of usage.")(propose_mapping)


def propose_mapping(
    files: Files,
    format_name: FormatName,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="A mapping to go on from; what it has isn't proposed."),
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="What stands before each job's name.")] = None,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of times without an offset.")] = None,
    step_seconds: Annotated[int | None, typer.Option(help="Of samples out of Prometheus.")] = None,
    output_file: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE.toml", help="Where to; - is stdout.")
    ] = "-",
    force: parameters.Force = False,
) -> None:
    """Propose which accounts and kinds of GPUs a mapping for these files needs; contracts and items are left open."""
    from tallystick.cli.usage_files import UsageFiles, mapping_of, temporary_spool
    from tallystick.metering.formats import reader_of
    from tallystick.metering.mapping import Mapping
    from tallystick.metering.proposing import propose
    from tallystick.metering.remarks import Remarks

    place = NamedFile(output_file, _MAPPING, force=force)
    said = {"cluster": cluster, "time_zone": time_zone, "step_seconds": step_seconds}
    given = Mapping() if mapping is None else mapping_of(mapping)[0]
    given = _with(given, {name: value for name, value in said.items() if value is not None})
    # what isn't said yet is left open in the proposal; for looking at the files any will do
    reading_with = _with(given, {"cluster": given.cluster or "cluster", "time_zone": given.time_zone or "UTC"})
    reader = reader_of(format_name)
    remarks: Remarks = {}
    with output.progress("Reading") as progress, temporary_spool() as spool:
        inputs = UsageFiles(files, progress)
        records = chain.from_iterable(reader(chunks, reading_with, remarks) for chunks in inputs)
        text = propose(records, given, remarks, spool)
    with place.open() as file:
        file.write(text.encode("utf-8"))


def _with(mapping: "Mapping", values: dict[str, Any]) -> "Mapping":
    """Return a mapping with some of its values replaced.

    Raises:
        UsageError: one can't be such a value.
    """
    from pydantic import ValidationError

    from tallystick.errors import UsageError
    from tallystick.field_faults import first_fault
    from tallystick.metering.mapping import Mapping
    from tallystick.vouchers.fields import IN_WORDS

    try:
        return Mapping.model_validate(mapping.model_dump(by_alias=True) | values)
    except ValidationError as error:
        raise UsageError(first_fault(error, IN_WORDS)) from None
