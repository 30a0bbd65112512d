"""What files of usage come to: counts, GPU-time and burn lines. No ledger is needed, and nothing is burned.

usage read FILE... --format slurm-psv --mapping M.toml          a table
usage read FILE... --format slurm-psv --mapping M.toml --json   one object, with the lines
usage read FILE... --format … --mapping … -o LINES.jsonl        also the lines, one JSON object each
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import output, parameters, usage_inputs
from tallystick.cycle_collection import paused_collection
from tallystick.errors import UsageError
from tallystick.named_files import Kind, NamedFile
from tallystick.printing.text import gpu_hours

if TYPE_CHECKING:
    from tallystick.cli.usage_files import InputFile, UsageFiles
    from tallystick.metering.reading import Reading
    from tallystick.metering.run import UsageLine

_SHOWN = 20
"""Of what is named in the report for people; --json has more."""
_BATCH = 1_024
_LINES = Kind("lines of usage", lambda beginning: beginning.startswith(b'{"contract":'))


def add_commands(group: typer.Typer) -> None:
    """Add the command of this file."""
    group.command("read", short_help="Say what files of usage come to.")(read)


def read(
    files: usage_inputs.Files,
    format_name: usage_inputs.FormatName,
    mapping: usage_inputs.MappingFile,
    so_far: usage_inputs.SoFar = False,
    lines_file: Annotated[
        str | None, typer.Option("-o", "--output", metavar="LINES", help="Also write the lines there, as JSON lines.")
    ] = None,
    force: parameters.Force = False,
    as_json: parameters.AsJson = False,
    with_lines: Annotated[bool, typer.Option("--lines/--no-lines", help="Whether --json has the lines.")] = True,
    wide: parameters.Wide = False,
) -> None:
    """Say what usage records come to: lines to burn, what isn't burned and why. Nothing is written to a log."""
    from tallystick.cli.usage_files import UsageFiles, mapping_of, temporary_spool
    from tallystick.metering.formats import read_usage
    from tallystick.metering.reading import Reading

    place = None if lines_file is None else NamedFile(lines_file, _LINES, force=force)
    if place is not None and place.is_standard_output and as_json:
        raise UsageError("--json and lines on standard output exclude each other: give one")
    rules, of_mapping = mapping_of(mapping)
    reading = Reading()
    with ExitStack() as opened:
        opened.enter_context(paused_collection())  # nothing that is made of a record refers to itself
        progress = opened.enter_context(output.progress("Reading"))
        inputs = UsageFiles(files, progress)
        opened.enter_context(inputs.named())
        spool = opened.enter_context(temporary_spool())
        lines: Iterator[UsageLine] = read_usage(inputs, format_name, rules, reading, spool=spool, so_far=so_far)
        if place is not None:
            lines = _begun(lines)  # a file that isn't read at all is said before anything is written
            lines = _written(lines, opened.enter_context(place.open()))
        if as_json:
            _print_json(lines, reading, (format_name, inputs, of_mapping), with_lines=with_lines)
        else:
            for _ in lines:
                pass
    if reading.remarks.get("files_without_gpus"):
        output.notice(
            "NO RECORD OF A FILE HAS A GPU: if GPUs ran, Slurm doesn't count them "
            "(AccountingStorageTRES lacks gres/gpu), and none of this usage can be burned"
        )
    columns = reading.remarks.get("free_text_columns")
    if not as_json and isinstance(columns, list):
        output.notice(
            f"users write what is in the columns {', '.join(columns)}: a line break there can make a record of another "
            "account; export without them (docs/usage-slurm.md)"
        )
    if not as_json and not (place is not None and place.is_standard_output):
        _print_report(reading, wide=wide)


def _begun(lines: "Iterator[UsageLine]") -> "Iterator[UsageLine]":
    """Return lines whose first one is known: the files were read whole then."""
    return chain(list(islice(lines, 1)), lines)


def _written(lines: "Iterable[UsageLine]", file: IO[bytes]) -> "Iterator[UsageLine]":
    for line in lines:
        file.write(_json_of(line) + b"\n")
        yield line


def _json_of(line: "UsageLine") -> bytes:
    import orjson

    from tallystick.metering.reading import line_said

    return orjson.dumps(line_said(line))


def _print_json(
    lines: "Iterator[UsageLine]",
    reading: "Reading",
    read_from: "tuple[str, UsageFiles, InputFile]",
    *,
    with_lines: bool,
) -> None:
    """Print one object; its lines come first, as they are made: they may be a million."""
    import orjson

    from tallystick.metering.reading import said

    format_name, inputs, of_mapping = read_from
    lines = _begun(lines)
    output.data(b"{")
    if with_lines:
        output.data(b'"lines":[\n')
        for number, batch in enumerate(_batches(lines)):
            output.data((b",\n" if number else b"") + b",\n".join(map(_json_of, batch)))
        output.data(b"\n],")
    else:
        for _ in lines:
            pass
    rest: dict[str, Any] = said(reading, [one.name for one in inputs.inputs]) | {
        "format": format_name,
        "files": [one.said() for one in inputs.inputs],
        "mapping": of_mapping.said(),
    }
    output.data(orjson.dumps(rest, option=orjson.OPT_INDENT_2)[1:] + b"\n")


def _batches(lines: "Iterator[UsageLine]") -> "Iterator[list[UsageLine]]":
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _print_report(reading: "Reading", *, wide: bool) -> None:
    from tallystick.metering.reasons import SkipReason

    burned = [
        [contract, item, gpu_hours(amount)] for (contract, item), amount in sorted(reading.gpu_milliseconds_by.items())
    ]
    if burned:
        output.table("GPU-hours to burn", ["contract", "item", "GPU-hours "], burned, wide=wide)
    unburned = [
        [reason, f"{count:,}", gpu_hours(reading.skipped_gpu_milliseconds[reason]), reason.meaning]
        for reason in SkipReason
        if (count := reading.skipped[reason])
    ]
    if unburned:
        output.table("not burned", ["reason", "records ", "GPU-hours ", "meaning"], unburned, wide=wide)
    output.line(
        f"{reading.records:,} records: {reading.records_burned:,} to burn in {reading.lines:,} lines, "
        f"{gpu_hours(reading.gpu_milliseconds)} GPU-hours; {reading.skipped.total():,} not"
    )
    for name, amounts in (
        ("no contract for account", reading.accounts_unmapped),
        ("no item for", reading.items_unmapped),
    ):
        for what, amount in amounts.most_common(_SHOWN):
            output.line(f"{name} {what or '(empty)'}: {gpu_hours(amount)} GPU-hours")
    for one in reading.named[:_SHOWN]:
        output.line(f"line {one.line}, job {one.job or '?'}: {one.reason}{f': {one.why}' if one.why else ''}")
    for name, told in sorted(reading.remarks.items()):
        output.line(f"{name.replace('_', ' ')}: {_few(told)}")


def _few(told: object) -> str:
    if isinstance(told, dict):
        return ", ".join(f"{name} {value}" for name, value in list(told.items())[:_SHOWN])
    if isinstance(told, list):
        more = f" and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
        return ", ".join(map(str, told[:_SHOWN])) + more
    return str(told)
