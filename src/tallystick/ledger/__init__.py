"""The one writer: it decides commands one after another and keeps what it admits, in one transaction a group.

    submit.py    the life of an entry, from note to receipt, on one screen
    opening.py   a folder is created, opened for writing, or read
    record.py    eventsourcing's Application: one originator, version = index + 1
    store.py     what a store has to do; sqlite.py and memory.py do it
    cosigning.py witnesses' lines, beside the checkpoint
    snapshots.py, settings.py, checking.py, export.py, verification.py, collector.py

A receipt is given only for what is durable and under a signed checkpoint.
"""

from tallystick.ledger.opening import Reader, create_ledger, open_ledger, read_ledger
from tallystick.ledger.submit import Admitted, Clock, Ledger, system_clock

__all__ = ["Admitted", "Clock", "Ledger", "Reader", "create_ledger", "open_ledger", "read_ledger", "system_clock"]
