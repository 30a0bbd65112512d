"""A mirror holds a whole log for others, behind another administration, and cosigns what it durably has.

It is a draft: C2SP tlog-mirror had no version when this was written (docs/decisions/0117).

    packages.py     what a log uploads: add-entries, and what the mirror answers about its state     pure
    mirrored_log.py one log's entries and tree, as the static files that auditors read
    state.py        pending and mirrored checkpoints, the next entry; each changed in one atomic step
    mirror.py       a mirror in its folder: key, logs that it knows, state, files
    server.py       the same over HTTP
    pushing.py      the other side: a log brings its entries to a mirror, and trusts it with nothing

A mirror verifies that entries are those that the log's signed tree commits to, and nothing else about them.
"""
