"""The HTTP service of a log: notes in, receipts, tiles, balances and events out, each to those who may read them.

It writes through `ledger` alone, reads through `publishing` and `views`, and says all in the shapes of `wire`.
"""
