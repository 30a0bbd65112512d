"""A journal as Parquet, in the order of the log; the same log gives the same bytes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from tallystick.accounting.csv_journal import csv_table
from tallystick.accounting.table import Column, ColumnType, Row

_TYPES: Final[dict[ColumnType, str]] = {
    "text": "VARCHAR",
    "whole": "BIGINT",
    "yuan": "DECIMAL(18, 2)",
    "gpu_hours": "DECIMAL(24, 7)",
    "day": "DATE",
}
_SETTINGS: Final[dict[str, str | int | float | list[str]]] = {
    "threads": 1,  # else the order of rows and groups is not always the same
    "memory_limit": "128MB",
    "preserve_insertion_order": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def write_parquet(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Write a table as Parquet.

    Args:
        path: of the file, which is made or replaced; a folder for what is needed in between is made beside it.
        columns: in order.
        rows: in order.
    """
    with TemporaryDirectory(dir=path.parent, prefix=".tallystick-") as folder:
        rows_file = Path(folder) / "rows.csv"
        with rows_file.open("w", encoding="utf-8", newline="") as file:
            file.writelines(csv_table(columns, rows, is_guarded=False))
        types = ", ".join([f"'{column.name}': '{_TYPES[column.type]}'" for column in columns])
        with duckdb.connect(":memory:", config={**_SETTINGS, "temp_directory": folder}) as database:
            database.execute(
                f"COPY (SELECT * FROM read_csv($rows, header = true, delim = ',', quote = '\"', escape = '\"', "  # noqa: S608
                f"nullstr = '', auto_detect = false, parallel = false, columns = {{{types}}})) "
                "TO $out (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)",
                {"rows": str(rows_file), "out": str(path)},
            )
