"""The client of a service: it sends notes, verifies what comes back against a trust policy, and follows a log.

    client.py      Client: everything that a party asks for
    connection.py  one answer from one of a server's URLs, bounded, tried again where that is harmless
    proving.py     receipts and entries, proved up to a tree that the log signed
    newest.py      the newest checkpoint that was seen, which everything later must go on from
    tiles.py       hash tiles from the server
    batches.py     many notes in few requests
    resources.py   where things are, and what answers about them look like
    problems.py    a problem as an error with its reason
    sessions.py    logging in by a signed note
    auditors.py    receipts handed on to auditors
    answers.py     what a caller is given

It never reads a ledger's files: what it knows of a log is what it has verified. `docs/client.md` shows its use.
"""

from tallystick.client.answers import Checked, LogEntry, Recorded, Submitted
from tallystick.client.client import Client
from tallystick.client.endpoint import Patience

__all__ = ["Checked", "Client", "LogEntry", "Patience", "Recorded", "Submitted"]
