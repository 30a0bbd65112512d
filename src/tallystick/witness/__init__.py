"""A witness cosigns a log's checkpoints, and never two that no consistency proof joins, whoever asks and however often.

    request.py      what it is asked: add-checkpoint of C2SP tlog-witness          pure
    deciding.py     what it answers, in the order of the specification             pure
    state.py        the newest tree cosigned, by origin; checked and replaced in one atomic step
    cosigner.py     a witness in its folder: key, logs that it knows, state
    server.py       the same over HTTP
    asking.py       the other side: a log asks a witness, and trusts it with nothing

It sees roots and proofs, and no entry: that the entries are right is an audit's matter. It knows nothing of ledgers.
"""
