"""What one party may be handed, and can prove with the trust policy alone: a part of the log with nothing left out.

    balance_proof.py    one account's balance, as a seal committed to it
    proving_balance.py  made from the views
    dossier_lines.py    a dossier's file: a head and an entry a line
    gathering.py        which entries a dossier needs: the subject's, and what those were decided by
    writing.py          gathered, proved, written
    replaying.py        a part of the log is replayed: the subject's entries decided anew, the others believed
    examining.py        what a dossier proves, or what is wrong with it (tallystick/findings.py)
    dossier_report.py   what that comes to

Examining reads a file and nothing else; writing needs the ledger and its views.
"""
