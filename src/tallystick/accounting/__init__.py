"""Books for others: what a log's postings are in the forms that accountants, banks and spreadsheets read.

    postings.py   a log replayed: what each entry posts, and the lines that it burns or takes back
    accounts.py   the journal's accounts, and how each is called in hledger and in beancount

Nothing here decides, and nothing here writes to a ledger: every figure is a posting of the replayed log.
"""

from tallystick.accounting.accounts import JournalAccount
from tallystick.accounting.postings import BookedEntry, BookedPosting, UsedLine, booked_entries

__all__ = ["BookedEntry", "BookedPosting", "JournalAccount", "UsedLine", "booked_entries"]
