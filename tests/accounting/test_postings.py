"""The stream that all books are made of says what the views say, which sum another way, and what the book holds."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command_line import done, failed
from tallystick.accounting import BookedEntry, JournalAccount, booked_entries
from tallystick.accounting.accounts import beancount_part
from tallystick.errors import EntryMalformedError, NotALedgerError
from tallystick.publishing import read_ledger
from tallystick.transparency.merkle import leaf_hash
from tallystick.views import followed_views
from tallystick.views.balances import holder_balances
from tallystick.views.contract_payments import contract_balances
from tallystick.views.payees import payee_balances
from tallystick.views.programme_balances import programme_balances
from tallystick.vouchers.entry import Entry

_OF_PROGRAMMES = {
    "unissued": "unissued_fen",
    "vouchers:available": "available_fen",
    "vouchers:reserved": "reserved_fen",
    "used:unclaimed": "burned_fen",
    "used:withheld": "withheld_fen",
    "used:claimed": "claimed_fen",
    "receivable": "receivable_fen",
}


@pytest.fixture(scope="module")
def entries(small_ledger: Path) -> list[BookedEntry]:
    """What the small ledger's entries book."""
    with read_ledger(small_ledger) as reader:
        return list(booked_entries(reader))


@pytest.fixture(scope="module")
def sums_fen(entries: list[BookedEntry]) -> Counter[JournalAccount]:
    """The balances of all accounts that it has money in, or had."""
    return sums_of(entries)


def sums_of(entries: list[BookedEntry]) -> Counter[JournalAccount]:
    """Balances by account."""
    sums: Counter[JournalAccount] = Counter()
    for entry in entries:
        for posting in entry.postings:
            sums[posting.source] -= posting.amount_fen
            sums[posting.target] += posting.amount_fen
    return sums


def sum_where(sums: Counter[JournalAccount], place: str, *parts: str | None) -> int:
    """The sum of the accounts of a place whose treasury, programme and party are these; None means any."""
    return sum(
        amount
        for account, amount in sums.items()
        if account.place == place
        and all(wanted in (None, part) for wanted, part in zip(parts, account.parts, strict=False))
    )


def test_programmes_add_up_as_the_views_have_them(small_ledger: Path, sums_fen: Counter[JournalAccount]) -> None:
    """All accounts of a programme, one by one."""
    with followed_views(small_ledger, is_fresh=True) as views:
        programmes = views.ask(programme_balances)
    assert len(programmes) > 2
    for one in programmes:
        id_ = one.programme.split("/")
        assert sum_where(sums_fen, "envelope", *id_) == -one.envelope_fen
        for place, name in _OF_PROGRAMMES.items():
            assert sum_where(sums_fen, place, *id_) == getattr(one, name), (one.programme, name)
        assert sum_where(sums_fen, "used:carried-over", *id_) == one.carried_over_fen
        assert sum_where(sums_fen, "used:paid", *id_) == one.paid_fen - one.carried_over_fen
    assert any(one.carried_over_fen for one in programmes)
    assert any(one.receivable_fen for one in programmes)


def test_parties_add_up_as_the_views_have_them(small_ledger: Path, sums_fen: Counter[JournalAccount]) -> None:
    """Holders' vouchers, and payees' claims, payments and debts."""
    with followed_views(small_ledger, is_fresh=True) as views:
        holders, payees = views.ask(holder_balances), views.ask(payee_balances)
    for one in holders:
        assert sum_where(sums_fen, "vouchers:available", None, None, one.holder) == one.available_fen
        assert sum_where(sums_fen, "vouchers:reserved", None, None, one.holder) == one.reserved_fen
    assert payees
    for payee in payees:
        of_payee = *payee.programme.split("/"), payee.payee
        for place, name in (
            ("used:claimed", "claimed_fen"),
            ("used:withheld", "withheld_fen"),
            ("used:paid", "paid_fen"),
            ("receivable", "receivable_fen"),
        ):
            assert sum_where(sums_fen, place, *of_payee) == getattr(payee, name), (of_payee, name)


def test_every_posting_is_balanced_and_of_the_book(entries: list[BookedEntry]) -> None:
    """A journal's account is the sum of some of the book's, after every entry."""
    for number in range(0, len(entries) + 1, 5):
        sums = sums_of(entries[:number])
        assert sum(sums.values()) == 0
        assert all(amount >= 0 for account, amount in sums.items() if account.place != "envelope")


def test_gpu_time_adds_up_as_the_views_have_it(small_ledger: Path, entries: list[BookedEntry]) -> None:
    """By contract: accepted lines, and fees of lines that stand."""
    time: Counter[str] = Counter()
    fees: Counter[str] = Counter()
    for entry in entries:
        assert (entry.contract is None) == (not entry.lines)
        for line in entry.lines:
            assert entry.contract is not None
            fees[entry.contract] += line.fee_fen
            time[entry.contract] += max(0, line.quantity) if line.is_gpu_time else 0
    with followed_views(small_ledger, is_fresh=True) as views:
        contracts = views.ask(contract_balances)
    assert any(one.lines_reversed for one in contracts)
    for one in contracts:
        assert time[one.contract] == one.gpu_milliseconds
        assert fees[one.contract] == one.charged_fen


def test_payments_of_lines_are_the_postings(entries: list[BookedEntry]) -> None:
    """What a statement's lines were paid is what it posts, by programme and day."""
    for entry in entries:
        if not entry.lines:
            continue
        lines: Counter[tuple[str, int]] = Counter()
        for line in entry.lines:
            for payment in line.payments:
                lines[payment.programme, line.day] += payment.amount_fen
        posted: Counter[tuple[str, int]] = Counter()
        for posting in entry.postings:
            sign = 1 if posting.posting.target == "burned" else -1
            posted[posting.programme, posting.day] += sign * posting.amount_fen
        assert lines == posted


def test_an_entry_says_where_it_stands(small_ledger: Path, entries: list[BookedEntry]) -> None:
    """Index, day and hash are of the entry; what posts and burns nothing is left out."""
    with read_ledger(small_ledger) as reader:
        for entry in entries:
            assert (
                entry.leaf_hash
                == leaf_hash(reader.entry(entry.index))
                == reader.leaf_hashes(entry.index, entry.index + 1)[0]
            )
            assert entry.day == entry.state.day_of(entry.at)
            assert entry.postings or entry.lines
        cut = list(booked_entries(reader, entries[3].index + 1))
    assert [one.index for one in cut] == [one.index for one in entries[:4]]


def test_a_log_that_lacks_an_entry_has_no_books(small_ledger: Path) -> None:
    """It ends in one line, after what could be read."""
    from tallystick.accounting.postings import replayed

    with read_ledger(small_ledger) as reader:
        data = list(reader.entries())

    def but(place: int) -> Iterator[BookedEntry]:
        return replayed(reader.origin, [*data[:place], *data[place + 1 :]], len(data))

    with pytest.raises(NotALedgerError, match="entry 9 can't be replayed"):
        list(but(9))
    with pytest.raises(NotALedgerError, match=f"entry {len(data) - 1} is missing"):
        list(but(len(data) - 1))


def test_no_two_names_become_one_in_beancount() -> None:
    """Every id of up to three characters of the kinds that there are."""
    letters = ["a", "v", "c", "u", "d", "A", "V", "C", "1", ".", "_", "-"]
    ids = [a + b + c for a in letters[:9] for b in ["", *letters] for c in (["", *letters] if b else [""])]
    spelled = {beancount_part(id_) for id_ in ids}
    assert len(spelled) == len(ids)
    assert all(name[0].isupper() or name[0].isdecimal() for name in spelled)
    assert {letter for name in spelled for letter in name} <= {*"ABCDUVabcduv1-"}


def test_a_believed_entry_is_the_entry(small_ledger: Path) -> None:
    """Of every kind; and one that can't be read is refused with the same words."""
    with read_ledger(small_ledger) as reader:
        for data in reader.entries():
            entry = Entry.from_bytes(data)
            assert Entry.believed(data) == entry
            header, _, note = data.partition(b"\n")
            for damaged in (
                data[:-2],
                header,
                note,
                header + b"\n" + header,
                data.replace(b'"kind":"', b'"kind":"x', 1),
            ):
                with pytest.raises(EntryMalformedError) as said:
                    Entry.from_bytes(damaged)
                with pytest.raises(EntryMalformedError, match=re.escape(str(said.value))):
                    Entry.believed(damaged)


def test_a_journal_that_fails_leaves_what_was_there(small_ledger: Path, tmp_path: Path) -> None:
    """An export whose entries end too soon: one line, and the file is as it was."""
    done("export", small_ledger, tmp_path / "public")
    (bundle,) = [path for path in (tmp_path / "public" / "tile" / "entries").rglob("*") if path.is_file()]
    bundle.write_bytes(bundle.read_bytes()[:-400])
    out = tmp_path / "j"
    done("journal", small_ledger, "--format", "hledger", "-o", out)
    before = out.read_bytes()
    for name in ("hledger", "csv", "xlsx", "parquet", "focus"):
        assert failed("journal", tmp_path / "public", "--format", name, "-o", out, "--force")
        assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["j", "public"]
