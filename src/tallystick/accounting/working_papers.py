"""The working papers of an audit of a log's books: one folder of tables that add up to the balances.

    about.csv      of which log they are, up to which entry, how the sample was drawn; SHA-256 of every other file
    entries.csv    every entry with its leaf hash: the tree over these has the root that about.csv names
    postings.csv   every posting
    quarters.csv   each account of each programme, quarter by quarter: opening + in − out = closing
    owed.csv       what is owed, to whom, and for how long
    sample.csv     entries drawn by a seed, each with its inclusion proof
    ties.csv       sums of these papers beside the balances that views add up by themselves
    papers.xlsx    all of it as one spreadsheet, if it is asked for

The same log, entry and seed give the same bytes.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.accounting.log_place import LogPlace
from tallystick.accounting.postings import BookedEntry, booked_entries
from tallystick.accounting.roll_forward import ACCOUNTS, OWED_COLUMNS, QUARTER_COLUMNS, RollForward, number_of
from tallystick.accounting.sampling import draw
from tallystick.accounting.table import Cell, Column, Row
from tallystick.forms.times import local, zone_name
from tallystick.printing.csv_bytes import BYTE_ORDER_MARK, guarded
from tallystick.progress import Progress
from tallystick.publishing.proving import prove_inclusion
from tallystick.publishing.reader import Reader
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.views import PayeeBalance, ProgrammeBalance, Views
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import day_of, format_day, format_instant

if TYPE_CHECKING:
    from tallystick.accounting.spreadsheet import Workbook

_OF_ENTRY: Final = (
    Column("entry", "条目", "whole", 10),
    Column("day", "日期", "day", 11),
    Column("at", "时间（UTC）", "text", 27),
    Column("kind", "事项", "text", 24),
    Column("party", "发起方", "text", 22),
    Column("ref", "单据号", "text", 24),
)
ENTRY_COLUMNS: Final = (*_OF_ENTRY, Column("bytes", "字节", "whole", 10), Column("leaf_hash", "叶哈希", "text", 66))
POSTING_COLUMNS: Final = (
    *_OF_ENTRY,
    Column("booked_day", "记账日", "day", 11),
    Column("programme", "项目", "text", 30),
    Column("source", "出自科目", "text", 12),
    Column("source_id", "出自", "text", 40),
    Column("target", "进入科目", "text", 12),
    Column("target_id", "进入", "text", 40),
    Column("amount_yuan", "金额", "yuan"),
    Column("source_account", "出自账户", "text", 50),
    Column("target_account", "进入账户", "text", 50),
)
SAMPLE_COLUMNS: Final = (
    Column("stratum", "层", "whole", 8),
    Column("place", "序号", "whole", 8),
    Column("draw_hash", "抽样哈希", "text", 66),
    *_OF_ENTRY,
    Column("amount_yuan", "金额", "yuan"),
    Column("leaf_hash", "叶哈希", "text", 66),
    Column("proof", "包含证明", "text", 60),
)
TIE_COLUMNS: Final = (
    Column("what", "项目", "text", 50),
    Column("in_papers", "底稿", "text", 46),
    Column("elsewhere", "余额", "text", 46),
    Column("ties", "相符", "text", 8),
)
_PAYEE_STATES: Final = ("claimed", "withheld")


@dataclass(frozen=True, slots=True)
class SampleTerms:
    """How a sample is drawn: the seed, how many of each stratum, and where strata begin (fen, ascending)."""

    seed: str
    size: int
    bounds_fen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tie:
    """A sum of the papers, and what it must be."""

    what: str
    in_papers: str
    elsewhere: str

    @property
    def ties(self) -> bool:
        """Whether they are the same."""
        return self.in_papers == self.elsewhere


class PapersFolder:
    """A folder that working papers are written into."""

    def __init__(self, folder: Path, place: LogPlace, *, has_spreadsheet: bool) -> None:
        """Begin.

        Args:
            folder: an empty one.
            place: where in the log the papers are made.
            has_spreadsheet: whether all of it goes into a spreadsheet, too.

        Raises:
            ModuleNotFoundError: XlsxWriter isn't installed (extra `books`).
        """
        self._folder = folder
        self._place = place
        self._book: Final = _workbook(folder, place) if has_spreadsheet else None
        self._hashes: dict[str, str] = {}

    def write(
        self,
        reader: Reader,
        views: Views,
        sample: SampleTerms,
        progress: Progress | None = None,
    ) -> list[Tie]:
        """Write all papers, and return how they tie to balances.

        Args:
            reader: of the log.
            views: as of the same place.
            sample: how it is drawn.
            progress: told how far the log is read.

        Raises:
            NotALedgerError: an entry can't be read or replayed.
            ProofInvalidError: entries, tree and checkpoint don't belong together.
            OSError: a file can't be written.
        """
        edge, sums = RightEdge(), RollForward()
        population: dict[int, int] = {}
        self._table("postings", POSTING_COLUMNS, self._postings(reader, sums, population, progress))
        self._table("entries", ENTRY_COLUMNS, self._entries(reader, edge))
        self._table("quarters", QUARTER_COLUMNS, sums.quarters())
        today = day_of(self._place.at, self._place.zone)
        owed = [*sums.owed(today, self._place.at)]
        self._table("owed", OWED_COLUMNS, owed)
        self._table("sample", SAMPLE_COLUMNS, self._sample(reader, population, sample))
        ties = [*self._ties(views, sums, owed, edge)]
        self._table(
            "ties", TIE_COLUMNS, [(one.what, one.in_papers, one.elsewhere, "yes" if one.ties else "NO") for one in ties]
        )
        self._about(sample, sums, len(population))
        return ties

    def _table(self, name: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """Write a table as CSV, and into the spreadsheet if there is one."""
        digest = hashlib.sha256()
        with (self._folder / f"{name}.csv").open("wb") as file:

            def put(cells: Sequence[Cell]) -> None:
                line = io.StringIO(newline="")
                csv.writer(line, lineterminator="\n").writerow(cells)
                data = line.getvalue().encode()
                digest.update(data)
                file.write(data)

            file.write(BYTE_ORDER_MARK.encode())
            digest.update(BYTE_ORDER_MARK.encode())
            put([column.name for column in columns])

            def written() -> Iterator[Row]:
                for row in rows:
                    put([_cell(column, cell) for column, cell in zip(columns, row, strict=True)])
                    yield row

            if self._book is None:
                for _ in written():
                    pass
            else:
                self._book.add_table(name, columns, written())
        self._hashes[f"{name}.csv"] = digest.hexdigest()

    def _entries(self, reader: Reader, edge: RightEdge) -> Iterator[Row]:
        for data in reader.entries(0, self._place.size):
            hash_ = leaf_hash(data)
            edge.append(hash_)
            yield *self._of_entry(Entry.from_bytes(data)), len(data), hash_.hex()

    def _of_entry(self, entry: Entry) -> Row:
        event = entry.event
        day = day_of(event.at, self._place.zone)
        return event.index, day, format_instant(event.at), event.kind, event.command.party, event.command.ref

    def _postings(
        self, reader: Reader, sums: RollForward, population: dict[int, int], progress: Progress | None
    ) -> Iterator[Row]:
        for entry in booked_entries(reader, self._place.size, progress):
            sums.add(entry)
            if entry.postings:
                population[entry.index] = sum(posting.amount_fen for posting in entry.postings)
            yield from _posting_rows(entry)

    def _sample(self, reader: Reader, population: Mapping[int, int], sample: SampleTerms) -> Iterator[Row]:
        for drawn in draw(population.items(), sample.seed, sample.size, sample.bounds_fen):
            proof = prove_inclusion(reader, drawn.entry, self._place.size)
            yield (
                drawn.stratum,
                drawn.place,
                drawn.digest.hex(),
                *self._of_entry(reader.parsed_entry(drawn.entry)),
                number_of(drawn.amount_fen),
                proof.leaf_hash.hex(),
                " ".join(one.hex() for one in proof.proof),
            )

    def _ties(self, views: Views, sums: RollForward, owed: Sequence[Row], edge: RightEdge) -> Iterator[Tie]:
        """Yield sums of these papers beside what they must be."""
        yield Tie("root over the leaf hashes of entries.csv", edge.root().hex(), self._place.root.hex())
        for balance in views.balances("programme"):
            assert isinstance(balance, ProgrammeBalance)
            for account in ACCOUNTS:
                closing_fen = sums.closing_fen.get((balance.programme, account), 0)
                shown_fen = -closing_fen if account == "envelope" else closing_fen
                said = str(number_of(getattr(balance, f"{account}_fen")))
                yield Tie(f"{balance.programme}: {account}", str(number_of(shown_fen)), said)
        found = {(row[0], row[1], row[2]): row for row in owed}
        for payee in views.balances("payee"):
            assert isinstance(payee, PayeeBalance)
            ages_fen = (
                payee.claimed_0_30_fen,
                payee.claimed_31_60_fen,
                payee.claimed_61_90_fen,
                payee.claimed_over_90_fen,
            )
            claimed = found.get((payee.programme, payee.payee, "claimed"), (number_of(0),) * 9)
            aged, said = (" ".join(map(str, one)) for one in (claimed[4:8], map(number_of, ages_fen)))
            yield Tie(f"{payee.programme}: claimed by {payee.payee}, by age", aged, said)
            for state in _PAYEE_STATES:
                row = found.get((payee.programme, payee.payee, state))
                in_papers = str(number_of(0) if row is None else row[-1])
                said = str(number_of(getattr(payee, f"{state}_fen")))
                yield Tie(f"{payee.programme}: {state} by {payee.payee}", in_papers, said)

    def _about(self, sample: SampleTerms, sums: RollForward, population: int) -> None:
        place = self._place
        bounds = ", ".join(str(number_of(bound)) for bound in sample.bounds_fen)
        about = {
            "log": place.origin,
            "last entry": str(place.index),
            "its time": f"{local(place.at, place.zone)} ({zone_name(place.zone)})",
            "its day": format_day(day_of(place.at, place.zone)),
            "entries": str(place.size),
            "root": place.root_text,
            "root in hexadecimal": place.root.hex(),
            "postings": str(sums.postings),
            "seed": sample.seed,
            "population": f"{population} entries that post",
            "sample": f"the {sample.size} with the smallest SHA-256(seed, line feed, index)",
            "strata": f"from {bounds} yuan on, so many of each" if bounds else "none",
            "how an entry is checked": "its leaf hash is SHA-256(00, entry); the tree over all of them has the root "
            "(RFC 9162), and an inclusion proof leads from one of them to it",
            "amounts": "in yuan",
        } | {f"SHA-256 of {name}": digest for name, digest in sorted(self._hashes.items())}
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerows([("what", "value"), *[(name, guarded(value)) for name, value in about.items()]])
        (self._folder / "about.csv").write_bytes((BYTE_ORDER_MARK + lines.getvalue()).encode())
        if self._book is not None:
            self._book.add_pairs("about", about)
            self._book.close()


def _workbook(folder: Path, place: LogPlace) -> "Workbook":
    from tallystick.accounting.spreadsheet import Workbook  # noqa: PLC0415 - an extra

    foot = f"{place.origin}, entry {place.index}, root {place.root_text}"
    return Workbook(folder / "papers.xlsx", f"Working papers of the log {place.origin}", foot)


def _posting_rows(entry: BookedEntry) -> Iterator[Row]:
    command = entry.event.command
    of_entry = entry.index, entry.day, format_instant(entry.at), entry.event.kind, command.party, command.ref
    for booked in entry.postings:
        _, source, source_id, target, target_id, amount_fen = booked.posting
        yield (
            *of_entry,
            booked.day,
            booked.programme,
            source,
            source_id,
            target,
            target_id,
            number_of(amount_fen),
            booked.source.name,
            booked.target.name,
        )


def _cell(column: Column, cell: Cell) -> Cell:
    if cell is None:
        return None
    if column.type == "day":
        return format_day(cell) if isinstance(cell, int) else None
    return guarded(str(cell)) if column.type == "text" else cell
