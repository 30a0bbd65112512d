"""Tamper evidence: one growing Merkle tree, its signed checkpoints, and proofs that need no server. Pure.

    encoding      numbers and hashes as text, in canonical encoding
    merkle        leaf and node hashes, the tree's right edge (RFC 6962)
    tiles         the tree and the entries as static files (C2SP tlog-tiles)
    proofs        inclusion and consistency, made from tiles and verified without them (RFC 9162)
    checkpoint    origin, size and root, signed by the log (C2SP tlog-checkpoint)
    cosignature   a witness saw this checkpoint and no other (C2SP tlog-cosignature)
    merging       the cosignatures of one checkpoint, from several copies of its note
    policy        which logs and witnesses count, and how many (C2SP tlog-policy)
    receipt       one entry's proof in a file (C2SP tlog-proof)

It knows bytes, hashes and notes, and nothing of what entries mean. The formats are written out in
docs/formats.md.
"""
