"""hypercore: a signed append-only log of one author, in Node over RocksDB; `hypercore.mjs` is what runs there.

How: 1,000 blocks in an append, which grows a tree (BLAKE2b) and signs its root once (Ed25519); a block is a line's
JSON. As it comes it hands its write-ahead log to the system and never calls fdatasync after an append (strace), so that
a machine that loses power loses what was answered. It is measured twice: as it comes, and with an fdatasync of that log
after each append, which is what we and the others promise. Processor time is that of Node, its threads included.

A reader can check a block against the root, and the root against the author's key. It verifies no signature of anybody
else on the way in, and decides nothing.
"""

import shutil
from pathlib import Path
from typing import Final

from peers import FOLDER, INSTALLED
from peers.burn_lines import write_lines
from peers.programs import told_by

FIGURES: Final = {
    "hypercore_signed_batches": (
        "a second",
        "hypercore (Node): blocks, 1,000 in an append, a signature and fdatasync each",
    ),
    "hypercore_signed_batches_cpu": ("a second of CPU", "the same, a second of processor time"),
    "hypercore_unsynced_batches": ("a second", "the same as it comes, without fdatasync"),
}
BLOCKS: Final = 50_000
BATCH: Final = 1_000
PROGRAM: Final = FOLDER / "hypercore.mjs"
MODULES: Final = INSTALLED / "node_modules"


def available() -> str | None:
    """Return why it can't be measured here."""
    if shutil.which("node") is None:
        return "hypercore needs Node, which isn't installed"
    return None if (MODULES / "hypercore").exists() else f"hypercore isn't in {INSTALLED}: make bench-peers"


def measure(folder: Path, scale: float) -> dict[str, float]:
    """Blocks appended to a hypercore, 1,000 at once, signed and durable; and as it comes."""
    lines = write_lines(folder / "lines", max(1, int(BLOCKS * scale) // BATCH) * BATCH)
    as_it_comes, synced = (
        told_by(["node", str(PROGRAM), str(MODULES.resolve()), str(folder / how), str(lines), str(BATCH), how])
        for how in ("as-it-comes", "synced")
    )
    return {
        "hypercore_signed_batches": synced["blocks"] / synced["seconds"],
        "hypercore_signed_batches_cpu": synced["blocks"] / synced["cpu_seconds"],
        "hypercore_unsynced_batches": as_it_comes["blocks"] / as_it_comes["seconds"],
    }
