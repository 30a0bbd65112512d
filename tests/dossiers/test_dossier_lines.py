"""A dossier has one canonical encoding; any other is refused as malformed, wherever it ends and whatever is in it."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossiers.forging import examined, parts_of, written
from support.small_ledger import POLICY
from tallystick.dossiers.dossier_lines import (
    LINE_SIZE_MAX,
    DossierEntry,
    DossierHead,
    SealedLeaf,
    is_dossier,
    read_lines,
)
from tallystick.dossiers.examining import examine_dossier
from tallystick.errors import MalformedError, TallystickError
from tallystick.signing import canonical_json
from tallystick.signing.algorithms import SHA256
from tallystick.signing.canonical_json import JsonValue
from tallystick.vouchers.seals import NO_TOUCHES, AccountLeaf

ACCOUNT = "voucher shanghai/v3"
COUNTS = st.integers(0, 2**53 - 1)
PATHS = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
LEAVES = st.builds(
    AccountLeaf,
    st.just(ACCOUNT),
    st.dictionaries(st.sampled_from(["available_fen", "face_fen", "paid_fen"]), COUNTS),
    COUNTS,
    st.binary(min_size=32, max_size=32).map(SHA256.to_text),
)


def sealed_at(indices: st.SearchStrategy[int]) -> st.SearchStrategy[SealedLeaf]:
    """Leaves of seals at such indices."""
    return st.builds(SealedLeaf, indices, LEAVES, COUNTS, PATHS)


@given(LEAVES)
def test_leaves_are_read_as_they_were_written(leaf: AccountLeaf) -> None:
    assert AccountLeaf.from_bytes(leaf.to_bytes()) == leaf


@pytest.mark.parametrize("amount", ["9007199254740991", "0", "", -1, True, [9], {}])
def test_an_amount_has_one_encoding(amount: JsonValue) -> None:
    """An integer that fits into JSON; no sum of a party passes that."""
    good = AccountLeaf(ACCOUNT, {"paid_fen": 2**53 - 1}, 1, NO_TOUCHES).to_bytes()
    fields = canonical_json.decode(good)
    assert isinstance(fields, dict)
    with pytest.raises(MalformedError, match="amount in a leaf is an integer from 0"):
        AccountLeaf.from_bytes(canonical_json.encode(fields | {"balances": {"paid_fen": amount}}))
    with pytest.raises(MalformedError, match="JSON"):
        AccountLeaf.from_bytes(good.replace(b"9007199254740991", b"9007199254740992"))


@given(
    st.builds(
        DossierHead,
        st.just(ACCOUNT),
        TEXTS.map(str.encode),
        st.integers(0, 10_000_000),
        st.none() | sealed_at(st.integers(0, 99)),
        st.none() | sealed_at(st.integers(100, 2**53 - 1)),
    )
)
def test_heads_are_read_as_they_were_written(head: DossierHead) -> None:
    assert DossierHead.from_bytes(head.to_bytes()) == head
    assert is_dossier(head.to_bytes())


@given(
    st.builds(DossierEntry, COUNTS, st.sampled_from(["subject", "dependency"]), TEXTS.map(str.encode), PATHS),
)
def test_entries_are_read_as_they_were_written(entry: DossierEntry) -> None:
    line = entry.to_bytes()
    assert DossierEntry.from_bytes(line) == entry
    assert DossierEntry.from_bytes(line).to_bytes() == line


@given(st.binary(max_size=200))
def test_anything_else_is_malformed_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(MalformedError):
        examine_dossier(read_lines(io.BytesIO(data)), POLICY)


def test_the_largest_entry_fits_into_a_line() -> None:
    """Every byte of it escaped, and the longest path."""
    entry = DossierEntry(2**53 - 1, "dependency", b'"' * 65_535, (bytes(32),) * 63)
    assert len(entry.to_bytes()) < LINE_SIZE_MAX
    assert DossierEntry.from_bytes(entry.to_bytes()) == entry


def test_a_cut_is_seen_wherever_it_is(ledger: Path) -> None:
    """Within a line the file is malformed; at a line's end something is missing."""
    data = written(ledger, ACCOUNT)
    lines = data.splitlines(keepends=True)
    for cut in range(len(lines[0])):
        with pytest.raises(MalformedError):
            examined(data[:cut])
    second = len(lines[0])
    for cut in range(second + 1, second + len(lines[1])):
        with pytest.raises(MalformedError, match="cut off"):
            examined(data[:cut])
    for count in range(1, len(lines)):
        assert examined(b"".join(lines[:count])).findings


def test_an_overlong_line_is_not_read_to_its_end(ledger: Path) -> None:
    """However it goes on."""
    file = io.BytesIO(b"x" * (3 * LINE_SIZE_MAX))
    with pytest.raises(MalformedError, match="at most"):
        next(read_lines(file))
    assert file.tell() == LINE_SIZE_MAX + 1


def respelt(line: bytes, **fields: object) -> bytes:
    """A line with other fields, canonical again."""
    value = {name: one for name, one in (json.loads(line) | fields).items() if one is not None}
    return canonical_json.encode(value) + b"\n"


ODD: dict[str, object] = {
    "a role of its own": {"role": "witness"},
    "a path that is text": {"path": "abc"},
    "a path with another hash": {"path": ["AAAA"]},
    "a path of numbers": {"path": [1]},
    "a path that is too long": {"path": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] * 64},
    "stray padding bits": {"path": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="]},
    "a negative index": {"index": -1},
    "an index that is true": {"index": True},
    "an index that is text": {"index": "7"},
    "no entry": {"entry": ""},
    "an entry that is too large": {"entry": "x" * 65_536},
    "a field too many": {"more": 1},
    "a field too few": {"role": None},
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_an_odd_entry_is_malformed(name: str, ledger: Path) -> None:
    head, first, *rest = written(ledger, ACCOUNT).splitlines(keepends=True)
    with pytest.raises(MalformedError):
        examined(b"".join([head, respelt(first, **ODD[name]), *rest]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "tallystick-dossier/2"},
        {"entries": -1},
        {"entries": 10**9},
        {"checkpoint": "x"},
        {"account": 1},
        {"closing": {}},
        {"closing": 1},
        {"more": 1},
        {"format": None},
    ],
)
def test_an_odd_head_is_malformed(fields: dict[str, object], ledger: Path) -> None:
    head, *rest = written(ledger, ACCOUNT).splitlines(keepends=True)
    with pytest.raises(MalformedError):
        examined(b"".join([respelt(head, **fields), *rest]))


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (b'":', b'": '),
        (b"{", b" {"),
        (b"\n", b"\r\n"),
        (b"{", b"\xef\xbb\xbf{"),
        (b'"index":', b'"index":0'),
        (b'"index":', b'"index":+'),
        (b'"role"', b'"rol\\u0065"'),
        (b"}\n", b',"role":"subject"}\n'),
    ],
)
def test_no_line_has_a_second_encoding(pattern: bytes, replacement: bytes, ledger: Path) -> None:
    head, first, *rest = written(ledger, ACCOUNT).splitlines(keepends=True)
    assert pattern in first
    with pytest.raises(MalformedError):
        examined(b"".join([head, first.replace(pattern, replacement, 1), *rest]))


def test_order_and_repetition_are_part_of_the_encoding(ledger: Path) -> None:
    head, first, second, *rest = written(ledger, ACCOUNT).splitlines(keepends=True)
    for lines in ([second, first, *rest], [first, first, second, *rest]):
        with pytest.raises(MalformedError, match="in order"):
            examined(b"".join([head, *lines]))


def test_every_flipped_byte_is_noticed(ledger: Path) -> None:
    """In head and entries: malformed, or a fault, and never another exception."""
    data = written(ledger, ACCOUNT)
    assert not examined(data).findings
    head, _ = parts_of(data)
    assert head.closing is not None
    for place in range(0, len(data), 37):
        flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            assert examined(flipped).findings, place
        except TallystickError as error:
            assert isinstance(error, MalformedError)  # noqa: PT017 - either will do
