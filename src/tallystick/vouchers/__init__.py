"""What is allowed: commands, the state they are decided against, and what comes of them. Pure.

    note bytes ── read_note ──► SignedCommand ── admit ──► Entry | Refusal      (admit.py)
                                                  │
                          authority.py            who may sign what
                          decide.py, deciding/    what may happen, by area
                                                  │
    State ◄── evolve ── Event                     (state.py, evolving/)

Nothing here reads a clock, a file, the network or a random number: the log's time `at` is given.
The rules in words are in docs/rules.md.
"""
