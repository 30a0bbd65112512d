"""An auditor that trusts nothing but a policy obtained out of band: it decides again and hashes again, all of it.

    auditing.py           the whole audit on one screen: `audit(source, policy) -> Report`
    evidence_source.py    what a source is
    evidence.py           what an audit reads of any source
    store_evidence.py     a ledger's tables (over sqlite_evidence.py or postgres_evidence.py)
    tile_evidence.py      an export
    edition.py            whether its rules are known
    newest.py             the checkpoint that all is held to
    walk.py               entries, tree and all that was said of it, from one place to another
    replay.py             each entry decided anew
    book_checks.py        does the money add up
    statement_checks.py   does what is remembered of statements fit together
    filing.py             is an entry filed as it says
    tree.py, series.py    the tree rebuilt, and every checkpoint of it
    stored_states.py      the states beside an export
    segments.py           one segment between two of them, by itself; in a process: segment_processes.py
    chain.py              segments that prove an export, link by link
    receipts.py           what the log gave before
    prior_checkpoints.py  does that still hold
    earlier.py            an earlier audit's report and state, to go on from
    joining.py            does the log go on from there
    review.py             what keys signed that were revoked as compromised
    report.py             what comes out; the closed list of what can be wrong is tallystick/findings.py

    network_audit.py      several logs, each by itself and then together
    one_of_several.py     one of them, here or in a process (log_processes.py, log_process.py)
    recorded_checkpoints.py  does what one log recorded of another hold
    uses.py, used_twice.py   what each used, and what two did
    network_report.py     what comes out of that

It shares the rules, formats and arithmetic with the writer, and none of the writer's storage: stores are read by
SQLite and psycopg themselves.
"""

from tallystick.audit.auditing import audit
from tallystick.audit.report import Report
from tallystick.findings import Finding, FindingCode
from tallystick.progress import Progress

__all__ = ["Finding", "FindingCode", "Progress", "Report", "audit"]
