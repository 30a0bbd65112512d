"""A receipt of a log with 10⁷ entries, and what it has beside the entry.

The tree is real and all of it is stored; but for 1,000 entries all over the log, which are real too, its leaves are
hashes of numbers: nothing else is read for the receipts of these.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import network
from places import Place
from rounds import Part

from support.actors import ORIGIN
from support.burning import LOG_KEY
from tallystick.publishing import read_ledger
from tallystick.signing.note import sign_text
from tallystick.sources import DATABASE
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash

ENTRIES = 10_000_000
RECEIPTS = 1_000
AT_ONCE = 1 << 16


def measure(place: Place) -> dict[str, float]:
    """Receipts of a log of 10⁷ entries, proved and verified."""
    entries = place.count(ENTRIES, least=AT_ONCE)
    folder = place.once("large tree", lambda: _folder_with_tree(place, entries))
    beside = 0
    with read_ledger(folder) as reader:
        begin = time.process_time()
        for index in _indices(entries):
            receipt = reader.receipt(index)
            beside = max(beside, len(receipt.to_bytes()) - _encoded_size(receipt.entry or b""))
        seconds = time.process_time() - begin
    return {"receipt_beside_bytes": beside, "receipt_ms": seconds / RECEIPTS * 1e3}


def _encoded_size(entry: bytes) -> int:
    """Return how long the line of a receipt is that carries the entry."""
    return len(b"extra \n") + -(-len(entry) // 3) * 4


def _indices(entries: int) -> range:
    """Return the indices of the entries that are real, past those that found the network."""
    step = entries // RECEIPTS
    return range(network.FOUNDING_ENTRIES + step // 2, entries, step)[:RECEIPTS]


def _folder_with_tree(place: Place, entries: int) -> Path:
    """Return a ledger's folder with a tree of so many leaves."""
    folder = place.kept_folder() / "ledger"
    with network.founded_ledger(folder) as ledger:
        number = ledger.state.size
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        (topic,) = connection.execute("SELECT topic FROM stored_events LIMIT 1").fetchone()
        founding = [
            data for (data,) in connection.execute("SELECT state FROM stored_events ORDER BY originator_version")
        ]
        edge = RightEdge()
        edge.extend([leaf_hash(data) for data in founding])
        for leaves, rows in _leaves(edge.size, entries):
            connection.executemany(
                "INSERT INTO stored_events VALUES (?, ?, ?, ?)",
                [(ORIGIN, index + 1, topic, data) for index, data in rows],
            )
            connection.executemany("INSERT INTO tree VALUES (?, ?, ?)", edge.extend(leaves))
        note = sign_text(Checkpoint(ORIGIN, entries, edge.root()).to_text(), LOG_KEY)
        connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (number, entries, note))
    return folder


def _leaves(start: int, stop: int) -> Iterator[tuple[list[bytes], list[tuple[int, bytes]]]]:
    """Yield leaf hashes, many at once, and the entries among them that are real."""
    real = set(_indices(stop))
    for first in range(start, stop, AT_ONCE):
        indices = range(first, min(first + AT_ONCE, stop))
        rows = {index: network.statements(1, 1)[0] for index in indices if index in real}
        leaves = [
            leaf_hash(rows[index]) if index in rows else hashlib.sha256(index.to_bytes(8)).digest() for index in indices
        ]
        yield leaves, list(rows.items())


PART = Part("receipts", measure)
