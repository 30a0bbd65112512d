"""Write the tables of docs/scale.md from their arithmetic: `make docs-tables`.

What was measured and what is assumed stands first, once each; everything else follows from it. A table stands between
`<!-- from the arithmetic: NAME -->` and `<!-- end -->`, and what is there is replaced. With `--check` nothing is
written, and status 1 says that the page differs.
"""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.transparency.receipt import Receipt

PAGE: Final = "scale.md"
_TABLE: Final = re.compile(r"(<!-- from the arithmetic: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)

# Measured, 30 November 2026, two slow cores; docs/scale.md says how.
LINE_BYTES: Final = 88.6
SINGLE_ENTRY_BYTES: Final = 542
RECORDED_BYTES: Final = 663
AUDIT_US: Final = 13.2
SINGLE_AUDIT_US: Final = 440.0
"""3,800 entries a second on two cores."""
BASE_MB: Final = 62
MEMORY_BYTES: Final = 208
STATE_BYTES: Final = 81.4
STATE_LOAD_US: Final = 0.08
STATE_WRITE_US: Final = 0.2
STATEMENT_LINES_A_SECOND: Final = 111_000
SINGLE_LINES_A_SECOND: Final = 2_500
OTHER_ENTRIES: Final = 32_296 / 17
OTHER_BYTES: Final = 25_600_000 / 17
"""Of a city a year, at real size: what isn't lines (ten years of 17 cities at a tenth are one year of them)."""

# Assumed.
CITIES: Final = 300
LINES: Final = 1_000_000_000
LARGEST_SHARE: Final = 0.2
LINES_AN_ENTRY: Final = 600
WINDOW_DAYS: Final = 92
PEAK: Final = 10
CORES: Final = 2
EFFICIENCY: Final = 0.8
NETWORK_BYTES_A_SECOND: Final = 125_000_000
MACHINE_GIB: Final = 8
YUAN_A_GB_MONTH: Final = 0.12
YUAN_A_MILLION_WRITES: Final = 1.0

HASH: Final = 32
WIDTH: Final = 256
YEAR_SECONDS: Final = 365 * 86_400
MB, GB, GIB = 10**6, 10**9, 2**30


@dataclass(frozen=True, slots=True)
class Log:
    """A log of so many lines a year.

    Attributes:
        lines: a year.
        cities: whose other commands it has too.
        an_entry: lines in one.
    """

    name: str
    lines: float
    cities: float
    an_entry: int = LINES_AN_ENTRY

    @property
    def entries(self) -> float:
        """A year."""
        return self.lines / self.an_entry + self.cities * OTHER_ENTRIES

    @property
    def size(self) -> float:
        """Bytes of entries a year."""
        a_line = LINE_BYTES if self.an_entry > 1 else SINGLE_ENTRY_BYTES
        return self.lines * a_line + self.cities * OTHER_BYTES

    @property
    def hashes(self) -> float:
        """Bytes of the tree a year: a hash an entry, and one for each 256 below it."""
        return self.entries * HASH * WIDTH / (WIDTH - 1)

    @property
    def bundles(self) -> float:
        """Full ones a year; of tiles as many at the lowest level."""
        return self.entries / WIDTH

    @property
    def tiles(self) -> float:
        """Full ones a year, of all levels."""
        return self.entries / WIDTH * WIDTH / (WIDTH - 1)

    @property
    def remembered(self) -> float:
        """Lines in the burn window."""
        return self.lines * WINDOW_DAYS / 365

    @property
    def memory(self) -> float:
        """Bytes of memory of a writer or an audit."""
        return BASE_MB * MB + self.remembered * MEMORY_BYTES

    @property
    def state(self) -> float:
        """Bytes of a saved state."""
        return self.remembered * STATE_BYTES


ONE: Final = Log("one log for all", LINES, CITIES)
LARGEST: Final = Log("the largest city", LINES * LARGEST_SHARE, 1)
AVERAGE: Final = Log("a city on average", LINES / CITIES, 1)
LOGS: Final = (ONE, LARGEST, AVERAGE)


def written(page: str) -> str:
    """Return a page with its tables as they are computed.

    Raises:
        KeyError: the page asks for a table that there isn't.
    """
    return _TABLE.sub(lambda match: match[1] + TABLES[match[2]]() + match[4], page)


def receipt_size(entries: int) -> int:
    """Return the bytes of a receipt without its entry, of a log of so many entries, with two cosignatures."""
    line = f"— tallystick.example/shanghai {'A' * 92}\n"
    witnesses = "".join(f"— witness-{one}.example/tallystick {'A' * 104}\n" for one in "ab")
    note = f"tallystick.example/shanghai\n{entries}\n{'A' * 43}=\n\n{line}{witnesses}"
    depth = (entries - 1).bit_length()
    return len(Receipt(entries - 1, (bytes(HASH),) * depth, note.encode()).to_bytes())


def lines_that_fit(gib: float) -> float:
    """Return how many lines in the burn window fit into so much memory."""
    return (gib * GIB - BASE_MB * MB) / MEMORY_BYTES


def audit_seconds(lines: float, machines: int) -> float:
    """Return how long an audit takes whose segments run on all cores of so many machines."""
    return lines * AUDIT_US / 1e6 / (machines * CORES * EFFICIENCY)


def read_seconds(size: float, machines: int) -> float:
    """Return how long so many machines read so many bytes, each over its own line."""
    return size / (NETWORK_BYTES_A_SECOND * machines)


# --------------------------------------------------------------------------------------------------------- tables


def _given() -> str:
    rows = [
        ("a line in a statement of 600", f"{LINE_BYTES} bytes", "measured"),
        ("an entry of one line", f"{SINGLE_ENTRY_BYTES} bytes", "measured"),
        ("an entry that records a checkpoint without cosignatures", f"{RECORDED_BYTES} bytes", "measured"),
        ("auditing a line in a statement, processor time", f"{AUDIT_US} µs", "measured"),
        ("auditing an entry of one line, processor time", f"{SINGLE_AUDIT_US:.0f} µs", "`make bench`"),
        ("memory of a writer or an audit of a small log", f"{BASE_MB} MB", "measured"),
        ("memory for each line in the burn window", f"{MEMORY_BYTES} bytes", "measured"),
        ("a saved state, for each line in the burn window", f"{STATE_BYTES} bytes", "measured"),
        ("reading it, for each of these lines", f"{STATE_LOAD_US} µs", "measured"),
        ("writing it, likewise", f"{STATE_WRITE_US} µs", "measured"),
        ("burn lines in statements that a writer takes", f"{STATEMENT_LINES_A_SECOND:,} a second", "`make bench`"),
        ("single lines that it takes, one by one", f"{SINGLE_LINES_A_SECOND:,} a second", "`make bench`"),
        ("entries of a city a year that are no lines", f"{_two(OTHER_ENTRIES)}", "`make bench-decade`"),
        ("their bytes", _bytes(OTHER_BYTES), "`make bench-decade`"),
        ("cities, each with its log", f"{CITIES}", "assumed"),
        ("lines a year in all", _count(LINES), "assumed"),
        ("the largest city's part of them", f"{100 * LARGEST_SHARE:.0f} %", "assumed"),
        ("lines in a statement", f"{LINES_AN_ENTRY}", "assumed; up to 723 fit"),
        ("burn window", f"{WINDOW_DAYS} days", "that of `network found`"),
        ("the busiest hour", f"{PEAK} times the average", "assumed"),
        ("a machine", f"{CORES} cores, {MACHINE_GIB} GiB, 1 Gbit/s", "assumed"),
        ("what segments reach of all cores", f"{100 * EFFICIENCY:.0f} %", "assumed"),
        ("object storage", f"{YUAN_A_GB_MONTH} yuan a GB and month", "assumed; ask yours"),
        ("writing a million objects", f"{YUAN_A_MILLION_WRITES:.0f} yuan", "assumed; ask yours"),
    ]
    return _table(("what", "how much", "from"), rows)


def _sizes() -> str:
    rows: list[tuple[str, Callable[[Log], str]]] = [
        ("lines a year", lambda log: _count(log.lines)),
        ("lines a second, on average and ten times that", lambda log: _rates(log.lines)),
        ("entries a year", lambda log: _count(log.entries)),
        ("entries, bytes a year", lambda log: _bytes(log.size)),
        ("the tree, bytes a year", lambda log: _bytes(log.hashes)),
        ("full bundles a year", lambda log: _count(log.bundles)),
        ("a full bundle", lambda log: _bytes(log.size / log.bundles)),
        ("full tiles a year, of 8,192 bytes each", lambda log: _count(log.tiles)),
        ("hashes in a receipt after ten years", lambda log: str((round(10 * log.entries) - 1).bit_length())),
        ("a receipt without its entry after ten years", lambda log: _bytes(receipt_size(round(10 * log.entries)))),
    ]
    return _of_logs(rows, LOGS)


def _single() -> str:
    logs = [Log(log.name, log.lines, log.cities, 1) for log in LOGS]
    rows: list[tuple[str, Callable[[Log], str]]] = [
        ("entries a year", lambda log: _count(log.entries)),
        ("entries, bytes a year", lambda log: _bytes(log.size)),
        ("the tree, bytes a year", lambda log: _bytes(log.hashes)),
        ("full bundles a year, and as many tiles", lambda log: _count(log.bundles)),
        ("a full bundle", lambda log: _bytes(log.size / log.bundles)),
        ("hashes in a receipt after ten years", lambda log: str((round(10 * log.entries) - 1).bit_length())),
    ]
    return _of_logs(rows, logs)


def _writers() -> str:
    def part(log: Log, rate: int) -> str:
        return f"1/{_count(rate / (log.lines / YEAR_SECONDS))}"

    rows: list[tuple[str, Callable[[Log], str]]] = [
        ("of a writer's rate in statements", lambda log: part(log, STATEMENT_LINES_A_SECOND)),
        ("of its rate with single lines, one by one", lambda log: part(log, SINGLE_LINES_A_SECOND)),
        ("a month's lines in statements, all at once", lambda log: _time(log.lines / 12 / STATEMENT_LINES_A_SECOND)),
        ("the same as single lines", lambda log: _time(log.lines / 12 / SINGLE_LINES_A_SECOND)),
    ]
    return _of_logs(rows, LOGS)


def _states() -> str:
    rows: list[tuple[str, Callable[[Log], str]]] = [
        ("lines in the burn window", lambda log: _count(log.remembered)),
        ("memory of a writer or an audit", lambda log: _bytes(log.memory)),
        ("a saved state", lambda log: _bytes(log.state)),
        ("reading one", lambda log: _time(log.remembered * STATE_LOAD_US / 1e6)),
        ("lines from state to state, for 5 % of a segment's time", lambda log: _count(interval(log))),
        ("states a year at that", lambda log: _count(max(1, log.lines / interval(log)))),
        ("their bytes a year", lambda log: _bytes(max(1, log.lines / interval(log)) * log.state)),
    ]
    return _of_logs(rows, LOGS)


def interval(log: Log) -> float:
    """Return how many lines a segment has, so that reading its state and comparing the next takes a twentieth."""
    return 20 * log.remembered * (STATE_LOAD_US + STATE_WRITE_US) / AUDIT_US


def _audits() -> str:
    machines = (1, 10, 100)
    head = ("", *[f"{n} machine{'s' * (n > 1)}" for n in machines])
    rows = [
        (f"{name}: to decide anew", *[_time(audit_seconds(lines, n)) for n in machines])
        for name, lines in (("all of a year", LINES), ("the largest city's year", LARGEST.lines))
    ]
    rows.append(("all of a year: to read", *[_time(read_seconds(LINES * LINE_BYTES, n)) for n in machines]))
    rows.append(("all of ten years: to decide anew", *[_time(audit_seconds(10 * LINES, n)) for n in machines]))
    return _table(head, rows)


def _requests() -> str:
    log, rows = LARGEST, []
    for name, seconds in (("minute", 60), ("hour", 3_600), ("day", 86_400)):
        published = YEAR_SECONDS / seconds
        grown = min(published, log.entries)
        partial = grown * log.size / log.bundles / 2
        writes = published + 4 * grown + log.bundles + log.tiles
        kept = (log.size + log.hashes) / GB * YUAN_A_GB_MONTH * 12 + writes / MB * YUAN_A_MILLION_WRITES
        with_partial = kept + partial / GB * YUAN_A_GB_MONTH * 12
        row = (f"each {name}", _count(writes), _bytes(partial), f"{_count(kept)} yuan", f"{_count(with_partial)} yuan")
        rows.append(row)
    head = ("published", "objects written", "bytes of partial bundles", "kept without them", "kept with them")
    return _table(head, rows)


def _recorded() -> str:
    rows = []
    for name, a_year in (("each day", 365), ("each hour", 8_760), ("each minute", 525_600)):
        entries = CITIES * a_year
        seconds = entries * SINGLE_AUDIT_US / 1e6 / (CORES * EFFICIENCY)
        rows.append((name, _count(entries), _bytes(entries * RECORDED_BYTES), _time(seconds)))
    return _table(("recorded", "entries a year", "bytes a year", "to audit a year of it on one machine"), rows)


def _breaks() -> str:
    fits = lines_that_fit(MACHINE_GIB) * 365 / WINDOW_DAYS
    rows = [
        (f"lines a year, of a log whose window fits {MACHINE_GIB} GiB", _count(fits)),
        ("that is, of the network's lines", f"{100 * fits / LINES:.0f} %"),
        ("its saved state", _bytes(lines_that_fit(MACHINE_GIB) * STATE_BYTES)),
        ("lines a year, at a tenth of a writer's rate in statements", _peak_lines(STATEMENT_LINES_A_SECOND)),
        ("the same with single lines", _peak_lines(SINGLE_LINES_A_SECOND)),
    ]
    return _table(("bound", "where"), rows)


def _peak_lines(a_second: int) -> str:
    return _count(a_second / PEAK * YEAR_SECONDS)


TABLES: Final[dict[str, Callable[[], str]]] = {
    "given": _given,
    "sizes": _sizes,
    "single": _single,
    "writers": _writers,
    "states": _states,
    "audits": _audits,
    "requests": _requests,
    "recorded": _recorded,
    "breaks": _breaks,
}


# --------------------------------------------------------------------------------------------------------- as text


def _of_logs(rows: Sequence[tuple[str, Callable[[Log], str]]], logs: Sequence[Log]) -> str:
    head = ("", *[log.name for log in logs])
    return _table(head, [(name, *[value(log) for log in logs]) for name, value in rows])


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), re.sub(r"[^|]+", "---", _row(head)), *map(_row, rows)]
    return "".join(f"{line}\n" for line in lines)


def _row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _count(value: float) -> str:
    """Return a count with two significant digits, in words from a million on."""
    for unit, name in ((1e9, " billion"), (1e6, " million")):
        if value >= unit:
            return f"{_two(value / unit)}{name}"
    return _two(value)


def _bytes(value: float) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{_two(value / unit)} {name}"
    return f"{_two(value)} bytes"


def _time(seconds: float) -> str:
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds")):
        if seconds >= 2 * unit or (unit == 1 and seconds >= 1):
            return f"{_two(seconds / unit)} {name}"
    return f"{_two(1_000 * seconds)} ms"


def _two(value: float) -> str:
    """Return a number with two significant digits and no more."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def _rates(lines: float) -> str:
    a_second = lines / YEAR_SECONDS
    return f"{_two(a_second)}, {_two(PEAK * a_second)}"


def main(folder: Path, *, check: bool) -> int:
    """Write the page of a folder, or compare it, and return the exit status."""
    page = folder / PAGE
    before = page.read_text("utf-8")
    after = written(before)
    if check and after != before:
        print(f"{page}: a table isn't what the arithmetic says; run `make docs-tables`", file=sys.stderr)
        return 1
    if after != before:
        page.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], check="--check" in sys.argv[1:]))
