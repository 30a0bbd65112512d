"""What anybody may ask of a log without believing it: proofs that an entry is in a tree, and that it has only grown.

    proof inclusion SOURCE INDEX [--size N]      proof consistency SOURCE OLD [NEW]
    proof balance                                proofs_of_balance.py

Every proof is made from a few tiles and verified before it is printed, up to the root of the source's checkpoint. Who
signed that checkpoint is verified with a trust policy, and said to be unverified without one.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import output, over_http, parameters, proofs_of_balance, reading

if TYPE_CHECKING:
    from tallystick.publishing import Reader


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    proof = typer.Typer(help="Make Merkle proofs.", no_args_is_help=True, rich_markup_mode=None)
    proof.command("inclusion", short_help="Prove that an entry is in the log.")(inclusion)
    proof.command("consistency", short_help="Prove that the log has only grown.")(consistency)
    proof.command("balance", short_help="Write the proof of a sealed balance.")(proofs_of_balance.balance)
    app.add_typer(proof, name="proof")


def inclusion(
    source: parameters.ReadSource,
    index: parameters.EntryIndex,
    size: Annotated[int | None, typer.Option(help="In the tree of so many entries, instead of the whole log.")] = None,
    trust: parameters.CheckpointTrust = None,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Prove that an entry is in the log, or was in it when it had fewer entries (RFC 9162, C2SP tlog-tiles)."""
    from tallystick.publishing.proving import prove_inclusion
    from tallystick.publishing.reader import read_ledger
    from tallystick.wire import proven

    read_from, entry = source, None
    with over_http.served(source, over_http.Login(key, passphrase_file, passphrase_command)) as service:
        if service is not None:  # hashes are everybody's, and entries aren't
            read_from, entry = service.source, service.questions.receipt_by(index).entry
    with read_ledger(read_from) as reader:
        signed = verify_checkpoint(reader, trust)
        proved = prove_inclusion(reader, index, size, entry=entry)
        origin = reader.origin
    said = proven.inclusion(origin, is_verified=signed, **asdict(proved))
    if as_json:
        output.print_json(said)
        return
    output.line(f"entry {index} is in the tree of {proved.size:,} entries of {origin}")
    fields = [("leaf hash", said["leaf_hash"]), ("root", said["root"]), _signature(signed)]
    output.fields("", [*fields, *[("proof", value) for value in said["proof"]]])


def consistency(
    source: parameters.ReadSource,
    old: Annotated[int, typer.Argument(help="How many entries the old tree has.")],
    new: Annotated[int | None, typer.Argument(help="And the new one; the whole log if this isn't given.")] = None,
    trust: parameters.CheckpointTrust = None,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Prove that the log of NEW entries begins with the log of OLD entries (RFC 9162, C2SP tlog-tiles)."""
    from tallystick.publishing.proving import prove_consistency
    from tallystick.publishing.reader import read_ledger
    from tallystick.wire import proven

    with over_http.served(source, over_http.Login(key, passphrase_file, passphrase_command)) as service:
        read_from = source if service is None else service.source
    with read_ledger(read_from) as reader:
        signed = verify_checkpoint(reader, trust)
        proved = prove_consistency(reader, old, new)
        origin = reader.origin
    said = proven.consistency(origin, is_verified=signed, **asdict(proved))
    if as_json:
        output.print_json(said)
        return
    output.line(f"the tree of {proved.new_size:,} entries of {origin} begins with that of {proved.old_size:,}")
    fields = [("old root", said["old_root"]), ("new root", said["new_root"]), _signature(signed)]
    output.fields("", [*fields, *[("proof", value) for value in said["proof"]]])


def verify_checkpoint(reader: "Reader", trust: Path | None) -> bool:
    """Return whether there is a policy, which then accepts the reader's checkpoint.

    Raises:
        VerificationError: it doesn't.
    """
    if trust is None:
        return False
    reading.read_policy(trust).open_checkpoint(reader.checkpoint_note())
    return True


def _signature(signed: bool) -> tuple[str, object]:
    return "checkpoint", "signed as the trust policy asks" if signed else "not verified (no --trust was given)"
