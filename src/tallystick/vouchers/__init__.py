"""What is allowed: commands, the state they are decided against, and what comes of them. Pure.

    note bytes ── read_note ──► SignedCommand ── admit ──► Entry | Refusal      (admit.py)
                                                  │
                          authority.py      the signatures that the command's rule asks for
                          rules/<area>.py   each command: form, event, signers, decision, change, touches
                          rulebook.py       all rules, and what follows from the list
                                                  │
    State ◄── evolve ── Event                     (state.py, evolve.py)
      └── saved_state.py    its bytes under a header, whose version follows from its form (schemas.py)

Nothing here reads a clock, a file, the network or a random number: the log's time `at` is given.
The rules in words are in docs/rules.md.
"""
