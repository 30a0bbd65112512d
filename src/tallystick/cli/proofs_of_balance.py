"""What a holder, a provider or a treasury shows to its bank: a balance, proved offline.

    proof balance SOURCE voucher|holder|provider|programme|contract|treasury ID --seal SEAL -o FILE      makes the file
    verify FILE --trust POLICY                                                         says what it proves

A balance is proved as of a seal (docs/rules.md, "Sealed books"); of an account that ended before, as of the last seal
that has it, since nothing changed after that. The file is in dossiers/balance_proof.py.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, parameters
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.progress import Progress
    from tallystick.publishing import Reader
    from tallystick.transparency.policy import Policy


def balance(
    source: parameters.ReadSource,
    what: Annotated[parameters.AccountKind, typer.Argument(help="Whose balance.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example shanghai-treasury/v-1.")],
    seal: Annotated[str, typer.Option(help="The seal: its id, or its entry's index.")],
    file: Annotated[str, parameters.out("Where the proof goes; - is stdout.")],
    force: parameters.Force = False,
) -> None:
    """Write the proof of what an account held when the books were sealed; it stays good for ever."""
    from tallystick.dossiers.balance_proof import prove_balance, seal_that_has
    from tallystick.publishing.reader import read_ledger

    out = NamedFile(file, kinds.BALANCE_PROOF, force=force)
    with read_ledger(source) as reader, output.progress("Reading the log") as progress:
        asked = _index_of(seal, reader, progress)
        state = reader.state(asked, progress)
        while (index := seal_that_has(state, f"{what.value} {id_}")) != state.size:
            state = reader.state(index, progress)
        data = prove_balance(state, f"{what.value} {id_}", reader.receipt(index)).to_bytes()
    out.write(data)
    output.line_about(out, f"{file}: the balance of {what.value} {id_} as entry {index} sealed it, {len(data):,} bytes")
    if index != asked:
        output.line_about(out, f"it had ended: no entry has touched it since, up to the seal of entry {asked}")


def verify(data: bytes, policy: "Policy", *, as_json: bool) -> None:
    """Print what a balance proof proves, given its bytes."""
    from tallystick.dossiers.balance_proof import BalanceProof, verify_balance_proof
    from tallystick.forms.times import utc
    from tallystick.wire import proven as wire_proven

    proven = verify_balance_proof(BalanceProof.from_bytes(data), policy)
    leaf, checkpoint = proven.leaf, proven.checkpoint
    said = wire_proven.proven_balance(
        checkpoint,
        wire_proven.seal(proven.seal, proven.index, proven.at, proven.last_day),
        account=leaf.account,
        balances=leaf.balances,
        entries=leaf.entries,
        running_hash=leaf.running_hash,
    )
    if as_json:
        output.print_json(said)
        return
    output.line(f"proven: {leaf.account} of {checkpoint.origin}, as it stood at entry {proven.index}")
    sealed_by = f"{proven.seal}, at {utc(proven.at)}"
    output.fields(
        "",
        [
            ("root", said["checkpoint"]["root"]),
            ("sealed by", sealed_by),
            ("days sealed up to", said["seal"]["last_day"]),
            ("entries that touched it", f"{leaf.entries:,}"),
        ],
    )
    output.record("then, in yuan", leaf.balances)


def _index_of(seal: str, reader: "Reader", progress: "Progress | None") -> int:
    """Return the index of a seal's entry.

    Raises:
        UsageError: there is no such seal.
    """
    from tallystick.forms.times import index_of
    from tallystick.vouchers.entry import Header, split_entry

    index = index_of(seal)
    if index is None:
        found = reader.state(progress=progress).seals.get(seal)
        if found is None:
            raise UsageError(f"there is no seal {seal}")
        return found.index
    if index >= reader.size:
        raise UsageError(f"there is no entry {index}: the log has {reader.size:,}, counted from 0")
    kind = Header.from_bytes(split_entry(reader.entry(index))[0]).kind
    if kind != "book.sealed/1":
        raise UsageError(f"entry {index} is no seal: it is {kind}")
    return index
