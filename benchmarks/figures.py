"""The closed list of figures: what each is called, its unit, its goal and its floor, and which part measures it.

`build/bench.json` has exactly the keys of `FIGURES`, `build/bench-large.json` those of `LARGE`. docs/performance.md
says what each one means; its tables are written from this list (`make bench-page`).

A ratio is made of two other figures, round by round: its numerator and denominator were measured in the same round.
"""

from dataclasses import dataclass
from typing import Final

from peers import peers

RATIO: Final = "×"
A_SECOND: Final = "a second"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        key: in the JSON, fixed.
        says: what it is, for people.
        unit: of its value.
        table: of docs/performance.md that has it.
        part: which measures it; empty for a ratio, which is made of others.
        goal: what is aimed at; None if it is shown and not judged.
        floor: what it may not be worse than; None if there is none.
        at_most: goal and floor are upper bounds.
        quotient: the keys of numerator and denominator.
    """

    key: str
    says: str
    unit: str
    table: str
    part: str = ""
    goal: float | None = None
    floor: float | None = None
    at_most: bool = False
    quotient: tuple[str, str] | None = None


def _ratio(
    key: str,
    says: str,
    quotient: tuple[str, str],
    goal: float | None,
    floor: float | None = None,
    *,
    table: str = "judged",
    at_most: bool = False,
) -> Figure:
    return Figure(key, says, RATIO, table, "", goal, floor, at_most, quotient)


def _rates(table: str, part: str, **says: str) -> list[Figure]:
    return [Figure(key, one, A_SECOND, table, part) for key, one in says.items()]


def _measured(table: str, part: str, unit: str, **says: str) -> list[Figure]:
    return [Figure(key, one, unit, table, part) for key, one in says.items()]


# ----------------------------------------------------------------------------------------------------- judged ratios

JUDGED: Final = [
    _ratio(
        "statement_lines_to_library",
        "burn lines in signed statements, decided, durable, SQLite, one core / the library's unsigned batched saves",
        ("statement_lines", "library_sqlite_batched"),
        6.0,
        4.0,
    ),
    _ratio(
        "statement_lines_to_hypercore",
        "the same / hypercore's signed batches",
        ("statement_lines", "hypercore_signed_batches"),
        1.5,
        1.0,
    ),
    _ratio(
        "statement_lines_to_umadb",
        "the same / UmaDB's unsigned batches, as large as suits it best",
        ("statement_lines", "umadb_large_batches"),
        0.8,
    ),
    _ratio(
        "single_commands_to_verification",
        "single signed commands in process, in batches / two-thread verification by `cryptography`",
        ("single_commands_batched", "verify_cryptography_2_threads"),
        0.80,
        0.60,
    ),
    _ratio(
        "single_commands_alone_to_batched",
        "the same from 64 that send one by one / batched",
        ("single_commands_alone", "single_commands_batched"),
        0.80,
        0.60,
    ),
    _ratio(
        "audit_single_entries_to_verification",
        "audit of single-line entries / two-thread verification by `cryptography`",
        ("audit_single_entries", "verify_cryptography_2_threads"),
        1.0,
        0.70,
    ),
    _ratio(
        "audit_segments_2_to_1",
        "audit of statement lines, segmented on two workers / the same segments on one",
        ("audit_segments_2_workers", "audit_segments_1_worker"),
        1.8,
        1.6,
    ),
    _ratio(
        "audit_segments_2_to_one_piece",
        "the same on two workers / in one piece by one process",
        ("audit_segments_2_workers", "audit_in_one_piece"),
        None,
    ),
    _ratio(
        "audit_dask_to_segments",
        "two Dask workers on this machine / the same segments without Dask",
        ("audit_segments_dask", "audit_segments_2_workers"),
        0.85,
        0.75,
    ),
    _ratio(
        "audit_since_to_full",
        "audit of a million lines in 260 days since a report, 1 % new / the full audit, in CPU time",
        ("curve_audit_since_1000000_cpu_seconds", "curve_audit_1000000_cpu_seconds"),
        0.02,
        0.05,
        at_most=True,
    ),
    _ratio(
        "postgres_statement_lines_to_sqlite",
        "burn lines in statements on PostgreSQL / on SQLite",
        ("postgres_statement_lines", "statement_lines"),
        0.6,
        0.4,
    ),
    _ratio(
        "postgres_statement_lines_to_library",
        "the same / the event library's batched saves on PostgreSQL",
        ("postgres_statement_lines", "library_postgres_batched"),
        5.0,
        4.0,
    ),
    Figure(
        "audit_memory_mb",
        "audit of a million lines of one day, all remembered: the most memory that one of its processes had",
        "MB",
        "judged",
        "curve",
        250.0,
        300.0,
        at_most=True,
    ),
    Figure(
        "receipt_beside_bytes",
        "receipt at 10⁷ entries: what it has beside the entry",
        "bytes",
        "judged",
        "receipts",
        2_048.0,
        2_048.0,
        at_most=True,
    ),
    Figure(
        "receipt_ms",
        "receipt at 10⁷ entries: proved and verified, CPU time",
        "ms",
        "judged",
        "receipts",
        1.0,
        1.0,
        at_most=True,
    ),
    _ratio(
        "open_snapshot_to_replay",
        "open a million lines from a snapshot / replay them, in CPU time",
        ("curve_open_1000000_cpu_seconds", "curve_replay_1000000_cpu_seconds"),
        0.05,
        0.1,
        at_most=True,
    ),
    _ratio(
        "export_hashes_to_sha256",
        "verify a whole export's hashes / SHA-256 alone of the same files, in bytes a second of CPU time",
        ("export_hashes_mb", "export_sha256_mb"),
        0.5,
        0.3,
    ),
    _ratio(
        "export_single_hashes_to_sha256",
        "the same of an export of single-line entries",
        ("export_single_hashes_mb", "export_single_sha256_mb"),
        None,
    ),
    _ratio(
        "help_to_python",
        "`tallystick --help` / `python -c pass`, whole processes, CPU time",
        ("process_help_ms", "process_python_ms"),
        5.0,
        8.0,
        at_most=True,
    ),
    _ratio(
        "balances_to_python",
        "`tallystick balances` on a small ledger / `python -c pass`, whole processes, CPU time",
        ("process_balances_ms", "process_python_ms"),
        15.0,
        20.0,
        at_most=True,
    ),
]

# ---------------------------------------------------------------------------------------------------------- measured

LIMITS: Final = [
    *_rates(
        "limits",
        "verification",
        verify_cryptography_1_thread="Ed25519 with our accept set by `cryptography`, one thread",
        verify_cryptography_2_threads="the same, two threads",
    ),
    *_rates(
        "limits",
        "verification_sodium",
        verify_sodium_1_thread="Ed25519 with our accept set by libsodium (PyNaCl), one thread",
        verify_sodium_2_threads="the same, two threads",
    ),
    *_measured(
        "limits",
        "hashing",
        "MB/s",
        sha256_large_mb="SHA-256 of 16 MB at once, one thread",
        sha256_entry_mb="SHA-256 of buffers as large as a single-line entry, one thread",
    ),
    *_rates(
        "limits",
        "sqlite_commits",
        sqlite_commits="durable commits by SQLite: WAL, `synchronous=FULL`, one row each",
    ),
    *_rates("limits", "postgres_commits", postgres_commits="durable commits by PostgreSQL: `fsync=on`, one row each"),
]
LIBRARY: Final = [
    *_rates(
        "library",
        "library",
        library_sqlite_one_by_one="plain `eventsourcing` on SQLite, a transaction each",
        library_sqlite_batched="the same, 1,000 in a transaction",
    ),
    *_rates("library", "library_postgres", library_postgres_batched="the same on PostgreSQL, 1,000 in a transaction"),
]
OURS: Final = [
    *_rates("ours", "statements", statement_lines="burn lines in statements of 200, SQLite, one process, one thread"),
    *_rates("ours", "postgres_statements", postgres_statement_lines="the same on PostgreSQL"),
    *_rates(
        "ours",
        "single_commands",
        single_commands_batched="single-line commands from 4 submitters with 256 each",
        single_commands_alone="the same from 64 submitters that send one by one and wait",
    ),
    *_rates("ours", "audit_single", audit_single_entries="single-line entries audited, two cores"),
    *_rates("ours", "audit_statements", audit_statement_lines="lines of statements audited, two cores"),
    *_rates(
        "ours",
        "audit_segments",
        audit_segments_1_worker="lines of statements of an export audited in segments, one worker",
        audit_segments_2_workers="the same, two workers",
        audit_in_one_piece="the same export audited in one piece by one process",
    ),
    *_rates("ours", "audit_dask", audit_segments_dask="the same, two Dask workers"),
    *_measured(
        "ours",
        "curve",
        "s",
        one_day_audit_cpu_seconds="audit of a million lines of one day, all remembered, CPU time",
        one_day_audit_since_cpu_seconds="the same since a report, 1 % new",
    ),
    *_measured(
        "ours",
        "export_hashes",
        "MB/s",
        export_hashes_mb="an export of statements: its hashes verified from the signed root down, CPU time",
        export_sha256_mb="SHA-256 of the same files, each at once, CPU time",
        export_single_hashes_mb="an export of single-line entries: its hashes verified",
        export_single_sha256_mb="SHA-256 of the same files, each at once",
    ),
    *_measured(
        "ours",
        "processes",
        "ms",
        process_python_ms="`python -c pass`, CPU time",
        process_python_wall_ms="the same, wall time",
        process_help_ms="`tallystick --help`, CPU time",
        process_help_wall_ms="the same, wall time",
        process_balances_ms="`tallystick balances` on a small ledger, CPU time",
        process_balances_wall_ms="the same, wall time",
    ),
]
PEERS: Final = {
    name: [Figure(key, says, unit, "peers", name) for key, (unit, says) in peer.FIGURES.items()]
    for name, peer in peers().items()
}
"""What each peer measures, by the name of its module: `peers/` says it, and a peer more is a file more there."""

# ------------------------------------------------------------------------------------------- what stands on the engine

HTTP_WAYS: Final = ("64_connections", "256_connections", "batches_of_256")
HTTP_VIEWS: Final = ("voucher", "programme_balances")
_WAYS_SAY: Final = {
    "64_connections": "each alone, 64 connections",
    "256_connections": "each alone, 256 connections",
    "batches_of_256": "256 in a request",
}
_HTTP_BOUNDS: Final = {"64_connections": 2.0, "256_connections": 2.0, "batches_of_256": 1.15}
HTTP: Final = [
    *_measured(
        "http",
        "http",
        "µs",
        http_in_process_cpu_us="a single-line command in process, in batches of 256, CPU time",
        http_views_cpu_us="its views, followed in the same process",
        **{f"http_{way}_cpu_us": f"over HTTP, {_WAYS_SAY[way]}, with views" for way in HTTP_WAYS},
        **{f"http_{way}_without_views_cpu_us": f"over HTTP, {_WAYS_SAY[way]}, without views" for way in HTTP_WAYS},
        http_view_voucher_cpu_us="a voucher with a line for each statement, worked out",
        http_view_voucher_unchanged_cpu_us="the same, unchanged: 304",
        http_view_programme_balances_cpu_us="the balances of one programme, worked out",
        http_view_programme_balances_unchanged_cpu_us="the same, unchanged: 304",
    ),
    *_measured(
        "http",
        "http",
        "ms",
        http_half_load_median_ms="half of the answers at half load",
        http_half_load_p99_ms="99 of 100 answers at half load",
        http_full_group_ms="a full group of 512 commands in process, CPU time",
    ),
    *_rates("http", "http", **{f"http_{way}_rate": f"commands over HTTP, {_WAYS_SAY[way]}" for way in HTTP_WAYS}),
    *_rates(
        "http",
        "http",
        **{f"http_{way}_without_views_rate": f"the same without views, {_WAYS_SAY[way]}" for way in HTTP_WAYS},
    ),
    *[
        _ratio(
            f"http_{way}_to_in_process",
            f"a command over HTTP, {_WAYS_SAY[way]} / in process",
            (f"http_{way}_cpu_us", "http_in_process_cpu_us"),
            _HTTP_BOUNDS[way],
            table="http",
            at_most=True,
        )
        for way in HTTP_WAYS
    ],
    *[
        _ratio(
            f"http_{way}_without_views_to_in_process",
            f"the same without views, {_WAYS_SAY[way]}",
            (f"http_{way}_without_views_cpu_us", "http_in_process_cpu_us"),
            None,
            table="http",
            at_most=True,
        )
        for way in HTTP_WAYS
    ],
    _ratio(
        "http_half_load_p99_to_full_group",
        "99 of 100 answers at half load / a full group in process",
        ("http_half_load_p99_ms", "http_full_group_ms"),
        1.0,
        table="http",
        at_most=True,
    ),
    _ratio(
        "http_view_voucher_unchanged_to_anew",
        "an unchanged view of a voucher / worked out",
        ("http_view_voucher_unchanged_cpu_us", "http_view_voucher_cpu_us"),
        0.05,
        table="http",
        at_most=True,
    ),
    _ratio(
        "http_view_programme_balances_unchanged_to_anew",
        "the same of one programme's balances, the smallest view there is",
        ("http_view_programme_balances_unchanged_cpu_us", "http_view_programme_balances_cpu_us"),
        None,
        table="http",
        at_most=True,
    ),
]
JOURNALS: Final = [
    *_measured(
        "journals", "journal", "s", journal_cpu_seconds="a journal for hledger of 100,000 lines, program start included"
    ),
    *_measured("journals", "journal", "MB", journal_mb="its memory"),
    Figure(
        "journal_million_mb", "memory of a journal of a million lines", "MB", "journals", "journal", 200.0, None, True
    ),
    *_measured("journals", "hledger_check", "s", hledger_check_cpu_seconds="`hledger check --strict` of the journal"),
    *_measured("journals", "hledger_check", "MB", hledger_check_mb="its memory"),
    _ratio(
        "journal_to_hledger_check",
        "a journal written / checked by hledger, CPU time",
        ("journal_cpu_seconds", "hledger_check_cpu_seconds"),
        1.0,
        table="journals",
        at_most=True,
    ),
]
PAGES: Final = {
    "network": "/",
    "treasury": "/treasuries/treasury",
    "programme": "/programmes/treasury/2026",
    "voucher": "/vouchers/treasury/v1",
    "contract": "/contracts/holder/k1",
    "provider": "/providers/provider",
    "holder": "/holders/holder",
    "vouchers": "/vouchers",
    "entries": "/entries",
    "entry": "/entries/50",
    "log": "/log",
}
"""The pages that are asked for, by name."""
_PAGES: Final = [
    *_measured("pages", "pages", "ms", **{f"page_{name}_p95_ms": f"p95 of `{path}`" for name, path in PAGES.items()}),
    Figure(
        "page_slowest_p95_ms", "p95 of the slowest page, of a million lines", "ms", "pages", "pages", 50.0, None, True
    ),
    Figure(
        "page_first_kb", "a first page with all that it loads, compressed", "KB", "pages", "pages", 150.0, None, True
    ),
    Figure("page_chart_kb", "the heaviest chart", "KB", "pages", "pages", 100.0, None, True),
]
USAGE: Final = [
    *_measured(
        "usage",
        "usage_records",
        "s",
        usage_csv_12_cpu_seconds="`csv` reads the rows of `sacct -P`, 12 columns",
        usage_sacct_12_cpu_seconds="the same read and mapped",
        usage_csv_31_cpu_seconds="`csv`, 31 columns",
        usage_sacct_31_cpu_seconds="the same read and mapped",
        usage_orjson_cpu_seconds="orjson parses `sacct --json` at once",
        usage_ijson_cpu_seconds="ijson reads its jobs",
        usage_sacct_json_cpu_seconds="the same read and mapped, a job at a time",
    ),
    *[
        _ratio(key, says, (bare, ours), goal, table="usage")
        for key, says, bare, ours, goal in (
            (
                "usage_31_columns_to_csv",
                "`sacct`, 31 columns: our rate / `csv`'s",
                "usage_csv_31_cpu_seconds",
                "usage_sacct_31_cpu_seconds",
                0.3,
            ),
            (
                "usage_12_columns_to_csv",
                "`sacct`, 12 columns: our rate / `csv`'s",
                "usage_csv_12_cpu_seconds",
                "usage_sacct_12_cpu_seconds",
                0.3,
            ),
            (
                "usage_json_to_orjson",
                "`sacct --json`: our rate / orjson's",
                "usage_orjson_cpu_seconds",
                "usage_sacct_json_cpu_seconds",
                0.5,
            ),
            (
                "usage_json_to_ijson",
                "`sacct --json`: our rate / ijson's",
                "usage_ijson_cpu_seconds",
                "usage_sacct_json_cpu_seconds",
                0.6,
            ),
        )
    ],
    *_measured(
        "usage",
        "plans",
        "s",
        plan_read_cpu_seconds="a log of 200,000 lines read, every entry parsed",
        plan_cpu_seconds="20,000 records planned against it, half of them burned before",
    ),
    _ratio(
        "plan_to_read",
        "a month of usage planned against its log / that log read, CPU time",
        ("plan_cpu_seconds", "plan_read_cpu_seconds"),
        2.0,
        table="usage",
        at_most=True,
    ),
]

# ---------------------------------------------------------------------------------------------------- curve and large

CURVE_LINES: Final = (1_000, 10_000, 100_000, 1_000_000)
CURVE: Final = {
    "append": "statements of 200 decided and durable, the making of notes left out",
    "views": "the views made to follow all of it, from nothing",
    "receipt": "the receipt of one entry",
    "balance": "the balances by voucher, from views that have followed",
    "open": "opened to be written, from its snapshot",
    "replay": "opened to be written, without a snapshot: all is replayed",
    "audit": "audited from nothing, report and state saved",
    "audit_since": "audited since a report of 99 % of it",
    "dossier": "the dossier of the voucher that paid for all of it",
    "export": "exported as static files",
}
"""What is done to a ledger of each size, each in a process of its own."""
ASPECTS: Final = {"cpu_seconds": "s", "wall_seconds": "s", "mb": "MB"}
"""What is recorded of each: processor time of all its processes, time, and the most memory that one of them had."""
_CURVES: Final = [
    Figure(f"curve_{operation}_{lines}_{aspect}", f"{lines:,} lines: {says}", unit, "curve", "curve")
    for lines in CURVE_LINES
    for operation, says in CURVE.items()
    for aspect, unit in ASPECTS.items()
]

FIGURES: Final = {
    one.key: one
    for one in (
        *JUDGED,
        *LIMITS,
        *LIBRARY,
        *OURS,
        *(one for of_peer in PEERS.values() for one in of_peer),
        *HTTP,
        *JOURNALS,
        *_PAGES,
        *USAGE,
        *_CURVES,
    )
}
"""All of them, by key."""

LARGE_LINES: Final = 10_000_000
LARGE_MB: Final = 8_589.934592
"""8 GiB."""
LARGE_OPERATIONS: Final = {
    **CURVE,
    "export_states": "exported with saved states beside it",
    "audit_segments": "audited in segments by two local workers",
    "audit_dask": "audited in segments by two Dask workers, one of which is killed on the way",
}
_UNIT_GOALS: Final = {"mb": LARGE_MB}
LARGE: Final = {
    key: Figure(key, f"{LARGE_LINES:,} lines: {says}", unit, "large", "large", goal, goal, at_most=True)
    for operation, says in LARGE_OPERATIONS.items()
    for aspect, unit in ASPECTS.items()
    for key, goal in ((f"large_{operation}_{aspect}", _UNIT_GOALS.get(aspect)),)
}
"""What `make bench-large` writes, by key."""
