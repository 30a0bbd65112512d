"""Who said it: signed notes, the keys that sign them, and one byte string per value.

    canonical_json   a value <-> its only encoding (RFC 8785, restricted)
    algorithms       the one table of what may sign, and of hash functions
    ed25519          which keys are refused, and which signatures count
    keys             key names, key ids, vkey text (C2SP signed-note)
    note             parse, verify and sign notes (C2SP signed-note)

All of it is pure: bytes in, bytes or values out. Whether a key counts, and what a command means, is decided elsewhere.
"""
