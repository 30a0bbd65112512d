"""Every reader against every way in which input goes wrong: it refuses with its own error, or reads just those bytes.

What may be read all the same is another good value (a shorter tile path, another text in a note), never another
encoding; a reader of something signed takes nothing but what was signed.
"""

import re
from collections.abc import Iterator

import pytest
from pydantic import TypeAdapter

from support.readers import (
    COMMANDS,
    COSIGNATURE,
    ENTRIES,
    LARGE_CHECKPOINT,
    LONG_RECEIPT,
    POLICIES,
    READERS,
    RECEIPT,
    REPORT,
    check,
)
from tallystick.vouchers.quantities import Instant, parse_day, parse_instant

CONTROLS = [bytes([byte]) for byte in range(0x20) if byte != 0x0A]
ODD_ENDS = [b"\n", b"\n\n", b" ", b"\0", b"x", b"\r\n", b"\x1a", b"=", b"\xef\xbb\xbf", b"\xff"]
ODD_DECIMALS = [
    *(b"", b"+42", b"0042", b"042", b"4_2", b"-1", b"-42", b"1e3", b"4.2e1", b"42.0", b"42,0", b"0x2a", b"4 2"),
    *(b" 42", b"42 ", b"\t42", b"42\r", b"4\x002", b"\xef\xbb\xbf42", "４２".encode(), "٤٢".encode(), b"9" * 5_000),
]
STATEMENT = next(text for text in COMMANDS if b'"job-1",8000,' in text)
BURNED = next(entry for entry in ENTRIES if b'"absorbed":[[0,1000]]' in entry)
# reader, its bytes, the field with what stands around it: the field is `42`
DECIMALS = [
    ("command", STATEMENT.replace(b'"job-1",8000,', b'"job-1",42,', 1), b'"job-1",42,'),
    ("command", STATEMENT.replace(b'T23:00:00Z",3600]', b'T23:00:00Z",42]', 1), b'Z",42]'),
    ("entry", BURNED.replace(b'"absorbed":[[0,1000]]', b'"absorbed":[[0,42]]'), b"[[0,42]]"),
    ("checkpoint", LARGE_CHECKPOINT.partition(b"\n\n")[0] + b"\n", b"\n42\n"),
    ("receipt", LONG_RECEIPT, b"index 42\n"),
    ("policy", POLICIES[1].replace(b"group g 1", b"group g 42"), b" 42 "),
    ("tile path", b"tile/42/000", b"/42/"),
    ("tile path", b"tile/0/042.p/42", b"p/42"),
    ("tile path", b"tile/0/x042/000", b"x042/"),
    ("header", READERS["header"].seeds[0].replace(b'"index":0', b'"index":42'), b":42,"),
    ("entry", READERS["entry"].seeds[0].replace(b'"index":0', b'"index":42'), b":42,"),
    ("command", READERS["command"].seeds[0].replace(b'"root_quorum":1', b'"root_quorum":2'), b'"root_quorum":2,'),
    ("report", REPORT.replace(b'"index": 7', b'"index": 42'), b'"index": 42,'),
]
# reader, its bytes, the base64 in it
BASE64 = [
    ("checkpoint", LARGE_CHECKPOINT.partition(b"\n\n")[0] + b"\n", LARGE_CHECKPOINT.split(b"\n")[2]),
    ("receipt", LONG_RECEIPT, LONG_RECEIPT.split(b"\n")[2]),
    ("receipt", RECEIPT, RECEIPT.split(b"\n")[1].removeprefix(b"extra ")),
    ("signature line", COSIGNATURE, COSIGNATURE.rstrip(b"\n").split(b" ")[2]),
    ("note", LARGE_CHECKPOINT, LARGE_CHECKPOINT.rstrip(b"\n").split(b" ")[-1]),
    ("vkey", READERS["vkey"].seeds[0], READERS["vkey"].seeds[0].split(b"+", 2)[2]),
    ("policy", POLICIES[0], POLICIES[0].split(b"+", 2)[2].split()[0]),
]


def odd_base64(good: bytes) -> Iterator[bytes]:
    """Other encodings of the same bytes, which Python's own decoder takes nearly all of, and what isn't base64."""
    bare = good.rstrip(b"=")
    yield from (b"", b"=", b"A", bare[:-1], good + b"=", good + b"====", b"=" + good, good + good)
    yield from (good[:4] + junk + good[4:] for junk in (b"!", b" ", b"\t", b"\r", b"-", b"_", b"\0", b"=", b"\xff"))
    yield from (b" " + good, good + b" ", good + b"\r", b"\xef\xbb\xbf" + good, good.replace(b"=", b"%3D") + b"%")
    if bare != good:
        yield bare
        last = bare[-1:]
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        stray = alphabet[alphabet.index(last) + 1 :][:1]
        yield bare[:-1] + stray + good[len(bare) :]
    if b"+" in good or b"/" in good:
        yield good.replace(b"+", b"-").replace(b"/", b"_")


def refused(name: str, data: bytes) -> None:
    """Assert that a reader refuses, with an error of its own."""
    with pytest.raises(READERS[name].errors) as caught:
        READERS[name].again(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_what_is_good_is_read_and_written_the_same(name: str) -> None:
    """So that what follows spoils something."""
    for seed in READERS[name].seeds:
        assert READERS[name].again(seed) == seed


@pytest.mark.parametrize("name", READERS)
def test_cut_at_every_byte(name: str) -> None:
    """Two of its examples, and nothing at all."""
    refused(name, b"")
    for seed in READERS[name].seeds[-2:]:
        for end in range(len(seed)):
            check(name, seed[:end])


CUT_IS_ANOTHER = {"tile path", "checkpoint"}  # 112 -> 11; a checkpoint without its extension line


@pytest.mark.parametrize("name", sorted(READERS.keys() - CUT_IS_ANOTHER))
def test_cut_anywhere_is_refused(name: str) -> None:
    """Whatever says where it ends, or is signed, is never good without its end."""
    seed = READERS[name].seeds[-1]
    signed = seed.find(b"\n\n") + 2
    for end in range(len(seed)):
        if name in ("entry", "submitted note") and end > signed and seed[:end].endswith(b"\n"):
            continue  # of two signature lines the first alone is a note of the same text too
        refused(name, seed[:end])


@pytest.mark.parametrize("name", READERS)
def test_too_large(name: str) -> None:
    """Refused for its size alone, be it ever so regular."""
    reader = READERS[name]
    seed = reader.seeds[0]
    fills = [b"x", b"\n", b" ", b"A", b"0", b"[", b'"', seed]
    for fill in fills if reader.size_max < 2**20 else [seed]:
        many = (reader.size_max - len(seed)) // len(fill) + 2
        refused(name, seed + fill * many)
        refused(name, fill * many + seed)


@pytest.mark.parametrize("name", READERS)
def test_byte_order_mark(name: str) -> None:
    """Three bytes like others: a note with them is another note, which nobody signed."""
    for seed in READERS[name].seeds:
        for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
            check(name, mark + seed)
    if name not in ("note", "checkpoint", "canonical JSON"):
        refused(name, b"\xef\xbb\xbf" + READERS[name].seeds[0])


@pytest.mark.parametrize("name", READERS)
def test_other_newlines(name: str) -> None:
    """Never are they made alike."""
    for seed in READERS[name].seeds:
        for newline in (b"\r\n", b"\r", b"\n\r", b"\x0b", b"\x0c", b"\x85", "\u2028".encode(), b"\n\n", b""):
            check(name, seed.replace(b"\n", newline))
            check(name, seed.replace(b"\n", newline, 1))
        if b"\n" in seed and name != "bundle":
            refused(name, seed.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("name", READERS)
def test_control_characters(name: str) -> None:
    """At the beginning, after each newline, in the middle and at the end."""
    seed = READERS[name].seeds[-1]
    places = {0, 1, len(seed) // 2, len(seed) - 1, len(seed)}
    places |= {at + 1 for at, byte in enumerate(seed) if byte == 0x0A}
    for control in (*CONTROLS, b"\x7f", "\u0085".encode(), "\u200b".encode()):
        for at in places:
            check(name, seed[:at] + control + seed[at:])
            if name not in ("policy", "report", "bundle") and control in CONTROLS:
                refused(name, seed[:at] + control + seed[at:])


@pytest.mark.parametrize("name", READERS)
def test_lines_twice_and_swapped(name: str) -> None:
    """Each line."""
    for seed in READERS[name].seeds[-3:]:
        lines = seed.splitlines(keepends=True)
        for at in range(len(lines)):
            check(name, b"".join([*lines[: at + 1], *lines[at:]]))
            check(name, b"".join([*lines[:at], *lines[at + 1 :]]))
            check(name, b"".join([*lines[:at], *lines[at : at + 2][::-1], *lines[at + 2 :]]))


@pytest.mark.parametrize("name", READERS)
def test_something_behind_the_end(name: str) -> None:
    """A byte or more, the same again, or something of another format."""
    seed = READERS[name].seeds[-1]
    for end in (*ODD_ENDS, seed, LARGE_CHECKPOINT, COSIGNATURE, bytes(100)):
        check(name, seed + end)
        check(name, end + seed)
    for end in ODD_ENDS[2:]:
        refused(name, seed + end)


@pytest.mark.parametrize("name", READERS)
def test_one_bit_turned(name: str) -> None:
    """Each bit of a short example; of what is signed, all of it counts."""
    seed = min(READERS[name].seeds, key=len)
    for at in range(min(len(seed), 400)):
        for bit in range(8):
            check(name, seed[:at] + bytes([seed[at] ^ 1 << bit]) + seed[at + 1 :])


@pytest.mark.parametrize("other", READERS)
@pytest.mark.parametrize("name", READERS)
def test_another_format(name: str, other: str) -> None:
    """What is good elsewhere is taken for what it says, or refused."""
    for seed in READERS[other].seeds[:3]:
        if not (READERS[name].is_closed and seed in READERS[name].seeds):
            check(name, seed)


@pytest.mark.parametrize(("name", "data", "around"), DECIMALS)
def test_decimals_have_one_encoding(name: str, data: bytes, around: bytes) -> None:
    """Python's int() takes most of these."""
    field = b"2" if b"42" not in around else b"42"
    assert data.count(around) == 1 or name in ("header", "entry")
    for odd in ODD_DECIMALS:
        if name == "report" and odd.startswith(b"-"):
            continue  # a report may say what it likes: nothing in it is believed before it is recomputed
        refused(name, data.replace(around, around.replace(field, odd), 1))


@pytest.mark.parametrize(("name", "data", "good"), BASE64)
def test_base64_has_one_encoding(name: str, data: bytes, good: bytes) -> None:
    """Python's b64decode() takes most of these."""
    assert data.count(good) >= 1
    for odd in odd_base64(good):
        assert odd != good
        if name == "receipt" and not odd:
            continue  # an empty line ends the proof, and the rest is a note that nobody signed
        if name == "receipt" and odd == good + good and not good.endswith(b"="):
            continue  # of an entry that needs no padding, that is the entry twice in its one encoding
        if name == "policy" and odd.strip() == good:
            continue  # blanks are free between its items
        refused(name, data.replace(good, odd, 1))


@pytest.mark.parametrize("name", READERS)
def test_garbage(name: str) -> None:
    """Bytes of one kind, many of them, and deep nests: refused at once."""
    for byte in (b"\0", b"\n", b" ", b"[", b"{", b"(", b"\xff", b"9", b"A", b"=", b'{"a":', "—".encode(), b"\n\n"):
        for count in (1, 2, 50, 5_000):
            check(name, byte * count)


@pytest.mark.parametrize(
    "odd",
    [
        *("2026-01-05T24:00:00.000000Z", "2026-01-05T23:60:00.000000Z", "2026-01-05T23:59:60.000000Z"),
        *("2026-02-29T00:00:00.000000Z", "2026-00-05T00:00:00.000000Z", "2026-01-00T00:00:00.000000Z"),
        *("1969-12-31T23:59:59.999999Z", "0000-01-05T00:00:00.000000Z", "+2026-01-05T00:00:00.000000Z"),
        *("2026-01-05T08:00:00Z", "2026-01-05T08:00:00.000Z", "2026-01-05T08:00:00.0000000Z", "2026-01-05"),
        *("2026-01-05t08:00:00.000000Z", "2026-01-05T08:00:00.000000z", "2026-01-05 08:00:00.000000Z"),
        *("2026-01-05T08:00:00.000000+00:00", "2026-01-05T08:00:00.000000", "2026-01-05T08:00:00.000000Z\n"),
        *(" 2026-01-05T08:00:00.000000Z", "2026-01-05T08:00:00,000000Z", "20260105T080000.000000Z", "2026-W01-1"),
        *("２０２６-01-05T08:00:00.000000Z", "2026-1-5T8:0:0.000000Z", "2026-01-05T08:00:0_.000000Z"),
    ],
)
def test_an_instant_has_one_encoding(odd: str) -> None:
    """Neither in a header, nor in a command, nor as a day."""
    for read in (parse_instant, TypeAdapter(Instant).validate_python):
        with pytest.raises(ValueError, match=r"."):
            read(odd)
    if odd != "2026-01-05":
        with pytest.raises(ValueError, match=r"."):
            parse_day(odd)
    refused("header", READERS["header"].seeds[0].replace(b"2026-01-05T08:00:00.000000Z", odd.encode()))


def test_a_day_has_no_hour_24() -> None:
    """Python's datetime takes 24:00 as the next day's midnight from 3.14 on, so the pattern must refuse it first."""
    pattern = TypeAdapter(Instant).json_schema(mode="validation")["pattern"]
    assert re.search(pattern, "2026-01-05T23:00:00.000000Z")
    assert not re.search(pattern, "2026-01-05T24:00:00.000000Z")
