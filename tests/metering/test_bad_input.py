"""Whatever a file holds: it is read, record by record, or refused in one line by a name of the closed list."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from support.schedules import schedule
from support.usage_formats import read
from support.usage_samples import SAMPLES
from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault

ODD: list[Any] = [
    None,
    True,
    -1,
    1e308,
    10**400,
    "",
    "NaN",
    "1e999999999",
    "9" * 5_000,
    "\ud800",
    "\0",
    [],
    [[]],
    {},
    {"a": {}},
]
WRONG_TEXTS = [
    b"",
    b"\xff",
    b"\0",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"=1+1",
    b"1e999999999",
    b"9" * 5_000,
    b"-0",
    b"NaN",
    b"9999-99-99",
    b"\xa1\xa1",
]


def outcome(format_name: str, data: bytes, *, pieces: int | None = None) -> str:
    """Return `read`, or the fault that a file is refused by, after looking at the line."""
    try:
        read(format_name, data, pieces=pieces)
    except UsageFileError as error:
        line = str(error)
        assert "\n" not in line
        assert len(line) < 400
        assert line.isprintable()
        return FileFault.from_code(error.fault).value
    return "read"


@pytest.mark.parametrize("format_name", SAMPLES)
def test_a_sound_file_is_read(format_name: str) -> None:
    """The samples that are damaged below."""
    assert outcome(format_name, SAMPLES[format_name]) == "read"


@pytest.mark.parametrize("format_name", [name for name in SAMPLES if SAMPLES[name].startswith(b"{")])
def test_json_that_ends_early_is_refused_wherever_it_ends(format_name: str) -> None:
    """Nothing of it is read."""
    data = SAMPLES[format_name]
    for end in range(1, len(data) - 1, schedule(7, 1)):
        assert outcome(format_name, data[:end]) == "not_parsable_output"


@pytest.mark.parametrize("format_name", SAMPLES)
def test_bytes_that_are_changed_are_read_or_refused(format_name: str) -> None:
    """Never anything else, however they come in pieces."""
    chance = random.Random(format_name)
    data = SAMPLES[format_name]
    for _ in range(schedule(60, 3_000)):
        at = chance.randrange(len(data))
        wrong = chance.choice(WRONG_TEXTS)
        damaged = data[:at] + wrong + data[at + chance.choice((0, 1, len(wrong), 20)) :]
        outcome(format_name, damaged, pieces=chance.choice((None, 3, 64)))


def _put(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with something odd at one place."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        return value | {name: _put(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], _put(value[at], chance), *value[at + 1 :]]
    return chance.choice(ODD)


@pytest.mark.parametrize("format_name", [name for name in SAMPLES if SAMPLES[name].startswith(b"{")])
def test_odd_values_anywhere_in_json_are_read_or_refused(format_name: str) -> None:
    """Types that aren't expected, numbers that aren't any."""
    chance = random.Random(format_name)
    whole = json.loads(SAMPLES[format_name])
    for _ in range(schedule(150, 5_000)):
        outcome(format_name, json.dumps(_put(whole, chance)).encode())


@pytest.mark.parametrize("format_name", ["focus", "csv", "openb", "philly", "sheet"])
def test_odd_cells_are_read_or_refused(format_name: str) -> None:
    """And the other rows are read all the same."""
    chance = random.Random(format_name)
    heading, row, *_ = SAMPLES[format_name].split(b"\n")
    for _ in range(schedule(80, 3_000)):
        cells = row.split(b",")
        cells[chance.randrange(len(cells))] = chance.choice((*WRONG_TEXTS, "１２".encode(), "二〇二六".encode()))
        outcome(format_name, b"\n".join((heading, row, b",".join(cells), row)))


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda data: data.replace(b"{", b"[" * 100_000, 1), "not_parsable_output"),
        (lambda data: b'{"a": ' * 100_000, "not_parsable_output"),
        (lambda data: data + b"{", "not_parsable_output"),
        (lambda data: data.decode().encode("utf-16"), "encoding_unknown"),
        (lambda data: data[:-1] + b', "kind": 1, "kind": 2}', "not_parsable_output"),
        (lambda data: b"", "not_parsable_output"),
        (lambda data: b"null", "not_parsable_output"),
    ],
)
@pytest.mark.parametrize("format_name", [name for name in SAMPLES if SAMPLES[name].startswith(b"{")])
def test_json_that_is_made_to_harm_is_refused(format_name: str, make: Callable[[bytes], bytes], fault: str) -> None:
    """Nested without end, twice over, in another encoding."""
    assert outcome(format_name, make(SAMPLES[format_name])) == fault


def test_a_damaged_workbook_is_read_or_refused() -> None:
    """Its parts too."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        book.add_worksheet().write_row(0, 0, ["客户", "订单号", "型号", "卡数", "开始", "结束"])
    whole = data.getvalue()
    chance = random.Random(1)
    for _ in range(schedule(40, 2_000)):
        at = chance.randrange(len(whole))
        outcome("sheet", whole[:at] + chance.randbytes(chance.choice((1, 4, 40))) + whole[at + 4 :])
    names = zipfile.ZipFile(io.BytesIO(whole)).namelist()
    for _ in range(schedule(40, 2_000)):
        outcome("sheet", _with_damaged_part(whole, chance.choice(names), chance))


def _with_damaged_part(whole: bytes, name: str, chance: random.Random) -> bytes:
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            at = chance.randrange(len(text))
            new.writestr(part, text[:at] + chance.choice(WRONG_TEXTS) + text[at + 5 :] if part == name else text)
    return changed.getvalue()
