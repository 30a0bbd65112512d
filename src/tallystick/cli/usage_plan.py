"""usage plan: what of a cluster's records has to be burned, and what stands in the log and shouldn't."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tallystick.cli import drafting, output, parameters
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.cli.usage_inputs import Files, FormatName, MappingFile, SoFar
from tallystick.named_files import Kind, NamedFile

if TYPE_CHECKING:
    from tallystick.cli.usage_planning import PreviewedPlan, Signer


_REVERSALS: Final = Kind("a sheet of reversals", lambda beginning: b"ref,statement,line,reason" in beginning[:64])


class Split(StrEnum):
    """At what lines are cut."""

    DAY = "day"
    MONTH = "month"


SplitBy = Annotated[
    Split | None, typer.Option("--split", help="Cut lines at the network's days or months; their sums are the same.")
]


def add_commands(group: typer.Typer) -> None:
    """Add the command of this file."""
    group.command("plan")(plan)


def plan(
    files: Files,
    format_: FormatName,
    mapping: MappingFile,
    split: SplitBy = None,
    so_far: SoFar = False,
    reversals: Annotated[
        str | None, typer.Option("--reversals", metavar="FILE.csv", help="Write the reversals that are proposed.")
    ] = None,
    profile: parameters.ProfileFile = None,
    source: parameters.ProfileSource = None,
    party: parameters.ProfileParty = None,
    sign_with: parameters.SignWith = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    policy: parameters.ProfilePolicy = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJsonInFen = False,
) -> int:
    """Say what has to be burned: usage minus what stands in the log. Nothing is signed for good, or sent."""
    from tallystick.cli.place_opening import open_place
    from tallystick.cli.usage_inputs import read_usage_files
    from tallystick.cli.usage_planning import Signer, planned
    from tallystick.cli.usage_shown import plan_said, show_plan
    from tallystick.wire import usage as wire_usage

    sheet = None if reversals is None else NamedFile(reversals, _REVERSALS)
    found = drafting.profile_of(profile, source, policy, passphrase_file, passphrase_command, party)
    keys = drafting.keys_of(found, sign_with or ())
    usage = read_usage_files(files, format_, mapping, so_far=so_far)
    with closing(open_place(found, keys, log_time)) as place:
        signer = Signer(found, place, keys)
        has_key = bool(sign_with) or found.key is not None
        made = planned(usage, signer, None if split is None else split.value, is_previewed=has_key)
        if sheet is not None:
            _write_reversals(made, signer, sheet)
    if as_json:
        output.print_json(wire_usage.planned(plan_said(made)))
    else:
        show_plan(made)
    return REFUSED if made.is_open else AS_ASKED


def _write_reversals(made: "PreviewedPlan", signer: "Signer", file: NamedFile) -> None:
    """Write the reversals that are proposed as a sheet of commands, which `do burn.reverse --from` signs."""
    from tallystick.cli.usage_planning import reversal_commands
    from tallystick.printing.csv_bytes import csv_bytes

    columns = ("ref", "statement", "line", "reason")
    file.write(csv_bytes(columns, reversal_commands(made.plan.reversals, signer)))
