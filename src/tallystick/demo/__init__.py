"""A year of the network on one machine, played by the same commands, keys and ledger that anybody uses.

    run.py        the whole of it: keys, ledger, story, tiles, audit, and the audit of a changed copy
    cast.py       cities, their programmes' terms, start-ups: data
    market.py     items, and clusters with their prices: data
    workload.py   whose jobs ran when: invented from a seed, or read from a file
    year.py founding.py programmes.py contracts.py story.py    what happens, day by day
    dated.py incidents.py treasuries.py counted_and_invoiced.py    what has its own day
    dishonest.py  five frauds that no rule refuses, where they are asked for
    stage.py keyring.py    how it happens: signed by its party's key, submitted as notes
    tampering.py tables.py

Only the clock is the story's own, so that a year takes seconds.
"""

from tallystick.demo.run import run_demo

__all__ = ["run_demo"]
