"""Mandates: an operator gives some kinds of command for a treasury; what it used of them is in the book."""

from dataclasses import dataclass


@dataclass(slots=True)
class Mandate:
    """A mandate as it stands.

    Attributes:
        treasury: for which the operator acts.
        kinds: of commands, for example `voucher.issue/1`.
        each_fen: the most of one command.
        total_fen: the most of all together.
        until: from then on (microseconds) it is over.
        programme: the one that they are about; None: all of the treasury's.
        ended: its treasury took it back before.
    """

    treasury: str
    operator: str
    kinds: tuple[str, ...]
    each_fen: int
    total_fen: int
    until: int
    programme: str | None = None
    ended: bool = False
