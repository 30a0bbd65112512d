"""What a holder, a provider or a treasury shows to its bank: a balance, proved offline.

    proof balance SOURCE voucher|holder|provider|programme|contract|treasury ID --seal SEAL -o FILE      makes the file
    verify FILE --trust POLICY                                                         says what it proves

A balance is proved as of a seal (docs/rules.md, "Sealed books"); of an account that ended before, as of the last seal
that has it, since nothing changed after that. The file is in dossiers/balance_proof.py.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, over_http, parameters
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.transparency.policy import Policy


def balance(
    source: parameters.ReadSource,
    what: Annotated[parameters.AccountKind, typer.Argument(help="Whose balance.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example shanghai-treasury/v-1.")],
    seal: Annotated[str, typer.Option(help="The seal: its id, or its entry's index.")],
    file: Annotated[str, parameters.out("Where the proof goes; - is stdout.")],
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write the proof of what an account held when the books were sealed; it stays good for ever."""
    from tallystick.dossiers.balance_proof import BalanceProof
    from tallystick.dossiers.proving_balance import prove_sealed_balance
    from tallystick.forms.times import index_of
    from tallystick.publishing.reader import read_ledger
    from tallystick.views import followed_views

    out = NamedFile(file, kinds.BALANCE_PROOF, force=force)
    asked = index_of(seal)
    with over_http.served(source, over_http.Login(key, passphrase_file, passphrase_command)) as service:
        if service is not None:
            data = service.questions.balance_proof(what.value, id_, seal)
            BalanceProof.from_bytes(data)  # whether it proves anything, `verify` says
            out.write(data)
            output.line_about(out, f"{file}: the balance of {what.value} {id_}, {len(data):,} bytes")
            return
    # Views first: so the log that is then read has all that they know.
    with output.progress("Following the log") as progress, followed_views(source, progress) as views:
        with read_ledger(source) as reader:
            made = prove_sealed_balance(reader, views, f"{what.value} {id_}", seal if asked is None else asked)
        data = made.proof.to_bytes()
    out.write(data)
    output.line_about(
        out, f"{file}: the balance of {what.value} {id_} as entry {made.index} sealed it, {len(data):,} bytes"
    )
    if made.index != made.asked:
        output.line_about(out, f"it had ended: no entry has touched it since, up to the seal of entry {made.asked}")


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
        party=asdict(proven.party),
    )
    if as_json:
        output.print_json(said)
        return
    output.line(f"proven: {leaf.account} of {checkpoint.origin}, as it stood at entry {proven.index}")
    party = proven.party
    known = f"{party.name}, {party.uscc}" if party.uscc else party.name or f"a maker, {party.profile_hash}"
    sealed_by = f"{proven.seal}, at {utc(proven.at)}"
    output.fields(
        "",
        [
            (f"{party.role} {party.party}", f"{known} (entry {party.named_index})"),
            ("root", said["checkpoint"]["root"]),
            ("sealed by", sealed_by),
            ("days sealed up to", said["seal"]["last_day"]),
            ("entries that touched it", f"{leaf.entries:,}"),
        ],
    )
    output.record("then, in yuan", leaf.balances)
