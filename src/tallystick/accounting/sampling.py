r"""A sample of entries that anybody can draw again: the smallest hashes of a seed and an index.

    h(index) = SHA-256(seed in UTF-8, a line feed, the index in decimal)

The sample of n is the n entries of the population with the smallest h, in that order. A shell draws it again:
`printf '%s\n%d' SEED INDEX | sha256sum`. Two who agree on a seed agree on the sample, and a larger sample begins with
the smaller one. Of strata, each has its own n smallest.
"""

import hashlib
import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Drawn(NamedTuple):
    """An entry of a sample.

    Attributes:
        stratum: from 0; of one without strata always 0.
        place: in the sample of its stratum, from 1.
        digest: h(index), 32 bytes.
        entry: its index.
        amount_fen: by which it lies in its stratum.
    """

    stratum: int
    place: int
    digest: bytes
    entry: int
    amount_fen: int


def draw_hash(seed: str, index: int) -> bytes:
    """Return h(index) of a seed."""
    return hashlib.sha256(f"{seed}\n{index}".encode()).digest()


def draw(population: Iterable[tuple[int, int]], seed: str, size: int, bounds_fen: Sequence[int] = ()) -> list[Drawn]:
    """Return a sample, stratum by stratum, each in the order of its hashes.

    Args:
        population: entries' indices, and the amount of each (fen).
        seed: any text.
        size: of each stratum's sample; all, where there are fewer.
        bounds_fen: where strata begin, in ascending order: an amount at a bound belongs to the stratum above it.
    """
    smallest: list[list[tuple[int, int, int]]] = [[] for _ in range(len(bounds_fen) + 1)]
    for index, amount_fen in population:
        number = int.from_bytes(draw_hash(seed, index))
        kept = smallest[bisect_right(bounds_fen, amount_fen)]
        if len(kept) < size:
            heapq.heappush(kept, (-number, index, amount_fen))
        elif kept and -number > kept[0][0]:
            heapq.heapreplace(kept, (-number, index, amount_fen))
    return [
        Drawn(stratum, place, (-negative).to_bytes(32), index, amount_fen)
        for stratum, kept in enumerate(smallest)
        for place, (negative, index, amount_fen) in enumerate(sorted(kept, reverse=True), 1)
    ]
