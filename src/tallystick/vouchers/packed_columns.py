"""Rows of whole numbers in a byte string, column by column: a column is read at once, and a cell without the others.

Each column has its numbers one after the other, little-endian, of the size that its code in `struct` says. How many
rows there are follows from the length.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final

_LAYOUTS_CACHED_MAX: Final = 1_024


class PackedColumns:
    """A table's columns.

    Attributes:
        layout: what describes the bytes, as `Layout` takes it.
    """

    __slots__ = ("_before", "_codes", "_row_size", "_sizes", "layout")

    def __init__(self, codes: str) -> None:
        """Take a code of `struct` for each column."""
        self.layout: Final = f"<{codes} by columns"
        self._codes = codes
        self._sizes = [struct.calcsize(f"<{code}") for code in codes]
        self._before = [0, *accumulate(self._sizes)]
        self._row_size = self._before[-1]

    def pack(self, *columns: Sequence[int]) -> bytes:
        """Return the bytes of columns that are as long as one another.

        Raises:
            struct.error: they aren't, or a number is too large for its column.
        """
        values: list[int] = []
        for column in columns:
            values += column
        return _struct(self._codes, len(columns[0])).pack(*values)

    def rows(self, data: bytes) -> int:
        """Return how many rows there are.

        Raises:
            struct.error: the bytes aren't whole rows, which only damage can bring about.
        """
        rows, rest = divmod(len(data), self._row_size)
        if rest:
            raise struct.error(f"{len(data)} bytes are no whole rows of {self._row_size}")
        return rows

    def unpack(self, data: bytes) -> list[tuple[int, ...]]:
        """Return the columns.

        Raises:
            struct.error: as `rows`.
        """
        rows = self.rows(data)
        values = _struct(self._codes, rows).unpack(data)
        return [values[start : start + rows] for start in range(0, rows * len(self._codes), rows or 1)] or [
            () for _ in self._codes
        ]

    def column(self, data: bytes, column: int) -> tuple[int, ...]:
        """Return one column.

        Raises:
            struct.error: as `rows`.
        """
        rows = self.rows(data)
        return _struct(self._codes[column], rows).unpack_from(data, rows * self._before[column])

    def cell(self, data: bytes, row: int, column: int) -> bytes:
        """Return the bytes of one number.

        Raises:
            struct.error: as `rows`, or there is no such row.
        """
        rows, size = self.rows(data), self._sizes[column]
        if row >= rows:
            raise struct.error(f"there is no row {row} of {rows}")
        start = rows * self._before[column] + row * size
        return data[start : start + size]


@lru_cache(_LAYOUTS_CACHED_MAX)
def _struct(codes: str, rows: int) -> struct.Struct:
    return struct.Struct("<" + "".join([f"{rows}{code}" for code in codes]))
