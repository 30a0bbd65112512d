"""The one writer: it decides commands one after another and keeps what it admits, in one transaction a group.

    submit.py       the life of an entry, from note to receipt, on one screen
    opening.py      a ledger is created, opened for writing, or stood by for
    standing_by.py  a writer in waiting, which takes over when the writer is gone
    tail.py         where a log stands: loaded, or followed
    record.py       eventsourcing's Application: one originator, version = index + 1
    library.py      the only door to eventsourcing
    store.py        what a store has to do; sqlite.py, postgres.py and memory.py do it
    postgres_session.py  a writer's one connection to PostgreSQL: lock, lease, deadline
    sidecar.py      what lies beside a log: a saved state, cosignatures
    recorded_before.py  the answer to a note that comes again
    snapshots.py, settings.py, checking.py, verification.py, clock_guard.py, note_faults.py

What others are handed of a log is in `publishing`, which this package never imports.
A receipt is given only for what is durable and under a signed checkpoint.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallystick.ledger.opening import create_ledger, open_ledger, stand_by
    from tallystick.ledger.pending import Admitted
    from tallystick.ledger.standing_by import StandBy
    from tallystick.ledger.submit import Clock, Ledger, system_clock

__all__ = [
    "Admitted",
    "Clock",
    "Ledger",
    "StandBy",
    "create_ledger",
    "open_ledger",
    "stand_by",
    "system_clock",
]

_HOMES: Final = {
    "tallystick.ledger.opening": ("create_ledger", "open_ledger", "stand_by"),
    "tallystick.ledger.pending": ("Admitted",),
    "tallystick.ledger.standing_by": ("StandBy",),
    "tallystick.ledger.submit": ("Clock", "Ledger", "system_clock"),
}
"""Loaded when first used: whoever reads a log loads the stores, and not the writer."""
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
