"""What a command made for its owner, and where it is."""

from collections.abc import Iterable
from dataclasses import asdict

from tallystick.transparency.checkpoint import Checkpoint
from tallystick.wire import DataclassValue, JsonObject


def ledger(
    place: str, origin: str, log_vkey: str, *, is_folder: bool, policy: str | None = None, policy_text: str = ""
) -> JsonObject:
    """Return a new ledger.

    Args:
        place: its folder, or the URL of its database without a password.
        origin: the log's.
        log_vkey: the public half of the key that signs its checkpoints.
        is_folder: which of the two `place` is.
        policy: the file that the trust policy went to.
        policy_text: the policy itself, if it went to none.
    """
    where = {"folder": place} if is_folder else {"database": place}
    trust = {"policy": policy} if policy is not None else {"policy_text": policy_text}
    return where | {"origin": origin, "log_vkey": log_vkey} | trust


def copy(place: str, copied: DataclassValue) -> JsonObject:
    """Return a backup or a restored ledger: where it is, and what was copied."""
    return {"place": place} | asdict(copied)


def key(place: str, name: str, vkey: str, *, is_file: bool = True) -> JsonObject:
    """Return a key: its file or its PKCS#11 URI, its name and its public half."""
    return {"key_file" if is_file else "key_uri": place, "name": name, "vkey": vkey}


def witness(folder: str, name: str, vkey: str) -> JsonObject:
    """Return a new witness: its folder, its name and its public half."""
    return {"folder": folder, "name": name, "vkey": vkey}


def pushed(
    checkpoint: Checkpoint, mirror: str, cosigned_by: Iterable[str], *, sent: int, kept: str | None
) -> JsonObject:
    """Return a checkpoint whose entries a mirror holds.

    Args:
        checkpoint: the log's newest.
        mirror: its URL.
        cosigned_by: the names on its lines.
        sent: how many entries it lacked.
        kept: the file that the lines went to; None if the policy accepts an older checkpoint there, and not this one.
    """
    tree = {"origin": checkpoint.origin, "size": checkpoint.size}
    return tree | {"mirror": mirror, "cosigned_by": [*cosigned_by], "sent": sent, "kept": kept}


def cosigned(
    checkpoint: Checkpoint,
    witnesses: Iterable[tuple[str, Iterable[str] | Exception]],
    *,
    kept: str | None,
    is_accepted: bool,
) -> JsonObject:
    """Return a checkpoint that witnesses were asked to cosign.

    Args:
        checkpoint: the log's newest.
        witnesses: each place that was asked, and the names on the lines from there, or what was wrong.
        kept: the file that the lines went to.
        is_accepted: whether the trust policy asks for no more.
    """
    rows = [{"witness": place} | _from_witness(answer) for place, answer in witnesses]
    tree = {"origin": checkpoint.origin, "size": checkpoint.size}
    return tree | {"witnesses": rows, "kept": kept, "accepted": is_accepted}


def _from_witness(answer: Iterable[str] | Exception) -> JsonObject:
    return {"trouble": str(answer)} if isinstance(answer, Exception) else {"cosigned_by": [*answer]}
