"""Signatures are verified and leaves hashed in processes, for writer and audit alike. They decide nothing.

    pool.py             the processes: batches are submitted, and their results waited for
    process.py          what runs in each, and what a batch comes to
    script_process.py   one of our scripts as a process, for audits in several too

No answer depends on them: what a process that is gone owed is computed where it is asked for. Threads don't help: a
writer or an audit that is busy keeps the interpreter's lock from them (docs/decisions/0010).
"""

from tallystick.verifying.pool import Pending, VerificationPool, default_processes
from tallystick.verifying.process import GOOD, UNTOLD, Batch, BatchResult, SignatureJob, is_good, result_of

__all__ = [
    "GOOD",
    "UNTOLD",
    "Batch",
    "BatchResult",
    "Pending",
    "SignatureJob",
    "VerificationPool",
    "default_processes",
    "is_good",
    "result_of",
]
