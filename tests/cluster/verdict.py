"""What must hold after everything: nothing acknowledged is lost, nothing doubled, nothing signed contradicted."""

from collections import Counter
from collections.abc import Collection, Mapping

from cluster.load import POLICY, Answer, Load
from support.burning import BEGIN, LOG_KEY, Clock
from tallystick.audit import audit
from tallystick.ledger.opening import memory_ledger
from tallystick.ledger.pending import Admitted
from tallystick.publishing import read_ledger
from tallystick.publishing.reader import Reader
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.proofs import consistency_proof, verify_consistency
from tallystick.transparency.receipt import Receipt, verify_receipt
from tallystick.vouchers.entry import Entry, split_entry

CONSISTENCY_PROOFS_MAX = 300


def check_all(url: str, load: Load) -> int:
    """Check every promise that was made, and return how many entries the log has."""
    with read_ledger(url) as reader:
        entries = list(reader.entries())
        assert len(entries) == reader.size
        check_nothing_lost_nor_doubled(entries, load)
        checkpoints = check_receipts(entries, [*load.answers, *load.clung], load.receipts)
        for note in load.checkpoints:
            add_checkpoint(checkpoints, POLICY.open_checkpoint(note))
        check_checkpoints_grew_into_this_log(reader, entries, checkpoints)
        check_balances(reader, entries)
    report = audit(url, POLICY)
    assert report.verdict == "clean", report
    return len(entries)


def check_nothing_lost_nor_doubled(entries: list[bytes], load: Load) -> None:
    """Every answered note is the entry that was answered, once; and nobody else's entries are there."""
    commands = [Entry.from_bytes(entry).event.command for entry in entries]
    burned = Counter(command.ref for command in commands if command.kind == "time.burn/1")
    assert set(burned.values()) <= {1}, [ref for ref, count in burned.items() if count > 1]
    assert {answer.ref for answer in load.answers} == set(load.notes), "a note that was never answered"
    assert set(load.notes) <= set(burned), "lost"
    assert set(burned) <= {*load.notes, *load.clinging_notes}, "from nowhere"
    for answer in [*load.answers, *load.clung]:
        assert entries[answer.index] == answer.entry
        assert split_entry(answer.entry)[1] == (load.notes | load.clinging_notes)[answer.ref]


def check_receipts(
    entries: list[bytes], answers: Collection[Answer], receipts: Collection[bytes]
) -> dict[int, Checkpoint]:
    """Every receipt given verifies; returns the checkpoints in them by size, of which there is one each."""
    checkpoints: dict[int, Checkpoint] = {}
    for answer in answers:
        assert Receipt.from_bytes(answer.receipt).index == answer.index
    for data in [*receipts, *(answer.receipt for answer in answers)]:
        receipt = Receipt.from_bytes(data)
        checkpoint = verify_receipt(receipt, entries[receipt.index], POLICY)
        add_checkpoint(checkpoints, checkpoint)
    return checkpoints


def add_checkpoint(checkpoints: dict[int, Checkpoint], checkpoint: Checkpoint) -> None:
    """Note a checkpoint by its size."""
    assert checkpoints.setdefault(checkpoint.size, checkpoint) == checkpoint, "two checkpoints of one size: a fork"


def check_checkpoints_grew_into_this_log(
    reader: Reader, entries: list[bytes], checkpoints: Mapping[int, Checkpoint]
) -> None:
    """Every checkpoint ever seen is of this log's past: all by their roots, many by a consistency proof as well."""
    edge = RightEdge()
    for size, entry in enumerate(entries, 1):
        edge.append(leaf_hash(entry))
        if size in checkpoints:
            assert checkpoints[size].root == edge.root(), f"the checkpoint of size {size} is of another log"
    assert max(checkpoints) <= len(entries)
    assert edge.root() == reader.checkpoint.root
    sizes = sorted(checkpoints)
    for size in sizes[:: len(sizes) // CONSISTENCY_PROOFS_MAX + 1]:
        proof = consistency_proof(size, reader.size, reader.read_tile)
        verify_consistency(size, reader.size, proof, checkpoints[size].root, reader.checkpoint.root)


def check_balances(reader: Reader, entries: list[bytes]) -> None:
    """A ledger in memory, given the same notes at the same times, comes to the same entries, root and balances."""
    clock = Clock(BEGIN)
    notes = [split_entry(entry)[1] for entry in entries]
    with memory_ledger(notes[0], LOG_KEY, clock=clock) as ledger:
        for entry, note in zip(entries[1:], notes[1:], strict=True):
            clock.at = Entry.from_bytes(entry).event.at
            answer = ledger.submit([note])[0]
            assert isinstance(answer, Admitted)
            assert answer.entry == entry
        assert ledger.root == reader.checkpoint.root
        state = reader.state()
        assert ledger.state.vouchers == state.vouchers
        assert ledger.state.reservations == state.reservations
        assert ledger.state.programmes == state.programmes
