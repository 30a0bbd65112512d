"""What a log does that asks its witnesses: have its newest checkpoint cosigned, and keep what they say beside it.

checkpoint collect SOURCE --witness URL...     asks witnesses over HTTP (C2SP tlog-witness)
checkpoint collect SOURCE --line FILE...       takes lines that were brought by hand
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tallystick.cli import output, parameters, reading
from tallystick.errors import LedgerError, ProofInvalidError, TallystickError, UsageError, VerificationError

if TYPE_CHECKING:
    from tallystick.publishing import Reader
    from tallystick.signing.note import Signature
    from tallystick.transparency.policy import Policy
    from tallystick.witness.asking import SignedCheckpoint


class _Collected(NamedTuple):
    """What one witness or one file gave: lines that verify, or what was wrong."""

    place: str | Path
    lines: "tuple[Signature, ...]" = ()
    trouble: TallystickError | None = None


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    checkpoint = typer.Typer(help="Have checkpoints cosigned.", no_args_is_help=True, rich_markup_mode=None)
    checkpoint.command("collect", short_help="Collect cosignatures from witnesses.")(collect)
    checkpoint.callback()(lambda: None)
    app.add_typer(checkpoint, name="checkpoint")


def collect(
    source: parameters.PublishedSource,
    urls: Annotated[
        list[str] | None,
        typer.Option("--witness", help="A witness's URL, once for each; those in the trust policy if none is given."),
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Option("--line", help="A file with signature lines, brought by hand; once for each.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="The trust policy that names the witnesses; SOURCE/trust.policy if not given.")
    ] = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Have the newest checkpoint cosigned, keep what verifies beside it, and say whether the quorum is reached.

    The status is 0 if it is; where the policy asks for no quorum, if every witness cosigned.
    """
    from tallystick.ledger.opening import POLICY
    from tallystick.publishing.cosigning import keep_cosignatures
    from tallystick.publishing.reader import read_ledger
    from tallystick.sources import folder_of
    from tallystick.transparency.policy import NO_QUORUM
    from tallystick.witness.asking import SignedCheckpoint

    folder = folder_of(source)
    if trust is None and folder is None:
        raise UsageError("a ledger in a database has no trust policy beside it: give --trust POLICY")
    policy = reading.read_policy(trust or (folder or Path()) / POLICY)
    asked = _asked(urls, files, policy)
    with read_ledger(source) as reader:
        signed = SignedCheckpoint.from_note(reader.checkpoint_note(), policy)
        collected = [_collect_from(place, signed, policy, reader) for place in asked]
    lines = {line.label: line for one in collected for line in one.lines}
    kept = keep_cosignatures(source, signed.note, tuple(lines.values()), policy) if lines else None
    missed = _missed(policy, kept.note if kept else signed.note)
    _report(as_json, signed, collected, kept.place if kept and kept.is_kept else None, accepted=missed is None)
    troubles = [one.trouble for one in collected if one.trouble is not None]
    rewritten = [trouble for trouble in troubles if isinstance(trouble, ProofInvalidError)]
    if rewritten:
        raise rewritten[0]
    if troubles and (kept is None or policy.quorum == NO_QUORUM):
        raise troubles[0]
    if missed is not None:
        raise missed


def _missed(policy: "Policy", note: bytes) -> VerificationError | None:
    """Return why a policy doesn't accept a checkpoint, or None."""
    try:
        policy.open_checkpoint(note)
    except VerificationError as error:
        return error
    return None


def _asked(urls: list[str] | None, files: list[Path] | None, policy: "Policy") -> list[str | Path]:
    """Return where cosignatures are to be had: what was given, or the URLs of the policy's witnesses.

    Raises:
        UsageError: nowhere.
    """
    asked: list[str | Path] = [*(urls or ()), *(files or ())]
    asked = asked or [line.url for line in policy.witnesses if line.url is not None]
    if not asked:
        raise UsageError("give a witness's URL with --witness, or a file with --line: the trust policy names no URL")
    return asked


def _collect_from(place: str | Path, signed: "SignedCheckpoint", policy: "Policy", reader: "Reader") -> _Collected:
    """Return the cosignatures from one place, or what was wrong there: the others are asked all the same."""
    from tallystick.publishing.proving import prove_consistency
    from tallystick.static.web import WebFiles
    from tallystick.witness.asking import OldTree, ask_witness, read_lines

    def prove(old_size: int) -> OldTree:
        proved = prove_consistency(reader, old_size)
        return OldTree(proved.old_root, proved.proof)

    try:
        if isinstance(place, Path):
            return _Collected(place, read_lines(reading.read_file(str(place)), signed, policy, str(place)))
        web = WebFiles(place)
        try:
            return _Collected(place, ask_witness(web, signed, policy, prove))
        finally:
            web.close()
    except (VerificationError, LedgerError) as error:
        return _Collected(place, trouble=error)


def _report(
    as_json: bool, signed: "SignedCheckpoint", collected: Sequence[_Collected], kept: str | None, *, accepted: bool
) -> None:
    """Print what each witness said, and where what is kept lies now."""
    from tallystick.wire import made

    if as_json:
        said = [(str(one.place), one.trouble or [line.label for line in one.lines]) for one in collected]
        output.print_json(made.cosigned(signed.checkpoint, said, kept=kept, is_accepted=accepted))
        return
    for one in collected:
        by = ", ".join(line.label for line in one.lines)
        output.line(f"{one.place}: {one.trouble or f'cosigned by {by}'}")
    if kept is not None:
        verdict = "as the trust policy asks" if accepted else "and the trust policy asks for more"
        output.line(f"{kept}: {signed.checkpoint.size:,} entries, {verdict}")
