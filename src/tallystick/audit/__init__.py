"""An auditor that trusts nothing but a policy obtained out of band: it decides again and hashes again, all of it.

    auditing.py   the whole audit on one screen: `audit(source, policy) -> Report`
    sources.py    what a source is; store.py (over sqlite.py or postgres.py), tiles.py: the bytes in it; evidence.py:
                  what they have in common
    edition.py    whether its rules are known
    newest.py     the checkpoint that all is held to
    replay.py     each entry decided anew; checks.py: does the money add up; filing.py: is it filed as it says
    tree.py       the tree rebuilt; series.py: every checkpoint of it
    receipts.py   what the log gave before; prior_checkpoints.py: does that still hold
    earlier.py    an earlier audit's report and state, to go on from; joining.py: does the log go on from there
    report.py     what comes out; the closed list of what can be wrong is tallystick/findings.py

It shares the rules, formats and arithmetic with the writer, and none of the writer's storage: stores are read by
SQLite and psycopg themselves.
"""

from tallystick.audit.auditing import Progress, audit
from tallystick.audit.report import Report
from tallystick.findings import Finding, FindingCode

__all__ = ["Finding", "FindingCode", "Progress", "Report", "audit"]
