"""A reconciliation as a workbook: numbers are numbers, headings stay in sight, the same report gives the same bytes.

XlsxWriter comes with the extra `books`.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tallystick.usage.report import COLUMNS, LISTS, PAYMENT_LISTS, rows_of

_MADE: Final = datetime(2026, 1, 1)
_FEN_A_YUAN: Final = 100
_GPU_MILLISECONDS_AN_HOUR: Final = 3_600_000
_WIDTH: Final = 18
SHEET_ROWS_MAX: Final = 1_000_000


def workbook(report: Mapping[str, Any]) -> bytes:
    """Return the report as XLSX: a summary, the control totals, a sheet for each list that has something.

    Raises:
        ImportError: XlsxWriter isn't installed.
    """
    import xlsxwriter  # noqa: PLC0415 - an extra

    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": _MADE, "title": "Reconciliation of usage and ledger"})
    bold = book.add_format({"bold": True})
    formats = {"yuan": book.add_format({"num_format": "#,##0.00"}), "hours": book.add_format({"num_format": "0.000"})}

    def sheet(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        made = book.add_worksheet(name)
        made.set_column(0, len(columns), _WIDTH)
        for place, column in enumerate(columns):
            made.write_string(0, place, _heading(column), bold)
        for number, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                _write(made, number, place, column, row.get(column), formats)
        made.freeze_panes(1, 0)

    sheet("summary", ("what", "value"), _summary(report))
    sheet("sums", ("what", "gpu_milliseconds", "fee_fen"), _sums(report))
    sheet("totals", tuple(report["totals"][0]) if report["totals"] else ("contract", "item"), report["totals"])
    rows = list(rows_of(report))
    for name in LISTS:
        of_list = [row for row in rows if row["list"] == name][:SHEET_ROWS_MAX]
        if of_list:
            sheet(name, COLUMNS[1:], of_list)
    columns = ("claim", "programme", "payment_reference", "payment_day", "payment_fen", "paid_fen")
    for name in PAYMENT_LISTS if "payments" in report else ():
        if report["payments"][name]:
            sheet(f"payments {name}", columns, report["payments"][name])
    book.close()
    return written.getvalue()


def _summary(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    said = [("open", ", ".join(report["open"]) or "nothing"), *((name, report[name]) for name in ("log", "provider"))]
    said += [("window", " … ".join(str(one) for one in report["window"].values())), ("command", report["command"])]
    said += [(f"file {one['name']}", one["sha256"]) for one in [*report["files"], report["mapping"]]]
    said += [("records", report["records"])]
    said += [(f"records: {reason}", count) for reason, count in report["skipped"].items()]
    said += [(f"{name}: rows", len(report[name])) for name in LISTS]
    said += [("gap", f"{one['from']} … {one['until']}") for one in report["gaps"]]
    return [{"what": name, "value": value} for name, value in said]


def _sums(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, value in report["sums"].items():
        unit = "fee_fen" if name.endswith("_fen") else "gpu_milliseconds"
        rows.append({"what": name.removesuffix("_fen").removesuffix("_gpu_milliseconds"), unit: value})
    return rows


def _heading(column: str) -> str:
    if column.endswith("_fen"):
        column = f"{column.removesuffix('_fen')} (yuan)"
    return column.replace("gpu_milliseconds", "GPU-hours").replace("_", " ")


def _write(made: Any, number: int, place: int, column: str, value: object, formats: Mapping[str, Any]) -> None:  # noqa: ANN401
    if value is None:
        return
    if isinstance(value, int) and column.endswith("_fen"):
        made.write_number(number, place, value / _FEN_A_YUAN, formats["yuan"])
    elif isinstance(value, int) and column.endswith("gpu_milliseconds"):
        made.write_number(number, place, value / _GPU_MILLISECONDS_AN_HOUR, formats["hours"])
    elif isinstance(value, int):
        made.write_number(number, place, value)
    else:
        made.write_string(number, place, str(value))
