"""The client of a service: it sends notes, verifies what comes back against a trust policy, and follows a log.

It never reads a ledger's files: what it knows of a log is what it has verified.
"""
