"""What a proof proves, up to the root of a checkpoint.

    {"origin", "checkpoint_verified", "index", "leaf_hash", "size", "root", "proof": [...]}           inclusion
    {"origin", "checkpoint_verified", "old_size", "old_root", "new_size", "new_root", "proof": [...]} consistency
    {"proven": true, "checkpoint": {"origin", "size", "root"}, "entry": {...}}
    {"proven": true, "checkpoint": {...}, "seal": {...}, "account", "balances", "entries", "running_hash",
     "party": {"party", "role", "name", "uscc", "profile_hash", "admitter", "admitted_index", "named_index"}}
    {"proven": true, "checkpoint": {...}, "bundles", "tiles", "bytes", "not_verified": ["rules", "party_signatures"]}

`checkpoint_verified` says whether a trust policy has accepted the checkpoint. Hashes are base64, but a running hash.
"""

from collections.abc import Mapping, Sequence

from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import base64_to_text
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.wire import JsonObject


def hash_text(value: bytes) -> str:
    """Return a hash as base64."""
    return base64_to_text(value).decode()


def tree(checkpoint: Checkpoint) -> JsonObject:
    """Return the tree that a checkpoint is of."""
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": hash_text(checkpoint.root)}


def inclusion(
    origin: str, *, is_verified: bool, index: int, leaf_hash: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> JsonObject:
    """Return that an entry is in a tree."""
    return {
        "origin": origin,
        "checkpoint_verified": is_verified,
        "index": index,
        "leaf_hash": hash_text(leaf_hash),
        "size": size,
        "root": hash_text(root),
        "proof": [hash_text(value) for value in proof],
    }


def consistency(
    origin: str,
    *,
    is_verified: bool,
    old_size: int,
    old_root: bytes,
    new_size: int,
    new_root: bytes,
    proof: Sequence[bytes],
) -> JsonObject:
    """Return that a tree begins with another."""
    return {
        "origin": origin,
        "checkpoint_verified": is_verified,
        "old_size": old_size,
        "old_root": hash_text(old_root),
        "new_size": new_size,
        "new_root": hash_text(new_root),
        "proof": [hash_text(value) for value in proof],
    }


def proven_entry(checkpoint: Checkpoint, entry: JsonObject) -> JsonObject:
    """Return that an entry (`wire.entries.entry`) is in the tree of a checkpoint."""
    return {"proven": True, "checkpoint": tree(checkpoint), "entry": entry}


def seal(seal_id: str, index: int, at: int, last_day: int) -> JsonObject:
    """Return a seal: its id, its entry's index and time (microseconds), and the last day that it sealed."""
    return {"seal": seal_id, "index": index, "at": format_instant(at), "last_day": format_day(last_day)}


def proven_balance(
    checkpoint: Checkpoint,
    seal: JsonObject,
    *,
    account: str,
    balances: Mapping[str, int],
    entries: int,
    running_hash: str,
    party: JsonObject,
) -> JsonObject:
    """Return what an account held at a seal (`wire.proven.seal`), which entries had touched it, and whose it is."""
    return {
        "proven": True,
        "checkpoint": tree(checkpoint),
        "seal": seal,
        "account": account,
        "balances": balances,
        "entries": entries,
        "running_hash": running_hash,
        "party": party,
    }


def proven_hashes(checkpoint: Checkpoint, bundles: int, tiles: int, size_bytes: int) -> JsonObject:
    """Return that an export has the files that its checkpoint commits to, and what that doesn't say."""
    return {
        "proven": True,
        "checkpoint": tree(checkpoint),
        "bundles": bundles,
        "tiles": tiles,
        "bytes": size_bytes,
        "not_verified": ["rules", "party_signatures"],
    }
