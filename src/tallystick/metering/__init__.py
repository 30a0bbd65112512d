"""Usage records in, burn lines out: what a provider's own systems know of who held which GPUs, and when.

    reader of a format ──► Run | Skipped ──► one run each ──► the mapping ──► UsageLine | Skipped ──► counts
    (slurm_text, …)        runs.py            (runs.py)       assigning.py                       reading.py

All of it is pure: bytes or rows come in, nothing is asked of a clock, a log or a network. Nothing is guessed: each
record ends as lines, or under one reason of a closed list (`reasons.py`), and the counts add up.
"""
