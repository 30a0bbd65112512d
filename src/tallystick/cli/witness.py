"""What a witness does: see that a log only grows, and say so under it.

    witness init DIR --name NAME --log VKEY...     makes a witness's key and state
    witness serve DIR [--host HOST] [--port PORT]  answers logs over HTTP (C2SP tlog-witness)
    witness cosign DIR SOURCE                      cosigns by hand, from tiles
    witness cosign DIR FILE --old N --proof FILE   cosigns by hand, from a proof

What the log does that asks them is `checkpoint collect` (checkpoint.py).
Anybody can run a witness: it needs no part of the log, and its key is worth what people think of its keeper.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, parameters, reading, streams
from tallystick.errors import (
    ProofInvalidError,
    SignatureMissingError,
    UsageError,
)
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.sources import Source
    from tallystick.witness.cosigner import Witness
    from tallystick.witness.deciding import WitnessAnswer

WitnessFolder = Annotated[parameters.Folder, parameters.folder("The witness's folder.")]
WitnessPassphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="The witness's key's.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    witness = typer.Typer(help="Run a witness.", no_args_is_help=True, rich_markup_mode=None)
    witness.command("init", short_help="Make a witness's key and state.")(init)
    witness.command("cosign", short_help="Cosign a checkpoint by hand.")(cosign)
    witness.command("serve", short_help="Cosign for logs over HTTP.")(serve)
    app.add_typer(witness, name="witness")


def init(
    folder: Annotated[parameters.Folder, parameters.folder("Made if it isn't there; must be empty.")],
    name: Annotated[str, typer.Option(help="What it signs as: a URL without the scheme, like witness.example/w1.")],
    logs: Annotated[list[str], typer.Option("--log", help="The vkey of a log that it will cosign for; once for each.")],
    passphrase_file: parameters.NewKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    no_passphrase: parameters.NoPassphrase = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Make a witness that has seen nothing yet, and print the line for trust policies that names it."""
    from tallystick.signing.keys import VerifierKey
    from tallystick.wire import made
    from tallystick.witness.cosigner import create_witness

    keys = [VerifierKey.from_text(text) for text in logs]
    passphrase = reading.new_passphrase(str(folder), passphrase_file, passphrase_command, no_passphrase=no_passphrase)
    vkey = create_witness(folder, name, keys, passphrase, unencrypted=no_passphrase).to_text()
    if as_json:
        output.print_json(made.witness(str(folder), name, vkey))
    else:
        output.line(f"witness {name} {vkey}")


def cosign(
    folder: WitnessFolder,
    what: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A log's folder or URL; or a file with a checkpoint, - is stdin.")
    ],
    old: Annotated[int, typer.Option(min=0, help="For a file: the size that the proof starts from.")] = 0,
    proof: Annotated[Path | None, typer.Option(help="For a file: the proof, a base64 hash on each line.")] = None,
    note: Annotated[str | None, parameters.out("Also write the cosigned checkpoint there; - is stdout.")] = None,
    passphrase_file: WitnessPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    force: parameters.Force = False,
) -> None:
    """Cosign a log's checkpoint if its tree contains the one cosigned before, and print the signature line."""
    out = None if note is None else NamedFile(note, kinds.SIGNED_CHECKPOINT, force=force)
    source = reading.source_unless_file(what)
    with _open_witness(folder, passphrase_file, passphrase_command) as witness:
        if source is None:
            given = reading.read_file(what)
            answer = _cosign_file(witness, given, old, proof)
        elif old or proof is not None:
            raise UsageError(f"--old and --proof go with a checkpoint's file: from {source} they are worked out")
        else:
            answer, given = _cosign_source(witness, source)
    _raise_refusal(answer)
    if out is None:
        output.text(answer.text + "\n")
        return
    from tallystick.transparency.merging import merge_notes

    lines = given[: given.rindex(b"\n\n") + 2] + answer.body
    out.write(merge_notes(given, lines))
    output.line_about(out, answer.text)


def serve(
    folder: WitnessFolder,
    host: parameters.ListenHost = "127.0.0.1",
    port: parameters.ListenPort = 0,
    passphrase_file: WitnessPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Answer logs over HTTP until interrupted; prints its URL, then a line on stderr for each request."""
    from tallystick.serving.server import Place
    from tallystick.witness.server import witness_server

    def started(url: str) -> None:
        output.line(url)
        sys.stdout.flush()

    with _open_witness(folder, passphrase_file, passphrase_command) as witness:
        witness_server(witness, Place(host=host, port=port), _log, on_started=started).serve_blocking()
    _log("stopped")


def _open_witness(folder: Path, passphrase_file: Path | None, passphrase_command: str | None) -> "Witness":
    from tallystick.witness.cosigner import KEY, open_witness

    if not (folder / KEY).is_file():
        raise UsageError(f"{folder} is no witness: it has no {KEY}; `tallystick witness init` makes one")
    key = reading.load_key(folder / KEY, passphrase_file, passphrase_command)
    return open_witness(folder, key, lambda: int(time.time()))


def _cosign_source(witness: "Witness", source: "Source") -> "tuple[WitnessAnswer, bytes]":
    """Have a log's newest checkpoint cosigned, and return the answer and the note; the proof comes from its tiles."""
    from tallystick.publishing.proving import prove_consistency
    from tallystick.publishing.reader import read_ledger
    from tallystick.witness.request import AddCheckpoint

    with read_ledger(source) as reader:
        note = reader.checkpoint_note()
        latest = witness.latest(reader.origin)
        proof: tuple[bytes, ...] = ()
        if latest is not None and latest.size:
            if latest.size > reader.size:
                raise ProofInvalidError(
                    f"this witness has cosigned {latest.size:,} entries of {reader.origin}, and {source} has "
                    f"{reader.size:,}: it is an older copy, or the log was cut back, which is history_rewritten"
                )
            proved = prove_consistency(reader, latest.size)
            if proved.old_root != latest.root:
                raise ProofInvalidError(
                    f"history_rewritten: the first {latest.size:,} entries of {source} have the root "
                    f"{proved.old_root.hex()}, and this witness cosigned {latest.root.hex()}"
                )
            proof = proved.proof
        old_size = latest.size if latest is not None else 0
        return witness.add_checkpoint(AddCheckpoint(old_size, proof, note).to_bytes()), note


def _cosign_file(witness: "Witness", note: bytes, old_size: int, proof: Path | None) -> "WitnessAnswer":
    """Have a checkpoint cosigned by a proof that was brought."""
    from tallystick.transparency.encoding import hash_from_text
    from tallystick.witness.request import AddCheckpoint

    lines = reading.read_file(str(proof)).splitlines() if proof is not None else []
    try:
        hashes = tuple([hash_from_text(line) for line in lines])
    except ValueError as error:
        raise UsageError(f"{proof}: {error}") from None
    return witness.add_checkpoint(AddCheckpoint(old_size, hashes, note).to_bytes())


def _raise_refusal(answer: "WitnessAnswer") -> None:
    """Raise what a refused request comes to on a command line."""
    from tallystick.witness import deciding

    if answer.status == deciding.OTHER_SIZE:
        raise UsageError(f"this witness cosigned a tree of {answer.text} entries last: give --old {answer.text}")
    if answer.status == deciding.NOT_AN_EXTENSION:
        raise ProofInvalidError(answer.text)
    if answer.status == deciding.NOT_SIGNED:
        raise SignatureMissingError(answer.text)
    if answer.status != deciding.COSIGNED:
        raise UsageError(answer.text)


def _log(text: str) -> None:
    streams.say(text)  # the log's reader may have gone; the witness stays
