"""What is printed, whatever is in it: nothing that steers a terminal or a spreadsheet, no number that breaks."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tallystick.forms.amounts import yuan
from tallystick.printing.csv_bytes import csv_bytes
from tallystick.printing.tables import WIDTH_MIN, Column, folded, table
from tallystick.printing.text import ESCAPE_ERRORS, escaped, one_line
from tallystick.wire.json_text import escaped_json, json_text

ANY_TEXT = st.text(st.characters())  # surrogates too
WIDTHS = [60, 80, 120, 207]
BIDI = "\u202e\u2066\u2028\u200b\ufeff\x9b\x1b\x07"


# -- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("贵安", "utf-8", "贵安"),
        ("贵安é", "latin-1", "\\u8d35\\u5b89é"),
        ("é", "ascii", "\\u00e9"),
        ("🙂", "ascii", "\\U0001f642"),
        ("a\u202eb", "utf-8", "a\\u202eb"),
        ("b\udcff", "utf-8", "b\\udcff"),
        ("a\n\tb", "utf-8", "a\\u000a\\u0009b"),
    ],
)
def test_what_can_not_be_shown_is_spelled_out(text: str, encoding: str, shown: str) -> None:
    """The same wherever it is done: in a cell, in a line, by the stream."""
    assert escaped(text, encoding) == shown
    if text.isprintable():
        assert text.encode(encoding, ESCAPE_ERRORS).decode(encoding) == shown


@given(ANY_TEXT, st.sampled_from(["utf-8", "latin-1", "ascii", "gbk"]))
def test_a_line_can_be_written_anywhere(text: str, encoding: str) -> None:
    """One line, printable, and in the encoding."""
    said = one_line(text, encoding)
    assert said.isprintable()
    said.encode(encoding)


# -- CSV --------------------------------------------------------------------------------------------------------------


@given(st.lists(ANY_TEXT | st.integers() | st.none() | st.booleans(), min_size=1, max_size=4))
def test_no_cell_of_a_csv_is_a_formula(cells: list[object]) -> None:
    """Numbers stay numbers, negative ones too; text is one line and is guarded; what is harmless is as it was."""
    names = [f"c{place}" for place in range(len(cells))]
    data = csv_bytes(names, [dict(zip(names, cells, strict=True))])
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == 2
    header, row = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert header == names
    for cell, shown in zip(cells, row, strict=True):
        if not isinstance(cell, str):
            assert shown == ("" if cell is None else str(cell))
            continue
        assert shown.isprintable()
        assert not shown.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert not shown.lstrip().startswith(("=", "+", "-", "@"))
        if cell.isprintable() and not cell.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")):
            assert shown == cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n-1"])
def test_a_text_that_begins_a_formula_is_guarded(text: str) -> None:
    """By the sign for text; an amount that is negative is a number."""
    (row,) = csv.DictReader(io.StringIO(csv_bytes(["name", "fen"], [{"name": text, "fen": -5}]).decode("utf-8-sig")))
    assert row["name"] == f"'{escaped(text)}"
    assert row["fen"] == "-5"


def test_a_csv_of_nothing_has_its_heading() -> None:
    """A nightly import reads no rows instead of failing."""
    assert csv_bytes(["a", "b"], []) == "\ufeffa,b\n".encode()


# -- JSON -------------------------------------------------------------------------------------------------------------


@given(st.dictionaries(ANY_TEXT, ANY_TEXT | st.integers() | st.booleans() | st.none() | st.lists(ANY_TEXT)))
def test_json_is_readable_exact_and_steers_nothing(value: dict[str, object]) -> None:
    """Every reader takes the same from it: texts whole, and no integer that 53 bits don't hold."""
    written = json_text(value)
    assert written.replace("\n", "").isprintable()
    written.encode()
    assert "\n" not in json_text(value, indent=None)
    read = json.loads(written)
    for name, given_ in value.items():
        if isinstance(given_, int) and not isinstance(given_, bool) and abs(given_) > 2**53 - 1:
            assert read[name] == str(given_)
        elif isinstance(given_, str):
            # A pair of lone surrogates is one character in JSON, as everywhere.
            assert read[name].encode("utf-16", "surrogatepass") == given_.encode("utf-16", "surrogatepass")
        else:
            assert type(read[name]) is type(given_)


def test_names_are_written_as_they_are_read() -> None:
    """And nested sums of any size as text."""
    assert json_text(
        {"name": "贵安智算中心", "rows": [{"gpu_milliseconds": 123_724_804_000_000_001}]}, indent=None
    ) == ('{"name": "贵安智算中心", "rows": [{"gpu_milliseconds": "123724804000000001"}]}')
    assert escaped_json('{"name": "a\u202eb\U000e0001"}') == '{"name": "a\\u202eb\\udb40\\udc01"}'
    assert json.loads(escaped_json('"\U000e0001"')) == "\U000e0001"


# -- tables -----------------------------------------------------------------------------------------------------------

COLUMNS = [
    Column("programme"),
    Column("name", is_prose=True),
    Column("payee"),
    *[
        Column(name, is_number=True)
        for name in ("envelope", "unissued", "available", "of it over", "reserved", "unclaimed", "claimed", "paid")
    ],
]
NAMES = st.text(st.sampled_from("贵安智算中心abc "), min_size=1, max_size=60).map(one_line)
ROWS = st.lists(
    st.tuples(
        st.from_regex(r"[a-z]{1,20}/[a-z0-9-]{1,20}", fullmatch=True),
        NAMES,
        st.sampled_from(["provider", "holder"]),
        *[st.integers(-(10**14), 10**17).map(yuan)] * 8,
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("width", WIDTHS)
@given(rows=ROWS)
def test_a_table_fits_and_no_number_breaks(rows: list[tuple[str, ...]], width: int) -> None:
    """Folded or record by record, every number and id is there whole, every word of every text, and every line fits."""
    shown = table(COLUMNS, rows, width)
    assert max(map(cell_len, shown.splitlines())) <= width
    words = shown.split()
    for name, prose, _, *numbers in rows:
        assert name in words
        assert all(number in words for number in numbers)
        assert "".join(prose.split()) in "".join(shown.split()) or set(prose.split()) <= set(words)


@given(rows=ROWS)
def test_wide_is_one_line_a_row(rows: list[tuple[str, ...]]) -> None:
    """As wide as need be, with all that there is."""
    lines = table(COLUMNS, rows, None).splitlines()
    assert len(lines) == 2 + len(rows)
    assert all(cell in line for row, line in zip(rows, lines[2:], strict=True) for cell in row)


def test_columns_stand_below_their_headings_in_cells() -> None:
    """A Chinese character is two cells wide."""
    shown = table([Column("name"), Column("fen", is_number=True)], [["算力券", "1.00"], ["abc", "22.00"]], 80)
    assert shown.splitlines() == [
        "name      fen",
        "─────────────",
        "算力券   1.00",
        "abc     22.00",
    ]


@given(st.text(st.sampled_from("贵 ab"), max_size=80), st.integers(2, 30))
def test_folding_loses_nothing(text: str, width: int) -> None:
    """And every line fits."""
    lines = folded(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_narrow_terminal_still_has_whole_numbers() -> None:
    """One name and number a line."""
    shown = table(COLUMNS, [["a/b", "A", "provider", *["1,000,000,000.00"] * 8]], WIDTH_MIN)
    assert shown.count("1,000,000,000.00\n") == 8
