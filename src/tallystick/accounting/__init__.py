"""Books for others: what a log's postings are in the forms that accountants, banks and spreadsheets read.

    postings.py   a log replayed: what each entry posts, and the lines that it burns or takes back
    used_lines.py, unasked.py    the lines of statements; what a state needn't keep for its books
    accounts.py   the journal's accounts, and how each is called in hledger and in beancount
    amounts.py    yuan and GPU-hours as journals write them
    chart.py      a treasury's own chart of accounts
    journal.py    transactions, month by month, whatever they are written as
    hledger.py, beancount.py    as these programs read them
    table.py      a journal as rows; csv_journal.py, spreadsheet.py, parquet.py write them
    focus.py      charges as FOCUS 1.2 has them; focus_columns.py
    balances.py   what lies in each account
    bank_file.py  a bank's list of payments, read
    payables.py   what a treasury has to pay now; payments.py, to the bank and back
    plain_sheets.py     sheets of a treasury's own, beside the log
    working_papers.py   what an auditor asks for; roll_forward.py, its sums, sampling.py, its sample
    statement.py  what a statement says of a holder, a provider or a programme
    statement_cells.py  its cells, statement_words.py its words in two languages
    statement_pages.py  set as pages by statement.typ
    log_place.py  where in a log a paper was made

Nothing here decides, and nothing here writes to a ledger: every figure is a posting of the replayed log.
"""

from tallystick.accounting.accounts import JournalAccount
from tallystick.accounting.postings import BookedEntry, BookedPosting, UsedLine, booked_entries

__all__ = ["BookedEntry", "BookedPosting", "JournalAccount", "UsedLine", "booked_entries"]
