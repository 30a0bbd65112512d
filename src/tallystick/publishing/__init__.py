"""What others are handed of a log: it is read, proved, exported, cosigned and copied, and never written to here.

    reader.py        a log as it stood when it was opened, for anybody
    static_store.py  an export, read like a store
    recorded.py      which notes a log has already
    proving.py       inclusion and consistency, verified before they are handed on
    export.py        a log as static files
    saved_states.py  states beside an export
    verify_page.py   the verifier's page, which every export carries
    cosigning.py     witnesses' lines, kept beside the checkpoint that they are of
    backup.py        a copy that is a ledger of its own; proven_copy.py proves it group by group

It reads the stores of `ledger`, and a restore makes one; the writer knows nothing of it.
"""

from tallystick.publishing.reader import Reader, read_ledger

__all__ = ["Reader", "read_ledger"]
