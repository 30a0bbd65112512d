"""Usage against a log: what has to be burned, what shouldn't stand there, and whether both say the same.

    standing.py      what a log has of a provider's jobs, out of its entries
    matching.py      which lines of the log are of which run
    planning.py      usage − what stands = lines to burn, reversals proposed
    splitting.py     lines are cut at days, months, ends and bounds
    statements.py    lines fill statements, each with a reference that follows from them
    evidence.py      the root over the salted hashes of their records
    preview.py       what the log would say, asked of it before anything is sent
    payments.py      claims against a bank's file
    reconciling.py   usage and log compared, both ways
    logs.py          where entries come from: a ledger, an export, a log's server

All of it is pure but `logs.py`, which reads. Nothing here signs, and nothing is reversed without being asked.
"""
