"""Dossiers of the small ledger, taken apart and put together again by somebody who holds the log's own key."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from support.actors import ORIGIN
from support.small_ledger import LOG_KEY, POLICY
from support.tampering import edited
from tallystick.dossiers.dossier_lines import DossierEntry, DossierHead, SealedLeaf, read_lines
from tallystick.dossiers.dossier_report import DossierReport
from tallystick.dossiers.examining import examine_dossier
from tallystick.dossiers.writing import Bound, write_dossier
from tallystick.findings import FindingCode
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import leaf_hash, node_hash, root_of
from tallystick.transparency.policy import Policy
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.seals import AccountLeaf
from tallystick.vouchers.state import State

Parts = tuple[DossierHead, list[DossierEntry]]


def written(source: Path, account: str, since: Bound | None = None, until: Bound | None = None) -> bytes:
    """A dossier's bytes."""
    out = io.BytesIO()
    write_dossier(source, account, out, since, until)
    return out.getvalue()


def examined(data: bytes, policy: Policy = POLICY) -> DossierReport:
    """What is found in a dossier's bytes."""
    return examine_dossier(read_lines(io.BytesIO(data)), policy)


def parts_of(data: bytes) -> Parts:
    """The head and the entries."""
    first, *rest = data.splitlines(keepends=True)
    return DossierHead.from_bytes(first), [DossierEntry.from_bytes(line) for line in rest]


def joined(head: DossierHead, entries: Sequence[DossierEntry]) -> bytes:
    """A dossier of them, whose head says how many they are."""
    counted = replace(head, entries=len(entries))
    return counted.to_bytes() + b"".join(entry.to_bytes() for entry in entries)


def codes(report: DossierReport) -> list[FindingCode]:
    """The codes of the faults, in order."""
    return [one.code for one in report.findings]


def path_of(position: int, hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """The path of a leaf in the tree of these leaf hashes, by the definition in RFC 6962."""
    if len(hashes) < 2:
        return ()
    middle = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = hashes[:middle], hashes[middle:]
    if position < middle:
        return (*path_of(position, left), root_of(right))
    return (*path_of(position - middle, right), root_of(left))


def proved_again(data: bytes, log: Sequence[bytes]) -> bytes:
    """The dossier, with its entries as this log has them, proved under a checkpoint that the log's key signs."""
    head, entries = parts_of(data)
    hashes = [leaf_hash(entry) for entry in log]
    note = sign_checkpoint(Checkpoint(ORIGIN, len(log), root_of(hashes)), LOG_KEY)
    return joined(
        replace(head, checkpoint_note=note),
        [replace(one, entry=log[one.index], path=path_of(one.index, hashes)) for one in entries],
    )


def altered(dossier: bytes, log: Sequence[bytes], kind: str, pattern: str, replacement: str) -> FindingCode:
    """What is found first in a dossier in which the log's first entry of a kind says something else, signed anew."""
    index = next(index for index, data in enumerate(log) if Entry.from_bytes(data).event.kind == kind)
    entry = edited(log[index], pattern, replacement)
    return codes(examined(proved_again(dossier, [*log[:index], entry, *log[index + 1 :]])))[0]


def leaves_at(log: Sequence[bytes], seal_index: int) -> list[tuple[str, bytes]]:
    """Every account's leaf just before a seal, by replaying the whole log."""
    state = State.empty(ORIGIN)
    for data in log[:seal_index]:
        evolve(state, Entry.from_bytes(data).event)
    return list(account_leaves(state))


def sealed_leaf(leaves: Sequence[tuple[str, bytes]], account: str, seal_index: int) -> SealedLeaf:
    """An account's leaf among a seal's, with its path."""
    position = [name for name, _ in leaves].index(account)
    path = path_of(position, [leaf_hash(leaf) for _, leaf in leaves])
    return SealedLeaf(seal_index, AccountLeaf.from_bytes(leaves[position][1]), position, path)


def path_is_sound(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path leads from a leaf to a root, by the same definition."""

    def up(at: int, width: int, rest: list[bytes]) -> bytes:
        if width < 2:
            return leaf_hash(leaf)
        middle = 1 << (width - 1).bit_length() - 1
        beside = rest.pop()
        if at < middle:
            return node_hash(up(at, middle, rest), beside)
        return node_hash(beside, up(at - middle, width - middle, rest))

    rest = list(path)
    return up(position, size, rest) == root and not rest


def seals_of(log: Sequence[bytes]) -> Iterator[int]:
    """The indices of the seals."""
    for index, data in enumerate(log):
        if Entry.from_bytes(data).event.kind == "book.sealed/1":
            yield index
